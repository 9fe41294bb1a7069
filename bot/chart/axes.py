"""Where a chart's lines stand: the range of its figures, round figures in it, dates that share it evenly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from itertools import count, takewhile
from typing import Final

from bot.money import EXACT

LEAST: Final = Decimal("0.01")
"""Of the figure: no chart shows less from bottom to top, or a quiet week would look like a storm."""
ROOM: Final = Decimal("0.2")
"""Of the range, above and below: labels stand there."""
MOST_UP: Final = 7
MOST_ACROSS: Final = 5
GAP: Final = timedelta(days=10)
"""No bank rests longer: after more days without a figure some are missing."""

_ROUND: Final = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_DAY_STEPS: Final = (1, 2, 3, 5, 7, 10, 14, 21)
_MONTH_STEPS: Final = (1, 2, 3, 6, 12, 24, 60)


def figure_range(figures: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """The lowest and the highest figure a chart of these has room for."""
    low, high = min(figures), max(figures)
    middle = (low + high) / 2
    half = max((high - low) / 2, abs(middle) * LEAST / 2)
    room = half * 2 * ROOM
    return middle - half - room, middle + half + room


def figure_ticks(low: Decimal, high: Decimal) -> list[Decimal]:
    """Round figures from `low` to `high`, at most MOST_UP, each with the places their step needs."""
    rough = (high - low) / (MOST_UP - 1)
    size = Decimal(1).scaleb(rough.adjusted())
    step = (next(size * factor for factor in _ROUND if size * factor >= rough)).normalize(EXACT)
    places = step if int(step.as_tuple().exponent) < 0 else Decimal(1)
    first = (low / step).to_integral_value(ROUND_CEILING) * step
    return [tick.quantize(places) for tick in takewhile(lambda t: t <= high, (first + step * n for n in count()))]


def day_ticks(first: date, last: date) -> list[date]:
    """Dates from `first` to `last`, at most MOST_ACROSS: even distances back from the last one up to three
    months, else the firsts of months."""
    days = (last - first).days
    step = next((step for step in _DAY_STEPS if days // step < MOST_ACROSS), None)
    if step is not None:
        return [last - timedelta(days=n) for n in range(0, days + 1, step)][::-1]
    firsts = _firsts(first, last)
    for step in _MONTH_STEPS:
        kept = [day for day in firsts if (day.year * 12 + day.month - 1) % step == 0]
        if len(kept) <= MOST_ACROSS:
            return kept
    return firsts[:: len(firsts) // MOST_ACROSS + 1]


def _firsts(first: date, last: date) -> list[date]:
    """The first days of months from `first` to `last`."""
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    days = (date(month // 12, month % 12 + 1, 1) for month in months)
    return [day for day in days if day >= first]
