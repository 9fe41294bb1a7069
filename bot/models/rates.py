"""Printed tables and the quotes made of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

RateKind = Literal["official", "peg", "market", "cross"]


@dataclass(frozen=True, slots=True)
class Fixing:
    """One printed row: `value` (text as printed, dot decimal) quote units per `nominal` base units.

    change: the bank's own printed change of value, "" where it prints none.
    """

    base: str
    value: str
    nominal: int = 1
    change: str = ""


@dataclass(frozen=True, slots=True)
class RateTable:
    """A bank's document of one effective date.

    source: the road's id; quote: the issuer's own currency
    problems: rows that were refused, by name ("IRR: nominal 7")
    revision: 0 for the first version of a date, +1 for every later one
    """

    source: str
    quote: str
    effective_date: date
    fixings: tuple[Fixing, ...]
    kind: RateKind = "official"
    problems: tuple[str, ...] = ()
    revision: int = 0
    first_seen: datetime | None = None

    def fixing(self, base: str) -> Fixing | None:
        return next((row for row in self.fixings if row.base == base), None)


@dataclass(frozen=True, slots=True)
class Announced:
    """A figure that is printed already but in force only from its date."""

    rate: Decimal
    effective_date: date


@dataclass(frozen=True, slots=True)
class Quote:
    """A rate as shown: `rate` quote units per 1 base unit, with all a reader needs to trust it.

    rate: None when there is no figure (then `reason` says why); changes are percents or None.
    """

    base: str
    quote: str
    source: str
    kind: RateKind
    rate: Decimal | None = None
    effective_date: date | None = None
    announced: Announced | None = None
    stale: bool = False
    day: Decimal | None = None
    week: Decimal | None = None
    month: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """The rates board: one Quote a currency, in the order shown."""

    quotes: tuple[Quote, ...]

    @property
    def as_of(self) -> date | None:
        return max((q.effective_date for q in self.quotes if q.effective_date), default=None)
