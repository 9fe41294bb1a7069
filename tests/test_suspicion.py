"""Slips of the pen and true jumps: what is held, and what vouches for it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Fixing, RateTable
from bot.suspicion import agree, suspicion, with_holds

MONDAY = date(2026, 12, 7)
FIGURES = st.decimals("0.0001", "1000000", places=4)


def table(day: int, dollar: str, *others: Fixing, quote: str = "UZS", nominal: int = 1) -> RateTable:
    """A table dated so many days after Monday."""
    return RateTable("cbu", quote, MONDAY + timedelta(days=day), (Fixing("USD", dollar, nominal), *others))


def held(*new: RateTable, known: tuple[RateTable, ...] = (), peg: str = "") -> list[list[str]]:
    """The currencies held in each of the new tables, oldest first."""
    return [sorted(base for base, _ in made.held) for made in reversed(with_holds(new, known, peg))]


# --- one figure ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "old", "wrong"),
    [
        ("12150.00", "12142.10", None),
        ("121.5", "12142.10", "slip"),
        ("1215000", "12142.10", "slip"),
        ("1214.21", "12142.10", "slip"),
        ("123.84", "12142.10", "slip"),  # 2 % beside a hundredth
        ("118.90", "12142.10", "jump"),  # too far from a hundredth to be a slip of the comma
        ("13356.31", "12142.10", None),  # exactly +10 %
        ("13356.32", "12142.10", "jump"),
        ("10927.89", "12142.10", None),  # exactly -10 %
        ("10927.88", "12142.10", "jump"),
        ("17971", "12142.10", "jump"),  # as on 5 September 2017
    ],
)
def test_a_dollar_beside_the_last_one(new: str, old: str, wrong: str | None):
    assert suspicion("USD", Decimal(new), Decimal(old), peg=False) == wrong


def test_other_currencies_may_jump_but_not_slip():
    assert suspicion("TMT", Decimal("3469.17"), Decimal("4037.68"), peg=False) is None
    assert suspicion("RUB", Decimal("56.1"), Decimal("5.61"), peg=False) == "slip"


@pytest.mark.parametrize("new", ["3.4998", "3.51", "19.5", "35"])
def test_any_other_figure_than_the_peg_s_is_suspicious(new: str):
    assert suspicion("USD", Decimal(new), Decimal("3.5"), peg=True) == "peg"


def test_the_peg_itself_and_other_rows_beside_it_are_not():
    assert suspicion("USD", Decimal("3.50"), Decimal("3.5"), peg=True) is None
    assert suspicion("EUR", Decimal("4.07"), Decimal("3.9"), peg=True) is None


@given(FIGURES, st.sampled_from([-4, -3, -2, -1, 1, 2, 3, 4]))
def test_a_lost_comma_or_nominal_is_a_slip_of_any_figure_and_currency(old: Decimal, power: int):
    for base in ("USD", "RUB"):
        assert suspicion(base, old.scaleb(power), old, peg=False) == "slip"


@given(FIGURES, st.decimals(-9, 9, places=3))
def test_a_day_s_ordinary_move_is_never_held(old: Decimal, percent: Decimal):
    assert suspicion("USD", old * (1 + percent / 100), old, peg=False) is None


# --- tables --------------------------------------------------------------------


def test_only_the_suspicious_rows_of_a_table_are_held():
    new = table(1, "121.50", Fixing("EUR", "13998.00"))
    assert held(new, known=(table(0, "12142.10", Fixing("EUR", "14010.10")),)) == [["USD"]]


def test_a_first_look_holds_nothing():
    assert held(table(0, "121.50")) == [[]]


def test_a_figure_is_compared_by_the_unit_not_as_printed():
    assert held(table(1, "1215000", nominal=100), known=(table(0, "12142.10"),)) == [[]]


def test_every_new_table_stands_beside_the_last_good_one_before_it():
    new = (table(1, "121.50"), table(2, "12150.00"), table(3, "121.49"))
    assert held(*new, known=(table(0, "12142.10"),)) == [["USD"], [], ["USD"]]


def test_a_slip_that_is_repeated_stays_held():
    new = (table(1, "121.50"), table(2, "121.60"))
    assert held(*new, known=(table(0, "12142.10"),)) == [["USD"], ["USD"]]


def test_a_revision_stands_beside_the_version_that_is_in_force():
    known = (table(0, "12142.10"), table(1, "12150.00"))
    assert held(table(1, "121.50"), known=known) == [["USD"]]
    assert held(table(1, "12150.10"), known=known) == [[]]


def test_later_tables_say_nothing_of_an_earlier_one():
    assert held(table(0, "12142.10"), known=(table(5, "17971"),)) == [[]]


def test_slow_moves_add_up_to_any_height():
    climbing = [table(day, f"{12142 * Decimal('1.09') ** day:.2f}") for day in range(6)]
    assert held(*climbing[1:], known=(climbing[0],)) == [[], [], [], [], []]


def test_a_peg_s_first_table_already_has_the_decree_to_stand_beside():
    assert held(table(0, "3.5", quote="TMT"), peg="3.5") == [[]]
    assert held(table(0, "19.5", quote="TMT"), peg="3.5") == [["USD"]]


# --- witnesses -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "witness", "agreed"),
    [
        ("97.9440", "97.9440", True),
        ("97.9440", "93.28", True),
        ("97.9440", "93.27", False),
        ("97.9440", "87.4500", False),
        ("0.9794", "97.9440", False),
    ],
)
def test_a_witness_agrees_within_five_percent(figure: str, witness: str, agreed: bool):
    assert agree(Decimal(figure), Decimal(witness)) is agreed
