"""The lock of the one service that may run on a database: an advisory lock, free the moment its session ends."""

from __future__ import annotations

import time
from typing import Any, Final

import psycopg
from psycopg import Connection

from storage.lock import PAUSE_SECONDS, TRIES
from storage.postgres.connection import WRITERS, connect, told

SERVICE: Final = WRITERS + 1
SENDER: Final = WRITERS + 2
LISTENER: Final = WRITERS + 3
POLL: Final = WRITERS + 4
"""What a lock is of; senders have one each, by number, and so have those that answer people."""
HELD: Final = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND (classid, objsubid) = (%s, 2)
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"""


class PostgresLock:
    """As storage.lock.ServiceLock, for every machine that reaches the database at `url`. shared: by all who ask so"""

    def __init__(self, url: str, what: int = SERVICE, number: int = 0, *, shared: bool = False) -> None:
        self._url = url
        self._try = f"SELECT pg_try_advisory_lock{'_shared' if shared else ''}(%s, %s)"
        self._key = what, number
        self._session: Connection[tuple[Any, ...]] | None = None

    def acquire(self) -> bool:
        """Take the lock, or say False if another process holds it. Raises DatabaseError."""
        if self.kept():
            return True
        session = connect(self._url)
        try:
            for turn in range(TRIES):
                time.sleep(PAUSE_SECONDS if turn else 0)
                if _is(session, self._try, self._key):
                    self._session = session
                    return True
        except psycopg.Error as error:
            raise told(error) from None
        session.close()
        return False

    def kept(self) -> bool:
        """Whether it is held still: it goes with its session, which a restart of the server ends."""
        if self._session is None:
            return False
        try:
            return _is(self._session, "SELECT true")
        except psycopg.Error:
            self.release()
            return False

    def held_elsewhere(self) -> bool:
        """Whether another process holds one of its kind just now. Raises DatabaseError."""
        if self._session is not None:
            return False
        with connect(self._url) as session:
            return _is(session, HELD, self._key[:1])

    def release(self) -> None:
        """Let go of it, if it is held."""
        if self._session is not None:
            self._session.close()
            self._session = None


def _is(session: Connection[tuple[Any, ...]], sql: str, values: tuple[int, ...] = ()) -> bool:
    row = session.execute(sql, values).fetchone()
    return bool(row and row[0])
