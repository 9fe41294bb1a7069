"""What the stored tables mean today: in force or announced, fixing or carried forward, stale or not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from bot.locales import N_
from bot.models import Announced, Board, Quote, RateRoad, RateTable
from bot.money import change, moved, per_unit, printed_change
from bot.ports import Store
from bot.sources import Bank, banks

FIVE: Final = ("KZT", "KGS", "UZS", "TJS", "TMT")
BASE: Final = "USD"
TABLES: Final = 45
"""Newest dates read of a road: enough for the month before."""
AHEAD: Final = timedelta(days=4)
FRESH: Final = timedelta(days=4)
"""A long weekend: after more days without a table a figure is stale, and no fixing is the next one's neighbour."""
NO_ROAD: Final = N_("no source is set for it")
NO_FIGURE: Final = N_("no figure yet")


async def read_board(store: Store, roads: Sequence[RateRoad], now: datetime, only: Collection[str] = FIVE) -> Board:
    """The board as of `now`, always in the order of FIVE."""
    return Board(tuple([await _read_quote(store, roads, now, code) for code in FIVE if code in only]))


async def _read_quote(store: Store, roads: Sequence[RateRoad], now: datetime, currency: str) -> Quote:
    """The quote of the road with the lowest priority number that has a figure."""
    missing = Quote(BASE, currency, "", "official", reason=NO_ROAD)
    for bank, road in _roads_to(currency, roads):
        today = now.astimezone(bank.zone).date()
        tables = [] if bank.peg else await store.tables(road.id, today + AHEAD, TABLES)
        quote = make_quote(bank, road, tables, today)
        if quote.rate is not None:
            return quote
        missing = quote
    return missing


def _roads_to(currency: str, roads: Sequence[RateRoad]) -> Iterator[tuple[Bank, RateRoad]]:
    known = banks()
    for road in sorted(roads, key=lambda road: road.priority):
        bank = known.get(road.parser)
        if bank and bank.issues == currency:
            yield bank, road
    # A peg holds by decree: it needs no source.
    yield from (
        (bank, RateRoad(bank.id, bank.id, "")) for bank in known.values() if bank.peg and bank.issues == currency
    )


def make_quote(bank: Bank, road: RateRoad, tables: Sequence[RateTable], today: date) -> Quote:
    """The dollar in the bank's currency. tables: newest date first; today: in the issuer's zone.

    In force is the newest table of today or before. Its own date is the effective date shown, also on
    a day that only carries the last fixing forward: that is what the bank prints for the day, and it
    does not depend on how far back our tables reach. The changes are the fixing's.
    """
    if bank.peg:
        return Quote(BASE, bank.issues, road.id, "peg", Decimal(bank.peg), bank.since)
    tables = [table for table in tables if table.fixing(BASE) and table.effective_date <= today + AHEAD]
    past = [table for table in tables if table.effective_date <= today]
    coming = [table for table in tables if table.effective_date > today]
    if not tables:
        return Quote(BASE, bank.issues, road.id, "official", reason=NO_FIGURE)
    # A latest-only bank may show us nothing but tomorrow's: better that, with its date, than nothing.
    shown = past[0] if past else coming[-1]
    return Quote(
        base=BASE,
        quote=bank.issues,
        source=road.id,
        kind=shown.kind,
        rate=_rate(shown),
        effective_date=shown.effective_date,
        announced=_announced(coming, shown if past else None),
        stale=today - tables[0].effective_date > FRESH,
        day=_day_change(past or coming[-1:]),
        week=_change_since(past, shown, shown.effective_date - timedelta(days=7)),
        month=_change_since(past, shown, month_before(shown.effective_date)),
    )


def _rate(table: RateTable) -> Decimal:
    fixing = table.fixing(BASE)
    assert fixing
    return per_unit(fixing)


def _announced(coming: Sequence[RateTable], in_force: RateTable | None) -> Announced | None:
    """The next fixing that is not in force yet; a carried-forward day announces nothing."""
    fixings = [table for table in coming if in_force is None or moved(table, in_force)]
    return Announced(_rate(fixings[-1]), fixings[-1].effective_date) if fixings else None


def _day_change(tables: Sequence[RateTable]) -> Decimal | None:
    """From the previous fixing to the one in force, however many days that one has been carried.

    Where the previous fixing is not stored, or days between are missing, the bank's printed change.
    """
    first_day = tables[0]
    for newer, older in pairwise(tables):
        if newer.effective_date - older.effective_date > FRESH:
            break
        if moved(newer, older):
            return change(_rate(newer), _rate(older))
        first_day = older
    fixing = first_day.fixing(BASE)
    return printed_change(fixing) if fixing else None


def _change_since(tables: Sequence[RateTable], shown: RateTable, then: date) -> Decimal | None:
    """From the figure in force on that day; None where it is not stored."""
    before = next((table for table in tables if table.effective_date <= then), None)
    if before is None or then - before.effective_date > FRESH:
        return None
    return change(_rate(shown), _rate(before))


def month_before(day: date) -> date:
    """The same day of the month before, or that month's last."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))
