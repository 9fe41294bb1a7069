"""The digest, now or by standing order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

from bot import due, topics
from bot.compose import orders as compose
from bot.compose.orders import Change, Preview
from bot.compose.pages import page_of
from bot.errors import Refusal
from bot.locales import N_, tongue
from bot.models import Answer, ChatSettings, Content, Request, Schedule, Subscription
from bot.orders import order, same_content
from bot.press import Press
from bot.query import QUOTES, turned
from handlers.menu.desk import Desk
from handlers.menu.registry import command

DAY: Final = timedelta(hours=24)
MOST_SUBSCRIPTIONS: Final = 20
"""In one chat; nobody reads more."""
PREVIEW: Final = frozenset({"preview", "показать"})


@command(group="digest", needs={"news", "rates"})
async def digest(desk: Desk, ask: Request, which: Annotated[str, "number"] = "") -> Answer:
    """The digest of the last 24 hours, now.

    /digest
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    held = await desk.store.subscriptions(ask.address)
    content = next((one.content for one in held if one.schedule.kind != "instant"), Content())
    if which:
        content = pick(held, which).content
    return Answer((await _today(desk, content, settings)).digest)


@command(group="digest", needs={"news", "rates"}, changes=True)
async def subscribe(
    desk: Desk,
    ask: Request,
    what: Annotated[
        str,
        "[preview] daily 09:00 | weekdays 08:30 | weekly mon 09:00 | instant, then words country:kz source:timesca"
        " -word rates empty:no",
    ] = "",
) -> Answer:
    """Have the digest at a time of yours, or news as it happens.

    /subscribe daily 09:00
    /subscribe weekdays 08:30 country:kz
    /subscribe instant summit
    /subscribe preview daily 09:00 "middle corridor" -sport
    """
    first, _, rest = what.partition(" ")
    preview = first.casefold() in PREVIEW
    return await _subscribe(desk, ask, *order(rest if preview else what), preview=preview)


@command(group="digest", needs={"news"}, changes=True)
async def follow(desk: Desk, ask: Request, what: Annotated[str, "words | country | topic | -word"] = "") -> Answer:
    """Have news of something as it happens.

    /follow Kazakhstan
    /follow water
    /follow "middle corridor"
    """
    if not what:
        return Answer(compose.what_to_follow(await desk.tongue(ask.address, ask.language)))
    schedule, content = order(f"instant {_named(what)}")
    return await _subscribe(desk, ask, schedule, content)


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
    gone = pick(held, which or "1")
    await desk.store.unsubscribe(ask.address, [gone.id], ask.update)
    return Answer(compose.unsubscribed(gone, len(held) - 1, speech))


@command(group="digest")
async def list_(desk: Desk, ask: Request, what: Annotated[str, "number"] = "") -> Answer:
    """The subscriptions of this chat.

    /list
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    held = await desk.store.subscriptions(ask.address)
    data = [compose.order_data(one, number, settings.zone) for number, one in enumerate(held, 1)]
    speech, now = tongue(settings.language), desk.clock()
    which, after = turned(what)
    if not which:
        return Answer(compose.orders(page_of(held, after), speech, settings.zone, now), data)
    wanted = pick(held, which)
    number = held.index(wanted) + 1
    return Answer(compose.one_order(wanted, number, after, speech, settings.zone, now), [data[number - 1]])


async def _subscribe(
    desk: Desk, ask: Request, schedule: Schedule, content: Content, *, preview: bool = False
) -> Answer:
    (await desk.outlets(ask.address)).check(content.sources)
    held = await desk.store.subscriptions(ask.address)
    same = next((one for one in held if _same_order(one, schedule, content)), None)
    now = desk.clock()
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    fresh = Subscription(0, ask.address, schedule, content, created_at=now, created_by=ask.user)
    if same is None and len(held) >= MOST_SUBSCRIPTIONS:
        raise Refusal(
            N_("This chat has {most} subscriptions, and that is the most."),
            N_("/list shows them, /unsubscribe 1 ends the first one."),
            most=MOST_SUBSCRIPTIONS,
        )
    speech, today = tongue(settings.language), await _today(desk, content, settings)
    wanted = replace(same, schedule=schedule, content=content) if same else fresh
    wanted = due.replan(wanted, settings.zone, settings.zone, now)
    if preview:
        return Answer(compose.previewed(wanted, today, speech, settings.zone))
    await _keep_hints(desk, settings)
    kept = await desk.store.subscribe(wanted)
    tomorrow = not kept.paused_at and kept.next_due != due.next_due(schedule, settings.zone, now)
    number = held.index(same) + 1 if same else len(held) + 1
    change = Change(kept, number, same, tomorrow=tomorrow)
    message = compose.subscribed(change, today, speech, settings.zone, first=not held)
    return Answer(message, compose.order_data(kept, number, settings.zone))


async def _today(desk: Desk, content: Content, settings: ChatSettings) -> Preview:
    """What would have come in the last 24 hours; nothing moves by it."""
    now = desk.clock()
    made = await Press(desk.store, desk.catalogue, now).digest(content, settings, now - DAY, now)
    return Preview(made.message, made.articles)


async def _keep_hints(desk: Desk, settings: ChatSettings) -> None:
    """The chat's settings are kept from now on: a digest is pushed where no platform gives hints."""
    if await desk.store.chat(settings.address) is None:
        await desk.store.keep_chat(settings, [])


def _named(what: str) -> str:
    """The name of a country or a topic as the key that finds its news; anything else, and what is quoted, as it is."""
    found = None if what.startswith(tuple(QUOTES)) else topics.resolve(what)
    if found is None:
        return what
    return f"country:{found.lower()}" if found.isupper() else f"topic:{found}"


def _same_order(held: Subscription, schedule: Schedule, content: Content) -> bool:
    return held.schedule.kind == schedule.kind and same_content(held.content, content)


def pick(held: Sequence[Subscription], text: str) -> Subscription:
    """The subscription of this number, or of this mark ("id:57") as buttons have it: numbers move up, marks stay."""
    mark = text.casefold().removeprefix("id:")
    plain = mark.isascii() and mark.isdigit() and len(mark) < 16
    marked = mark != text.casefold()
    found = [one for number, one in enumerate(held, 1) if plain and int(mark) == (one.id if marked else number)]
    if found:
        return found[0]
    raise Refusal(
        N_("There is no such subscription."), N_("Say a number from 1 to {most}; /list shows them."), most=len(held)
    )
