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
from storage.outbox import enqueue_mailing
from storage.values import Row, instant, instant_or_none, micros, micros_or_none, one, rows

DUE: Final = """
    SELECT due.*, kind, at, weekday, content, zone, language, feeds, platform, chat, thread FROM (
        SELECT edition, previous_due, next_due, count(*) AS members, min(id) AS one_of_them
        FROM (SELECT id, edition, previous_due, next_due FROM subscriptions WHERE next_due <= ?
            ORDER BY next_due, edition, previous_due LIMIT ?)
        GROUP BY next_due, edition, previous_due
    ) AS due JOIN editions ON editions.id = due.edition JOIN subscriptions ON subscriptions.id = one_of_them"""
MEMBERS: Final = """
    INSERT INTO temp.due SELECT s.id, lanes.id
    FROM (SELECT id, platform, chat, thread FROM subscriptions
        WHERE next_due = ? AND edition = ? AND previous_due IS ? LIMIT ?) AS s
    LEFT JOIN lanes USING (platform, chat, thread)"""
LANES: Final = """
    INSERT INTO lanes (platform, chat, thread)
    SELECT platform, chat, thread FROM temp.due JOIN subscriptions ON id = subscription WHERE lane IS NULL
    ON CONFLICT (platform, chat, thread) DO NOTHING"""
LINED_UP: Final = """
    UPDATE temp.due SET lane = (
        SELECT lanes.id FROM lanes JOIN subscriptions AS s USING (platform, chat, thread) WHERE s.id = subscription)
    WHERE lane IS NULL"""
REPLAN: Final = """
    UPDATE subscriptions SET next_due = :next, previous_due = :due
    WHERE id IN (SELECT subscription FROM temp.due)"""
REPLAN_NEW: Final = """
    UPDATE subscriptions SET next_due = :next, previous_due = iif(
        EXISTS (SELECT 1 FROM temp.due AS d JOIN outbox AS o ON o.lane = d.lane
            WHERE d.subscription = subscriptions.id AND created_at = :now
                AND event = 'digest:' || d.subscription || ':' || :day),
        :due, previous_due)
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
    db.conn.execute("CREATE TEMP TABLE IF NOT EXISTS due (subscription INTEGER PRIMARY KEY, lane INTEGER)")
    return sum(_keep(db, mailing, now) for mailing in mailings)


def _keep(db: Database, mailing: Mailing, now: datetime) -> int:
    edition = mailing.edition
    same = micros(edition.next_due), edition.id, micros_or_none(edition.previous_due), edition.members
    db.conn.execute("DELETE FROM temp.due")
    there = db.conn.execute(MEMBERS, same).rowcount
    if one(db, "SELECT EXISTS (SELECT 1 FROM temp.due WHERE lane IS NULL)"):
        db.conn.execute(LANES)
        db.conn.execute(LINED_UP)
    new = enqueue_mailing(db, mailing, now)
    planned = {"next": micros(mailing.next_due), "due": micros(mailing.due)}
    if new == there:
        db.conn.execute(REPLAN, planned)
    else:
        db.conn.execute(REPLAN_NEW, planned | {"day": mailing.day.isoformat(), "now": micros(now)})
    return new


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
