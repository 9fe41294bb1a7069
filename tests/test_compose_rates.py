from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from bot.compose.fixings import announcement
from bot.compose.rates import board, board_data, one
from bot.locales import tongue
from bot.message import Heading, Link, Message, Paragraph, Table
from bot.models import Announced, Board, Quote
from bot.money import inverse
from bot.pairs import turn

EN, RU = tongue("en"), tongue("ru")
TODAY = date(2026, 11, 23)
TOMORROW = date(2026, 11, 24)


def quote(code: str, rate: str, source: str, **more: object) -> Quote:
    known: dict[str, object] = {"effective_date": TODAY, **more}
    return Quote("USD", code, source, rate=Decimal(rate), **{"kind": "official", **known})  # type: ignore[arg-type]


KZT = quote(
    "KZT",
    "442.05",
    "nbk",
    day=Decimal("-0.768636"),
    week=Decimal("1.2"),
    month=Decimal("-0.001"),
    announced=Announced(Decimal("440.77"), TOMORROW),
)
KGS = quote("KGS", "87.4500", "nbkr", day=Decimal("-0.00001"))
UZS = quote("UZS", "11788.15", "cbu", day=Decimal("0.29"), stale=True, effective_date=date(2026, 11, 13))
TJS = Quote("USD", "TJS", "nbt", "official", reason="no figure yet")
TMT = quote("TMT", "3.5", "cbt", kind="peg", effective_date=date(2015, 1, 1))
SOMONI = quote("TJS", "9.3288", "nbt")
BOARD = Board((KZT, KGS, UZS, TJS, TMT))


def texts(message: Message) -> Iterator[str]:
    for block in message.blocks:
        match block:
            case Table(text, rows):
                yield text
                yield from (" ".join(row) for row in rows)
            case Heading(text) | Paragraph(text) | Link(text):
                yield text


def whole(message: Message) -> str:
    return "\n".join(texts(message))


def table(message: Message) -> tuple[tuple[str, ...], ...]:
    return next(block.rows for block in message.blocks if isinstance(block, Table))


# --- the board -----------------------------------------------------------------


def test_the_board_lines_up_currency_rate_and_change():
    assert table(board(BOARD, EN)) == (
        ("1 USD =", "", "day"),
        ("KZT", "442.05", "-0.77%"),
        ("KGS", "87.4500", "0.00%"),
        ("UZS", "11,788.15", "+0.29%"),
        ("TJS", "—", ""),
        ("TMT", "3.5", "fixed"),
    )


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_board_fits_a_phone(language: str):
    shown = board(BOARD, tongue(language), spans=True)
    tables = [block.rows for block in shown.blocks if isinstance(block, Table)]
    assert len(tables) == 2
    for rows in tables:
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        assert sum(widths) + 2 * 2 <= 34


def test_the_changes_of_week_and_month_have_a_table_of_their_own():
    tables = [block.rows for block in board(BOARD, EN, spans=True).blocks if isinstance(block, Table)]
    assert tables[1] == (("", "week", "month"), ("KZT", "+1.20%", "0.00%"))
    bare = Board((KGS, TMT))
    assert len([block for block in board(bare, EN, spans=True).blocks if isinstance(block, Table)]) == 1


# --- other bases -----------------------------------------------------------------


def test_a_board_is_for_as_many_units_as_make_every_figure_readable():
    roubles = Board(
        (
            Quote("RUB", "KZT", "cbr", "official", inverse(Decimal("0.163172")), TODAY, issuers=("nbk",)),
            Quote("RUB", "TMT", "cbr+cbt", "cross", Decimal("3.5") / Decimal("81.06"), TODAY, issuers=("cbt", "nbk")),
        )
    )
    assert table(board(roubles, EN)) == (("10 RUB =", "", "day"), ("KZT", "61.2850", ""), ("TMT", "0.43178", ""))
    assert "TMT: cross (Central Bank of Turkmenistan, National Bank of Kazakhstan), 23 Nov" in whole(board(roubles, EN))


def test_a_pair_turned_round_is_shown_for_a_round_sum_and_so_is_what_is_announced():
    assert list(texts(one(turn(KZT), EN)))[:4] == [
        "100 KZT = 0.22622 USD",
        "1 USD = 442.05 KZT",
        "+0.77% in a day · -1.19% in a week · 0.00% in a month",
        "Announced from 24 Nov: 0.22688 (+0.29%)",
    ]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("official", "National Bank of Kazakhstan, official rate of 23 Nov 2026"),
        ("cross", "Crossed through the dollar (National Bank of Kazakhstan), rate of 23 Nov 2026"),
        ("market", "somebody, market rate of 23 Nov 2026, indicative"),
    ],
)
def test_every_kind_is_said_plainly(kind: str, said: str):
    issuers = () if kind == "market" else ("nbk",)
    shown = Quote("EUR", "KZT", "somebody", kind, Decimal("550.60"), TODAY, issuers=issuers)  # type: ignore[arg-type]
    assert said in list(texts(one(shown, EN)))
    assert ("official rate" in whole(one(shown, EN))) == (kind != "market")


def test_the_rate_of_a_day_says_the_day_asked_for_and_its_own():
    lines = list(texts(one(KZT, EN, on=TOMORROW)))
    assert "In force on 24 Nov 2026." in lines
    assert "National Bank of Kazakhstan, official rate of 23 Nov 2026" in lines
    assert one(KZT, EN, on=TOMORROW, before=TODAY).buttons[0].command == "/rates USD/KZT 2026-11-23"
    assert one(KZT, EN, on=TOMORROW).buttons[0].command == "/rates USD/KZT"


def test_the_board_says_what_to_know_about_a_figure():
    text = whole(board(BOARD, EN))
    assert "Official rates, 23 Nov 2026" in text
    assert "KZT from 24 Nov: 440.77 (-0.29%)" in text
    assert "UZS is stale: as of 13 Nov" in text
    assert "TJS: no figure yet." in text
    assert "100 KZT = 0.22622 USD · 10 KGS = 0.11435 USD · 10,000 UZS = 0.84831 USD · 1 TMT = 0.28571 USD" in text
    assert "KZT: National Bank of Kazakhstan, 23 Nov" in text
    assert "TMT: fixed by the Central Bank of Turkmenistan since 2015" in text
    assert "not a bank's or a cash rate" in text


def test_the_tajik_bank_gets_its_attribution():
    assert "www.nbt.tj" in whole(board(Board((SOMONI,)), EN))
    assert "www.nbt.tj" in whole(one(SOMONI, EN))
    assert "www.nbt.tj" not in whole(board(BOARD, EN))


def test_a_date_of_another_year_says_its_year():
    old = quote("UZS", "11788.15", "cbu", stale=True, effective_date=date(2025, 12, 30))
    assert "UZS is stale: as of 30 Dec 2025" in whole(board(Board((KZT, old)), EN))


def test_every_currency_has_its_button():
    columns = ("KZT", "KGS", "UZS", "TJS", "TMT", "EUR", "RUB", "CNY")
    assert [button.command for button in board(BOARD, EN).buttons] == [f"/rates {code}" for code in columns]
    assert [button.command for button in one(KZT, EN).buttons] == ["/rates USD", "/rates KZT/USD", "/rates USD/KZT 30d"]
    euro = Board((Quote("EUR", "KZT", "nbk", "official", Decimal("550.60"), TODAY),))
    assert [button.command for button in board(euro, EN).buttons] == [
        "/rates EUR/KZT",
        "/rates USD",
        "/rates RUB",
        "/rates CNY",
    ]


def test_a_board_without_any_figure_says_so_for_each():
    empty = Board((TJS, Quote("USD", "KZT", "", "official", reason="no source is set for it")))
    text = whole(board(empty, EN))
    assert "TJS: no figure yet." in text
    assert "KZT: no source is set for it." in text
    assert "=" not in text


# --- one currency --------------------------------------------------------------


def test_one_currency_has_the_direct_quote_first():
    lines = list(texts(one(KZT, EN)))
    assert lines[:2] == ["1 USD = 442.05 KZT", "100 KZT = 0.22622 USD"]
    assert "-0.77% in a day · +1.20% in a week · 0.00% in a month" in lines
    assert "Announced from 24 Nov: 440.77 (-0.29%)" in lines
    assert "National Bank of Kazakhstan, official rate of 23 Nov 2026" in lines
    assert one(KZT, EN).blocks[0].spans[0].end == len(lines[0])


def test_one_stale_currency_says_since_when():
    assert "This figure is stale: as of 13 Nov 2026." in whole(one(UZS, EN))


def test_the_peg_says_that_it_is_one():
    text = whole(one(TMT, EN))
    assert "1 USD = 3.5 TMT" in text
    assert "Fixed by the central bank since 2015. Cash trades at other rates." in text
    assert "%" not in text


def test_a_missing_currency_says_why():
    assert list(texts(one(TJS, EN))) == ["TJS: no figure yet."]


def test_tomorrow_s_rate_alone_is_marked_as_such():
    only = quote("KGS", "87.4500", "nbkr", effective_date=TOMORROW, announced=Announced(Decimal("87.4500"), TOMORROW))
    assert "Announced from 24 Nov: 87.4500" in list(texts(one(only, EN)))
    assert "KGS from 24 Nov: 87.4500" in list(texts(board(Board((only,)), EN)))


# --- a push --------------------------------------------------------------------


def test_an_announcement_tells_the_new_rate_its_day_and_its_change():
    lines = list(texts(announcement(KZT, EN)))
    assert lines == ["1 USD = 440.77 KZT from 24 Nov, -0.29%", "National Bank of Kazakhstan"]


def test_a_fixing_in_force_at_once_is_announced_too():
    assert next(texts(announcement(KGS, EN))) == "1 USD = 87.4500 KGS from 23 Nov, 0.00%"
    assert "www.nbt.tj" in whole(announcement(SOMONI, EN))
    assert next(texts(announcement(SOMONI, EN))) == "1 USD = 9.3288 TJS from 23 Nov"


# --- languages and figures -----------------------------------------------------


def test_russian_writes_numbers_its_own_way_and_codes_ours():
    text = whole(board(BOARD, RU)) + whole(one(TMT, RU))
    assert "11\xa0788,15" in text
    assert "-0,77\xa0%" in text
    assert "нояб" in text
    assert "TMT" in text
    assert "ТМТ" not in text  # Babel's Russian symbol of the manat, in Cyrillic letters


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_message_says_the_figures_of_the_data(language: str):
    def plain(text: str) -> str:
        return text.replace(",", "") if language == "en" else text.replace("\xa0", "").replace(",", ".")

    shown = board(BOARD, tongue(language))
    data = board_data(BOARD)["rates"]
    assert isinstance(data, list)
    for row, told in zip(table(shown)[1:], data, strict=True):
        assert row[0] == told["quote"]
        assert plain(row[1]) == (told["rate"] or "—")
        if told["change"]["day"]:
            assert plain(row[2]).rstrip("%") == told["change"]["day"]
        if told["announced"]:
            assert told["announced"]["rate"] in plain(whole(shown))
        alone = plain(whole(one(next(q for q in BOARD.quotes if q.quote == told["quote"]), tongue(language))))
        for figure in (told["rate"], *told["change"].values()):
            assert figure is None or figure in alone


@pytest.mark.parametrize("language", ["en", "ru"])
def test_no_message_holds_a_figure_that_says_nothing(language: str):
    speech = tongue(language)
    for message in (board(BOARD, speech), *(one(q, speech) for q in BOARD.quotes), announcement(KGS, speech)):
        text = whole(message)
        for bad in ("-0%", "-0.00%", "-0,00", "0.00008 ", "E-", "None", "{", "}"):
            assert bad not in text


def test_the_data_have_the_documented_shape():
    assert board_data(BOARD)["as_of"] == "2026-11-23"
    assert board_data(Board((KZT, UZS, TJS, TMT)))["rates"] == [
        {
            "base": "USD",
            "quote": "KZT",
            "rate": "442.05",
            "inverse": "0.00226219",
            "effective_date": "2026-11-23",
            "announced": {"rate": "440.77", "effective_date": "2026-11-24"},
            "source": "nbk",
            "kind": "official",
            "stale": False,
            "change": {"day": "-0.77", "week": "+1.20", "month": "0.00"},
        },
        {
            "base": "USD",
            "quote": "UZS",
            "rate": "11788.15",
            "inverse": "0.0000848310",
            "effective_date": "2026-11-13",
            "announced": None,
            "source": "cbu",
            "kind": "official",
            "stale": True,
            "change": {"day": "+0.29", "week": None, "month": None},
        },
        {
            "base": "USD",
            "quote": "TJS",
            "rate": None,
            "inverse": None,
            "effective_date": None,
            "announced": None,
            "source": "nbt",
            "kind": "official",
            "stale": False,
            "change": {"day": None, "week": None, "month": None},
            "reason": "no figure yet",
        },
        {
            "base": "USD",
            "quote": "TMT",
            "rate": "3.5",
            "inverse": "0.285714",
            "effective_date": "2015-01-01",
            "announced": None,
            "source": "cbt",
            "kind": "peg",
            "stale": False,
            "change": {"day": None, "week": None, "month": None},
        },
    ]
    assert json.loads(json.dumps(board_data(BOARD))) == board_data(BOARD)
