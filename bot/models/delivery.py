"""The outbox and the inbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from bot.message import Message
from bot.models.people import Address

DeliveryKind = Literal["reply", "alert", "article", "digest"]
"""In the order of their urgency."""
PRIORITIES: Final[tuple[DeliveryKind, ...]] = get_args(DeliveryKind)
DeliveryState = Literal["pending", "inflight", "sent", "unknown", "failed", "dead", "expired", "withheld"]
Cause = Literal["", "flood", "fault", "token", "body", "topic", "unwelcome", "workspace"]
"""Why a send did not come off, where more than its own message is concerned:

    flood      the platform asks for silence until `retry_at`: no try is counted
    fault      it could not just now: again after a growing pause
    token      it refuses our token: not the chat's doing, and not the message's
    body       it will not take this text: nor will any other chat of it
    topic      this thread of the chat is closed or deleted; the chat itself is not
    unwelcome  the chat refuses us; it may be gone
    workspace  the whole workspace of the chat has us no more: not the platform's word on the others
"""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way into the outbox. (event, address) is its identity: twice is once.

    state: "pending"; "expired" for a digest that is only noted as skipped; "withheld" for what is only noted
        as not sent; reason: why, for whoever asks
    only_after: an event; the message is dropped unless that one is on its way to this address, or went there
    edits: an event, too; the message takes the place of that one's. Where that waits, it goes in these words; where
        it arrived, it is written anew; else this is dropped
    follows: events; the message answers the oldest of theirs that arrived, if any did
    why: what it came of, for /why; bot/compose/why.py knows the names
    """

    event: str
    address: Address
    kind: DeliveryKind
    message: Message
    due_at: datetime
    expires_at: datetime
    state: DeliveryState = "pending"
    only_after: str = ""
    edits: str = ""
    reason: str = ""
    follows: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed outbox row, in the hands of `owner` until its lease ends.

    tries: hand-overs to the transport so far, this one included; faults: of those before, how many the platform
        could not carry out; lost: answers lost before; deaths: senders
        that died with it in hand
    plain: the platform refused the text of this message; it goes as bare words
    strikes: how often in a row the chat has refused us
    edits: the platform's id of the message it takes the place of, "" where that never arrived; None: it is a new one
    answers: the platform's id of the message it answers, "" for none
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
    faults: int = 0
    lost: int = 0
    deaths: int = 0
    plain: bool = False
    strikes: int = 0
    edits: str | None = None
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """An outbox row as the ledger tells of it. settled_at: None while it waits or is in flight.

    detail: what went wrong, or why it was withheld; why: what it came of (Outgoing.why)
    """

    id: int
    event: str
    kind: DeliveryKind
    state: DeliveryState
    message: Message
    due_at: datetime
    settled_at: datetime | None
    detail: str
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Articles of one chat above what it gets singly in an hour, which go together.

    due_at: since when; ids: their outbox rows; messages: one for each, oldest first
    """

    address: Address
    due_at: datetime
    ids: tuple[int, ...]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a send, or of a claim whose lease ended.

    state: "sent"; "pending" to try again at retry_at; "unknown" (the answer was lost);
    "failed" (the platform will never take it); "dead" (the chat is gone); "expired".
    lost: whether it went back to "pending" because its answer was lost; died: its sender did, with it in hand
    moved_to: the chat's new id; everything of it follows
    free_at: nothing may go to the chat before
    """

    state: DeliveryState
    detail: str = ""
    message_id: str = ""
    retry_at: datetime | None = None
    lost: bool = False
    died: bool = False
    cause: Cause = ""
    moved_to: str = ""
    free_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """One line of a health report."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """A raw event of a platform as it came in, kept before it is acknowledged.

    lane: the chat it is of, whose updates are handled one after the other; "": it is of none
    number, received_at: given by the store; numbers grow in the order they came
    """

    platform: str
    key: str
    raw: str
    tries: int = 0
    number: int = 0
    received_at: datetime | None = field(default=None, compare=False)
    lane: str = ""


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    """How many outbox rows are in which state, and when the oldest pending one was due."""

    states: dict[str, int] = field(default_factory=dict)
    oldest_pending: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """What one sender may use of a platform's rate. held_until: nobody may send anything before."""

    share: float = 1.0
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutboxReport:
    """How sending fares.

    states: rows of the last two weeks by state; held: platforms that are not sent to, until when and why
    dead: paused chats by reason; late: the middle and the 95th of a hundred of the last day's sent messages
    """

    states: dict[str, int]
    oldest_pending: datetime | None
    held: dict[str, tuple[datetime, str]]
    held_chats: int
    dead: dict[str, int]
    late: tuple[timedelta, timedelta] | None
