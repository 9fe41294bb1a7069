"""A poll of one feed: what it says now, what of that is new, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from http import HTTPStatus

import structlog

from bot import rules, stories
from bot.announce import Announcer
from bot.errors import SourceError
from bot.fetch import Fetched, Fetcher
from bot.models import Article, Feed, PollState
from bot.parsing import Parser
from bot.ports import Clock, CrashHook
from bot.sources import feeds
from bot.sources.entries import ParsedFeed
from bot.store import Store

log = structlog.get_logger()


@dataclass(frozen=True)
class FeedPolls:
    """Polls the feeds, each when the tracker says so."""

    store: Store
    fetcher: Fetcher
    parser: Parser
    announcer: Announcer
    clock: Clock
    crash: CrashHook
    _keeping: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def poll(self, feed: Feed, state: PollState, interval: float) -> None:
        """One look at a feed. interval: the base one, in seconds. Raises SourceError."""
        try:
            await self._look(feed, state, interval, state.moved_to or feed.url)
        except SourceError as error:
            if not (error.blocked and feed.spare) or state.moved_to == feed.spare:
                raise
            log.info("feed blocked, asked elsewhere", source=feed.id, error=str(error))
            stranger = replace(state, etag="", last_modified="", body="")
            await self._look(feed, stranger, interval, feed.spare)

    async def _look(self, feed: Feed, state: PollState, interval: float, address: str) -> None:
        """At one address; where it is the spare one, that is where the feed has moved to if it reads well."""
        fetched = await self.fetcher.get(address, etag=state.etag, last_modified=state.last_modified)
        etag, last_modified = fetched.headers.get("etag", ""), fetched.headers.get("last-modified", "")
        now = self.clock()
        if fetched.status == HTTPStatus.NOT_MODIFIED:
            good = state
            if (etag or state.etag, last_modified or state.last_modified) != (state.etag, state.last_modified):
                good = replace(state, etag=etag or state.etag, last_modified=last_modified or state.last_modified)
            await self.store.keep_poll(rules.read_well(good, interval, fetched.max_age, now))
            return
        moved = fetched.moved_to or ("" if address == feed.url else address)
        good = replace(state, etag=etag, last_modified=last_modified, moved_to=moved)
        body = blake2b(fetched.body, digest_size=16).hexdigest()
        if body == state.body:
            await self.store.keep_poll(rules.read_well(good, interval, fetched.max_age, now))
        else:
            await self._read(feed, replace(good, body=body), interval, fetched)

    async def _read(self, feed: Feed, state: PollState, interval: float, fetched: Fetched) -> None:
        parsed = await self.parser.feed(fetched.body, fetched.headers, fetched.url)
        self.crash("fetched")
        now = self.clock()
        articles = await asyncio.to_thread(feeds.articles, feed, parsed, now)
        learnt = replace(
            state, items=len(articles), window=rules.window(articles), ttl=parsed.ttl, note=_note(parsed, articles)
        )
        good = rules.read_well(learnt, interval, fetched.max_age, now)
        seen = [(article, feeds.keys(article, added=feed.added)) for article in articles]
        async with self._keeping:  # two feeds may bring the same article at the same moment
            known = await self.store.known_articles({key for _, keys in seen for key in keys})
            new, edited = rules.sort_news(seen, known)
            new = await self._grouped(feed, new)
            loud = rules.worth_announcing(new, first_look=state.last_ok_at is None)
            outgoing = await self.announcer.articles(loud, now)
            outgoing += await self.announcer.corrections(await self._rewritten(feed, edited), now)
            kept = await self.store.keep_news(good, new, edited, outgoing, now)
        self.crash("kept")
        log.info("feed read", source=feed.id, entries=len(seen), new=kept)

    async def _rewritten(self, feed: Feed, edited: Mapping[int, rules.Found]) -> list[tuple[str, Article]]:
        """Those that people would read otherwise than before, with the event that told them of it."""
        changed = await self.store.rewritten(edited) if edited else {}
        return [
            (feeds.event(before, feeds.keys(before, added=feed.added)), now)
            for before, now in changed.values()
            if rules.reads_otherwise(before, now)
        ]

    async def _grouped(self, feed: Feed, new: list[rules.Found]) -> list[rules.Found]:
        """New articles with their stories. A stranger's feed is of nobody's story: it could lead them all astray."""
        if not new or feed.added:
            return new
        recent = await self.store.headlines(stories.since(new), stories.CANDIDATES)
        return await asyncio.to_thread(stories.group, new, recent)


def _note(parsed: ParsedFeed, articles: list[Article]) -> str:
    """What was wrong with a document that could be read, "" for nothing."""
    useless = len(parsed.entries) - len(articles)
    notes = [
        "" if parsed.complete else "cut short",
        "" if parsed.entries else "no entries",
        f"{useless} {'entry' if useless == 1 else 'entries'} without a title or a web link" if useless else "",
    ]
    return ", ".join(filter(None, notes))
