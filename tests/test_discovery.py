"""Finding the feeds behind an address that a person typed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.errors import SourceError
from bot.models import Feed
from bot.parsing import Parser
from bot.sources.discovery import MOST_LINKS, Outline, feeds_of, guesses, outlines, write_opml

PAGE = b"""<!doctype html><html><head><base href="/en/">
<link rel="alternate" type="application/rss+xml" title="Comments" href="comments/feed/">
<link rel="alternate" type="application/rss+xml" href="feed/">
<LINK REL='alternate' TYPE='application/atom+xml' HREF='https://other.example/atom'>
<link rel="alternate" hreflang="ru" href="/ru/">
<link rel="alternate" type="application/rss+xml" href="javascript:alert(1)">
<link rel="stylesheet" type="text/css" href="x.css"></head><body>News</body></html>"""


def test_a_page_names_its_feeds_and_those_of_its_comments_last():
    assert feeds_of(PAGE, {}, "https://steppe.example/page") == (
        "https://steppe.example/en/feed/",
        "https://other.example/atom",
        "https://steppe.example/en/comments/feed/",
    )


def test_no_page_leads_to_more_than_a_few():
    many = b'<link rel="alternate" type="application/rss+xml" href="/%d">'
    assert len(feeds_of(b"".join(many % n for n in range(99)), {}, "https://steppe.example/")) == MOST_LINKS


def test_the_usual_places_are_at_the_root():
    assert guesses("https://steppe.example:8443/en/page?x=1")[0] == "https://steppe.example:8443/feed/"


def test_a_list_of_feeds_goes_out_and_comes_back():
    feeds = [
        Feed("a", 'Road & "Rail" <b>', "https://a.example/feed?x=1&y=2", "en"),
        Feed("b", "Степь", "http://b.example/", "ru"),
    ]
    written = write_opml(feeds, "Sources of Yamchi", datetime(2026, 11, 23, tzinfo=UTC))
    assert outlines(written.encode()) == (
        Outline('Road & "Rail"', feeds[0].url),
        Outline("Степь", "http://b.example/"),
    )


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"http://127.0.0.1:1/list.opml", b"\xff\xfe<", b"<rss/>"])
def test_what_is_no_list_of_feeds_is_refused(body: bytes):
    with pytest.raises(SourceError, match="not an OPML list"):
        outlines(body)


def test_a_list_leads_to_the_web_only():
    body = b'<opml version="2.0"><body><outline text="x" xmlUrl="file:///etc/passwd"/></body></opml>'
    assert outlines(body) == ()


async def test_both_are_read_in_the_child():
    parser = Parser()
    try:
        assert len(await parser.links(PAGE, {}, "https://steppe.example/page")) == 3
        assert (
            await parser.outlines(b'<opml version="2.0"><body><outline xmlUrl="http://a.example/"/></body></opml>')
        ) == (Outline("", "http://a.example/"),)
    finally:
        await parser.close()
