"""Finds articles in PostgreSQL, newest first.

A rare term is looked up whole and its few articles are sorted; for a common one the newest days are enough. Which it is
shows on the way: the last day or two are looked through, then thrice as many, and so on, and then all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from bot.models import Article, NewsPage, NewsQuery
from bot.wanted import wanted
from storage.news import article, first_id
from storage.postgres.words import SPANS, asked, spans, words
from storage.search import COUNTED, RANKED
from storage.values import LARGEST, micros, packed, plain, rows

LOOK: Final = """
    SELECT count(*), count(*) FILTER (WHERE article >= ?4),
        coalesce((array_agg(article ORDER BY article DESC) FILTER (WHERE article < ?4))[1:?5], '{}')
    FROM article_words WHERE """
BEST: Final = """
    SELECT article FROM (SELECT * FROM article_words WHERE {condition}
        ORDER BY article + 0 DESC LIMIT ?4) AS recent
    ORDER BY ts_rank('{0.2, 0.2, 0.2, 1}', words, ?5::tsquery, 1) DESC, article DESC LIMIT ?6"""
"""A word in the title counts as much as five."""
SEEN: Final = """
    WITH seen AS MATERIALIZED (SELECT id FROM articles WHERE first_seen > ?4 AND first_seen <= ?5)
    SELECT * FROM articles WHERE id IN (
        SELECT article FROM seen JOIN article_words ON article = id WHERE {}
        ORDER BY article DESC LIMIT ?6) ORDER BY id DESC"""


def find_news(db: Database, query: NewsQuery, limit: int) -> NewsPage:
    best = query.best and bool(query.words)
    edge = LARGEST if query.before is None or best else min(query.before, LARGEST)
    total, skipped, ids = 0, 0, list[int]()
    for look in _looks(db, query):
        sql = LOOK + _condition(look[2])
        total, skipped, ids = db.conn.execute(sql, (*look, edge, limit)).fetchone()
        if total > COUNTED and (best or len(ids) == limit):
            break
    if best and total:
        best_of = BEST.replace("{condition}", _condition(look[2]))
        ranked = db.conn.execute(best_of, (*look, RANKED, plain(words(query.words)), limit))
        ids = [number for (number,) in ranked]
    found = rows(db, "SELECT * FROM articles WHERE id IN (SELECT value FROM json_each(?))", packed(ids))
    by_id = {row["id"]: article(row) for row in found}
    shown, capped = tuple(by_id[number] for number in ids), total > COUNTED
    return NewsPage(shown, max(COUNTED, skipped + len(shown)) if capped else total, capped=capped, skipped=skipped)


def news_seen(db: Database, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
    if query.words and not wanted(query.words):
        return []
    look = *_times(query), plain(asked(query))
    sql = SEEN.format(_condition(look[2]))
    return [article(row) for row in rows(db, sql, *look, micros(after), micros(until), limit)]


def _looks(db: Database, query: NewsQuery) -> Iterator[tuple[int, int, str]]:
    """(from which id, to which, what is asked): ever more, and at last all."""
    oldest, newest = db.conn.execute("SELECT min(article), max(article) FROM article_words").fetchone()
    if newest is None or (query.words and not wanted(query.words)):
        return
    since, until = _times(query)
    asks = plain(asked(query))
    for days in SPANS:
        span, least = spans(min(newest, until - 1), days)
        yield max(least, since), until, f"{span} & {asks}" if asks else span
        if least <= max(since, oldest):
            return
    yield since, until, asks


def _times(query: NewsQuery) -> tuple[int, int]:
    """The ids of its times: from and to."""
    return first_id(query.since) if query.since else 0, first_id(query.until) if query.until else LARGEST


def _condition(asks: str) -> str:
    """The sums keep the planner off the ids, which it would rather walk through: spans of days say the same quicker."""
    if not asks:
        return "article >= ?1 AND article < ?2"
    return "words @@ ?3::tsquery AND article + 0 >= ?1 AND article + 0 < ?2"
