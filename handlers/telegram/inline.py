"""Inline mode: `@bot KZT`, `@bot 100 usd kzt`, `@bot summit` in any chat. Nothing can be changed by it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

import structlog
from telegram import (
    InlineQuery,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    LinkPreviewOptions,
)
from telegram.constants import ParseMode
from telegram.error import TelegramError

from bot.locales import tongue
from bot.message import Block, Link, Message
from bot.models import Address, Answer, Request
from bot.ports import Ask
from handlers.menu import parse
from handlers.menu.registry import find
from handlers.telegram.hear import sound
from handlers.telegram.poll import PLATFORM
from handlers.telegram.render import Page, clip, render

MOST_RESULTS: Final = 20
KEPT_SECONDS: Final = 60
"""How long Telegram may show the same to the same person."""
ANSWER_SECONDS: Final = 5.0
TITLE_UNITS: Final = 100
READS: Final = frozenset({"rates", "news"})
"""Groups of commands that can be asked inline; any other word is looked for in the news."""
WITHOUT: Final = frozenset({"sources", "export", "chart"})
"""Of those groups, what is of no use in somebody else's chat."""
EMPTY: Final = ("/rates", "/latest")
"""What is offered before anything is typed."""

log = structlog.get_logger()


async def offer(query: InlineQuery, ask: Ask, trouble: Callable[[Exception], None]) -> None:
    """Answer what is typed after our name. Too late does no harm. trouble: hears of an answer that failed"""
    user, language = query.from_user, (query.from_user.language_code or "").partition("-")[0].lower()
    address = Address(PLATFORM, str(user.id))
    lines = [line_of(sound(query.query))] if query.query.strip() else list(EMPTY)
    answers = [
        await ask(Request(address, line, str(user.id), language, is_admin=False, aside="inline")) for line in lines
    ]
    if not all(answer.message.blocks for answer in answers):
        return  # SILENCE is kept: no results would be shown for KEPT_SECONDS
    results = [result for answer in answers if not answer.error for result in results_of(answer)]
    label = tongue(language).say("Open the chat with me")
    try:
        await query.answer(
            list({result.id: result for result in results}.values())[:MOST_RESULTS],
            cache_time=KEPT_SECONDS,
            is_personal=True,
            button=InlineQueryResultsButton(label, start_parameter="help"),
            read_timeout=ANSWER_SECONDS,
        )
    except TelegramError as error:
        trouble(error)
        log.info("inline query not answered", error=type(error).__name__, reason=error.message)


def line_of(text: str) -> str:
    """The command line that is meant: one that only reads, or words to be understood without a command."""
    name, _ = parse(text)
    found = find(name)
    if found is None or (found.group in READS and name not in WITHOUT and found.changes is False):
        return text.removeprefix("/") if found is None else text
    return f"/latest {text.removeprefix('/')}"


def results_of(answer: Answer) -> Iterator[InlineQueryResultArticle]:
    """One for each article of the answer; where it has none, the whole of it."""
    message = answer.message
    articles = isinstance(answer.data, dict) and "articles" in answer.data
    entries = list(_entries(message.blocks)) if articles else [message.blocks]
    for blocks in entries:
        pages = render(Message(blocks, sample=message.sample), {})
        if pages:
            yield _result(blocks, pages[0])


def _entries(blocks: tuple[Block, ...]) -> Iterator[tuple[Block, ...]]:
    """Each title with what is said of it."""
    starts = [number for number, block in enumerate(blocks) if isinstance(block, Link)]
    for start, end in pairwise([*starts, len(blocks)]):
        yield blocks[start:end]


def _result(blocks: tuple[Block, ...], page: Page) -> InlineQueryResultArticle:
    told = [line for block in blocks if (line := " ".join(sound(block.text).split()))]
    link = next((block for block in blocks if isinstance(block, Link)), None)
    preview = LinkPreviewOptions(is_disabled=link is None, url=link.url if link else None, prefer_small_media=True)
    return InlineQueryResultArticle(
        id=hashlib.sha256(page.html.encode()).hexdigest()[:32],
        title=clip(told[0], TITLE_UNITS),
        description=clip(told[1], TITLE_UNITS) if len(told) > 1 else None,
        input_message_content=InputTextMessageContent(page.html, ParseMode.HTML, link_preview_options=preview),
        url=link.url if link else None,
    )
