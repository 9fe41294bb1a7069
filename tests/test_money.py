from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.compose.quotes import number, percent
from bot.locales import tongue
from bot.models import Fixing, RateTable
from bot.money import (
    change,
    exact_text,
    inverse,
    moved,
    per_unit,
    percent_text,
    printed_change,
    scaled_inverse,
    significant,
)

printed = st.from_regex(r"[1-9][0-9]{0,5}(\.[0-9]{1,6})?", fullmatch=True)
rates = printed.map(Decimal)
nominals = st.sampled_from([10**n for n in range(6)])


def table(**rows: str) -> RateTable:
    return RateTable("nbk", "KZT", date(2026, 4, 2), tuple(Fixing(base, value) for base, value in rows.items()))


def test_a_rate_per_unit_keeps_its_printed_places():
    assert exact_text(per_unit(Fixing("USD", "87.4500"))) == "87.4500"
    assert exact_text(per_unit(Fixing("UZS", "3.91", 100))) == "0.0391"
    assert exact_text(per_unit(Fixing("IRR", "0.4", 100_000))) == "0.000004"
    assert exact_text(per_unit(Fixing("XXX", "0.000001", 100_000))) == "0.00000000001"


def test_changes_are_those_of_the_banks_own_tables():
    assert percent_text(change(Decimal("475.09"), Decimal("478.77"))) == "-0.77"
    assert percent_text(change(1 / Decimal("475.09"), 1 / Decimal("478.77"))) == "+0.77"
    assert percent_text(change(Decimal("12149.84"), Decimal("12142.10"))) == "+0.06"
    assert percent_text(printed_change(Fixing("USD", "475.09", 1, "-3.68"))) == "-0.77"
    assert percent_text(printed_change(Fixing("USD", "475.09", 1, "+3.68"))) == "+0.78"


def test_a_printed_change_that_cannot_be_is_none():
    assert printed_change(Fixing("USD", "475.09", 1, "475.09")) is None
    assert printed_change(Fixing("USD", "475.09")) is None


@pytest.mark.parametrize("tiny", ["-0.00001", "-0.004", "-0.005", "0", "-0", "0.005", "0.0049"])
def test_no_change_has_no_sign(tiny):
    assert percent_text(Decimal(tiny)) == "0.00"


def test_rounding_is_half_even():
    assert [percent_text(Decimal(t)) for t in ("0.015", "0.025", "-0.015", "-0.025")] == [
        "+0.02",
        "+0.02",
        "-0.02",
        "-0.02",
    ]


@pytest.mark.parametrize(
    ("rate", "units", "cost"),
    [
        ("11788.15", 10_000, "0.84831"),
        ("475.09", 100, "0.21049"),
        ("87.4500", 10, "0.11435"),
        ("9.3288", 1, "0.10719"),
        ("3.5", 1, "0.28571"),
        ("10", 1, "0.10000"),
        ("10.001", 10, "0.99990"),
        ("12500", 10_000, "0.80000"),
        ("0.5", 1, "2.0000"),
    ],
)
def test_the_inverse_comes_for_a_round_sum(rate, units, cost):
    found = scaled_inverse(Decimal(rate))
    assert (found[0], exact_text(found[1])) == (units, cost)


def test_significant_digits_include_zeros_and_survive_a_carry():
    assert exact_text(significant(inverse(Decimal(12500)), 6)) == "0.0000800000"
    assert exact_text(significant(Decimal("9.999996"), 6)) == "10.0000"
    assert exact_text(significant(Decimal("123456789"), 6)) == "123457000"


def test_a_table_has_moved_if_one_rate_that_both_hold_differs():
    assert moved(table(USD="475.09", EUR="548"), table(USD="475.09", EUR="549"))
    assert not moved(table(USD="5.40", EUR="548"), table(USD="5.4", EUR="548"))
    assert not moved(table(USD="475.09", EUR="548"), table(USD="475.09"))
    assert not moved(table(USD="475.09"), table(USD="475.09", EUR="548"))


@given(rate=rates)
def test_there_and_back_is_one(rate: Decimal):
    assert significant(rate * inverse(rate), 20) == 1
    assert significant(inverse(inverse(rate)), 20) == rate


@given(rate=rates)
def test_the_round_sum_agrees_with_the_rate(rate: Decimal):
    units, cost = scaled_inverse(rate)
    assert Decimal("0.1") <= cost
    assert cost < 10
    assert len(cost.as_tuple().digits) == 5
    assert abs(cost * rate / units - 1) < Decimal("0.0001")


@given(old=rates, new=rates)
def test_a_change_leads_from_the_old_rate_to_the_new(old: Decimal, new: Decimal):
    percents = change(new, old)
    assert significant(old * (1 + percents / 100), 15) == significant(new, 15)
    direct, opposite = percents / 100, change(inverse(new), inverse(old)) / 100
    assert abs((1 + direct) * (1 + opposite) - 1) < Decimal("1e-15")


@given(old=rates, new=rates)
def test_a_percent_has_a_sign_or_is_zero(old: Decimal, new: Decimal):
    text = percent_text(change(new, old))
    assert text == "0.00" or (text[0] in "+-" and Decimal(text) != 0)
    assert (text[0] == "-") == (Decimal(text) < 0)


@given(value=printed, nominal=nominals)
def test_reading_what_we_print_gives_the_digits_back(value: str, nominal: int):
    text = exact_text(per_unit(Fixing("USD", value, nominal)))
    assert Decimal(text) * nominal == Decimal(value)
    assert "E" not in text
    places = len(value.partition(".")[2]) + len(str(nominal)) - 1
    assert len(text.partition(".")[2]) == places


@given(value=printed)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_reading_a_number_in_any_language_gives_the_digits_back(language: str, value: str):
    shown = number(Decimal(value), tongue(language))
    plain = shown.replace(",", "") if language == "en" else shown.replace("\xa0", "").replace(",", ".")
    assert plain == value


@given(figure=st.decimals(-200, 200, places=6))
@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_percent_reads_the_same_in_any_language(language: str, figure: Decimal):
    shown = percent(figure, tongue(language))
    assert shown.endswith("%")
    assert shown.rstrip("%\xa0").replace(",", ".") == percent_text(figure)
