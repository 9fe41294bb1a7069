"""Pages of news, digests and pushed articles say what there is, in the reader's language and zone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bot.compose import digest, news
from bot.compose.digest import Digest
from bot.locales import tongue
from bot.message import Button, Instant, Link, Message, Paragraph
from bot.models import Board, NewsPage, Quote
from tests.kinds import NOW, OUTLETS, TODAY, ZONE, article

ENGLISH = tongue("en")


def page(found: NewsPage, query: str = "summit", language: str = "en", zone: str = ZONE) -> Message:
    return news.page(found, query, tongue(language), zone, OUTLETS, today=TODAY)


def said(message: Message) -> list[str]:
    return [block.text for block in message.blocks]


def six() -> tuple:
    return tuple(article(number) for number in range(7, 1, -1))


def test_a_page_tells_where_it_stands_and_leads_on():
    message = page(NewsPage(six(), 7, False, 0))
    assert said(message)[:2] == ["News: summit", "1-6 of 7"]
    assert message.buttons == (Button("Next", "/latest summit before:102"),)


def test_the_last_page_leads_back_to_the_first_only():
    message = page(NewsPage((article(1),), 7, False, 6))
    assert said(message)[1] == "7 of 7"
    assert [button.label for button in message.buttons] == ["First page"]


def test_a_capped_count_says_so_and_leads_on():
    message = page(NewsPage((article(7),), 1000, True, 999))
    assert said(message)[1] == "1,000 of 1,000+"
    assert message.buttons


def test_an_article_shows_outlet_local_time_label_and_lead():
    message = page(NewsPage((article(3),), 1, False, 0))
    title, byline, lead = message.blocks[2:]
    assert title == Link(article(3).title, article(3).url)
    when = Instant(28, 41, "2026-11-21T07:40:00+00:00")
    assert byline == Paragraph("The Times of Central Asia · 21 Nov, 12:40 · Opinion", small=True, instants=(when,))
    assert lead == Paragraph(article(3).lead, quoted=True)


def test_times_are_on_the_chats_clocks_and_dates_in_its_language():
    message = page(NewsPage((article(1, published=NOW),), 1, False, 0), language="ru", zone="Europe/London")
    assert any("23 нояб., 04:40" in text for text in said(message))


def test_an_article_of_another_year_shows_the_year():
    message = page(NewsPage((article(1, published=datetime(2025, 3, 4, 5, tzinfo=UTC)),), 1, False, 0))
    assert any("4 Mar 2025, 10:00" in text for text in said(message))


def test_no_hits_say_so_and_propose():
    message = page(NewsPage((), 0, False, 0), "unicorn")
    assert said(message)[:2] == ["News: unicorn", "Nothing found."]
    assert [button.command for button in message.buttons] == ["/latest", "/sources"]


def test_a_long_query_is_clipped_in_the_heading_and_whole_in_next():
    query = " ".join(["corridor"] * 9)
    message = page(NewsPage(six(), 7, False, 0), query)
    assert len(said(message)[0]) <= len("News: ") + 40
    assert message.buttons[0].command == f"/latest {query} before:102"


def test_page_data_is_what_scripts_rely_on():
    data = news.page_data(NewsPage((article(3),), 7, False, 6), "summit")
    assert {key: data[key] for key in ("query", "total", "capped", "first", "last")} == {
        "query": "summit",
        "total": 7,
        "capped": False,
        "first": 7,
        "last": 7,
    }
    assert data["articles"] == [
        {
            "id": 103,
            "title": article(3).title,
            "url": article(3).url,
            "source": "timesca",
            "published": "2026-11-21T07:40:00+00:00",
            "opinion": True,
            "lead": article(3).lead,
            "countries": ["KZ"],
            "also_in": [],
        }
    ]


def test_an_empty_page_begins_and_ends_at_nought():
    data = news.page_data(NewsPage((), 0, False, 0), "x")
    assert (data["first"], data["last"], data["articles"]) == (0, 0, [])


def test_a_digest_puts_stories_before_figures_and_headlines_beside_what_moved():
    moved = Board((Quote("USD", "KZT", "nbk", "official", Decimal(442), TODAY, day=Decimal("0.77")),))
    stories = [(article(7), article(2)), (article(6),)]
    whole = Digest(TODAY, None, stories, moved, {"KZT": [article(1)]})
    message = digest.digest(whole, ENGLISH, ZONE, OUTLETS)
    texts = said(message)
    assert texts[:3] == ["Digest for Monday, 23 November", "News", article(7).title]
    assert texts[3].endswith("also in Акчабар")
    assert texts.index("What moved") > texts.index("Official rates, 23 Nov 2026") > texts.index(article(6).title)
    assert texts[-2:] == ["1 USD = 442 KZT, +0.77% in a day", article(1).title]
    assert [button.command for button in message.buttons] == ["/latest", "/rates"]


def test_a_digest_of_nothing_new_says_since_when():
    message = digest.digest(Digest(TODAY, NOW - timedelta(days=1), []), ENGLISH, ZONE, OUTLETS)
    assert said(message)[1:] == ["No new articles since 22 Nov, 09:40."]


def test_a_digest_of_rates_only_does_not_miss_the_news():
    message = digest.digest(
        Digest(TODAY, None, None, Board((Quote("USD", "KGS", "nbkr", "official", reason="no figure yet"),))),
        ENGLISH,
        ZONE,
        OUTLETS,
    )
    assert said(message)[1:] == ["Official rates", "KGS: no figure yet."]
    assert [button.command for button in message.buttons] == ["/rates"]


@pytest.mark.parametrize(("language", "heading"), [("en", "Monday, 23 November"), ("ru", "понедельник, 23 ноября")])
def test_a_digest_names_its_day_in_the_readers_language(language, heading):
    message = digest.digest(Digest(date(2026, 11, 23), None, []), tongue(language), ZONE, OUTLETS)
    assert heading in said(message)[0]


def test_a_page_past_the_last_one_says_so():
    assert "That was the last of them." in said(page(NewsPage((), 7, False, 7)))
