"""Arithmetic of rates. Decimal at 28 digits; rounding is half-even and happens once, at display."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from bot.models import Fixing, RateTable

EXACT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)

SETTLED_DIGITS: Final = 24
"""Digits of a quotient that can be trusted, and more than an amount times a printed figure has."""
PRINTED_DIGITS: Final = 12
"""Nobody prints more; a computed figure with as few is exact."""


def per_unit(fixing: Fixing) -> Decimal:
    """Quote units per 1 base unit: exact, as nominals are powers of ten."""
    places = len(str(fixing.nominal)) - 1
    return Decimal(fixing.value).scaleb(-places, EXACT)


def change(new: Decimal, old: Decimal) -> Decimal:
    """From old to new, in percent, not rounded."""
    return EXACT.multiply(EXACT.divide(EXACT.subtract(new, old), old), Decimal(100))


def turned(percent: Decimal) -> Decimal:
    """The change of a pair's inverse: 1/(1 + x) - 1, in percent, not rounded."""
    return change(Decimal(100), EXACT.add(Decimal(100), percent))


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


def scaled(rate: Decimal) -> tuple[int, Decimal]:
    """(n, what n base units cost), for the smallest power of ten n with a cost of at least 0.1; nothing is rounded."""
    places = max(0, -1 - rate.adjusted())
    return 10**places, rate.scaleb(places, EXACT)


def readable(figure: Decimal) -> Decimal:
    """What was printed, as it is; what was computed, in six significant digits and at least two places."""
    plain = settled(figure)
    cents = plain.quantize(Decimal("0.01"), context=EXACT)
    if len(plain.as_tuple().digits) > PRINTED_DIGITS:
        return cents if plain.adjusted() >= 4 else significant(plain, 6)
    return cents if cents == plain != 0 and plain is not figure else plain


def settled(figure: Decimal) -> Decimal:
    """A computed figure without the dust of its last digits; what has few digits stays as it is."""
    if len(figure.as_tuple().digits) <= SETTLED_DIGITS:
        return figure
    rounded = Context(prec=SETTLED_DIGITS, rounding=ROUND_HALF_EVEN).plus(figure).normalize(EXACT)
    return rounded.quantize(Decimal(1), context=EXACT) if rounded == rounded.to_integral_value() else rounded


def converted(amount: Decimal, rate: Decimal) -> Decimal:
    """What an amount of the base currency is in the quote currency: exact where the rate is as printed."""
    return settled(EXACT.multiply(amount, rate))


def money(amount: Decimal) -> Decimal:
    """A sum as shown: two places; below one at least four significant digits."""
    if amount.adjusted() >= 0:
        return amount.quantize(Decimal("0.01"), context=EXACT)
    return significant(amount, 4)


def exact_text(value: Decimal) -> str:
    """All digits as printed, never an exponent."""
    return f"{value:f}"


def percent_text(percent: Decimal) -> str:
    """Two places and a sign, "+0.29" or "-0.29"; "0.00" has none."""
    rounded = percent.quantize(Decimal("0.01"), context=EXACT)
    return f"{rounded:+f}" if rounded else "0.00"
