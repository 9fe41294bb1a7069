"""Chats' settings and subscriptions."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, fields, replace
from datetime import time
from functools import cache
from typing import Any, Final

from sqlite_utils import Database

from bot.models import Address, ChatSettings, Content, Quiet, Schedule, Subscription
from storage.inbox import settle_update
from storage.values import Row, instant, instant_or_none, micros, micros_or_none, one, packed, rows

KEEP_CHAT: Final = """
    INSERT INTO chats (platform, chat, zone, language, quiet, edits, threads) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (platform, chat) DO UPDATE SET zone = excluded.zone, language = excluded.language,
        quiet = excluded.quiet, edits = excluded.edits, threads = excluded.threads"""
SUBSCRIBE: Final = """
    INSERT INTO subscriptions (id, platform, chat, thread, edition, created_at, created_by,
        previous_due, next_due, paused_at, paused_until)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET edition = excluded.edition, previous_due = excluded.previous_due,
        next_due = excluded.next_due, paused_at = excluded.paused_at, paused_until = excluded.paused_until
    WHERE (subscriptions.platform, subscriptions.chat, subscriptions.thread)
        = (excluded.platform, excluded.chat, excluded.thread)
    RETURNING id"""
REPLAN: Final = """
    UPDATE subscriptions SET previous_due = ?, next_due = ?
    WHERE id = ? AND edition IN (SELECT id FROM editions WHERE (kind, at, weekday) = (?, ?, ?))"""
"""Due instants belong to the schedule they were reckoned from: one changed meanwhile keeps its own."""
GOES_BY: Final = """
    SELECT coalesce(max(zone), '') AS zone, coalesce(max(language), '') AS language, coalesce((
        SELECT group_concat(feed) FROM (
            SELECT feed FROM feed_readers WHERE (platform, chat) = (?1, ?2) ORDER BY feed) AS own), '') AS feeds
    FROM chats WHERE (platform, chat) = (?1, ?2)"""
EDITION: Final = """
    INSERT INTO editions (kind, at, weekday, content, zone, language, feeds) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (kind, at, weekday, content, zone, language, feeds) DO UPDATE SET kind = excluded.kind RETURNING id"""
SUBSCRIPTIONS: Final = """
    SELECT s.*, kind, at, weekday, content FROM subscriptions AS s JOIN editions AS e ON e.id = edition WHERE """
OF_CHAT: Final = SUBSCRIPTIONS + "platform = ? AND chat = ?"
SET_BY: Final = SUBSCRIPTIONS + "platform = ? AND created_by = ? AND created_by <> '' ORDER BY s.id"
INSTANT: Final = """
    SELECT s.*, kind, at, weekday, content, chats.zone, chats.language, quiet, edits, threads
    FROM editions AS e JOIN subscriptions AS s ON e.id = edition LEFT JOIN chats USING (platform, chat)
    WHERE kind = 'instant' ORDER BY s.id"""

AUDIENCE: Final = """
    SELECT platform, chat, min(thread) AS thread FROM (
        SELECT platform, chat, thread FROM subscriptions
        UNION ALL SELECT platform, chat, thread FROM alerts WHERE state = 'active') AS spoken
    GROUP BY platform, chat ORDER BY platform, chat"""


def chat(db: Database, address: Address) -> ChatSettings | None:
    found = rows(db, "SELECT * FROM chats WHERE platform = ? AND chat = ?", address.platform, address.chat)
    return _settings(address, found[0]) if found else None


def keep_chat(db: Database, settings: ChatSettings, replanned: Sequence[Subscription]) -> None:
    address = settings.address
    chosen = settings.zone, settings.language, _quiet_text(settings.quiet), settings.edits, settings.threads
    db.conn.execute(KEEP_CHAT, (address.platform, address.chat, *chosen))
    sort_anew(db, address)
    _replan(db, replanned)


def _replan(db: Database, replanned: Sequence[Subscription]) -> None:
    for subscription in replanned:
        schedule = subscription.schedule
        due = micros_or_none(subscription.previous_due), micros_or_none(subscription.next_due)
        reckoned_from = schedule.kind, schedule.at.isoformat(), schedule.weekday
        db.conn.execute(REPLAN, (*due, subscription.id, *reckoned_from))


def subscriptions(db: Database, address: Address, *, threads: bool) -> list[Subscription]:
    where = "ORDER BY s.id" if threads else "AND thread = ? ORDER BY s.id"
    names = (address.platform, address.chat) if threads else (address.platform, address.chat, address.thread)
    return [_subscription(row) for row in rows(db, f"{OF_CHAT} {where}", *names)]


def subscriptions_by(db: Database, platform: str, user: str) -> list[Subscription]:
    return [_subscription(row) for row in rows(db, SET_BY, platform, user)]


def instant_subscriptions(db: Database) -> list[tuple[Subscription, ChatSettings | None]]:
    found = [(_subscription(row), row) for row in rows(db, INSTANT)]
    return [(one, _settings(one.address, row) if row["zone"] else None) for one, row in found]


def audience(db: Database) -> list[Address]:
    return [Address(row["platform"], row["chat"], row["thread"]) for row in rows(db, AUDIENCE)]


def subscribe(db: Database, subscription: Subscription) -> Subscription:
    address = subscription.address
    kept = one(
        db,
        SUBSCRIBE,
        subscription.id or None,
        address.platform,
        address.chat,
        address.thread,
        _edition(db, subscription),
        micros(subscription.created_at),
        subscription.created_by,
        micros_or_none(subscription.previous_due),
        micros_or_none(subscription.next_due),
        micros_or_none(subscription.paused_at),
        micros_or_none(subscription.paused_until),
    )
    return subscription if subscription.id else replace(subscription, id=kept)


def unsubscribe(db: Database, address: Address, ids: Collection[int], update: str) -> int:
    settle_update(db, address.platform, update, "acted")
    return db.conn.execute(
        "DELETE FROM subscriptions WHERE id IN (SELECT value FROM json_each(?))"
        " AND platform = ? AND chat = ? AND thread = ?",
        (packed(list(ids)), address.platform, address.chat, address.thread),
    ).rowcount


def sort_anew(db: Database, address: Address) -> None:
    """Put a chat's subscriptions into the editions that fit what it goes by now."""
    for subscription in subscriptions(db, address, threads=True):
        edition = _edition(db, subscription)
        db.conn.execute(
            "UPDATE subscriptions SET edition = ?1 WHERE id = ?2 AND edition <> ?1", (edition, subscription.id)
        )


def forget_editions(db: Database) -> None:
    """Drop those that no subscription is of any more."""
    db.conn.execute("DELETE FROM editions WHERE NOT EXISTS (SELECT 1 FROM subscriptions WHERE edition = editions.id)")


def content_text(content: Content) -> str:
    """Only what differs from the whole digest, so that the same content is the same text."""
    whole = asdict(Content())
    return packed({name: value for name, value in sorted(asdict(content).items()) if value != whole[name]})


@cache
def content_of(text: str) -> Content:
    """The inverse of content_text. What a later version may have added is left out."""
    known = {field.name for field in fields(Content)}
    kept: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in json.loads(text).items()
        if name in known
    }
    return Content(**kept)


def schedule_of(row: Row) -> Schedule:
    return Schedule(row["kind"], time.fromisoformat(row["at"]), row["weekday"])


def _edition(db: Database, subscription: Subscription) -> int:
    """The id of the edition a subscription is of, as its chat's zone, language and own feeds are now."""
    address, schedule = subscription.address, subscription.schedule
    (by,) = rows(db, GOES_BY, address.platform, address.chat)
    asked = schedule.kind, schedule.at.isoformat(), schedule.weekday, content_text(subscription.content)
    return int(one(db, EDITION, *asked, by["zone"], by["language"], by["feeds"]))


def _settings(address: Address, row: Row) -> ChatSettings:
    wishes = {name: bool(row[name]) for name in ("edits", "threads")}
    return ChatSettings(address, row["zone"], row["language"], _quiet(row["quiet"]), **wishes)


def _quiet_text(quiet: Quiet | None) -> str:
    return f"{quiet.start:%H:%M}-{quiet.end:%H:%M} {'hold' if quiet.hold else 'silent'}" if quiet else ""


def _quiet(text: str) -> Quiet | None:
    if not text:
        return None
    span, _, manner = text.partition(" ")
    start, _, end = span.partition("-")
    return Quiet(time.fromisoformat(start), time.fromisoformat(end), hold=manner == "hold")


def _subscription(row: Row) -> Subscription:
    return Subscription(
        id=row["id"],
        address=Address(row["platform"], row["chat"], row["thread"]),
        schedule=schedule_of(row),
        content=content_of(row["content"]),
        created_at=instant(row["created_at"]),
        created_by=row["created_by"],
        previous_due=instant_or_none(row["previous_due"]),
        next_due=instant_or_none(row["next_due"]),
        paused_at=instant_or_none(row["paused_at"]),
        paused_until=instant_or_none(row["paused_until"]),
    )
