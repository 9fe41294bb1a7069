"""Looking at a bank over real HTTP on loopback: what is asked for, what is believed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import SourceError
from bot.models import Fixing, RateRoad, RateTable
from bot.sources import Bank, Window, banks
from bot.sources.look import look

MONDAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
DAY = timedelta(days=1)
Answer = Callable[[date], str | int]


@dataclass
class Till:
    """A bank's server. answer: the value of a day, as text, or an HTTP status."""

    answer: Answer
    root: str = ""
    asked: list[date] = field(default_factory=list)
    kept: list[date] = field(default_factory=list)
    retry_after: float | None = None

    async def handle(self, request: web.Request) -> web.Response:
        day = date.fromisoformat(request.query.get("date", MONDAY.isoformat()))
        self.asked.append(day)
        told = self.answer(day)
        if isinstance(told, int):
            return web.Response(status=told)
        value, _, dated = told.partition("@")
        return web.Response(body=page(value, date.fromisoformat(dated) if dated else day))


def page(value: str, day: date) -> bytes:
    row = f'<Valute ID="840"><CharCode>USD</CharCode><Nominal>1</Nominal><Value>{value}</Value></Valute>'
    return f'<?xml version="1.0"?>\n<ValCurs Date="{day}">{row if value else ""}</ValCurs>'.encode()


@pytest.fixture
async def till() -> AsyncIterator[Till]:
    desk = Till(lambda day: 404)
    app = web.Application()
    app.router.add_get("/rates", desk.handle)
    async with TestServer(app) as server:
        desk.root = str(server.make_url("/rates"))
        yield desk


async def visit(
    till: Till,
    known: Collection[date | RateTable] = (),
    *,
    query: str | None = "?date={date:%Y-%m-%d}",
    bank: Bank | None = None,
    now: datetime = NOW,
) -> list[RateTable]:
    bank = bank or replace(banks()["nbt"], window=Window(time(15), time(17), ahead=True))

    async def parse(body: bytes) -> RateTable:
        assert bank.parse
        return bank.parse(body)

    async with aiohttp.ClientSession() as session:

        async def get(url: str) -> bytes:
            async with session.get(url) as response:
                if response.status != 200:
                    raise SourceError(f"HTTP {response.status}", retry_after=till.retry_after)
                return await response.read()

        async def keep(table: RateTable) -> None:
            till.kept.append(table.effective_date)

        road = RateRoad("road", "nbt", till.root + query if query is not None else "")
        return await look(bank, road, get, parse, now, stored(known), keep)


def stored(known: Collection[date | RateTable]) -> list[RateTable]:
    """Tables as they are; for dates, tables each with a figure of its own, and one of long ago."""
    tables = [entry for entry in known if isinstance(entry, RateTable)]
    dates = [entry for entry in known if isinstance(entry, date)]
    every = [*dates, MONDAY - 30 * DAY] if dates else []
    return tables + [RateTable("road", "TJS", day, (Fixing("USD", f"8.{n}"),)) for n, day in enumerate(every)]


def figures(tables: list[RateTable]) -> dict[date, str]:
    return {table.effective_date: table.fixings[0].value for table in tables}


def days(*numbers: int) -> list[date]:
    return [MONDAY + n * DAY for n in numbers]


async def test_the_first_look_goes_back_to_the_previous_fixing(till: Till):
    # Friday's figure is carried over the weekend; Thursday's is the one before it.
    till.answer = lambda day: "9.30" if day <= MONDAY - 4 * DAY else "9.31"
    tables = await visit(till)
    assert till.asked == days(1, 0, -1, -2, -3, -4)
    assert list(figures(tables)) == till.asked
    assert {table.source for table in tables} == {"road"}
    assert till.kept == till.asked


async def test_the_previous_fixing_is_looked_for_until_one_is_known(till: Till):
    till.answer = lambda day: "9.30" if day <= MONDAY - 4 * DAY else "9.31"
    only = [RateTable("road", "TJS", MONDAY, (Fixing("USD", "9.31"),))]
    tables = await visit(till, only)
    assert till.asked == days(1, 0, -1, -2, -3, -4)
    assert len(tables) == 6


async def test_an_announced_table_is_not_taken_for_the_previous_fixing(till: Till):
    till.answer = lambda day: f"9.{day.day}" if day >= MONDAY - DAY else "9.10"
    await visit(till)
    assert till.asked == days(1, 0, -1)


async def test_the_first_look_ends_after_ten_days(till: Till):
    till.answer = lambda day: "9.30"
    assert len(await visit(till)) == 12
    assert till.asked == days(1, *range(0, -11, -1))


async def test_later_only_tomorrow_and_today_are_asked_for(till: Till):
    till.answer = lambda day: "9.30"
    assert figures(await visit(till, days(-1, -2))) == dict.fromkeys(days(1, 0), "9.30")
    assert till.asked == days(1, 0)
    assert list(figures(await visit(till, days(0, -1)))) == days(1, 0)
    assert till.asked == days(1, 0, 1, 0)


async def test_days_missed_while_away_are_asked_for(till: Till):
    till.answer = lambda day: f"9.{day.day}"
    assert list(figures(await visit(till, days(-4, -5)))) == days(1, 0, -1, -2, -3)
    till.asked.clear()
    await visit(till, days(-300))
    assert till.asked == days(1, *range(0, -11, -1))


async def test_today_in_the_place_of_tomorrow_is_discarded(till: Till):
    till.answer = lambda day: f"9.33@{min(day, MONDAY)}"
    assert figures(await visit(till, days(0, -1))) == {MONDAY: "9.33"}
    assert till.asked == days(1, 0)


async def test_a_document_that_never_has_the_day_asked_for_is_an_error(till: Till):
    till.answer = lambda day: "9.33@2026-04-01"
    with pytest.raises(SourceError, match="asked for 2026-11-23, answered with 2026-04-01"):
        await visit(till)


async def test_a_day_that_fails_does_not_lose_the_others(till: Till):
    till.answer = lambda day: 500 if day == MONDAY - DAY else f"9.{day.day}"
    assert list(figures(await visit(till))) == days(1, 0, -2)


async def test_days_without_figures_are_passed_over(till: Till):
    till.answer = lambda day: "" if day > MONDAY - 6 * DAY else f"9.{day.day}"
    assert list(figures(await visit(till))) == days(-6, -7)


async def test_tomorrow_missing_is_no_failure_while_the_bank_answers(till: Till):
    till.answer = lambda day: 404 if day > MONDAY else "9.30"
    assert figures(await visit(till, days(0, -1))) == {MONDAY: "9.30"}
    assert till.asked == days(1, 0)


async def test_a_bank_that_is_down_is_an_error_and_is_not_asked_for_ever(till: Till):
    till.answer = lambda day: 503
    with pytest.raises(SourceError, match="HTTP 503"):
        await visit(till)
    assert till.asked == days(1, 0, -1, -2)
    till.asked.clear()
    for known in (days(0, -1), days(-1)):
        with pytest.raises(SourceError, match="HTTP 503"):
            await visit(till, known)
        assert till.asked == days(1, 0)
        till.asked.clear()


async def test_a_bank_that_asks_to_wait_is_not_asked_again(till: Till):
    till.answer = lambda day: 429
    till.retry_after = 60
    with pytest.raises(SourceError) as caught:
        await visit(till)
    assert caught.value.retry_after == 60
    assert till.asked == days(1)


async def test_a_latest_only_document_is_asked_for_once(till: Till):
    till.answer = lambda day: "9.30@2026-11-24"
    assert figures(await visit(till, days(0), query="")) == {MONDAY + DAY: "9.30"}
    assert len(till.asked) == 1


@pytest.mark.parametrize(("ahead", "believed"), [(4, True), (5, False), (400, False)])
async def test_a_date_far_ahead_is_not_believed(till: Till, ahead: int, believed: bool):
    day = MONDAY + ahead * DAY
    till.answer = lambda _: f"9.30@{day}"
    if believed:
        assert figures(await visit(till, query="")) == {day: "9.30"}
    else:
        with pytest.raises(SourceError, match=f"dated {day}, too far ahead"):
            await visit(till, query="")


async def test_an_old_latest_document_is_taken_for_what_it_is(till: Till):
    till.answer = lambda _: "9.30@2026-05-24"
    assert figures(await visit(till, query="")) == {date(2026, 5, 24): "9.30"}


async def test_a_latest_only_bank_that_is_down_is_an_error(till: Till):
    till.answer = lambda _: 500
    with pytest.raises(SourceError, match="HTTP 500"):
        await visit(till, query="")


async def test_a_peg_is_known_without_asking(till: Till):
    tables = await visit(till, bank=banks()["cbt"], query=None)
    assert till.asked == []
    assert [(t.kind, t.effective_date, Decimal(t.fixings[0].value)) for t in tables] == [
        ("peg", date(2015, 1, 1), Decimal("3.5"))
    ]
    assert await visit(till, [date(2015, 1, 1)], bank=banks()["cbt"], query=None) == tables


async def test_before_a_weekend_the_next_bank_day_is_asked_for_too(till: Till):
    till.answer = lambda day: f"9.{day.day}"
    friday = datetime(2026, 11, 20, 11, tzinfo=UTC)
    known = stored([date(2026, 11, 20), date(2026, 11, 19)])
    assert list(figures(await visit(till, known, now=friday))) == days(0, -2, -3)


async def test_a_bank_that_is_never_ahead_is_not_asked_for_tomorrow(till: Till):
    till.answer = lambda day: f"9.{day.day}"
    assert list(figures(await visit(till, days(0, -1), bank=banks()["nbt"]))) == days(0)


async def test_a_weekend_without_tables_is_no_failure(till: Till):
    till.answer = lambda day: ""
    saturday = datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert await visit(till, days(0, -3, -4), now=saturday) == []


async def test_a_table_dated_earlier_is_believed_of_a_bank_that_says_so(till: Till):
    till.answer = lambda day: "9.30@2026-11-21"
    bank = replace(banks()["nbt"], own_dates=True)
    assert list(figures(await visit(till, days(-2, -3), bank=bank))) == days(-2)
