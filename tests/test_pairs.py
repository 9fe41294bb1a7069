from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.compose.quotes import cost, inverse_line, rate_line
from bot.compose.rates import board_data
from bot.crosses import DOLLAR, Leg, crossed, history
from bot.locales import tongue
from bot.models import Board, Quote
from bot.money import (
    change,
    converted,
    exact_text,
    inverse,
    money,
    percent_text,
    readable,
    scaled,
    settled,
    significant,
)
from bot.pairs import read_columns, read_history, read_pair, read_period, turn
from bot.periods import calendar
from bot.store import Store
from tests.fixings import FRI, MON, NOON, ROADS, SAT, SUN, THU, TUE, keep, keep_week, printed
from tests.stores import new_store

FIVE_AND_THREE = ("KZT", "KGS", "UZS", "TJS", "TMT", "USD", "EUR", "RUB", "CNY")
EN = tongue("en")


@pytest.fixture
async def store(store: Store) -> Store:
    await keep_week(store)
    return store


async def pair(store: Store, name: str, on: date | None = None, now: datetime = NOON) -> Quote:
    base, quote = name.split("/")
    return await read_pair(store, ROADS, now, base, quote, on)


def close(one: Decimal, other: Decimal) -> bool:
    return abs(one / other - 1) < Decimal("1e-24")


# --- which figure ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rate", "source", "kind"),
    [
        ("USD/KZT", "472.31", "nbk", "official"),
        ("EUR/KZT", "547.22", "nbk", "official"),
        ("CNY/KZT", "65.89", "nbk", "official"),
        ("TJS/KZT", "50.62", "nbk", "official"),
        ("KZT/KGS", "0.1852", "nbkr", "official"),
        ("RUB/KGS", "1.0801", "nbkr", "official"),
        ("KZT/UZS", "25.72", "cbu", "official"),
        ("RUB/TJS", "0.1149", "nbt", "official"),
        ("USD/RUB", "81.1100", "cbr", "official"),
        ("EUR/RUB", "93.6000", "cbr", "official"),
        ("KZT/RUB", "0.170725", "cbr", "official"),
        ("USD/TMT", "3.5", "cbt", "peg"),
    ],
)
async def test_a_pair_is_as_its_issuer_prints_it(store: Store, name: str, rate: str, source: str, kind: str):
    shown = await pair(store, name)
    assert (exact_text(shown.rate), shown.source, shown.kind) == (rate, source, kind)


@pytest.mark.parametrize(
    ("name", "over", "under", "source", "day"),
    [
        ("TMT/UZS", "12149.84", "3.5", "cbt+cbu", MON),
        ("TMT/KZT", "472.31", "3.5", "cbt+nbk", MON),
        ("CNY/KGS", "87.4500", Decimal("81.11") / Decimal("11.395"), "cbr+nbkr", SAT),
        ("EUR/TMT", "3.5", Decimal("81.11") / Decimal("93.6"), "cbr+cbt", SAT),
        ("CNY/UZS", "12149.84", Decimal("81.11") / Decimal("11.395"), "cbr+cbu", SAT),
    ],
)
async def test_what_no_issuer_prints_well_goes_through_the_dollar(
    store: Store, name: str, over: str, under: str | Decimal, source: str, day: date
):
    shown = await pair(store, name)
    assert close(shown.rate, Decimal(over) / Decimal(under))
    assert (shown.kind, shown.source, shown.effective_date) == ("cross", source, day)


async def test_a_row_of_three_digits_is_too_coarse_but_a_dropped_zero_is_a_digit(store: Store):
    assert (await pair(store, "RUB/KZT")).source == "cbr"  # 5.59 at the Kazakh bank
    assert (await pair(store, "KGS/KZT")).source == "nbkr"
    friday = await pair(store, "CNY/KZT", on=FRI)  # "66", which was "66.20" the day before
    assert (exact_text(friday.rate), friday.source) == ("66", "nbk")


async def test_a_coarse_row_is_better_than_none(tmp_path: Path):
    store = await new_store(tmp_path / "yamchi.db")
    await keep(store, printed("nbk", MON, "USD 472.31 KGS 5.4"))
    shown = await pair(store, "KGS/KZT")
    assert (exact_text(shown.rate), shown.kind) == ("5.4", "official")
    await store.close()


async def test_without_the_bank_of_russia_another_table_gives_the_leg(tmp_path: Path):
    store = await new_store(tmp_path / "yamchi.db")
    await keep(store, printed("nbk", MON, "USD 472.31 EUR 547.22"))
    shown = await pair(store, "EUR/TMT")
    assert close(shown.rate, Decimal("3.5") * Decimal("547.22") / Decimal("472.31"))
    assert (shown.kind, shown.issuers) == ("cross", ("nbk", "cbt"))
    await store.close()


async def test_a_pair_without_figures_says_why(tmp_path: Path):
    store = await new_store(tmp_path / "yamchi.db")
    assert (await pair(store, "KGS/KZT")).reason == "no figure yet"
    assert (await read_pair(store, (), NOON, "KGS", "KZT")).reason == "no source is set for it"
    await store.close()


# --- both directions ---------------------------------------------------------------


@pytest.mark.parametrize("on", [None, FRI, SUN])
async def test_there_and_back_is_one_for_every_pair(store: Store, on: date | None):
    for base in FIVE_AND_THREE:
        for quote in FIVE_AND_THREE:
            if base == quote:
                continue
            there, back = await pair(store, f"{base}/{quote}", on), await pair(store, f"{quote}/{base}", on)
            assert there.rate is not None and back.rate is not None
            assert settled(there.rate * back.rate) == 1
            assert (there.source, there.kind, there.effective_date) == (back.source, back.kind, back.effective_date)
            assert (there.day is None) == (back.day is None)
            if there.day is not None:
                assert abs((1 + there.day / 100) * (1 + back.day / 100) - 1) < Decimal("1e-20")


async def test_the_change_is_that_of_the_pair_shown(store: Store):
    assert percent_text((await pair(store, "USD/KZT")).day) == "-0.59"
    assert percent_text((await pair(store, "KZT/USD")).day) == "+0.59"
    cross = await pair(store, "TMT/UZS")
    assert cross.day == change(Decimal("12149.84") / Decimal("3.5"), Decimal("12142.10") / Decimal("3.5"))


async def test_the_peg_has_no_noise_of_its_own(store: Store):
    kzt = await pair(store, "USD/KZT")
    assert percent_text((await pair(store, "TMT/KZT")).day) == percent_text(kzt.day)
    assert (await pair(store, "TMT/USD")).day is None
    assert (await pair(store, "TMT/USD")).kind == "peg"


# --- days --------------------------------------------------------------------------


async def test_a_cross_is_announced_when_both_legs_are_printed_for_that_day(store: Store):
    assert (await pair(store, "TMT/KZT")).announced.effective_date == TUE
    assert close((await pair(store, "TMT/KZT")).announced.rate, Decimal("470.00") / Decimal("3.5"))
    assert (await pair(store, "CNY/KGS")).announced is None
    assert close((await pair(store, "UZS/TMT")).announced.rate, Decimal("3.5") / Decimal("12160.00"))


async def test_the_figure_of_a_date_is_the_one_in_force_then(store: Store):
    sunday = await pair(store, "KZT/KGS", on=SUN)
    assert (exact_text(sunday.rate), sunday.effective_date) == ("0.1841", FRI)
    assert sunday.announced is None
    cross = await pair(store, "TMT/UZS", on=SAT)
    assert (cross.effective_date, close(cross.rate, Decimal("12142.10") / Decimal("3.5"))) == (FRI, True)


async def test_a_date_before_the_first_or_after_the_last_table_has_no_figure(store: Store):
    for name in ("USD/KZT", "KZT/USD", "TMT/UZS", "EUR/USD"):
        assert (await pair(store, name, on=THU - timedelta(1))).rate is None
        assert (await pair(store, name, on=TUE + timedelta(1))).rate is None
    assert exact_text((await pair(store, "USD/KZT", on=TUE)).rate) == "470.00"
    assert (await pair(store, "USD/TMT", on=date(2014, 12, 31))).rate is None
    assert (await pair(store, "EUR/USD", on=SUN)).effective_date == SAT


async def test_a_stale_leg_takes_the_cross_back_to_the_day_both_are_known(store: Store):
    later = NOON + timedelta(days=20)
    await keep(store, printed("nbk", later.date(), "USD 480.00"))
    shown = await pair(store, "CNY/KGS", now=later)
    assert shown.stale
    assert shown.effective_date <= TUE
    fresh_and_stale = await pair(store, "TMT/UZS", now=later)
    assert (fresh_and_stale.stale, fresh_and_stale.effective_date) == (True, TUE)


async def test_the_five_stand_against_any_currency(store: Store):
    board = await read_columns(store, ROADS, NOON, "EUR")
    assert [(quote.quote, quote.kind) for quote in board.quotes] == [
        ("KZT", "official"),
        ("KGS", "official"),
        ("UZS", "official"),
        ("TJS", "official"),
        ("TMT", "cross"),
    ]


# --- history -----------------------------------------------------------------------


async def test_a_history_keeps_the_direction_and_the_carried_days(store: Store):
    there = await read_history(store, ROADS, NOON, "USD", "KZT", THU, MON)
    back = await read_history(store, ROADS, NOON, "KZT", "USD", THU, MON)
    assert [(day, exact_text(rate)) for day, rate in there.days] == [
        (THU, "478.77"),
        (FRI, "475.09"),
        (SAT, "475.09"),
        (SUN, "475.09"),
        (MON, "472.31"),
    ]
    assert back.days == tuple((day, inverse(rate)) for day, rate in there.days)
    assert (back.kind, back.source, back.issuers) == ("official", "nbk", ("nbk",))


async def test_a_crossed_history_has_every_date_on_which_both_legs_are_known(store: Store):
    found = await read_history(store, ROADS, NOON, "CNY", "KGS", THU, MON)
    assert [day for day, _ in found.days] == [THU, FRI, SAT, MON]
    assert (found.kind, found.source) == ("cross", "cbr+nbkr")
    assert found.days[-1][1] == (await pair(store, "CNY/KGS")).rate


async def test_a_period_is_counted_in_calendar_days_in_force(store: Store):
    found = await read_period(store, ROADS, NOON, "USD", "UZS", THU, MON)
    assert [(known.day, known.effective_date) for known in found.days] == [
        (THU, THU),
        (FRI, FRI),
        (SAT, FRI),
        (SUN, FRI),
        (MON, MON),
    ]
    assert exact_text(found.average) == "12154.07"
    assert (found.low.rate, found.high.effective_date, percent_text(found.change)) == (
        Decimal("12142.10"),
        THU,
        "-0.36",
    )
    peg = await read_period(store, ROADS, NOON, "USD", "TMT", THU, MON)
    assert (len(peg.days), peg.change) == (5, None)


def test_a_figure_is_not_carried_over_a_gap_in_what_is_stored():
    first, second = date(2026, 1, 1), date(2026, 2, 1)
    known = list(calendar([(first, Decimal(1)), (second, Decimal(2))], first, second))
    assert [found.day.day for found in known] == [1, 2, 3, 4, 5, 1]


# --- arithmetic and display never contradict each other ------------------------------

rates = st.from_regex(r"[1-9][0-9]{0,4}\.[0-9]{2,4}|0\.0{0,3}[1-9][0-9]{3}", fullmatch=True).map(Decimal)
amounts = st.decimals("0.01", 10**9, places=2).filter(bool)


def leg(code: str, *figures: Decimal) -> Leg:
    """One figure a day, the last one of Monday."""
    days = [(MON - timedelta(n), figure, True) for n, figure in enumerate(reversed(figures))]
    return Leg(code, code.lower(), "", tuple(days))


@given(old=st.tuples(rates, rates), new=st.tuples(rates, rates))
@example(old=(Decimal("0.0001000"), Decimal("20000.00")), new=(Decimal("3000.00"), Decimal("0.0001000")))
def test_crosses_inverses_and_changes_agree(old: tuple[Decimal, Decimal], new: tuple[Decimal, Decimal]):
    base, quote = leg("KZT", old[0], new[0]), leg("UZS", old[1], new[1])
    there, back = crossed(base, quote, MON), crossed(quote, base, MON)
    assert settled(there.rate * back.rate) == 1
    assert abs(turn(there).rate / back.rate - 1) < Decimal("1e-26")
    # a fall by nearly all there is has few digits left to turn: of 28, 18 where rates fall 1e18-fold
    assert abs(turn(there).day - back.day) < Decimal("1e-9") * max(1, abs(back.day))
    through = crossed(base, DOLLAR, MON).rate * crossed(DOLLAR, quote, MON).rate
    assert close(there.rate, through)
    ends = list(history(base, quote, MON - timedelta(1), MON))
    assert there.day == change(ends[1][1], ends[0][1])


@given(old=rates, new=rates)
def test_the_sign_of_a_change_is_that_of_the_figures_shown(old: Decimal, new: Decimal):
    for before, after in ((old, new), (inverse(old), inverse(new)), (old / 7, new / 7)):
        units, _ = scaled(min(before, after))
        places = len(str(units)) - 1
        first, last = (readable(rate.scaleb(places)) for rate in (before, after))
        percent = Decimal(percent_text(change(after, before)))
        if percent:
            assert (last > first) == (percent > 0)
            assert last != first


@given(rate=rates)
def test_the_direct_and_the_inverse_shown_agree_within_half_a_last_place(rate: Decimal):
    for figure in (rate, inverse(rate), rate / 7):
        units, exact = scaled(figure)
        shown = cost(figure, units)
        last_place = Decimal(1).scaleb(shown.as_tuple().exponent)
        assert abs(shown - exact) <= last_place / 2
        assert 0 < shown < units * figure + last_place
        back_units, _ = scaled(inverse(figure))
        back_shown = cost(inverse(figure), back_units)
        off = Decimal("0.5") * (last_place / shown + Decimal(1).scaleb(back_shown.as_tuple().exponent) / back_shown)
        assert abs(shown / units * back_shown / back_units - 1) <= off * Decimal("1.01")


@given(amount=amounts, rate=rates)
def test_a_sum_there_and_back_is_the_same_sum(amount: Decimal, rate: Decimal):
    for back in (converted(converted(amount, rate), inverse(rate)), converted(converted(amount, inverse(rate)), rate)):
        assert abs(back / amount - 1) < Decimal("1e-22")
        assert money(back) == money(amount)


@given(amount=amounts, rate=rates)
def test_a_sum_shown_has_two_places_or_four_digits_and_no_more_error_than_that(amount: Decimal, rate: Decimal):
    for exact in (converted(amount, rate), converted(amount, inverse(rate))):
        shown = money(exact)
        places = -shown.as_tuple().exponent
        assert places == 2 or len(shown.as_tuple().digits) >= 4
        assert places >= 2
        assert abs(shown - exact) <= Decimal(1).scaleb(-places) / 2


@given(rate=rates)
def test_a_quote_and_its_opposite_say_the_same_two_lines(rate: Decimal):
    quote = Quote("EUR", "KZT", "nbk", "official", rate, MON)
    opposite = turn(quote)
    for line in (rate_line(quote, quote.rate, EN), inverse_line(opposite, EN)):
        figure = Decimal(line.split(" = ")[1].split()[0].replace(",", ""))
        units = Decimal(line.split()[0].replace(",", ""))
        assert abs(figure / units / rate - 1) < Decimal("0.0001")
    data = board_data(Board((quote, opposite)))["rates"]
    assert data[0]["inverse"] == exact_text(significant(opposite.rate, 6))
    assert data[1]["inverse"] == exact_text(significant(rate, 6))
