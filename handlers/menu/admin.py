"""/admin: what only the operators may do. They are named in ADMINS; the console is one of them."""

from __future__ import annotations

from typing import Annotated

from bot import holds
from bot.announce import Announcer
from bot.compose import delivery
from bot.compose import fixings as compose
from bot.errors import Refusal
from bot.locales import N_, tongue
from bot.models import Answer, Request
from handlers.menu.desk import Desk
from handlers.menu.registry import command


@command(group="operators")
async def admin(desk: Desk, ask: Request, what: Annotated[str, "status | held | release ID"] = "held") -> Answer:
    """What the operators may do: see how sending fares and which figures are held, and release one.

    /admin status
    /admin held
    /admin release 7
    """
    if ask.address.platform != "console" and f"{ask.address.platform}:{ask.user}" not in desk.admins:
        raise Refusal(N_("That is for the operators of this bot."), N_("They are named in ADMINS."))
    verb, _, rest = what.casefold().partition(" ")
    if verb == "status" and not rest:
        return await _status(desk, ask)
    if verb == "held" and not rest:
        return await _held(desk, ask)
    if verb == "release":
        return await _release(desk, ask, rest.strip().removeprefix("#"))
    raise Refusal(
        N_("I cannot read that."),
        N_("Say /admin status, /admin held, or /admin release and the number of a held figure."),
    )


async def _status(desk: Desk, ask: Request) -> Answer:
    settings, now = await desk.settings(ask.address, ask.language, ask.zone), desk.clock()
    report, health = await desk.store.outbox_report(now), desk.health()
    shown = delivery.standing(report, health, settings.zone, tongue(settings.language), now)
    return Answer(shown, delivery.standing_data(report, health, now))


async def _held(desk: Desk, ask: Request) -> Answer:
    found = [(hold, await holds.in_force(desk.store, hold)) for hold in await desk.store.holds()]
    return Answer(compose.holds(found, await desk.tongue(ask.address, ask.language)))


async def _release(desk: Desk, ask: Request, number: str) -> Answer:
    wanted = next((hold for hold in await desk.store.holds() if str(hold.id) == number), None)
    if wanted is None:
        raise Refusal(N_("No held figure has that number."), N_("/admin held lists them."))
    announcer = Announcer(desk.store, desk.catalogue, desk.zone, desk.language, desk.catch_up, desk.sample)
    await holds.release(desk.store, desk.catalogue.roads, announcer, wanted, desk.clock())
    return Answer(compose.released(wanted, await desk.tongue(ask.address, ask.language)))
