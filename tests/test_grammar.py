"""What people type is read as they meant it, or refused with the way to say it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import orders, places, query, silence
from bot.errors import Refusal
from bot.models import NewsQuery

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=5)))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", NewsQuery()),
        ("Summit  in “Astana”", NewsQuery(words=("Summit", "in", "Astana"))),
        ("gas country:kz country:kg", NewsQuery(words=("gas",), countries=("KZ", "KG"))),
        ("source:TimesCA,akipress", NewsQuery(sources=("timesca", "akipress"))),
        ("since:2d", NewsQuery(since=datetime(2026, 11, 21, 7, tzinfo=UTC))),
        ("since:12h", NewsQuery(since=datetime(2026, 11, 22, 19, tzinfo=UTC))),
        ("until:2d", NewsQuery(until=datetime(2026, 11, 21, 7, tzinfo=UTC))),
        ("until:2026-11-20", NewsQuery(until=datetime(2026, 11, 20, 19, tzinfo=UTC))),
        ('"middle corridor" rail', NewsQuery(words=("middle corridor", "rail"))),
        ("«средний коридор»", NewsQuery(words=("средний коридор",))),
        ('gas -oil -"price of oil"', NewsQuery(words=("gas",), excluded=("oil", "price of oil"))),
        ("Astana - Tashkent — Dushanbe", NewsQuery(words=("Astana", "Tashkent", "Dushanbe"))),
        ('country:"South Korea" uran*', NewsQuery(words=("uran*",), countries=("KR",))),
        ('an "open quote', NewsQuery(words=("an", "open", "quote"))),
        ("₸ sort:best", NewsQuery(words=("₸",), best=True)),
        ("since:2026-11-20", NewsQuery(since=datetime(2026, 11, 19, 19, tzinfo=UTC))),
        ("opinion:no", NewsQuery(opinion=False)),
        ("opinion:only", NewsQuery(opinion=True)),
        ("summit before:123", NewsQuery(words=("summit",), before=123)),
        ("Kazakhstan: gas", NewsQuery(words=("Kazakhstan", "gas"))),
        ("C5+1 9:30", NewsQuery(words=("C5+1", "9:30"))),
    ],
)
def test_a_news_query_is_read(text, asked):
    assert query.news_query(text, NOON) == asked


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour:red", "country:kz topic:water source:timesca since:2d until:2026-11-20 opinion:no"),
        ("country:narnia", "country:kz"),
        ("country:", "country:kz"),
        ("since:yesterday", "since:2d"),
        ("since:99999d", "since:2d"),
        ("since:0001-01-01", "since:2d"),
        ("opinion:maybe", "opinion:no"),
        ("before:x", "Next"),
        ("before:" + "9" * 30, "Next"),
        ("??? !!!", "letters"),
        ("w " * 17, "telling"),
        ('"' + "w " * 17 + '"', "telling"),
        ("ur*", "three letters"),
        ("until:tomorrow", "until:2d"),
        ("sort:price", "sort:best"),
        ("-country:kz", "-football"),
    ],
)
def test_a_news_query_that_cannot_be_read_is_refused_with_a_hint(text, told):
    with pytest.raises(Refusal) as refused:
        query.news_query(text, NOON)
    assert told in refused.value.hint.format(**refused.value.fields)


def test_the_first_page_of_a_query_has_no_before():
    assert query.without("summit  before:12 “a b” country:kz", "before") == 'summit "a b" country:kz'


@settings(max_examples=300, derandomize=True)
@given(st.text(max_size=80))
def test_nothing_typed_raises_anything_but_a_refusal(text):
    for read in (
        lambda: query.news_query(text, NOON),
        lambda: orders.order(text),
        lambda: silence.read_pause(text, NOON),
        lambda: silence.read_quiet(text),
        lambda: places.zone(text),
        lambda: places.country(text),
        lambda: places.language(text),
    ):
        try:
            read()
        except Refusal as refused:
            refused.hint.format(**refused.fields)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Asia/Bishkek", "Asia/Bishkek"),
        ("asia/almaty", "Asia/Almaty"),
        ("Almaty", "Asia/Almaty"),
        ("Astana", "Asia/Almaty"),
        ("Алматы", "Asia/Almaty"),
        ("Бишкек", "Asia/Bishkek"),
        ("ташкент", "Asia/Tashkent"),
        ("Душанбе", "Asia/Dushanbe"),
        ("Ашхабад", "Asia/Ashgabat"),
        ("ashgabat", "Asia/Ashgabat"),
        ("london", "Europe/London"),
        ("Москва", "Europe/Moscow"),
        ("new york", "America/New_York"),
        ("New_York", "America/New_York"),
        ("Тошканд", "Asia/Tashkent"),
        ("UTC+5", "Etc/GMT-5"),
        ("gmt-3:00", "Etc/GMT+3"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_found_by_its_name_or_its_city(text, zone):
    assert places.zone(text) == zone


def test_a_misspelt_zone_is_refused_with_the_nearest():
    with pytest.raises(Refusal, match="Did you mean Asia/Bishkek"):
        places.zone("Bishkeck")


@pytest.mark.parametrize("text", ["", "localtime", "../etc/passwd", "UTC+99", "Mordor"])
def test_what_is_no_zone_is_refused(text):
    with pytest.raises(Refusal):
        places.zone(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [("kz", "KZ"), ("Uzbekistan", "UZ"), ("Киргизия", "KG"), ("Кыргызстан", "KG"), ("таджикистан", "TJ")],
)
def test_a_country_is_found_by_code_or_name(text, code):
    assert places.country(text) == code


@pytest.mark.parametrize(
    ("text", "code"), [("ru", "ru"), ("Русский", "ru"), ("russian", "ru"), ("EN", "en"), ("английский", "en")]
)
def test_a_language_is_found_by_code_or_name(text, code):
    assert places.language(text) == code
