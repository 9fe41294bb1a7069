"""A poll of one bank: what it says now, what of that is held, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Final

import structlog

from bot.announce import Announcer
from bot.bankdays import missed
from bot.errors import NotModified
from bot.fetch import Fetcher
from bot.holds import release_vouched
from bot.models import Outgoing, PollState, RateRoad, RateTable
from bot.parsing import Parser
from bot.ports import Clock, CrashHook
from bot.roads import needed
from bot.sources import banks, issuer_of
from bot.sources.look import look
from bot.store import Store
from bot.suspicion import with_holds
from bot.watch import watch

BANK_LIMIT: Final = 1_000_000
TABLES_KEPT_IN_MIND: Final = 45
AHEAD: Final = timedelta(days=4)

log = structlog.get_logger()


@dataclass(frozen=True)
class BankPolls:
    """Polls the roads to the banks' figures, each when the tracker says so."""

    store: Store
    roads: Sequence[RateRoad]
    fetcher: Fetcher
    parser: Parser
    announcer: Announcer
    clock: Clock
    crash: CrashHook
    _judging: asyncio.Lock = field(default_factory=asyncio.Lock)
    _days: dict[str, date] = field(default_factory=dict)

    async def needed(self, roads: Sequence[RateRoad], states: Mapping[str, PollState]) -> list[RateRoad]:
        """Without those that only stand in for others, while those do well."""
        if not any(road.priority for road in roads):
            return list(roads)
        now = self.clock()
        held = {hold.fixing.source for hold in await self.store.holds()}
        first = [road for road in self.roads if road.url and not road.priority]
        overdue = {road.id for road in first if road.id in states and await self._missed(road, now)}
        return [road for road in roads if needed(road, self.roads, states, overdue, held)]

    async def poll(self, road: RateRoad, state: PollState, good: Callable[[int], PollState]) -> None:
        """One look at a road. good: the poll's state after a good answer of so many rows. Raises SourceError,
        NotModified."""
        bank = banks()[road.parser]
        known = await self.store.tables(road.id, self.clock().date() + AHEAD, TABLES_KEPT_IN_MIND)
        asked = _Asked(self.fetcher, state if known and "{date" not in road.url else PollState(road.id))
        tables = await look(bank, road, asked.get, self._table(road), self.clock(), known, self._keeper(state))
        self.crash("fetched")
        now = self.clock()
        stood = known or await self._issued(road, tables)
        tables = with_holds(tables, stood, bank.peg)
        outgoing = await self.announcer.fixing(road, known, tables, now)
        outgoing += self.announcer.holds(road, stood, tables, now)
        outgoing += await self.overdue(road, now)
        items = max((len(table.fixings) for table in tables), default=state.items)
        note = (
            "; ".join(dict.fromkeys(problem for table in tables for problem in table.problems))
            if tables
            else state.note
        )
        answered = replace(good(items), etag=asked.etag, last_modified=asked.last_modified, note=note)
        async with self._judging:  # a cross may get both its legs at the same moment
            raised = await watch(self.announcer, road, known, tables, now, new_day=self._day_began(road, now))
            await self.store.keep_tables(answered, tables, outgoing + raised.outgoing, now, raised.alerts)
        self.crash("kept")
        log.info("bank read", source=road.id, tables=len(tables))
        await release_vouched(self.store, self.roads, self.announcer, now)

    async def overdue(self, road: RateRoad, now: datetime) -> list[Outgoing]:
        """What the operators must be told of a bank that publishes nothing any more."""
        if road.priority or not (newest := await self.store.newest_table(road.id)):
            return []
        return self.announcer.overdue(road, missed(banks()[road.parser], road, newest, now), newest, now)

    async def _missed(self, road: RateRoad, now: datetime) -> int:
        """How many tables of this road should be there and are not; 0 where there is none at all."""
        newest = await self.store.newest_table(road.id)
        return missed(banks()[road.parser], road, newest, now) if newest else 0

    async def _issued(self, road: RateRoad, tables: Sequence[RateTable]) -> list[RateTable]:
        """The issuer's own tables, for the first look at a road that stands in: it may repeat a slip."""
        issuer = issuer_of(tables[0].quote) if tables and road.priority else None
        own = next((other for other in self.roads if issuer and other.parser == issuer.id and not other.priority), None)
        return await self.store.tables(own.id, self.clock().date() + AHEAD, TABLES_KEPT_IN_MIND) if own else []

    def _day_began(self, road: RateRoad, now: datetime) -> bool:
        """Whether it is another day at its bank than at the last look; at the first one too."""
        today = now.astimezone(banks()[road.parser].zone).date()
        before, self._days[road.id] = self._days.get(road.id), today
        return before != today

    def _table(self, road: RateRoad) -> Callable[[bytes], Awaitable[RateTable]]:
        async def parse(body: bytes) -> RateTable:
            return await self.parser.table(road.parser, body)

        return parse

    def _keeper(self, state: PollState) -> Callable[[RateTable], Awaitable[None]]:
        async def keep(table: RateTable) -> None:
            await self.store.keep_tables(state, [table], [], self.clock())

        return keep


class _Asked:
    """The requests of one look at a bank, conditional where the last answer's validators are known."""

    def __init__(self, fetcher: Fetcher, state: PollState) -> None:
        self._fetcher = fetcher
        self._state = state
        self.etag = self.last_modified = ""

    async def get(self, url: str) -> bytes:
        """The body. Raises SourceError, NotModified."""
        etag, last_modified = self._state.etag, self._state.last_modified
        fetched = await self._fetcher.get(url, limit=BANK_LIMIT, etag=etag, last_modified=last_modified)
        if fetched.status == HTTPStatus.NOT_MODIFIED:
            raise NotModified("not modified")
        self.etag = fetched.headers.get("etag", "")
        self.last_modified = fetched.headers.get("last-modified", "")
        return fetched.body
