"""Digests are made here: once for all who get the same one, from articles and a board that are read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.board import read_board
from bot.compose import digest as compose
from bot.compose.digest import Digest
from bot.locales import tongue
from bot.message import Message
from bot.models import AddedFeed, Article, Board, Catalogue, ChatSettings, Content, Edition, NewsQuery
from bot.orders import query_text
from bot.outlets import outlets
from bot.store import Store
from bot.stories import Story, stories

STORIES_COUNTED: Final = 200
HEADLINES: Final = 2
"""Beside a currency that moved."""
REMEMBERED: Final = 1000
"""Digests kept for later batches of the same editions: they fall due together, so the newest will do."""


@dataclass(frozen=True, slots=True)
class Made:
    """A digest. articles: how many there were for it; news: whether it has anything new to say."""

    message: Message
    articles: int
    news: bool


@dataclass
class Press:
    """Makes the digests of one instant, `now`. What several of them hold is read once."""

    store: Store
    catalogue: Catalogue
    now: datetime
    _board: Board | None = None
    _added: Sequence[AddedFeed] | None = None
    _made: dict[object, Made] = field(default_factory=dict)
    _news: dict[object, list[Article]] = field(default_factory=dict)

    async def edition(self, edition: Edition, settings: ChatSettings, after: datetime, until: datetime) -> Made:
        """The digest of an edition, made once for all its subscriptions, however many batches they take."""
        key = edition.content, settings.zone, settings.language, edition.feeds, after, until
        if key not in self._made:
            if len(self._made) >= REMEMBERED:
                self._made.clear()
                self._news.clear()
            self._made[key] = await self.digest(edition.content, settings, after, until)
        return self._made[key]

    async def digest(self, content: Content, settings: ChatSettings, after: datetime, until: datetime) -> Made:
        """The digest of what was first seen in (after, until], with the rates in force now."""
        if self._added is None:
            self._added = await self.store.added_feeds()
        seen = outlets(self.catalogue, self._added, settings.address)
        query = wanted(content, seen.hidden)
        articles = await self.articles(query, after, until) if content.news else []
        board = await self._rates() if content.rates else None
        headlines = {
            quote.quote: await self._headlines(compose.country(quote), seen.hidden, after, until)
            for quote in compose.moved(board)
        }
        digest = Digest(
            day=until.astimezone(ZoneInfo(settings.zone)).date(),
            since=after,
            stories=[_best_first(story) for story in stories(articles)] if content.news else None,
            board=board,
            headlines=headlines,
            query=query_text(content),
        )
        message = compose.digest(digest, tongue(settings.language), settings.zone, seen.titles)
        return Made(message, len(articles), news=bool(articles or content.rates))

    async def _headlines(
        self, country: str, hidden: tuple[str, ...], after: datetime, until: datetime
    ) -> Sequence[Article]:
        query = NewsQuery(countries=(country,), opinion=False, hidden=hidden)
        return (await self.articles(query, after, until))[:HEADLINES]

    async def articles(self, query: NewsQuery, after: datetime, until: datetime) -> list[Article]:
        key = query, after, until
        if key not in self._news:
            self._news[key] = await self.store.news_seen(after, until, query, STORIES_COUNTED)
        return self._news[key]

    async def _rates(self) -> Board:
        self._board = self._board or await read_board(self.store, self.catalogue.roads, self.now)
        return self._board


def _best_first(story: Story) -> tuple[Article, ...]:
    """A story's articles, the one to show first, then in the order in which their outlets told it."""
    others = sorted(story.articles, key=lambda article: story.outlets.index(article.source))
    return story.lead, *(article for article in others if article is not story.lead)


def wanted(content: Content, hidden: tuple[str, ...]) -> NewsQuery:
    """What the store is asked for a subscription's news."""
    return NewsQuery(
        words=content.words,
        countries=content.countries,
        topics=content.topics,
        sources=content.sources,
        opinion=content.opinion,
        excluded=content.excluded,
        hidden=hidden,
    )
