"""What an alert looks at: a pair's newest fixing, those before it, and the smallest step they can make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from bot.board import AHEAD, BASE
from bot.crosses import read_leg
from bot.models import Quote, RateRoad, Sight
from bot.money import EXACT, PRINTED_DIGITS, inverse, per_unit
from bot.pairs import NEIGHBOURS, REACH, read_history, read_pair, today_at
from bot.store import Figures

WATCHED: Final = frozenset({"official", "cross"})
"""Kinds of figures that alerts look at: a peg does not move, and the market's are nobody's word."""


async def read_sight(
    figures: Figures, roads: Sequence[RateRoad], now: datetime, base: str, quote: str
) -> Sight | Quote:
    """The pair as it stands, or the quote that no alert can look at."""
    shown = await read_pair(figures, roads, now, base, quote)
    if shown.rate is None or shown.kind not in WATCHED:
        return shown
    today = today_at(now, shown.issuers)
    newest = shown.announced.effective_date if shown.announced else today
    stood = await read_history(figures, roads, now, base, quote, today - REACH, today + AHEAD)
    days = tuple((day, rate) for day, rate in stood.days if day <= today or day == newest)
    if not days:
        return shown
    return Sight(shown, days, await _tick(figures, roads, now, shown, days[-1][1]), today)


async def _tick(figures: Figures, roads: Sequence[RateRoad], now: datetime, shown: Quote, rate: Decimal) -> Decimal:
    """In quote units: one step of the printed row, or of both legs of a cross at once."""
    until = now.date() + AHEAD
    if shown.kind == "official":
        rows = await figures.series(shown.source, shown.base, shown.quote, until, NEIGHBOURS)
        if rows:
            return _last_digit(per_unit(row.printed) for row in rows)
        rows = await figures.series(shown.source, shown.quote, shown.base, until, NEIGHBOURS)
        turned = inverse(rate)
        step = _last_digit(per_unit(row.printed) for row in rows)
        return EXACT.subtract(inverse(EXACT.subtract(turned, step)), rate)
    share = Decimal(0)
    for code in (shown.base, shown.quote):
        leg = await read_leg(figures, roads, now, code, now.date() - REACH, until)
        if code != BASE and not isinstance(leg, str) and leg.days:
            step = _last_digit(figure for _, figure, _ in leg.days[:NEIGHBOURS])
            share = EXACT.add(share, EXACT.divide(step, leg.days[0][1]))
    return EXACT.multiply(rate, share)


def _last_digit(figures: Iterable[Decimal]) -> Decimal:
    """One of the last digit printed, as a bank may drop zeros; 0 for figures that are computed."""
    places = [-exponent for figure in figures if (exponent := _exponent(figure)) is not None]
    return Decimal(1).scaleb(-max(places)) if places else Decimal(0)


def _exponent(figure: Decimal) -> int | None:
    parts = figure.as_tuple()
    return parts.exponent if isinstance(parts.exponent, int) and len(parts.digits) <= PRINTED_DIGITS else None
