"""The outbox and the inbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.message import Message
from bot.models.people import Address

DeliveryKind = Literal["reply", "alert", "article", "digest"]
DeliveryState = Literal["pending", "inflight", "sent", "unknown", "failed", "dead", "expired", "withheld"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way into the outbox. (event, address) is its identity: twice is once.

    state: "pending"; "expired" for a digest that is only noted as skipped; "withheld" for what is only noted
        as not sent; reason: why, for whoever asks
    only_after: an event; the message is dropped unless that one is on its way to this address, or went there
    """

    event: str
    address: Address
    kind: DeliveryKind
    message: Message
    due_at: datetime
    expires_at: datetime
    state: DeliveryState = "pending"
    only_after: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed outbox row, in the hands of `owner` until its lease ends.

    tries: hand-overs to the transport so far, this one included; lost: answers lost before.
    """

    id: int
    event: str
    address: Address
    kind: DeliveryKind
    message: Message
    due_at: datetime
    expires_at: datetime
    owner: str = ""
    tries: int = 1
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a send, or of a claim whose lease ended.

    state: "sent"; "pending" to try again at retry_at; "unknown" (the answer was lost);
    "failed" (the platform will never take it); "dead" (the chat is gone); "expired".
    lost: whether it went back to "pending" because its answer was lost.
    """

    state: DeliveryState
    detail: str = ""
    message_id: str = ""
    retry_at: datetime | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """One line of a health report."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """A raw event of a platform as it came in, kept before it is acknowledged.

    number, received_at: given by the store; numbers grow in the order they came
    """

    platform: str
    key: str
    raw: str
    tries: int = 0
    number: int = 0
    received_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    """How many outbox rows are in which state, and when the oldest pending one was due."""

    states: dict[str, int] = field(default_factory=dict)
    oldest_pending: datetime | None = None
