"""The outbox: what is to be sent, who has it in hand, what became of it.

Messages of an address go out in single file, its lane. Only the first row of a lane is `ready`, and
only while none of that lane is in flight. A claim looks at ready rows only, so it costs the same
whatever lies behind them: rows done, rows of busy or held-back chats.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter
from typing import Final

from sqlite_utils import Database

from bot.message import Message, from_data, to_data
from bot.models import PRIORITIES, Address, Delivery, Outcome, Outgoing
from storage import lanes
from storage.lanes import PAUSED, Lane
from storage.values import Row, instant, micros, one, packed, plain, rows

WENT: Final = """
    SELECT 1 FROM outbox JOIN lanes ON lanes.id = lane
    WHERE event = ? AND lanes.platform = ? AND chat = ? AND thread = ?
        AND state IN ('pending', 'inflight', 'sent', 'unknown')"""
INSERT: Final = """
    INSERT INTO outbox (lane, event, platform, kind, priority, state, body, due_at, not_before, expires_at, ready_at,
        created_at, settled_at, last_error)
    SELECT {}, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12 FROM json_each(?1) WHERE true
    ON CONFLICT (event, lane) DO NOTHING"""
SAME_EVENT: Final = INSERT.format("value, ?13")
EACH_ITS_EVENT: Final = INSERT.format("value ->> 0, value ->> 1")
RAISE: Final = """
    UPDATE outbox SET priority = ?2
    WHERE lane IN (SELECT value FROM json_each(?1)) AND settled_at IS NULL AND priority > ?2"""
OPEN: Final = """
    SELECT value, (SELECT due_at FROM outbox WHERE lane = value AND settled_at IS NULL ORDER BY due_at LIMIT 1) AS due,
        (SELECT priority FROM outbox WHERE lane = value AND settled_at IS NULL ORDER BY due_at DESC LIMIT 1)
    FROM json_each(?) WHERE due IS NOT NULL"""
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
    SELECT outbox.*, chat, thread, message, instr(plain, ',' || outbox.platform || ',') AS bare
    FROM outbox JOIN lanes ON lanes.id = lane JOIN bodies ON bodies.id = body"""
BY_ID: Final = "WHERE outbox.id IN (SELECT value FROM json_each(?))"
SETTLE: Final = """
    UPDATE outbox SET state = ?, not_before = ?, settled_at = ?, last_error = ?, message_id = ?,
        lost = lost + ?, faults = faults + ?, owner = '', lease_until = NULL
    WHERE id = ? AND owner = ? AND tries = ? AND state = 'inflight' RETURNING lane, body"""
DEGRADE: Final = """
    UPDATE bodies SET plain = plain || ',' || ?2 || ',' WHERE id = ?1 AND instr(plain, ',' || ?2 || ',') = 0"""
GIVE_UP: Final = """
    UPDATE outbox SET state = 'failed', settled_at = ?3, ready_at = NULL, last_error = ?4
    WHERE body = ?1 AND platform = ?2 AND settled_at IS NULL AND state = 'pending' RETURNING lane"""

_ALIKE: Final = attrgetter("message", "kind", "due_at", "expires_at", "state", "reason", "address.platform")

_NAMES: Final = attrgetter("address.platform", "address.chat", "address.thread")


def enqueue(db: Database, outgoing: Sequence[Outgoing], now: datetime) -> int:
    """New rows; one whose event and address exist is left alone. Returns how many were new.

    What goes to many chats costs least as one run with the same message object.
    """
    wanted = [out for out in outgoing if not out.only_after or _went(db, out.only_after, out.address)]
    known = lanes.lanes_of(db, set(map(_NAMES, wanted)))
    waiting = _waiting(db, [lane.id for lane in known.values()])
    kept = 0
    for _, run in groupby(wanted, _ALIKE):
        alike = list(run)
        out, body = alike[0], _body(db, alike[0].message)
        pairs = [(known[_NAMES(one)], one.event) for one in alike]
        if out.state == "pending":
            kept += _line_up(db, out, [pair for pair in pairs if not pair[0].dead], body, now, waiting)
            for lane, event in [pair for pair in pairs if pair[0].dead]:
                kept += _insert(
                    db, replace(out, state="dead", reason=PAUSED + lane.dead), [(lane.id, event)], body, now
                )
        else:
            kept += _insert(db, out, [(lane.id, event) for lane, event in pairs], body, now)
    return kept


def claim(
    db: Database, owner: str, platforms: Collection[str], now: datetime, lease_until: datetime, limit: int
) -> list[Delivery]:
    while True:
        first = _ready(db, platforms, now, limit)
        stale = [row["lane"] for row in first if row["expires_at"] < micros(now)]
        if not stale:
            break
        db.conn.execute(f"{EXPIRE} AND lane IN (SELECT value FROM json_each(?2))", (micros(now), packed(stale)))
        lanes.promote(db, stale)
    if not first:
        return []
    ids = packed([row["id"] for row in first])
    db.conn.execute(TAKE, (ids, owner, micros(lease_until)))
    taken = {row["id"]: _delivery(row) for row in rows(db, f"{CLAIMED} {BY_ID}", ids)}
    return [taken[row["id"]] for row in first]


def settle(db: Database, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
    waits = outcome.state == "pending"
    settled = rows(
        db,
        SETTLE,
        outcome.state,
        micros(outcome.retry_at or now),
        None if waits else micros(now),
        plain(outcome.detail),
        plain(outcome.message_id),
        outcome.lost,
        waits and outcome.cause == "fault",
        delivery.id,
        delivery.owner,
        delivery.tries,
    )
    if not settled:
        return False
    if outcome.cause == "body":
        _stop_body(db, settled[0]["body"], delivery.address.platform, outcome, now)
    lanes.learn(db, delivery.address, outcome, now)
    lanes.promote(db, [settled[0]["lane"]])
    return True


def lapsed(db: Database, now: datetime, platforms: Collection[str] | None) -> list[Delivery]:
    where = (
        "WHERE lease_until IS NOT NULL"
        " AND (lease_until <= ? OR outbox.platform IN (SELECT value FROM json_each(?))) ORDER BY due_at, outbox.id"
    )
    return [_delivery(row) for row in rows(db, f"{CLAIMED} {where}", micros(now), packed(list(platforms or ())))]


def overdue(db: Database, now: datetime) -> bool:
    """Whether anything waits past its shelf life."""
    return one(db, "SELECT 1 FROM outbox WHERE settled_at IS NULL AND expires_at < ?", micros(now)) is not None


def expire(db: Database, now: datetime) -> None:
    """Rows past their shelf life, also those that nobody would claim: of busy, held or silent chats."""
    lanes.promote(db, {row["lane"] for row in rows(db, f"{EXPIRE} RETURNING lane", micros(now))})


Waiting = dict[int, tuple[int, int]]
"""Of each lane in which anything waits or flies: when its first row was due, and the priority of its last."""


def _waiting(db: Database, ids: list[int]) -> Waiting:
    return {lane: (due, priority) for lane, due, priority in db.conn.execute(OPEN, (packed(ids),))}


def _line_up(
    db: Database, out: Outgoing, pairs: list[tuple[Lane, str]], body: int, now: datetime, waiting: Waiting
) -> int:
    """Rows that differ in lane and event only. Those that come first in their lane are ready, the others wait."""
    due, priority = micros(out.due_at), PRIORITIES.index(out.kind)
    first: list[tuple[int, str]] = []
    behind: list[tuple[int, str]] = []
    overtaken, raised = set(), set()
    for (lane, free_at, _), event in pairs:
        first_due, last = waiting.get(lane, (None, priority))
        if first_due is None and free_at <= due:
            first.append((lane, event))
            waiting[lane] = due, priority
            continue
        behind.append((lane, event))
        if first_due is None or due < first_due:
            overtaken.add(lane)
            waiting[lane] = due, priority
        if last > priority:
            raised.add(lane)
            waiting[lane] = waiting[lane][0], priority
    kept = _insert(db, out, first, body, now, ready_at=due) + _insert(db, out, behind, body, now)
    if raised:
        db.conn.execute(RAISE, (packed(list(raised)), priority))
    lanes.promote(db, overtaken)
    if kept < len(pairs):  # some were there already: what we noted of their lanes is not so
        mistaken = [lane.id for lane, _ in pairs]
        for lane in mistaken:
            waiting.pop(lane, None)
        waiting.update(_waiting(db, mistaken))
    return kept


def _insert(
    db: Database, out: Outgoing, pairs: list[tuple[int, str]], body: int, now: datetime, ready_at: int | None = None
) -> int:
    if not pairs:
        return 0
    event = pairs[0][1]
    same = all(other == event for _, other in pairs)
    values = (
        packed([lane for lane, _ in pairs] if same else [(lane, plain(event)) for lane, event in pairs]),
        out.address.platform,
        out.kind,
        PRIORITIES.index(out.kind),
        out.state,
        body,
        micros(out.due_at),
        micros(out.expires_at),
        ready_at,
        micros(now),
        None if out.state == "pending" else micros(now),
        plain(out.reason),
    )
    return db.conn.execute(*((SAME_EVENT, (*values, plain(event))) if same else (EACH_ITS_EVENT, values))).rowcount


def _ready(db: Database, platforms: Collection[str], now: datetime, limit: int) -> list[Row]:
    """The rows to go next: the most urgent first, and of those the oldest."""
    found: list[Row] = []
    for priority in range(len(PRIORITIES)):
        room = limit - len(found)
        if room > 0:
            each = (row for name in platforms for row in rows(db, READY, name, priority, micros(now), room))
            found += heapq.nsmallest(room, each, key=lambda row: (row["ready_at"], row["id"]))
    return found


def _stop_body(db: Database, body: int, platform: str, outcome: Outcome, now: datetime) -> None:
    """A platform refuses a text: from now on it gets the bare words of it, or nothing if it was those."""
    if outcome.state == "pending":
        db.conn.execute(DEGRADE, (body, platform))
    else:
        stopped = rows(db, GIVE_UP, body, platform, micros(now), plain(outcome.detail))
        lanes.promote(db, {row["lane"] for row in stopped})


def _went(db: Database, event: str, address: Address) -> bool:
    return one(db, WENT, event, address.platform, address.chat, address.thread) is not None


def _body(db: Database, message: Message) -> int:
    text = packed(to_data(message))
    digest = blake2b(text.encode(), digest_size=16).digest()
    known = one(db, "SELECT id FROM bodies WHERE hash = ?", digest)
    return int(known or one(db, "INSERT INTO bodies (hash, message) VALUES (?, ?) RETURNING id", digest, text))


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
        faults=row["faults"],
        lost=row["lost"],
        plain=bool(row["bare"]),
    )
