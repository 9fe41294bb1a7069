"""Articles into the store and its index: ours beside a bare SQLite with FTS5, `reader` and upsert_all.

    .venv/bin/pip install reader sgmllib3k     # the peer; without it that line is left out
    SIZE=10000 .venv/bin/python -m bench.ingest

Articles of about 400 words, three in English to one in Russian, in documents of 20; a word is as common as its rank
lets it be in any language (Zipf). Prints articles a second. Prepared text is clean, and its lemmas are known; a service
finds those on a reader's thread before the transaction. The words here are made up, which is the dearest kind.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from time import perf_counter

from sqlite_utils import Database

from bot import rules
from bot.models import Article, Feed, PollState
from bot.prose import read
from bot.sources import feeds
from bot.sources.entries import Entry, ParsedFeed
from bot.wanted import reading
from storage import index, news
from storage.sqlite import SqliteStore, open_store

SIZE = int(os.environ.get("SIZE", "10000"))
DOCUMENT = 20
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
FEED = Feed("bench", "Bench", "https://news.example/feed", "en")
Pairs = list[tuple[Article, tuple[str, ...]]]


def bodies() -> Iterator[str]:
    """HTML as WordPress sends it."""
    chance = random.Random(1)
    latin = ["".join(chance.choices("abcdefghiklmnoprstuvz", k=chance.randint(3, 10))) for _ in range(20_000)]
    cyrillic = ["".join(chance.choices("абвгдежзиклмнопрст", k=chance.randint(3, 10))) for _ in range(20_000)]
    common = list(accumulate(1 / rank for rank in range(1, 20_001)))
    for n in range(SIZE):
        words = chance.choices(cyrillic if n % 4 == 0 else latin, cum_weights=common, k=400)
        words += ["kazakhstan"] * (chance.random() < 0.3) + ["summit"] * (chance.random() < 0.01)
        parts = [" ".join(words[at : at + 50]) for at in range(0, len(words), 50)]
        yield "".join(f"<p>{part[:60]} <strong>{part[60:80]}</strong>{part[80:]}.</p>\n" for part in parts)


def entry(n: int, html: str) -> Entry:
    prose = read(html)
    title, link = " ".join(prose.text.split()[:8]), f"https://news.example/{n}/"
    return Entry(str(n), link, title, "", prose.text, NOW - timedelta(minutes=5 * n), (), (), prose.spans)


def documents(entries: Sequence[Entry]) -> Iterator[Pairs]:
    for at in range(0, len(entries), DOCUMENT):
        made = feeds.articles(FEED, ParsedFeed(tuple(entries[at : at + DOCUMENT]), complete=True, title=""), NOW)
        yield [(article, feeds.keys(article)) for article in made]


def rate(name: str, start: float, note: str = "") -> float:
    figure = SIZE / (perf_counter() - start)
    print(f"{name:<44}{figure:12,.0f} a second {note}")
    return figure


async def stalls(until: asyncio.Event) -> float:
    """The longest time in which the loop did not come round, in milliseconds."""
    worst, before = 0.0, perf_counter()
    while not until.is_set():
        await asyncio.sleep(0.001)
        now = perf_counter()
        worst, before = max(worst, now - before - 0.001), now
    return worst * 1000


async def watched(store: SqliteStore, made: Sequence[Pairs]) -> None:
    """As a service keeps them, lemmas and all."""
    gc.collect()
    gc.freeze()  # the bench's own heap, ten thousand articles at once, is no part of the service's
    done = asyncio.Event()
    watch = asyncio.create_task(stalls(done))
    await asyncio.sleep(0.01)
    start = perf_counter()
    for pairs in made:
        await store.keep_news(PollState("bench"), pairs, {}, [], NOW)
    rate("ours, finding lemmas and storing", start)
    done.set()
    print(f"{'longest stall of the loop meanwhile':<44}{await watch:12.1f} ms (goal 10)")


async def prepared(store: SqliteStore, made: Sequence[Pairs]) -> float:
    readings = [[reading(article) for article, _ in pairs] for pairs in made]
    start = perf_counter()
    for pairs, read_ in zip(made, readings, strict=True):
        await store._writer.run(news.keep_news, PollState("bench"), pairs, {}, [], NOW, read_, index)
    return rate("ours, prepared text", start)


async def again(store: SqliteStore, made: Sequence[Pairs]) -> float:
    """The same documents once more, worded the same: the path of a poll after parsing."""
    written = await store._writer.run(lambda db: db.conn.total_changes)
    start = perf_counter()
    for pairs in made:
        known = await store.known_articles({key for _, keys in pairs for key in keys})
        new, edited = rules.sort_news(pairs, known)
        assert not new
        await store.keep_news(PollState("bench"), new, edited, [], NOW)
    figure = rate("ours, the same entries again", start)
    written = await store._writer.run(lambda db: db.conn.total_changes) - written
    assert written == len(made), "something but the polls was written"
    return figure


async def same_body(store: SqliteStore, made: Sequence[Pairs], bodies: Sequence[bytes]) -> float:
    """The same bytes once more: the hash that a poll takes, and the poll's own row."""
    from hashlib import blake2b

    start = perf_counter()
    await asyncio.gather(
        *(
            store.keep_poll(PollState("bench", body=blake2b(body, digest_size=16).hexdigest(), items=len(pairs)))
            for body, pairs in zip(bodies, made, strict=True)
        )
    )
    return rate("ours, the same documents again", start)


def bare(path: Path, made: Sequence[Pairs]) -> float:
    """One table, one index kept by a trigger, one transaction a document, as durable as ours."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("""
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE articles (id INTEGER PRIMARY KEY, url TEXT UNIQUE, title TEXT, lead TEXT, text TEXT);
        CREATE VIRTUAL TABLE found USING fts5(title, lead, text, content='articles', content_rowid='id',
            tokenize='porter unicode61 remove_diacritics 2');
        CREATE TRIGGER kept AFTER INSERT ON articles BEGIN
            INSERT INTO found (rowid, title, lead, text) VALUES (new.id, new.title, new.lead, new.text); END;
    """)
    start = perf_counter()
    for pairs in made:
        values = [value for a, _ in pairs for value in (a.url, a.title, a.lead, a.text)]
        db.execute("BEGIN IMMEDIATE")
        row = "(?, ?, ?, ?)"
        db.execute(f"INSERT INTO articles (url, title, lead, text) VALUES {', '.join([row] * len(pairs))}", values)
        db.execute("COMMIT")
    return rate("bare SQLite and FTS5, prepared text", start)


def upsert(path: Path, made: Sequence[Pairs]) -> float:
    db = Database(path)
    db.enable_wal()
    row = lambda a: {"url": a.url, "title": a.title, "lead": a.lead, "text": a.text}  # noqa: E731
    table = db.table("articles")
    table.insert_all([row(a) for pairs in made for a, _ in pairs], pk="url")
    table.enable_fts(["title", "lead", "text"], create_triggers=True, tokenize="porter")
    few = made[: max(len(made) // 10, 1)]
    start = perf_counter()
    for pairs in few:
        table.upsert_all([row(a) for a, _ in pairs], pk="url")
    figure = sum(map(len, few)) / (perf_counter() - start)
    print(f"{'sqlite-utils upsert_all, the same again':<44}{figure:12,.0f} a second")
    return figure


def theirs(path: Path, html: Sequence[str]) -> float:
    """reader's own way in: feeds as files on disk, updated and indexed."""
    warnings.simplefilter("ignore")
    from reader import make_reader

    reader = make_reader(str(path / "reader.db"), feed_root=str(path))
    from html import escape

    for n in range(0, len(html), 1000):
        items = "".join(
            f"<item><title>{m}</title><link>https://news.example/{m}/</link><guid>{m}</guid>"
            f"<description>{escape(html[m])}</description></item>"
            for m in range(n, min(n + 1000, len(html)))
        )
        (path / f"{n}.xml").write_text(f"<rss version='2.0'><channel><title>B</title>{items}</channel></rss>")
        reader.add_feed(f"{n}.xml")
    start = perf_counter()
    reader.update_feeds(scheduled=False)
    parsed = perf_counter()
    reader.enable_search()
    reader.update_search()
    print(f"{'  of that, parsing and storing':<44}{parsed - start:12.1f} s")
    return rate("reader, parsing, storing, indexing", start)


async def main() -> None:
    html = list(bodies())
    start = perf_counter()
    entries = [entry(n, body) for n, body in enumerate(html)]
    cleaning = rate("cleaning", start, f"({(perf_counter() - start) / SIZE * 1e6:.0f} us each)")
    start = perf_counter()
    made = list(documents(entries))
    wording = rate("entries to articles and their keys", start)
    start = perf_counter()
    for pairs in made:
        for article, _ in pairs:
            reading(article)
    rate("lemmas, every word for the first time", start)
    start = perf_counter()
    for pairs in made:
        for article, _ in pairs:
            reading(article)
    lemmas = rate("lemmas, known words", start, f"({(perf_counter() - start) / SIZE * 1e6:.0f} us each)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = await open_store(folder / "yamchi.db")
        await watched(store, made)
        other = await open_store(folder / "prepared.db")
        alone = await prepared(other, made)
        await other.close()
        plain = bare(folder / "bare.db", made)
        print(f"  ours / bare {alone / plain:.2f} (goal 0.8)")
        known = await again(store, made)
        same = await same_body(store, made, ["".join(html[n : n + 20]).encode() for n in range(0, SIZE, 20)])
        peer = upsert(folder / "upsert.db", made)
        print(f"  again: ours / upsert_all {same / peer:.0f} for a document, {known / peer:.0f} for entries (goal 100)")
        await store.close()
        bare_path = 1 / (1 / cleaning + 1 / wording + 1 / alone)
        whole = 1 / (1 / bare_path + 1 / lemmas)
        print(f"{'ours, the whole path, tags and lemmas too':<44}{whole:12,.0f} a second")
        print(f"{'ours, the whole path without the lemmas':<44}{bare_path:12,.0f} a second")
        try:
            library = theirs(folder, html)
        except ImportError:
            print("reader is not installed: .venv/bin/pip install reader sgmllib3k")
        else:
            print(f"  whole path: ours / reader {whole / library:.2f}, without {bare_path / library:.2f} (goal 1.5)")


if __name__ == "__main__":
    asyncio.run(main())
