"""What is claimed of the outbox, and what became of it.

A claim looks at ready rows only, so it costs the same whatever lies behind them: rows done, rows of
busy or held-back chats.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Final

from sqlite_utils import Database

from bot.message import Message, from_data
from bot.models import PRIORITIES, Address, Delivery, Outcome
from storage import lanes
from storage.values import Row, instant, micros, one, packed, plain, rows

BODIES_KEPT: Final = 64
READY: Final = """
    SELECT ready_at, id, lane, expires_at FROM outbox
    WHERE platform = ? AND priority = ? AND ready_at <= ? ORDER BY ready_at, id LIMIT ?"""
EXPIRE: Final = """
    UPDATE outbox SET state = 'expired', settled_at = ?1, ready_at = NULL,
        last_error = rtrim('past its shelf life; ' || last_error, '; ')
    WHERE settled_at IS NULL AND state = 'pending' AND expires_at < ?1"""
TAKE: Final = """
    UPDATE outbox SET state = 'inflight', ready_at = NULL, owner = ?2, lease_until = ?3, tries = tries + 1
    WHERE id IN (SELECT value FROM json_each(?1))"""
CLAIMED: Final = """
    SELECT outbox.*, chat, thread, message, instr(plain, ',' || outbox.platform || ',') AS bare, (
        SELECT strikes FROM lanes AS whole
        WHERE whole.platform = lanes.platform AND whole.chat = lanes.chat AND whole.thread = ''
    ) AS strikes,
    iif(edits = '', NULL, coalesce((
        SELECT message_id FROM outbox AS told WHERE told.event = outbox.edits AND told.lane = outbox.lane
    ), '')) AS told,
    CASE WHEN follows = '' THEN '' ELSE coalesce((
        SELECT message_id FROM outbox AS told
        WHERE told.event IN (SELECT value FROM json_each(outbox.follows)) AND told.lane = outbox.lane
            AND told.message_id <> '' ORDER BY told.id LIMIT 1
    ), '') END AS answers
    FROM outbox JOIN lanes ON lanes.id = lane JOIN bodies ON bodies.id = body"""
BY_ID: Final = "WHERE outbox.id IN (SELECT value FROM json_each(?))"
SETTLE: Final = """
    UPDATE outbox SET state = ?, not_before = ?, settled_at = ?, last_error = ?, message_id = ?,
        lost = lost + ?, faults = faults + ?, deaths = deaths + ?, owner = '', lease_until = NULL
    WHERE id = ? AND owner = ? AND tries = ? AND state = 'inflight' RETURNING lane, body"""
DEGRADE: Final = """
    UPDATE bodies SET plain = plain || ',' || ?2 || ',' WHERE id = ?1 AND instr(plain, ',' || ?2 || ',') = 0"""
GIVE_UP: Final = """
    UPDATE outbox SET state = 'failed', settled_at = ?3, ready_at = NULL, last_error = ?4
    WHERE body = ?1 AND platform = ?2 AND settled_at IS NULL AND state = 'pending' RETURNING lane"""

Ready = tuple[int, int, int, int]
"""ready_at, id, lane and expires_at."""


def look(db: Database, platform: str, priority: int, now: int, limit: int) -> list[Ready]:
    """The oldest that are ready of one priority."""
    return db.conn.execute(READY, (platform, priority, now, limit)).fetchall()


Look = Callable[[Database, str, int, int, int], list[Ready]]


def claim(
    db: Database,
    owner: str,
    platforms: Collection[str],
    now: datetime,
    lease_until: datetime,
    limit: int,
    look: Look = look,
) -> list[Delivery]:
    while True:
        first = _ready(db, platforms, now, limit, look)
        stale = [lane for _, _, lane, expires_at in first if expires_at < micros(now)]
        if not stale:
            break
        db.conn.execute(f"{EXPIRE} AND lane IN (SELECT value FROM json_each(?2))", (micros(now), packed(stale)))
        lanes.promote(db, stale)
    if not first:
        return []
    ids = packed([id_ for _, id_, _, _ in first])
    db.conn.execute(TAKE, (ids, owner, micros(lease_until)))
    found = rows(db, f"{CLAIMED} {BY_ID}", ids)
    taken = {row["id"]: _delivery(row) for row in found}
    return [taken[id_] for _, id_, _, _ in first]


def settle(db: Database, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
    waits = outcome.state == "pending"
    values = (
        outcome.state,
        micros(outcome.retry_at or now),
        None if waits else micros(now),
        plain(outcome.detail),
        plain(outcome.message_id),
        outcome.lost,
        waits and outcome.cause == "fault",
        outcome.died,
        delivery.id,
        delivery.owner,
        delivery.tries,
    )
    settled = db.conn.execute(SETTLE, values).fetchone()
    if settled is None:
        return False
    lane, body = settled
    if outcome.cause == "body":
        _stop_body(db, body, delivery.address.platform, outcome, now)
    lanes.learn(db, delivery, outcome, now)
    lanes.next_up(db, lane)
    return True


def lapsed(db: Database, now: datetime, platforms: Collection[str] | None) -> list[Delivery]:
    where = (
        "WHERE lease_until IS NOT NULL"
        " AND (lease_until <= ? OR outbox.platform IN (SELECT value FROM json_each(?))) ORDER BY due_at, outbox.id"
    )
    found = rows(db, f"{CLAIMED} {where}", micros(now), packed(list(platforms or ())))
    return [_delivery(row) for row in found]


def overdue(db: Database, now: datetime) -> bool:
    """Whether anything waits past its shelf life."""
    return (
        one(db, "SELECT 1 FROM outbox WHERE settled_at IS NULL AND state = 'pending' AND expires_at < ?", micros(now))
        is not None
    )


def expire(db: Database, now: datetime) -> None:
    """Rows past their shelf life, also those that nobody would claim: of busy, held or silent chats."""
    lanes.promote(db, {row["lane"] for row in rows(db, f"{EXPIRE} RETURNING lane", micros(now))})


def _ready(db: Database, platforms: Collection[str], now: datetime, limit: int, look: Look) -> list[Ready]:
    """The rows to go next: the most urgent first, and of those the oldest."""
    found: list[Ready] = []
    for priority in range(len(PRIORITIES)):
        room = limit - len(found)
        if room > 0:
            each = (look(db, name, priority, micros(now), room) for name in platforms)
            found += heapq.nsmallest(room, chain.from_iterable(each))
    return found


def _stop_body(db: Database, body: int, platform: str, outcome: Outcome, now: datetime) -> None:
    """A platform refuses a text: from now on it gets the bare words of it, or nothing if it was those."""
    if outcome.state == "pending":
        db.conn.execute(DEGRADE, (body, platform))
    else:
        stopped = rows(db, GIVE_UP, body, platform, micros(now), plain(outcome.detail))
        lanes.promote(db, {row["lane"] for row in stopped})


@lru_cache(maxsize=BODIES_KEPT)
def _message(text: str) -> Message:
    """One object for all that get it, so that whoever renders it may know it again."""
    return from_data(json.loads(text))


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        event=row["event"],
        address=Address(row["platform"], row["chat"], row["thread"]),
        kind=row["kind"],
        message=_message(row["message"]),
        due_at=instant(row["due_at"]),
        expires_at=instant(row["expires_at"]),
        owner=row["owner"],
        tries=row["tries"],
        faults=row["faults"],
        lost=row["lost"],
        deaths=row["deaths"],
        plain=bool(row["bare"]),
        strikes=row["strikes"] or 0,
        edits=row["told"],
        answers=row["answers"],
    )
