"""Chats by shards, so that several senders write beside each other: what is of one shard is written by one at a time.

To take up messages and to write down what became of them touches rows of their chats alone: the outbox and the lanes
of a chat, whose lanes are all of one shard. So those who do it have the writers' lock together, and their shards' locks
each alone. Whatever touches more (a text that a platform refuses, a chat that moves) has the writers' lock alone, as
everybody else who writes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from sqlite_utils import Database

from bot.models import PRIORITIES, Delivery, Outcome
from storage import claims
from storage.postgres.connection import WRITERS
from storage.values import packed, rows

SHARDS: Final = 64
"""As p007_shards.py has it."""
SHARD: Final = WRITERS + 16
"""The advisory locks of shards, by number."""
FEWEST: Final = 8
"""Rows of a shard that are looked at, however few there is room for."""

LOCK: Final = f"""
    SELECT pg_advisory_xact_lock({SHARD}, shard::int) FROM ({{}} ORDER BY shard) AS each_one"""
LOCK_SHARDS: Final = LOCK.format("SELECT value AS shard FROM json_each(?)")
LOCK_SETTLED: Final = LOCK.format("""
    SELECT shard FROM outbox WHERE id IN (SELECT value FROM json_each(?1))
    UNION SELECT shard_of(address ->> 0, address ->> 1) FROM json_array_elements(?2::json) AS address""")
"""Those of the rows as they lie now, and of the chats as they were when they were claimed: a chat may have moved."""
READY: Final = """
    SELECT found.* FROM json_each(?1) AS each_one, LATERAL (
        SELECT ready_at, id, lane, expires_at FROM outbox
        WHERE platform = ?2 AND shard = each_one.value AND priority = ?3 AND ready_at <= ?4
        ORDER BY ready_at, id LIMIT ?5
    ) AS found ORDER BY ready_at, id LIMIT ?6"""
TAKEN: Final = "SELECT shard, count(*) AS n FROM outbox WHERE id IN (SELECT value FROM json_each(?)) GROUP BY shard"
WAITING: Final = f"""
    SELECT shard, urgency FROM generate_series(0, {SHARDS - 1}) AS shards(shard), LATERAL (
        SELECT urgency FROM generate_series(0, {len(PRIORITIES) - 1}) AS urgencies(urgency)
        WHERE EXISTS (
            SELECT FROM outbox, unnest(%(platforms)s::text[]) AS names(name)
            WHERE platform = name AND outbox.shard = shards.shard AND priority = urgency AND ready_at <= %(now)s)
        ORDER BY urgency LIMIT 1
    ) AS most
    WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE lock = 'shard ' || shard AND status IN ('todo', 'doing'))"""
"""Shards in which anything is ready that nobody's turn is at or waits, and the priority of the most urgent."""

Settled = tuple[Delivery, Outcome, datetime]


def claim(
    db: Database,
    shards: Collection[int],
    owner: str,
    platforms: Collection[str],
    now: datetime,
    lease_until: datetime,
    limit: int,
) -> tuple[list[Delivery], dict[int, int]]:
    """As claims.claim, of these shards, and how many there are of each. A shard of which many are ready may wait with
    some of them for the next time, though they are older than another's."""
    db.conn.execute(LOCK_SHARDS, (packed(list(shards)),))
    claimed = claims.claim(db, owner, platforms, now, lease_until, limit, partial(_look, shards))
    taken = rows(db, TAKEN, packed([one.id for one in claimed])) if claimed else []
    return claimed, {row["shard"]: row["n"] for row in taken}


def settle(db: Database, settled: Sequence[Settled]) -> list[bool]:
    """What concerns_all is none of these."""
    addresses = {(delivery.address.platform, delivery.address.chat) for delivery, _, _ in settled}
    db.conn.execute(LOCK_SETTLED, (packed([delivery.id for delivery, _, _ in settled]), packed(list(addresses))))
    return settle_alone(db, settled)


def settle_alone(db: Database, settled: Sequence[Settled]) -> list[bool]:
    """For whoever has the writers' lock alone."""
    return [claims.settle(db, *one) for one in settled]


def concerns_all(outcome: Outcome) -> bool:
    """Whether it touches more than its own chat: all that get the same text, or the chat it becomes."""
    return outcome.cause == "body" or bool(outcome.moved_to)


def _look(
    shards: Collection[int], db: Database, platform: str, priority: int, now: int, limit: int
) -> list[claims.Ready]:
    of_each = max(FEWEST, 2 * limit // len(shards))
    return db.conn.execute(READY, (packed(list(shards)), platform, priority, now, of_each, limit)).fetchall()
