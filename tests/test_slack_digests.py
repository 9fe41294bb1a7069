"""Random digests against Slack's limits: none is refused, none calls anybody, no article goes uncounted."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime

import pytest

from bot.locales import languages, tongue
from bot.message import Block, Button, Heading, Instant, Link, Message, Paragraph, Span, Table
from handlers.slack.render import Extra, plain_text, render
from tests.fakes.slack_screen import refuse, show

PIECES = (
    "Саммит ШОС в Бишкеке", "Қазақстан", "Oʻzbekiston", "summit of five", "<!channel>", "<!here|here>", "<@U1>",
    "<#C1|general>", "<!subteam^S1>", "@everyone", "@channel", "&amp;", "&", "<", ">", "|", "[caption id=1]", "*", "_",
    "`", "```", "~", "\u202e", "\u200f", "مرحبا", "👩\u200d👩\u200d👧", "🇰🇿", "e\u0301", ":smile:",
    "\ud800", "\x00", "\n",
    "<https://evil.example|click>", "<!date^0^{date}|x>", "a" * 400, "ю" * 3_100, "> quote", "1 000,50", "",
)  # fmt: skip


WHEN, TOLD = "23 Nov, 09:40", datetime(2026, 11, 23, 4, 40, tzinfo=UTC)
ENDS = ("", "x", "<!channel>", "|y", " z", "%20", "ю")


def words(luck: random.Random, most: int) -> str:
    return " ".join(luck.choice(PIECES) for _ in range(luck.randint(0, most)))


def digest(luck: random.Random) -> Message:
    """As compose makes them: a heading, a table of rates, and 0 to 200 articles with their bylines and leads."""
    blocks: list[Block] = [Heading(words(luck, 4))]
    if luck.random() < 0.7:
        rows = tuple(tuple(words(luck, 2) for _ in range(luck.randint(1, 4))) for _ in range(luck.randint(0, 12)))
        blocks.append(Table(words(luck, 3), rows))
    for number in range(luck.choice((0, 1, 6, 30, luck.randint(0, 200)))):
        blocks.append(Link(words(luck, 6), f"https://a.example/{number}?a=1&b={luck.choice(ENDS)}"))
        line = f"{words(luck, 4)} · {WHEN}"
        told = (Instant(len(line) - len(WHEN), len(line), TOLD.isoformat()),)
        blocks.append(Paragraph(line, small=True, instants=told if luck.random() < 0.8 else ()))
        if luck.random() < 0.5:
            start = luck.randint(0, 9)
            spans = (Span(start, start + luck.randint(0, 30), luck.choice(("bold", "italic", "code"))),)
            blocks.append(Paragraph(words(luck, 12), spans, quoted=True))
    buttons = tuple(Button(words(luck, 2), words(luck, 5)) for _ in range(luck.randint(0, 30)))
    return Message(tuple(blocks), buttons, sample=luck.random() < 0.1)


def checked(seed: int) -> None:
    luck = random.Random(seed)
    message, speak = digest(luck), tongue(luck.choice(languages()))
    extras = (Extra("Share to channel", "share", "/digest"),) if luck.random() < 0.5 else ()
    rendered = render(message, speak, extras)
    raw = {"text": rendered.text, "blocks": rendered.blocks}
    bare = {"text": plain_text(message, speak)}
    assert refuse(raw) == refuse(bare) == "", seed
    screen = show(raw)
    assert screen.mentions == show(bare).mentions == [], seed
    assert all(url.startswith("https://a.example/") for url, _ in screen.links), seed
    assert set(screen.dates) <= {int(TOLD.timestamp())}, seed
    assert show(bare).dates == [], seed
    links = sum(isinstance(block, Link) for block in message.blocks)
    counted = re.findall(r"(?:and|и ещё|ещё) (\d+)", screen.text.rsplit("\n", 1)[-1])
    left = int(counted[-1]) if counted and len(screen.links) < links else 0
    assert len(screen.links) + left == links, seed


@pytest.mark.parametrize("part", range(3))
def test_random_digests_are_taken_and_call_nobody(part: int) -> None:
    for seed in range(part * 100, part * 100 + 100):
        checked(seed)


@pytest.mark.chaos
def test_ten_thousand_random_digests_are_taken_and_call_nobody() -> None:
    for seed in range(1_000, 11_000):
        checked(seed)
