"""Past days, asked for politely: what is kept, what is asked again, what a bank that fails costs."""

from __future__ import annotations

import asyncio
import os
import pty
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.backfill import Backfill, Tally, _pause, _stretches, plans
from bot.board import read_board
from bot.catalogue import read_catalogue
from bot.errors import SettingsError
from bot.fetch import Fetcher
from bot.models import Catalogue, Fixing, RateTable
from bot.parsing import Parser
from tests.fakes import faults
from tests.fakes.banks import FakeBanks
from tests.fakes.feeds import sources_toml
from tests.fakes.histories import NBKR_PATH, NBT_PATH, FakeHistories
from tests.fakes.web import FakeWeb
from tests.process import LAUNCH, QUIET, Running, run
from tests.stores import new_store
from tests.world import World, open_world

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
TODAY = NOW.date()
DAYS = 21


def back(n: int) -> date:
    return TODAY - timedelta(days=n)


WEEKDAYS = [back(n) for n in range(1, DAYS + 1) if back(n).weekday() < 5]
ALL_DAYS = [back(n) for n in range(1, DAYS + 1)]


def publish(banks: FakeBanks) -> None:
    """Four weeks of figures, none of them the same as the day before."""
    for n in range(28):
        if back(n).weekday() < 5:
            for bank, unit in {"nbk": 470, "nbkr": 87, "cbu": 12100, "nbt": 9}.items():
                banks.set(bank, back(n), {"USD": (f"{unit}.{1000 + n}", 1), "EUR": (f"{unit + 1}.{2000 + n}", 1)})


@asynccontextmanager
async def open_backfill(
    folder: Path, days: int = DAYS
) -> AsyncIterator[tuple[FakeWeb, FakeBanks, Backfill, Catalogue]]:
    async with FakeWeb() as web:
        banks = FakeBanks(web, lambda: NOW)
        publish(banks)
        (folder / "sources.toml").write_text(sources_toml(banks) + FakeHistories(banks).toml())
        store = await new_store(folder / "test.db")
        fetcher, parser = Fetcher("test", frozenset({("127.0.0.1", web.port)}), 0, lambda: NOW), Parser()
        try:
            backfill = Backfill(store, fetcher, parser, lambda: NOW, days, lambda _: None)
            yield web, banks, backfill, read_catalogue(folder / "sources.toml")
        finally:
            await parser.close()
            await fetcher.close()
            await store.close()


async def tallies(backfill: Backfill, catalogue: Catalogue, *only: str) -> dict[str, Tally]:
    return {tally.bank: tally for tally in await backfill.run(plans(catalogue, only))}


async def days_of(backfill: Backfill, source: str, quote: str, base: str = "USD") -> list[date]:
    return [row.effective_date for row in await backfill.store.series(source, base, quote, TODAY, 100)]


async def test_every_bank_gives_its_days_up_to_yesterday_and_nothing_is_told_to_anybody(tmp_path: Path):
    async with open_backfill(tmp_path) as (_, _, backfill, catalogue):
        found = await tallies(backfill, catalogue)
        assert not any(tally.failed or tally.ended for tally in found.values())
        assert await days_of(backfill, "nbk", "KZT") == ALL_DAYS
        assert await days_of(backfill, "cbu", "UZS") == WEEKDAYS
        assert await days_of(backfill, "nbkr", "KGS", "EUR") == WEEKDAYS
        assert await days_of(backfill, "nbt", "TJS", "EUR") == ALL_DAYS
        assert (await backfill.store.ledger()) == type(await backfill.store.ledger())()
        assert await backfill.store.poll_states() == {}
        board = await read_board(backfill.store, catalogue.roads, NOW)
        assert [quote.rate for quote in board.quotes[:2]] == [Decimal("470.1003"), Decimal("87.1003")]


async def test_days_that_carry_the_last_fixing_are_known_although_the_newest_days_came_first(tmp_path: Path):
    async with open_backfill(tmp_path) as (_, _, backfill, catalogue):
        await tallies(backfill, catalogue)
        for source, quote in (("nbk", "KZT"), ("nbt", "TJS")):
            rows = await backfill.store.series(source, "USD", quote, TODAY, 100)
            oldest = rows[-1].effective_date
            carried = {row.effective_date for row in rows if row.carried}
            assert carried == {day for day in ALL_DAYS if day.weekday() >= 5 and day != oldest}


async def test_a_second_run_asks_only_for_days_that_may_have_a_table_and_changes_nothing(tmp_path: Path):
    async with open_backfill(tmp_path) as (web, _, backfill, catalogue):
        await tallies(backfill, catalogue)
        before, asked = _dump(tmp_path / "test.db"), len(web.requests)
        again = await tallies(backfill, catalogue)
        others = 6 * 2  # neither history has these six currencies, so they are looked for again
        assert len(web.requests) - asked == others + DAYS - len(WEEKDAYS)
        assert str(again["nbk"]) == "nbk: nothing is missing"
        assert (again["cbu"].kept, again["cbu"].empty) == (set(), DAYS - len(WEEKDAYS))
        assert not any(tally.in_vain for tally in again.values())
        assert _dump(tmp_path / "test.db") == before


async def test_a_bank_that_went_down_half_way_is_given_up_and_resumed_where_it_stopped(tmp_path: Path):
    async with open_backfill(tmp_path) as (web, banks, backfill, catalogue):
        path = banks.path("nbk")
        first = 5

        async def fail_later(request, handler):
            return await (handler(request) if len(web.asked(path)) <= first else faults.status(503)(request, handler))

        web.fault(path, fail_later)
        found = await tallies(backfill, catalogue, "nbk", "cbu")
        assert (found["nbk"].asked, len(found["nbk"].kept), found["nbk"].failed) == (first + 4, first, 4)
        assert "given up: HTTP 503, 4 times in a row" in str(found["nbk"])
        assert found["cbu"].kept == set(WEEKDAYS)
        web.mend()
        found = await tallies(backfill, catalogue, "nbk")
        assert found["nbk"].kept == set(ALL_DAYS[first:]) and found["nbk"].asked == DAYS - first
        assert await days_of(backfill, "nbk", "KZT") == ALL_DAYS


async def test_days_without_a_table_stop_nothing_however_they_look(tmp_path: Path):
    looks = [faults.status(404), faults.html_page(), faults.status(200, "[]", content_type="application/json")]
    async with open_backfill(tmp_path) as (web, banks, backfill, catalogue):
        for look in looks:
            web.fault(banks.path("cbu"), look, times=6)
            assert (await tallies(backfill, catalogue, "cbu"))["cbu"].empty >= 6
        await tallies(backfill, catalogue, "cbu")
        assert await days_of(backfill, "cbu", "UZS") == WEEKDAYS


async def test_an_archive_that_holds_nothing_is_left_after_twenty_days(tmp_path: Path):
    async with open_backfill(tmp_path, 100) as (web, banks, backfill, catalogue):
        web.fault(banks.path("cbu"), faults.status(404))
        found = (await tallies(backfill, catalogue, "cbu"))["cbu"]
        assert found.asked == 20 and found.in_vain
        assert str(found).endswith("given up: 20 days in a row without a table")


async def test_a_short_wait_a_bank_asks_for_is_kept_and_a_long_one_ends_the_run(tmp_path: Path):
    async with open_backfill(tmp_path, 3) as (web, _, backfill, catalogue):
        web.fault(NBKR_PATH, faults.status(429, retry_after=1), times=1)
        web.fault(NBT_PATH, faults.status(429, retry_after=3600))
        found = await tallies(backfill, catalogue, "nbkr", "nbt")
        first, second, *_ = web.asked(NBKR_PATH)
        assert first.query == second.query and (second.instant - first.instant).total_seconds() >= 1
        assert not found["nbkr"].failed
        assert found["nbt"].asked == 1 and "asks us to wait for 3600 s" in str(found["nbt"])


async def test_a_bank_has_one_request_at_a_time_on_one_connection(tmp_path: Path):
    async with open_backfill(tmp_path) as (web, banks, backfill, catalogue):
        under_way = most = 0

        async def watch(request, handler):
            nonlocal under_way, most
            under_way, most = under_way + 1, max(most, under_way + 1)
            peers.add(request.transport.get_extra_info("peername"))
            await asyncio.sleep(0.002)
            answer = await handler(request)
            under_way -= 1
            return answer

        peers: set[object] = set()
        web.fault(banks.path("nbk"), watch)
        web.fault(NBKR_PATH, watch)
        await tallies(backfill, catalogue, "nbk", "nbkr")
        assert (most, len(peers)) == (1, 1)


async def test_only_what_a_replacing_sources_file_names_is_ever_asked(tmp_path: Path):
    async with open_backfill(tmp_path) as (web, banks, backfill, _):
        (tmp_path / "own.toml").write_text(sources_toml(banks))
        catalogue = read_catalogue(tmp_path / "own.toml")
        assert catalogue.histories == ()
        found = await tallies(backfill, catalogue)
        assert set(found) == {"nbk", "cbu", "nbt"}, "the latest table of nbkr leads nowhere back"
        assert not web.asked(NBKR_PATH) and not web.asked(NBT_PATH)
        assert await days_of(backfill, "nbt", "TJS") == ALL_DAYS
        with pytest.raises(SettingsError, match="no history can be had of 'nbkr'; expected one of"):
            plans(catalogue, ["nbkr"])


def test_the_built_in_histories_are_never_among_the_roads_that_are_polled():
    built_in = read_catalogue(None)
    assert {road.id for road in built_in.histories} == {"nbkr_history", "nbt_history"}
    assert not {road.id for road in built_in.histories} & {road.id for road in built_in.roads}
    assert {"nbk", "nbkr", "cbu", "nbt"} <= {plan.bank.id for plan in plans(built_in, ())}


def test_a_history_is_asked_for_its_holes_a_year_at_a_time():
    year = date(2025, 1, 1), date(2026, 3, 1)
    assert list(_stretches((), *year, 365)) == [
        (date(2025, 3, 2), date(2026, 3, 1)),
        (date(2025, 1, 1), date(2025, 3, 1)),
    ]
    friday, monday, tuesday = date(2026, 11, 13), date(2026, 11, 16), date(2026, 11, 17)
    assert list(_stretches({friday, monday}, friday, monday, 365)) == []
    assert list(_stretches({friday}, friday, monday - timedelta(days=1), 365)) == []
    assert list(_stretches({friday, monday}, friday, tuesday, 365)) == [(tuesday, tuesday)]
    hole = {date(2026, 11, 2), tuesday}
    assert list(_stretches(hole, min(hole), tuesday, 365)) == [(date(2026, 11, 3), monday)]


def test_a_second_lies_between_two_requests_to_a_bank_and_none_within_this_machine():
    assert _pause("https://www.nbkr.kg/index1.jsp") == 1
    assert _pause("https://203.0.113.7/") == 1
    assert _pause("http://127.0.0.1:8080/x") == 0


async def test_a_late_day_in_between_makes_the_next_one_a_fixing_or_a_carried_day(tmp_path: Path):
    async with open_backfill(tmp_path) as (_, _, backfill, _):
        for day, value in ((3, "475.1"), (1, "475.1"), (2, "480.0"), (4, "475.1")):
            table = RateTable("nbk", "KZT", date(2026, 11, day), (Fixing("USD", value),))
            await backfill.store.keep_tables(None, [table], [], NOW)
        rows = await backfill.store.series("nbk", "USD", "KZT", TODAY, 9)
        assert [(row.effective_date.day, row.carried) for row in rows] == [
            (4, True),
            (3, False),
            (2, False),
            (1, False),
        ]


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path, NOW) as opened:
        publish(opened.banks)
        histories = FakeHistories(opened.banks)
        sources = tmp_path / "sources.toml"
        sources.write_text(sources.read_text() + histories.toml())
        yield opened


def test_the_command_says_what_it_got_and_a_bank_that_is_down_does_not_stop_the_others(world: World):
    world.web.fault(world.banks.path("cbu"), faults.status(500))
    result = run(world.folder, "backfill", "--days", "21", env=world.env)
    assert result.returncode == 0, result.stderr
    lines = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert lines["nbk"] == "asked 21 of 21; 21 new days, 2026-11-02 to 2026-11-22"
    assert lines["nbkr"].startswith("asked 8 of 8; 15 new days, 2026-11-02 to 2026-11-20; 6 without a table")
    assert lines["cbu"] == "asked 4 of 21; 0 new days; 4 failed (HTTP 500); given up: HTTP 500, 4 times in a row"
    assert "nbk: 21 to ask" in result.stderr and "Traceback" not in result.stderr and "\x1b" not in result.stderr
    world.web.mend()
    again = run(world.folder, "backfill", "--days", "21", env=world.env)
    assert "nbk: nothing is missing" in again.stdout and "cbu: asked 21 of 21; 15 new days" in again.stdout


def test_a_run_that_was_killed_goes_on_where_it_stopped(world: World):
    path = world.banks.path("nbk")
    world.web.fault(path, faults.slow(0.05))
    with Running(world.folder, "backfill", "nbk", "--days", "21", env=world.env) as cut_off:
        deadline = time.monotonic() + 30
        while len(world.web.asked(path)) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        cut_off.kill()
    world.web.mend()
    before = len(world.web.asked(path))
    result = run(world.folder, "backfill", "nbk", "--days", "21", env=world.env)
    assert result.returncode == 0, result.stderr
    asked = [seen.query["fdate"] for seen in world.web.asked(path)]
    assert set(asked[:4]).isdisjoint(asked[before:]), "what was kept before the end is not asked again"
    assert len(set(asked)) == 21
    assert run(world.folder, "backfill", "nbk", "--days", "21", env=world.env).stdout == "nbk: nothing is missing\n"


def test_a_terminal_sees_a_bar_a_bank_and_the_summary(world: World):
    ours, theirs = pty.openpty()
    env = {**QUIET, **world.env, "TERM": "xterm", "COLUMNS": "100"}
    command = [*LAUNCH, "backfill", "nbk", "nbkr", "--days", "21"]
    process = subprocess.Popen(command, cwd=world.folder, env=env, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    seen = b""
    with suppress(OSError):  # how a terminal's other end closes
        while piece := os.read(ours, 65536):
            seen += piece
    os.close(ours)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "21/21" in seen.decode() and "21 new days" in seen.decode() and "8/8" in seen.decode()
    assert [line.partition(":")[0] for line in out.splitlines()] == ["nbk", "nbkr"]


def test_the_exit_code_is_1_when_every_bank_failed_and_2_for_a_bank_that_is_none(world: World):
    world.web.fault("/", faults.status(500))
    assert run(world.folder, "backfill", "nbk", "--days", "9", env=world.env).returncode == 1
    unknown = run(world.folder, "backfill", "nbx", env=world.env)
    assert unknown.returncode == 2 and "expected one of cbu, nbk, nbkr, nbt" in unknown.stderr
    assert run(world.folder, "backfill", "--days", "0", env=world.env).returncode == 2


def test_it_runs_beside_a_service_that_goes_on_polling(world: World):
    with Running(world.folder, "run", env=world.env) as service:
        service.wait_for_log("serving")
        service.wait_for_log("bank read")
        result = run(world.folder, "backfill", "--days", "21", env=world.env)
        assert result.returncode == 0, result.stderr
        assert "failed" not in result.stdout
        assert service.stop() == 0
        assert "poll failed" not in "".join(service.err)
    database = next(world.folder.rglob("*.db"))
    with closing(sqlite3.connect(database)) as db:
        days = db.execute("SELECT count(*) FROM rate_days WHERE source = 'nbk'").fetchone()[0]
        polled = db.execute("SELECT count(*) FROM polls WHERE last_ok_at IS NOT NULL").fetchone()[0]
        sent = db.execute("SELECT count(*) FROM outbox").fetchone()[0]
    assert days >= 22 and polled >= 4 and sent == 0
