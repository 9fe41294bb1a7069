"""The fakes of banks and outlets: exact shapes, honest validators, faults, clean ends."""

from __future__ import annotations

import asyncio
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.catalogue import read_catalogue
from bot.models import Fixing
from bot.sources import banks as issuers
from bot.sources import document
from tests.fakes import faults
from tests.fakes.banks import URLS, FakeBanks
from tests.fakes.feeds import FakeFeeds, allow, sources_toml
from tests.fakes.web import FakeWeb

NOW = datetime(2026, 4, 2, 6, 0, tzinfo=UTC)
TODAY = date(2026, 4, 2)
EARLIER = date(2026, 3, 31)


@pytest.fixture
def server() -> Iterator[FakeWeb]:
    with FakeWeb() as server:
        yield server


@pytest.fixture
def banks(server: FakeWeb) -> FakeBanks:
    return FakeBanks(server, lambda: NOW)


@pytest.fixture
def feeds(server: FakeWeb) -> FakeFeeds:
    return FakeFeeds(server, lambda: NOW)


async def get(url: str, **headers: str) -> tuple[int, aiohttp.typedefs.LooseHeaders, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer.headers, await answer.read()


async def body_of(url: str) -> bytes:
    return (await get(url))[2]


async def test_the_thread_ends_with_the_block_and_the_port_stays():
    server = FakeWeb()
    with server:
        port = server.port
        assert (await get(server.url + "/nothing"))[0] == 404
    assert "fake web" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(f"http://127.0.0.1:{port}/")
    with server:
        assert server.port == port
        assert (await get(server.url + "/nothing"))[0] == 404


async def test_a_request_that_hangs_does_not_hold_up_the_end():
    with FakeWeb() as server:
        server.fault("/slow", faults.hang)
        asking = asyncio.create_task(get(server.url + "/slow"))
        while not server.asked("/slow"):
            await asyncio.sleep(0.01)
    with pytest.raises(aiohttp.ClientError):
        await asking


async def test_it_serves_in_the_loop_of_the_test_and_records_what_was_asked():
    async with FakeWeb() as server, aiohttp.ClientSession() as session:
        async with session.post(server.url + "/a?b=1", data=b"said", headers={"X-Tone": "low"}) as answer:
            assert answer.status == 404
        (seen,) = server.requests
    assert (seen.method, seen.path, seen.query, seen.body) == ("POST", "/a", {"b": "1"}, b"said")
    assert seen.headers["X-Tone"] == "low"
    assert seen.instant.tzinfo is UTC


async def test_faults_come_as_often_as_told_and_the_longest_path_wins(server: FakeWeb, feeds: FakeFeeds):
    feed = feeds.add("courier")
    server.fault(feed.path, faults.status(429, retry_after=7), times=1)
    server.fault("/feeds/", faults.html_page())
    status, headers, _ = await get(feed.url)
    assert (status, headers["Retry-After"]) == (429, "7")
    assert b"<html>" in await body_of(feed.url)
    server.mend()
    assert b"<rss" in await body_of(feed.url)


async def test_faults_at_the_wire(server: FakeWeb, feeds: FakeFeeds):
    feed = feeds.add("vestnik", shape="cp1251", title="Ведомости")
    whole = await body_of(feed.url)
    for broken in (faults.truncated, faults.reset, faults.reset_after):
        server.fault(feed.path, broken)
        with pytest.raises(aiohttp.ClientError):
            await get(feed.url)
    for harmless in (faults.drip(0), faults.slow(0)):
        server.fault(feed.path, harmless)
        assert await body_of(feed.url) == whole
    server.fault(feed.path, faults.redirect("/elsewhere", 301))
    status, headers, _ = await get(feed.url)
    assert (status, headers["Location"]) == (301, "/elsewhere")
    server.fault(feed.path, faults.gzip_bomb(1))
    assert len(await body_of(feed.url)) == 1_000_000
    server.fault(feed.path, faults.recoded("windows-1251", "utf-8"))
    assert "Ведомости".encode() in await body_of(feed.url)


async def test_nbk_carries_forward_and_prints_changes(banks: FakeBanks):
    banks.set("nbk", EARLIER, {"USD": ("478.77", 1), "RUB": ("5.4", 1), "UZS": ("3.93", 100)})
    banks.set("nbk", TODAY, {"USD": ("475.09", 1), "RUB": ("5.45", 1), "UZS": ("3.93", 100)})
    parse = issuers()["nbk"].parse
    assert parse is not None
    body = await body_of(banks.url("nbk").format(date=date(2026, 4, 5)))
    for printed in (b"<index>DOWN</index>\n<change>-3.68<", b"<index>UP</index>\n<change>+0.05<", b"<change>0.00<"):
        assert printed in body
    table = parse(body)
    assert table.effective_date == date(2026, 4, 5)
    figures = [(row.base, row.value, row.nominal) for row in table.fixings]
    assert figures == [("USD", "475.09", 1), ("RUB", "5.45", 1), ("UZS", "3.93", 100)]
    assert parse(await body_of(banks.url("nbk_all"))) == parse(await body_of(banks.url("nbk").format(date=TODAY)))
    assert b"<info>" in await body_of(banks.url("nbk").format(date=date(2026, 1, 1)))
    assert (await body_of(banks.web.url + "/rss/get_rates.cfm")).startswith(b'{"code": 500')


async def test_nbkr_has_the_latest_only_in_windows_1251_with_validators(banks: FakeBanks):
    banks.set("nbkr", EARLIER, {"USD": ("87.4500", 1)})
    banks.set("nbkr", TODAY, {"USD": ("87.4500", 1), "KZT": ("0.1841", 1)})
    banks.set("nbkr_weekly", TODAY, {"UZS": ("0.0073", 1)})
    _, headers, body = await get(banks.url("nbkr"))
    assert headers["Content-Type"] == "application/xml"
    assert b'encoding="windows-1251"' in body and b"<Value>87,4500</Value>" in body
    parse = issuers()["nbkr"].parse
    assert parse is not None and parse(body).effective_date == TODAY
    assert b"<ValidFor>7</ValidFor>" in await body_of(banks.url("nbkr_weekly"))
    known = {"If-None-Match": headers["ETag"], "If-Modified-Since": headers["Last-Modified"]}
    assert (await get(banks.url("nbkr"), **known))[0] == 304
    banks.set("nbkr", TODAY, {"USD": ("87.4600", 1)})
    assert (await get(banks.url("nbkr"), **known))[0] == 200


async def test_cbu_prints_texts_and_an_empty_array_for_a_day_without_a_table(banks: FakeBanks):
    banks.set("cbu", EARLIER, {"USD": ("12194.21", 1)})
    banks.set("cbu", TODAY, {"USD": ("12193.61", 1)})
    body = await body_of(banks.url("cbu").format(date=TODAY))
    assert body.isascii() and b"\\u0412" in body
    parse = issuers()["cbu"].parse
    assert parse is not None
    assert parse(body).fixings == (Fixing("USD", "12193.61", 1, "-0.6"),)
    assert await body_of(banks.url("cbu_latest")) == body
    assert await body_of(banks.url("cbu").format(date=date(2026, 4, 1))) == b"[]"


async def test_nbt_answers_a_future_date_with_today(banks: FakeBanks):
    banks.set("nbt", EARLIER, {"USD": ("9.3450", 1), "RUB": ("0.1148", 1)})
    parse = issuers()["nbt"].parse
    assert parse is not None
    asked = {date(2026, 4, 9): TODAY, date(1999, 1, 1): TODAY, date(2026, 4, 1): date(2026, 4, 1)}
    for day, dated in asked.items():
        assert parse(await body_of(banks.url("nbt").format(date=day))).effective_date == dated
    assert b'<Valute ID="810">' in await body_of(banks.url("nbt").format(date=TODAY))
    assert b"<html>" in await body_of(banks.web.url + "/en/kurs/export_xml.php")


async def test_the_bank_of_russia_carries_forward_under_its_own_date(banks: FakeBanks):
    banks.set("cbr", EARLIER, {"USD": ("81.2000", 1), "UZS": ("62.8322", 10_000), "IRR": ("53.9256", 1_000_000)})
    parse = issuers()["cbr"].parse
    assert parse is not None
    _, headers, body = await get(banks.url("cbr").format(date=TODAY))
    assert b"<Value>81,2000</Value>" in body and b"<VunitRate>5,39256E-05</VunitRate>" in body
    assert "windows-1251" in headers["Content-Type"]
    table = parse(body)
    assert (table.effective_date, table.fixing("UZS")) == (EARLIER, Fixing("UZS", "62.8322", 10_000))
    banks.set("cbr", TODAY, {"USD": ("81.3000", 1)})
    assert parse(await body_of(banks.url("cbr").format(date=date(2026, 4, 9)))).effective_date == TODAY
    assert parse(await body_of(banks.url("cbr").format(date=EARLIER))) == table


async def test_the_manats_file_is_there_or_a_404(banks: FakeBanks):
    banks.set("cbt_xml", TODAY, {"USD": ("3.5", 1), "UZS": ("0.2915", 1000)})
    banks.set("cbt_xml", date(2023, 5, 22), {"USD": ("3.5", 1)})
    parse = issuers()["cbt"].parse
    assert parse is not None
    body = await body_of(banks.url("cbt_xml").format(date=TODAY))
    assert b"\r\n" in body and b'standalone="yes"' in body and b"<date>02.04.2026<" in body
    assert parse(body).fixings == (Fixing("USD", "3.5"), Fixing("UZS", "0.2915", 1000))
    assert parse(await body_of(banks.url("cbt_xml").format(date=date(2023, 5, 22)))).effective_date.year == 2023
    assert (await get(banks.url("cbt_xml").format(date=EARLIER)))[0] == 404


async def test_each_second_road_fails_alone(server: FakeWeb, banks: FakeBanks):
    banks.set("frankfurter_nbk", TODAY, {"USD": ("475.10", 1)})
    banks.set("frankfurter_nbkr", TODAY, {"USD": ("87.4500", 1)})
    parse = issuers()["frankfurter"].parse
    assert parse is not None
    body = await body_of(banks.url("frankfurter_nbkr"))
    assert body == b'[{"date":"2026-04-02","base":"USD","quote":"KGS","rate":87.45}]'
    assert parse(body).effective_date == TODAY
    assert await body_of(banks.url("frankfurter_cbu")) == b"[]"
    server.fault(banks.path("frankfurter_nbk"), faults.status(503))
    assert (await get(banks.url("frankfurter_nbk")))[0] == 503
    assert (await get(banks.url("frankfurter_nbkr")))[0] == 200


async def test_market_files_stand_at_two_addresses_that_fail_alone(server: FakeWeb, banks: FakeBanks):
    banks.set("currency_api", TODAY, {"KGS": ("87.45712429", 1), "TMT": ("3.49982316", 1)})
    parse = issuers()["currency_api"].parse
    assert parse is not None
    asked = [banks.url(name).format(date=TODAY) for name in ("currency_api", "currency_api_pages")]
    assert asked[0].endswith("/npm/@fawazahmed0/currency-api@2026.4.2/v1/currencies/usd.min.json")
    for url in asked:
        table = parse(await body_of(url))
        assert (table.effective_date, table.fixings) == (TODAY, (Fixing("USD", "87.45712429", quote="KGS"),))
    assert (await get(banks.url("currency_api").format(date=EARLIER)))[0] == 404
    server.fault(banks.path("currency_api"), faults.status(500))
    assert [(await get(url))[0] for url in asked] == [500, 200]


async def test_every_shape_reads_the_same(feeds: FakeFeeds):
    for shape in ("wordpress", "teaser", "cp1251", "atom"):
        feed = feeds.add(f"the-{shape}", shape)
        feed.publish("Старое & новое", "Первый.", "<p>Первый.</p>", NOW)
        feed.publish("Ток «дали» — рано", "Второй лид — дня.", "<p>Второй лид — дня.</p>", NOW, opinion=True)
        _, headers, body = await get(feed.url)
        parsed = document.parse(body, {"content-type": headers["Content-Type"]}, feed.url)
        assert parsed.complete
        newest, older = parsed.entries
        assert (newest.title, older.title) == ("Opinion: Ток «дали» — рано", "Старое & новое")
        assert newest.text == "Второй лид — дня."
        assert (newest.published, newest.guid, newest.link) == (NOW, feed.items[0].guid, feed.items[0].link)


async def test_validators_are_compared_byte_for_byte_and_counted(feeds: FakeFeeds):
    feed = feeds.add("courier")
    item = feed.publish("A title", "A lead.", "<p>A body.</p>", NOW)
    _, headers, _ = await get(feed.url)
    known = {"If-None-Match": headers["ETag"], "If-Modified-Since": headers["Last-Modified"]}
    assert (await get(feed.url, **known))[0] == 304
    assert (await get(feed.url, **{"If-None-Match": headers["ETag"].strip('"')}))[0] == 200
    feed.edit(item, title="A better title")
    assert (await get(feed.url, **known))[0] == 200
    tally = feed.tally
    assert (tally.polls, tally.conditional, tally.not_modified, tally.made_up) == (4, 3, 1, 1)
    assert tally.conditional_ratio == 1.0


def test_guids_change_and_nothing_else(feeds: FakeFeeds):
    feed = feeds.add("courier")
    item = feed.publish("A title", "A lead.", "<p>A body.</p>", NOW)
    feed.change_guids()
    (moved,) = feed.items
    assert moved.guid != item.guid
    assert (moved.title, moved.link) == (item.title, item.link)


def test_settings_name_every_fake(banks: FakeBanks, feeds: FakeFeeds, tmp_path: Path):
    feeds.add("courier", title='The "Courier"', countries=("KZ", "UZ"))
    path = tmp_path / "sources.toml"
    path.write_text(sources_toml(banks, feeds), "utf-8")
    assert tomllib.loads(path.read_text("utf-8"))["replace"] is True
    catalogue = read_catalogue(path)
    assert [(feed.id, feed.title, feed.countries) for feed in catalogue.feeds] == [
        ("courier", 'The "Courier"', ("KZ", "UZ"))
    ]
    assert {road.id: road.url for road in catalogue.roads if road.url} == {
        bank: banks.url(bank) for bank in ("nbk", "nbkr", "cbu", "nbt")
    }
    assert allow(banks, feeds) == banks.web.allow


def test_settings_name_the_roads_they_are_told(banks: FakeBanks, tmp_path: Path):
    path = tmp_path / "sources.toml"
    path.write_text(sources_toml(banks, roads=tuple(URLS)), "utf-8")
    built_in = {road.id: road for road in read_catalogue(None).roads if road.url}
    named = {road.id: road for road in read_catalogue(path).roads if road.url}
    assert named == {name: replace(road, url=banks.url(name)) for name, road in built_in.items()}
