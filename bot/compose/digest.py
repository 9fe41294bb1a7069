"""The digest: figures first, for they are read at a glance, then headlines; leads wait behind /latest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from bot.compose.moments import long_day, moment
from bot.compose.news import byline
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Link, Message, Paragraph
from bot.models import Article


def digest(
    articles: Sequence[Article] | None,
    more: int,
    board_message: Message | None,
    tongue: Tongue,
    zone: str,
    day: date,
    outlets: Mapping[str, str],
    *,
    since: datetime | None = None,
) -> Message:
    """The digest of a local date.

    articles: newest first, None where the order holds no news; more: how many are left out
    since: where its window begins, told when nothing is new
    board_message: the rates board, None where the order holds no rates
    """
    blocks: list[Block] = [Heading(tongue.say("Digest for {day}", day=long_day(day, tongue)))]
    buttons: list[Button] = []
    if board_message:
        blocks += board_message.blocks
        buttons.append(Button(tongue.say("Rates"), "/rates"))
    if articles:
        blocks += _news(articles, more, tongue, zone, day, outlets)
    elif articles is not None:
        blocks.append(Paragraph(_nothing_new(since, tongue, zone)))
    if articles is not None:
        buttons.insert(0, Button(tongue.say("Latest news"), "/latest"))
    return Message(tuple(blocks), tuple(buttons))


def _nothing_new(since: datetime | None, tongue: Tongue, zone: str) -> str:
    if since is None:
        return tongue.say("No new articles.")
    return tongue.say("No new articles since {moment}.", moment=moment(since, zone, tongue))


def _news(
    articles: Sequence[Article], more: int, tongue: Tongue, zone: str, day: date, outlets: Mapping[str, str]
) -> list[Block]:
    blocks: list[Block] = [Heading(tongue.say("News"))]
    for article in articles:
        outlet = outlets.get(article.source, article.source)
        blocks += [
            Link(article.title, article.url),
            Paragraph(byline(article, outlet, tongue, zone, today=day), small=True),
        ]
    if more:
        blocks.append(Paragraph(tongue.count("And {n} more: /latest", "And {n} more: /latest", more), small=True))
    return blocks
