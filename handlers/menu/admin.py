"""/admin: what only the operators may do. They are named in ADMINS; the console is one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Final

from bot import holds
from bot.announce import Announcer
from bot.compose import delivery, operators
from bot.compose import fixings as compose
from bot.echo import shown
from bot.errors import DatabaseError, Refusal
from bot.locales import N_, tongue
from bot.models import Answer, Outgoing, Request
from bot.outlets import Outlets
from handlers.menu.desk import Desk
from handlers.menu.registry import command
from handlers.menu.sources import source_lines

BROADCAST_LIVES: Final = timedelta(days=1)


@command(group="operators")
async def admin(
    desk: Desk,
    ask: Request,
    what: Annotated[str, "status | held | release ID | sources | broadcast TEXT | backup"] = "held",
) -> Answer:
    """What the operators may do: see how sending and the sources fare, release held figures, speak to every chat.

    /admin status
    /admin held
    /admin release 7
    /admin sources
    /admin broadcast Back at noon.
    /admin backup
    """
    if ask.address.platform != "console" and f"{ask.address.platform}:{ask.user}" not in desk.admins:
        raise Refusal(N_("That is for the operators of this bot."), N_("They are named in ADMINS."))
    verb, _, rest = what.partition(" ")
    run = VERBS.get((verb.casefold(), bool(rest.strip())))
    if run is None:
        raise Refusal(
            N_("I cannot read that."),
            N_("Say /admin status, held, sources or backup, or release and a number, or broadcast and a text."),
        )
    return await run(desk, ask, rest.strip())


async def _status(desk: Desk, ask: Request, _: str) -> Answer:
    settings, now = await desk.settings(ask.address, ask.language, ask.zone), desk.clock()
    report, health = await desk.store.outbox_report(now), desk.health()
    shown = delivery.standing(report, health, settings.zone, tongue(settings.language), now)
    return Answer(shown, delivery.standing_data(report, health, now))


async def _held(desk: Desk, ask: Request, _: str) -> Answer:
    found = [(hold, await holds.in_force(desk.store, hold)) for hold in await desk.store.holds()]
    return Answer(compose.holds(found, await desk.tongue(ask.address, ask.language)))


async def _release(desk: Desk, ask: Request, number: str) -> Answer:
    wanted = next((hold for hold in await desk.store.holds() if str(hold.id) == number.removeprefix("#")), None)
    if wanted is None:
        raise Refusal(N_("No held figure has that number."), N_("/admin held lists them."))
    announcer = Announcer(desk.store, desk.catalogue, desk.zone, desk.language, desk.catch_up, desk.sample)
    await holds.release(desk.store, desk.catalogue.roads, announcer, wanted, desk.clock())
    return Answer(compose.released(wanted, await desk.tongue(ask.address, ask.language)))


async def _sources(desk: Desk, ask: Request, _: str) -> Answer:
    """Of every chat, in trouble or not quite well."""
    added = [one.feed for one in await desk.store.added_feeds()]
    seen = Outlets(desk.catalogue.feeds, tuple(added), ())
    states = await desk.store.poll_states()
    lines = source_lines(desk.catalogue, seen, states)
    speech = await desk.tongue(ask.address, ask.language)
    return Answer(operators.troubled(lines, states, speech, desk.clock()))


async def _broadcast(desk: Desk, ask: Request, text: str) -> Answer:
    chats = len(await desk.store.audience())
    return Answer(operators.asked_to_broadcast(text, chats, await desk.tongue(ask.address, ask.language)))


async def _broadcast_now(desk: Desk, ask: Request, text: str) -> Answer:
    """Said twice within a day it goes once."""
    now, words = desk.clock(), operators.broadcast(text)
    event = f"broadcast:{now:%Y-%m-%d}:{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    outgoing = [
        Outgoing(event, address, "digest", words, now, now + BROADCAST_LIVES) for address in await desk.store.audience()
    ]
    put_in = await desk.store.enqueue(outgoing, now)
    return Answer(operators.broadcasting(put_in, await desk.tongue(ask.address, ask.language)))


async def _backup(desk: Desk, ask: Request, _: str) -> Answer:
    if desk.back_up is None:
        raise Refusal(N_("This database is backed up by its own tools."))
    try:
        file, size = await desk.back_up()
    except DatabaseError as error:
        raise Refusal(N_("No backup was made: {error}"), error=shown(str(error))) from None
    return Answer(operators.backed_up(file.name, size, await desk.tongue(ask.address, ask.language)))


VERBS: Final[dict[tuple[str, bool], Callable[[Desk, Request, str], Awaitable[Answer]]]] = {
    ("status", False): _status,
    ("held", False): _held,
    ("release", True): _release,
    ("sources", False): _sources,
    ("broadcast", True): _broadcast,
    ("broadcast-now", True): _broadcast_now,
    ("backup", False): _backup,
}
"""By the first word, and whether more is said."""
