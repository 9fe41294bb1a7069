"""A new store in a few milliseconds, of either kind."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import psycopg
import pytest
from sqlite_utils import Database

from storage.choice import SQLITE
from storage.opening import open_writer
from storage.postgres.connection import Postgres
from storage.postgres.opening import prepare
from storage.postgres.store import PostgresStore, open_postgres
from storage.sqlite import SqliteStore, open_store
from storage.values import one
from tests import postgres

TABLES = "tables"
EMPTY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    DROP TABLE IF EXISTS yamchi_copying;
    SET session_replication_role = replica;  -- in any order
    DO $$ DECLARE made TEXT; BEGIN
        FOR made IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
            AND tablename NOT IN ('yamchi_migrations', 'pulse')
        LOOP EXECUTE 'DELETE FROM ' || made; END LOOP;
        PERFORM setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences;
    END $$"""
KINDS = ("sqlite", "postgres")
ABSENT = "NO POSTGRESQL: its half of the contract was not tested"


async def new_store(path: Path) -> SqliteStore:
    """open_store on a file that has all its tables already and nothing in them.

    Making the tables takes longer than most tests do; the tests of that (tests/test_sqlite.py) call open_store.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_empty())
    return await open_store(path)


@asynccontextmanager
async def empty_store(kind: str, path: Path) -> AsyncIterator[SqliteStore]:
    """A store with nothing in it, of one of KINDS; SQLite's is the file at `path`."""
    if kind == "sqlite":
        store = await new_store(path)
        yield store
        await store.close()
        return
    store = await open_postgres(empty_database())
    yield store
    await store.close()


async def rows_written(store: SqliteStore) -> int:
    """How many rows this store's writer has written so far."""
    if not isinstance(store, PostgresStore):
        return await store._writer.run(lambda db: int(db.conn.total_changes))
    written = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_user_tables"
    await store._writer.run(one, "SELECT pg_stat_force_next_flush()")
    return int(await store._writer.run(one, written))


def look(database: str, sql: str) -> list[tuple[object, ...]]:
    """What a database says, seen from outside. database: its DATABASE_URL"""
    if database.startswith("postgresql:"):
        with psycopg.connect(database) as db:
            return db.execute(sql).fetchall()
    with closing(sqlite3.connect(database.removeprefix(SQLITE), timeout=30)) as db:
        return db.execute(sql).fetchall()


def is_damaged(database: str) -> bool:
    """PostgreSQL has no such question."""
    return database.startswith(SQLITE) and look(database, "PRAGMA integrity_check") != [("ok",)]


def empty_database() -> str:
    """The address of a PostgreSQL database with all tables and nothing in them. Skips where there is none.

    It is one for all tests of this process: to empty it takes 3 ms, to make one 300.
    """
    require_postgres()
    server = _with_tables()
    with server.connect(TABLES) as admin:
        admin.execute(EMPTY)
    return server.url(TABLES)


def require_postgres() -> None:
    """Skip, or in CI fail, where no PostgreSQL is installed."""
    try:
        postgres.programs()
    except LookupError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{ABSENT} ({error})")


@cache
def _with_tables() -> postgres.Server:
    server = postgres.shared()
    with server.connect("postgres") as admin:
        admin.execute(f"CREATE DATABASE {TABLES}")
    db = Postgres(server.url(TABLES))
    prepare(cast("Database", db))
    db.close()
    return server


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "yamchi.db"
        open_writer(path).close()
        return path.read_bytes()
