"""News on demand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from bot.compose import news as compose
from bot.extracts import extracts
from bot.locales import tongue
from bot.models import Answer, Request
from bot.query import news_query, without
from bot.stories import also_in
from handlers.menu.desk import Desk
from handlers.menu.registry import command

PAGE: Final = 6
"""Articles a page: what a phone shows in two screens."""


@command(group="news", needs={"news"})
async def latest(
    desk: Desk,
    ask: Request,
    what: Annotated[str, 'words "a phrase" -without country:kz source:timesca since:2d until:DATE opinion:no'] = "",
) -> Answer:
    """The latest news, or what there is about your words.

    /latest
    /latest summit
    /latest tenge -football country:kz since:2d
    /latest "middle corridor" until:2026-11-20
    """
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    now = desk.clock().astimezone(ZoneInfo(settings.zone))
    seen = await desk.outlets(ask.address)
    query = replace(news_query(what, now), hidden=seen.hidden)
    seen.check(query.sources)
    page = await desk.store.find_news(query, PAGE)
    text = without(what, "before")
    found = await asyncio.to_thread(extracts, page.articles, query.words) if query.words else {}
    pieces = await desk.store.stories({article.story for article in page.articles} - {0})
    others = also_in(page.articles, pieces, seen.hidden)
    message = compose.page(
        page,
        text,
        tongue(settings.language),
        settings.zone,
        seen.titles,
        today=now.date(),
        extracts=found,
        best=query.best if query.words else None,
        also_in=others,
    )
    return Answer(message, compose.page_data(page, text, others))
