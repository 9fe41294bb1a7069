"""Standing orders are read as people meant them, or refused with the way to say it."""

from datetime import UTC, datetime, time, timedelta

import pytest

from bot import orders
from bot.errors import Refusal
from bot.models import Content, Quiet, Schedule
from bot.silence import Break, read_pause, read_quiet

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAILY = Schedule("daily", time(9))


@pytest.mark.parametrize(
    ("text", "schedule", "content"),
    [
        ("", DAILY, Content()),
        ("daily 09:00", DAILY, Content()),
        ("Daily 9:00", DAILY, Content()),
        ("daily 9", DAILY, Content()),
        ("daily 09.00", DAILY, Content()),
        ("daily at 9pm", Schedule("daily", time(21)), Content()),
        ("daily 12 am", Schedule("daily", time(0)), Content()),
        ("23:59", Schedule("daily", time(23, 59)), Content()),
        ("weekdays 08:30", Schedule("weekdays", time(8, 30)), Content()),
        ("weekly mon 09:00", Schedule("weekly", time(9), 0), Content()),
        ("weekly 18:00 Sunday", Schedule("weekly", time(18), 6), Content()),
        ("friday", Schedule("weekly", time(9), 4), Content()),
        ("instant", Schedule("instant"), Content()),
        ("instant summit", Schedule("instant"), Content(("summit",), rates=False)),
        ("rates", DAILY, Content(news=False)),
        ("news", DAILY, Content(rates=False)),
        (
            "daily 10:00 Water country:kz,UZ",
            Schedule("daily", time(10)),
            Content(("water",), ("KZ", "UZ"), rates=False),
        ),
        ("daily 10:00 water rates", Schedule("daily", time(10)), Content(("water",))),
        ("country:Kazakhstan", DAILY, Content((), ("KZ",), rates=False)),
        ("ежедневно 9:00", DAILY, Content()),
        ("по будням в 08:30", Schedule("weekdays", time(8, 30)), Content()),
        ("еженедельно пн 09:00", Schedule("weekly", time(9), 0), Content()),
        ("вс 10:00 курсы", Schedule("weekly", time(10), 6), Content(news=False)),
        ("5G", DAILY, Content(("5g",), rates=False)),
        ("daily summit 18:00", Schedule("daily", time(18)), Content(("summit",), rates=False)),
        ("саммит в 18:00", Schedule("daily", time(18)), Content(("саммит",), rates=False)),
    ],
)
def test_an_order_is_read(text, schedule, content):
    assert orders.order(text) == (schedule, content)


@pytest.mark.parametrize("text", ["daily 25:00", "weekly xyz 25:00", "24:00", "9:60", "daily 0900", "13pm", "99"])
def test_a_wrong_time_is_refused_with_what_is_expected(text):
    with pytest.raises(Refusal, match="is not a time of day") as refused:
        orders.order(text)
    assert "daily 09:00" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    ["daily mon 09:00", "weekdays sun", "instant mon", "instant 09:00", "instant gas 09:00", "daily 09:00 18:00"],
)
def test_contradictions_are_refused(text):
    with pytest.raises(Refusal):
        orders.order(text)


def test_an_order_takes_only_the_keys_it_can_hold():
    with pytest.raises(Refusal, match="since"):
        orders.order("daily since:2d")


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('"Middle  corridor" rail', Content(("middle corridor", "rail"), rates=False)),
        ("«водный кодекс» курсы", Content(("водный кодекс",))),
        ("water -sport -football", Content(("water",), rates=False, excluded=("sport", "football"))),
        ("-sport", Content(excluded=("sport",))),
        ("source:TimesCA,akchabar", Content(sources=("timesca", "akchabar"), rates=False)),
        ("topic:water opinion:no", Content(topics=("water",), opinion=False, rates=False)),
        ("opinion:no", Content(opinion=False)),
        ("gas empty:no", Content(("gas",), rates=False, empty=False)),
        ("empty:yes", Content()),
        ("C5+1 -", Content(("c5+1",), rates=False)),
    ],
)
def test_what_news_are_wanted_is_said_as_for_latest(text, content):
    assert orders.order(f"daily {text}") == (DAILY, content)


@pytest.mark.parametrize("text", ["empty:maybe", "opinion:perhaps", "country:narnia", "topic:", "topic:unicorns"])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(Refusal):
        orders.order(text)


@pytest.mark.parametrize(
    "text",
    ["daily 09:00", "weekdays 08:30 rates", "weekly fri 18:30 water country:kz,uz rates", "daily 09:00 news",
     'instant "middle corridor" rail -sport source:timesca topic:water opinion:no', "daily 10:00 gas empty:no",
     "weekly sun 00:00 opinion:only"],
)  # fmt: skip
def test_an_order_is_written_as_it_is_read(text):
    asked = orders.order(text)
    assert orders.order(orders.order_text(*asked)) == asked


def test_the_same_content_said_differently_is_the_same():
    assert orders.same_content(orders.order("a b country:kz,kg")[1], orders.order("B a country:kg,kz")[1])
    assert not orders.same_content(Content(), Content(rates=False))


def test_what_is_asked_for_decides_and_not_whether_it_comes_empty():
    assert orders.same_content(orders.order("gas empty:no")[1], orders.order("gas")[1])
    assert not orders.same_content(orders.order("gas -oil")[1], orders.order("gas")[1])


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", Break("", None)),
        ("2", Break("2", None)),
        ("2h", Break("", NOON + timedelta(hours=2))),
        ("2 3d", Break("2", NOON + timedelta(days=3))),
        ("id:57 1w", Break("id:57", NOON + timedelta(days=7))),
        ("until 2026-12-01", Break("", datetime(2026, 12, 1, tzinfo=UTC))),
        ("1 до 2026-12-01", Break("1", datetime(2026, 12, 1, tzinfo=UTC))),
    ],
)
def test_a_pause_is_read(text, asked):
    assert read_pause(text, NOON) == asked


@pytest.mark.parametrize("text", ["0h", "400d", "until 2026-11-01", "until then", "2h 3h", "soon", "until 2999-01-01"])
def test_a_pause_that_cannot_be_is_refused(text):
    with pytest.raises(Refusal):
        read_pause(text, NOON)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22:00-07:00", Quiet(time(22), time(7))),
        ("22-7 silent", Quiet(time(22), time(7), hold=False)),
        ("22:30 – 07:15 hold", Quiet(time(22, 30), time(7, 15))),
        ("off", None),
        ("выкл", None),
    ],
)
def test_quiet_hours_are_read(text, hours):
    assert read_quiet(text) == hours


@pytest.mark.parametrize("text", ["22:00", "22:00-22:00", "25:00-07:00", "22:00-07:00 loudly", "night"])
def test_quiet_hours_that_cannot_be_are_refused(text):
    with pytest.raises(Refusal):
        read_quiet(text)
