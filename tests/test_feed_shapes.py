"""Documents that cost or deceive, through the real child process: each gives the stated entries or the stated refusal,
and the next feed parses as if nothing had been."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from bot.errors import SourceError
from bot.models import Feed
from bot.parsing import Parser
from bot.sources.feeds import articles, keys

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
FEED = Feed("steppe", "Steppe", "https://steppe.example/feed/", "ru")
ITEM = "<item><title>{title}</title><link>https://steppe.example/{n}</link><guid>g{n}</guid>{more}</item>"


def item(n: int = 1, title: str = "Саммит", more: str = "") -> str:
    return ITEM.format(n=n, title=title, more=more)


def rss(body: str, head: str = "", encoding: str = "") -> str:
    declared = f' encoding="{encoding}"' if encoding else ""
    return f'<?xml version="1.0"{declared}?>{head}<rss version="2.0"><channel><title>S</title>{body}</channel></rss>'


def laughs(levels: int) -> str:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE rss [<!ENTITY l0 "lol">{lines}]>'


LONG = "т" * 2000
TOO_LONG = "took too much time or memory to parse"
COSTLY = {
    "10,000 items",
    "a billion laughs",
    "a quadratic blow-up",
    "escaped 200,000 tags deep",
    "10 MB of Cyrillic",
    "10 MB with one emoji",
    "8 MB in UTF-16",
    "more full articles than can be read",
}
"""On a slow processor they take longer than a document may."""
WORDS = "Новости степи и гор. " * 22
FULL = f"<description><![CDATA[{f'<p>{WORDS}</p>' * 11}]]></description>"
TEASER = f"<description>{WORDS}</description>"
PLAIN = f"<description>{'News of the steppe. ' * 44}</description>"
DOCUMENTS: dict[str, tuple[bytes, int | str]] = {
    "10,000 items": (rss("".join(item(n) for n in range(10_000))).encode(), 1000),
    "windows-1251, declared": (
        rss(item(more=f"<description>{'Казахстан ' * 40}</description>"), "", "windows-1251").encode("cp1251"),
        1,
    ),
    "windows-1251, not declared": (
        rss(item(more=f"<description>{'Казахстан ' * 40}</description>")).encode("cp1251"),
        1,
    ),
    "windows-1251, declared UTF-8": (rss(item(), "", "UTF-8").encode("cp1251"), 1),
    "UTF-16, little end first": (rss(item(), "", "utf-16").encode("utf-16"), 1),
    "UTF-16, big end first": (b"\xfe\xff" + rss(item(), "", "utf-16").encode("utf-16-be"), 1),
    "cut in its third item": (rss(item(1) + item(2) + item(3)).encode()[:-60], 2),
    "a billion laughs": (rss(item(title="&l9;"), laughs(10)).encode(), 1),
    "a billion laughs behind character references": (
        rss(item(title="&l9;"), laughs(10).replace("&", "&#38;")).encode(),
        1,
    ),
    "a quadratic blow-up": (rss(item(title="&a;" * 20_000), f'<!DOCTYPE rss [<!ENTITY a "{LONG}">]>').encode(), 1),
    "an entity from the net": (
        rss(item(title="&x;"), '<!DOCTYPE rss [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>').encode(),
        0,
    ),
    "200,000 tags deep": (rss(item(more="<b>" * 200_000)).encode(), TOO_LONG),
    "escaped 200,000 tags deep": (rss(item(more=f"<description>{'&lt;b&gt;' * 200_000}</description>")).encode(), 1),
    "more full articles than can be read": (rss("".join(item(n, more=FULL) for n in range(1000))).encode(), 343),
    "three short items and 9 MB of nothing": (rss(item(1) + item(2) + item(3)).encode() + b" " * 9_000_000, 3),
    "an item of 9 MB": (
        rss(item(more=f"<description>{'&lt;p&gt;x ' * 900_000}</description>")).encode(),
        "an entry larger than 3 MB",
    ),
    "10 MB of Cyrillic": (rss("".join(item(n, more=TEASER) for n in range(10_400))).encode(), 1000),
    "10 MB with one emoji": (
        rss(
            item(0, more="<category>\U0001f600</category>") + "".join(item(n, more=PLAIN) for n in range(9_900))
        ).encode(),
        1000,
    ),
    "8 MB in UTF-16": (rss("".join(item(n, more=TEASER) for n in range(7_000)), "", "utf-16").encode("utf-16"), 1000),
    "a page": (b"<!DOCTYPE html><html><head><title>News</title></head></html>", "an HTML page instead of a feed"),
    "eleven bytes": (b"hello world", "not a feed"),
    "nothing": (b"", "an empty document"),
    "an OPML list": (b'<opml version="2.0"><body/></opml>', "not a feed"),
}

CUT = {
    "10,000 items",
    "cut in its third item",
    "more full articles than can be read",
    "10 MB of Cyrillic",
    "10 MB with one emoji",
    "8 MB in UTF-16",
}


@pytest.fixture
async def parser() -> AsyncIterator[Parser]:
    parser = Parser()
    yield parser
    await parser.close()


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_gives_what_is_in_it_or_its_refusal(parser: Parser, name: str):
    body, expected = DOCUMENTS[name]
    try:
        parsed = await parser.feed(body, {}, FEED.url)
    except SourceError as error:
        assert str(error) == expected or (name in COSTLY and str(error) == TOO_LONG)
    else:
        found = articles(FEED, parsed, NOW)
        assert len(found) == expected
        assert parsed.complete is (name not in CUT)
        assert all(article.title == "Саммит" for article in found) or "laughs" in name or "blow-up" in name
        assert all(len(article.title) <= 300 for article in found)
    behind = await parser.feed(rss(item(7)).encode(), {}, FEED.url)
    assert behind.entries[0].guid == "g7"


SPELLINGS = (
    "https://steppe.example/road/",
    "http://steppe.example/road",
    "https://www.steppe.example/road/",
    "https://m.steppe.example/road/amp/",
    "https://STEPPE.example:443//road/",
    "https://steppe.example/road/?utm_source=rss&utm_medium=feed",
    "https://steppe.example/road/#comments",
    "https://amp.steppe.example/road?fbclid=1",
    "/road/",
)


async def test_nine_spellings_of_an_address_are_one_article(parser: Parser):
    body = rss("".join(f"<item><title>T</title><link>{link.replace('&', '&amp;')}</link></item>" for link in SPELLINGS))
    found = articles(FEED, await parser.feed(body.encode(), {}, FEED.url), NOW)
    assert len(found) == 9
    assert len({key for article in found for key in keys(article) if key.startswith("u:")}) == 1
