"""What a chat chose, and its standing orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from bot.message import Message
from bot.models.people import Address

ScheduleKind = Literal["daily", "weekdays", "weekly", "instant"]


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of the day, on the chat's clocks, in which nothing rings. hold: what comes by itself waits for their
    end; else it comes without a sound. Digests come: somebody chose their time."""

    start: time
    end: time
    hold: bool = True


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What a chat has chosen: an IANA zone name, a language code, its quiet hours.

    edits: whether what is corrected later is corrected in the message that told it
    threads: whether a follow-up of a story answers its first message
    """

    address: Address
    zone: str
    language: str
    quiet: Quiet | None = None
    edits: bool = False
    threads: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a subscription speaks. at: wall-clock time; weekday: 0 is Monday, weekly only."""

    kind: ScheduleKind
    at: time = time(9, 0)
    weekday: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """What a subscription holds: news, rates, or both.

    words: all required, a phrase among them has a space in it; excluded: none of these
    countries, sources, topics: any of each
    opinion: None for either, else only that, or none of it
    empty: whether a digest comes that has nothing new to say
    """

    words: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    news: bool = True
    rates: bool = True
    excluded: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    opinion: bool | None = None
    empty: bool = True


@dataclass(frozen=True, slots=True)
class Subscription:
    """A standing order of a chat, a topic or a thread. Due instants are UTC and None for `instant`.

    paused_at: None while it speaks; paused_until: None for until somebody resumes it
    """

    id: int
    address: Address
    schedule: Schedule
    content: Content
    created_at: datetime
    created_by: str = ""
    previous_due: datetime | None = None
    next_due: datetime | None = None
    paused_at: datetime | None = None
    paused_until: datetime | None = None

    def is_paused(self, now: datetime) -> bool:
        return self.paused_at is not None and (self.paused_until is None or now < self.paused_until)


@dataclass(frozen=True, slots=True)
class Edition:
    """Subscriptions that fall due together and get the same digest: it is made once for all of them.

    id: of what they ask for, the same at every due; zone, language: "" for chats that chose none
    feeds: those their chats added for themselves; members: how many; address: of one of them
    """

    id: int
    schedule: Schedule
    content: Content
    zone: str
    language: str
    feeds: str
    previous_due: datetime | None
    next_due: datetime
    members: int
    address: Address


@dataclass(frozen=True, slots=True)
class Mailing:
    """An edition on its way into the outbox, and when its subscriptions speak next.

    day: the local date it is of, its identity with the subscription's id
    withheld: why nothing is sent ("" otherwise); late: past the window in which it may still come
    """

    edition: Edition
    message: Message
    day: date
    due: datetime
    next_due: datetime
    expires_at: datetime
    withheld: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """When subscriptions of an edition (its id) speak next. zone: "" for chats that chose none."""

    edition: int
    schedule: Schedule
    zone: str
    previous_due: datetime | None
    next_due: datetime
