"""A feed document of a stranger to entries: RSS of every age, RDF, Atom and JSON Feed, well-formed or not,
in whatever charset they say or do not say. Runs in the worker process only.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from yarl import URL

from bot import prose
from bot.errors import SourceError
from bot.message import Span
from bot.sources.charset import decode

MOST_ENTRIES: Final = 1000
LONGEST_ID: Final = 500

_ROOT = re.compile(r"<(?:!doctype\s+)?(?:[\w.-]{1,20}:)?(rss|feed|rdf|channel|html)\b", re.IGNORECASE)
_FIRST_PAGE: Final = 100_000
_CHALLENGE = re.compile(
    r"challenge-platform|cf-chl|just a moment|checking your browser|ddos-guard|qrator|captcha|verify you are human",
    re.IGNORECASE,
)
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ENTRY_START = re.compile(r"<(?:[\w.-]{1,20}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ENTRY_END = re.compile(r"</(?:[\w.-]{1,20}:)?(?:item|entry)\s*>", re.IGNORECASE)
_DOCUMENT_END = re.compile(r"</(?:[\w.-]{1,20}:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as read: clean text already, a link of whatever scheme, "" where there is none.

    summary: the outlet's own description; text: the full text, else the summary again
    summary_spans, text_spans: their emphasis; published: None where no date could be read
    """

    guid: str
    link: str
    title: str
    summary: str
    text: str
    published: datetime | None
    categories: tuple[str, ...] = ()
    summary_spans: tuple[Span, ...] = ()
    text_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A document. complete: False if it was cut short, on its way or by us.

    language: two letters, "" where it says nothing; ttl: seconds it asks to be left alone, 0 for nothing
    """

    entries: tuple[Entry, ...]
    complete: bool
    title: str
    language: str = ""
    ttl: float = 0.0


def parse(body: bytes, headers: Mapping[str, str], url: str) -> ParsedFeed:
    """The entries of a feed document, the first 1,000 of them.

    headers: of the answer, by lower-case name; url: what relative links are relative to.
    Raises SourceError for a web page, a challenge page and whatever else is no feed.
    """
    text = _NOT_XML.sub("", decode(body, headers.get("content-type", "")))
    if text.lstrip().startswith("{"):
        return _json_feed(text, url)
    root = _ROOT.search(text, 0, _FIRST_PAGE)
    if root is None:
        raise SourceError("not a feed")
    if root[1].lower() == "html":
        challenge = _CHALLENGE.search(text, 0, _FIRST_PAGE)
        told = "a challenge page: blocked" if challenge else "an HTML page instead of a feed"
        raise SourceError(told, blocked=True)
    return _xml_feed(text, url)


def _xml_feed(text: str, url: str) -> ParsedFeed:
    import feedparser  # noqa: PLC0415 - 10 MB that only the worker should pay for

    whole, complete = _within_bounds(text)
    # Always a stream: a bare body that spells a path or an address would be opened as one.
    document = feedparser.parse(  # noqa: TID251
        io.BytesIO(whole.encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    entries = [_xml_entry(entry, url) for entry in document.entries]
    if not entries and not document.version:
        raise SourceError("not a feed")
    return ParsedFeed(tuple(entries[:MOST_ENTRIES]), complete, prose.title(str(document.feed.get("title", ""))))


def _within_bounds(text: str) -> tuple[str, bool]:
    """The document without what is past the last entry we keep, and without an entry that is cut
    in two; and whether that is all of it."""
    ends = [found.end() for found in _ENTRY_END.finditer(text)]
    beyond = next(islice(_ENTRY_START.finditer(text), MOST_ENTRIES, None), None)
    if beyond and ends and ends[-1] > beyond.start():
        return text[: beyond.start()] + text[ends[-1] :], False
    ended = bool(_DOCUMENT_END.search(text, ends[-1] if ends else 0))
    if ended:
        return text, True
    cut = _ENTRY_START.search(text, ends[-1] if ends else 0)
    return (text[: cut.start()] if cut else text), False


def _xml_entry(entry: Mapping[str, Any], url: str) -> Entry:
    contents = entry.get("content") or [{}]
    summary = prose.clean(str(entry.get("summary") or ""))
    full = prose.clean(str(contents[0].get("value") or ""))
    return Entry(
        guid=str(entry.get("id") or "").strip()[:LONGEST_ID],
        link=_joined(url, entry.get("link")),
        title=prose.title(str(entry.get("title") or "")),
        summary=summary,
        text=full or summary,
        published=_instant(
            next((entry[name] for name in ("published_parsed", "updated_parsed") if name in entry), None)
        ),
        categories=_names(tag.get("term") for tag in entry.get("tags") or ()),
    )


def _instant(parts: Any) -> datetime | None:
    """feedparser's UTC struct_time as an instant."""
    try:
        year, month, day, hour, minute, second = parts[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (TypeError, ValueError):
        return None


def _joined(url: str, link: Any) -> str:
    """A link as seen from the document, whose address is no part of anybody's guid."""
    text = str(link or "").strip()
    try:
        return str(URL(url).join(URL(text))) if text else ""
    except ValueError:
        return ""


def _names(found: Iterable[Any]) -> tuple[str, ...]:
    return tuple(prose.clip(prose.title(name), 100) for name in islice(found, 30) if isinstance(name, str))


def _json_feed(text: str, url: str) -> ParsedFeed:
    document = _loaded(text)
    items = document.get("items")
    if "jsonfeed.org" not in str(document.get("version", "")) or not isinstance(items, list):
        raise SourceError("not a feed")
    kept = [_json_entry(item, url) for item in items[:MOST_ENTRIES] if isinstance(item, dict)]
    return ParsedFeed(tuple(kept), len(items) <= MOST_ENTRIES, prose.title(str(document.get("title", ""))))


def _loaded(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError("not a feed") from None
    return document if isinstance(document, dict) else {}


def _json_entry(item: dict[str, Any], url: str) -> Entry:
    plain = html.escape(str(item.get("content_text") or ""))
    full = prose.clean(str(item.get("content_html") or "") or plain)
    summary = prose.clean(html.escape(str(item.get("summary") or "")))
    tags = item.get("tags")
    return Entry(
        guid=str(item.get("id") or "").strip()[:LONGEST_ID],
        link=_joined(url, item.get("url") or item.get("external_url")),
        title=prose.title(str(item.get("title") or "")),
        summary=summary,
        text=full or summary,
        published=_iso(item.get("date_published") or item.get("date_modified")),
        categories=_names(tags if isinstance(tags, list) else ()),
    )


def _iso(text: Any) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(text))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
