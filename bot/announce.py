"""What changed becomes messages: digests that came due, new articles, new fixings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot import rules
from bot.board import BASE, FIVE, as_series, make_quote, read_board
from bot.compose import digest as compose_digest
from bot.compose import fixings as compose_fixings
from bot.compose import news as compose_news
from bot.compose import rates as compose_rates
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import (
    AddedFeed,
    Address,
    Article,
    Catalogue,
    ChatSettings,
    Content,
    Fixing,
    NewsQuery,
    Outgoing,
    Quote,
    RateRoad,
    RateTable,
    Subscription,
)
from bot.money import per_unit
from bot.outlets import Outlets, outlets
from bot.ports import Clock, Store
from bot.sources import feeds
from bot.suspicion import in_force

STORIES_SHOWN: Final = 8
STORIES_COUNTED: Final = 200
FIRST_WINDOW: Final = timedelta(hours=24)
DUE_AT_ONCE: Final = 500
OVERDUE: Final = 2
"""So many tables missed, and the operators are told."""
OPERATORS_SECONDS: Final = 6 * 3600


async def make_digest(
    store: Store,
    catalogue: Catalogue,
    content: Content,
    settings: ChatSettings,
    after: datetime,
    until: datetime,
    now: datetime,
) -> Message:
    """The digest of what was first seen in (after, until], with the rates in force at `now`."""
    speech = tongue(settings.language)
    seen = outlets(catalogue, await store.added_feeds(), settings.address)
    wanted = NewsQuery(content.words, content.countries, hidden=seen.hidden)
    articles = await store.news_seen(after, until, wanted, STORIES_COUNTED) if content.news else None
    board = compose_rates.board(await read_board(store, catalogue.roads, now), speech) if content.rates else None
    return compose_digest.digest(
        articles[:STORIES_SHOWN] if articles is not None else None,
        max(len(articles or ()) - STORIES_SHOWN, 0),
        board,
        speech,
        settings.zone,
        until.astimezone(ZoneInfo(settings.zone)).date(),
        seen.titles,
        since=after,
    )


@dataclass
class Announcer:
    """Turns events into outbox rows.

    zone, language: for chats that chose none; catch_up: how late a digest may still come
    sample: every message says that it is of the sample edition; operators: where those are told
    """

    store: Store
    catalogue: Catalogue
    zone: str
    language: str
    catch_up: timedelta
    sample: bool = False
    operators: tuple[Address, ...] = ()

    async def settings(self, address: Address) -> ChatSettings:
        chosen = await self.store.chat(address)
        return chosen or ChatSettings(address, self.zone, self.language)

    async def due(self, now: datetime) -> int:
        """Put every digest that came due into the outbox. Returns how many were new."""
        enqueued = 0
        while subscriptions := await self.store.due_subscriptions(now, DUE_AT_ONCE):
            shared: dict[object, Message] = {}
            added = await self.store.added_feeds()
            outgoing = [await self._digest(subscription, now, added, shared) for subscription in subscriptions]
            replanned = [await self._replan(subscription, now) for subscription in subscriptions]
            enqueued += await self.store.keep_digests(outgoing, replanned, now)
        return enqueued

    async def _digest(
        self, subscription: Subscription, now: datetime, added: Sequence[AddedFeed], shared: dict[object, Message]
    ) -> Outgoing:
        settings = await self.settings(subscription.address)
        due = rules.latest_due(subscription, settings.zone, now)
        after = subscription.previous_due or due - FIRST_WINDOW
        own = outlets(self.catalogue, added, subscription.address).own
        edition = (subscription.content, settings.zone, settings.language, own, after, due)
        if edition not in shared:
            message = await make_digest(self.store, self.catalogue, subscription.content, settings, after, due, now)
            shared[edition] = replace(message, sample=self.sample)
        return Outgoing(
            event=f"digest:{subscription.id}:{due.astimezone(ZoneInfo(settings.zone)).date()}",
            address=subscription.address,
            kind="digest",
            message=shared[edition],
            due_at=due,
            expires_at=due + self.catch_up,
            state="pending" if now <= due + self.catch_up else "expired",
        )

    async def _replan(self, subscription: Subscription, now: datetime) -> Subscription:
        zone = (await self.settings(subscription.address)).zone
        due = rules.latest_due(subscription, zone, now)
        return replace(subscription, previous_due=due, next_due=rules.next_due(subscription.schedule, zone, now))

    async def articles(self, new: Sequence[tuple[Article, Sequence[str]]], now: datetime) -> list[Outgoing]:
        """New articles for the instant subscriptions that want them, oldest first."""
        listeners = [s for s in await self.store.instant_subscriptions() if s.content.news]
        added = await self.store.added_feeds() if listeners and new else []
        seen = {s.address: outlets(self.catalogue, added, s.address) for s in listeners}
        return [
            await self._article(article, feeds.event(article, keys), seen[subscription.address], subscription, now)
            for article, keys in new
            for subscription in listeners
            if article.source not in seen[subscription.address].hidden and rules.wants(subscription.content, article)
        ]

    async def _article(
        self, article: Article, event: str, seen: Outlets, subscription: Subscription, now: datetime
    ) -> Outgoing:
        settings = await self.settings(subscription.address)
        outlet = seen.titles.get(article.source, article.source)
        message = compose_news.article(article, outlet, tongue(settings.language), settings.zone)
        return self._now(event, subscription.address, "article", message, now)

    async def fixing(
        self, road: RateRoad, known: Sequence[RateTable], new: Sequence[RateTable], now: datetime
    ) -> list[Outgoing]:
        """A new fixing for the instant subscriptions that want rates, and corrections of those it replaces.

        The first look at a road tells nothing; nor does a figure that is held, or of the market.
        """
        good = [in_force(table) for table in new]
        code = good[0].quote if good else ""
        if code not in FIVE or good[0].kind != "official":
            return []
        listeners = [s for s in await self.store.instant_subscriptions() if s.content.rates]
        addresses = list(dict.fromkeys(subscription.address for subscription in listeners))
        dated = {table.effective_date: table for table in (*known, *good)}
        series = as_series(dated.values(), BASE, code, now)
        if not addresses or not series:
            return []
        quote = make_quote(road, series, now)
        revised = rules.revisions(known, good)
        fresh = rules.newest_fixing(known, good)
        outgoing = [
            await self._correction(f"fixing:{code}:{table.effective_date}", address, quote, table, before, now)
            for table, before in revised
            for address in addresses
        ]
        if fresh is not None and fresh.fixing(BASE) and all(table is not fresh for table, _ in revised):
            event = f"fixing:{code}:{fresh.effective_date}"
            outgoing += [await self._announcement(event, address, quote, now) for address in addresses]
        return outgoing

    async def _announcement(self, event: str, address: Address, quote: Quote, now: datetime) -> Outgoing:
        speech = tongue((await self.settings(address)).language)
        return self._now(event, address, "alert", compose_fixings.announcement(quote, speech), now)

    async def _correction(
        self, event: str, address: Address, quote: Quote, table: RateTable, before: Fixing, now: datetime
    ) -> Outgoing:
        """Goes only where the figure it corrects went."""
        speech = tongue((await self.settings(address)).language)
        row = table.fixing(BASE)
        assert row
        message = compose_fixings.correction(quote, per_unit(row), per_unit(before), table.effective_date, speech)
        return replace(self._now(f"{event}:{row.value}", address, "alert", message, now), only_after=event)

    def holds(
        self, road: RateRoad, known: Sequence[RateTable], new: Sequence[RateTable], now: datetime
    ) -> list[Outgoing]:
        """For the operators, once: what was not put in force of these tables."""
        speech = tongue(self.language)
        outgoing = []
        for table in new:
            for base, quote in sorted(table.held):
                row = table.fixing(base, quote)
                old = next((old for before in known if (old := before.fixing(base, quote))), None)
                assert row
                message = compose_fixings.held(
                    road.id,
                    base,
                    quote,
                    per_unit(row),
                    per_unit(old) if old else None,
                    table.effective_date,
                    speech,
                )
                event = f"held:{road.id}:{base}/{quote}:{table.effective_date}:{row.value}"
                outgoing += [self._now(event, address, "alert", message, now) for address in self.operators]
        return outgoing

    def overdue(self, road: RateRoad, count: int, newest: date, now: datetime) -> list[Outgoing]:
        """For the operators: a bank that missed two publications or more."""
        if count < OVERDUE:
            return []
        message = compose_fixings.overdue(road.id, newest, count, tongue(self.language))
        return self.notice(f"overdue:{road.id}", message, now)

    def notice(self, cause: str, message: Message, now: datetime) -> list[Outgoing]:
        """For the operators, once per cause in six hours."""
        event = f"operators:{cause}:{int(now.timestamp()) // OPERATORS_SECONDS}"
        return [self._now(event, address, "alert", message, now) for address in self.operators]

    async def tell(self, clock: Clock, cause: str, words: Callable[[Tongue], Message]) -> None:
        """Put such a notice into the outbox: bot.ports.Tell, given the clock."""
        now = clock()
        await self.store.enqueue(self.notice(cause, words(tongue(self.language)), now), now)

    def _now(self, event: str, address: Address, kind: rules.InstantKind, message: Message, now: datetime) -> Outgoing:
        marked = replace(message, sample=self.sample)
        return Outgoing(event, address, kind, marked, now, now + rules.SHELF_LIFE[kind])
