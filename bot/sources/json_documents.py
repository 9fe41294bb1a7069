"""Feeds in JSON: JSON Feed, and the list of posts that every WordPress site has (wp/v2/posts)."""

from __future__ import annotations

import html
import json
from typing import Any

from bot import prose
from bot.errors import SourceError
from bot.sources.entries import MOST_ENTRIES, Entry, ParsedFeed, guid, iso, joined, language, names


def parse_json(text: str, url: str) -> ParsedFeed:
    """The entries of a JSON document, the first 1,000 of them. Raises SourceError for any other JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise SourceError("not a feed") from None
    if isinstance(document, list):
        return _wordpress(document, url)
    if "code" in document and "message" in document:  # how WordPress says no
        raise SourceError(f"refused: {prose.clip(prose.title(str(document['code'])), 60)}", blocked=True)
    items = document.get("items")
    if "jsonfeed.org" not in str(document.get("version", "")) or not isinstance(items, list):
        raise SourceError("not a feed")
    entries = [_json_entry(item, url) for item in items[:MOST_ENTRIES] if isinstance(item, dict)]
    title, spoken = prose.title(str(document.get("title", ""))), language(document.get("language"))
    return ParsedFeed(tuple(entries), len(items) <= MOST_ENTRIES, title, spoken)


def _json_entry(item: dict[str, Any], url: str) -> Entry:
    plain = html.escape(str(item.get("content_text") or ""))
    full = prose.read(str(item.get("content_html") or "") or plain)
    summary = prose.read(html.escape(str(item.get("summary") or "")))
    body = full if full.text else summary
    tags = item.get("tags")
    return Entry(
        guid=guid(item.get("id")),
        link=joined(url, item.get("url") or item.get("external_url")),
        title=prose.title(str(item.get("title") or "")),
        summary=summary.text,
        summary_spans=summary.spans,
        text=body.text,
        text_spans=body.spans,
        published=iso(item.get("date_published") or item.get("date_modified")),
        categories=names(tags if isinstance(tags, list) else ()),
    )


def _wordpress(posts: list[Any], url: str) -> ParsedFeed:
    """The rendered guid is that of the site's feed, so an article stays the same whichever way it comes."""
    found = [post for post in posts[:MOST_ENTRIES] if isinstance(post, dict)]
    if posts and not any("date_gmt" in post and "title" in post for post in found):
        raise SourceError("not a feed")
    return ParsedFeed(tuple(_post(post, url) for post in found), len(posts) <= MOST_ENTRIES, "")


def _post(post: dict[str, Any], url: str) -> Entry:
    summary, full = (prose.read(_rendered(post, name)) for name in ("excerpt", "content"))
    body = full if full.text else summary
    return Entry(
        guid=guid(html.unescape(_rendered(post, "guid"))),
        link=joined(url, post.get("link")),
        title=prose.title(_rendered(post, "title")),
        summary=summary.text,
        summary_spans=summary.spans,
        text=body.text,
        text_spans=body.spans,
        published=iso(post.get("date_gmt")),
    )


def _rendered(post: dict[str, Any], name: str) -> str:
    field = post.get(name)
    return str(field.get("rendered") or "") if isinstance(field, dict) else ""
