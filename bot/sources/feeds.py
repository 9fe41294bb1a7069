"""Feeds: the entries of a document to articles, an article to its identity."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from yarl import URL

from bot import prose, topics
from bot.models import Article, Feed
from bot.sources.entries import Entry, ParsedFeed

LONGEST_URL: Final = 2000
LONGEST_TITLE: Final = 300

_OPINION = re.compile(r"^(?:opinion|op-ed|мнение)\s*(?:[:|]|\s[–—-]\s)\s*", re.IGNORECASE)
_OPINION_CATEGORIES: Final = frozenset({"opinion", "opinions", "op-ed", "мнение", "мнения"})
_TRACKING = re.compile(r"^(?:utm_.*|(?:fb|g|y)clid|dclid|gbraid|wbraid|msclkid|mc_[ce]id|igshid|_ga|_openstat|amp)$")
_SIDE_DOORS = re.compile(r"^(?:(?:www|amp|m)\.)+(?=[^.]+\.)")


def articles(feed: Feed, parsed: ParsedFeed, now: datetime) -> list[Article]:
    """The articles of a document, in its order; an entry without a title or a web link is none."""
    links: defaultdict[str, set[str]] = defaultdict(set)
    for entry in parsed.entries:
        links[entry.guid].add(entry.link)
    shared = {guid for guid, covered in links.items() if len(covered) > 1}
    made = (_article(feed, entry, now, guid="" if entry.guid in shared else entry.guid) for entry in parsed.entries)
    return [article for article in made if article]


def keys(article: Article, *, added: bool = False) -> tuple[str, ...]:
    """What an article is known by, the surest first: its guid, its address, its title on its day.

    An address is the same article whichever feed has it, but for what a chat added: a stranger's feed
    must neither take an article away from the others nor word it anew. added: it comes from such a one
    """
    day = article.published.date().isoformat()
    folded = unicodedata.normalize("NFKC", article.title).casefold().replace("ё", "е")
    words = " ".join(re.findall(r"\w+", folded))
    address = canonical(article.url)
    found = (
        f"g:{article.source} {article.guid}",
        f"u:{f'{article.source} ' if added else ''}{address}" if _is_own(address) else "",
        f"t:{article.source} {day} {words}" if words else "",
    )
    return tuple(key for key in found if key)


def event(article: Article, keys: Sequence[str]) -> str:
    """What the push of an article is called: a chat gets one address once, whichever feeds it came by."""
    address = canonical(article.url)
    return f"article:u:{address}" if _is_own(address) else f"article:{keys[0]}"


def canonical(url: str) -> str:
    """One spelling for all spellings of a web address, to compare with, not to go to; "" if it is none."""
    try:
        address = URL(url)
    except ValueError:
        return ""
    if address.scheme not in ("http", "https") or not address.host:
        return ""
    host = _SIDE_DOORS.sub("", address.host.rstrip("."))
    path = re.sub(r"/{2,}", "/", address.path).rstrip("/").removesuffix("/amp")
    query = sorted((name, value) for name, value in address.query.items() if not _TRACKING.match(name.lower()))
    port = None if address.is_default_port() else address.port
    return str(URL.build(scheme="https", host=host, port=port, path=path or "/", query=query))


def _article(feed: Feed, entry: Entry, now: datetime, *, guid: str) -> Article | None:
    title = _OPINION.sub("", entry.title)
    if not title or not _is_web_link(entry.link):
        return None
    own = entry.summary and not entry.summary.endswith(("…", "..."))
    whole = prose.Prose(entry.summary, entry.summary_spans) if own else prose.Prose(entry.text, entry.text_spans)
    lead = prose.lead(whole.text)
    tags = topics.tag(title, lead, entry.text)
    own_country = feed.countries if len(feed.countries) == 1 else ()
    return Article(
        source=feed.id,
        guid=guid or entry.link,
        url=entry.link,
        title=prose.clip(title, LONGEST_TITLE),
        lead=lead,
        spans=prose.emphasis(whole, lead),
        text=entry.text,
        published=min(entry.published or now, now),
        language=feed.language,
        opinion=title != entry.title or not _OPINION_CATEGORIES.isdisjoint(c.casefold() for c in entry.categories),
        countries=tuple(dict.fromkeys((*own_country, *tags.countries))),
        topics=tags.topics,
    )


def _is_own(address: str) -> bool:
    """A front page is no article's address."""
    return bool(URL(address).path_qs.strip("/"))


def _is_web_link(link: str) -> bool:
    """Whether one may send a reader there; an address with a name before the host is made to deceive."""
    url = URL(link)
    return url.scheme in ("http", "https") and bool(url.host) and not url.user and len(link) <= LONGEST_URL
