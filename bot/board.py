"""What the stored fixings mean today: in force or announced, fixing or carried forward, stale or not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from bot.bankdays import FRESH, missed
from bot.locales import N_
from bot.models import Announced, Board, Quote, RateRoad, RateTable, StoredFixing
from bot.money import change, moved, per_unit, printed_change
from bot.sources import banks
from bot.store import Figures

FIVE: Final = ("KZT", "KGS", "UZS", "TJS", "TMT")
BASE: Final = "USD"
DAYS: Final = 45
"""Newest dates read of a series: enough for the month before."""
AHEAD: Final = timedelta(days=4)
NO_ROAD: Final = N_("no source is set for it")
NO_FIGURE: Final = N_("no figure yet")


async def read_board(store: Figures, roads: Sequence[RateRoad], now: datetime, only: Collection[str] = FIVE) -> Board:
    """The board as of `now`, always in the order of FIVE."""
    return Board(tuple([await read_quote(store, roads, now, BASE, code) for code in FIVE if code in only]))


async def read_quote(store: Figures, roads: Sequence[RateRoad], now: datetime, base: str, quote: str) -> Quote:
    """The pair as one road prints it: the official figure that is newest in force, then a market one."""
    found: list[Quote] = []
    held = [hold.fixing for hold in await store.holds() if hold.fixing.pair == (base, quote)]
    for road in sorted(roads, key=lambda road: road.priority):
        bank = banks()[road.parser]
        today = now.astimezone(bank.zone).date()
        series = await store.series(road.id, base, quote, today + AHEAD, DAYS)
        if series:
            found.append(make_quote(road, series, now))
    official = [made for made in found if made.kind != "market"]
    # A second road repeats the slip of the first: beside a held figure it may vouch, not take its place.
    doubted = {road.id for road in roads if not road.priority} & {row.source for row in held}
    official = [made for made in official if made.source in doubted] or official
    if official:
        return _with_mark(max(official, key=_in_force_since), held, roads, now)
    return found[0] if found else _without_a_road(roads, base, quote)


def _with_mark(quote: Quote, held: Sequence[StoredFixing], roads: Sequence[RateRoad], now: datetime) -> Quote:
    """The quote, and the newest figure of its road that is held back: that one is printed, not missed."""
    newest = max((row for row in held if row.source == quote.source), key=lambda row: row.effective_date, default=None)
    if newest is None:
        return quote
    road = next(road for road in roads if road.id == quote.source)
    stale = quote.stale and missed(banks()[road.parser], road, newest.effective_date, now) > 0
    return replace(quote, held=Announced(per_unit(newest.printed), newest.effective_date), stale=stale)


def _in_force_since(quote: Quote) -> date:
    return quote.effective_date or date.min


def _without_a_road(roads: Sequence[RateRoad], base: str, quote: str) -> Quote:
    """A peg holds by decree: it needs no source."""
    issuer = next((bank for bank in banks().values() if bank.issues == quote), None)
    if issuer and issuer.peg and base == BASE:
        return Quote(base, quote, issuer.id, "peg", Decimal(issuer.peg), issuer.since)
    road = next((road for road in roads if issuer and road.parser == issuer.id), None)
    return Quote(base, quote, road.id if road else "", "official", reason=NO_FIGURE if road else NO_ROAD)


def make_quote(road: RateRoad, series: Sequence[StoredFixing], now: datetime) -> Quote:
    """A pair's quote on this road. series: not empty, newest date first, to AHEAD.

    In force is the newest figure of today or before. Its own date is the effective date shown, also on
    a day that only carries the last fixing forward: that is what the bank prints for the day, and it
    does not depend on how far back our series reaches. The changes are the fixing's.
    """
    bank = banks()[road.parser]
    today = now.astimezone(bank.zone).date()
    past = [row for row in series if row.effective_date <= today]
    coming = [row for row in series if row.effective_date > today]
    # A latest-only bank may show us nothing but tomorrow's: better that, with its date, than nothing.
    shown = past[0] if past else coming[-1]
    if shown.kind == "peg":
        return Quote(*shown.pair, road.id, "peg", per_unit(shown.printed), shown.effective_date)
    return Quote(
        *shown.pair,
        road.id,
        shown.kind,
        rate=per_unit(shown.printed),
        effective_date=shown.effective_date,
        announced=_announced(coming),
        stale=missed(bank, road, _newest_fixing(series), now) > 0,
        day=_day_change(past or coming[-1:]),
        week=_change_since(past, shown, shown.effective_date - timedelta(days=7)),
        month=_change_since(past, shown, month_before(shown.effective_date)),
    )


def _newest_fixing(series: Sequence[StoredFixing]) -> date:
    """A table that only repeats the one before may hide that a fixing was missed."""
    return next((row for row in series if not row.carried), series[-1]).effective_date


def as_series(tables: Iterable[RateTable], base: str, quote: str, now: datetime) -> list[StoredFixing]:
    """What the store will say of a pair once it keeps these tables, newest date first."""
    return series_of(with_carried(tables), base, quote, now)


def with_carried(tables: Iterable[RateTable]) -> list[tuple[RateTable, bool]]:
    """A road's tables, newest date first, each with whether it only repeats the one before."""
    ordered = sorted(tables, key=lambda table: table.effective_date, reverse=True)
    before_each: list[RateTable | None] = [*ordered[1:], None]
    return [
        (table, before is not None and not moved(table, before))
        for table, before in zip(ordered, before_each, strict=True)
    ]


def series_of(dated: Iterable[tuple[RateTable, bool]], base: str, quote: str, now: datetime) -> list[StoredFixing]:
    """A pair's rows of with_carried tables."""
    return [
        StoredFixing(table.source, table.effective_date, replace(row, quote=quote), table.kind, 0, carried, now)
        for table, carried in dated
        if (row := table.fixing(base, quote))
    ]


def _announced(coming: Sequence[StoredFixing]) -> Announced | None:
    """The next fixing that is not in force yet; a carried-forward day announces nothing."""
    fixings = [row for row in coming if not row.carried]
    return Announced(per_unit(fixings[-1].printed), fixings[-1].effective_date) if fixings else None


def _day_change(rows: Sequence[StoredFixing]) -> Decimal | None:
    """From the previous fixing to the one in force, however many days that one has been carried.

    Where the previous fixing is not stored, or days between are missing, the bank's printed change.
    """
    first_day = rows[0]
    for newer, older in pairwise(rows):
        if newer.effective_date - older.effective_date > FRESH:
            break
        if not newer.carried:
            return change(per_unit(newer.printed), per_unit(older.printed))
        first_day = older
    return printed_change(first_day.printed)


def _change_since(rows: Sequence[StoredFixing], shown: StoredFixing, then: date) -> Decimal | None:
    """From the figure in force on that day; None where it is not stored."""
    before = next((row for row in rows if row.effective_date <= then), None)
    if before is None or then - before.effective_date > FRESH:
        return None
    return change(per_unit(shown.printed), per_unit(before.printed))


def month_before(day: date) -> date:
    """The same day of the month before, or that month's last."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))
