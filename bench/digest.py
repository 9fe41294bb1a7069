"""A hundred thousand subscribers' digests: made once for all who get the same, beside making each.

    .venv/bin/python -m bench.digest [SUBSCRIBERS, 100000]

Prints how long the digests take to make and to render for Telegram, shared and one by one (counted on a sample).
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from time import process_time

from bot.models import Address, Article, Catalogue, ChatSettings, Content, Fixing, PollState, RateRoad, RateTable
from bot.press import Press
from handlers.telegram.render import render
from storage.sqlite import SqliteStore, open_store

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
DAY = timedelta(days=1)
ROADS = (RateRoad("nbk", "nbk", "https://bank.example/{date:%d.%m.%Y}"), RateRoad("cbu", "cbu", "https://b.example/"))
CATALOGUE = Catalogue((), ROADS)
CONTENTS = [Content(), Content(rates=False), *(Content((word,)) for word in ("water", "gas", "rail", "summit"))]
ZONES = ("Asia/Almaty", "Asia/Tashkent", "Asia/Bishkek", "Europe/Moscow", "Europe/Berlin")
LANGUAGES = ("en", "ru")
SAMPLE = 300


async def fill(store: SqliteStore) -> None:
    """A day of 200 articles and a month of fixings."""
    words = ("water", "gas", "rail", "summit")
    stories = [
        Article("timesca", str(n), f"https://news.example/{n}", f"The {words[n % 4]} story, number {n}",
                "What it is about, in a sentence.", "The whole of it. " * 50, NOW - timedelta(minutes=6 * n))
        for n in range(200)
    ]  # fmt: skip
    new = [(story, [story.guid]) for story in stories]
    await store.keep_news(PollState("timesca"), new, {}, [], NOW - timedelta(minutes=1))
    for road, quote, first in (("nbk", "KZT", 470), ("cbu", "UZS", 12100)):
        tables = [
            RateTable(road, quote, NOW.date() - timedelta(days=n), (Fixing("USD", f"{first + n % 7}.5"),))
            for n in range(40)
        ]
        await store.keep_tables(None, tables, [], NOW)


async def make(press: Press, content: Content, zone: str, language: str) -> None:
    settings = ChatSettings(Address("telegram", "1"), zone, language)
    made = await press.digest(content, settings, NOW - DAY, NOW)
    render(made.message, {button.command: button.command for button in made.message.buttons})


async def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    editions = list(product(CONTENTS, ZONES, LANGUAGES))
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(Path(folder) / "yamchi.db")
        await fill(store)
        start = process_time()
        press = Press(store, CATALOGUE, NOW)
        for edition in editions:
            await make(press, *edition)
        shared = process_time() - start
        start = process_time()
        for n in range(SAMPLE):
            await make(Press(store, CATALOGUE, NOW), *editions[n % len(editions)])
        each = (process_time() - start) / SAMPLE * count
        await store.close()
    print(f"{count:,} subscribers, {len(editions)} different digests, made and rendered: {shared:.2f} s of CPU")
    print(f"one for each subscriber (of {SAMPLE}): {each:,.0f} s of CPU, {each / shared:,.0f}x")


if __name__ == "__main__":
    asyncio.run(main())
