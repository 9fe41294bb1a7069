"""`yamchi backfill`: the fixings of past days, asked for one by one, politely.

Beside a service as without one: it takes no lock, touches no poll, and tells nobody of what it
finds. Today's table is left to the tracker, which has to tell of it. What is stored is not asked
for again, so a run that was cut off is simply repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from ipaddress import ip_address
from itertools import pairwise
from typing import Final

from yarl import URL

from bot.errors import SettingsError, SourceError
from bot.fetch import Fetcher
from bot.models import Catalogue, RateRoad, RateTable
from bot.parsing import Parser
from bot.ports import Clock
from bot.sources import Bank, banks
from bot.sources.histories import HISTORIES, Series
from bot.store import Store

BASE: Final = "USD"
BANK_LIMIT: Final = 1_000_000
PAUSE_SECONDS: Final = 1.0
PATIENCE: Final = 4
"""So many requests in a row without an answer, and the bank is given up."""
EMPTY: Final = 20
"""So many days in a row without a table, which no holiday takes: the archive ends there."""
LONGEST_WAIT: Final = 300.0
"""A bank that wants us to wait for longer is asked another day."""
GAP_DAYS: Final = 4
"""A history leaves out days without trading: a hole of a long weekend is none, unless nothing came after it."""
SATURDAY: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """One request: the days from `since` to `until`, of one currency where it is a history's."""

    url: str
    since: date
    until: date
    series: Series | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A bank's way back. source: the road whose series the figures belong to; way: where to ask."""

    bank: Bank
    source: str
    way: RateRoad


@dataclass
class Tally:
    """How far a bank has come.

    questions: all there are; asked: so many of them have been
    kept: dates that brought a figure; empty: questions in vain; trouble: why the last one failed
    ended: why it was left before its end, "" while it goes on and when it is done
    """

    bank: str
    questions: int = 0
    asked: int = 0
    kept: set[date] = field(default_factory=set)
    empty: int = 0
    failed: int = 0
    trouble: str = ""
    ended: str = ""

    @property
    def in_vain(self) -> bool:
        """Whether it failed and brought nothing."""
        return bool(self.failed or self.ended) and not self.kept

    def __str__(self) -> str:
        if not self.questions:
            return f"{self.bank}: nothing is missing"
        parts = [f"asked {self.asked} of {self.questions}", f"{len(self.kept)} new days"]
        if self.kept:
            parts[-1] += f", {min(self.kept)} to {max(self.kept)}"
        if self.empty:
            parts.append(f"{self.empty} without a table")
        if self.failed:
            parts.append(f"{self.failed} failed ({self.trouble})")
        return f"{self.bank}: {'; '.join(parts)}" + (f"; given up: {self.ended}" if self.ended else "")


Show = Callable[[Tally], None]
"""Told at the start of a bank, after each question, and at its end."""


def plans(catalogue: Catalogue, only: Collection[str]) -> list[Plan]:
    """The banks whose past can be had, all or `only` these. Raises SettingsError for an id that is none."""
    found = {bank.id: plan for bank in banks().values() if bank.issues and (plan := _plan(bank, catalogue))}
    for name in only:
        if name not in found:
            known = ", ".join(found) or "none, as no source is set"
            raise SettingsError(f"no history can be had of '{name}'; expected one of {known}")
    return [plan for name, plan in found.items() if not only or name in only]


def _plan(bank: Bank, catalogue: Catalogue) -> Plan | None:
    roads = sorted((road for road in catalogue.roads if road.parser == bank.id), key=lambda road: road.priority)
    for way in catalogue.histories:
        if HISTORIES[way.parser].bank == bank.id:
            return Plan(bank, roads[0].id if roads else bank.id, way)
    dated = next((road for road in roads if "{date" in road.url and bank.parse), None)
    return Plan(bank, dated.id, dated) if dated else None


@dataclass
class Backfill:
    """Asks every bank beside the others, each one question at a time.

    days: how far back, from yesterday on in the bank's own zone
    """

    store: Store
    fetcher: Fetcher
    parser: Parser
    clock: Clock
    days: int
    show: Show

    async def run(self, chosen: Sequence[Plan]) -> list[Tally]:
        """One Tally a bank."""
        return list(await asyncio.gather(*(self._bank(plan) for plan in chosen)))

    async def _bank(self, plan: Plan) -> Tally:
        tally = Tally(plan.bank.id)
        questions = await self._questions(plan)
        tally.questions = len(questions)
        self.show(tally)
        silent = empty = 0
        for question in questions:
            if tally.asked:
                await asyncio.sleep(_pause(question.url))
            tally.asked += 1
            try:
                tables = await self._answer(plan, question)
            except SourceError as error:
                tally.failed, tally.trouble, silent = tally.failed + 1, str(error), silent + 1
                if error.retry_after is not None or silent >= PATIENCE:
                    tally.ended = f"{error}, {silent} times in a row" if silent >= PATIENCE else _asked_to_wait(error)
                    break
            else:
                silent = 0
                if await self.store.keep_tables(None, tables, [], self.clock()):
                    tally.kept |= {table.effective_date for table in tables}
                empty = 0 if tables else empty + 1
                tally.empty += not tables
                if empty >= EMPTY:
                    tally.ended = f"{empty} days in a row without a table"
                    break
            self.show(tally)
        self.show(tally)
        return tally

    async def _questions(self, plan: Plan) -> list[Question]:
        """What is not stored yet, the newest days first."""
        until = self.clock().astimezone(plan.bank.zone).date() - _DAY
        since = until - (self.days - 1) * _DAY
        history = HISTORIES.get(plan.way.parser)
        if history is None:
            stored = await self._stored(plan, BASE, since, until)
            days = (until - n * _DAY for n in range(self.days))
            return [Question(plan.way.url.format(date=day), day, day) for day in days if day not in stored]
        questions = []
        for series in history.series:
            stored = await self._stored(plan, series.code, since, until)
            for first, last in _stretches(stored, since, until, history.span):
                url = plan.way.url.format(since=first, until=last, series=series.number)
                questions.append(Question(url, first, last, series))
        return questions

    async def _stored(self, plan: Plan, code: str, since: date, until: date) -> set[date]:
        known = await self.store.series(plan.source, code, plan.bank.issues, until, self.days, since)
        return {row.effective_date for row in known}

    async def _answer(self, plan: Plan, question: Question) -> list[RateTable]:
        """The tables of the days asked for; none where the bank has none. Raises SourceError for no answer."""
        try:
            body = await self._get(question.url)
        except SourceError as error:
            if error.absent:
                return []
            raise
        if question.series:
            tables = await self.parser.history(plan.way.parser, question.series, body)
        else:
            tables = await self._table(plan, body)
        within = (table for table in tables if question.since <= table.effective_date <= question.until)
        return [replace(table, source=plan.source) for table in within]

    async def _table(self, plan: Plan, body: bytes) -> list[RateTable]:
        try:
            return [await self.parser.table(plan.bank.id, body)]
        except SourceError:
            return []  # a day without a table has as many faces as there are banks

    async def _get(self, url: str) -> bytes:
        try:
            return (await self.fetcher.get(url, limit=BANK_LIMIT)).body
        except SourceError as error:
            if error.retry_after is None or error.retry_after > LONGEST_WAIT:
                raise
            await asyncio.sleep(max(error.retry_after, _pause(url)))
        return (await self.fetcher.get(url, limit=BANK_LIMIT)).body


def _asked_to_wait(error: SourceError) -> str:
    return f"{error}, and the bank asks us to wait for {error.retry_after:.0f} s"


def _stretches(stored: Collection[date], since: date, until: date, span: int) -> Iterator[tuple[date, date]]:
    """The holes in what is stored, the newest first, none longer than a request may cover."""
    edges = sorted({since - _DAY, until + _DAY, *stored})
    for before, after in reversed(list(pairwise(edges))):
        missing = [before + n * _DAY for n in range(1, (after - before).days)]
        newest = after > until and any(day.weekday() < SATURDAY for day in missing)
        if newest or len(missing) > GAP_DAYS:
            for end in range(len(missing), 0, -span):
                yield missing[max(0, end - span)], missing[end - 1]


def _pause(url: str) -> float:
    """Seconds between two requests: a second at least, but none within this machine."""
    host = URL(url).host or ""
    try:
        return 0.0 if ip_address(host).is_loopback else PAUSE_SECONDS
    except ValueError:
        return PAUSE_SECONDS
