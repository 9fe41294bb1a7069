"""News on demand, and how the sources fare."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from bot.compose import news as compose
from bot.compose import sources as compose_sources
from bot.compose.sources import SourceLine
from bot.echo import shown
from bot.errors import Refusal
from bot.grammar import news_query, without_before
from bot.locales import N_, tongue
from bot.models import Answer, Catalogue, PollState, RateRoad, Request
from bot.sources import banks
from handlers.menu.desk import Desk
from handlers.menu.registry import command

PAGE: Final = 6
"""Articles a page: what a phone shows in two screens."""


@command(group="news", needs={"news"})
async def latest(
    desk: Desk, ask: Request, what: Annotated[str, "words country:kz source:timesca since:2d opinion:no"] = ""
) -> Answer:
    """The latest news, or what there is about your words.

    /latest
    /latest summit
    /latest country:kz since:2d
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    now = desk.clock().astimezone(ZoneInfo(settings.zone))
    query = news_query(what, now)
    _known_sources(query.sources, desk.catalogue)
    page = await desk.store.find_news(query, PAGE)
    text = without_before(what)
    outlets = {feed.id: feed.title for feed in desk.catalogue.feeds}
    message = compose.page(page, text, tongue(settings.language), settings.zone, outlets, today=now.date())
    return Answer(message, compose.page_data(page, text))


@command(group="news", needs={"news", "rates"})
async def sources(desk: Desk, ask: Request) -> Answer:
    """Every source, when it last answered and what is wrong with it.

    /sources
    """
    speech = await desk.tongue(ask.address, ask.language)
    lines, now = source_lines(desk.catalogue, await desk.store.poll_states()), desk.clock()
    return Answer(compose_sources.sources(lines, speech, now), compose_sources.sources_data(lines, now))


def source_lines(catalogue: Catalogue, states: dict[str, PollState]) -> list[SourceLine]:
    """The catalogue's sources with what is known of each: banks first, then outlets."""
    roads = [_line(_road_line(road), states.get(road.id)) for road in catalogue.roads]
    feeds = [_line(SourceLine(feed.id, "news", feed.title, feed.url), states.get(feed.id)) for feed in catalogue.feeds]
    return roads + feeds


def _line(line: SourceLine, state: PollState | None) -> SourceLine:
    if state is None:
        return line
    return replace(line, last_ok=state.last_ok_at, error=state.error, items=state.items)


def _road_line(road: RateRoad) -> SourceLine:
    document = "" if road.id == road.parser else road.id
    return SourceLine(road.id, "rates", _bank(road.parser), road.url, document=document, spare=road.priority > 0)


def _bank(parser: str) -> str:
    bank = banks().get(parser)
    return bank.name if bank else parser


def _known_sources(asked: tuple[str, ...], catalogue: Catalogue) -> None:
    known = [feed.id for feed in catalogue.feeds]
    for name in asked:
        if name not in known:
            raise Refusal(
                N_("I have no source called {name}."),
                N_("I have: {names}."),
                name=shown(name),
                names=", ".join(known) or "-",
            )
