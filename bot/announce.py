"""What changed becomes messages: digests that came due, new articles, new fixings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

import structlog

from bot import due, rules
from bot.board import BASE, FIVE, as_series, make_quote
from bot.compose import digest as compose_digest
from bot.compose import fixings as compose_fixings
from bot.instant import Instant
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import (
    Address,
    Article,
    Catalogue,
    ChatSettings,
    Edition,
    Fixing,
    Mailing,
    Outgoing,
    Plan,
    Quote,
    RateRoad,
    RateTable,
)
from bot.money import per_unit
from bot.ports import Clock
from bot.press import Press
from bot.quiet import hushed
from bot.store import Store
from bot.suspicion import in_force

DUE_AT_ONCE: Final = 10_000
"""Subscriptions a transaction: more would keep deliveries waiting for the store."""
CLOCK_SLACK: Final = timedelta(minutes=1)
OVERDUE: Final = 2
"""So many tables missed, and the operators are told."""
OPERATORS_SECONDS: Final = 6 * 3600
NOTHING_NEW: Final = "nothing new"

log = structlog.get_logger()


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
    _seen: datetime | None = None

    async def settings(self, address: Address) -> ChatSettings:
        return self.settings_of(address, await self.store.chat(address))

    async def due(self, now: datetime) -> int:
        """Put every digest and bundle that came due into the outbox. Returns how many were new."""
        if self._seen is None or now < self._seen - CLOCK_SLACK:
            await self._check_plans(now)
        self._seen = now
        press = Press(self.store, self.catalogue, now)
        enqueued = 0
        while editions := await self.store.due_editions(now, DUE_AT_ONCE):
            mailings = [await self._mailing(edition, press) for edition in editions]
            enqueued += await self.store.keep_mailings(mailings, now)
        return enqueued + await self._bundles(now)

    async def _check_plans(self, now: datetime) -> None:
        """At the start, and when the clock was put back: the rules of a zone may have changed, a plan may lie too
        far ahead."""
        corrected = await asyncio.to_thread(self._corrected, await self.store.plans(now), now)
        if corrected:
            moved = await self.store.correct_plans(corrected)
            log.info("digests planned anew", subscriptions=moved)

    def _corrected(self, plans: Sequence[Plan], now: datetime) -> list[tuple[Plan, datetime]]:
        """Many editions share a plan, so each is reckoned once; in a thread, as it may take seconds all the same."""
        checked: dict[Plan, datetime | None] = {}
        corrected: list[tuple[Plan, datetime]] = []
        for plan in plans:
            placed = replace(plan, edition=0, zone=plan.zone or self.zone)
            if placed not in checked:
                checked[placed] = due.checked(placed, now, self.catch_up)
            if (at := checked[placed]) and at != plan.next_due:
                corrected.append((plan, at))
        return corrected

    async def _mailing(self, edition: Edition, press: Press) -> Mailing:
        settings = ChatSettings(edition.address, edition.zone or self.zone, edition.language or self.language)
        schedule, zone = edition.schedule, settings.zone
        at = due.latest_due(schedule, zone, edition.next_due, press.now)
        day = due.day_of(schedule, zone, at)
        expires_at = at + self.catch_up
        late = press.now > expires_at
        if late:
            message, news = compose_digest.skipped(day, tongue(settings.language)), True
        else:
            made = await press.edition(edition, settings, due.window_start(edition, at), at)
            message, news = made.message, made.news
        following = due.next_due(schedule, zone, press.now)
        assert following
        return Mailing(
            edition,
            replace(message, sample=self.sample),
            day,
            at,
            following,
            expires_at,
            withheld="" if news or edition.content.empty else NOTHING_NEW,
            late=late,
        )

    async def articles(self, new: Sequence[tuple[Article, Sequence[str]]], now: datetime) -> list[Outgoing]:
        """New articles for the instant subscriptions that want them, oldest first."""
        return await Instant(self.store, self.catalogue, self.settings_of, now, sample=self.sample).articles(new)

    async def corrections(self, rewritten: Sequence[tuple[str, Article]], now: datetime) -> list[Outgoing]:
        """Articles that read otherwise now, for the chats that want it so. Each with the event that told it."""
        return await Instant(self.store, self.catalogue, self.settings_of, now, sample=self.sample).corrections(
            rewritten
        )

    async def _bundles(self, now: datetime) -> int:
        instant = Instant(self.store, self.catalogue, self.settings_of, now, sample=self.sample)
        return await instant.bundles()

    def settings_of(self, address: Address, chosen: ChatSettings | None) -> ChatSettings:
        return chosen or ChatSettings(address, self.zone, self.language)

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
        orders = await self.store.instant_subscriptions()
        addresses = {
            order.address: self.settings_of(order.address, chosen)
            for order, chosen in orders
            if order.content.rates and not order.is_paused(now)
        }
        dated = {table.effective_date: table for table in (*known, *good)}
        series = as_series(dated.values(), BASE, code, now)
        if not addresses or not series:
            return []
        quote = make_quote(road, series, now)
        revised = rules.revisions(known, good)
        fresh = rules.newest_fixing(known, good)
        outgoing = [
            self._correction(f"fixing:{code}:{table.effective_date}", settings, quote, table, before, now)
            for table, before in revised
            for settings in addresses.values()
        ]
        if fresh is not None and fresh.fixing(BASE) and all(table is not fresh for table, _ in revised):
            event = f"fixing:{code}:{fresh.effective_date}"
            outgoing += [self._announcement(event, settings, quote, now) for settings in addresses.values()]
        return outgoing

    def _announcement(self, event: str, settings: ChatSettings, quote: Quote, now: datetime) -> Outgoing:
        message = compose_fixings.announcement(quote, tongue(settings.language))
        return hushed(self._now(event, settings.address, "alert", message, now), settings)

    def _correction(
        self, event: str, settings: ChatSettings, quote: Quote, table: RateTable, before: Fixing, now: datetime
    ) -> Outgoing:
        """Goes only where the figure it corrects went."""
        speech = tongue(settings.language)
        row = table.fixing(BASE)
        assert row
        message = compose_fixings.correction(quote, per_unit(row), per_unit(before), table.effective_date, speech)
        out = self._now(f"{event}:{row.value}", settings.address, "alert", message, now)
        return replace(out, edits=event) if settings.edits else hushed(replace(out, only_after=event), settings)

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
