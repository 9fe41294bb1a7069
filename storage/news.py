"""Articles and the keys they are known by.

An article's id is its second of publication shifted by 8 bits plus a running number, so that ids
grow with publication time. Keys outlive their article: a feed may list a story for years, and it
must not become new again once the article itself is past its retention.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from sqlite_utils import Database

from bot.message import Span
from bot.models import Article, Headline, Outgoing, PollState
from bot.wanted import Reading
from storage.index import AT_ONCE, Index
from storage.outbox import enqueue
from storage.sources import keep_poll
from storage.values import LARGEST, Row, batched, instant, micros, one, plain, rows

FIRST_SECOND: Final = 1_500_000_000
SAME_SECOND: Final = 256
FORGOTTEN_AT_ONCE: Final = 500

INSERT: Final = """
    INSERT INTO articles
        (id, source, opinion, countries, published, first_seen, language, guid, url, title, lead, spans, text, topics,
         story)
    VALUES """
MOST_PIECES: Final = 200
STORIES: Final = """
    SELECT * FROM articles WHERE story > 0 AND story IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?"""
HEADLINES: Final = """
    SELECT id, source, title, published, story FROM articles
    WHERE id >= ? AND source NOT IN (SELECT id FROM added_feeds) ORDER BY id DESC LIMIT ?"""
LEARN: Final = "INSERT INTO article_keys VALUES "
Edit = tuple[Article, Sequence[str]]
EDITABLE: Final = """
    SELECT id, source, opinion, countries, language, url, title, lead, spans, text, topics FROM articles WHERE id IN """
EDIT: Final = """
    UPDATE articles
    SET (opinion, countries, language, url, title, lead, spans, text, topics) = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    WHERE id = ?1 AND source = ?11 AND (opinion, countries, language, url, title, lead, spans, text, topics)
        IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"""
LEAD: Final = "UPDATE articles SET story = id WHERE id = ? AND story = 0"


def known_articles(db: Database, keys: Collection[str]) -> dict[str, int]:
    """0 stands for an article that is known but no longer kept."""
    digests = {_digest(key): key for key in keys}
    return {digests[digest]: number or 0 for digest, number in _owners(db, digests).items()}


def changed(db: Database, edited: Mapping[int, Edit]) -> dict[int, Edit]:
    """Those that read otherwise than what is stored, or have keys to learn. Another feed that has the article
    too, maybe only its first lines, does not word it anew.
    """
    stored = {row[0]: row[1:] for row in _each(db, EDITABLE, list(edited))}
    return {
        number: (story, keys)
        for number, (story, keys) in edited.items()
        if number in stored and (keys or (stored[number][0] == story.source and stored[number][1:] != _editable(story)))
    }


def rewritten(db: Database, edited: Mapping[int, Edit]) -> dict[int, tuple[Article, Article]]:
    """What is stored and its later version, of those that their own source words otherwise."""
    pairs = {number: (article_of(db, number), later) for number, (later, _) in changed(db, edited).items()}
    return {
        number: (before, replace(later, id=number, follows=_followed(db, before)))
        for number, (before, later) in pairs.items()
        if before and before.source == later.source
    }


def _followed(db: Database, article: Article) -> str:
    """The headline that began the story an article follows up, "" for none."""
    first = article_of(db, article.story) if article.story not in (0, article.id) else None
    return first.title if first else ""


def keep_news(
    db: Database,
    state: PollState,
    new: Sequence[tuple[Article, Sequence[str]]],
    edited: Mapping[int, Edit],
    outgoing: Sequence[Outgoing],
    now: datetime,
    readings: Sequence[Reading],
    into: Index,
) -> int:
    """readings: of the new articles, then of the edited ones; into: where search looks for them."""
    kept = _keep(db, new, now, readings, into)
    for (number, (story, keys)), reading in zip(edited.items(), readings[len(new) :], strict=True):
        if db.conn.execute(EDIT, (number, *_editable(story), story.source)).rowcount:
            into.index_edited(db, number, reading)
        known = _owners(db, [_digest(key) for key in keys])
        _insert(db, LEARN, [(digest, number) for key in keys if (digest := _digest(key)) not in known])
    enqueue(db, outgoing, now)
    keep_poll(db, state)
    return kept


def forget_articles(db: Database, before: datetime) -> int:
    """Drop some articles both published and first seen before that instant. Returns how many."""
    return db.conn.execute(
        "DELETE FROM articles WHERE id IN (SELECT id FROM articles WHERE first_seen < ?1 AND published < ?1 LIMIT ?2)",
        (micros(before), FORGOTTEN_AT_ONCE),
    ).rowcount


def article(row: Row) -> Article:
    """An articles row as the noun."""
    return Article(
        **{
            **row,
            "published": instant(row["published"]),
            "first_seen": instant(row["first_seen"]),
            "opinion": bool(row["opinion"]),
            "countries": _listed(row["countries"]),
            "topics": _listed(row["topics"]),
            "spans": tuple(Span(*span) for span in json.loads(row["spans"] or "[]")),
        }
    )


def article_of(db: Database, number: int) -> Article | None:
    """The article of this id."""
    found = rows(db, "SELECT * FROM articles WHERE id = ?", _rowid(number))
    return article(found[0]) if found else None


def stories(db: Database, numbers: Collection[int]) -> list[Article]:
    """The articles of these stories, newest first."""
    found = rows(db, STORIES, json.dumps(list(map(_rowid, numbers))), MOST_PIECES)
    return [article(row) for row in found]


def headlines(db: Database, since: datetime, limit: int) -> list[Headline]:
    """Of articles published since then, newest first; what chats added for themselves is left out."""
    return [
        Headline(**{**row, "published": instant(row["published"])})
        for row in rows(db, HEADLINES, first_id(since), limit)
    ]


def first_id(published: datetime) -> int:
    """The lowest id an article of that instant can have."""
    return max(int(micros(published) // 1_000_000) - FIRST_SECOND, 0) * SAME_SECOND


def _keep(
    db: Database,
    new: Sequence[tuple[Article, Sequence[str]]],
    now: datetime,
    readings: Sequence[Reading],
    into: Index,
) -> int:
    digests = [[_digest(key) for key in keys] for _, keys in new]
    owners = _owners(db, [digest for own in digests for digest in own])
    stories: list[tuple[object, ...]] = []
    learnt: list[tuple[object, ...]] = []
    indexed: list[tuple[int, Reading]] = []
    free: dict[int, int] = {}
    for (story, _), own, reading in zip(new, digests, readings, strict=False):
        known = [owners[digest] for digest in own if digest in owners]
        number = known[0] if known else _free_id(db, story.published, free)
        if not known:
            stories.append(_values(number or 0, story, now))
            indexed.append((number or 0, reading))
        learnt += [(digest, number) for digest in dict.fromkeys(own) if digest not in owners]
        owners |= {digest: number for digest in own if digest not in owners}
    _insert(db, INSERT, stories)
    into.index(db, sorted(indexed, key=itemgetter(0)))
    for first in {story.story for story, _ in new if story.story}:
        db.conn.execute(LEAD, (first,))
    _insert(db, LEARN, learnt)
    return len(stories)


def _owners(db: Database, digests: Collection[bytes]) -> dict[bytes, int | None]:
    """The article of each digest that is known; None for one that is no longer kept."""
    return dict(_each(db, "SELECT key, article FROM article_keys WHERE key IN ", list(digests)))


def _each(db: Database, select: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
    """The rows of a SELECT that ends with IN, for these values."""
    for chunk in batched(values, 10 * AT_ONCE):
        yield from db.conn.execute(f"{select}({', '.join('?' * len(chunk))})", chunk)


def _insert(db: Database, insert: str, rows: Sequence[tuple[object, ...]]) -> None:
    """The rows of an INSERT that ends with VALUES."""
    for chunk in batched(rows, AT_ONCE):
        row = f"({', '.join('?' * len(chunk[0]))})"
        db.conn.execute(insert + ", ".join([row] * len(chunk)), list(chain.from_iterable(chunk)))


def _free_id(db: Database, published: datetime, free: dict[int, int]) -> int:
    """The next free id of its second, or of a later one where 256 share a second. free: what was found so far."""
    base = max(first_id(published), 1)
    while True:
        if base not in free:
            top = one(db, "SELECT max(id) FROM articles WHERE id BETWEEN ? AND ?", base, base | 0xFF)
            free[base] = base if top is None else int(top) + 1
        if free[base] <= base | 0xFF:
            free[base] += 1
            return free[base] - 1
        base = (base | 0xFF) + 1


def _values(number: int, story: Article, now: datetime) -> tuple[object, ...]:
    opinion, countries, language, url, title, lead, spans, text, topics = _editable(story)
    dated = micros(story.published), micros(now)
    texts = (language, plain(story.guid), url, title, lead, spans, text, topics)
    return number, story.source, opinion, countries, *dated, *texts, story.story


def _editable(story: Article) -> tuple[object, ...]:
    spans = json.dumps([(span.start, span.end, span.style) for span in story.spans]) if story.spans else ""
    texts = (story.language, story.url, story.title, story.lead, spans, story.text)
    return story.opinion, *map(plain, (_list(story.countries), *texts, _list(story.topics)))


def _list(values: Sequence[str]) -> str:
    """ ",KZ,KG,": each value between two commas."""
    return f",{','.join(values)}," if values else ""


def _listed(stored: str) -> tuple[str, ...]:
    return tuple(value for value in stored.split(",") if value)


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _rowid(number: int) -> int:
    return max(0, min(number, LARGEST))
