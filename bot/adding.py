"""From an address that a person typed to the feed behind it, or to the feeds of a list."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from yarl import URL

from bot import prose
from bot.errors import SourceError
from bot.fetch import Fetched, Fetcher
from bot.models import Feed
from bot.parsing import Parser
from bot.sources.discovery import guesses
from bot.sources.entries import ParsedFeed
from bot.sources.feeds import LONGEST_URL, canonical

SECONDS: Final = 15.0
MOST_TRIED: Final = 5
LONGEST_TITLE: Final = 100

_LIST = re.compile(rb"<opml[\s>]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A feed and what it holds now. items: None if it was only named in a list; newest: a title."""

    feed: Feed
    items: int | None = None
    newest: str = ""


Find = Callable[[str], Awaitable[list[Found]]]
"""Every feed behind an address: one, or those of a list. Raises SourceError if there is none."""


@dataclass(frozen=True)
class Finder:
    """Looks behind addresses, through the same guarded client that polls."""

    fetcher: Fetcher
    parser: Parser

    async def find(self, text: str) -> list[Found]:
        """See Find. Takes at most fifteen seconds."""
        url = text if "://" in text else f"https://{text}"
        if len(url) > LONGEST_URL:
            raise SourceError("not an http address")
        try:
            async with asyncio.timeout(SECONDS):
                return await self._look(url)
        except TimeoutError:
            raise SourceError(f"no answer within {SECONDS:g} s") from None

    async def _look(self, url: str) -> list[Found]:
        fetched = await self.fetcher.get(url)
        try:
            return [await self._read(url, fetched)]
        except SourceError as error:
            if _LIST.search(fetched.body[:10_000]):
                return await self._listed(fetched)
            for candidate in await self._candidates(fetched):
                if found := await self._tried(candidate):
                    return [found]
            raise SourceError(f"{error}, and no feed behind it") from None

    async def _read(self, url: str, fetched: Fetched) -> Found:
        parsed = await self.parser.feed(fetched.body, fetched.headers, fetched.url)
        return _found(fetched.moved_to or url, parsed)

    async def _listed(self, fetched: Fetched) -> list[Found]:
        outlines = await self.parser.outlines(fetched.body)
        return [Found(_feed(outline.url, outline.title, "en")) for outline in outlines]

    async def _candidates(self, fetched: Fetched) -> list[str]:
        named = await self.parser.links(fetched.body, fetched.headers, fetched.url)
        return list(dict.fromkeys((*named, *guesses(fetched.url))))[:MOST_TRIED]

    async def _tried(self, url: str) -> Found | None:
        try:
            return await self._read(url, await self.fetcher.get(url))
        except SourceError:
            return None


def _found(url: str, parsed: ParsedFeed) -> Found:
    dated = [(entry.published, entry.title) for entry in parsed.entries if entry.published]
    feed = _feed(url, parsed.title, parsed.language or "en")
    return Found(feed, len(parsed.entries), max(dated)[1] if dated else "")


def _feed(url: str, title: str, language: str) -> Feed:
    """Its id tells the host and is the same however the address is spelt."""
    host = (URL(url).host or "").removeprefix("www.")
    slug = re.sub(r"[^a-z0-9]+", "-", host.lower()).strip("-")[:28] or "feed"
    mark = blake2b((canonical(url) or url).encode(), digest_size=3).hexdigest()
    return Feed(f"{slug}-{mark}", prose.clip(title or host, LONGEST_TITLE), url, language, added=True)
