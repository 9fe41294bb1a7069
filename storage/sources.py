"""What is remembered of a source between two polls, and the feeds that chats added."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from bot.models import AddedFeed, Address, Feed, PollState
from storage.chats import sort_anew
from storage.values import instant_or_none, micros, micros_or_none, one, plain, rows

COLUMNS: Final = (
    "source, next_poll_at, etag, last_modified, moved_to, last_ok_at, failures, error, items, url, body,"
    ' "window", ttl, gone, note'
)
"""In the order of PollState."""
POLLS: Final = f"SELECT {COLUMNS} FROM polls"
KEEP_POLL: Final = f"""
    INSERT INTO polls ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (source) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", "))}"""


def poll_states(db: Database) -> dict[str, PollState]:
    return {
        source: PollState(source, instant_or_none(due), etag, modified, moved_to, instant_or_none(last_ok_at), *rest)
        for source, due, etag, modified, moved_to, last_ok_at, *rest in db.conn.execute(POLLS)
    }


def keep_polls(db: Database, states: Iterable[PollState]) -> None:
    db.conn.executemany(KEEP_POLL, map(_values, states))


def keep_poll(db: Database, state: PollState) -> None:
    db.conn.execute(KEEP_POLL, _values(state))


def _values(state: PollState) -> tuple[object, ...]:
    return (
        state.source,
        micros_or_none(state.next_poll_at),
        plain(state.etag),
        plain(state.last_modified),
        plain(state.moved_to),
        micros_or_none(state.last_ok_at),
        state.failures,
        plain(state.error),
        state.items,
        plain(state.url),
        state.body,
        state.window,
        state.ttl,
        state.gone,
        plain(state.note),
    )


def added_feeds(db: Database) -> list[AddedFeed]:
    readers: dict[str, list[tuple[str, str]]] = {}
    for row in rows(db, "SELECT feed, platform, chat FROM feed_readers ORDER BY feed, platform, chat"):
        readers.setdefault(row["feed"], []).append((row["platform"], row["chat"]))
    return [
        AddedFeed(Feed(**row, added=True), tuple(readers.get(row["id"], ())))
        for row in rows(db, "SELECT id, title, url, language FROM added_feeds ORDER BY id")
    ]


def add_feed(db: Database, feed: Feed, address: Address, user: str, now: datetime) -> None:
    db.conn.execute(
        "INSERT INTO added_feeds VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (feed.id, plain(feed.url), plain(feed.title), feed.language),
    )
    db.conn.execute(
        "INSERT INTO feed_readers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (feed.id, address.platform, address.chat, plain(user), micros(now)),
    )
    sort_anew(db, address)


def remove_feed(db: Database, feed: str, address: Address) -> bool:
    read = (feed, address.platform, address.chat)
    had = db.conn.execute("DELETE FROM feed_readers WHERE feed = ? AND platform = ? AND chat = ?", read).rowcount > 0
    if had and not one(db, "SELECT EXISTS (SELECT 1 FROM feed_readers WHERE feed = ?)", feed):
        for forgotten in (
            "DELETE FROM article_keys WHERE article IN (SELECT id FROM articles WHERE source = ?)",
            "DELETE FROM articles WHERE source = ?",
            "DELETE FROM polls WHERE source = ?",
            "DELETE FROM added_feeds WHERE id = ?",
        ):
            db.conn.execute(forgotten, (feed,))
    sort_anew(db, address)
    return had


def feeds_added_by(db: Database, platform: str, user: str, since: datetime) -> int:
    """People are told apart by platform: the same number may be another person elsewhere."""
    counted = "SELECT count(*) FROM feed_readers WHERE platform = ? AND added_by = ? AND added_at > ?"
    return int(one(db, counted, platform, plain(user), micros(since)))
