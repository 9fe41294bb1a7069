"""The outbox: what is to be sent, who has it in hand, what became of it.

Every address has a lane, and a lane knows when its first row may go. A claim looks at lanes
only, so it costs the same whatever lies behind them: rows done, rows of busy or held-back chats.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from sqlite_utils import Database

from bot.message import Message, from_data, to_data
from bot.models import Address, Delivery, LedgerCounts, Outcome, Outgoing
from storage.records import keep_whys
from storage.values import Row, instant, instant_or_none, micros, one, packed, plain, rows

DONE_KEPT: Final = timedelta(days=14)
"""Longer than the 7 days for which an event must not come twice."""

ENQUEUE: Final = """
    INSERT INTO outbox (lane, event, kind, state, body, due_at, not_before, expires_at, created_at, settled_at,
        last_error)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (lane, event) DO NOTHING"""
ENQUEUE_MAILINGS: Final = """
    INSERT INTO outbox (lane, event, kind, state, body, due_at, not_before, expires_at, created_at, settled_at,
        last_error)
    SELECT lane, 'digest:' || subscription || ':' || day, 'digest', state, body, due_at, due_at, expires_at, ?,
        settled_at, reason
    FROM temp.due CROSS JOIN temp.mailings AS m ON m.id = mailing WHERE true
    ON CONFLICT (lane, event) DO UPDATE SET state = excluded.state, body = excluded.body,
        created_at = excluded.created_at, due_at = excluded.due_at, not_before = excluded.not_before,
        expires_at = excluded.expires_at, settled_at = excluded.settled_at, last_error = excluded.last_error
    WHERE outbox.state = 'expired' AND outbox.tries = 0 AND excluded.state = 'pending'"""
"""One that was only noted as too late, by a clock since put back, comes in time after all."""
READY: Final = "SELECT ready_at, id FROM lanes WHERE platform = ? AND ready_at <= ? ORDER BY ready_at LIMIT ?"
EXPIRE: Final = """
    UPDATE outbox SET state = 'expired', settled_at = ?1, last_error = 'past its shelf life'
    WHERE state = 'pending' AND expires_at < ?1 RETURNING lane"""
TAKE: Final = """
    UPDATE outbox SET state = 'inflight', owner = ?2, lease_until = ?3, tries = tries + 1
    WHERE id IN (
        SELECT (SELECT id FROM outbox WHERE lane = value AND state = 'pending' ORDER BY due_at, id LIMIT 1)
        FROM json_each(?1)
    ) RETURNING id"""
REFRESH: Final = """
    UPDATE lanes SET ready_at = iif(
        EXISTS (SELECT 1 FROM outbox WHERE lane = lanes.id AND state = 'inflight'),
        NULL,
        (SELECT not_before FROM outbox WHERE lane = lanes.id AND state = 'pending' ORDER BY due_at, id LIMIT 1)
    ) WHERE id IN (SELECT value FROM json_each(?))"""
CLAIMED: Final = """
    SELECT outbox.*, platform, chat, thread, message
    FROM outbox JOIN lanes ON lanes.id = lane JOIN bodies ON bodies.id = body"""
SETTLE: Final = """
    UPDATE outbox SET state = ?, not_before = ?, settled_at = ?, last_error = ?, message_id = ?,
        lost = lost + ?, owner = '', lease_until = NULL
    WHERE id = ? AND owner = ? AND tries = ? AND state = 'inflight' RETURNING lane"""
LEDGER: Final = """
    SELECT state, count(*) AS n, NULL AS oldest FROM outbox WHERE settled_at IS NOT NULL GROUP BY state
    UNION ALL SELECT state, count(*), min(due_at) FROM outbox WHERE state = 'pending' GROUP BY state
    UNION ALL SELECT state, count(*), NULL FROM outbox WHERE state = 'inflight' GROUP BY state"""
WENT: Final = """
    SELECT 1 FROM outbox JOIN lanes ON lanes.id = lane
    WHERE event = ? AND platform = ? AND chat = ? AND thread = ?
        AND state IN ('pending', 'inflight', 'sent', 'unknown')"""
LAST: Final = """
    SELECT settled_at, kind, state FROM outbox
    WHERE lane = (SELECT id FROM lanes WHERE platform = ? AND chat = ? AND thread = ?) AND settled_at IS NOT NULL
    ORDER BY settled_at DESC, id DESC LIMIT 1"""

FORGET: Final = """
    DELETE FROM outbox
    WHERE state IN ('sent', 'unknown', 'failed', 'dead', 'expired', 'withheld') AND settled_at < ?"""


def enqueue(db: Database, outgoing: Sequence[Outgoing], now: datetime) -> int:
    """New rows; one whose event and address exist is left alone. Returns how many were new."""
    bodies: dict[int, int] = {}
    lanes: dict[Address, int] = {}
    values = []
    for out in outgoing:
        if out.only_after and not _went(db, out.only_after, out.address):
            continue
        body = bodies.get(id(out.message)) or bodies.setdefault(id(out.message), body_of(db, out.message))
        lane = lanes.get(out.address) or lanes.setdefault(out.address, _lane(db, out.address))
        instants = micros(out.due_at), micros(out.expires_at), micros(now)
        settled_at = None if out.state == "pending" else micros(now)
        values.append((lane, plain(out.event), out.kind, out.state, body, *instants, settled_at, plain(out.reason)))
    kept = db.conn.executemany(ENQUEUE, values).rowcount if values else 0
    _refresh(db, lanes.values())
    keep_whys(db, outgoing)
    return kept


def enqueue_mailings(db: Database, now: datetime) -> int:
    """The digests in temp.mailings, for every (subscription, lane) in temp.due. Returns how many were new."""
    new = db.conn.execute(ENQUEUE_MAILINGS, (micros(now),)).rowcount
    db.conn.execute(REFRESH, (one(db, "SELECT json_group_array(lane) FROM temp.due"),))
    return new


def claim(
    db: Database, owner: str, platforms: Collection[str], now: datetime, lease_until: datetime, limit: int
) -> list[Delivery]:
    _refresh(db, {row["lane"] for row in rows(db, EXPIRE, micros(now))})
    ready = (tuple(row.values()) for name in platforms for row in rows(db, READY, name, micros(now), limit))
    lanes = [lane for _, lane in heapq.nsmallest(limit, ready)]
    if not lanes:
        return []
    taken = rows(db, TAKE, packed(lanes), owner, micros(lease_until))
    _refresh(db, lanes)
    ids = packed([row["id"] for row in taken])
    where = "WHERE outbox.id IN (SELECT value FROM json_each(?)) ORDER BY due_at, outbox.id"
    return [_delivery(row) for row in rows(db, f"{CLAIMED} {where}", ids)]


def settle(db: Database, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
    waits = outcome.state == "pending"
    lane = one(
        db,
        SETTLE,
        outcome.state,
        micros(outcome.retry_at or now),
        None if waits else micros(now),
        plain(outcome.detail),
        plain(outcome.message_id),
        outcome.lost,
        delivery.id,
        delivery.owner,
        delivery.tries,
    )
    if lane is None:
        return False
    _refresh(db, [lane])
    return True


def lapsed(db: Database, now: datetime, platforms: Collection[str] | None) -> list[Delivery]:
    where = (
        "WHERE state = 'inflight' AND (lease_until <= ? OR platform IN (SELECT value FROM json_each(?)))"
        " ORDER BY due_at, outbox.id"
    )
    return [_delivery(row) for row in rows(db, f"{CLAIMED} {where}", micros(now), packed(list(platforms or ())))]


def ledger(db: Database) -> LedgerCounts:
    counted = rows(db, LEDGER)
    oldest = next((row["oldest"] for row in counted if row["state"] == "pending"), None)
    return LedgerCounts({row["state"]: row["n"] for row in counted}, instant_or_none(oldest))


def last_settled(db: Database, address: Address) -> tuple[datetime, str, str] | None:
    found = rows(db, LAST, address.platform, address.chat, address.thread)
    return (instant(found[0]["settled_at"]), found[0]["kind"], found[0]["state"]) if found else None


def forget_done(db: Database, now: datetime) -> None:
    """Drop what was settled long ago, and the bodies and lanes that nothing uses any more."""
    db.conn.execute(FORGET, (micros(now - DONE_KEPT),))
    db.conn.execute("DELETE FROM bodies WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE body = bodies.id)")
    db.conn.execute("DELETE FROM lanes WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE lane = lanes.id)")


def _refresh(db: Database, lanes: Iterable[int]) -> None:
    """Say anew when each lane's first row may go."""
    if ids := list(lanes):
        db.conn.execute(REFRESH, (packed(ids),))


def _went(db: Database, event: str, address: Address) -> bool:
    return one(db, WENT, event, address.platform, address.chat, address.thread) is not None


def body_of(db: Database, message: Message) -> int:
    text = packed(to_data(message))
    digest = blake2b(text.encode(), digest_size=16).digest()
    known = one(db, "SELECT id FROM bodies WHERE hash = ?", digest)
    return int(known or one(db, "INSERT INTO bodies (hash, message) VALUES (?, ?) RETURNING id", digest, text))


def _lane(db: Database, address: Address) -> int:
    names = address.platform, address.chat, address.thread
    known = one(db, "SELECT id FROM lanes WHERE platform = ? AND chat = ? AND thread = ?", *names)
    return int(known or one(db, "INSERT INTO lanes (platform, chat, thread) VALUES (?, ?, ?) RETURNING id", *names))


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        event=row["event"],
        address=Address(row["platform"], row["chat"], row["thread"]),
        kind=row["kind"],
        message=from_data(json.loads(row["message"])),
        due_at=instant(row["due_at"]),
        expires_at=instant(row["expires_at"]),
        owner=row["owner"],
        tries=row["tries"],
        lost=row["lost"],
    )
