"""The outbox: what is to be sent. What has been taken of it is in claims.py, what became of it in ledger.py.

Messages of an address go out in single file, its lane. Only the first row of a lane is `ready`, and
only while none of that lane is in flight.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Final

from sqlite_utils import Database

from bot.message import Message, to_data
from bot.models import PRIORITIES, Address, Outgoing
from storage.lanes import PAUSED, Lane, Names, lanes_of, promote
from storage.records import keep_whys
from storage.values import micros, one, packed, plain

WENT: Final = """
    SELECT 1 FROM outbox JOIN lanes ON lanes.id = lane
    WHERE event = ? AND lanes.platform = ? AND chat = ? AND thread = ?
        AND state IN ('pending', 'inflight', 'sent', 'unknown')"""
REWORD: Final = """
    UPDATE outbox SET body = ?5
    WHERE event = ?1 AND tries = 0 AND (state = 'pending' OR (state = 'withheld' AND last_error = 'bundle'))
        AND lane = (SELECT id FROM lanes WHERE platform = ?2 AND chat = ?3 AND thread = ?4)"""
INSERT: Final = """
    INSERT INTO outbox (lane, event, platform, kind, priority, state, body, due_at, not_before, expires_at, ready_at,
        created_at, settled_at, last_error, edits, follows)
    SELECT {}, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 FROM json_each(?1) WHERE true
    ON CONFLICT (event, lane) DO NOTHING"""
SAME_EVENT: Final = INSERT.format("value, ?15")
EACH_ITS_EVENT: Final = INSERT.format("value ->> 0, value ->> 1")
RAISE: Final = """
    UPDATE outbox SET priority = ?2
    WHERE lane IN (SELECT value FROM json_each(?1)) AND settled_at IS NULL AND priority > ?2"""
OPEN: Final = """
    SELECT value, (SELECT due_at FROM outbox WHERE lane = value AND settled_at IS NULL ORDER BY due_at LIMIT 1) AS due,
        (SELECT priority FROM outbox WHERE lane = value AND settled_at IS NULL ORDER BY due_at DESC, id DESC LIMIT 1)
    FROM json_each(?) WHERE due IS NOT NULL"""
ENQUEUE_MAILINGS: Final = f"""
    INSERT INTO outbox (lane, event, platform, kind, priority, state, body, due_at, not_before, expires_at, ready_at,
        created_at, settled_at, last_error)
    SELECT lane, 'digest:' || subscription || ':' || day, platform, 'digest', {PRIORITIES.index("digest")},
        iif(silenced, 'dead', state), body, m.due_at, m.due_at, expires_at,
        iif(state <> 'pending' OR silenced OR busy, NULL, max(m.due_at, free_at)), ?1,
        iif(silenced, ?1, settled_at), iif(silenced, ?2 || dead, reason)
    FROM (SELECT *, state = 'pending' AND dead <> '' AS silenced FROM temp.due CROSS JOIN temp.mailings AS m
        ON m.id = mailing) AS m WHERE true
    ON CONFLICT (event, lane) DO UPDATE SET state = excluded.state, body = excluded.body,
        created_at = excluded.created_at, due_at = excluded.due_at, not_before = excluded.not_before,
        expires_at = excluded.expires_at, ready_at = excluded.ready_at, settled_at = excluded.settled_at,
        last_error = excluded.last_error
    WHERE outbox.state = 'expired' AND outbox.tries = 0 AND excluded.state = 'pending'"""
"""One that was only noted as too late, by a clock since put back, comes in time after all."""
CROWDED: Final = "SELECT lane FROM temp.due GROUP BY lane HAVING count(*) > 1 OR max(iif(busy, 1, 0)) = 1"
"""Lanes where a digest may not be the first."""
_ALIKE: Final = attrgetter(
    "message", "kind", "due_at", "expires_at", "state", "reason", "edits", "follows", "address.platform"
)
_NAMES: Final = attrgetter("address.platform", "address.chat", "address.thread")

Waiting = dict[int, tuple[int, int]]
"""Of each lane in which anything waits or flies: when its first row was due, and the priority of its last."""


def enqueue(db: Database, outgoing: Sequence[Outgoing], now: datetime) -> int:
    """New rows; one whose event and address exist is left alone. Returns how many were new.

    What goes to many chats costs least as one run with the same message object.
    """
    wanted = [out for out in outgoing if _is_wanted(db, out)]
    known = lanes_of(db, dict.fromkeys(map(_NAMES, wanted)))
    waiting = _waiting(db, {lane.id for lane in known.values()})
    kept = 0
    for _, run in groupby(wanted, _ALIKE):
        kept += _enqueue_alike(db, list(run), known, waiting, now)
    keep_whys(db, wanted)
    return kept


def enqueue_mailings(db: Database, now: datetime) -> int:
    """The digests in temp.mailings, for every subscription in temp.due. Returns how many were new."""
    new = db.conn.execute(ENQUEUE_MAILINGS, (micros(now), PAUSED)).rowcount
    promote(db, [lane for (lane,) in db.conn.execute(CROWDED)])
    return new


def _enqueue_alike(db: Database, run: list[Outgoing], known: dict[Names, Lane], waiting: Waiting, now: datetime) -> int:
    """Rows that differ in lane and event only."""
    out, lanes = run[0], [known[_NAMES(one)] for one in run]
    events = [out.event] if all(one.event == out.event for one in run) else [one.event for one in run]
    row = _Alike(db, out, body_of(db, out.message), micros(now))
    if out.state != "pending":
        return row.insert([lane.id for lane in lanes], events)
    if not any(lane.dead for lane in lanes):
        return _line_up(row, lanes, events, waiting)
    kept = 0
    for lane, event in zip(lanes, events if len(events) > 1 else events * len(lanes), strict=True):
        noted = _Alike(db, replace(out, state="dead", reason=PAUSED + lane.dead), row.body, row.now)
        kept += noted.insert([lane.id], [event]) if lane.dead else _line_up(row, [lane], [event], waiting)
    return kept


def _line_up(row: _Alike, lanes: list[Lane], events: list[str], waiting: Waiting) -> int:
    """What comes first in its lane is ready, the others wait. events: one of each lane, or one for all"""
    first: list[int] = []
    behind: list[int] = []
    overtaken, raised = set(), set()
    mark = row.due, row.priority
    for number, (lane, free_at, _) in enumerate(lanes):
        before = waiting.get(lane)
        if before is None and free_at <= row.due:
            first.append(number)
            waiting[lane] = mark
            continue
        behind.append(number)
        first_due, last = before or (row.due + 1, row.priority)
        if row.due < first_due:
            overtaken.add(lane)
            waiting[lane] = row.due, last
        if row.priority < last:
            raised.add(lane)
        if row.priority != last:
            waiting[lane] = waiting[lane][0], row.priority
    kept = 0
    for numbers, ready in ((first, True), (behind, False)):
        ids = [lanes[number].id for number in numbers]
        kept += row.insert(ids, events if len(events) == 1 else [events[n] for n in numbers], ready=ready)
    if raised:
        row.db.conn.execute(RAISE, (packed(list(raised)), row.priority))
    promote(row.db, overtaken)
    if kept < len(lanes):  # some were there already: what waits behind those may be first
        mistaken = {lane.id for lane in lanes}
        promote(row.db, mistaken)
        for id_ in mistaken:
            waiting.pop(id_, None)
        waiting.update(_waiting(row.db, mistaken))
    return kept


class _Alike:
    """What rows have in common that differ in lane and event only. Instants are as they are stored."""

    def __init__(self, db: Database, out: Outgoing, body: int, now: int) -> None:
        self.db = db
        self.body = body
        self.now = now
        self.due = micros(out.due_at)
        self.priority = PRIORITIES.index(out.kind)
        self._named = out.address.platform, out.kind, self.priority, out.state, body, self.due, micros(out.expires_at)
        self._settled = None if out.state == "pending" else now
        self._reason = plain(out.reason)
        self._follows = plain(out.edits), packed(out.follows) if out.follows else ""

    def insert(self, lanes: list[int], events: list[str], *, ready: bool = False) -> int:
        """Returns how many were new. In the order of their lanes, which is that of the index."""
        common = *self._named, self.due if ready else None, self.now, self._settled, self._reason, *self._follows
        if not lanes:
            return 0
        if len(events) == 1:
            values = (packed(sorted(lanes)), *common, plain(events[0]))
            return self.db.conn.execute(SAME_EVENT, values).rowcount
        pairs = sorted(zip(lanes, events, strict=True), key=itemgetter(0))
        return self.db.conn.execute(EACH_ITS_EVENT, (packed(pairs), *common)).rowcount


def _waiting(db: Database, ids: Collection[int]) -> Waiting:
    found = db.conn.execute(OPEN, (packed(sorted(ids)),))
    return {lane: (due, priority) for lane, due, priority in found}


def _is_wanted(db: Database, out: Outgoing) -> bool:
    """Whether it needs a row: what it follows went there, and it is not said by that row itself."""
    if out.edits and _reword(db, out):
        return False
    event = out.edits or out.only_after
    return not event or _went(db, event, out.address)


def _reword(db: Database, out: Outgoing) -> bool:
    """What was never handed over goes in the new words."""
    names = out.address.platform, out.address.chat, out.address.thread
    return db.conn.execute(REWORD, (out.edits, *names, body_of(db, out.message))).rowcount > 0


def _went(db: Database, event: str, address: Address) -> bool:
    return one(db, WENT, event, address.platform, address.chat, address.thread) is not None


def body_of(db: Database, message: Message) -> int:
    text = packed(to_data(message))
    digest = blake2b(text.encode(), digest_size=16).digest()
    known = one(db, "SELECT id FROM bodies WHERE hash = ?", digest)
    return int(known or one(db, "INSERT INTO bodies (hash, message) VALUES (?, ?) RETURNING id", digest, text))
