"""Connections to PostgreSQL that storage/'s functions take for SQLite's, and the threads that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, LiteralString, TypeVar, cast

import psycopg
from psycopg import Connection, Cursor, errors
from psycopg.rows import dict_row
from psycopg.types.bool import BoolDumper
from psycopg.types.string import StrDumperUnknown
from sqlite_utils import Database

from bot.errors import DatabaseError
from storage.postgres.dialect import spoken
from storage.threads import Crew
from storage.values import Row

T = TypeVar("T")
Values = Sequence[object] | Mapping[str, object]

CONNECT_SECONDS: Final = 10
SESSION: Final = (
    "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; SET jit = off;"
    " SET default_transaction_isolation = 'read committed'; SET client_min_messages = 'warning';"
    " SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
)
"""Whoever holds others up is cut off, and whoever waits too long is told. The locks of a host that died are free again
within 20 s."""
WATCHED: Final[dict[str, Any]] = {
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Of a connection: the end of the server's host is noticed as soon."""
WRITERS: Final = 0x59616D63
"""The advisory lock of who writes, in whatever process: storage/'s functions count on being alone."""
WRITE: Final = f"BEGIN; SELECT pg_advisory_xact_lock({WRITERS})"
SHARE: Final = f"BEGIN; SELECT pg_advisory_xact_lock_shared({WRITERS})"
"""Of those who write what no other of them touches: storage/postgres/turns.py."""
READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
REASONS: Final[dict[type[psycopg.Error], str]] = {
    errors.DiskFull: "the disk is full, so the database cannot be written",
    errors.ReadOnlySqlTransaction: "the database cannot be written",
    errors.InsufficientPrivilege: "the database does not let this user do that",
    errors.LockNotAvailable: "the database is held by another process",
    errors.IdleInTransactionSessionTimeout: "the database was held too long",
    psycopg.OperationalError: "the database cannot be reached",
}
"""The first that fits."""


def told(error: psycopg.Error) -> DatabaseError:
    """PostgreSQL's error as a sentence for the operator."""
    reason = next((words for kind, words in REASONS.items() if isinstance(error, kind)), "the database failed")
    said = error.diag.message_primary or next(iter(str(error).splitlines()), type(error).__name__)
    return DatabaseError(f"{reason} ({said})")


def connect(url: str) -> Connection[tuple[Any, ...]]:
    """A session with our settings. Raises DatabaseError."""
    try:
        connection = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_SECONDS,
            application_name="yamchi",
            client_encoding="utf8",
            **WATCHED,
        )
        connection.execute(SESSION)
    except psycopg.Error as error:
        raise told(error) from None
    connection.adapters.register_dumper(bool, _BoolAsNumber)
    connection.adapters.register_dumper(str, _Text)
    return connection


class Postgres:
    """As much of sqlite_utils.Database as storage/ asks for. It connects anew by itself, between transactions."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.conn = _Spoken(connect(url))

    def query(self, sql: str, values: Values = ()) -> Iterator[Row]:
        """Rows by column name."""
        return iter(self.conn.run(sql, values, self.conn.link.cursor(row_factory=dict_row)))

    def begin(self, how: LiteralString) -> None:
        """Start a transaction. A connection that was lost since the last one is made anew."""
        try:
            self.conn.link.execute(how)
        except psycopg.OperationalError:
            if not self.conn.link.closed:
                raise
            self.close()
            self.conn = _Spoken(connect(self._url))
            self.conn.link.execute(how)

    def rollback(self) -> None:
        with suppress(psycopg.Error):  # it is lost, and the transaction with it
            self.conn.link.rollback()

    def close(self) -> None:
        self.conn.link.close()


class PostgresCrew(Crew):
    """Threads with a connection each. how: WRITE, SHARE or READ"""

    def __init__(self, size: int, url: str, how: LiteralString) -> None:
        super().__init__(size, partial(_opened, url), "BEGIN")
        self._how = how

    def _start(self, db: Database) -> None:
        cast("Postgres", db).begin(self._how)

    def _explained(self, error: BaseException) -> BaseException:
        return told(error) if isinstance(error, psycopg.Error) else error


class _Spoken:
    """As much of sqlite3.Connection as storage/ asks for."""

    def __init__(self, link: Connection[tuple[Any, ...]]) -> None:
        self.link = link

    def execute(self, sql: str, values: Values = ()) -> Cursor[tuple[Any, ...]]:
        return self.run(sql, values, self.link.cursor())

    def executemany(self, sql: str, each: Iterable[Sequence[object]]) -> Cursor[tuple[Any, ...]]:
        said = spoken(sql)
        cursor = self.link.cursor()
        cursor.executemany(said.sql, [_bound(values) if said.numbered else values for values in each])
        return cursor

    def run(self, sql: str, values: Values, cursor: Cursor[T]) -> Cursor[T]:
        said = spoken(sql)
        bound = _bound(values) if said.numbered and not isinstance(values, Mapping) else values
        return cursor.execute(said.sql, bound or None)


def _opened(url: str) -> Database:
    """What storage/'s functions take for SQLite's connection."""
    return cast("Database", Postgres(url))


def _bound(values: Sequence[object]) -> dict[str, object]:
    return {f"n{place}": value for place, value in enumerate(values, 1)}


class _BoolAsNumber(BoolDumper):
    """Yes and no are 1 and 0, as in SQLite."""

    oid = psycopg.adapters.types["int8"].oid

    def dump(self, obj: bool) -> bytes:  # noqa: FBT001
        return b"1" if obj else b"0"


class _Text(StrDumperUnknown):
    """PostgreSQL keeps no character 0."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))
