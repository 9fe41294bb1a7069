"""Finds articles: words through the full-text index, the rest by columns, newest first by rowid.

Nothing is ever sorted: both the index and the table can be walked downwards by rowid, which is
hundreds of times faster than sorting hits by a joined column.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlite_utils import Database

from bot.models import Article, NewsPage, NewsQuery
from storage.news import article, first_id
from storage.values import LARGEST, micros, one, plain, rows

COUNTED: Final = 1000
WORDS: Final = 16
WORD_CHARACTERS: Final = 100
COUNTRIES: Final = 16
TOPICS: Final = 16
PREFIX_CHARACTERS: Final = 3
"""A shorter prefix would walk too much of the index."""
FACETS: Final = "articles INDEXED BY articles_facets"
"""All that filters look at, without the pages that hold the texts."""


@dataclass(frozen=True)
class Hits:
    """A FROM and WHERE with its values, and which column is the article's id."""

    table: str
    id: str
    where: tuple[str, ...]
    values: tuple[Any, ...]

    def sql(self, columns: str) -> str:
        return f"SELECT {columns} FROM {self.table} WHERE {' AND '.join(self.where) or 'true'}"


def match(words: tuple[str, ...]) -> str:
    """The words as a full-text expression that no word can break; "" if there is nothing to look for."""
    tokens = (_token(word[:WORD_CHARACTERS]) for word in words)
    return " ".join([token for token in tokens if token][:WORDS])


def _token(word: str) -> str:
    """One word, quoted: letters and digits only, the marks on letters kept, others parting it."""
    folded = unicodedata.normalize("NFC", word).lower()
    kept = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in folded)
    parts = [part for part in kept.split() if any(c.isalnum() for c in part)]
    if not parts:
        return ""
    return f'"{" ".join(parts)}"' + ("*" if len(parts[-1]) >= PREFIX_CHARACTERS else "")


def find_news(db: Database, query: NewsQuery, limit: int) -> NewsPage:
    expression = match(query.words)
    if query.words and not expression:
        return NewsPage((), 0, capped=False, skipped=0)
    all_hits = _hits(replace(query, before=None), expression)
    page = _hits(query, expression)
    shown = f"{page.sql(page.id)} ORDER BY {page.id} DESC LIMIT ?"
    found = rows(db, f"SELECT * FROM articles WHERE id IN ({shown}) ORDER BY id DESC", *page.values, limit)
    total = one(db, f"SELECT count(*) FROM ({all_hits.sql('1')} LIMIT ?)", *all_hits.values, COUNTED + 1)
    skipped = 0
    if query.before is not None:
        above = replace(all_hits, where=(*all_hits.where, f"{all_hits.id} >= ?"))
        skipped = one(db, above.sql("count(*)"), *above.values, _rowid(query.before))
    return NewsPage(tuple(article(row) for row in found), min(total, COUNTED), capped=total > COUNTED, skipped=skipped)


def news_seen(db: Database, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
    expression = match(query.words)
    if query.words and not expression:
        return []
    where, values = _filters(query, "articles.id")
    if expression:
        # the plus keeps the planner on first_seen: a window holds far fewer rows than a common word
        where.append("+articles.id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH ?)")
        values.append(expression)
    hits = Hits("articles", "articles.id", ("first_seen > ?", "first_seen <= ?", *where), ())
    found = rows(db, hits.sql("*") + " ORDER BY id DESC LIMIT ?", micros(after), micros(until), *values, limit)
    return [article(row) for row in found]


def _hits(query: NewsQuery, expression: str) -> Hits:
    if not expression:
        where, values = _filters(query, "articles.id")
        return Hits(FACETS, "articles.id", tuple(where), tuple(values))
    where, values = _filters(query, "articles_fts.rowid")
    table = "articles_fts"
    if query.countries or query.topics or query.sources or query.hidden or query.opinion is not None:
        table += f" CROSS JOIN {FACETS} ON articles.id = articles_fts.rowid"
    return Hits(table, "articles_fts.rowid", ("articles_fts MATCH ?", *where), (expression, *values))


def _filters(query: NewsQuery, rowid: str) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    if codes := list(dict.fromkeys(plain(code).upper() for code in query.countries))[:COUNTRIES]:
        where.append("(" + " OR ".join(["instr(articles.countries, ?)"] * len(codes)) + ")")
        values += [f",{code}," for code in codes]
    if query.topics:
        where.append("(" + " OR ".join(["instr(articles.topics, ?)"] * len(query.topics[:TOPICS])) + ")")
        values += [f",{plain(topic)}," for topic in query.topics[:TOPICS]]
    if query.sources:
        where.append("articles.source IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(query.sources))
    if query.hidden:
        where.append("articles.source NOT IN (SELECT value FROM json_each(?))")
        values.append(json.dumps(query.hidden))
    if query.opinion is not None:
        where.append("articles.opinion = ?")
        values.append(query.opinion)
    if query.since is not None:
        where.append(f"{rowid} >= ?")
        values.append(first_id(query.since))
    if query.before is not None:
        where.append(f"{rowid} < ?")
        values.append(_rowid(query.before))
    return where, values


def _rowid(number: int) -> int:
    return max(0, min(number, LARGEST))
