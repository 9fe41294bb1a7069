"""The ledger: what became of the messages of the last two weeks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlite_utils import Database

from bot.models import Address, LedgerCounts, OutboxReport
from storage.values import instant, instant_or_none, micros, one, rows

DONE_KEPT: Final = timedelta(days=14)
"""Longer than the 7 days for which an event must not come twice."""
DAY: Final = timedelta(days=1)

COUNTS: Final = """
    SELECT state, count(*) AS n FROM outbox WHERE settled_at IS NOT NULL GROUP BY state
    UNION ALL SELECT 'inflight', count(*) FROM outbox WHERE lease_until IS NOT NULL
    UNION ALL SELECT 'pending', (SELECT count(*) FROM outbox WHERE settled_at IS NULL)
        - (SELECT count(*) FROM outbox WHERE lease_until IS NOT NULL)"""
OLDEST: Final = "SELECT due_at FROM outbox WHERE settled_at IS NULL AND lease_until IS NULL ORDER BY due_at LIMIT 1"
LATE: Final = """
    SELECT settled_at - due_at AS late FROM outbox WHERE settled_at >= ? AND state = 'sent' ORDER BY 1"""
LAST: Final = """
    SELECT settled_at, kind, state FROM outbox
    WHERE lane = (SELECT id FROM lanes WHERE platform = ? AND chat = ? AND thread = ?) AND settled_at IS NOT NULL
    ORDER BY settled_at DESC, due_at DESC, id DESC LIMIT 1"""
FORGET: Final = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE settled_at < ? LIMIT 1000)"
FORGET_LANES: Final = """
    DELETE FROM lanes
    WHERE dead_at IS NULL AND strikes = 0 AND free_at < ?
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE lane = lanes.id)"""


def ledger(db: Database) -> LedgerCounts:
    states = {row["state"]: row["n"] for row in rows(db, COUNTS) if row["n"]}
    return LedgerCounts(states, instant_or_none(one(db, OLDEST)))


def report(db: Database, now: datetime) -> OutboxReport:
    counts = ledger(db)
    held = rows(db, "SELECT * FROM platform_holds WHERE until > ?", micros(now))
    dead = rows(db, "SELECT dead, count(*) AS n FROM lanes WHERE dead_at IS NOT NULL GROUP BY dead ORDER BY n DESC")
    late = [row["late"] for row in rows(db, LATE, micros(now - DAY))]
    return OutboxReport(
        states=counts.states,
        oldest_pending=counts.oldest_pending,
        held={row["platform"]: (instant(row["until"]), row["reason"]) for row in held},
        held_chats=one(db, "SELECT count(*) FROM lanes WHERE free_at > ?", micros(now)),
        dead={row["dead"]: row["n"] for row in dead},
        late=(_lateness(late, 50), _lateness(late, 95)) if late else None,
    )


def last_settled(db: Database, address: Address) -> tuple[datetime, str, str] | None:
    found = rows(db, LAST, address.platform, address.chat, address.thread)
    return (instant(found[0]["settled_at"]), found[0]["kind"], found[0]["state"]) if found else None


def forget_settled(db: Database, now: datetime) -> bool:
    """Drop some of what was settled long ago. False when nothing is left to drop."""
    return db.conn.execute(FORGET, (micros(now - DONE_KEPT),)).rowcount > 0


def forget_unused(db: Database, now: datetime) -> None:
    """Drop the bodies and lanes that nothing uses any more."""
    db.conn.execute("DELETE FROM bodies WHERE id NOT IN (SELECT body FROM outbox)")
    db.conn.execute(FORGET_LANES, (micros(now),))


def _lateness(sorted_late: list[int], percent: int) -> timedelta:
    return timedelta(microseconds=max(0, sorted_late[(len(sorted_late) - 1) * percent // 100]))
