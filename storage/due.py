"""What falls due, in sets: subscriptions that get the same digest are read, enqueued and planned anew together.

Nothing is done subscriber by subscriber outside SQL, so a minute of 70,000 costs a few statements an edition.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from bot.models import Address, Edition, Mailing, Plan
from storage.chats import content_of, schedule_of
from storage.outbox import body_of, enqueue_mailings
from storage.values import Row, instant, instant_or_none, micros, micros_or_none, one, rows

DUE: Final = """
    SELECT due.*, kind, at, weekday, content, zone, language, feeds, platform, chat, thread FROM (
        SELECT edition, previous_due, next_due, count(*) AS members, min(id) AS one_of_them
        FROM (SELECT id, edition, previous_due, next_due FROM subscriptions WHERE next_due <= ?
            ORDER BY next_due, id LIMIT ?) AS batch
        GROUP BY next_due, edition, previous_due
    ) AS due JOIN editions ON editions.id = due.edition JOIN subscriptions ON subscriptions.id = one_of_them"""
TABLES: Final = """
    CREATE TEMP TABLE IF NOT EXISTS mailings (
        id INTEGER PRIMARY KEY, edition INTEGER, next_due INTEGER, previous_due INTEGER, following INTEGER,
        body INTEGER, day TEXT, due_at INTEGER, expires_at INTEGER, state TEXT, settled_at INTEGER, reason TEXT,
        UNIQUE (edition, next_due, previous_due));
    CREATE TEMP TABLE IF NOT EXISTS due (
        subscription INTEGER PRIMARY KEY, mailing INTEGER, platform TEXT, lane INTEGER,
        dead TEXT, free_at INTEGER, busy BOOLEAN);
    DELETE FROM temp.mailings;
    DELETE FROM temp.due;"""
MAILING: Final = """
    INSERT INTO temp.mailings (edition, next_due, previous_due, following, body, day, due_at, expires_at, state,
        settled_at, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
NEVER: Final = -1
"""Stands for a null in the key of temp.mailings, where nulls would all differ."""
MEMBERS: Final = f"""
    INSERT INTO temp.due SELECT s.id, m.id, s.platform, lane.id,
        coalesce(nullif(lane.dead, ''), whole.dead, ''), max(coalesce(lane.free_at, 0), coalesce(whole.free_at, 0)),
        EXISTS (SELECT 1 FROM outbox WHERE outbox.lane = lane.id AND settled_at IS NULL)
    FROM (SELECT id, edition, next_due, previous_due FROM subscriptions
        WHERE next_due <= ? ORDER BY next_due, id LIMIT ?) AS batch
    CROSS JOIN temp.mailings AS m ON m.edition = batch.edition AND m.next_due = batch.next_due
        AND m.previous_due = coalesce(batch.previous_due, {NEVER})
    CROSS JOIN subscriptions AS s ON s.id = batch.id
    LEFT JOIN lanes AS lane ON (lane.platform, lane.chat, lane.thread) = (s.platform, s.chat, s.thread)
    LEFT JOIN lanes AS whole ON s.thread <> ''
        AND (whole.platform, whole.chat, whole.thread) = (s.platform, s.chat, '')"""
"""dead, free_at: of the lane or of its whole chat; busy: something waits or flies there already."""
LANES: Final = """
    INSERT INTO lanes (platform, chat, thread)
    SELECT s.platform, chat, thread FROM temp.due JOIN subscriptions AS s ON id = subscription WHERE lane IS NULL
    ON CONFLICT (platform, chat, thread) DO NOTHING"""
LINED_UP: Final = """
    UPDATE temp.due SET lane = (
        SELECT lanes.id FROM lanes JOIN subscriptions AS s USING (platform, chat, thread) WHERE s.id = subscription)
    WHERE lane IS NULL"""
REPLAN: Final = """
    UPDATE subscriptions SET (next_due, previous_due) = (
        SELECT following, due_at FROM temp.due JOIN temp.mailings AS m ON m.id = mailing
        WHERE subscription = subscriptions.id)
    WHERE id IN (SELECT subscription FROM temp.due)"""
REPLAN_NEW: Final = """
    UPDATE subscriptions SET (next_due, previous_due) = (
        SELECT following, iif(
            EXISTS (SELECT 1 FROM outbox AS o WHERE o.lane = due.lane AND created_at = ?
                AND event = 'digest:' || subscription || ':' || day),
            due_at, subscriptions.previous_due)
        FROM temp.due JOIN temp.mailings AS m ON m.id = mailing WHERE subscription = subscriptions.id)
    WHERE id IN (SELECT subscription FROM temp.due)"""
"""Where a digest of that date went before (by a clock since put back), the one that went stays the last."""

PLANS: Final = """
    SELECT kind, at, weekday, zone, plan.* FROM (
        SELECT DISTINCT edition, previous_due, next_due FROM subscriptions WHERE next_due > ? AND paused_at IS NULL
    ) AS plan JOIN editions ON editions.id = plan.edition"""
CORRECT: Final = """
    UPDATE subscriptions SET next_due = ?
    WHERE next_due = ? AND edition = ? AND previous_due IS ? AND paused_at IS NULL"""


def due_editions(db: Database, now: datetime, limit: int) -> list[Edition]:
    return [_edition(row) for row in rows(db, DUE, micros(now), limit)]


def keep_mailings(db: Database, mailings: Sequence[Mailing], now: datetime) -> int:
    """One statement a step, whatever the number of editions and of subscriptions."""
    for statement in TABLES.split(";"):
        db.conn.execute(statement)
    db.conn.executemany(MAILING, [_values(db, mailing, now) for mailing in mailings])
    latest = max((micros(mailing.edition.next_due) for mailing in mailings), default=0)
    there = db.conn.execute(MEMBERS, (latest, sum(mailing.edition.members for mailing in mailings))).rowcount
    if one(db, "SELECT EXISTS (SELECT 1 FROM temp.due WHERE lane IS NULL)"):
        db.conn.execute(LANES)
        db.conn.execute(LINED_UP)
    new = enqueue_mailings(db, now)
    if new == there:
        db.conn.execute(REPLAN)
    else:
        db.conn.execute(REPLAN_NEW, (micros(now),))
    return new


def _values(db: Database, mailing: Mailing, now: datetime) -> tuple[object, ...]:
    edition = mailing.edition
    state = "withheld" if mailing.withheld else "expired" if mailing.late else "pending"
    reason = mailing.withheld or ("late by more than the catch-up window" if mailing.late else "")
    previous = NEVER if edition.previous_due is None else micros(edition.previous_due)
    key = edition.id, micros(edition.next_due), previous
    instants = micros(mailing.due), micros(mailing.expires_at)
    settled_at = None if state == "pending" else micros(now)
    body = body_of(db, mailing.message)
    return (*key, micros(mailing.next_due), body, mailing.day.isoformat(), *instants, state, settled_at, reason)


def plans(db: Database, now: datetime) -> list[Plan]:
    return [_plan(row) for row in rows(db, PLANS, micros(now))]


def correct_plans(db: Database, corrected: Sequence[tuple[Plan, datetime]]) -> int:
    return sum(db.conn.execute(CORRECT, (micros(due), *_same(plan))).rowcount for plan, due in corrected)


def _same(plan: Plan) -> tuple[object, ...]:
    return micros(plan.next_due), plan.edition, micros_or_none(plan.previous_due)


def _edition(row: Row) -> Edition:
    return Edition(
        id=row["edition"],
        schedule=schedule_of(row),
        content=content_of(row["content"]),
        zone=row["zone"],
        language=row["language"],
        feeds=row["feeds"],
        previous_due=instant_or_none(row["previous_due"]),
        next_due=instant(row["next_due"]),
        members=row["members"],
        address=Address(row["platform"], row["chat"], row["thread"]),
    )


def _plan(row: Row) -> Plan:
    due = instant_or_none(row["previous_due"]), instant(row["next_due"])
    return Plan(row["edition"], schedule_of(row), row["zone"], *due)
