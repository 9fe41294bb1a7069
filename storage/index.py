"""The full-text index: what bot/wanted.py reads of an article, under the article's id.

English and Russian articles lie in article_terms, others in article_beginnings. What an article is
read to is found out before, on another thread and outside the transaction that writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, Protocol

import structlog
from sqlite_utils import Database

from bot.models import Article
from bot.wanted import Reading, reading
from storage.values import EPOCH, batched, rows

log = structlog.get_logger()

AT_ONCE: Final = 100
"""Rows a statement: the index is written once a statement, so few large ones are quicker than many small ones."""
READ_AT_ONCE: Final = 500
TOLD_EVERY: Final = 20_000

TABLES: Final = {True: "article_terms", False: "article_beginnings"}
"""By whether the language has a stemmer."""


class Index(Protocol):
    """Where search looks: this module, or another store's."""

    def index(self, db: Database, readings: Iterable[tuple[int, Reading]]) -> None: ...

    def index_edited(self, db: Database, number: int, text: Reading) -> None: ...


def read_all(_: Database, articles: Sequence[Article]) -> list[Reading]:
    return [reading(article) for article in articles]


def index(db: Database, readings: Iterable[tuple[int, Reading]]) -> None:
    """Put new articles into the index, by id in ascending order: it writes itself out whenever one is lower."""
    readings = list(readings)
    for stemmed, table in TABLES.items():
        kept = [(number, *map(" ".join, text.parts)) for number, text in readings if text.stemmed == stemmed]
        for chunk in batched(kept, AT_ONCE):
            places = ", ".join(["(?, ?, ?)"] * len(chunk))
            db.conn.execute(
                f"INSERT INTO {table} (rowid, title, text) VALUES {places}", list(chain.from_iterable(chunk))
            )


def index_edited(db: Database, number: int, text: Reading) -> None:
    for table in TABLES.values():
        db.conn.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))
    index(db, [(number, text)])


def index_again(db: Database) -> None:
    """Index every article there is, some at a time. A thousand of 400 words take a second or two."""
    last, done = -1, 0
    while found := rows(
        db,
        "SELECT id, language, title, lead, text FROM articles WHERE id > ? ORDER BY id LIMIT ?",
        last,
        READ_AT_ONCE,
    ):
        index(db, ((row["id"], reading(Article("", "", "", published=EPOCH, **row))) for row in found))
        last, done = found[-1]["id"], done + len(found)
        if done % TOLD_EVERY == 0:
            log.info("articles are indexed anew", done=done)
