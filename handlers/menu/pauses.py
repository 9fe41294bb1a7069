"""Silence for a while: pauses and what becomes of the time that was missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final, TypeVar
from zoneinfo import ZoneInfo

from bot import due
from bot.compose import orders as compose
from bot.compose import pauses
from bot.locales import tongue
from bot.message import Message
from bot.models import Alert, Answer, ChatSettings, Request, Subscription
from bot.press import Press
from bot.silence import read_pause
from handlers.menu.desk import Desk
from handlers.menu.digest import pick
from handlers.menu.registry import command

Pausable = TypeVar("Pausable", Alert, Subscription)

CATCH_UP: Final = frozenset({"catchup", "наверстать"})
SKIP: Final = frozenset({"skip", "пропустить"})


@command(group="digest", changes=True)
async def pause(desk: Desk, ask: Request, what: Annotated[str, "number] [2h | 2d | until 2026-12-01"] = "") -> Answer:
    """Silence all that comes by itself, or one subscription, for a while or until you resume it.

    /pause 2h
    /pause 1 2d
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    now = desk.clock()
    asked = read_pause(what, now.astimezone(ZoneInfo(settings.zone)))
    held = await desk.store.subscriptions(ask.address)
    alerts = [] if asked.which else await _alerts(desk, ask)
    speech, watching = tongue(settings.language), sum(one.watches(now) for one in alerts)
    if not (held or watching):
        return Answer(compose.no_orders(speech))
    chosen = [pick(held, asked.which)] if asked.which else held
    paused = [due.replan(_silenced(one, asked.until, now), settings.zone, settings.zone, now) for one in chosen]
    silent = [_silenced(one, asked.until, now) for one in alerts]
    await desk.store.change_subscriptions(paused, silent)
    return Answer(pauses.paused(paused, watching, asked.until, speech, settings.zone))


@command(group="digest", needs={"news", "rates"}, changes=True)
async def resume(desk: Desk, ask: Request, what: Annotated[str, "number] [catchup | skip"] = "") -> Answer:
    """End a pause; asks what to do with the time that was missed.

    /resume
    /resume 1 skip
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    now, speech = desk.clock(), tongue(settings.language)
    held = await desk.store.subscriptions(ask.address)
    words = what.casefold().split()
    how = set(words) & (CATCH_UP | SKIP)
    which = next((word for word in words if word not in how), "")
    chosen = [pick(held, which)] if which else held
    paused = [one for one in chosen if one.is_paused(now)]
    silent = [] if which else [one for one in await _alerts(desk, ask) if one.is_paused(now)]
    if not (paused or silent):
        return Answer(pauses.nothing_paused(speech))
    missed = [one for one in paused if _missed(one, settings.zone, now)]
    if missed and not how:
        return Answer(pauses.ask_missed(which, missed, speech, settings.zone))
    told = [await _told(desk, one, settings, now) for one in missed] if how & CATCH_UP else []
    resumed = [_resumed(one, settings.zone, now, done=one in missed) for one in paused]
    await desk.store.change_subscriptions(resumed, [replace(one, paused_at=None, paused_until=None) for one in silent])
    watching = sum(one.watches(now) for one in silent)
    return Answer(pauses.resumed(resumed, watching, told, speech, settings.zone))


async def _alerts(desk: Desk, ask: Request) -> list[Alert]:
    """Those that watch, and those that have fired: their figure may be corrected yet."""
    return [one for one in await desk.store.alerts(ask.address) if one.state != "ended"]


def _silenced(one: Pausable, until: datetime | None, now: datetime) -> Pausable:
    """Paused from now on, or longer than it is."""
    return replace(one, paused_at=one.paused_at if one.is_paused(now) else now, paused_until=until)


def _missed(order: Subscription, zone: str, now: datetime) -> bool:
    """Whether it would have spoken since it was paused."""
    due_since = due.next_due(order.schedule, zone, order.paused_at or now)
    return due_since is None or due_since <= now


async def _told(desk: Desk, order: Subscription, settings: ChatSettings, now: datetime) -> Message:
    """What it would have told meanwhile, as a digest."""
    since = order.previous_due or order.paused_at or now
    return (await Press(desk.store, desk.catalogue, now).digest(order.content, settings, since, now)).message


def _resumed(order: Subscription, zone: str, now: datetime, *, done: bool) -> Subscription:
    """It speaks again. done: the time that was missed is told or skipped, the next digest begins now."""
    speaks = due.replan(replace(order, paused_at=None, paused_until=None), zone, zone, now)
    return replace(speaks, previous_due=now) if done and speaks.next_due else speaks
