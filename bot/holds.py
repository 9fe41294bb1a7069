"""Figures held: who vouches for them, and putting them in force."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.announce import Announcer
from bot.board import AHEAD, DAYS
from bot.models import Hold, RateRoad, RateTable, StoredFixing
from bot.money import EXACT, per_unit
from bot.sources import Bank, banks
from bot.store import Store
from bot.suspicion import agree, suspicion
from bot.watch import Raised, watch

WITNESS_AGE: Final = timedelta(days=4)
"""A figure older than that says nothing of the one held."""


async def release_vouched(store: Store, roads: Sequence[RateRoad], announcer: Announcer, now: datetime) -> int:
    """Release every hold that another source agrees with by now. Returns how many."""
    released = 0
    holds = await store.holds()
    for hold in holds:
        if await _vouched(store, roads, hold, [other.fixing for other in holds]):
            released += await release(store, roads, announcer, hold, now)
    return released


async def release(store: Store, roads: Sequence[RateRoad], announcer: Announcer, hold: Hold, now: datetime) -> bool:
    """Put a held figure in force and announce what it changes. False if it was held no more."""
    row = hold.fixing
    road = next((road for road in roads if road.id == row.source), None)
    outgoing, raised = [], Raised()
    if road is not None:
        tables = await store.tables(road.id, row.effective_date + AHEAD, DAYS)
        # The rest of its table is in force already; beside that alone the figure would be no news.
        known = [table for table in tables if table.effective_date != row.effective_date or table.fixing(*row.pair)]
        released = [_with(row, tables)]
        outgoing = await announcer.fixing(road, known, released, now)
        raised = await watch(announcer, road, known, released, now)
    return await store.release(hold.id, outgoing + raised.outgoing, now, raised.alerts)


def _with(row: StoredFixing, known: Sequence[RateTable]) -> RateTable:
    """The table of its date, with the held figure in its place."""
    table = next((table for table in known if table.effective_date == row.effective_date), None)
    if table is None:
        return RateTable(row.source, row.printed.quote, row.effective_date, (row.printed,), row.kind)
    others = tuple(other for other in table.fixings if table.pair(other) != row.pair)
    return replace(table, fixings=(row.printed, *others))


async def in_force(store: Store, hold: Hold) -> StoredFixing | None:
    """The figure that stands in the place of the one held."""
    row = hold.fixing
    found = await store.series(row.source, *row.pair, row.effective_date, 1)
    return found[0] if found else None


async def _vouched(store: Store, roads: Sequence[RateRoad], hold: Hold, held: Sequence[StoredFixing]) -> bool:
    """A slip of the pen is believed on independent figures only, a jump also by a second road to the
    same issuer; another peg never. held: a witness's own figure may be held for the same jump."""
    row = hold.fixing
    old = await in_force(store, hold)
    if row.kind == "peg" or old is None:
        return False
    figure = per_unit(row.printed)
    slip = suspicion(row.printed.base, figure, per_unit(old.printed), peg=False) == "slip"
    async for witness, independent in _witnesses(store, roads, row, held):
        if agree(figure, witness) and (independent or not slip):
            return True
    return False


async def _witnesses(
    store: Store, roads: Sequence[RateRoad], row: StoredFixing, held: Sequence[StoredFixing]
) -> AsyncIterator[tuple[Decimal, bool]]:
    """What others make of the pair, and whether they have it from elsewhere than its issuer."""
    base, quote = row.pair
    own = next((road.parser for road in roads if road.id == row.source), row.source)
    for road in roads:
        if road.id == row.source:
            continue
        printed = await _newest(store, road, base, quote, row)
        beside = [
            other for other in held if (other.source, *other.pair) == (road.id, base, quote) and _near(other, row)
        ]
        for witness in (*([printed] if printed else ()), *beside):
            yield per_unit(witness.printed), witness.kind == "market"
        bank = banks()[road.parser]
        if _crosses(bank, own, base, quote):
            over = await _newest(store, road, base, bank.issues, row)
            under = await _newest(store, road, quote, bank.issues, row)
            if over and under and over.effective_date == under.effective_date:
                yield EXACT.divide(per_unit(over.printed), per_unit(under.printed)), True


def _crosses(bank: Bank, own: str, base: str, quote: str) -> bool:
    return bool(bank.issues) and bank.id != own and bank.issues not in (base, quote)


async def _newest(store: Store, road: RateRoad, base: str, quote: str, row: StoredFixing) -> StoredFixing | None:
    since, until = row.effective_date - WITNESS_AGE, row.effective_date + AHEAD
    found = await store.series(road.id, base, quote, until, 1, since)
    return found[0] if found else None


def _near(other: StoredFixing, row: StoredFixing) -> bool:
    return row.effective_date - WITNESS_AGE <= other.effective_date <= row.effective_date + AHEAD
