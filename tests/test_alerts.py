"""When an alert fires, when it is withheld and why; tables of cases, and what must hold of every series."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts import (
    Correction,
    Fire,
    Turn,
    Verdict,
    Withhold,
    back_at,
    corrected_dates,
    evaluate,
    holds,
    since_set,
    smallest_move,
)
from bot.models import Alert, Fixing, RateTable
from tests.sights import NOW, TODAY, alert, sight

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ABOVE, BELOW = alert("above", "520"), alert("below", "500")
PERCENT, WEEK = alert("move", "1"), alert("move", "2", days=7)


def told(verdict: Verdict | None) -> str:
    """ "fires", the reason it is withheld, "arms", "disarms", "corrects", "undoes" or "nothing"."""
    if isinstance(verdict, Fire):
        return "fires"
    if isinstance(verdict, Withhold):
        return verdict.reason
    if isinstance(verdict, Turn):
        return "arms" if verdict.alert.armed else "disarms"
    if isinstance(verdict, Correction):
        return "corrects" if verdict.holds else "undoes"
    return "nothing"


@pytest.mark.parametrize(
    ("order", "figures", "verdict"),
    [
        (ABOVE, "519.00 521.00", "fires"),
        (ABOVE, "519.00 520.00", "nothing"),  # above is above
        (ABOVE, "519.00 519.99", "nothing"),
        (ABOVE, "520.00 520.01", "step"),
        (ABOVE, "520.00 520.02", "fires"),
        (ABOVE, "520.00 520.01 520.02", "fires"),  # two steps from the last figure that was not above
        (ABOVE, "520.00 520.01 520.01", "nothing"),  # carried forward
        (ABOVE, "521.00 522.00", "disarms"),  # it was above before anybody looked
        (ABOVE, "521.00", "disarms"),
        (ABOVE, "519.00", "nothing"),
        (ABOVE, "519.00 - - - - - - - 521.00", "fires"),  # nobody could look in between
        (BELOW, "501.00 499.00", "fires"),
        (BELOW, "501.00 500.00", "nothing"),
        (BELOW, "500.00 499.99", "step"),
        (BELOW, "501.00 502.00", "nothing"),
        (replace(ABOVE, armed=False), "521.00 522.00", "nothing"),
        (replace(ABOVE, armed=False), "521.00 518.00", "nothing"),  # not back by half a per cent
        (replace(ABOVE, armed=False), "521.00 517.40", "arms"),
        (replace(ABOVE, armed=False), "519.00 521.00", "not_back"),
        (replace(BELOW, armed=False), "499.00 502.50", "arms"),
        (replace(BELOW, armed=False), "499.00 502.49", "nothing"),
        (replace(ABOVE, snoozed_until=NOW + HOUR), "519.00 521.00", "snoozed"),
        (replace(ABOVE, paused_at=NOW - HOUR), "519.00 521.00", "paused"),
        (replace(ABOVE, paused_at=NOW - HOUR, paused_until=NOW + HOUR), "519.00 521.00", "paused"),
        (replace(ABOVE, paused_at=NOW - HOUR, paused_until=NOW), "519.00 521.00", "fires"),
        (replace(ABOVE, snoozed_until=NOW - HOUR), "519.00 521.00", "fires"),
        (replace(ABOVE, expires_at=NOW), "519.00 521.00", "nothing"),
        (replace(ABOVE, expires_at=NOW + HOUR), "519.00 521.00", "fires"),
        (replace(ABOVE, state="fired"), "519.00 521.00", "nothing"),
        (replace(ABOVE, state="ended"), "519.00 521.00", "nothing"),
        (replace(ABOVE, standing=True, fired_at=NOW - 19 * HOUR, told_on=TODAY - DAY), "519 521", "often"),
        (replace(ABOVE, standing=True, fired_at=NOW - 20 * HOUR, told_on=TODAY - DAY), "519 521", "fires"),
        (replace(ABOVE, standing=True, fired_at=NOW - 30 * HOUR, told_on=TODAY), "519 521", "nothing"),
        (
            replace(ABOVE, standing=True, fired_at=NOW + 20 * HOUR, told_on=TODAY - DAY),
            "519 521",
            "often",
        ),  # clock back
        (PERCENT, "500.00 505.00", "fires"),
        (PERCENT, "500.00 495.00", "fires"),
        (PERCENT, "500.00 504.99", "nothing"),
        (PERCENT, "500.00 505.00 505.00", "nothing"),  # carried forward
        (PERCENT, "500.00 500.00 505.00", "fires"),  # from Friday's to Monday's
        (PERCENT, "505.00", "nothing"),  # the first look
        (replace(PERCENT, level=Decimal("0.001")), "500.00 500.01", "step"),
        (replace(PERCENT, told_on=TODAY, told_rate=Decimal(505)), "500.00 505.00", "nothing"),
        (WEEK, "500 501 502 503 504 505 506 510", "fires"),
        (WEEK, "500 501 502 503 504 505 506 509", "nothing"),
        (WEEK, "- - - 503 504 505 506 515", "nothing"),  # the figure of seven days ago is not stored
        (WEEK, "500 510 510 510 510 510 510 510", "nothing"),  # the figure did not move today
        (replace(WEEK, told_on=TODAY - DAY, told_rate=Decimal(510)), "500 501 502 503 504 505 510 511", "told"),
        (replace(WEEK, told_on=TODAY - DAY, told_rate=Decimal(510)), "500 501 502 503 504 505 510 521", "fires"),
        (replace(WEEK, told_on=TODAY - 7 * DAY, told_rate=Decimal(500)), "500 501 502 503 504 505 506 510", "fires"),
    ],
)
def test_what_a_new_figure_means_to_an_alert(order: Alert, figures: str, verdict: str):
    assert told(evaluate(order, sight(*figures.split()), NOW)) == verdict


def test_an_alert_for_once_is_over_when_it_has_fired_and_a_standing_one_waits_to_be_armed():
    seen = sight("519.00", "521.00")
    once, standing = (evaluate(replace(ABOVE, standing=often), seen, NOW) for often in (False, True))
    assert isinstance(once, Fire) and isinstance(standing, Fire)
    assert (once.alert.state, standing.alert.state, standing.alert.armed) == ("fired", "active", False)
    assert (once.alert.told_on, once.alert.told_rate, once.alert.told_source) == (TODAY, Decimal(521), "nbk")
    assert (once.step.before, once.step.before_on, once.step.rate) == (Decimal(519), TODAY - DAY, Decimal(521))


@pytest.mark.parametrize(
    ("order", "figures", "already"),
    [
        (ABOVE, "519 521", True),
        (ABOVE, "519 520", False),
        (BELOW, "501 499", True),
        (PERCENT, "500 505", True),
        (PERCENT, "500 504", False),
        (PERCENT, "505", False),
    ],
)
def test_what_is_so_already_is_not_told_and_then_only_after_it_was_otherwise(order: Alert, figures: str, already: bool):
    seen = sight(*figures.split())
    fresh = since_set(order, seen)
    assert holds(order, seen) == already
    assert told(evaluate(fresh, seen, NOW)) == "nothing"
    assert fresh.armed != (already and order.way != "move")


def test_a_line_is_armed_half_a_percent_back_but_at_least_two_steps():
    assert back_at(ABOVE, Decimal("0.01")) == Decimal("517.400")
    assert back_at(BELOW, Decimal("0.01")) == Decimal("502.500")
    assert back_at(replace(ABOVE, level=Decimal("5.60")), Decimal("0.02")) == Decimal("5.56")


def test_the_smallest_move_worth_watching_is_two_steps():
    assert smallest_move(sight("5.60", tick="0.01")).quantize(Decimal("0.001")) == Decimal("0.357")


# --- corrections -------------------------------------------------------------

FIRED = replace(
    ABOVE, state="fired", armed=False, told_on=TODAY, told_rate=Decimal(521), told_source="nbk", fired_at=NOW
)


@pytest.mark.parametrize(
    ("order", "figures", "source", "verdict"),
    [
        (FIRED, "519.00 522.00", "nbk", "corrects"),
        (FIRED, "519.00 519.50", "nbk", "undoes"),
        (FIRED, "519.00 521.00", "nbk", "nothing"),
        (FIRED, "519.00 519.50", "frankfurter_nbk", "nothing"),  # another road's figure corrects nothing
        (replace(FIRED, state="ended"), "519.00 519.50", "nbk", "undoes"),
        (replace(FIRED, fired_at=None), "519.00 519.50", "nbk", "nothing"),  # nobody was told
    ],
)
def test_a_correction_of_a_figure_told(order: Alert, figures: str, source: str, verdict: str):
    assert told(evaluate(order, sight(*figures.split(), source=source), NOW, {TODAY})) == verdict


def test_an_alert_that_was_a_false_one_watches_on_but_not_on_the_same_date():
    undone = evaluate(FIRED, sight("519.00", "519.50"), NOW, {TODAY})
    assert isinstance(undone, Correction)
    assert (undone.was, undone.alert.state, undone.alert.armed) == (Decimal(521), "active", True)
    assert told(evaluate(undone.alert, sight("519.00", "521.00"), NOW, {TODAY})) == "corrects"
    assert told(evaluate(undone.alert, sight("519.00", "521.00"), NOW)) == "nothing"
    tomorrow = sight("519.50", "521.00", last=TODAY + DAY)
    assert told(evaluate(undone.alert, tomorrow, NOW + DAY)) == "fires"


def test_only_figures_that_replace_others_are_corrections():
    def table(day: int, value: str) -> RateTable:
        return RateTable("nbk", "KZT", date(2026, 11, day), (Fixing("USD", value),))

    known = [table(20, "475.09"), table(21, "475.09"), table(22, "476")]
    assert corrected_dates(known, [table(22, "477"), table(23, "478")]) == {date(2026, 11, 22)}
    assert corrected_dates(known, [table(21, "476")]) == frozenset()  # that date only carried the one before
    assert corrected_dates(known, [table(20, "475.090")]) == frozenset()


# --- what holds of every series ----------------------------------------------

STEPS = st.lists(st.integers(-400, 400), min_size=2, max_size=40)
"""Moves in hundredths, a day each, around the line."""


def run(order: Alert, moves: list[int]) -> list[tuple[Alert, Verdict | None, list[Decimal]]]:
    """The alert through a series that starts at 519, a fixing a day; with the figures up to each verdict."""
    figures, seen = [Decimal(519)], []
    for n, move in enumerate(moves):
        figures.append(figures[-1] + Decimal(move) / 100)
        now = sight(*map(str, figures[-50:]), last=TODAY + n * DAY)
        verdict = evaluate(order, now, NOW + n * DAY)
        seen.append((order, verdict, list(figures)))
        order = order if verdict is None else verdict.alert
    return seen


@given(STEPS, st.sampled_from([replace(ABOVE, standing=True), replace(BELOW, level=Decimal(518), standing=True)]))
def test_a_line_never_fires_twice_without_the_figure_having_come_back(order_moves, order):
    fired = [n for n, (_, verdict, _) in enumerate(run(order, order_moves)) if isinstance(verdict, Fire)]
    back = back_at(order, Decimal("0.01"))
    series = run(order, order_moves)[-1][2]
    for first, second in pairwise(fired):
        between = series[first + 2 : second + 2]
        assert any(rate <= back if order.way == "above" else rate >= back for rate in between)


@given(STEPS, st.sampled_from([ABOVE, replace(ABOVE, standing=True), PERCENT, WEEK]))
def test_nothing_fires_on_a_figure_that_stands_still_or_for_one_step(moves, order):
    order = replace(order, level=Decimal("0.0001")) if order.way == "move" else order
    for before, verdict, figures in run(order, moves):
        if isinstance(verdict, Fire):
            assert figures[-1] != figures[-2]
            assert abs(verdict.step.rate - verdict.step.before) >= Decimal("0.01")
            assert before.way != "move" or abs(verdict.step.rate - verdict.step.before) >= Decimal("0.02")


@given(STEPS)
def test_once_is_once_and_every_date_is_told_once(moves):
    assert sum(isinstance(verdict, Fire) for _, verdict, _ in run(ABOVE, moves)) <= 1
    dates = [verdict.step.on for _, verdict, _ in run(PERCENT, moves) if isinstance(verdict, Fire)]
    assert len(set(dates)) == len(dates)


@given(st.lists(st.sampled_from([-1, 0, 1]), min_size=2, max_size=20))
def test_wavering_by_one_step_about_the_line_never_fires(moves):
    level = Decimal(519)
    for _, verdict, figures in run(alert("above", "519", standing=True), moves):
        lowest = min(figures[:-1])
        assert not (isinstance(verdict, Fire) and figures[-1] - lowest < Decimal("0.02"))
        assert not isinstance(verdict, Fire) or figures[-1] > level
