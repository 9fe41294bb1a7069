"""/chart and /export as a person asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import Refusal
from bot.locales import tongue
from bot.message import File, Picture
from bot.models import Address, Answer, Catalogue, Fixing, PollState, RateRoad, RateTable, Request
from handlers.menu.chart import chart
from handlers.menu.desk import Desk
from handlers.menu.export import export
from tests.fixings import the_lake
from tests.stores import new_store

NOON = datetime(2026, 11, 23, 7, tzinfo=UTC)
TODAY = NOON.date()
ROADS = (RateRoad("nbk", "nbk", "https://nbk.example/"), RateRoad("nbt", "nbt", "https://nbt.example/"))
ASK = Request(Address("console", "me"), "/chart")
STORED = 60


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Sixty days of tenge and of roubles in tenge; of somoni only today."""
    store = await new_store(tmp_path / "yamchi.db")
    tenge = [
        RateTable(
            "nbk",
            "KZT",
            TODAY - timedelta(days=n),
            (Fixing("USD", f"{475 + n % 7}.0{n % 10}"), Fixing("RUB", f"5.{n % 9}0")),
        )
        for n in range(-1, STORED - 1)
    ]
    await store.keep_tables(PollState("nbk"), tenge, [], NOON)
    await store.keep_tables(PollState("nbt"), [RateTable("nbt", "TJS", TODAY, (Fixing("USD", "9.3371"),))], [], NOON)
    yield Desk(
        store=store,
        clock=lambda: NOON,
        catalogue=Catalogue((), ROADS),
        zone="Asia/Almaty",
        language="en",
        catch_up=timedelta(hours=6),
        version="0",
        find_feed=the_lake,
    )
    await store.close()


def picture(answer: Answer) -> Picture:
    block = answer.message.blocks[0]
    assert isinstance(block, Picture)
    return block


def file(answer: Answer) -> File:
    (block,) = answer.message.blocks
    assert isinstance(block, File)
    return block


async def refusal(run, desk: Desk, what: str) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        await run(desk, ASK, what)
    return tongue("en").refusal(caught.value)


@pytest.mark.parametrize(
    ("what", "title", "since", "until"),
    [
        ("", "1 USD in KZT", "2026-10-24", "2026-11-23"),
        ("KZT", "1 USD in KZT", "2026-10-24", "2026-11-23"),
        ("тенге 7d", "1 USD in KZT", "2026-11-16", "2026-11-23"),
        ("USD/KZT 30d", "1 USD in KZT", "2026-10-24", "2026-11-23"),
        ("30d rub/kzt", "1 RUB in KZT", "2026-10-24", "2026-11-23"),
        ("KZT 2026-11-01..2026-11-10", "1 USD in KZT", "2026-11-01", "2026-11-10"),
        ("KZT 2026-11-01 – 2026-11-10", "1 USD in KZT", "2026-11-01", "2026-11-10"),
        ("KZT 2026-10", "1 USD in KZT", "2026-10-01", "2026-10-31"),
        ("KZT 2026-11-20", "1 USD in KZT", "2026-11-20", "2026-11-23"),
        ("KZT 2026-11-20..2026-12-31", "1 USD in KZT", "2026-11-20", "2026-11-23"),
    ],
)
async def test_a_pair_and_its_days_are_charted(desk: Desk, what: str, title: str, since: str, until: str):
    shown = picture(await chart(desk, ASK, what))
    assert (shown.title, shown.points[0][0], shown.points[-1][0]) == (title, since, until)


async def test_a_chart_ends_with_what_is_in_force_not_with_what_is_announced(desk: Desk):
    assert picture(await chart(desk, ASK, "KZT")).points[-1] == ("2026-11-23", "475.00")


async def test_more_days_than_are_stored_are_charted_as_far_as_they_go_and_said(desk: Desk):
    answer = await chart(desk, ASK, "KZT 1y")
    assert len(picture(answer).points) == STORED - 1
    assert answer.message.blocks[1].text == "Nothing is stored of the days before 26 Sep 2026."


async def test_the_buttons_of_a_chart_say_commands_that_work(desk: Desk):
    for button in (await chart(desk, ASK, "KZT/RUB 30d")).message.buttons:
        name, _, rest = button.command.removeprefix("/").partition(" ")
        assert (await {"chart": chart, "export": export}[name](desk, ASK, rest)).error is None


async def test_one_figure_is_no_chart_and_what_is_stored_is_told(desk: Desk):
    message, hint = await refusal(chart, desk, "TJS 90d")
    assert message.startswith("Too few figures of USD/TJS are stored from 2026-08-25 to 2026-11-23.")
    assert message.endswith("In all I have 1: 2026-11-23 to 2026-11-23.")
    assert hint == "yamchi backfill --days 91 fetches the history."


async def test_a_pair_nothing_is_stored_of_says_so(desk: Desk):
    message, hint = await refusal(chart, desk, "UZS")
    assert message == "No figures of USD/UZS are stored."
    assert "yamchi backfill --days 31" in hint


@pytest.mark.parametrize(
    "what", ["KZT 2026-11-10..2026-11-01", "KZT 2027-01-01..2027-02-01", "KZT 1900-01-01..2026-11-01"]
)
async def test_days_that_cannot_be_shown_are_refused_with_an_example(desk: Desk, what: str):
    message, hint = await refusal(chart, desk, what)
    assert message.endswith("are no days I could show.")
    assert "2026-10-24..2026-11-23" in hint


async def test_a_day_that_is_none_is_refused(desk: Desk):
    assert (await refusal(chart, desk, "KZT 2026-02-30..2026-11-01"))[0].startswith("There is no such day")


async def test_figures_are_exported_exactly_as_stored(desk: Desk):
    csv = file(await export(desk, ASK, "rates KZT 2026-11-21..2026-11-23"))
    assert csv.name == "USD-KZT_2026-11-21_2026-11-23.csv"
    assert csv.text == "USD/KZT, 21 Nov – 23 Nov 2026: 3 days. Official rates: National Bank of Kazakhstan."
    assert csv.content == (
        "date,base,quote,rate,kind,source\n"
        "2026-11-21,USD,KZT,477.02,official,nbk\n"
        "2026-11-22,USD,KZT,476.01,official,nbk\n"
        "2026-11-23,USD,KZT,475.00,official,nbk\n"
    )


async def test_one_day_is_enough_for_a_file(desk: Desk):
    assert file(await export(desk, ASK, "rates TJS 90d")).content.count("\n") == 2


async def test_what_cannot_be_exported_is_refused(desk: Desk):
    assert (await refusal(export, desk, "alerts"))[0] == "I cannot export alerts."
