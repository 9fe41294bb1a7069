"""When a subscription speaks: once for each local date, in every zone there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import due
from bot.models import Address, Content, Plan, Schedule, Subscription

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HERE = Address("console", "local")
START, END = date(2024, 1, 1), date(2027, 12, 31)
DAYS = (END - START).days + 1
HALF_HOURS = [time(hour, minute) for hour in range(24) for minute in (0, 30)]
DAY, WEEK = timedelta(days=1), timedelta(days=7)
HOURS = timedelta(hours=6)


def order(**changes: object) -> Subscription:
    known: dict[str, object] = {"schedule": Schedule("daily", time(9)), "content": Content(), "created_at": NOW}
    return Subscription(1, HERE, **(known | changes))  # type: ignore[arg-type]


def test_daily_comes_at_the_wall_clock_time_of_the_zone():
    assert due.next_due(Schedule("daily", time(9, 0)), "Asia/Almaty", NOW) == datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def test_weekdays_skip_the_weekend_and_weekly_keeps_its_day():
    friday = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert due.next_due(Schedule("weekdays", time(8, 30)), "UTC", friday).date() == date(2026, 11, 30)
    assert due.next_due(Schedule("weekly", time(9), weekday=2), "UTC", friday).date() == date(2026, 12, 2)
    assert due.next_due(Schedule("instant"), "UTC", friday) is None


def test_a_time_swallowed_by_a_gap_comes_as_much_later():
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    comes = due.next_due(Schedule("daily", time(2, 30)), "Europe/Berlin", before)
    assert comes.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)


def test_a_time_repeated_by_an_overlap_comes_once():
    before = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)
    first = due.next_due(Schedule("daily", time(2, 30)), "Europe/Berlin", before)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = due.next_due(Schedule("daily", time(2, 30)), "Europe/Berlin", first)
    assert second.date() == date(2026, 10, 26)


def test_a_gap_over_midnight_leaves_both_dates_their_digest():
    schedule = Schedule("daily", time(23, 30))
    saturday = due.next_due(schedule, "America/Nuuk", datetime(2026, 3, 28, 23, tzinfo=UTC))
    sunday = due.next_due(schedule, "America/Nuuk", saturday)
    assert [due.day_of(schedule, "America/Nuuk", at) for at in (saturday, sunday)] == [
        date(2026, 3, 28),
        date(2026, 3, 29),
    ]
    weekly = Schedule("weekly", time(23, 30), 5)
    assert due.next_due(weekly, "America/Nuuk", saturday - timedelta(minutes=10)) == saturday


# --- every zone --------------------------------------------------------------


@cache
def history(zone: str) -> tuple[object, ...]:
    """The offsets of a zone from 2023 to 2028, and when each begins; none holds for less than a week."""
    place = ZoneInfo(zone)
    weeks = [datetime(2023, 12, 30, tzinfo=UTC) + n * WEEK for n in range(DAYS // 7 + 2)]
    found: list[object] = [weeks[0].astimezone(place).utcoffset()]
    for first, last in pairwise(weeks):
        old, new = first.astimezone(place).utcoffset(), last.astimezone(place).utcoffset()
        while old != new and last - first > timedelta(seconds=1):
            middle = first + (last - first) / 2
            first, last = (middle, last) if middle.astimezone(place).utcoffset() == old else (first, middle)
        found += [(last.replace(microsecond=0), new)] if old != new else []
    return tuple(found)


def zones() -> list[object]:
    """All there are; those with a history of offsets that another has too are for `make chaos`."""
    kept: dict[object, str] = {}
    named = [(name, kept.setdefault(history(name), name) == name) for name in sorted(available_timezones())]
    return [name if first else pytest.param(name, marks=pytest.mark.chaos) for name, first in named]


def dues(zone: str, at: time) -> Iterator[datetime]:
    """The planner's instants from the first local date to the last."""
    schedule = Schedule("daily", at)
    moment = due.instant_of(START, at, ZoneInfo(zone)) - timedelta(seconds=1)
    for _ in range(DAYS):
        moment = due.next_due(schedule, zone, moment)
        yield moment


@pytest.mark.parametrize("zone", zones())
def test_every_half_hour_of_every_date_comes_once(zone: str):
    place = ZoneInfo(zone)
    expected = [START + n * DAY for n in range(DAYS)]
    for at in HALF_HOURS:
        schedule = Schedule("daily", at)
        found = list(dues(zone, at))
        locals_ = [moment.astimezone(place) for moment in found]
        plain = [local.date() for local in locals_ if local.time() == at and not local.fold]
        odd = [day for day in expected if day not in set(plain)] if plain != expected else []
        assert len(plain) + len(odd) == DAYS == len(set(found))
        for day in odd:  # swallowed by a gap: as much later, and still of its date
            moment = found[(day - START).days]
            assert due.day_of(schedule, zone, moment) == day
            assert moment.astimezone(place).time() != at


@settings(max_examples=300, derandomize=True)
@given(
    st.sampled_from(["Asia/Almaty", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 1)),
)
def test_one_digest_for_each_local_date_whatever_the_minute(zone: str, at: time, start: datetime):
    after, schedule, dates = start.replace(tzinfo=UTC), Schedule("daily", at), []
    for _ in range(5):
        after = due.next_due(schedule, zone, after)
        dates.append(due.day_of(schedule, zone, after))
    assert dates == [dates[0] + timedelta(days=n) for n in range(5)]


# --- plans -------------------------------------------------------------------


def test_after_a_long_pause_only_the_newest_due_instant_counts():
    first = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert due.latest_due(Schedule("daily", time(9)), "UTC", first, NOW) == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_paused_subscription_has_no_next_digest_or_one_after_its_pause():
    assert due.replan(order(paused_at=NOW), "UTC", "UTC", NOW).next_due is None
    later = due.replan(order(paused_at=NOW, paused_until=NOW + 5 * DAY), "UTC", "UTC", NOW)
    assert later.next_due == datetime(2026, 11, 29, 9, tzinfo=UTC)


def plan(next_due: datetime, previous: datetime | None, zone: str = "UTC") -> Plan:
    return Plan(1, Schedule("daily", time(9)), zone, previous, next_due)


def test_a_plan_that_still_holds_is_left_alone():
    tomorrow = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert due.checked(plan(tomorrow, tomorrow - DAY), NOW, HOURS) == tomorrow
    begins_later = tomorrow + 3 * DAY
    assert due.checked(plan(begins_later, None), NOW, HOURS) == begins_later


def test_a_plan_made_by_other_zone_rules_moves_to_the_wall_clock_of_today():
    an_hour_off = datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert due.checked(plan(an_hour_off, NOW - DAY), NOW, HOURS) == an_hour_off + timedelta(hours=1)


def test_a_plan_made_ahead_of_the_clock_comes_back():
    today = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert due.checked(plan(today + 2 * DAY, today + DAY), NOW, HOURS) == today - DAY  # three hours ago
    assert due.checked(plan(today + 2 * DAY, today + DAY), NOW, HOURS / 3) == today
