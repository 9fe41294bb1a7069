"""How long the store takes: a claim at 1k and 100k rows with 90 % done, a search at 20k articles.

    .venv/bin/python -m bench.store

Prints one line a figure, in milliseconds (median of the runs).
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from bot.message import Message, Paragraph
from bot.models import Address, Article, NewsQuery, Outcome, Outgoing, PollState
from storage.sqlite import SqliteStore, open_store

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
CHATS = 40
ARTICLES = 20_000
BATCH = 1000


async def milliseconds(runs: int, work: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(runs):
        start = perf_counter()
        await work()
        taken.append((perf_counter() - start) * 1000)
    return median(taken)


async def fill_outbox(store: SqliteStore, rows: int) -> None:
    """Nine rows of ten sent, the tenth pending, spread over the chats."""
    message = Message((Paragraph("news"),))
    for start in range(0, rows, BATCH):
        numbers = range(start, min(start + BATCH, rows))
        await store.keep_digests(
            [
                Outgoing(f"e{n}", Address("telegram", str(n % CHATS)), "digest", message, NOW, NOW + LEASE * 100,
                         "pending" if n % 10 == n // CHATS % 10 else "sent")
                for n in numbers
            ],
            [],
            NOW,
        )  # fmt: skip


async def bench_outbox(folder: Path, rows: int) -> None:
    store = await open_store(folder / f"outbox-{rows}.db")
    await fill_outbox(store, rows)

    async def claim_and_settle() -> None:
        for delivery in await store.claim("bench", {"telegram"}, NOW, NOW + LEASE, 1):
            await store.settle(delivery, Outcome("sent"), NOW)

    async def claim() -> None:
        await store.claim("bench", {"telegram"}, NOW, NOW + LEASE, 32)

    print(f"{rows:>9,} rows: claim 1 and settle it   {await milliseconds(50, claim_and_settle):8.2f} ms")
    print(f"{rows:>9,} rows: claim 32                {await milliseconds(1, claim):8.2f} ms")
    await claim()
    print(f"{rows:>9,} rows: claim, every chat busy  {await milliseconds(50, claim):8.2f} ms")
    print(f"{rows:>9,} rows: ledger                  {await milliseconds(10, store.ledger):8.2f} ms")
    await store.close()


def stories() -> list[Article]:
    """400 words each; "kazakhstan" in 30 % of them, "summit" in 1 %."""
    chance = random.Random(1)
    vocabulary = ["".join(chance.choices("abcdefghiklmnoprstuvz", k=chance.randint(3, 10))) for _ in range(20_000)]
    made = []
    for n in range(ARTICLES):
        words = chance.choices(vocabulary, k=400)
        words += ["kazakhstan"] * (chance.random() < 0.3) + ["summit"] * (chance.random() < 0.01)
        countries = tuple(chance.sample(["KZ", "KG", "TJ", "UZ", "TM"], 1))
        published = NOW - timedelta(minutes=5 * n)
        made.append(Article("bench", str(n), f"https://news.example/{n}", " ".join(words[:8]), " ".join(words[:30]),
                            " ".join(words), published, countries=countries))  # fmt: skip
    return made


async def bench_search(folder: Path) -> None:
    store = await open_store(folder / "news.db")
    articles = stories()
    start = perf_counter()
    for first in range(0, ARTICLES, 20):
        pairs = [(a, [a.guid, a.url]) for a in articles[first : first + 20]]
        await store.keep_news(PollState("bench"), pairs, {}, [], NOW)
    print(f"{ARTICLES:>9,} articles, 20 a poll: {ARTICLES / (perf_counter() - start):,.0f} articles/s")
    known = await store.known_articles([articles[0].guid])
    unchanged = {known[articles[0].guid]: (articles[0], [])}
    queries = {
        "all": NewsQuery(),
        "summit": NewsQuery(("summit",)),
        "kazakhstan": NewsQuery(("kazakhstan",)),
        "kazakhstan, second page": NewsQuery(("kazakhstan",), before=known[articles[0].guid] - 9**9),
        "country:kz": NewsQuery(countries=("KZ",)),
        "country that has none": NewsQuery(countries=("XX",)),
    }
    for name, query in queries.items():
        taken = await milliseconds(30, lambda query=query: store.find_news(query, 6))
        print(f"{ARTICLES:>9,} articles, newest 6 and total, {name:<24} {taken:8.2f} ms")
    taken = await milliseconds(30, lambda: store.keep_news(PollState("bench"), [], unchanged, [], NOW))
    print(f"{ARTICLES:>9,} articles, a poll with nothing new {taken:8.2f} ms")
    await store.close()
    start = perf_counter()
    await (await open_store(folder / "news.db")).close()
    print(f"{ARTICLES:>9,} articles, open with integrity check {(perf_counter() - start) * 1000:8.2f} ms")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for rows in (1_000, 100_000):
            await bench_outbox(Path(folder), rows)
        await bench_search(Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
