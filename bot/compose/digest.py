"""The digest: stories, then the rates, then what moved and what was written meanwhile; leads wait behind /latest.

It fits one Telegram message wherever one story does: the last stories make room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from bot.compose import rates
from bot.compose.moments import dated, long_day, moment
from bot.compose.news import byline
from bot.compose.quotes import percent, rate_line
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Link, Message, Paragraph, Table
from bot.models import Article, Board, Quote

STORIES_SHOWN: Final = 8
BUNDLE_SHOWN: Final = 20
ALSO_IN: Final = 3
ONE_MESSAGE: Final = 4000
"""UTF-16 units; Telegram takes 4,096, and SAMPLE and a line's end between blocks need some."""
MOVED: Final = Decimal("0.5")
"""Per cent in a day from which a rate is told to have moved."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a digest holds. day: its local date; since: where its window begins

    stories: best first, each its articles, the one to show first; None where the order holds no news
    board: None where it holds no rates; headlines: what was written in the countries of those that moved, by currency
    query: what the news are of, as /latest takes it
    """

    day: date
    since: datetime | None = None
    stories: Sequence[Sequence[Article]] | None = None
    board: Board | None = None
    headlines: Mapping[str, Sequence[Article]] = field(default_factory=dict)
    query: str = ""


def digest(digest: Digest, tongue: Tongue, zone: str, outlets: Mapping[str, str]) -> Message:
    """The digest as a message. outlets: titles by feed id."""
    figures = [*_board(digest, tongue), *_moved(digest, tongue)]
    head: Block = Heading(tongue.say("Digest for {day}", day=long_day(digest.day, tongue)))
    shown = min(len(digest.stories or ()), STORIES_SHOWN)
    blocks = [head, *_news(digest, shown, tongue, zone, outlets), *figures]
    while shown > 1 and units(blocks) > ONE_MESSAGE:
        shown -= 1
        blocks = [head, *_news(digest, shown, tongue, zone, outlets), *figures]
    return Message(tuple(blocks), tuple(_buttons(digest, tongue)))


def skipped(day: date, tongue: Tongue) -> Message:
    """What stands in the ledger for a digest that did not come."""
    return Message((Heading(tongue.say("Digest for {day}", day=long_day(day, tongue))),))


def moved(board: Board | None) -> list[Quote]:
    """The rates that changed enough in a day to be told, on the pairs shown."""
    quotes = board.quotes if board else ()
    return [quote for quote in quotes if quote.rate is not None and quote.day is not None and abs(quote.day) >= MOVED]


def country(quote: Quote) -> str:
    """Where a currency is issued: its code begins with it."""
    return quote.quote[:2]


def bundle(messages: Sequence[Message], tongue: Tongue) -> Message:
    """Articles that came too thick to be pushed one by one. messages: one for each, as it would have been pushed."""
    blocks: list[Block] = [Heading(tongue.count("{n} more article", "{n} more articles", len(messages)))]
    for message in messages[:BUNDLE_SHOWN]:
        blocks += [block for block in message.blocks if isinstance(block, Link) or _is_byline(block)]
    if (rest := len(messages) - BUNDLE_SHOWN) and rest > 0:
        blocks.append(Paragraph(tongue.count("And {n} more: /latest", "And {n} more: /latest", rest), small=True))
    return Message(tuple(blocks), (Button(tongue.say("Latest news"), "/latest"),))


def _is_byline(block: Block) -> bool:
    return isinstance(block, Paragraph) and block.small


def units(blocks: Sequence[Block]) -> int:
    """How long they are where a message is counted: in UTF-16, with a line's end or two between."""
    texts = chain.from_iterable(_texts(block) for block in blocks)
    return sum(len(text.encode("utf-16-le", "replace")) // 2 + 2 for text in texts)


def _texts(block: Block) -> Iterator[str]:
    if isinstance(block, Table):
        widths = [max(map(len, column)) for column in zip(*block.rows, strict=True)]
        yield from (" " * (sum(widths) + 2 * len(widths)) for _ in block.rows)
    else:
        yield block.text


def _buttons(digest: Digest, tongue: Tongue) -> Iterator[Button]:
    if digest.stories is not None:
        yield Button(tongue.say("Latest news"), f"/latest {digest.query}".rstrip())
    if digest.board:
        yield Button(tongue.say("Rates"), "/rates")


def _news(digest: Digest, shown: int, tongue: Tongue, zone: str, outlets: Mapping[str, str]) -> Iterator[Block]:
    if digest.stories is None:
        return
    if not digest.stories:
        yield _nothing_new(digest.since, tongue, zone)
        return
    yield Heading(tongue.say("News"))
    for story in digest.stories[:shown]:
        yield Link(story[0].title, story[0].url)
        yield _byline(story, tongue, zone, outlets, digest.day)
    if rest := len(digest.stories) - shown:
        since = digest.since.astimezone(ZoneInfo(zone)).date() if digest.since else None
        again = " ".join(filter(None, ("/latest", digest.query, f"since:{since}" if since else "")))
        yield Paragraph(tongue.count("And {n} more: {again}", "And {n} more: {again}", rest, again=again), small=True)


def _byline(story: Sequence[Article], tongue: Tongue, zone: str, outlets: Mapping[str, str], day: date) -> Paragraph:
    """ "Outlet · 23 Nov, 09:40 · also in Another"."""
    first, more = story[0], []
    others = dict.fromkeys(outlets.get(a.source, a.source) for a in story if a.source != first.source)
    if others:
        more.append(tongue.say("also in {outlets}", outlets=", ".join(list(others)[:ALSO_IN])))
    return byline(first, outlets.get(first.source, first.source), tongue, zone, *more, today=day)


def _nothing_new(since: datetime | None, tongue: Tongue, zone: str) -> Paragraph:
    if since is None:
        return Paragraph(tongue.say("No new articles."))
    when = moment(since, zone, tongue)
    return dated(Paragraph(tongue.say("No new articles since {moment}.", moment=when)), when)


def _board(digest: Digest, tongue: Tongue) -> Sequence[Block]:
    return rates.board(digest.board, tongue).blocks if digest.board else ()


def _moved(digest: Digest, tongue: Tongue) -> Iterator[Block]:
    """What changed most, and beside it what was written there meanwhile: a reader's to connect."""
    quotes = moved(digest.board)
    if quotes:
        yield Heading(tongue.say("What moved"))
    for quote in quotes:
        assert quote.rate is not None and quote.day is not None
        change = tongue.say("{change} in a day", change=percent(quote.day, tongue))
        yield Paragraph(f"{rate_line(quote, quote.rate, tongue)}, {change}")
        for article in digest.headlines.get(quote.quote, ()):
            yield Link(article.title, article.url)
