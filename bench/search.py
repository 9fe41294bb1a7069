"""How long a search takes, ours and `reader`'s, over the same articles.

    .venv/bin/pip install reader sgmllib3k     # the peer; without it that line is left out
    .venv/bin/python -m bench.search           # 100,000 articles
    SIZE=1000000 .venv/bin/python -m bench.search
    FOLDER=/tmp/kept SIZE=1000000 .venv/bin/python -m bench.search   # filled once, then used again

Articles of 100 words, three in English to one in Russian or Kazakh, so that a term is in as many of them as its line
says. Prints milliseconds, median and 99th percentile: of one read of the store (newest 6 and the total, counted up to
1,000; by the clock, and of the processor alone, which a busy machine lengthens less), and of the whole awaited call.
SIZE=1000000 takes some 4 GB of disk and ten minutes to fill.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import accumulate
from pathlib import Path
from time import perf_counter, thread_time

from sqlite_utils import Database

from bot.models import Article, NewsPage, NewsQuery, PollState
from storage.opening import open_reader
from storage.search import find_news, set_reach
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
    print(f"filled in {perf_counter() - start:,.0f} s")


def spread(taken: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile, of seconds, in milliseconds."""
    ordered = sorted(taken)
    return ordered[len(ordered) // 2] * 1000, ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)] * 1000


def told(name: str, taken: Sequence[float], note: str = "") -> float:
    median, worst = spread(taken)
    print(f"{name:<34}p50 {median:9.3f}   p99 {worst:9.3f} {note}")
    return median


def timed(work: Callable[[], object], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds by the clock and of the processor, of each round."""
    clock, processor = [], []
    for _ in range(rounds):
        start, started = perf_counter(), thread_time()
        work()
        processor.append(thread_time() - started)
        clock.append(perf_counter() - start)
    return clock, processor


def read(db: Database, query: NewsQuery) -> NewsPage:
    """As a reader of the store does it: one transaction."""
    db.conn.execute("BEGIN")
    page = find_news(db, query, 6)
    db.conn.execute("COMMIT")
    return page


async def ours(path: Path, store: SqliteStore) -> dict[str, float]:
    medians = {}
    db = open_reader(path)
    for name, query in QUERIES.items():
        page = read(db, query)
        total = f"{page.total:,}{'+' if page.capped else ''}"
        clock, processor = timed(lambda query=query: read(db, query), ROUNDS)
        of_processor = "   of the processor p50 {:7.3f}   p99 {:7.3f}".format(*spread(processor))
        medians[name] = told(name, clock, f"{of_processor}   of {total}")
    db.close()
    print("the same, awaited:")
    for name, query in QUERIES.items():
        taken = []
        for _ in range(ROUNDS):
            start = perf_counter()
            await store.find_news(query, 6)
            taken.append(perf_counter() - start)
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


@contextmanager
def folder() -> Iterator[Path]:
    """Where the files lie: FOLDER, and they stay there, or a place that goes away."""
    if kept := os.environ.get("FOLDER"):
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


async def filled(place: Path) -> Path:
    """The database, made unless it is there."""
    path = place / f"{SIZE}.db"
    if path.exists():
        return path
    needed, free = SIZE * BYTES_EACH, shutil.disk_usage(place).free
    if free < 2 * needed:
        raise SystemExit(f"{needed / 1e9:.1f} GB are needed, twice that should be free, and {free / 1e9:.1f} GB are")
    unfinished = place / "unfinished.db"
    for left in place.glob(f"{unfinished.name}*"):
        left.unlink()
    store = await open_store(unfinished)
    await fill(store, articles(SIZE))
    await store._writer.run(set_reach)  # as pruning does every six hours
    await store.close()
    return unfinished.rename(path)


def compare(medians: dict[str, float]) -> None:
    try:
        with tempfile.TemporaryDirectory() as name:
            search = theirs(Path(name))
            for line, word in {"rare (0.01 %)": "khorgos", "1 %": "summit", "22 %": "kazakhstan"}.items():
                median = told(f"reader, {line}", timed(lambda word=word: search(word), 5)[0])
                print(f"  reader / ours {median / medians[line]:,.0f}" + (" (goal 500)" if line == "22 %" else ""))
    except ImportError:
        print("reader is not installed: .venv/bin/pip install reader sgmllib3k")


async def main() -> None:
    with folder() as place:
        path = await filled(place)
        print(f"{SIZE:,} articles, {path.stat().st_size / 1e6:,.0f} MB on the disk")
        store = await open_store(path)
        medians = await ours(path, store)
        await store.close()
    if SIZE <= PEER_SIZE:
        compare(medians)


if __name__ == "__main__":
    asyncio.run(main())
