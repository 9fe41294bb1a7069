"""What a chat chose, and its standing orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

from bot.models.people import Address

ScheduleKind = Literal["daily", "weekdays", "weekly", "instant"]


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What a chat has chosen: an IANA zone name and a language code."""

    address: Address
    zone: str
    language: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a subscription speaks. at: wall-clock time; weekday: 0 is Monday, weekly only."""

    kind: ScheduleKind
    at: time = time(9, 0)
    weekday: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """What a subscription holds: news with these words and countries and without the excluded words, rates, or both."""

    words: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    news: bool = True
    rates: bool = True
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscription:
    """A standing order of a chat. Due instants are UTC and None for `instant`."""

    id: int
    address: Address
    schedule: Schedule
    content: Content
    created_at: datetime
    created_by: str = ""
    previous_due: datetime | None = None
    next_due: datetime | None = None
