"""Alerts, raised: looks at the pairs that a new table may move, judges their alerts, words what fires."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from bot import rules, whys
from bot.alerts import REASONS, Correction, Fire, Turn, Withhold, corrected_dates, evaluate, holds, since_set
from bot.announce import Announcer
from bot.board import BASE, series_of, with_carried
from bot.compose import fired as compose
from bot.lemmas import words
from bot.locales import tongue
from bot.message import Message
from bot.models import (
    AddedFeed,
    Alert,
    Article,
    ChatSettings,
    Hold,
    NewsQuery,
    Outgoing,
    RateRoad,
    RateTable,
    Sight,
    StoredFixing,
)
from bot.money import exact_text, moved
from bot.outlets import outlets
from bot.quiet import hushed
from bot.sights import read_sight
from bot.sources import banks, issuer_of
from bot.store import Figures
from bot.suspicion import in_force

NEWS_SPAN: Final = timedelta(hours=48)
HEADLINES: Final = 3
AT_ONCE: Final = 50
"""So many alerts are judged and worded before others get their turn."""
HEADLINES_WEIGHED: Final = 60
_STEMS: Final = (
    "bank банк rate ставк курс currenc валют inflation инфляц oil нефт gas газ budget бюджет export экспорт"
    " import импорт dollar доллар ruble рубл tenge тенге soum somoni сомони tariff тариф sanction санкци"
    " remittance перевод debt долг gold золот"
)
MONEY: Final = tuple(_STEMS.split())
"""What a headline that goes with a rate begins its words with."""


@dataclass
class Raised:
    """What the alerts come to: messages and notes for the outbox, and the alerts as they are from now on."""

    outgoing: list[Outgoing] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)


async def watch(
    announcer: Announcer,
    road: RateRoad,
    known: Sequence[RateTable],
    new: Sequence[RateTable],
    now: datetime,
    *,
    new_day: bool = False,
) -> Raised:
    """Judge the alerts that new tables of a road may concern. known: its tables in force before.

    new_day: a day has begun at the bank since the last look, so that a cross may have moved by itself
    The first look at a road raises nothing: what is so already by its figures counts as told.
    """
    good = [in_force(table) for table in new]
    stood = {table.effective_date: table for table in known}
    fresh = any((was := stood.get(table.effective_date)) is None or moved(table, was) for table in good)
    if not (fresh or (new_day and known)):
        return Raised()
    foreseen = Foreseen(announcer.store, road, [*known, *good], now)
    corrected = corrected_dates(known, good)
    desk = _Desk(announcer, now, await announcer.store.added_feeds())
    raised = Raised()
    for base, quote in await announcer.store.watched_pairs(now):
        if not _touches(road, base, quote):
            continue
        sight = await read_sight(foreseen, announcer.catalogue.roads, now, base, quote)
        if isinstance(sight, Sight) and known:
            await _judge(desk, sight, corrected, raised)
        elif isinstance(sight, Sight):
            raised.alerts += await _first_seen(announcer, sight, now)
    return raised


async def _first_seen(announcer: Announcer, sight: Sight, now: datetime) -> list[Alert]:
    """The alerts of a pair that had no figure before, where what they are about is so already."""
    base, quote = sight.quote.base, sight.quote.quote
    if isinstance(await read_sight(announcer.store, announcer.catalogue.roads, now, base, quote), Sight):
        return []
    found = await announcer.store.alerts_to_judge(sight, ())
    return [since_set(alert, sight) for alert, _ in found if alert.state == "active" and holds(alert, sight)]


async def _judge(desk: _Desk, sight: Sight, corrected: frozenset[date], raised: Raised) -> None:
    for n, (alert, chosen) in enumerate(await desk.announcer.store.alerts_to_judge(sight, corrected)):
        if not n % AT_ONCE:
            await asyncio.sleep(0)
        verdict = evaluate(alert, sight, desk.now, corrected)
        if verdict is None:
            continue
        if not isinstance(verdict, Withhold):
            raised.alerts.append(verdict.alert)
        if not isinstance(verdict, Turn):
            raised.outgoing.append(
                await desk.outgoing(verdict, sight, desk.announcer.settings_of(alert.address, chosen))
            )


def _touches(road: RateRoad, base: str, quote: str) -> bool:
    """Whether a pair may be made of this bank's figures: its own currency, or one that no bank of ours issues."""
    issues = banks()[road.parser].issues
    issuers = {code: issuer_of(code) for code in (base, quote) if code != BASE}
    return issues in issuers or road.currency in issuers or not all(issuers.values())


class Foreseen(Figures):
    """The figures as the store will have them once it keeps a road's tables."""

    def __init__(self, store: Figures, road: RateRoad, tables: Sequence[RateTable], now: datetime) -> None:
        self._store = store
        self._source = road.id
        self._dated = with_carried({table.effective_date: table for table in tables}.values())
        self._now = now

    async def series(
        self, source: str, base: str, quote: str, until: date, limit: int, since: date = date.min
    ) -> list[StoredFixing]:
        if source != self._source:
            return await self._store.series(source, base, quote, until, limit, since)
        within = (dated for dated in self._dated if since <= dated[0].effective_date <= until)
        return series_of(within, base, quote, self._now)[:limit]

    async def holds(self) -> list[Hold]:
        return await self._store.holds()


@dataclass
class _Desk:
    """What the wording of one round's alerts shares."""

    announcer: Announcer
    now: datetime
    added: Sequence[AddedFeed]
    headlines: dict[object, list[Article]] = field(default_factory=dict)
    facts: dict[object, compose.Facts] = field(default_factory=dict)

    async def outgoing(self, verdict: Fire | Correction | Withhold, sight: Sight, settings: ChatSettings) -> Outgoing:
        alert, on = verdict.alert, verdict.step.on
        event, why = f"alert:{alert.id}:{on}", whys.of_alert(alert, verdict.step, sight)
        out = self._instant(event, alert, await self._message(verdict, sight, settings), why)
        if isinstance(verdict, Withhold):
            return replace(
                out,
                event=f"{event}:{verdict.reason}",
                state="withheld",
                reason=REASONS[verdict.reason],
            )
        if isinstance(verdict, Correction):
            out = replace(out, event=f"{event}:{exact_text(verdict.step.rate)}", only_after=event)
            if settings.edits:
                return replace(out, only_after="", edits=event)
            if alert.is_paused(self.now):
                return replace(out, state="withheld", reason=REASONS["paused"])
        return hushed(out, settings)

    async def _message(self, verdict: Fire | Correction | Withhold, sight: Sight, settings: ChatSettings) -> Message:
        speech = tongue(settings.language)
        if isinstance(verdict, Withhold):
            return compose.withheld(verdict.alert, verdict.step, sight.quote, speech)
        if isinstance(verdict, Correction):
            return compose.corrected(verdict, sight, speech)
        seen = outlets(self.announcer.catalogue, self.added, settings.address)
        key = id(sight), verdict.step, seen.own, seen.hidden, settings.language, settings.zone
        if key not in self.facts:
            headlines = await self._headlines(sight, seen.hidden)
            made = compose.facts(verdict.step, sight, headlines, speech, settings.zone, seen.titles)
            self.facts[key] = made
        return compose.fired(verdict, self.facts[key], speech)

    async def _headlines(self, sight: Sight, hidden: tuple[str, ...]) -> list[Article]:
        """Of the countries of the pair, those that speak of money first, then the newest."""
        countries = tuple(_countries(sight))
        key = countries, hidden
        if key not in self.headlines:
            wanted = NewsQuery(countries=countries, opinion=False, hidden=hidden)
            found = (
                await self.announcer.store.news_seen(self.now - NEWS_SPAN, self.now, wanted, HEADLINES_WEIGHED)
                if countries
                else []
            )
            self.headlines[key] = sorted(found, key=lambda article: not _of_money(article))[:HEADLINES]
        return self.headlines[key]

    def _instant(self, event: str, alert: Alert, message: Message, why: dict[str, str]) -> Outgoing:
        marked = replace(message, sample=self.announcer.sample)
        expires = self.now + rules.SHELF_LIFE["alert"]
        return Outgoing(event, alert.address, "alert", marked, self.now, expires, why=why)


def _countries(sight: Sight) -> Iterator[str]:
    for code in (sight.quote.base, sight.quote.quote):
        issuer = issuer_of(code)
        if issuer and issuer.country:
            yield issuer.country


def _of_money(article: Article) -> bool:
    return any(word.startswith(stem) for word in words(article.title) for stem in MONEY)
