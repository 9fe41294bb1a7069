"""What a chat chooses for itself, and how things stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from bot import due, places
from bot.compose import chat as compose
from bot.compose.sources import Status, status_data
from bot.compose.sources import status as compose_status
from bot.errors import Refusal
from bot.locales import N_, languages, tongue
from bot.models import Answer, Request
from bot.silence import read_quiet
from bot.whereabouts import point_of, zone_at
from handlers.menu.desk import Desk
from handlers.menu.registry import command
from handlers.menu.sources import source_lines

HERE: Final = "here"
"""In place of a city: where whoever asks is."""


@command(group="settings", changes=True)
async def timezone(desk: Desk, ask: Request, place: Annotated[str, "Asia/Bishkek | London"] = "") -> Answer:
    """The clocks this chat goes by.

    /timezone Asia/Bishkek
    /timezone London
    /timezone 41.31, 69.24
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    speech, now = tongue(settings.language), desk.clock()
    if not place:
        return Answer(compose.timezone(settings.zone, speech, now, places.CAPITALS, locates=ask.locates))
    if place.casefold() == HERE:
        if not ask.locates:
            raise Refusal(
                N_("I cannot see here where you are."),
                N_("Name a city or a zone: /timezone Bishkek, /timezone Europe/London."),
            )
        return Answer(compose.locate(speech))
    point = point_of(place)
    zone = await zone_at(*point) if point else places.zone(place)
    held = await desk.store.subscriptions(ask.address, threads=True)
    moved = [due.replan(one, zone, settings.zone, now) for one in held]
    await desk.store.keep_chat(replace(settings, zone=zone), moved)
    return Answer(compose.timezone_set(zone, speech, now, moved, located=point is not None))


@command(group="settings", changes=True)
async def language(desk: Desk, ask: Request, name: Annotated[str, "en | ru"] = "") -> Answer:
    """The language I speak in this chat.

    /language en
    /language ru
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    own_names = {code: places.own_name(code) for code in languages()}
    if not name:
        return Answer(compose.language(tongue(settings.language), own_names, asked=True))
    code = places.language(name)
    await desk.store.keep_chat(replace(settings, language=code), [])
    return Answer(compose.language(tongue(code), own_names, asked=False))


@command(group="settings", changes=True)
async def quiet(desk: Desk, ask: Request, hours: Annotated[str, "22:00-07:00 [hold | silent] | off"] = "") -> Answer:
    """Hours in which nothing rings: alerts and articles wait, or come without a sound.

    /quiet 22:00-07:00
    /quiet off
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    speech = tongue(settings.language)
    if not hours:
        return Answer(compose.quiet(settings.quiet, settings.zone, speech, asked=True))
    chosen = read_quiet(hours)
    await desk.store.keep_chat(replace(settings, quiet=chosen), [])
    return Answer(compose.quiet(chosen, settings.zone, speech, asked=False))


@command(group="settings")
async def status(desk: Desk, ask: Request) -> Answer:
    """How things stand: the next digest, the last delivery, the sources.

    /status
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    coming = [one.next_due for one in await desk.store.subscriptions(ask.address) if one.next_due]
    now = desk.clock()
    state = Status(
        version=desk.version,
        address=ask.address,
        zone=settings.zone,
        next_digest=min(coming, default=None),
        last=await desk.store.last_settled(ask.address),
        lines=source_lines(desk.catalogue, await desk.outlets(ask.address), await desk.store.poll_states()),
        health=desk.health(),
    )
    return Answer(compose_status(state, tongue(settings.language), now), status_data(state, now))
