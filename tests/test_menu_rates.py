from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import Refusal
from bot.locales import tongue
from bot.message import Heading, Table
from bot.models import Address, Answer, Request
from handlers.menu.desk import Desk
from handlers.menu.rates import rates
from handlers.menu.registry import commands
from tests.fixings import desk_of, keep_week
from tests.stores import new_store

ASK = Request(Address("console", "me"), "/rates")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await new_store(tmp_path / "yamchi.db")
    await keep_week(store)
    yield desk_of(store)
    await store.close()


def shown(answer: Answer) -> list[str]:
    assert isinstance(answer.data, dict)
    return [row["quote"] for row in answer.data["rates"]]


def pairs(answer: Answer) -> list[str]:
    assert isinstance(answer.data, dict)
    return [f"{row['base']}/{row['quote']}" for row in answer.data["rates"]]


def lines(answer: Answer) -> list[str]:
    return [block.text for block in answer.message.blocks]


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
        ("usdkzt", "KZT"),
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
    assert lines(answer)[0] == "1 USD = 472.31 KZT"
    assert answer.data["rates"][0]["rate"] == "472.31"
    assert answer.data["rates"][0]["change"]["day"] == "-0.59"
    assert answer.error is None


@pytest.mark.parametrize(
    ("what", "pair", "first", "rate"),
    [
        ("KZT/USD", "KZT/USD", "100 KZT = 0.21173 USD", None),
        ("kgs/kzt", "KGS/KZT", "1 KGS = 5.39957 KZT", None),
        ("сом в тенге", "KGS/KZT", "1 KGS = 5.39957 KZT", None),
        ("uzs usd", "UZS/USD", "10,000 UZS = 0.82306 USD", None),
        ("EUR/KGS", "EUR/KGS", "1 EUR = 101.3500 KGS", "101.3500"),
        ("TMT KZT", "TMT/KZT", "1 TMT = 134.946 KZT", None),
    ],
)
async def test_any_pair_is_answered_in_the_direction_asked(
    desk: Desk, what: str, pair: str, first: str, rate: str | None
):
    answer = await rates(desk, ASK, what)
    assert (pairs(answer), lines(answer)[0]) == ([pair], first)
    assert rate is None or answer.data["rates"][0]["rate"] == rate


@pytest.mark.parametrize("what", ["EUR", "in EUR", "евро", "€"])
async def test_a_foreign_currency_is_a_column_of_the_board(desk: Desk, what: str):
    answer = await rates(desk, ASK, what)
    assert pairs(answer) == [f"EUR/{code}" for code in ("KZT", "KGS", "UZS", "TJS", "TMT")]
    assert answer.data["rates"][4]["kind"] == "cross"
    assert "TMT: cross (Bank of Russia, Central Bank of Turkmenistan)" in "\n".join(lines(answer))


async def test_the_board_has_day_week_and_month(desk: Desk):
    answer = await rates(desk, ASK)
    assert isinstance(answer.message.blocks[0], Heading)
    assert list(answer.data["rates"][0]["change"]) == ["day", "week", "month"]


# --- days, months, spans -----------------------------------------------------------


@pytest.mark.parametrize("what", ["KGS 2026-11-22", "KGS 22.11.2026", "сом на 22.11.2026", "KGS yesterday"])
async def test_the_rate_of_a_date_says_its_own_date_source_and_kind(desk: Desk, what: str):
    answer = await rates(desk, ASK, what)
    assert lines(answer)[0] == "1 USD = 87.4500 KGS"
    assert "In force on 22 Nov 2026." in lines(answer)
    assert "National Bank of the Kyrgyz Republic, official rate of 20 Nov 2026" in lines(answer)
    assert answer.data["rates"][0]["effective_date"] == "2026-11-20"
    assert answer.message.buttons[0].command == "/rates USD/KGS 2026-11-21"


async def test_the_board_of_a_date_shows_that_day_s_figures(desk: Desk):
    answer = await rates(desk, ASK, "2026-11-21")
    table = next(block for block in answer.message.blocks if isinstance(block, Table))
    assert [row[:2] for row in table.rows[1:4]] == [("KZT", "475.09"), ("KGS", "87.4500"), ("UZS", "12,142.10")]


async def test_a_date_that_is_not_stored_says_which_are_and_how_to_get_it(desk: Desk):
    assert await refusal(desk, "KZT 2026-10-31") == (
        "No rate of USD/KZT is stored for 31 Oct 2026. Stored are dates from 19 Nov 2026 to 23 Nov 2026.",
        "yamchi backfill --days 24 fetches the history.",
    )
    assert (await refusal(desk, "2026-10-31"))[0].startswith("No rate of USD/KZT is stored for 31 Oct 2026.")
    assert (await refusal(desk, "KZT 2026-09"))[1] == "yamchi backfill --days 84 fetches the history."
    assert (await refusal(desk, "KZT 2026-11-26"))[0] == "The rate of USD/KZT for 26 Nov 2026 is not known yet."
    assert (await refusal(desk, "KZT 2027-01"))[0] == "The rate of USD/KZT for 1 Jan 2027 is not known yet."
    assert (await refusal(desk, "GBP/KZT 2026-11-20"))[0] == "No rate of GBP/KZT is stored."


async def test_tomorrow_s_rate_is_answered_once_it_is_announced(desk: Desk):
    assert lines(await rates(desk, ASK, "KZT 2026-11-24"))[0] == "1 USD = 470.00 KZT"


async def test_a_month_has_its_average_over_calendar_days_and_its_last_rate(desk: Desk):
    answer = await rates(desk, ASK, "UZS 2026-11")
    assert lines(answer)[:2] == ["USD/UZS, November 2026", "Average: 1 USD = 12,154.07 UZS"]
    assert "The average of the rates in force on 5 calendar days." in lines(answer)
    assert "5 of 23 days are stored: yamchi backfill --days 23 fetches the others." in lines(answer)
    assert answer.data["rates"][0]["rate"] == "12149.84"
    assert answer.data["period"] == {
        "from": "2026-11-01",
        "to": "2026-11-23",
        "days": 5,
        "first": {"rate": "12194.21", "effective_date": "2026-11-19"},
        "last": {"rate": "12149.84", "effective_date": "2026-11-23"},
        "low": {"rate": "12142.10", "effective_date": "2026-11-20"},
        "high": {"rate": "12194.21", "effective_date": "2026-11-19"},
        "average": "12154.07",
        "change": "-0.36",
    }


async def test_a_span_has_first_last_lowest_highest_and_average(desk: Desk):
    answer = await rates(desk, ASK, "kzt/usd 4d")
    table = next(block for block in answer.message.blocks if isinstance(block, Table))
    assert table.rows == (
        ("100 KZT =", "USD", ""),
        ("first", "0.208869", "19 Nov"),
        ("last", "0.211725", "23 Nov"),
        ("lowest", "0.208869", "19 Nov"),
        ("highest", "0.211725", "23 Nov"),
        ("average", "0.210411", "5 days"),
    )
    assert "+1.37% from the first to the last" in lines(answer)
    assert not any("backfill" in line for line in lines(answer))


async def test_a_span_of_the_peg_has_no_percent(desk: Desk):
    text = "\n".join(lines(await rates(desk, ASK, "TMT 30d")))
    assert "Fixed by the central bank since 2015." in text
    assert "%" not in text


@pytest.mark.parametrize("what", ["30d", "2026-10", "EUR 30d"])
async def test_a_span_needs_a_pair(desk: Desk, what: str):
    assert (await refusal(desk, what))[0] == "Of which pair?"


# --- what cannot be answered -------------------------------------------------------


async def test_a_currency_nobody_knows_is_told_what_is_known(desk: Desk):
    assert await refusal(desk, "XYZ") == (
        "I do not know XYZ. I know KZT, KGS, UZS, TJS, TMT, USD, EUR, RUB, CNY.",
        "Try /rates KZT, or /help rates.",
    )


@pytest.mark.parametrize(("what", "meant"), [("KTZ", "KZT"), ("uz", "UZS"), ("TMTT", "TMT")])
async def test_a_slip_of_the_finger_gets_a_suggestion(desk: Desk, what: str, meant: str):
    assert (await refusal(desk, what))[1] == f"Did you mean /rates {meant}?"


async def test_an_ambiguous_word_is_explained(desk: Desk):
    message, hint = await refusal(desk, "som")
    assert message == "“som” may be the Kyrgyz som (KGS) or the Uzbek soum (UZS)."
    assert hint == "Say /rates KGS or /rates UZS."


async def test_twice_the_same_currency_is_no_pair(desk: Desk):
    assert (await refusal(desk, "usd $"))[0] == "That is twice USD."


async def test_a_pair_nobody_prints_is_answered_with_why(desk: Desk):
    answer = await rates(desk, ASK, "GBP/KZT")
    assert lines(answer) == ["KZT: no source is set for it."]
    assert answer.data["rates"][0]["rate"] is None


@pytest.mark.parametrize("what", ["???", "in", "{what}", "\u202eabc", "x" * 4000, "KZT KGS UZS", "<b>KZT", "1e3 usd"])
async def test_anything_else_is_refused_and_repeated_safely(desk: Desk, what: str):
    message, _ = await refusal(desk, what)
    assert message.startswith("I do not know")
    assert len(message) < 150
    assert "\u202e" not in message


def test_the_menu_shows_how_to_ask():
    command = commands()["rates"]
    assert command.usage == "[KZT | USD/KZT | 100 usd kzt] [2026-10-31 | 2026-10 | 30d]"
    assert command.needs == {"rates"}
    assert command.group == "rates"
    assert command.examples[:2] == ("/rates", "/rates KZT")
