"""Several senders on one database: who lives, and how they share a platform's rate.

A sender that ends leaves at once, however it ends: its session is gone, and the lock with it. After a restart of the
server nobody has a session, so for those who asked before it their lease stands.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from sqlite_utils import Database

from bot.models import Delivery, Lease
from storage import claims, lanes
from storage.postgres.lock import SENDER
from storage.values import micros, rows

LIVES: Final = f"""(
    EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND (classid, objid, objsubid) = ({SENDER}, senders.key, 2)
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    OR senders.asked < pg_postmaster_start_time() AND senders.until > ?1)"""
FORGET: Final = f"""
    DELETE FROM senders WHERE NOT {LIVES}
        AND NOT EXISTS (SELECT FROM outbox WHERE outbox.owner = senders.owner AND lease_until IS NOT NULL)"""
"""But for those that had something in hand."""
OTHERS: Final = f"""
    SELECT count(*) AS n, coalesce(sum(share), 0)::float8 AS taken, min(until) AS until FROM senders
    WHERE platform = ?2 AND owner <> ?3 AND {LIVES}"""
GONE: Final = f"""
    SELECT owner, platform FROM senders WHERE NOT {LIVES} AND asked < clock_timestamp() - interval '15 s'"""
"""A sender that lives asks more often, and has its lock again by then if it lost its session."""
TAKE: Final = """
    INSERT INTO senders (owner, platform, key, share, until) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (owner, platform) DO UPDATE SET share = excluded.share, until = excluded.until,
        asked = clock_timestamp()"""
LEAST: Final = 0.001
TURN: Final = timedelta(seconds=12)
"""A little more than a sender waits until it asks anew."""


def key_of(owner: str) -> int:
    """The number of a sender's lock."""
    return int.from_bytes(blake2b(owner.encode(), digest_size=4).digest()) >> 1


def lease(db: Database, owner: str, platform: str, now: datetime, until: datetime) -> Lease:
    """An equal part of the rate, or what the others have left of it until they ask anew."""
    db.conn.execute(FORGET, (micros(now),))
    (others,) = rows(db, OTHERS, micros(now), platform, owner)
    fair = 1 / (others["n"] + 1)
    share = min(fair, 1 - others["taken"])
    db.conn.execute(TAKE, (owner, platform, key_of(owner), max(share, 0.0), micros(until)))
    held = lanes.held_until(db, platform)
    if share < LEAST:  # a newcomer: nothing is left for it yet
        return Lease(fair, max(now + TURN, held or now))
    return Lease(share, held)


def lapsed(db: Database, now: datetime, platforms: Collection[str] | None) -> list[Delivery]:
    """Claims whose lease has ended, or whose sender is gone; with `platforms`, all of theirs whose sender is not known
    to live."""
    if platforms is None:
        gone = rows(db, GONE, micros(now))
        found, lost = claims.lapsed(db, now, {row["platform"] for row in gone}), {row["owner"] for row in gone}
    else:
        found = claims.lapsed(db, now, platforms)
        living = {row["owner"] for row in rows(db, f"SELECT owner FROM senders WHERE {LIVES}", micros(now))}
        lost = {one.owner for one in found} - living
    ended = {one.id for one in claims.lapsed(db, now, None)}
    return [one for one in found if one.id in ended or one.owner in lost]
