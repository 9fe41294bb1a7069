"""Bank days on the calendar of 2026, and what is missing when a bank stops printing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.bankdays import is_bank_day, missed, next_bank_day, rest
from bot.models import RateRoad
from bot.sources import Bank, Window

AHEAD = Window(time(15, 30), time(18), ahead=True)
SAME_DAY = Window(time(7), time(11), ahead=False)
NBK = Bank("nbk", "National Bank", ZoneInfo("Asia/Almaty"), issues="KZT", country="KZ", window=AHEAD)
NBT = Bank("nbt", "National Bank", ZoneInfo("Asia/Dushanbe"), issues="TJS", country="TJ", window=SAME_DAY)
UNTOLD = replace(NBK, window=None, country="")
DAILY = RateRoad("nbk", "nbk", "https://nbk.example/")
WEEKLY = replace(DAILY, days=7)

THU, FRI, SAT, SUN, MON, TUE = (date(2026, 12, day) for day in (10, 11, 12, 13, 14, 15))
INDEPENDENCE_DAY, THE_DAY_AFTER = date(2026, 12, 16), date(2026, 12, 17)


def at(bank: Bank, day: date, hour: int, minute: int = 0) -> datetime:
    """That hour on the bank's own clocks, as our clock says it."""
    return datetime.combine(day, time(hour, minute), bank.zone).astimezone(UTC)


# --- bank days -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("country", "holiday"),
    [
        ("KZ", date(2026, 12, 16)),
        ("KG", date(2026, 8, 31)),
        ("UZ", date(2026, 12, 8)),
        ("TJ", date(2026, 9, 9)),
        ("TM", date(2026, 5, 18)),
        ("RU", date(2026, 11, 4)),
    ],
)
def test_every_country_of_ours_has_its_own_holidays(country: str, holiday: date):
    assert holiday.weekday() < 5
    assert not is_bank_day(country, holiday)
    assert is_bank_day(country, date(2026, 11, 25))


def test_banks_rest_on_saturdays_and_sundays():
    assert [is_bank_day("KZ", day) for day in (THU, FRI, SAT, SUN, MON)] == [True, True, False, False, True]


def test_where_no_country_is_told_every_day_is_a_bank_day():
    assert is_bank_day("", SUN)
    assert next_bank_day("", SAT) == SUN


def test_the_next_bank_day_is_beyond_the_weekend_and_the_holiday():
    assert next_bank_day("KZ", FRI) == MON
    assert next_bank_day("KZ", SAT) == MON
    assert next_bank_day("KZ", TUE) == THE_DAY_AFTER


# --- missed tables -------------------------------------------------------------


def test_a_table_is_missed_three_hours_after_the_window_closes():
    assert missed(NBK, DAILY, THU, at(NBK, THU, 17)) == 0
    assert missed(NBK, DAILY, THU, at(NBK, THU, 20, 59)) == 0
    assert missed(NBK, DAILY, THU, at(NBK, THU, 21)) == 1


def test_a_table_announced_is_missed_by_nobody():
    assert missed(NBK, DAILY, FRI, at(NBK, THU, 23)) == 0


def test_two_missed_tables_are_two():
    assert missed(NBK, DAILY, THU, at(NBK, FRI, 20, 59)) == 1
    assert missed(NBK, DAILY, THU, at(NBK, FRI, 21)) == 2


def test_over_a_weekend_nothing_more_is_missed():
    counts = [missed(NBK, DAILY, MON, at(NBK, day, 23)) for day in (FRI, SAT, SUN)]
    assert counts == [0, 0, 0]
    assert [missed(NBK, DAILY, FRI, at(NBK, day, 23)) for day in (FRI, SAT, SUN, MON)] == [1, 1, 1, 2]


def test_a_bank_that_dates_friday_s_table_saturday_has_missed_nothing():
    assert missed(NBK, DAILY, SAT, at(NBK, SAT, 12)) == 0
    assert missed(NBK, DAILY, SUN, at(NBK, SUN, 23)) == 0


def test_a_peg_owes_no_table():
    assert missed(NBK, replace(DAILY, url=""), date(2015, 1, 1), at(NBK, THU, 12)) == 0


def test_over_a_holiday_nothing_is_missed():
    assert missed(NBK, DAILY, THE_DAY_AFTER, at(NBK, INDEPENDENCE_DAY, 23)) == 0
    assert missed(NBK, DAILY, TUE, at(NBK, INDEPENDENCE_DAY, 23)) == 1


def test_a_bank_that_prints_for_the_same_day_owes_nothing_for_tomorrow():
    assert missed(NBT, DAILY, FRI, at(NBT, FRI, 23)) == 0
    assert missed(NBT, DAILY, FRI, at(NBT, SUN, 23)) == 0
    assert missed(NBT, DAILY, FRI, at(NBT, MON, 13, 59)) == 0
    assert missed(NBT, DAILY, FRI, at(NBT, MON, 14)) == 1


def test_however_long_a_bank_is_silent_tables_are_missed():
    assert missed(NBK, DAILY, date(2026, 1, 15), at(NBK, THU, 12)) > 2
    assert missed(UNTOLD, DAILY, date(2026, 1, 15), at(NBK, THU, 12)) > 0


def test_where_no_window_is_known_four_days_are_a_long_weekend():
    assert missed(UNTOLD, DAILY, THU, at(NBK, MON, 23)) == 0
    assert missed(UNTOLD, DAILY, THU, at(NBK, TUE, 1)) == 1


def test_a_weekly_table_holds_a_week():
    assert missed(NBK, WEEKLY, date(2026, 12, 4), at(NBK, MON, 23)) == 0
    assert missed(NBK, WEEKLY, date(2026, 12, 4), at(NBK, TUE, 1)) == 1


# --- when to ask ---------------------------------------------------------------


def test_inside_the_window_a_bank_is_asked_at_its_beat():
    assert rest(NBK, 1800, at(NBK, THU, 15, 30)) == 1800
    assert rest(NBK, 1800, at(NBK, THU, 17, 59)) == 1800


@pytest.mark.parametrize("day", [SAT, INDEPENDENCE_DAY])
def test_on_a_day_without_banks_the_window_does_not_open(day: date):
    assert rest(NBK, 1800, at(NBK, day, 16)) == 8 * 1800


def test_outside_it_is_asked_eight_times_as_seldom():
    assert rest(NBK, 1800, at(NBK, THU, 19)) == 8 * 1800


def test_it_does_not_sleep_past_the_opening():
    assert rest(NBK, 1800, at(NBK, THU, 14)) == 90 * 60
    assert rest(NBK, 1800, at(NBK, THU, 15, 29)) == 1800


def test_a_beat_below_a_minute_knows_no_window():
    assert rest(NBK, 59, at(NBK, THU, 3)) == 59
    assert rest(UNTOLD, 1800, at(NBK, THU, 3)) == 1800


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_whatever_the_hour_the_next_question_comes_before_the_opening_or_at_it(hour: int):
    now = at(NBK, THU, hour)
    again = now + timedelta(seconds=rest(NBK, 1800, now))
    for opening in (at(NBK, THU, 15, 30), at(NBK, FRI, 15, 30)):
        assert not now < opening < again
