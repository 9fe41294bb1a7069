"""Finds articles: words through the full-text index, the rest by columns, newest first by rowid.

Nothing is ever sorted: both the index and the table can be walked downwards by rowid, which is
hundreds of times faster than sorting hits by a joined column. Best match looks at the newest thousand hits only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import nlargest, nsmallest
from typing import Any, Final

from sqlite_utils import Database

from bot.models import Article, NewsPage, NewsQuery
from bot.wanted import Run, Wanted, wanted
from storage.index import TABLES
from storage.news import article, first_id
from storage.values import LARGEST, micros, one, plain, rows

COUNTED: Final = 1000
REACH: Final = 100_000
"""Articles in which several words are counted together: FTS5 walks through each one's list, hit or not."""
FEW: Final = 100
"""So few in reach are counted among all articles instead: small totals are exact."""
RANKED: Final = 1000
TITLE_WEIGHT: Final = 5.0
COUNTRIES: Final = 16
TOPICS: Final = 16
MOST_SPELLINGS: Final = 48
"""Words that a beginning stands for, looked for one by one: unlike one merged list of all their articles,
those can be walked from the newest and left early. Beyond that many the merged list it is."""
FACETS: Final = "articles INDEXED BY articles_facets"
"""All that filters look at, without the pages that hold the texts."""
SPELLINGS: Final = """
    WITH RECURSIVE known (word) AS (
        SELECT (SELECT term FROM article_vocabulary WHERE term >= ?1 LIMIT 1)
        UNION ALL
        SELECT (SELECT term FROM article_vocabulary WHERE term >= word || char(1) LIMIT 1) FROM known WHERE word < ?2
    )
    SELECT word FROM known WHERE word < ?2 LIMIT ?3"""
"""Words from one up to another. The index's vocabulary is leapt through, as reading it would count every article; a
character 1 is lower than whatever a word can go on with."""
LAST_LETTER: Final = "\U0010ffff"


@dataclass(frozen=True)
class Hits:
    """A FROM and WHERE with its values, and which column is the article's id."""

    table: str
    id: str
    where: tuple[str, ...]
    values: tuple[Any, ...]

    def sql(self, columns: str) -> str:
        return f"SELECT {columns} FROM {self.table} WHERE {' AND '.join(self.where) or 'true'}"

    def but(self, condition: str, *values: Any) -> Hits:
        return replace(self, where=(*self.where, condition), values=(*self.values, *values))


def find_news(db: Database, query: NewsQuery, limit: int) -> NewsPage:
    looks = _looks(db, query)
    skipped = 0
    if query.best and query.words:
        ids = _best(db, looks, limit)
    else:
        edge = LARGEST if query.before is None else _rowid(query.before)
        ids = nlargest(limit, (number for h in looks for number in _newest(db, h.but(f"{h.id} < ?", edge), limit)))
        if query.before is not None:
            above = (h.but(f"{h.id} >= ?", edge) for h in looks)
            skipped = sum(one(db, h.sql("count(*)"), *h.values) for h in above)
    total, capped = _total(db, looks, _reach(db, query, ids))
    found = {row["id"]: article(row) for row in _articles(db, ids)}
    shown = tuple(found[number] for number in ids)
    return NewsPage(shown, max(total, skipped + len(shown)) if capped else total, capped=capped, skipped=skipped)


def set_reach(db: Database) -> None:
    """Note how far back totals of several words look; articles that come meanwhile are counted too."""
    oldest = one(db, f"SELECT id FROM {FACETS} ORDER BY id DESC LIMIT 1 OFFSET ?", REACH) or 0
    db.conn.execute("UPDATE search_reach SET oldest = ? WHERE oldest <> ?", (oldest, oldest))


def news_seen(db: Database, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
    asked = wanted(query.words)
    if query.words and not asked:
        return []
    where, values = _filters(query, "articles.id")
    if asked:
        # the plus keeps the planner on first_seen: a window holds far fewer rows than a common word
        each = [f"SELECT rowid FROM {table} WHERE {table} MATCH ?" for table in TABLES.values()]
        where.append(f"+articles.id IN ({' UNION ALL '.join(each)})")
        values += [match(db, asked, (), stemmed=stemmed) for stemmed in TABLES]
    _leave_out(db, query, where, values)
    hits = Hits("articles", "articles.id", ("first_seen > ?", "first_seen <= ?", *where), ())
    found = rows(db, hits.sql("*") + " ORDER BY id DESC LIMIT ?", micros(after), micros(until), *values, limit)
    return [article(row) for row in found]


def match(db: Database, asked: Sequence[Wanted], excluded: Sequence[Wanted], *, stemmed: bool) -> str:
    """A full-text expression made of quoted terms only."""
    expression = " AND ".join(_any(db, (one,), stemmed=stemmed) for one in asked)
    return f"({expression}) NOT {_any(db, excluded, stemmed=stemmed)}" if excluded else expression


def _any(db: Database, asked: Iterable[Wanted], *, stemmed: bool) -> str:
    runs = dict.fromkeys(run for one in asked for run in one.runs(stemmed=stemmed))
    spelt = [spelling for run in runs for spelling in (_spellings(db, run) if stemmed else [_quoted(run)])]
    return f"({' OR '.join(dict.fromkeys(spelt))})"


def _spellings(db: Database, run: Run) -> list[str]:
    """A run as the index knows it."""
    if not run.open or len(run.terms) > 1:
        return [_quoted(run)]
    beginning = run.terms[0]
    known = db.conn.execute(SPELLINGS, (beginning, beginning + LAST_LETTER, MOST_SPELLINGS + 1)).fetchall()
    return [f'"{word}"' for (word,) in known] if len(known) <= MOST_SPELLINGS else [_quoted(run)]


def _quoted(run: Run) -> str:
    return f'"{" ".join(run.terms)}"' + ("*" if run.open else "")


def _looks(db: Database, query: NewsQuery) -> list[Hits]:
    """Where to look: with words in both indexes, else through the articles themselves."""
    asked = wanted(query.words)
    if query.words and not asked:
        return []
    if not asked:
        where, values = _filters(query, "articles.id")
        _leave_out(db, query, where, values)
        return [Hits(FACETS, "articles.id", tuple(where), tuple(values))]
    return [_hits(query, name, match(db, asked, wanted(query.excluded), stemmed=s)) for s, name in TABLES.items()]


def _hits(query: NewsQuery, index: str, expression: str) -> Hits:
    where, values = _filters(query, f"{index}.rowid")
    table = index
    if query.countries or query.topics or query.sources or query.hidden or query.opinion is not None:
        table += f" CROSS JOIN {FACETS} ON articles.id = {index}.rowid"
    return Hits(table, f"{index}.rowid", (f"{index} MATCH ?", *where), (expression, *values))


def _leave_out(db: Database, query: NewsQuery, where: list[str], values: list[Any]) -> None:
    """Without words to begin with, each article is asked whether it has an excluded one."""
    if excluded := wanted(query.excluded):
        for stemmed, name in TABLES.items():
            where.append(f"NOT EXISTS (SELECT 1 FROM {name} WHERE {name} MATCH ? AND rowid = articles.id)")
            values.append(_any(db, excluded, stemmed=stemmed))


def _reach(db: Database, query: NewsQuery, shown: Sequence[int]) -> int:
    """The oldest article to count hits from. 0: all are counted, as they have one term, or a first page tells that
    they are few."""
    asked = wanted(query.words)
    phrases = any(len(run.terms) > 1 for one in asked for run in one.lemmas)
    if len(asked) + len(query.excluded) < 2 and not phrases:
        return 0
    oldest = int(one(db, "SELECT oldest FROM search_reach"))
    few = query.before is None and not query.best and (not shown or shown[-1] < oldest)
    return 0 if few else oldest


def _total(db: Database, looks: Sequence[Hits], reach: int) -> tuple[int, bool]:
    """How many hits there are, and whether there may be more."""
    total = _counted(db, [hits.but(f"{hits.id} >= ?", reach) for hits in looks] if reach else looks)
    if reach and total < FEW:
        total, reach = _counted(db, looks), 0
    if total > COUNTED:
        return COUNTED, True
    return (total // FEW * FEW, True) if reach else (total, False)


def _counted(db: Database, looks: Iterable[Hits]) -> int:
    """Up to one more than is told: upwards, as FTS5 walks its lists twice as fast that way."""
    total = 0
    for hits in looks:
        if left := COUNTED + 1 - total:
            total += one(db, f"SELECT count(*) FROM ({hits.sql('1')} LIMIT ?)", *hits.values, left)
    return total


def _newest(db: Database, hits: Hits, limit: int) -> list[int]:
    return [
        n for (n,) in db.conn.execute(f"{hits.sql(hits.id)} ORDER BY {hits.id} DESC LIMIT ?", (*hits.values, limit))
    ]


def _best(db: Database, looks: Iterable[Hits], limit: int) -> list[int]:
    """The best of each index's newest thousand hits: the more telling, the lower the figure; newest first of equals."""
    ranked: list[tuple[float, int]] = []
    for hits in looks:
        floor = one(db, f"{hits.sql(hits.id)} ORDER BY {hits.id} DESC LIMIT 1 OFFSET ?", *hits.values, RANKED - 1)
        recent = hits.but(f"{hits.id} >= ?", floor or 0)
        name = hits.id.partition(".")[0]
        figures = recent.sql(f"bm25({name}, {TITLE_WEIGHT}, 1.0), -{hits.id}")
        ranked += db.conn.execute(figures, recent.values).fetchall()
    return [-number for _, number in nsmallest(limit, ranked)]


def _articles(db: Database, ids: Sequence[int]) -> list[dict[str, Any]]:
    return rows(db, "SELECT * FROM articles WHERE id IN (SELECT value FROM json_each(?))", json.dumps(ids))


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
    if query.until is not None:
        where.append(f"{rowid} < ?")
        values.append(first_id(query.until))
    return where, values


def _rowid(number: int) -> int:
    return max(0, min(number, LARGEST))
