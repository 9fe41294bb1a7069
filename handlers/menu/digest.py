"""The digest, now or by standing order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Final

from bot import rules
from bot.announce import make_digest
from bot.compose import chat as compose
from bot.errors import Refusal
from bot.grammar import order, same_content
from bot.locales import N_, tongue
from bot.models import Answer, ChatSettings, Content, Request, Schedule, Subscription
from handlers.menu.desk import Desk
from handlers.menu.registry import command

DAY: Final = timedelta(hours=24)
MOST_SUBSCRIPTIONS: Final = 20
"""In one chat; nobody reads more."""


@command(group="digest", needs={"news", "rates"})
async def digest(desk: Desk, ask: Request) -> Answer:
    """The digest of the last 24 hours, now.

    /digest
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    held = await desk.store.subscriptions(ask.address)
    content = next((one.content for one in held if one.schedule.kind != "instant"), Content())
    now = desk.clock()
    return Answer(await make_digest(desk.store, desk.catalogue, content, settings, now - DAY, now, now))


@command(group="digest", changes=True)
async def subscribe(
    desk: Desk,
    ask: Request,
    what: Annotated[str, "daily 09:00 | weekdays 08:30 | weekly mon 09:00 | instant, then words country:kz rates"] = "",
) -> Answer:
    """Have the digest at a time of yours, or news as it happens.

    /subscribe daily 09:00
    /subscribe weekdays 08:30 country:kz
    /subscribe instant summit
    """
    schedule, content = order(what)
    settings = await _settled(desk, ask)
    held = await desk.store.subscriptions(ask.address)
    same = next((one for one in held if _same_order(one, schedule, content)), None)
    now = desk.clock()
    wanted = replace(same, schedule=schedule) if same else _new(ask, schedule, content, now, held)
    kept = await desk.store.subscribe(rules.replan(wanted, settings.zone, settings.zone, now))
    message = compose.subscribed(
        kept,
        tongue(settings.language),
        settings.zone,
        edited=same is not None and same.schedule != schedule,
        tomorrow=kept.next_due != rules.next_due(schedule, settings.zone, now),
    )
    number = held.index(same) + 1 if same else len(held) + 1
    return Answer(message, compose.order_data(kept, number, settings.zone))


@command(group="digest", changes=True)
async def unsubscribe(desk: Desk, ask: Request, which: Annotated[str, "number"] = "") -> Answer:
    """End a subscription of this chat.

    /unsubscribe
    /unsubscribe 2
    """
    speech = await desk.tongue(ask.address, ask.language)
    held = await desk.store.subscriptions(ask.address)
    if not held:
        return Answer(compose.no_orders(speech))
    if not which and len(held) > 1:
        return Answer(compose.which_to_end(held, speech))
    gone = held[_number(which or "1", len(held)) - 1]
    await desk.store.unsubscribe(ask.address, [gone.id], ask.update)
    return Answer(compose.unsubscribed(gone, len(held) - 1, speech))


@command(group="digest")
async def list_(desk: Desk, ask: Request) -> Answer:
    """The subscriptions of this chat.

    /list
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    held = await desk.store.subscriptions(ask.address)
    data = [compose.order_data(one, number, settings.zone) for number, one in enumerate(held, 1)]
    return Answer(compose.orders(held, tongue(settings.language), settings.zone), data)


def _same_order(held: Subscription, schedule: Schedule, content: Content) -> bool:
    return held.schedule.kind == schedule.kind and same_content(held.content, content)


def _new(
    ask: Request, schedule: Schedule, content: Content, now: datetime, held: Sequence[Subscription]
) -> Subscription:
    if len(held) >= MOST_SUBSCRIPTIONS:
        raise Refusal(
            N_("This chat has {most} subscriptions, and that is the most."),
            N_("/list shows them, /unsubscribe 1 ends the first one."),
            most=MOST_SUBSCRIPTIONS,
        )
    return Subscription(0, ask.address, schedule, content, created_at=now, created_by=ask.user)


async def _settled(desk: Desk, ask: Request) -> ChatSettings:
    """The chat's settings, kept from now on: a digest is pushed where no platform gives hints."""
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    if await desk.store.chat(ask.address) is None:
        await desk.store.keep_chat(settings, [])
    return settings


def _number(text: str, most: int) -> int:
    if text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most:
        return int(text)
    raise Refusal(
        N_("There is no such subscription."), N_("Say a number from 1 to {most}; /list shows them."), most=most
    )
