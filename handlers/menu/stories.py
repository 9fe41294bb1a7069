"""A story as several outlets tell it, and how to cite it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from bot import stories
from bot.compose import stories as compose
from bot.errors import Refusal
from bot.locales import N_, tongue
from bot.models import Answer, Article, ChatSettings, Request
from bot.outlets import Outlets
from bot.query import news_query
from bot.sources.feeds import canonical
from handlers.menu.desk import Desk
from handlers.menu.registry import command

SHOWN: Final = 5
"""Stories where none was asked for."""


@command(group="news", needs={"news"})
async def story(desk: Desk, ask: Request, which: Annotated[str, "number, words or address"] = "") -> Answer:
    """One story as all outlets tell it, with what followed.

    /story
    /story summit
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    seen = await desk.outlets(ask.address)
    speech, today = tongue(settings.language), desk.clock().astimezone(ZoneInfo(settings.zone)).date()
    if not which:
        return Answer(compose.recent(await _recent(desk, seen), speech, settings.zone, seen.titles, today=today))
    pieces = await _pieces(desk, which, seen, settings)
    if not pieces:
        return Answer(compose.nothing_to_cite(speech))
    (found,) = stories.stories(pieces)
    later = stories.follow_ups(pieces)
    return Answer(compose.story(found, later, speech, settings.zone, seen.titles, today=today))


@command(group="news", needs={"news"})
async def cite(desk: Desk, ask: Request, which: Annotated[str, "number, words or address"] = "") -> Answer:
    """An article as a citation to paste.

    /cite
    /cite summit
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    seen = await desk.outlets(ask.address)
    speech = tongue(settings.language)
    article = await _article(desk, which, seen, settings)
    if article is None:
        return Answer(compose.nothing_to_cite(speech))
    outlet = seen.titles.get(article.source, article.source)
    return Answer(compose.citation(article, outlet, speech, settings.zone, unasked=not which))


async def _recent(desk: Desk, seen: Outlets) -> list[stories.Story]:
    """Those of several outlets, the most told first."""
    told = await desk.store.headlines(desk.clock() - stories.WINDOW, stories.CANDIDATES)
    pieces = await desk.store.stories({headline.story for headline in told} - {0})
    found = stories.stories(piece for piece in pieces if piece.source not in seen.hidden)
    return [one for one in found if len(one.outlets) > 1][:SHOWN]


async def _pieces(desk: Desk, which: str, seen: Outlets, settings: ChatSettings) -> list[Article]:
    """The articles of the story that is meant; a story outlives the article it is named after."""
    named = await desk.store.stories([int(which)]) if _is_number(which) else []
    if not named:
        article = await _article(desk, which, seen, settings)
        named = await desk.store.stories([article.story]) if article and article.story else []
        named = named or ([article] if article else [])
    return [piece for piece in named if piece.source not in seen.hidden]


async def _article(desk: Desk, which: str, seen: Outlets, settings: ChatSettings) -> Article | None:
    """The article of this number or address, or the newest one with these words. Raises Refusal for a wrong number."""
    number = int(which) if _is_number(which) else await _at_address(desk, which, seen)
    if number:
        article = await desk.store.article(number)
        if article is None or article.source in seen.hidden:
            raise Refusal(
                N_("I have no article with that number or address."),
                N_("/latest lists those I have, the newest first."),
            )
        return article
    now = desk.clock().astimezone(ZoneInfo(settings.zone))
    page = await desk.store.find_news(replace(news_query(which, now), hidden=seen.hidden), 1)
    return next(iter(page.articles), None)


async def _at_address(desk: Desk, which: str, seen: Outlets) -> int:
    """The id of the article at this web address, 0 if it is none of ours."""
    address = canonical(which)
    if not address:
        return 0
    keys = [f"u:{address}", *(f"u:{feed.id} {address}" for feed in seen.own)]
    return next(iter((await desk.store.known_articles(keys)).values()), -1) or -1  # known, and no longer kept


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
