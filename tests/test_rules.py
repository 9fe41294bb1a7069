from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bot import rules
from bot.models import (
    Address,
    Article,
    Content,
    Fixing,
    PollState,
    RateTable,
    Schedule,
    Subscription,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HERE = Address("console", "local")


def article(title: str = "A title", published: datetime = NOW, **more: object) -> Article:
    return Article("timesca", "1", "https://example.org/1", title, "A lead.", "A text.", published, **more)


def test_daily_comes_at_the_wall_clock_time_of_the_zone():
    due = rules.next_due(Schedule("daily", time(9, 0)), "Asia/Almaty", NOW)
    assert due == datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def test_weekdays_skip_the_weekend_and_weekly_keeps_its_day():
    friday = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert rules.next_due(Schedule("weekdays", time(8, 30)), "UTC", friday).date() == date(2026, 11, 30)
    assert rules.next_due(Schedule("weekly", time(9), weekday=2), "UTC", friday).date() == date(2026, 12, 2)
    assert rules.next_due(Schedule("instant"), "UTC", friday) is None


def test_a_time_swallowed_by_a_gap_comes_as_much_later():
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    due = rules.next_due(Schedule("daily", time(2, 30)), "Europe/Berlin", before)
    assert due.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 30)


def test_a_time_repeated_by_an_overlap_comes_once():
    before = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)
    first = rules.next_due(Schedule("daily", time(2, 30)), "Europe/Berlin", before)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = rules.next_due(Schedule("daily", time(2, 30)), "Europe/Berlin", first)
    assert second.date() == date(2026, 10, 26)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    st.sampled_from(["Asia/Almaty", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 1)),
)
def test_one_digest_for_each_local_date(zone: str, at: time, start: datetime):
    after = start.replace(tzinfo=UTC)
    dates = []
    for _ in range(5):
        after = rules.next_due(Schedule("daily", at), zone, after)
        dates.append(after.astimezone(ZoneInfo(zone)).date())
    assert dates == [dates[0] + timedelta(days=n) for n in range(5)]


def test_after_a_long_pause_only_the_newest_due_instant_counts():
    subscription = Subscription(
        1, HERE, Schedule("daily", time(9)), Content(), NOW, next_due=datetime(2026, 11, 20, 9, tzinfo=UTC)
    )
    assert rules.latest_due(subscription, "UTC", NOW) == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_the_first_look_at_a_feed_announces_three():
    new = [(article(str(n), NOW - timedelta(hours=n)), ()) for n in range(9)]
    assert [a.title for a, _ in rules.worth_announcing(new, first_look=True)] == ["2", "1", "0"]
    assert len(rules.worth_announcing(new, first_look=False)) == 9


def test_any_known_key_makes_an_article_a_later_version():
    first, second, third = article("one"), article("two"), article("three")
    seen = [(first, ("g:1", "u:1")), (second, ("g:9", "u:2")), (third, ("g:8", "u:2"))]
    new, edited = rules.sort_news(seen, {"u:1": 77})
    assert new == [(second, ("g:9", "u:2"))]
    assert edited == {77: (first, ["g:1"])}


def test_a_filter_wants_every_word_at_the_beginning_of_a_word():
    assert rules.wants(Content(words=("SUMMIT", "leaders")), article("Leaders meet at the summits"))
    assert not rules.wants(Content(words=("mit",)), article("A summit"))
    assert not rules.wants(Content(countries=("KZ",)), article(countries=("UZ",)))


def table(day: int, value: str) -> RateTable:
    return RateTable("nbk", "KZT", date(2026, 11, day), (Fixing("USD", value),))


def test_a_carried_forward_day_and_a_first_look_announce_nothing():
    assert rules.newest_fixing([table(20, "1")], [table(21, "1")]) is None
    assert rules.newest_fixing([], [table(21, "1")]) is None
    assert rules.newest_fixing([table(20, "1")], [table(19, "2")]) is None
    assert rules.newest_fixing([table(20, "1")], [table(21, "2")]) == table(21, "2")


def test_tomorrow_is_carried_forward_until_it_is_fixed():
    known = [table(20, "1"), table(21, "1")]
    assert rules.newest_fixing(known, [table(21, "2")]) == table(21, "2")
    assert rules.newest_fixing(known, [table(21, "1")]) is None


def test_a_failing_source_is_asked_ever_more_rarely_and_a_healthy_one_on_its_beat():
    waits = [rules.poll_again(PollState("s", failures=n), 3600, None, NOW) - NOW for n in range(6)]
    assert timedelta(minutes=54) <= waits[0] <= timedelta(minutes=66)
    assert waits[1:] == [timedelta(hours=h) for h in (1, 2, 4, 6, 6)]
    assert rules.poll_again(PollState("s", failures=1), 60, 500, NOW) - NOW == timedelta(seconds=500)


def test_a_waiting_person_is_worth_a_request_unless_the_server_said_no():
    later = NOW + timedelta(hours=1)
    assert rules.worth_asking(None, 60, NOW)
    assert not rules.worth_asking(PollState("s", later, last_ok_at=NOW), 60, NOW)
    assert rules.worth_asking(PollState("s", later, failures=1, error="no such host"), 60, NOW)
    assert not rules.worth_asking(PollState("s", later, failures=1, error="HTTP 429"), 60, NOW)
