"""How long a search takes, ours and `reader`'s, over the same articles.

    .venv/bin/pip install reader sgmllib3k     # the peer; without it that line is left out
    .venv/bin/python -m bench.search           # 100,000 articles
    SIZE=1000000 .venv/bin/python -m bench.search

Articles of 100 words, three in English to one in Russian or Kazakh, so that a term is in as many of them as its line
says. Prints milliseconds, median and 99th percentile: of the store's SQL (newest 6 and the total, counted up to 1,000;
by the clock, and of the processor alone, which a busy machine cannot lengthen), and of the whole awaited call.
SIZE=1000000 takes some 4 GB of disk.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import accumulate
from pathlib import Path
from time import perf_counter, thread_time

from bot.models import Article, NewsQuery, PollState
from storage.opening import open_reader
from storage.search import find_news
from storage.sqlite import SqliteStore, open_store

SIZE = int(os.environ.get("SIZE", "100000"))
BYTES_EACH = 4_000
PEER_SIZE = 100_000
BATCH = 2_000
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ROUNDS = 300
WORDS = 100
PLANTED = {"khorgos": 0.0001, "summit": 0.01, "kazakhstan": 0.22, "kazakh": 0.05, "kazan": 0.01, "region": 0.95}

QUERIES = {
    "rare (0.01 %)": NewsQuery(("khorgos",)),
    "1 %": NewsQuery(("summit",)),
    "22 %": NewsQuery(("kazakhstan",)),
    "nearly all": NewsQuery(("region",)),
    "22 % and 1 %": NewsQuery(("kazakhstan", "summit")),
    "22 % and nearly all": NewsQuery(("kazakhstan", "region")),
    "22 % without nearly all": NewsQuery(("kazakhstan",), excluded=("region",)),
    "phrase": NewsQuery(("kazakhstan summit",)),
    "kaz* (27 %)": NewsQuery(("kaz*",)),
    "beginning in Kazakh": NewsQuery(("мемлекет",)),
    "22 %, second page": NewsQuery(("kazakhstan",), before=2**62),
    "22 %, best match": NewsQuery(("kazakhstan",), best=True),
    "nearly all, best match": NewsQuery(("region",), best=True),
    "22 %, one country": NewsQuery(("kazakhstan",), countries=("KZ",)),
    "no words": NewsQuery(),
}


def vocabulary(letters: str, size: int, chance: random.Random) -> list[str]:
    return ["".join(chance.choices(letters, k=chance.randint(3, 10))) for _ in range(size)]


def articles(size: int) -> Iterator[Article]:
    chance = random.Random(1)
    latin = vocabulary("abcdefghiklmnoprstuvz", 20_000, chance)
    cyrillic = vocabulary("абвгдежзиклмнопрст", 4_000, chance)
    common = {len(words): list(accumulate(1 / (n + 10) for n in range(len(words)))) for words in (latin, cyrillic)}
    for n in range(size):
        kind = n % 20
        known = cyrillic if kind < 5 else latin
        words = chance.choices(known, cum_weights=common[len(known)], k=WORDS - 2)
        words += [word for word, share in PLANTED.items() if chance.random() < share]
        words += ["мемлекеттік"] * (kind == 0) + ["қала"] * (kind == 0)
        chance.shuffle(words)
        language = "kk" if kind == 0 else "ru" if kind < 5 else "en"
        published = NOW - timedelta(seconds=20 * (size - n))
        countries = (chance.choice(["KZ", "KG", "TJ", "UZ", "TM"]),)
        title, lead, text = " ".join(words[:8]), " ".join(words[:25]), " ".join(words)
        yield Article("bench", str(n), f"https://news.example/{n}", title, lead, text, published, language,
                      countries=countries)  # fmt: skip


async def fill(store: SqliteStore, made: Iterator[Article]) -> None:
    start, batch = perf_counter(), []
    for article in made:
        batch.append((article, [article.url]))
        if len(batch) == BATCH:
            await store.keep_news(PollState("bench"), batch, {}, [], NOW)
            batch = []
    print(f"{SIZE:,} articles in {perf_counter() - start:,.0f} s")


def told(name: str, taken: Sequence[float], note: str = "") -> float:
    ordered = sorted(taken)
    median, worst = ordered[len(ordered) // 2], ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]
    print(f"{name:<44}p50 {median:9.3f} ms   p99 {worst:9.3f} ms {note}")
    return median


def timed(work: Callable[[], object], rounds: int, clock: Callable[[], float] = perf_counter) -> list[float]:
    taken = []
    for _ in range(rounds):
        start = clock()
        work()
        taken.append((clock() - start) * 1000)
    return taken


async def ours(path: Path, store: SqliteStore) -> dict[str, float]:
    medians = {}
    db = open_reader(path)
    for name, query in QUERIES.items():
        page = find_news(db, query, 6)
        total = f"{page.total:,}{'+' if page.capped else ''}"
        work = lambda query=query: find_news(db, query, 6)  # noqa: E731
        medians[name] = told(name, timed(work, ROUNDS), f"  of {total}")
        told("    of the processor", timed(work, ROUNDS, thread_time))
    db.close()
    print("the same, awaited:")
    for name, query in QUERIES.items():
        taken = []
        for _ in range(ROUNDS):
            start = perf_counter()
            await store.find_news(query, 6)
            taken.append((perf_counter() - start) * 1000)
        told(f"  {name}", taken)
    return medians


def theirs(folder: Path) -> Callable[[str], object]:
    """reader, filled with the same articles from feeds on the disk. Gives its way to the newest 6 and the total."""
    warnings.simplefilter("ignore")
    from reader import make_reader

    reader = make_reader(str(folder / "reader.db"), feed_root=str(folder))
    made = list(articles(SIZE))
    start = perf_counter()
    for n in range(0, SIZE, 1000):
        items = "".join(
            f"<item><title>{a.title}</title><link>{a.url}</link><guid>{a.guid}</guid>"
            f"<pubDate>{a.published:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
            f"<description>{escape(a.text)}</description></item>"
            for a in made[n : n + 1000]
        )
        (folder / f"{n}.xml").write_text(f"<rss version='2.0'><channel><title>B</title>{items}</channel></rss>")
        reader.add_feed(f"{n}.xml")
    reader.update_feeds(scheduled=False)
    reader.enable_search()
    reader.update_search()
    print(f"reader: filled in {perf_counter() - start:,.0f} s")

    def search(word: str) -> object:
        found = list(reader.search_entries(word, sort="recent", limit=6))
        return [reader.get_entry(hit) for hit in found], reader.search_entry_counts(word).total

    return search


async def main() -> None:
    with tempfile.TemporaryDirectory(dir=os.environ.get("FOLDER")) as name:
        folder = Path(name)
        needed, free = SIZE * BYTES_EACH, shutil.disk_usage(folder).free
        if free < 2 * needed:
            raise SystemExit(
                f"{needed / 1e9:.1f} GB are needed, twice that should be free, and {free / 1e9:.1f} GB are"
            )
        store = await open_store(folder / "yamchi.db")
        await fill(store, articles(SIZE))
        print(f"{sum(f.stat().st_size for f in folder.iterdir()) / 1e6:,.0f} MB on the disk")
        medians = await ours(folder / "yamchi.db", store)
        await store.close()
        if SIZE > PEER_SIZE:
            return
        try:
            search = theirs(folder)
        except ImportError:
            print("reader is not installed: .venv/bin/pip install reader sgmllib3k")
            return
        for line, word in {"rare (0.01 %)": "khorgos", "1 %": "summit", "22 %": "kazakhstan"}.items():
            median = told(f"reader, newest 6 and total, {line}", timed(lambda word=word: search(word), 5))
            print(f"  reader / ours {median / medians[line]:,.0f}" + (" (goal 500)" if line == "22 %" else ""))


if __name__ == "__main__":
    asyncio.run(main())
