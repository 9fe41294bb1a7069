"""Tracks the sources: asks each when it is due, keeps what is new, and lets none stop another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from weakref import WeakKeyDictionary

import structlog

from bot import rules
from bot.announce import Announcer
from bot.bankdays import missed, rest
from bot.errors import NotModified, SourceError
from bot.fetch import Fetcher
from bot.holds import release_vouched
from bot.models import Catalogue, Feed, Outgoing, PollState, RateRoad, RateTable
from bot.parsing import Parser
from bot.ports import Clock, CrashHook, Store
from bot.roads import needed
from bot.sources import banks, feeds, issuer_of
from bot.sources.look import look
from bot.suspicion import with_holds

BANK_LIMIT: Final = 1_000_000
TABLES_KEPT_IN_MIND: Final = 45
AHEAD: Final = timedelta(days=4)

log = structlog.get_logger()
Source = Feed | RateRoad


class Tracker:
    """Polls the catalogue's sources. Every poll is a task of `group`; none of them ever raises.

    news_seconds, rates_seconds: the base intervals
    """

    def __init__(
        self,
        *,
        store: Store,
        catalogue: Catalogue,
        fetcher: Fetcher,
        parser: Parser,
        announcer: Announcer,
        clock: Clock,
        news_seconds: float,
        rates_seconds: float,
        group: asyncio.TaskGroup,
        crash: CrashHook,
    ) -> None:
        self._store = store
        self._fetcher = fetcher
        self._parser = parser
        self._announcer = announcer
        self._clock = clock
        self._intervals = {"news": news_seconds, "rates": rates_seconds}
        self._group = group
        self._crash = crash
        self._roads = catalogue.roads
        self._sources: dict[str, Sequence[Source]] = {"news": catalogue.feeds, "rates": catalogue.roads}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._asked_at: WeakKeyDictionary[asyncio.Task[None], float] = WeakKeyDictionary()

    async def poll_due(self) -> None:
        """Start a poll of every source that is due."""
        states = await self._store.poll_states()
        now = self._clock()
        for need, sources in self._sources.items():
            due = [source for source in sources if _is_due(states.get(source.id), now)]
            for source in await self._needed(due, states):
                self._start(need, source, states.get(source.id))

    async def refresh(self, needs: Iterable[str], states: Mapping[str, PollState]) -> set[asyncio.Task[None]]:
        """Polls, running or newly started, of every source of these kinds that is not fresh."""
        now = self._clock()
        started = set()
        for need in needs:
            beat = self._intervals[need]
            stale = [s for s in self._sources[need] if rules.worth_asking(states.get(s.id), beat, now)]
            started |= {self._start(need, s, states.get(s.id)) for s in await self._needed(stale, states)}
        return started

    async def _needed(self, sources: Sequence[Source], states: Mapping[str, PollState]) -> list[Source]:
        """Without the roads that only stand in for others, while those do well."""
        if not any(isinstance(source, RateRoad) and source.priority for source in sources):
            return list(sources)
        now = self._clock()
        roads = self._roads
        held = {hold.fixing.source for hold in await self._store.holds()}
        first = [road for road in roads if road.url and not road.priority]
        overdue = {road.id for road in first if road.id in states and await self._missed(road, now)}
        return [
            source
            for source in sources
            if not isinstance(source, RateRoad) or needed(source, roads, states, overdue, held)
        ]

    async def _missed(self, road: RateRoad, now: datetime) -> int:
        """How many tables of this road should be there and are not; 0 where there is none at all."""
        newest = await self._store.newest_table(road.id)
        return missed(banks()[road.parser], road, newest, now) if newest else 0

    async def refreshed(self, needs: Iterable[str], seconds: float) -> None:
        """Wait until the sources of these kinds have answered; for none longer than so many seconds
        after it was asked, whoever waited for it first."""
        await self._wait(await self.refresh(needs, await self._store.poll_states()), seconds)

    async def first_answers(self, needs: Iterable[str], seconds: float) -> None:
        """Wait likewise, but only for polls under way of sources that were never asked before."""
        states = await self._store.poll_states()
        first = {source.id for need in needs for source in self._sources[need]} - states.keys()
        await self._wait({task for name, task in self._running.items() if name in first}, seconds)

    async def _wait(self, tasks: set[asyncio.Task[None]], seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        left = max((self._asked_at[task] + seconds - now for task in tasks), default=0.0)
        if left > 0:
            await asyncio.wait(tasks, timeout=left)

    async def first_light(self, seconds: float) -> bool:
        """Wait until any source has answered, ever; False if none has after so many seconds."""
        tasks = await self.refresh(self._sources, await self._store.poll_states())
        deadline = asyncio.get_running_loop().time() + seconds
        while not await self.answered():
            left = deadline - asyncio.get_running_loop().time()
            if not tasks or left <= 0:
                return False
            _, tasks = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return True

    async def answered(self) -> bool:
        """Whether any source that has an address ever answered."""
        addressed = {source.id for sources in self._sources.values() for source in sources if source.url}
        states = await self._store.poll_states()
        return any(state.last_ok_at and name in addressed for name, state in states.items())

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, need: str, source: Source, state: PollState | None) -> asyncio.Task[None]:
        running = self._running.get(source.id)
        if running is None:
            running = self._group.create_task(self._poll(need, source, state or PollState(source.id)))
            self._running[source.id] = running
            self._asked_at[running] = asyncio.get_running_loop().time()
            running.add_done_callback(lambda _: self._running.pop(source.id, None))
        return running

    async def _poll(self, need: str, source: Source, state: PollState) -> None:
        """One source, one time: the only place where its errors are caught."""
        interval = self._intervals[need]
        try:
            if isinstance(source, Feed):
                await self._poll_feed(source, state, interval)
            else:
                await self._poll_bank(source, state, interval)
        except NotModified:
            await self._store.keep_poll(self._good(state, self._rest(source, interval), self._clock(), state.items))
        except SourceError as error:
            await self._note_failure(source, state, str(error), interval, error.retry_after)
        except Exception as error:
            log.exception("poll failed", source=source.id)
            await self._note_failure(source, state, f"cannot be read ({type(error).__name__})", interval, None)

    async def _note_failure(
        self, source: Source, state: PollState, text: str, interval: float, retry_after: float | None
    ) -> None:
        log.warning("source failed", source=state.source, error=text, failures=state.failures + 1)
        failed = replace(state, failures=state.failures + 1, error=text)
        now = self._clock()
        failed = replace(failed, next_poll_at=rules.poll_again(failed, interval, retry_after, now))
        try:
            await self._store.keep_tables(failed, [], await self._overdue(source, now), now)
        except Exception:
            log.exception("poll not kept", source=state.source)

    def _good(self, state: PollState, interval: float, now: datetime, items: int) -> PollState:
        good = replace(state, failures=0, error="", last_ok_at=now, items=items)
        return replace(good, next_poll_at=rules.poll_again(good, interval, None, now))

    async def _poll_feed(self, feed: Feed, state: PollState, interval: float) -> None:
        fetched = await self._fetcher.get(
            state.moved_to or feed.url, etag=state.etag, last_modified=state.last_modified
        )
        now = self._clock()
        if fetched.status == 304:
            await self._store.keep_poll(self._good(state, interval, now, state.items))
            return
        parsed = await self._parser.feed(fetched.body, fetched.headers, fetched.url)
        self._crash("fetched")
        seen = [(article, feeds.keys(article)) for article in feeds.articles(feed, parsed, now)]
        known = await self._store.known_articles({key for _, keys in seen for key in keys})
        new, edited = rules.sort_news(seen, known)
        loud = {id(a) for a in rules.worth_announcing([a for a, _ in new], first_look=state.last_ok_at is None)}
        outgoing = await self._announcer.articles([pair for pair in new if id(pair[0]) in loud], now)
        good = replace(
            self._good(state, interval, now, len(seen)),
            etag=fetched.headers.get("etag", ""),
            last_modified=fetched.headers.get("last-modified", ""),
            moved_to=fetched.moved_to or state.moved_to,
        )
        kept = await self._store.keep_news(good, new, edited, outgoing, now)
        self._crash("kept")
        log.info("feed read", source=feed.id, entries=len(seen), new=kept)

    async def _poll_bank(self, road: RateRoad, state: PollState, interval: float) -> None:
        bank = banks()[road.parser]
        known = await self._store.tables(road.id, self._clock().date() + AHEAD, TABLES_KEPT_IN_MIND)
        asked = _Asked(self._fetcher, state if known and "{date" not in road.url else PollState(road.id))
        tables = await look(bank, road, asked.get, self._table(road), self._clock(), known, self._keeper(state))
        self._crash("fetched")
        now = self._clock()
        tables = with_holds(tables, known or await self._issued(road, tables), bank.peg)
        outgoing = await self._announcer.fixing(road, known, tables, now)
        outgoing += self._announcer.holds(road, known, tables, now)
        outgoing += await self._overdue(road, now)
        items = max((len(table.fixings) for table in tables), default=state.items)
        good = self._good(state, self._rest(road, interval), now, items)
        good = replace(good, etag=asked.etag, last_modified=asked.last_modified)
        await self._store.keep_tables(good, tables, outgoing, now)
        self._crash("kept")
        log.info("bank read", source=road.id, tables=len(tables))
        await release_vouched(self._store, self._roads, self._announcer, now)

    async def _issued(self, road: RateRoad, tables: Sequence[RateTable]) -> list[RateTable]:
        """The issuer's own tables, for the first look at a road that stands in: it may repeat a slip."""
        issuer = issuer_of(tables[0].quote) if tables and road.priority else None
        own = next(
            (other for other in self._roads if issuer and other.parser == issuer.id and not other.priority), None
        )
        return await self._store.tables(own.id, self._clock().date() + AHEAD, TABLES_KEPT_IN_MIND) if own else []

    async def _overdue(self, source: Source, now: datetime) -> list[Outgoing]:
        """What the operators must be told of a bank that publishes nothing any more."""
        if isinstance(source, Feed) or source.priority or not (newest := await self._store.newest_table(source.id)):
            return []
        return self._announcer.overdue(source, missed(banks()[source.parser], source, newest, now), newest, now)

    def _rest(self, source: Source, interval: float) -> float:
        """Seconds until the next poll of a source that answered."""
        return rest(banks()[source.parser], interval, self._clock()) if isinstance(source, RateRoad) else interval

    def _table(self, road: RateRoad) -> Callable[[bytes], Awaitable[RateTable]]:
        async def parse(body: bytes) -> RateTable:
            return await self._parser.table(road.parser, body)

        return parse

    def _keeper(self, state: PollState) -> Callable[[RateTable], Awaitable[None]]:
        async def keep(table: RateTable) -> None:
            await self._store.keep_tables(state, [table], [], self._clock())

        return keep


def _is_due(state: PollState | None, now: datetime) -> bool:
    return state is None or state.next_poll_at is None or state.next_poll_at <= now


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
