"""Arithmetic of rates. Decimal at 28 digits; rounding is half-even and happens once, at display."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from bot.models import Fixing, RateTable

EXACT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)


def per_unit(fixing: Fixing) -> Decimal:
    """Quote units per 1 base unit: exact, as nominals are powers of ten."""
    places = len(str(fixing.nominal)) - 1
    return Decimal(fixing.value).scaleb(-places, EXACT)


def change(new: Decimal, old: Decimal) -> Decimal:
    """From old to new, in percent, not rounded."""
    return EXACT.multiply(EXACT.divide(EXACT.subtract(new, old), old), Decimal(100))


def printed_change(fixing: Fixing) -> Decimal | None:
    """The bank's own printed change in percent; None where it prints none."""
    if not fixing.change:
        return None
    new = Decimal(fixing.value)
    old = EXACT.subtract(new, Decimal(fixing.change))
    return change(new, old) if old > 0 else None


def moved(table: RateTable, other: RateTable) -> bool:
    """Whether two tables of a bank differ in a rate that both hold: if not, one is carried forward."""
    rates = {row.base: per_unit(row) for row in other.fixings}
    return any(rates.get(row.base, rate) != rate for row in table.fixings for rate in (per_unit(row),))


def inverse(rate: Decimal) -> Decimal:
    """Base units per 1 quote unit."""
    return EXACT.divide(Decimal(1), rate)


def significant(value: Decimal, digits: int) -> Decimal:
    """Rounded to so many significant digits, zeros at the end included."""
    rounded = Context(prec=digits, rounding=ROUND_HALF_EVEN).plus(value)
    return rounded.quantize(Decimal(1).scaleb(rounded.adjusted() - digits + 1), context=EXACT)


def scaled_inverse(rate: Decimal) -> tuple[int, Decimal]:
    """(n, what n quote units cost in base units), for the smallest power of ten n with a cost of
    at least 0.1; five significant digits."""
    n = 1
    while n * 10 < rate:
        n *= 10
    return n, significant(EXACT.divide(Decimal(n), rate), 5)


def exact_text(value: Decimal) -> str:
    """All digits as printed, never an exponent."""
    return f"{value:f}"


def percent_text(percent: Decimal) -> str:
    """Two places and a sign, "+0.29" or "-0.29"; "0.00" has none."""
    rounded = percent.quantize(Decimal("0.01"), context=EXACT)
    return f"{rounded:+f}" if rounded else "0.00"
