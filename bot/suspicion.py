"""Figures that look like a slip of the pen, and what vouches for them. They are held, never dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final, Literal

from bot.models import RateTable
from bot.money import EXACT, change, per_unit

Suspicion = Literal["slip", "jump", "peg"]

NEAR_POWER: Final = Decimal("0.02")
POWERS: Final = tuple(Decimal(10) ** k for k in range(-6, 7) if k)
JUMP: Final = Decimal(10)
"""Percent, for the dollar; a currency that moves more in a day has been devalued."""
AGREES: Final = Decimal(5)
"""Percent within which another source agrees."""


def suspicion(base: str, new: Decimal, old: Decimal, *, peg: bool) -> Suspicion | None:
    """What is wrong with a new figure beside the last one in force; None for nothing.

    slip: ten, a hundred, ... times the old one, as after a lost comma or nominal; jump: the dollar
    moved more than 10 %; peg: any other figure than the declared one.
    """
    if peg:
        return "peg" if base == "USD" and new != old else None
    ratio = EXACT.divide(new, old)
    if any(abs(EXACT.divide(ratio, power) - 1) <= NEAR_POWER for power in POWERS):
        return "slip"
    return "jump" if base == "USD" and abs(change(new, old)) > JUMP else None


def with_holds(tables: Iterable[RateTable], known: Iterable[RateTable], peg: str = "") -> list[RateTable]:
    """The new tables with their suspicious rows held, each beside the last figures in force before it.

    known: tables in force; peg: the declared dollar rate of a currency that has one
    """
    stood = sorted(known, key=lambda table: table.effective_date)
    marked = []
    for table in sorted(tables, key=lambda table: table.effective_date):
        before = [old for old in stood if old.effective_date <= table.effective_date]
        held = frozenset(
            table.pair(row)
            for row in table.fixings
            if (old := _last(before, *table.pair(row), peg)) and suspicion(row.base, per_unit(row), old, peg=bool(peg))
        )
        marked.append(replace(table, held=held))
        stood = sorted([*stood, in_force(marked[-1])], key=lambda table: table.effective_date)
    return marked[::-1]


def in_force(table: RateTable) -> RateTable:
    """The table without what is held."""
    return replace(table, fixings=tuple(row for row in table.fixings if table.pair(row) not in table.held))


def _last(tables: Collection[RateTable], base: str, quote: str, peg: str) -> Decimal | None:
    if peg and base == "USD":
        return Decimal(peg)
    rows = (row for table in reversed(list(tables)) if (row := table.fixing(base, quote)))
    return next((per_unit(row) for row in rows), None)


def agree(figure: Decimal, witness: Decimal) -> bool:
    """Whether two figures of a pair are within 5 % of each other."""
    return abs(change(figure, witness)) <= AGREES
