"""The lock of the one service that may run on a database: an advisory lock, free the moment its session ends."""

from __future__ import annotations

import time
from typing import Any, Final

from psycopg import Connection

from storage.lock import PAUSE_SECONDS, TRIES
from storage.postgres.connection import WRITERS, connect

SERVICE: Final = WRITERS + 1
HELD: Final = f"""
    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND (classid, objid, objsubid) = (0, {SERVICE}, 1)
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""


class PostgresLock:
    """As storage.lock.ServiceLock, for every machine that reaches the database at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: Connection[tuple[Any, ...]] | None = None

    def acquire(self) -> bool:
        """Take the lock, or say False if another process holds it. Raises DatabaseError."""
        if self._session is None:
            session = connect(self._url)
            for turn in range(TRIES):
                time.sleep(PAUSE_SECONDS if turn else 0)
                if _is(session, f"SELECT pg_try_advisory_lock({SERVICE})"):
                    self._session = session
                    return True
            session.close()
        return self._session is not None

    def held_elsewhere(self) -> bool:
        """Whether another process holds it just now. Raises DatabaseError."""
        if self._session is not None:
            return False
        with connect(self._url) as session:
            return _is(session, HELD)

    def release(self) -> None:
        """Let go of it, if it is held."""
        if self._session is not None:
            self._session.close()
            self._session = None


def _is(session: Connection[tuple[Any, ...]], sql: str) -> bool:
    row = session.execute(sql).fetchone()
    return bool(row and row[0])
