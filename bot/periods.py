"""A stretch of days of a pair: what was in force on each of them, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from bot.models import RateKind
from bot.money import EXACT, change

GAP: Final = timedelta(days=4)
"""A long weekend: a figure older than that is not known to be in force any more."""


@dataclass(frozen=True, slots=True)
class Day:
    """What was in force on a calendar day, and since when."""

    day: date
    effective_date: date
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Period:
    """A pair from `since` to `until`, both included.

    days: the calendar days whose figure is stored, oldest first; what is asked of a period needs one
    """

    base: str
    quote: str
    source: str
    kind: RateKind
    issuers: tuple[str, ...]
    since: date
    until: date
    days: tuple[Day, ...]

    @property
    def wanted(self) -> int:
        """How many calendar days there are."""
        return (self.until - self.since).days + 1

    @property
    def average(self) -> Decimal:
        """Over the calendar days, as they were in force; not rounded."""
        total = Decimal(0)
        for known in self.days:
            total = EXACT.add(total, known.rate)
        return EXACT.divide(total, Decimal(len(self.days)))

    @property
    def low(self) -> Day:
        return min(self.days, key=lambda known: known.rate)

    @property
    def high(self) -> Day:
        return max(self.days, key=lambda known: known.rate)

    @property
    def change(self) -> Decimal | None:
        """From the first day to the last, in percent; None for a peg."""
        return None if self.kind == "peg" else change(self.days[-1].rate, self.days[0].rate)


def calendar(rows: Sequence[tuple[date, Decimal]], since: date, until: date) -> Iterator[Day]:
    """The figure in force on every calendar day it is known for. rows: oldest first, from before `since` on."""
    at, row = 0, None
    for n in range((until - since).days + 1):
        day = since + timedelta(days=n)
        while at < len(rows) and rows[at][0] <= day:
            row = rows[at]
            at += 1
        if row and day - row[0] <= GAP:
            yield Day(day, *row)
