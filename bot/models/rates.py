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

    change: the bank's own printed change of value, "" where it prints none
    quote: "" where it is the table's, as with every issuer
    """

    base: str
    value: str
    nominal: int = 1
    change: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class RateTable:
    """A document of one effective date.

    source: the road's id; quote: the issuer's own currency, "" where each row has its own
    problems: rows that were refused, by name ("IRR: nominal 7")
    held: the (base, quote) of rows that look like a slip and are kept out of force
    """

    source: str
    quote: str
    effective_date: date
    fixings: tuple[Fixing, ...]
    kind: RateKind = "official"
    problems: tuple[str, ...] = ()
    held: frozenset[tuple[str, str]] = frozenset()

    def fixing(self, base: str, quote: str = "") -> Fixing | None:
        """The row of a pair; without `quote` that of the table's own currency."""
        wanted = (base, quote or self.quote)
        return next((row for row in self.fixings if self.pair(row) == wanted), None)

    def pair(self, row: Fixing) -> tuple[str, str]:
        return row.base, row.quote or self.quote


@dataclass(frozen=True, slots=True)
class StoredFixing:
    """A row of a series: a pair's printed figure on one date of one road, its newest good version.

    printed: base, value, nominal, change and quote, never ""
    revision: 0 for the first version of a date, +1 for every later one
    carried: its table only repeats the one of the date before, so it is no fixing
    """

    source: str
    effective_date: date
    printed: Fixing
    kind: RateKind
    revision: int
    carried: bool
    first_seen: datetime

    @property
    def pair(self) -> tuple[str, str]:
        return self.printed.base, self.printed.quote


@dataclass(frozen=True, slots=True)
class Hold:
    """A figure that looks like a slip, kept out of force until something or somebody vouches for it.

    id: what an admin releases it by; held_at: since when
    """

    id: int
    fixing: StoredFixing
    held_at: datetime


@dataclass(frozen=True, slots=True)
class Announced:
    """A figure that is printed already but in force only from its date."""

    rate: Decimal
    effective_date: date


@dataclass(frozen=True, slots=True)
class Quote:
    """A rate as shown: `rate` quote units per 1 base unit, with all a reader needs to trust it.

    held: a printed figure that looks like a slip and is not in force
    rate: None when there is no figure (then `reason` says why); changes are percents or None.
    issuers: ids of the banks whose figures it is made of; () means the quote currency's own
    """

    base: str
    quote: str
    source: str
    kind: RateKind
    rate: Decimal | None = None
    effective_date: date | None = None
    announced: Announced | None = None
    held: Announced | None = None
    stale: bool = False
    day: Decimal | None = None
    week: Decimal | None = None
    month: Decimal | None = None
    reason: str = ""
    issuers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """The rates board: one Quote a currency, in the order shown."""

    quotes: tuple[Quote, ...]

    @property
    def as_of(self) -> date | None:
        return max((q.effective_date for q in self.quotes if q.effective_date), default=None)
