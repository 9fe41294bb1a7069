"""How long a search takes in PostgreSQL, over the articles and for the queries of bench/search.py.

    DATABASE_URL=postgresql://... .venv/bin/python -m bench.search_postgres
    DATABASE_URL=postgresql://... SIZE=1000000 .venv/bin/python -m bench.search_postgres

The database is filled if it is empty, by COPY and with the index made at the end; it stays filled. A million articles
take 3.7 GB and five minutes. Prints milliseconds of the whole awaited call: newest 6 and the total. The goal is a 99th
percentile of 20 at a million; on two cores, with others at work, it was 2 to 15 for each kind, with shared_buffers of
128 MB and of 1 GB alike.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from itertools import islice
from time import perf_counter

import psycopg

from bench.search import NOW, QUERIES, ROUNDS, SIZE, articles, told
from bot.models import Article
from bot.wanted import reading
from storage.news import _values, first_id
from storage.postgres.schema.p008_vocabulary import LEARN_ALL
from storage.postgres.store import PostgresStore, open_postgres
from storage.postgres.words import vector

URL = os.environ.get("DATABASE_URL", "")
AT_ONCE = 10_000
TEXTS = "language, guid, url, title, lead, spans, text, topics"
COLUMNS = f"id, source, opinion, countries, published, first_seen, {TEXTS}, story"
GIN = "CREATE INDEX article_words_words ON article_words USING gin (words) WITH (fastupdate = off)"


def fill(db: psycopg.Connection[tuple[object, ...]]) -> None:
    start, made = perf_counter(), articles(SIZE)
    db.execute("DROP INDEX article_words_words")
    while batch := list(islice(made, AT_ONCE)):
        rows = [_values(first_id(one.published), one, NOW) for one in batch]
        with db.cursor() as cursor:
            with cursor.copy(f"COPY articles ({COLUMNS}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row([int(value) if isinstance(value, bool) else value for value in row])
            with cursor.copy("COPY article_words FROM STDIN") as copy:
                for row, one in zip(rows, batch, strict=True):
                    copy.write_row([row[0], _vector(row, one)])
    print(f"filled in {perf_counter() - start:,.0f} s")
    start = perf_counter()
    db.execute("SET maintenance_work_mem = '1GB'")
    db.execute(GIN)
    db.execute(LEARN_ALL)
    db.execute("VACUUM ANALYZE articles")
    db.execute("VACUUM ANALYZE article_words")
    print(f"indexed in {perf_counter() - start:,.0f} s")


def _vector(row: Sequence[object], one: Article) -> str:
    return vector(dict(zip(COLUMNS.split(", "), row, strict=True)) | {"opinion": 0}, reading(one))


async def ours(store: PostgresStore) -> None:
    for name, query in QUERIES.items():
        taken = []
        for _ in range(ROUNDS):
            start = perf_counter()
            page = await store.find_news(query, 6)
            taken.append(perf_counter() - start)
        told(name, taken, f"of {page.total:,}{'+' if page.capped else ''}")


async def main() -> None:
    store = await open_postgres(URL)
    with psycopg.connect(URL, autocommit=True) as db:
        if db.execute("SELECT count(*) FROM article_words").fetchone() == (0,):
            fill(db)
        sizes = "SELECT count(*), pg_total_relation_size('article_words'), pg_database_size(current_database())"
        count, words, whole = db.execute(f"{sizes} FROM article_words").fetchone()
        print(f"{count:,} articles, {whole / 1e6:,.0f} MB, of which the index {words / 1e6:,.0f} MB")
    await ours(store)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main())
