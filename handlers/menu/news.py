"""News on demand."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from bot.compose import news as compose
from bot.grammar import news_query, without_before
from bot.locales import tongue
from bot.models import Answer, Request
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
    seen = await desk.outlets(ask.address)
    query = replace(news_query(what, now), hidden=seen.hidden)
    seen.check(query.sources)
    page = await desk.store.find_news(query, PAGE)
    text = without_before(what)
    message = compose.page(page, text, tongue(settings.language), settings.zone, seen.titles, today=now.date())
    return Answer(message, compose.page_data(page, text))
