"""Chats' settings and subscriptions."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime, time
from typing import Final

from sqlite_utils import Database

from bot.models import Address, ChatSettings, Content, Outgoing, Schedule, Subscription
from storage.inbox import settle_update
from storage.outbox import enqueue
from storage.values import Row, instant, instant_or_none, micros, micros_or_none, packed, rows

SUBSCRIBE: Final = """
    INSERT INTO subscriptions (id, platform, chat, thread, kind, at, weekday, content,
        created_at, created_by, previous_due, next_due)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, at = excluded.at, weekday = excluded.weekday,
        content = excluded.content, previous_due = excluded.previous_due, next_due = excluded.next_due
    WHERE (platform, chat, thread) = (excluded.platform, excluded.chat, excluded.thread)"""
REPLAN: Final = """
    UPDATE subscriptions SET previous_due = ?, next_due = ?
    WHERE id = ? AND (kind, at, weekday) = (?, ?, ?)"""
"""Due instants belong to the schedule they were reckoned from: one changed meanwhile keeps its own."""


def chat(db: Database, address: Address) -> ChatSettings | None:
    found = rows(db, "SELECT * FROM chats WHERE platform = ? AND chat = ?", address.platform, address.chat)
    return ChatSettings(address, found[0]["zone"], found[0]["language"]) if found else None


def keep_chat(db: Database, settings: ChatSettings, replanned: Sequence[Subscription]) -> None:
    db.conn.execute(
        "INSERT OR REPLACE INTO chats VALUES (?, ?, ?, ?)",
        (settings.address.platform, settings.address.chat, settings.zone, settings.language),
    )
    _replan(db, replanned)


def subscriptions(db: Database, address: Address) -> list[Subscription]:
    where = "WHERE platform = ? AND chat = ? AND thread = ? ORDER BY id"
    return _subscriptions(db, where, address.platform, address.chat, address.thread)


def instant_subscriptions(db: Database) -> list[Subscription]:
    return _subscriptions(db, "WHERE kind = 'instant' ORDER BY id")


def due_subscriptions(db: Database, now: datetime, limit: int) -> list[Subscription]:
    return _subscriptions(db, "WHERE next_due <= ? ORDER BY next_due LIMIT ?", micros(now), limit)


def subscribe(db: Database, subscription: Subscription) -> Subscription:
    address, schedule = subscription.address, subscription.schedule
    cursor = db.conn.execute(
        SUBSCRIBE,
        (
            subscription.id or None,
            address.platform,
            address.chat,
            address.thread,
            schedule.kind,
            schedule.at.isoformat(),
            schedule.weekday,
            packed(asdict(subscription.content)),
            micros(subscription.created_at),
            subscription.created_by,
            micros_or_none(subscription.previous_due),
            micros_or_none(subscription.next_due),
        ),
    )
    return subscription if subscription.id else replace(subscription, id=cursor.lastrowid or 0)


def unsubscribe(db: Database, address: Address, ids: Collection[int], update: str) -> int:
    settle_update(db, address.platform, update, "acted")
    return db.conn.execute(
        "DELETE FROM subscriptions WHERE id IN (SELECT value FROM json_each(?))"
        " AND platform = ? AND chat = ? AND thread = ?",
        (packed(list(ids)), address.platform, address.chat, address.thread),
    ).rowcount


def keep_digests(db: Database, outgoing: Sequence[Outgoing], replanned: Sequence[Subscription], now: datetime) -> int:
    kept = enqueue(db, outgoing, now)
    _replan(db, replanned)
    return kept


def _replan(db: Database, replanned: Sequence[Subscription]) -> None:
    for subscription in replanned:
        schedule = subscription.schedule
        due = micros_or_none(subscription.previous_due), micros_or_none(subscription.next_due)
        reckoned_from = schedule.kind, schedule.at.isoformat(), schedule.weekday
        db.conn.execute(REPLAN, (*due, subscription.id, *reckoned_from))


def _subscriptions(db: Database, where: str, *values: object) -> list[Subscription]:
    return [_subscription(row) for row in rows(db, f"SELECT * FROM subscriptions {where}", *values)]


def _subscription(row: Row) -> Subscription:
    content = json.loads(row["content"])
    return Subscription(
        id=row["id"],
        address=Address(row["platform"], row["chat"], row["thread"]),
        schedule=Schedule(row["kind"], time.fromisoformat(row["at"]), row["weekday"]),
        content=Content(**{**content, "words": tuple(content["words"]), "countries": tuple(content["countries"])}),
        created_at=instant(row["created_at"]),
        created_by=row["created_by"],
        previous_due=instant_or_none(row["previous_due"]),
        next_due=instant_or_none(row["next_due"]),
    )
