"""Looking at a bank: which days to ask for, and which answers to believe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from bot.bankdays import missed, next_bank_day
from bot.errors import NotModified, SourceError
from bot.models import Fixing, RateRoad, RateTable
from bot.money import moved
from bot.sources import Bank

Get = Callable[[str], Awaitable[bytes]]
Parse = Callable[[bytes], Awaitable[RateTable]]
Keep = Callable[[RateTable], Awaitable[None]]

DAYS_BACK: Final = 10
DAYS_AHEAD: Final = 4
"""A Friday announces Monday, before a holiday even Tuesday; a later date is a slip of the bank's."""
PATIENCE: Final = 4
"""So many requests in a row without an answer, and the bank is down."""
_DAY: Final = timedelta(days=1)


async def look(
    bank: Bank, road: RateRoad, get: Get, parse: Parse, now: datetime, known: Collection[RateTable], keep: Keep
) -> list[RateTable]:
    """What a bank has to say, newest date first; `source` of each table is the road's id.

    known: the tables already stored of this road.
    Asks for what may be announced (tomorrow, before a weekend also the next bank day), for today,
    which may be revised, and for the unknown days before it, at most ten. While no previous fixing
    is known it goes back until it meets one, and hands over each table at once: whoever waits for
    today's figures need not wait for the rest. A road without {date} is asked once, a peg never.
    Empty when there is nothing new. Raises SourceError if every day asked for failed and one was
    due, NotModified if the server says so.
    """
    if not road.url:
        return [_declared(bank, road)]
    walk = _Walk(bank, road, get, parse, now.astimezone(bank.zone).date())
    newest = max((table.effective_date for table in known), default=None)
    walk.due = newest is None or missed(bank, road, newest, now) > 0
    if "{date" not in road.url:
        await walk.ask(None)
    elif _met_two_fixings([table for table in known if table.effective_date <= walk.today]):
        await _catch_up(walk, {table.effective_date for table in known})
    else:
        await _go_back(walk, keep)
    return walk.result()


def _declared(bank: Bank, road: RateRoad) -> RateTable:
    assert bank.since
    return RateTable(road.id, bank.issues, bank.since, (Fixing("USD", bank.peg),), kind="peg")


async def _go_back(walk: _Walk, keep: Keep) -> None:
    for day in _days(walk.bank, walk.today, ()):
        table = await walk.ask(day)
        if table:
            await keep(table)
        if walk.refused or _met_two_fixings(walk.in_force):
            return


async def _catch_up(walk: _Walk, known: Collection[date]) -> None:
    for day in _days(walk.bank, walk.today, known):
        await walk.ask(day)
        if walk.refused:
            return


def _met_two_fixings(in_force: Collection[RateTable]) -> bool:
    """Whether these tables are not all the same one, carried forward."""
    return any(moved(table, other) for table in in_force for other in in_force)


def _days(bank: Bank, today: date, known: Collection[date]) -> Iterator[date]:
    if bank.window is None or bank.window.ahead:
        yield today + _DAY
        if bank.window and (coming := next_bank_day(bank.country, today)) != today + _DAY:
            yield coming
    yield today
    last_known = max((day for day in known if day <= today), default=date.min)
    for back in range(1, DAYS_BACK + 1):
        day = today - back * _DAY
        if day <= last_known:
            return
        yield day


@dataclass
class _Walk:
    """The requests of one look, and what came of them.

    due: whether a newer table than the known ones should be there; silent: failures in a row to answer at all
    """

    bank: Bank
    road: RateRoad
    get: Get
    parse: Parse
    today: date
    found: dict[date, RateTable] = field(default_factory=dict)
    troubles: dict[date | None, SourceError] = field(default_factory=dict)
    due: bool = True
    silent: int = 0

    async def ask(self, day: date | None) -> RateTable | None:
        """One request: for a day, or for whatever is the latest. Returns a table not met before."""
        try:
            body = await self.get(self.road.url.format(date=day) if day else self.road.url)
        except NotModified:
            raise
        except SourceError as error:
            self.silent = 0 if error.absent else self.silent + 1
            self.troubles[day] = error
            return None
        self.silent = 0
        try:
            table = replace(await self.parse(body), source=self.road.id)
            self._check(table, day)
        except SourceError as error:
            self.troubles[day] = error
            return None
        met = table.effective_date in self.found
        self.found[table.effective_date] = table
        return None if met else table

    def _check(self, table: RateTable, day: date | None) -> None:
        earlier = self.bank.own_dates and day and table.effective_date < day
        if day and table.effective_date != day and not earlier:
            raise SourceError(f"asked for {day}, answered with {table.effective_date}")
        if table.effective_date > self.today + DAYS_AHEAD * _DAY:
            raise SourceError(f"dated {table.effective_date}, too far ahead")

    @property
    def refused(self) -> bool:
        """Whether to stop asking: nobody answers, or the bank asked us to wait."""
        return self.silent >= PATIENCE or any(error.retry_after is not None for error in self.troubles.values())

    @property
    def in_force(self) -> list[RateTable]:
        return [table for day, table in self.found.items() if day <= self.today]

    def result(self) -> list[RateTable]:
        # A day without a table is a failure only where one is due.
        failed = None in self.troubles or self.silent or (self.due and self.today in self.troubles)
        if failed and not self.found:
            raise self.troubles.get(self.today) or list(self.troubles.values())[-1]
        return [table for _, table in sorted(self.found.items(), reverse=True)]
