"""Tracks the sources: asks each when it is due, keeps what is new, and lets none stop another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from weakref import WeakKeyDictionary

import structlog

from bot import rules
from bot.announce import Announcer
from bot.bankdays import rest
from bot.bankpolls import BankPolls
from bot.errors import DatabaseError, NotModified, SourceError
from bot.feedpolls import FeedPolls
from bot.fetch import Fetcher
from bot.models import Catalogue, Feed, PollState, RateRoad
from bot.parsing import Parser
from bot.ports import Clock, CrashHook
from bot.sources import banks
from bot.store import Store

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
        self._clock = clock
        self._intervals = {"news": news_seconds, "rates": rates_seconds}
        self._group = group
        self._feeds = FeedPolls(store, fetcher, parser, announcer, clock, crash)
        self._banks = BankPolls(store, catalogue.roads, fetcher, parser, announcer, clock, crash)
        self._catalogue = catalogue
        self._running: dict[str, asyncio.Task[None]] = {}
        self._asked_at: WeakKeyDictionary[asyncio.Task[None], float] = WeakKeyDictionary()

    async def poll_due(self) -> set[asyncio.Task[None]]:
        """Start a poll of every source that is due. Returns all polls that are under way."""
        states = await self._store.poll_states()
        now = self._clock()
        for need in self._intervals:
            due = [source for source in await self._sources(need) if rules.is_due(_known(source, states), now)]
            for source in await self._needed(due, states):
                self._start(need, source, _known(source, states))
        return set(self._running.values())

    async def refresh(self, needs: Iterable[str], states: Mapping[str, PollState]) -> set[asyncio.Task[None]]:
        """Polls, running or newly started, of every source of these kinds that is not fresh."""
        now = self._clock()
        started = set()
        for need in needs:
            beat = self._intervals[need]
            stale = [
                source
                for source in await self._sources(need)
                if rules.worth_asking(_known(source, states), beat, now, paced=need == "news")
            ]
            started |= {self._start(need, s, _known(s, states)) for s in await self._needed(stale, states)}
        return started

    async def _sources(self, need: str) -> Sequence[Source]:
        """The catalogue's, and the feeds that chats added."""
        if need == "rates":
            return self._catalogue.roads
        return [*self._catalogue.feeds, *(one.feed for one in await self._store.added_feeds())]

    async def _needed(self, sources: Sequence[Source], states: Mapping[str, PollState]) -> list[Source]:
        feeds_, roads = _parted(sources)
        return [*feeds_, *await self._banks.needed(roads, states)]

    async def refreshed(self, needs: Iterable[str], seconds: float) -> None:
        """Wait until the sources of these kinds have answered; for none longer than so many seconds
        after it was asked, whoever waited for it first."""
        await self._wait(await self.refresh(needs, await self._store.poll_states()), seconds)

    async def first_answers(self, needs: Iterable[str], seconds: float) -> None:
        """Wait likewise, but only for polls under way of sources that were never asked before."""
        states = await self._store.poll_states()
        first = {source.id for need in needs for source in await self._sources(need)} - states.keys()
        await self._wait({task for name, task in self._running.items() if name in first}, seconds)

    async def _wait(self, tasks: set[asyncio.Task[None]], seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        left = max((self._asked_at[task] + seconds - now for task in tasks), default=0.0)
        if left > 0:
            await asyncio.wait(tasks, timeout=left)

    async def first_light(self, seconds: float) -> bool:
        """Wait until any source has answered, ever; False if none has after so many seconds."""
        tasks = await self.refresh(self._intervals, await self._store.poll_states())
        deadline = asyncio.get_running_loop().time() + seconds
        while not await self.answered():
            left = deadline - asyncio.get_running_loop().time()
            if not tasks or left <= 0:
                return False
            _, tasks = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return True

    async def answered(self) -> bool:
        """Whether any source that has an address ever answered."""
        addressed = {source.id for need in self._intervals for source in await self._sources(need) if source.url}
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
            learnt = state if state and state.url else replace(state or PollState(source.id), url=source.url)
            running = self._group.create_task(self._poll(need, source, learnt))
            self._running[source.id] = running
            self._asked_at[running] = asyncio.get_running_loop().time()
            running.add_done_callback(lambda _: self._running.pop(source.id, None))
        return running

    async def _poll(self, need: str, source: Source, state: PollState) -> None:
        """One source, one time: the only place where its errors are caught.

        A store that cannot be written is no fault of the source: it is asked again, as nothing is noted.
        """
        try:
            await self._look(source, state, self._intervals[need])
        except DatabaseError as error:
            log.warning("poll not kept", source=source.id, reason=str(error))
        except Exception:
            log.exception("poll not kept", source=source.id)

    async def _look(self, source: Source, state: PollState, interval: float) -> None:
        try:
            if isinstance(source, Feed):
                await self._feeds.poll(source, state, interval)
            else:
                await self._banks.poll(source, state, partial(self._good, state, self._rest(source, interval)))
        except NotModified:
            await self._store.keep_poll(self._good(state, self._rest(source, interval), state.items))
        except SourceError as error:
            gone = state.gone + 1 if error.gone else state.gone
            await self._note_failure(source, replace(state, gone=gone), str(error), interval, error.retry_after)
        except DatabaseError:
            raise
        except Exception as error:
            log.exception("poll failed", source=source.id)
            await self._note_failure(source, state, f"cannot be read ({type(error).__name__})", interval, None)

    async def _note_failure(
        self, source: Source, state: PollState, text: str, interval: float, retry_after: float | None
    ) -> None:
        log.warning("source failed", source=state.source, error=text, failures=state.failures + 1)
        failed = replace(state, failures=state.failures + 1, error=text)
        if isinstance(source, Feed) and source.spare and state.moved_to == source.spare:  # another document's
            failed = replace(failed, etag="", last_modified="", body="")
        failed = replace(failed, moved_to="")  # it may be gone there: the next time it is looked for where it was
        now = self._clock()
        failed = replace(failed, next_poll_at=rules.poll_again(failed, interval, retry_after, now))
        told = await self._banks.overdue(source, now) if isinstance(source, RateRoad) else []
        await self._store.keep_tables(failed, [], told, now)

    def _good(self, state: PollState, interval: float, items: int) -> PollState:
        now = self._clock()
        good = replace(state, failures=0, gone=0, error="", last_ok_at=now, items=items)
        return replace(good, next_poll_at=rules.poll_again(good, interval, None, now))

    def _rest(self, source: Source, interval: float) -> float:
        """Seconds until the next poll of a source that answered."""
        return rest(banks()[source.parser], interval, self._clock()) if isinstance(source, RateRoad) else interval


def _known(source: Source, states: Mapping[str, PollState]) -> PollState | None:
    """What is remembered of a source; nothing of it holds for another address."""
    state = states.get(source.id)
    return state if state and state.url in ("", source.url) else None


def _parted(sources: Sequence[Source]) -> tuple[list[Feed], list[RateRoad]]:
    return [s for s in sources if isinstance(s, Feed)], [s for s in sources if isinstance(s, RateRoad)]
