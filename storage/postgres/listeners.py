"""Several processes that answer people from one database: which of them live.

One that ends has ended at once, however it ends: its session is gone, and the lock with it. After a restart of the
server nobody has a session, so for 20 s all who had anything in hand before it count as living.
"""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database

from storage.postgres.lock import LISTENER

OTHERS: Final = f"""
    SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND (classid, objsubid) = ({LISTENER}, 2)
        AND objid <> ?1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION SELECT owner FROM inbox WHERE owner <> 0 AND owner <> ?1
        AND clock_timestamp() < pg_postmaster_start_time() + INTERVAL '20 seconds'
        AND received_at < extract(epoch FROM pg_postmaster_start_time()) * 1000000"""


def others(db: Database, owner: int) -> list[int]:
    """The numbers of those that live beside this one."""
    return [number for (number,) in db.conn.execute(OTHERS, (owner,)).fetchall()]
