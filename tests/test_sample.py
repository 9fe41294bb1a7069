"""The sample edition, read by the real parsers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import aiohttp
import pytest

from bot.models import Article, Feed, RateRoad, RateTable
from bot.sample import SampleEdition
from bot.sources import banks, document, feeds

MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
AFTERNOON = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)

RECORDED = {
    "nbk": {"478.77", "475.09", "472.31"},
    "cbu": {"12194.21", "12142.10", "12149.84"},
    "nbt": {"9.3450", "9.3371", "9.3288"},
    "nbkr": {"87.4500"},
}


async def read(url: str) -> tuple[dict[str, str], bytes]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        return {name.lower(): value for name, value in answer.headers.items()}, await answer.read()


async def articles_of(feed: Feed, now: datetime) -> list[Article]:
    headers, body = await read(feed.url)
    parsed = document.parse(body, headers, feed.url)
    assert parsed.complete
    assert parsed.title == feed.title
    found = feeds.articles(feed, parsed, now)
    assert len(found) == len(parsed.entries)
    return found


async def newsroom(clock: Callable[[], datetime]) -> list[Article]:
    async with SampleEdition(clock) as sample:
        return [article for feed in sample.catalogue.feeds for article in await articles_of(feed, clock())]


async def table_of(road: RateRoad, day: date) -> RateTable:
    parse = banks()[road.parser].parse
    assert parse is not None
    return parse((await read(road.url.format(date=day)))[1])


def searchable(article: Article) -> str:
    return f"{article.title}\n{article.lead}\n{article.text}"


async def test_seven_articles_are_about_a_summit_and_one_of_them_is_an_opinion():
    articles = await newsroom(lambda: MORNING)
    found = [a for a in articles if re.search(r"\bsummit", searchable(a), re.IGNORECASE)]
    assert len(found) == 7
    assert sum(article.opinion for article in found) == 1
    assert {article.language for article in found} == {"en"}
    assert sum("саммит" in article.title.lower() for article in articles) == 2


async def test_every_article_is_clean_dated_in_the_past_and_leads_nowhere():
    articles = await newsroom(lambda: MORNING)
    assert len(articles) == 24
    assert len({key for article in articles for key in feeds.keys(article)}) >= 2 * len(articles)
    for article in articles:
        assert article.title and article.lead and article.text
        assert not re.search(r"\[/?(caption|gallery)|&#?\w+;|<[a-z/]|appeared first", searchable(article))
        assert "\ufffd" not in searchable(article)
        assert article.url.startswith("https://sample.invalid/")
        assert MORNING - timedelta(days=4) < article.published < MORNING
    assert sum(article.published > MORNING - DAY for article in articles) >= 6


async def test_outlets_say_that_they_are_samples():
    async with SampleEdition(lambda: MORNING) as sample:
        assert [feed.language for feed in sample.catalogue.feeds] == ["en", "en", "ru"]
        assert all(feed.title.endswith(("(sample)", "(пример)")) for feed in sample.catalogue.feeds)


async def test_only_its_own_server_is_named_and_the_peg_needs_none():
    async with SampleEdition(lambda: MORNING) as sample:
        ((host, port),) = sample.allow
        roads = {road.id: road for road in sample.catalogue.roads}
        urls = [source.url for source in (*sample.catalogue.feeds, *roads.values()) if source.url]
        assert all(url.startswith(f"http://{host}:{port}/") for url in urls)
        assert roads.keys() == {"nbk", "nbkr", "cbu", "nbt", "cbt"}
        assert roads["cbt"].url == ""
    with pytest.raises(aiohttp.ClientConnectorError):
        await read(urls[0])


@pytest.mark.parametrize("bank", ["nbk", "cbu", "nbt"])
@pytest.mark.parametrize("days", range(3))
async def test_a_bank_has_today_and_a_previous_fixing_with_recorded_figures(bank: str, days: int):
    now = MORNING + days * DAY
    async with SampleEdition(lambda: now) as sample:
        (road,) = (road for road in sample.catalogue.roads if road.id == bank)
        today, before = [await table_of(road, TODAY + (days - back) * DAY) for back in (0, 1)]
    assert (today.effective_date, before.effective_date) == (TODAY + days * DAY, TODAY + (days - 1) * DAY)
    assert not today.problems
    assert {today.fixings[0].base, "USD"} <= {row.base for row in today.fixings}
    for row in today.fixings:
        old = before.fixing(row.base)
        assert old is not None
        assert not row.change or Decimal(row.change) == Decimal(row.value) - Decimal(old.value)
    dollars = [table.fixing("USD") for table in (today, before)]
    assert {row.value for row in dollars if row} < RECORDED[bank]
    assert dollars[0] != dollars[1]


async def test_the_kyrgyz_bank_has_todays_table_only():
    async with SampleEdition(lambda: MORNING) as sample:
        (road,) = (road for road in sample.catalogue.roads if road.id == "nbkr")
        headers, body = await read(road.url)
        table = await table_of(road, TODAY)
    assert headers["content-type"] == "application/xml"
    assert b'encoding="windows-1251"' in body and b"87,4500" in body
    assert table.effective_date == TODAY
    assert [row.value for row in table.fixings if row.base == "USD"] == ["87.4500"]


async def test_tomorrow_is_there_once_the_bank_has_published_it():
    tomorrow = TODAY + DAY
    now = MORNING
    async with SampleEdition(lambda: now) as sample:
        roads = {road.id: road for road in sample.catalogue.roads}
        assert (await table_of(roads["nbk"], tomorrow)).fixings == (await table_of(roads["nbk"], TODAY)).fixings
        assert (await read(roads["cbu"].url.format(date=tomorrow)))[1] == b"[]"
        now = AFTERNOON
        for bank in ("nbk", "cbu"):
            announced = await table_of(roads[bank], tomorrow)
            assert announced.effective_date == tomorrow
            assert announced.fixings != (await table_of(roads[bank], TODAY)).fixings
        assert (await table_of(roads["nbt"], tomorrow)).effective_date == TODAY


async def test_a_date_that_is_none_is_not_found():
    async with SampleEdition(lambda: MORNING) as sample, aiohttp.ClientSession() as session:
        ((host, port),) = sample.allow
        for path in ("/nbk", "/nbk?fdate=2026-11-23", "/cbu/today/", "/nbt?date=", "/feeds/other"):
            async with session.get(f"http://{host}:{port}{path}") as answer:
                assert answer.status == 404
