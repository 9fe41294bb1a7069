"""Finding feeds: those that a web page names, those that a list of them names, and the usual places.

Runs in the worker process only, but for `guesses` and `write_opml`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from html.parser import HTMLParser
from itertools import islice
from typing import Final

from yarl import URL

from bot import prose
from bot.errors import SourceError
from bot.models import Feed
from bot.sources.charset import decode
from bot.sources.entries import joined

MOST_LINKS: Final = 5
MOST_OUTLINES: Final = 200
LONGEST_PAGE: Final = 1_000_000
LONGEST_TITLE: Final = 100
USUAL: Final = ("/feed/", "/rss", "/rss.xml", "/feed.xml")
_TYPES: Final = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed as a list of feeds names it."""

    title: str
    url: str


def feeds_of(body: bytes, headers: Mapping[str, str], url: str) -> tuple[str, ...]:
    """The addresses that a web page names as its feeds; those of its comments come last."""
    page = _Page(url)
    page.feed(decode(body[:LONGEST_PAGE], headers.get("content-type", "")))
    found = dict.fromkeys(link for link in page.links if _is_web(link))
    return tuple(islice(sorted(found, key=lambda link: "comment" in link), MOST_LINKS))


def guesses(url: str) -> tuple[str, ...]:
    """Where a site's feed usually stands."""
    return tuple(str(URL(url).origin().join(URL(path))) for path in USUAL)


def outlines(body: bytes) -> tuple[Outline, ...]:
    """The feeds of an OPML document, each once. Raises SourceError for a document that is none."""
    import listparser  # noqa: PLC0415 - only the worker should pay for it

    read = listparser.parse(decode(body[:LONGEST_PAGE]).encode("utf-8", "replace"))
    if not read.version.startswith("opml"):
        raise SourceError("not an OPML list")
    found = {feed.url: prose.clip(prose.title(feed.title), LONGEST_TITLE) for feed in read.feeds if _is_web(feed.url)}
    return tuple(Outline(title, url) for url, title in islice(found.items(), MOST_OUTLINES))


def write_opml(feeds: Iterable[Feed], title: str, created: datetime) -> str:
    """These feeds as an OPML 2.0 document."""
    root = ET.Element("opml", version="2.0")
    head, body = ET.SubElement(root, "head"), ET.SubElement(root, "body")
    ET.SubElement(head, "title").text = title
    ET.SubElement(head, "dateCreated").text = format_datetime(created)
    for feed in feeds:
        ET.SubElement(
            body, "outline", type="rss", text=feed.title, title=feed.title, xmlUrl=feed.url, language=feed.language
        )
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, "unicode")}\n'


class _Page(HTMLParser):
    """Reads what a page's head links to."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: (value or "").strip() for name, value in attrs}
        if tag == "base":
            self.base = joined(self.base, told.get("href")) or self.base
        elif tag == "link" and "alternate" in told.get("rel", "").lower() and told.get("type", "").lower() in _TYPES:
            self.links.append(joined(self.base, told.get("href")))


def _is_web(link: str) -> bool:
    try:
        address = URL(link)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.host)
