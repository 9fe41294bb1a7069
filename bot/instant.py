"""Articles as they appear: to whom at once, when quiet hours are over, or in a bundle with others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from bot import rules, whys
from bot.compose import digest as compose_digest
from bot.compose import news as compose_news
from bot.locales import tongue
from bot.message import Message
from bot.models import Address, Article, Bundle, Catalogue, ChatSettings, Outgoing, Subscription
from bot.outlets import Outlets, outlets
from bot.quiet import hushed, quiet_until
from bot.sources import feeds
from bot.store import Store
from bot.wanted import Reading, reading

AN_HOUR: Final = timedelta(hours=1)
MOST_AN_HOUR: Final = 6
"""Articles that go to one chat singly; the rest waits for a bundle."""
BUNDLE: Final = "bundle"
"""The reason under which the store finds what waits for one."""

Listener = tuple[Subscription, ChatSettings]


@dataclass
class Instant:
    """Pushes of one instant, `now`. settings_of: what a chat goes by, given what it chose."""

    store: Store
    catalogue: Catalogue
    settings_of: Callable[[Address, ChatSettings | None], ChatSettings]
    now: datetime
    sample: bool = False
    _shared: dict[object, Message] = field(default_factory=dict)

    async def articles(self, new: Sequence[tuple[Article, Sequence[str]]]) -> list[Outgoing]:
        """New articles for the subscriptions that want them, in the order they are given."""
        listeners = await self._listeners() if new else []
        if not listeners:
            return []
        added = await self.store.added_feeds()
        seen = {order.address: outlets(self.catalogue, added, order.address) for order, _ in listeners}
        pushed = await self.store.pushed_since(self.now - AN_HOUR)
        before = await self._before(new) if any(settings.threads for _, settings in listeners) else {}
        told: dict[tuple[str, Address], Outgoing] = {}
        for article, event, terms, (order, settings) in await asyncio.to_thread(_wanted, new, listeners):
            own = seen[order.address]
            if (event, order.address) not in told and article.source not in own.hidden:
                why = whys.of_article(order, article, terms)
                follows = before.get(article.story, ()) if settings.threads else ()
                out = replace(self._article(article, event, own, settings), why=why, follows=follows)
                out = hushed(out, settings)
                spaced = _spaced(out, pushed.setdefault(order.address, []), settings, self.now)
                told[event, order.address] = spaced
        return list(told.values())

    async def corrections(self, rewritten: Sequence[tuple[str, Article]]) -> list[Outgoing]:
        """Articles that read otherwise now, each with the event that told it, in the place of what was sent.

        They go wherever that went: what is corrected may be what somebody asked for. Nothing rings, so they
        neither wait for the end of quiet hours nor count as pushes.
        """
        chats = {one.address: one for _, one in await self._listeners() if one.edits} if rewritten else {}
        if not chats:
            return []
        added = await self.store.added_feeds()
        return [
            self._correction(event, article, outlets(self.catalogue, added, address), settings)
            for event, article in rewritten
            for address, settings in chats.items()
        ]

    def _correction(self, event: str, article: Article, own: Outlets, settings: ChatSettings) -> Outgoing:
        words = blake2b(f"{article.title}\n{article.lead}".encode(), digest_size=8).hexdigest()
        out = self._article(article, event, own, settings)
        return replace(out, event=f"{event}:edited:{words}", edits=event)

    async def bundles(self) -> int:
        """Put the bundles whose time has come into the outbox. Returns how many were new."""
        due = await self.store.due_bundles(self.now)
        return await self.store.keep_bundles([(one, await self._bundle(one)) for one in due], self.now) if due else 0

    async def _listeners(self) -> list[Listener]:
        found = await self.store.instant_subscriptions()
        return [
            (order, self.settings_of(order.address, chosen))
            for order, chosen in found
            if order.content.news and not order.is_paused(self.now)
        ]

    async def _before(self, new: Sequence[tuple[Article, Sequence[str]]]) -> dict[int, tuple[str, ...]]:
        """By story, the events of what was told of it already, the first one first."""
        numbers = {article.story for article, _ in new if article.story}
        firsts = [first for number in numbers if (first := await self.store.article(number))]
        pieces = {piece.id: piece for piece in (*firsts, *await self.store.stories(numbers))}
        told: dict[int, dict[str, None]] = {}
        for number, piece in sorted(pieces.items()):
            told.setdefault(piece.story or number, {})[feeds.event(piece, feeds.keys(piece))] = None
        return {story: tuple(events) for story, events in told.items()}

    def _article(self, article: Article, event: str, own: Outlets, settings: ChatSettings) -> Outgoing:
        outlet = own.titles.get(article.source, article.source)
        key = event, outlet, settings.language, settings.zone
        if key not in self._shared:
            message = compose_news.article(article, outlet, tongue(settings.language), settings.zone)
            self._shared[key] = replace(message, sample=self.sample)
        return self._out(event, settings.address, self._shared[key])

    async def _bundle(self, bundle: Bundle) -> Outgoing:
        settings = self.settings_of(bundle.address, await self.store.chat(bundle.address))
        message = bundle.messages[0]
        if len(bundle.messages) > 1:
            message = compose_digest.bundle(bundle.messages, tongue(settings.language))
        event = f"{BUNDLE}:{bundle.due_at:%Y-%m-%dT%H:%M:%S.%f}"
        return hushed(self._out(event, bundle.address, replace(message, sample=self.sample)), settings)

    def _out(self, event: str, address: Address, message: Message) -> Outgoing:
        return Outgoing(event, address, "article", message, self.now, self.now + rules.SHELF_LIFE["article"])


def _wanted(
    new: Sequence[tuple[Article, Sequence[str]]], listeners: Sequence[Listener]
) -> list[tuple[Article, str, Reading, Listener]]:
    """Who wants what, under which event. To read an article takes a millisecond, and far more the first time."""
    read = ((article, feeds.event(article, keys), reading(article)) for article, keys in new)
    return [
        (article, event, terms, listener)
        for article, event, terms in read
        for listener in listeners
        if rules.wants(listener[0].content, article, terms)
    ]


def _spaced(out: Outgoing, pushed: list[datetime], settings: ChatSettings, now: datetime) -> Outgoing:
    """The push, or a note that it waits for the bundle. pushed: when others go to this chat; it learns of this one.

    What quiet hours held back goes all together at their end; else a bundle comes when the hour is over.
    """
    hour = [at for at in pushed if out.due_at - AN_HOUR < at <= out.due_at]
    if len(hour) < MOST_AN_HOUR:
        pushed.append(out.due_at)
        return out
    at = out.due_at if out.due_at > now else hour[0] + AN_HOUR
    if settings.quiet and settings.quiet.hold:
        at = quiet_until(settings.quiet, settings.zone, at) or at
    return replace(out, state="withheld", reason=BUNDLE, due_at=at, expires_at=at + rules.SHELF_LIFE["article"])
