"""An outlet's emphasis on its way from HTML to Telegram and Slack, and what strangers try on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.compose import news as compose
from bot.locales import tongue
from bot.models import Feed
from bot.prose import emphasis, lead, read
from bot.sources.document import parse
from bot.sources.feeds import articles
from handlers.slack.render import render as slack
from handlers.telegram.render import render as telegram
from tests.fakes.slack_screen import show
from tests.fakes.telegram_html import read_html

NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
FEED = Feed("steppe", "Steppe", "https://steppe.example/feed/", "en")
LINK = "https://steppe.example/1/"


def stressed(markup: str) -> list[tuple[str, str]]:
    prose = read(markup)
    return [(prose.text[span.start : span.end], span.style) for span in prose.spans]


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("A <b>bold</b> word", [("bold", "bold")]),
        ("A<strong> bold </strong>word", [("bold", "bold")]),
        ("<p>One <em>italic</em>.</p><p>Two <code>x &lt; y</code></p>", [("italic", "italic"), ("x < y", "code")]),
        ("<b>outer <i>inner</i></b> <i>next</i>", [("outer inner", "bold"), ("next", "italic")]),
        ("<b>never closed <p>next</b>", []),
        ("</b>closed <b></b><b> </b>", []),
        ("<b>soft\u00adened</b>", []),
        ("Text \ufdd0stolen\ufde0 <b>own</b>", [("own", "bold")]),
        ("Text &#xFDD0;stolen&#xFDE0; <b>own</b>", [("own", "bold")]),
        ("<p>It opens <b>today</b>. <b>Read more</b></p>", [("today", "bold")]),
        ("&lt;b&gt;escaped&lt;/b&gt; twice", [("escaped", "bold")]),
        ("<a href='https://other.example/'>a <b>link</b></a>", [("link", "bold")]),
    ],
)
def test_emphasis_is_where_the_outlet_put_it(markup: str, found: list[tuple[str, str]]):
    assert stressed(markup) == found


def test_a_lead_keeps_its_part_of_the_emphasis():
    prose = read("<p>The <b>first</b> one.</p><p>The <i>second one. And</i> a third.</p>")
    start = lead(prose.text)
    assert start == "The first one. The second one."
    assert [(start[s.start : s.end], s.style) for s in emphasis(prose, start)] == [
        ("first", "bold"),
        ("second one.", "italic"),
    ]
    assert emphasis(read("<b>All of it.</b>"), "All of it.") == ()


def pushed(title: str, body: str) -> object:
    """The message of an article in a feed of this title and this HTML."""
    document = (
        f"<rss version='2.0'><channel><item><title><![CDATA[{title}]]></title><link>{LINK}</link>"
        f"<description><![CDATA[{body}]]></description></item></channel></rss>"
    )
    found = articles(FEED, parse(document.encode("utf-8", "replace"), {}, FEED.url), NOW)
    return compose.article(found[0], "Steppe", tongue("en"), "UTC") if found else None


def test_both_chats_mark_it_their_way():
    message = pushed("Road", "It opens <b>today &amp; here</b>. <i>At last.</i>")
    (page,) = telegram(message, {})
    assert "It opens <b>today &amp; here</b>. <i>At last.</i>" in page.html
    assert "It opens *today &amp; here*. _At last._" in str(slack(message, tongue("en")).blocks)


HOSTILE = st.lists(
    st.sampled_from(
        [
            *("<b>", "</b>", "<i>", "</i>", "<code>", "</code>", "<p>", "<a href='tg://user?id=1'>", "</a>", "<br>"),
            *(
                "<a href='javascript:alert(1)'>",
                "<script>",
                "</script>",
                "<img src=x onerror=alert(1)>",
                "<b",
                "&lt;b&gt;",
            ),
            *(
                "<!channel>",
                "&lt;!channel&gt;",
                "<@U1>",
                "&lt;@U1&gt;",
                "<!subteam^S1>",
                "@everyone",
                "@here",
                "<#C1|x>",
            ),
            *(
                "[x](http://evil.example)",
                "&lt;http://evil.example|x&gt;",
                "*",
                "_",
                "`",
                "~",
                "|",
                ">",
                "&",
                "&amp;lt;",
            ),
            *("@durov", "#news", "$BTC", "evil.example", "https://evil.example/x", "tg://resolve?domain=x"),
            *("me@evil.example", "127.0.0.1", "/forget_me", "@", "#", "/", "."),
            *(
                "\u202e",
                "\u2066",
                "\u200b",
                "\ufdd0",
                "\ufde0",
                "👨\u200d👩",
                "е\u0301",
                "word",
                "Слово.",
                " ",
                "\n",
                "]]>",
            ),
        ]
    ),
    max_size=40,
).map("".join)


LIVE = regex.compile(r"@\w|#\p{L}|\$[A-Z]|://|\w\.\p{L}{2}|\d+(?:\.\d+){3}|(?<![\w/])/\w")
"""What Telegram turns into something to tap wherever it stands."""


def outside_links(text: str, entities: list[dict[str, Any]]) -> str:
    """What a reader sees, blanks where our own link is."""
    seen = text.encode("utf-16-le")
    for entity in entities:
        if entity["type"] == "text_link":
            start, end = 2 * entity["offset"], 2 * (entity["offset"] + entity["length"])
            seen = seen[:start] + " ".encode("utf-16-le") * entity["length"] + seen[end:]
    return seen.decode("utf-16-le")


@given(HOSTILE, HOSTILE)
@settings(max_examples=300, derandomize=True)
def test_no_mention_link_or_tag_lives_that_we_did_not_write(title: str, body: str):
    message = pushed(f"Road {title.replace(']]>', '')}", body.replace("]]>", ""))
    for page in telegram(message, {}):
        text, entities = read_html(page.html)
        assert not LIVE.findall(outside_links(text, entities))
        assert {entity["type"] for entity in entities} <= {"text_link", "bold", "italic", "code"}
        assert {entity["url"] for entity in entities if "url" in entity} <= {LINK}
    rendered = slack(message, tongue("en"))
    screen = show({"blocks": rendered.blocks, "text": rendered.text})
    assert screen.mentions == []
    assert {url for url, _ in screen.links} <= {LINK}
