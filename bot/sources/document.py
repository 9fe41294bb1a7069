"""A feed document of a stranger to entries: RSS of every age, RDF, Atom and JSON Feed, well-formed or not,
in whatever charset they say or do not say. Runs in the worker process only.
"""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from bot import prose
from bot.errors import SourceError
from bot.sources.charset import decode, narrow
from bot.sources.entries import MOST_ENTRIES, Entry, ParsedFeed, guid, joined, language, names
from bot.sources.json_documents import parse_json

LONGEST: Final = 3 << 20
"""So many bytes of entries: about what can be read within the child's time and memory."""
LONGEST_END: Final = 10_000

_ROOT = re.compile(r"<(?:!doctype\s+)?(?:[\w.-]{1,20}:)?(rss|feed|rdf|channel|html)\b", re.IGNORECASE)
_FIRST_PAGE: Final = 100_000
_CHALLENGE = re.compile(
    r"challenge-platform|cf-chl|just a moment|checking your browser|ddos-guard|qrator|captcha|verify you are human",
    re.IGNORECASE,
)
_EXPANDING = re.compile(
    r"""<!ENTITY\s++[^\s"'>]++\s++(?!["']&\#\w{1,8};["'])"""
    r"""(?:"(?:[^"&]*+&|[^"]{100})[^"]*+"|'(?:[^'&]*+&|[^']{100})[^']*+')\s*+>""",
)
"""A name for other names, or for much text: what bombs are made of, and no feed has."""
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]")
_ENTRY_START = re.compile(rb"<(?:[\w.-]{1,20}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_ENTRY_END = re.compile(rb"</(?:[\w.-]{1,20}:)?(?:item|entry)\s*>", re.IGNORECASE)
_DOCUMENT_END = re.compile(rb"</(?:[\w.-]{1,20}:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)


def parse(body: bytes, headers: Mapping[str, str], url: str) -> ParsedFeed:
    """The entries of a feed document, the first 1,000 of them.

    headers: of the answer, by lower-case name; url: what relative links are relative to.
    Raises SourceError for a web page, a challenge page and whatever else is no feed.
    """
    body = narrow(body)
    if _JSON.match(body):
        return parse_json(_NOT_XML.sub("", decode(body, headers.get("content-type", ""))), url)
    kept, complete = _within_bounds(body)
    del body  # megabytes, maybe: whoever called has let go of it too
    text = _NOT_XML.sub("", decode(kept, headers.get("content-type", "")))
    if not text.strip():
        raise SourceError("an empty document")
    root = _ROOT.search(text, 0, _FIRST_PAGE)
    if root is None:
        raise SourceError("not a feed")
    if root[1].lower() == "html":
        challenge = _CHALLENGE.search(text, 0, _FIRST_PAGE)
        told = "a challenge page: blocked" if challenge else "an HTML page instead of a feed"
        raise SourceError(told, blocked=True)
    stream = io.BytesIO(_EXPANDING.sub("", text).encode("utf-8", "replace"))
    del kept, text
    return _xml_feed(stream, url, complete=complete)


def _xml_feed(stream: io.BytesIO, url: str, *, complete: bool) -> ParsedFeed:
    import feedparser  # noqa: PLC0415 - 10 MB that only the worker should pay for

    # Always a stream: a bare body that spells a path or an address would be opened as one.
    document = feedparser.parse(  # noqa: TID251
        stream,
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    entries = [_xml_entry(entry, url) for entry in document.entries]
    if not entries and not document.version:
        raise SourceError("not a feed")
    about = document.feed
    title, spoken = prose.title(str(about.get("title", ""))), language(about.get("language"))
    return ParsedFeed(tuple(entries[:MOST_ENTRIES]), complete, title, spoken, _ttl(about.get("ttl")))


def _ttl(minutes: Any) -> float:
    text = str(minutes or "").strip()
    return min(float(text[:6]) * 60, 86400.0) if text.isascii() and text.isdigit() else 0.0


def _within_bounds(body: bytes) -> tuple[bytes, bool]:
    """The document without what is past the last entry we keep, and without an entry that is cut
    in two; and whether that is all of it."""
    last = 0
    for found in _ENTRY_END.finditer(body):
        last = found.end()
    starts = [found.start() for found in islice(_ENTRY_START.finditer(body), MOST_ENTRIES + 1)]
    fit = MOST_ENTRIES if last <= LONGEST else min(MOST_ENTRIES, bisect_right(starts, LONGEST) - 1)
    if fit < 1:
        raise SourceError(f"an entry larger than {LONGEST >> 20} MB")
    if len(starts) > fit and last > starts[fit]:
        return body[: starts[fit]] + body[last : last + LONGEST_END], False
    ends = [found.end() for found in _DOCUMENT_END.finditer(body, last, last + LONGEST_END)]
    if ends:
        return body[: ends[-1]], True
    cut = _ENTRY_START.search(body, last)
    return body[: cut.start() if cut else LONGEST], False


def _xml_entry(entry: Mapping[str, Any], url: str) -> Entry:
    contents = entry.get("content") or [{}]
    summary = prose.read(str(entry.get("summary") or ""))
    full = prose.read(str(contents[0].get("value") or ""))
    text = full if full.text else summary
    return Entry(
        guid=guid(entry.get("id")),
        link=joined(url, entry.get("link")),
        title=prose.title(str(entry.get("title") or "")),
        summary=summary.text,
        summary_spans=summary.spans,
        text=text.text,
        text_spans=text.spans,
        published=_instant(
            next((entry[name] for name in ("published_parsed", "updated_parsed") if name in entry), None)
        ),
        categories=names(tag.get("term") for tag in entry.get("tags") or ()),
    )


def _instant(parts: Any) -> datetime | None:
    """feedparser's UTC struct_time as an instant."""
    try:
        year, month, day, hour, minute, second = parts[:6]
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (TypeError, ValueError):
        return None
