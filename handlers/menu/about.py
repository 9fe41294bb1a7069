"""The welcome, the help and the version."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

from bot.compose import about as compose
from bot.compose.about import Entry
from bot.echo import shown
from bot.errors import Refusal
from bot.locales import N_, tongue
from bot.models import Answer, Request
from handlers.menu.desk import Desk
from handlers.menu.registry import Command, command, commands


@command(group="about")
async def start(desk: Desk, ask: Request) -> Answer:
    """What I am for, and where to begin.

    /start
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    return Answer(compose.start(settings.zone, tongue(settings.language)))


@command(group="about")
async def help_(desk: Desk, ask: Request, name: Annotated[str, "command"] = "") -> Answer:
    """Everything I understand, or one command in full.

    /help
    /help rates
    """
    speech = await desk.tongue(ask.address, ask.language)
    entries = {found.name: _entry(found) for found in commands().values()}
    if not name:
        return Answer(compose.help_all(list(entries.values()), speech))
    wanted = name.split()[0].removeprefix("/").casefold()
    if wanted in entries:
        return Answer(compose.help_one(entries[wanted], speech))
    near = get_close_matches(wanted, list(entries), 1, cutoff=0)
    raise Refusal(
        N_("There is no command {name}."), N_("Try /help {nearest}, or /help."), name=shown(name), nearest=near[0]
    )


@command(group="about")
async def version(desk: Desk, ask: Request) -> Answer:
    """Which build of me this is.

    /version
    """
    speech = await desk.tongue(ask.address, ask.language)
    return Answer(compose.version(desk.version, speech))


def _entry(found: Command) -> Entry:
    return Entry(found.name, found.group, found.summary, found.usage, found.examples)
