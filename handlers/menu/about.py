"""The welcome, the help and the version."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from bot.board import read_board
from bot.compose import about as compose
from bot.compose.about import Entry
from bot.compose.news import headlines
from bot.echo import shown
from bot.errors import Refusal
from bot.locales import N_, tongue
from bot.models import Answer, NewsQuery, Request
from bot.places import CAPITALS, own_name
from handlers.menu.desk import Desk
from handlers.menu.registry import Command, command, commands

STORIES: Final = 3
NEWEST: Final = 12
"""Articles that are looked at for them: several may tell one story."""


@command(group="about", needs={"news", "rates"})
async def start(desk: Desk, ask: Request) -> Answer:
    """What I am for, and where to begin.

    /start
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    speech, seen = tongue(settings.language), await desk.outlets(ask.address)
    board = await read_board(desk.store, desk.catalogue.roads, desk.clock())
    newest = (await desk.store.find_news(NewsQuery(opinion=False, hidden=seen.hidden), NEWEST)).articles
    told = list({article.story or -article.id: article for article in reversed(newest)}.values())[::-1][:STORIES]
    today = desk.clock().astimezone(ZoneInfo(settings.zone)).date()
    stories = headlines(told, speech, settings.zone, seen.titles, today=today)
    return Answer(compose.start(settings, own_name(settings.language), board, stories, CAPITALS, speech))


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
