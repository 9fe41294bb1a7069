"""Pairs of currencies: which figure is shown for one, today, on a date and over time.

As printed where one leg is the issuer's own currency and the row has four significant digits, else
crossed through the dollar. A pair and its inverse always come from the same row: each has one
direction in which it is looked for, and the other is that figure turned round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from bot.board import BASE, FIVE, read_quote
from bot.crosses import (
    AHEAD,
    GOOD_DIGITS,
    LONGEST,
    Leg,
    crossed,
    digits,
    history,
    read_leg,
)
from bot.locales import N_
from bot.models import Announced, Board, Quote, RateKind, RateRoad
from bot.money import inverse, per_unit, turned
from bot.periods import GAP, Period, calendar
from bot.sources import banks, issuer_of
from bot.store import Figures

REACH: Final = timedelta(days=45)
"""How far back a cross looks for the month before."""
NEIGHBOURS: Final = 10
NOT_STORED: Final = N_("no figure of that day is stored")
_ORDER: Final = (BASE, "EUR", "CNY", "RUB", "TMT", "TJS", "KGS", "KZT", "UZS")
"""Of two of these the earlier is the base in which the pair is looked for; whatever else there is comes before."""


@dataclass(frozen=True, slots=True)
class RateHistory:
    """A pair's figures by effective date, oldest first: quote units per 1 base unit, each date once.

    source: the road's id, two joined by "+" where it goes through the dollar; kind: then "cross"
    issuers: ids of the banks whose figures these are
    """

    base: str
    quote: str
    source: str
    kind: RateKind
    days: tuple[tuple[date, Decimal], ...]
    issuers: tuple[str, ...] = ()


async def read_pair(
    store: Figures, roads: Sequence[RateRoad], now: datetime, base: str, quote: str, on: date | None = None
) -> Quote:
    """The pair as of `now`, or as it stood on a date: then `rate` is None unless that day's figure is stored.

    A date to come has a figure only if it is announced for that very day.
    """
    at = datetime.combine(on, time(12), UTC) if on else now
    over, under = _looked_for(base, quote)
    found = (await _find(store, roads, at, over, under)).quote
    shown = found if found.base == base else turn(found)
    return _as_of(shown, on, now) if on else shown


async def read_columns(
    store: Figures, roads: Sequence[RateRoad], now: datetime, base: str, on: date | None = None
) -> Board:
    """The five currencies against `base`."""
    return Board(tuple([await read_pair(store, roads, now, base, code, on) for code in FIVE if code != base]))


async def read_history(
    store: Figures, roads: Sequence[RateRoad], now: datetime, base: str, quote: str, since: date, until: date
) -> RateHistory:
    """The fixings in force from `since` to `until`, carried days included where the bank prints them.

    A cross is there on the dates of either leg on which both are known; a peg at both ends.
    """
    way = await _find(store, roads, now, *_looked_for(base, quote))
    shown = way.quote
    if way.printed:
        days = await _printed_days(store, shown, since, until)
    else:
        legs = await _legs(store, roads, now, shown.base, shown.quote, since - GAP, until)
        days = () if isinstance(legs, str) else tuple(history(*legs, since, until))
    if shown.base != base:
        days = tuple((day, inverse(rate)) for day, rate in days)
    return RateHistory(base, quote, shown.source, shown.kind, days, shown.issuers)


async def read_period(
    store: Figures, roads: Sequence[RateRoad], now: datetime, base: str, quote: str, since: date, until: date
) -> Period:
    """The figures in force from `since` to `until`, but no further than today; without days where none is stored."""
    history = await read_history(store, roads, now, base, quote, since - GAP, until)
    until = min(until, today_at(now, history.issuers))
    days = tuple(calendar(history.days, since, until))
    return Period(base, quote, history.source, history.kind, history.issuers, since, until, days)


def _looked_for(base: str, quote: str) -> tuple[str, str]:
    """The pair in the one direction in which it is looked for."""

    def rank(code: str) -> tuple[int, str]:
        return (_ORDER.index(code) if code in _ORDER else -1, code)

    return (base, quote) if rank(base) < rank(quote) else (quote, base)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a pair is had: `quote` is as printed or crossed, in whichever direction that is."""

    quote: Quote
    printed: bool


async def _find(store: Figures, roads: Sequence[RateRoad], at: datetime, base: str, quote: str) -> _Way:
    """The way of a pair in the direction in which it is looked for: the quote's issuer first, then the base's."""
    if base == BASE and quote in FIVE:
        return _Way(await _by_issuer(store, roads, at, base, quote), printed=True)
    found = []
    for printed in ((base, quote), (quote, base)):
        issuer = issuer_of(printed[1])
        if issuer and not any((bank := issuer_of(code)) and bank.peg for code in printed):
            row = await _by_issuer(store, roads, at, *printed)
            if row.rate is not None and row.kind == "official":
                found.append(_Way(row, printed=True))
    good = [way for way in found if await _digits(store, way.quote) >= GOOD_DIGITS]
    if good:
        return next((way for way in good if not way.quote.stale), good[0])
    cross = await _cross(store, roads, at, base, quote)
    return found[0] if found and cross.rate is None else _Way(cross, printed=False)


async def _by_issuer(store: Figures, roads: Sequence[RateRoad], at: datetime, base: str, quote: str) -> Quote:
    row = await read_quote(store, roads, at, base, quote)
    issuer = issuer_of(quote)
    return replace(row, issuers=(issuer.id,)) if issuer and row.kind != "market" else row


async def _digits(store: Figures, row: Quote) -> int:
    rows = await store.series(row.source, row.base, row.quote, row.effective_date or date.max, NEIGHBOURS)
    return digits(rows) if rows else 0


async def _cross(store: Figures, roads: Sequence[RateRoad], at: datetime, base: str, quote: str) -> Quote:
    today = at.date()
    legs = await _legs(store, roads, at, base, quote, today - REACH, today + AHEAD)
    if isinstance(legs, str):
        return Quote(base, quote, "", "cross", reason=legs)
    return crossed(*legs, today_at(at, [leg.issuer for leg in legs if leg.issuer]))


def today_at(now: datetime, issuers: Sequence[str]) -> date:
    """The day it is at all these banks."""
    return min((now.astimezone(banks()[issuer].zone).date() for issuer in issuers), default=now.date())


async def _legs(
    store: Figures, roads: Sequence[RateRoad], at: datetime, base: str, quote: str, since: date, until: date
) -> tuple[Leg, Leg] | str:
    """Both legs, or why there is none."""
    under = await read_leg(store, roads, at, base, since, until)
    over = await read_leg(store, roads, at, quote, since, until)
    if isinstance(under, str) or isinstance(over, str):
        return under if isinstance(under, str) else str(over)
    return under, over


def turn(quote: Quote) -> Quote:
    """The same figure for the opposite direction; the changes are those of the pair as it is then."""
    announced = quote.announced
    changes = (None if percent is None else turned(percent) for percent in (quote.day, quote.week, quote.month))
    day, week, month = changes
    return replace(
        quote,
        base=quote.quote,
        quote=quote.base,
        rate=None if quote.rate is None else inverse(quote.rate),
        announced=Announced(inverse(announced.rate), announced.effective_date) if announced else None,
        day=day,
        week=week,
        month=month,
    )


def _as_of(quote: Quote, on: date, now: datetime) -> Quote:
    """The quote if it is what was in force on that day, else one without a figure."""
    today = today_at(now, quote.issuers)
    since = quote.effective_date
    if since is None or quote.stale or since > on or (on > today and since != on and quote.kind != "peg"):
        return replace(quote, rate=None, effective_date=None, announced=None, stale=False, reason=NOT_STORED)
    return replace(quote, announced=None)


async def _printed_days(store: Figures, row: Quote, since: date, until: date) -> tuple[tuple[date, Decimal], ...]:
    if row.kind == "peg" and row.rate is not None:
        first = max(since, row.effective_date or since)
        days = range(max((until - first).days + 1, 0))
        return tuple((first + timedelta(days=n), row.rate) for n in days)
    series = await store.series(row.source, row.base, row.quote, until, LONGEST, since)
    return tuple((printed.effective_date, per_unit(printed.printed)) for printed in reversed(series))
