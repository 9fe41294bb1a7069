"""Finds articles in PostgreSQL, newest first.

A rare term is looked up whole and its few articles are sorted; for a common one the newest days are enough. Which it is
shows on the way: the last day or two are looked through, then as many as that lets expect to be enough, and then all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from math import ceil
from typing import Final

from sqlite_utils import Database

from bot.models import Article, NewsPage, NewsQuery
from bot.wanted import wanted
from storage.news import article, first_id
from storage.postgres.words import A_DAY, asked, spans, words
from storage.search import COUNTED, LAST_LETTER, MOST_SPELLINGS, RANKED
from storage.values import LARGEST, micros, packed, plain, rows

LOOK: Final = """
    SELECT count(*), count(*) FILTER (WHERE article >= ?3),
        coalesce((array_agg(article ORDER BY article DESC) FILTER (WHERE article < ?3))[1:?4], '{}')
    FROM article_words WHERE """
BEST: Final = """
    SELECT article FROM (SELECT * FROM article_words WHERE {condition}
        ORDER BY article + 0 DESC LIMIT ?3) AS recent
    ORDER BY ts_rank('{0.2, 0.2, 0.2, 1}', words, ?5::tsquery, 1) DESC, article DESC LIMIT ?4"""
"""A word in the title counts as much as five."""
SPELLINGS: Final = "SELECT term FROM article_vocabulary WHERE term >= ? AND term < ? LIMIT ?"
ENOUGH: Final = 1.3
"""Times as many days as those that were looked through let expect."""
NARROWEST: Final = 2
WIDEST: Final = 27
"""What is looked through next is so much more, however little was found: it may have been a quiet time."""
SEEN: Final = """
    WITH seen AS MATERIALIZED (SELECT id FROM articles WHERE first_seen > ?3 AND first_seen <= ?5)
    SELECT * FROM articles WHERE id IN (
        SELECT article FROM seen JOIN article_words ON article = id WHERE {}
        ORDER BY article DESC LIMIT ?4) ORDER BY id DESC"""


def find_news(db: Database, query: NewsQuery, limit: int) -> NewsPage:
    best = query.best and bool(query.words)
    edge = LARGEST if query.before is None or best else min(query.before, LARGEST)
    total, skipped, ids, sought = 0, 0, list[int](), Sought(db, query)
    days = 1.0 if sought.newest else 0.0
    while days:
        times, asks, days = sought.look(days)
        sql = LOOK + _condition(asks)
        total, skipped, ids = db.conn.execute(sql, (*times, edge, limit, None, *asks)).fetchone()
        if total > COUNTED and (best or len(ids) == limit):
            break
        days *= min(max(ENOUGH * COUNTED / max(total, 1), NARROWEST), WIDEST)
    if best and total:
        best_of = BEST.replace("{condition}", _condition(asks))
        ranked = db.conn.execute(best_of, (*times, RANKED, limit, plain(" & ".join(words(query.words))), *asks))
        ids = [number for (number,) in ranked]
    found = rows(db, "SELECT * FROM articles WHERE id IN (SELECT value FROM json_each(?))", packed(ids))
    by_id = {row["id"]: article(row) for row in found}
    shown, capped = tuple(by_id[number] for number in ids), total > COUNTED
    return NewsPage(shown, max(COUNTED, skipped + len(shown)) if capped else total, capped=capped, skipped=skipped)


def news_seen(db: Database, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
    if query.words and not wanted(query.words):
        return []
    asks = list(map(plain, asked(query)))
    sql = SEEN.format(_condition(asks))
    return [article(row) for row in rows(db, sql, *_times(query), micros(after), limit, micros(until), *asks)]


class Sought:
    """What is looked for. newest: the highest id there may be, 0 for none"""

    def __init__(self, db: Database, query: NewsQuery) -> None:
        ends = db.conn.execute("SELECT min(article), max(article) FROM article_words").fetchone()
        self._since, self._until = _times(query)
        self._oldest, self.newest = max(ends[0] or 0, self._since), min(ends[1] or 0, self._until - 1)
        if query.words and not wanted(query.words):
            self.newest = 0
        self._asks = list(map(plain, asked(query, partial(_spelt, db)))) if self.newest else []

    def look(self, days: float) -> tuple[tuple[int, int], list[str], float]:
        """At least so many days: (from which id, to which), what is asked, how many days they are, 0 for all."""
        span, least = spans(self.newest, ceil(days))
        if least <= self._oldest:
            return (self._since, self._until), self._asks, 0.0
        asks = [f"{span} & {one}" for one in self._asks if one.startswith("!")] or [span, *self._asks]
        return (least, self._until), asks, (self.newest - least) / A_DAY


def _spelt(db: Database, beginning: str) -> list[str]:
    found = [term for (term,) in db.conn.execute(SPELLINGS, (beginning, beginning + LAST_LETTER, MOST_SPELLINGS + 1))]
    return found if len(found) <= MOST_SPELLINGS else []


def _times(query: NewsQuery) -> tuple[int, int]:
    """The ids of its times: from and to."""
    return first_id(query.since) if query.since else 0, first_id(query.until) if query.until else LARGEST


def _condition(asks: Sequence[str]) -> str:
    """asks: ?6 and so on. The sums keep the planner off the ids, which it would rather walk through: spans of days say
    the same quicker."""
    if not asks:
        return "article >= ?1 AND article < ?2"
    met = (f"words @@ ?{number}::tsquery" for number, _ in enumerate(asks, 6))
    return " AND ".join((*met, "article + 0 >= ?1 AND article + 0 < ?2"))
