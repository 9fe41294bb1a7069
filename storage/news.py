"""Articles and the keys they are known by.

An article's id is its second of publication shifted by 8 bits plus a running number, so that ids
grow with publication time. Keys outlive their article: a feed may list a story for years, and it
must not become new again once the article itself is past its retention.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final

from sqlite_utils import Database

from bot.message import Span
from bot.models import Article, Outgoing, PollState
from storage.outbox import enqueue
from storage.sources import keep_poll
from storage.values import Row, instant, micros, one, plain

FIRST_SECOND: Final = 1_500_000_000
SAME_SECOND: Final = 256
FORGOTTEN_AT_ONCE: Final = 500

INSERT: Final = """
    INSERT INTO articles
        (id, source, opinion, countries, published, first_seen, language, guid, url, title, lead, spans, text)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
EDIT: Final = """
    UPDATE articles SET (opinion, countries, language, url, title, lead, spans, text) = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    WHERE id = ?1
        AND (opinion, countries, language, url, title, lead, spans, text) IS NOT (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"""


def known_articles(db: Database, keys: Collection[str]) -> dict[str, int]:
    """0 stands for an article that is known but no longer kept."""
    taken: dict[str, int] = {}
    for key in keys:
        found = db.conn.execute("SELECT article FROM article_keys WHERE key = ?", (_digest(key),)).fetchone()
        if found is not None:
            taken[key] = found[0] or 0
    return taken


def keep_news(
    db: Database,
    state: PollState,
    new: Sequence[tuple[Article, Sequence[str]]],
    edited: Mapping[int, Article],
    outgoing: Sequence[Outgoing],
    now: datetime,
) -> int:
    kept = sum(_keep(db, story, keys, now) for story, keys in new)
    for number, story in edited.items():
        db.conn.execute(EDIT, (number, *_editable(story)))
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
            "countries": tuple(code for code in row["countries"].split(",") if code),
            "spans": tuple(Span(*span) for span in json.loads(row["spans"] or "[]")),
        }
    )


def first_id(published: datetime) -> int:
    """The lowest id an article of that instant can have."""
    return max(int(micros(published) // 1_000_000) - FIRST_SECOND, 0) * SAME_SECOND


def _keep(db: Database, story: Article, keys: Iterable[str], now: datetime) -> bool:
    digests = [_digest(key) for key in keys]
    taken = [
        known for digest in digests for known in db.query("SELECT article FROM article_keys WHERE key = ?", [digest])
    ]
    number = taken[0]["article"] if taken else _free_id(db, story.published)
    if not taken:
        db.conn.execute(INSERT, _values(number, story, now))
    db.conn.executemany("INSERT INTO article_keys VALUES (?, ?) ON CONFLICT DO NOTHING", [(d, number) for d in digests])
    return not taken


def _free_id(db: Database, published: datetime) -> int:
    """The next free id of its second, or of a later one where 256 share a second."""
    base = max(first_id(published), 1)
    while True:
        top = one(db, "SELECT max(id) FROM articles WHERE id BETWEEN ? AND ?", base, base | 0xFF)
        if top is None:
            return base
        if top + 1 <= base | 0xFF:
            return int(top) + 1
        base = (base | 0xFF) + 1


def _values(number: int, story: Article, now: datetime) -> tuple[object, ...]:
    opinion, countries, language, url, title, lead, spans, text = _editable(story)
    published, seen = micros(story.published), micros(now)
    guid = plain(story.guid)
    return number, story.source, opinion, countries, published, seen, language, guid, url, title, lead, spans, text


def _editable(story: Article) -> tuple[object, ...]:
    countries = "".join(f",{code}" for code in story.countries) + ("," if story.countries else "")
    spans = json.dumps([(span.start, span.end, span.style) for span in story.spans]) if story.spans else ""
    texts = (story.language, story.url, story.title, story.lead, spans, story.text)
    return story.opinion, plain(countries), *map(plain, texts)


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
