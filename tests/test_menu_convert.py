from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import Refusal
from bot.locales import tongue
from bot.models import Address, Answer, Request
from handlers.menu.convert import convert, send
from handlers.menu.desk import Desk
from handlers.menu.rates import rates
from handlers.menu.registry import Run, commands
from tests.fixings import desk_of, keep_week
from tests.stores import new_store

ASK = Request(Address("console", "me"), "/convert")
RUSSIAN = Request(Address("console", "я"), "/convert", language="ru")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = await new_store(tmp_path / "yamchi.db")
    await keep_week(store)
    yield desk_of(store)
    await store.close()


def lines(answer: Answer) -> list[str]:
    return [block.text for block in answer.message.blocks]


async def refusal(run: Run, desk: Desk, what: str) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        await run(desk, ASK, what)
    return tongue("en").refusal(caught.value)


@pytest.mark.parametrize("run", [convert, rates])
async def test_a_sum_is_answered_with_its_rate_and_where_it_is_from(desk: Desk, run: Run):
    answer = await run(desk, ASK, "100 usd in kzt")
    assert lines(answer) == [
        "100 USD = 47,231.00 KZT",
        "1 USD = 472.31 KZT",
        "100 KZT = 0.21173 USD",
        "National Bank of Kazakhstan, official rate of 23 Nov 2026",
        "An official rate, not a bank's or a cash rate.",
    ]
    assert answer.data == {
        "amount": "100",
        "base": "USD",
        "quote": "KZT",
        "result": "47231.00",
        "rate": "472.31",
        "effective_date": "2026-11-23",
        "source": "nbk",
        "kind": "official",
    }
    assert [button.command for button in answer.message.buttons] == [
        "/convert 100 KZT in USD",
        "/convert 100 USD in KZT on 2026-11-22",
    ]


@pytest.mark.parametrize(
    ("what", "first"),
    [
        ("47231 kzt usd", "47,231 KZT = 100.00 USD"),
        ("1 000,50 евро в сомы", "1,000.50 EUR = 101,400.68 KGS"),
        ("5k usd kzt", "5,000 USD = 2,361,550.00 KZT"),
        ("1 uzs in usd", "1 UZS = 0.00008231 USD"),
        ("100 тенге", "100 KZT = 0.21173 USD"),
        ("100 somoni", "100 TJS = 10.72 USD"),
        ("100 usd in kzt on 2026-11-20", "100 USD = 47,509.00 KZT"),
        ("100 usd in kzt on 22.11.2026", "100 USD = 47,509.00 KZT"),
        ("usd in kzt", "100 USD = 47,231.00 KZT"),
    ],
)
async def test_sums_are_understood_and_said_again_in_clear(desk: Desk, what: str, first: str):
    assert lines(await convert(desk, ASK, what))[0] == first


async def test_russian_writes_its_own_way_and_reads_its_own_comma(desk: Desk):
    assert lines(await convert(desk, RUSSIAN, "1,000 usd в тенге"))[0] == "1,000 USD = 472,31 KZT"
    assert lines(await convert(desk, RUSSIAN, "1 000 usd в тенге"))[0] == "1\xa0000 USD = 472\xa0310,00 KZT"
    assert lines(await convert(desk, ASK, "1,000 usd in kzt"))[0] == "1,000 USD = 472,310.00 KZT"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("1 usd in kzt", ["1 USD = 472.31 KZT", "100 KZT = 0.21173 USD"]),
        ("10000 uzs in usd", ["10,000 UZS = 0.82306 USD", "1 USD = 12,149.84 UZS"]),
    ],
)
async def test_a_sum_that_is_the_rate_itself_is_said_once(desk: Desk, what: str, said: list[str]):
    assert lines(await convert(desk, ASK, what))[:-2] == said


async def test_there_and_back_is_the_same_sum(desk: Desk):
    there = await convert(desk, ASK, "1000 kgs kzt")
    back = await convert(desk, ASK, f"{there.data['result'][:15]} kzt kgs")
    assert back.data["result"][:8] in ("1000.000", "999.9999")


async def test_a_sum_without_a_target_goes_to_all_five(desk: Desk):
    answer = await convert(desk, ASK, "100 eur")
    assert answer.message.blocks[0].rows == (
        ("100 EUR =", ""),
        ("KZT", "54,722.00"),
        ("KGS", "10,135.00"),
        ("UZS", "1,400,300.00"),
        ("TJS", "1,087.99"),
        ("TMT", "403.90"),
    )
    assert [row["quote"] for row in answer.data] == ["KZT", "KGS", "UZS", "TJS", "TMT"]
    assert (await convert(desk, ASK)).data[0]["amount"] == "100"


async def test_the_tajik_bank_s_note_goes_with_its_figure_and_no_other(desk: Desk):
    assert any("www.nbt.tj" in line for line in lines(await convert(desk, ASK, "100 usd tjs")))
    assert any("www.nbt.tj" in line for line in lines(await convert(desk, ASK, "100 tjs tmt")))
    assert any("www.nbt.tj" in line for line in lines(await send(desk, ASK, "100 rub tjs")))
    assert not any("www.nbt.tj" in line for line in lines(await convert(desk, ASK, "100 tjs kzt")))


async def test_a_cross_and_a_peg_are_called_so(desk: Desk):
    cross = lines(await convert(desk, ASK, "100 tmt kzt"))
    assert (
        "Crossed through the dollar (Central Bank of Turkmenistan, National Bank of Kazakhstan), rate of 23 Nov 2026"
        in (cross)
    )
    assert "Fixed by the central bank since 2015. Cash trades at other rates." in lines(
        await convert(desk, ASK, "100 usd tmt")
    )


async def test_a_date_not_stored_and_a_pair_without_figures_are_told(desk: Desk):
    assert (await refusal(convert, desk, "100 usd kzt on 2026-10-31"))[1] == (
        "yamchi backfill --days 24 fetches the history."
    )
    answer = await convert(desk, ASK, "100 gbp kzt")
    assert lines(answer) == ["GBP/KZT: no source is set for it."]
    assert (answer.data["result"], answer.data["reason"]) == (None, "no source is set for it")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("100", "100 of which currency?"),
        ("100 usd usd", "That is twice USD."),
        ("-1 usd kzt", "The amount must be more than zero."),
        ("100 usd kzt 30d", "A sum is converted at the rate of one day."),
        ("100 usd kzt fee 1%", "A fee is a matter of /send."),
        ("100 usd in som", "“som” may be the Kyrgyz som (KGS) or the Uzbek soum (UZS)."),
        ("100 doubloons", "I do not know doubloons."),
    ],
)
async def test_what_cannot_be_converted_is_refused_plainly(desk: Desk, what: str, message: str):
    assert (await refusal(convert, desk, what))[0].startswith(message)


# --- sending -----------------------------------------------------------------------


async def test_what_arrives_is_told_against_the_best_and_the_worst_day(desk: Desk):
    answer = await send(desk, ASK, "30000 RUB KGS fee 1%")
    assert lines(answer) == [
        "30,000 RUB less a fee of 300.00 RUB: 32,078.97 KGS arrive",
        "1 RUB = 1.0801 KGS",
        "In the last 4 days: at best 32,078.97 KGS (23 Nov), at worst 32,016.60 KGS (20 Nov)",
        "Today against the best: 0.00%",
        "National Bank of the Kyrgyz Republic, official rate of 23 Nov 2026",
        "An official rate, not a bank's or a cash rate.",
    ]
    assert answer.data is None


@pytest.mark.parametrize(
    ("what", "first"),
    [
        ("30000 RUB KGS", "30,000 RUB: 32,403.00 KGS arrive"),
        ("30000 RUB KGS fee 500", "30,000 RUB less a fee of 500.00 RUB: 31,862.95 KGS arrive"),
        ("30 000 руб в сомы комиссия 1 000 сомов", "30,000 RUB less a fee of 1,000.00 KGS: 31,403.00 KGS arrive"),
        ("30000 rub kgs 2,5%", "30,000 RUB less a fee of 750.00 RUB: 31,592.92 KGS arrive"),
        ("", "30,000 RUB less a fee of 300.00 RUB: 32,078.97 KGS arrive"),
    ],
)
async def test_a_fee_is_a_share_or_a_sum_in_either_currency(desk: Desk, what: str, first: str):
    assert lines(await send(desk, ASK, what))[0] == first


async def test_a_rate_that_never_moved_has_no_best_day(desk: Desk):
    assert not any("best" in line for line in lines(await send(desk, ASK, "500 usd kgs")))


async def test_a_missing_rate_sends_nothing(desk: Desk):
    assert lines(await send(desk, ASK, "500 gbp kgs")) == ["GBP/KGS: no source is set for it."]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("500 usd", "From which currency into which?"),
        ("500 usd kgs fee 500", "Such a fee leaves nothing to send."),
        ("500 usd kgs fee 100%", "Such a fee leaves nothing to send."),
        ("500 usd kgs fee 50000 kgs", "Such a fee leaves nothing to send."),
        ("500 usd kgs fee -1", "Such a fee leaves nothing to send."),
        ("500 usd kgs fee 5 eur", "The fee is in EUR, the sum goes from USD to KGS."),
        ("500 usd kgs 2026-11-20", "/send is about today."),
        ("500 usd kgs fee", "I do not know"),
    ],
)
async def test_what_cannot_be_sent_is_refused_plainly(desk: Desk, what: str, message: str):
    assert (await refusal(send, desk, what))[0].startswith(message)


def test_the_menu_shows_how_to_ask():
    assert commands()["convert"].usage == "[100 usd in kzt] [on DATE]"
    assert commands()["send"].usage == "[30000 RUB KGS] [fee 1%]"
