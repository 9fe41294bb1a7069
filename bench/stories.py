"""Tagging and grouping: how long they take, and how long the event loop has to wait meanwhile.

    .venv/bin/python -m bench.stories

1,000 new articles in a document, half of them in Russian, 2,000 headlines of two days to compare them with.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter

from bot import stories
from bot.models import Article, Feed, Headline
from bot.sources import feeds
from bot.sources.entries import Entry, ParsedFeed

NEW, RECENT = 1000, 2000
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
FEED = Feed("bench", "Bench", "https://news.example/feed", "en")


def made() -> tuple[ParsedFeed, list[Headline]]:
    chance = random.Random(1)
    latin = ["".join(chance.choices("abcdefghiklmnoprstuvz", k=chance.randint(3, 10))) for _ in range(5000)]
    cyrillic = ["".join(chance.choices("абвгдежзиклмнопрст", k=chance.randint(3, 10))) for _ in range(5000)]
    names = ["Kazakhstan", "water", "Узбекистане", "саммита", "нефть"]

    def words(n: int, count: int) -> str:
        return " ".join([*chance.choices((latin, cyrillic)[n % 2], k=count), chance.choice(names)])

    headlines = [Headline(n + 1, f"outlet{n % 9}", words(n, 8), NOW - timedelta(minutes=n)) for n in range(RECENT)]
    titles = (headlines[n].title if n % 4 == 0 else words(n, 8) for n in range(NEW))
    entries = (Entry(f"{n}", f"https://news.example/{n}", t, "", words(n, 400), NOW) for n, t in enumerate(titles))
    return ParsedFeed(tuple(entries), complete=True, title=""), headlines


def grouped(articles: list[Article], headlines: list[Headline]) -> list[Article]:
    return [one for one, _ in stories.group([(article, ()) for article in articles], headlines)]


async def timed(name: str, work: Callable[[], list[Article]]) -> list[Article]:
    """Runs it in a thread and prints how long it took, and the longest time in which the loop did not come round."""
    task = asyncio.create_task(asyncio.to_thread(work))
    worst, start = 0.0, perf_counter()
    before = start
    while not task.done():
        await asyncio.sleep(0.001)
        now = perf_counter()
        worst, before = max(worst, now - before - 0.001), now
    print(f"{name:<44}{perf_counter() - start:8.2f} s, loop held up {worst * 1000:6.1f} ms (goal 10)")
    return await task


async def main() -> None:
    parsed, headlines = made()
    for name in ("first", "again"):
        articles = await timed(f"{NEW} articles made and tagged, {name}", lambda: feeds.articles(FEED, parsed, NOW))
        found = await timed(f"grouped with {RECENT} headlines, {name}", partial(grouped, articles, headlines))
    print(f"{sum(bool(one.story) for one in found)} of {NEW} joined a story")


if __name__ == "__main__":
    asyncio.run(main())
