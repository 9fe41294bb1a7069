"""Puts articles into PostgreSQL's index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlite_utils import Database

from bot.wanted import Reading
from storage.postgres.words import vector
from storage.values import packed, plain, rows

INDEX: Final = "INSERT INTO article_words VALUES (?, ?) ON CONFLICT (article) DO UPDATE SET words = excluded.words"
LEARN: Final = """
    INSERT INTO article_vocabulary
    SELECT DISTINCT term FROM article_words, unnest(tsvector_to_array(words)) AS term
    WHERE article IN (SELECT value FROM json_each(?)) AND left(term, 1) NOT IN ('=', '#', '$', '!', '@')
    ON CONFLICT DO NOTHING"""
HELD: Final = "SELECT id, source, opinion, countries, topics FROM articles WHERE id IN (SELECT value FROM json_each(?))"


def index(db: Database, readings: Iterable[tuple[int, Reading]]) -> None:
    """Put articles that are stored into the index, or in the place of what it holds of them."""
    read = dict(readings)
    held = rows(db, HELD, packed(list(read)))
    db.conn.executemany(INDEX, [(row["id"], plain(vector(row, read[row["id"]]))) for row in held])
    db.conn.execute(LEARN, (packed([row["id"] for row in held]),))


def index_edited(db: Database, number: int, text: Reading) -> None:
    index(db, [(number, text)])
