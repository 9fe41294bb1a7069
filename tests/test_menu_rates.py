from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import Refusal
from bot.locales import tongue
from bot.models import Address, Answer, Catalogue, Fixing, PollState, RateRoad, RateTable, Request
from handlers.menu.desk import Desk
from handlers.menu.rates import rates
from handlers.menu.registry import commands
from storage.sqlite import open_store

NOON = datetime(2026, 11, 23, 7, tzinfo=UTC)
NBK = RateRoad("nbk", "nbk", "https://nbk.example/{date:%d.%m.%Y}")
ASK = Request(Address("console", "me"), "/rates")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await open_store(tmp_path / "yamchi.db")
    table = RateTable("nbk", "KZT", date(2026, 11, 23), (Fixing("USD", "475.09", 1, "-3.68"),))
    await store.keep_tables(PollState("nbk"), [table], [], NOON)
    yield Desk(
        store=store,
        clock=lambda: NOON,
        catalogue=Catalogue((), (NBK,)),
        zone="Asia/Almaty",
        language="en",
        catch_up=timedelta(hours=6),
        version="0",
    )
    await store.close()


def shown(answer: Answer) -> list[str]:
    assert isinstance(answer.data, dict)
    return [row["quote"] for row in answer.data["rates"]]


async def refusal(desk: Desk, what: str) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        await rates(desk, ASK, what)
    return tongue("en").refusal(caught.value)


@pytest.mark.parametrize("what", ["", "  ", "USD", "usd", "$"])
async def test_without_a_currency_the_board_comes(desk: Desk, what: str):
    assert shown(await rates(desk, ASK, what)) == ["KZT", "KGS", "UZS", "TJS", "TMT"]


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("KZT", "KZT"),
        ("kzt", "KZT"),
        ("Тенге", "KZT"),
        ("₸", "KZT"),
        ("USD/KZT", "KZT"),
        ("KZT/USD", "KZT"),
        ("usdkzt", "KZT"),
        ("kztusd", "KZT"),
        ("usd in kzt", "KZT"),
        ("доллар в тенге", "KZT"),
        ("KGS", "KGS"),
        ("сом", "KGS"),
        ("soum", "UZS"),
        ("so‘m", "UZS"),
        ("soʻm", "UZS"),
        ("сум", "UZS"),
        ("сомони", "TJS"),
        ("somoni", "TJS"),
        ("манат", "TMT"),
        ("USD-TMT", "TMT"),
    ],
)
async def test_a_currency_is_known_by_its_code_and_its_names(desk: Desk, what: str, code: str):
    assert shown(await rates(desk, ASK, what)) == [code]


async def test_one_currency_is_answered_with_message_and_data_alike(desk: Desk):
    answer = await rates(desk, ASK, "KZT")
    assert answer.message.blocks[0].text == "1 USD = 475.09 KZT"
    assert answer.data["rates"][0]["rate"] == "475.09"
    assert answer.data["rates"][0]["change"]["day"] == "-0.77"
    assert answer.error is None


async def test_a_currency_nobody_knows_is_told_what_is_known(desk: Desk):
    assert await refusal(desk, "XYZ") == (
        "I do not know XYZ. I know KZT, KGS, UZS, TJS, TMT.",
        "Try /rates KZT, or /rates for all of them.",
    )


@pytest.mark.parametrize(("what", "meant"), [("KTZ", "KZT"), ("uz", "UZS"), ("TMTT", "TMT")])
async def test_a_slip_of_the_finger_gets_a_suggestion(desk: Desk, what: str, meant: str):
    assert (await refusal(desk, what))[1] == f"Did you mean /rates {meant}?"


async def test_an_ambiguous_word_is_explained(desk: Desk):
    message, hint = await refusal(desk, "usd som")
    assert message == "“som” may be the Kyrgyz som (KGS) or the Uzbek soum (UZS)."
    assert hint == "Say /rates KGS or /rates UZS."


async def test_a_pair_without_the_dollar_is_refused_plainly(desk: Desk):
    message, hint = await refusal(desk, "kzt/kgs")
    assert message == "I show rates against the dollar only, so not KZT/KGS."
    assert hint == "Try /rates KZT, or /rates for all of them."


@pytest.mark.parametrize("what", ["???", "100 usd kzt", "in", "{what}", "\u202e", "x" * 4000, "KZT KGS UZS", "<b>KZT"])
async def test_anything_else_is_refused_and_repeated_safely(desk: Desk, what: str):
    message, _ = await refusal(desk, what)
    assert message.startswith("I do not know")
    assert len(message) < 150
    assert "\u202e" not in message


def test_the_menu_shows_how_to_ask():
    command = commands()["rates"]
    assert command.usage == "[KZT | USD/KZT]"
    assert command.needs == {"rates"}
    assert command.group == "rates"
    assert command.examples == ("/rates", "/rates KZT")
