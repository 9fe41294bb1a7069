"""Which store a DATABASE_URL means: the one place that tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.ports import Chat, Clock
from bot.schedule import Engine, OneProcess
from bot.store import Lock, Store
from storage.lock import ServiceLock
from storage.sqlite import SqlStore, open_store

SQLITE: Final = "sqlite:///"


async def open_chosen(url: str, *, retention_days: int) -> SqlStore:
    """The store at this address; PostgreSQL's library is loaded only for one of its own. Raises DatabaseError."""
    if url.startswith(SQLITE):
        return await open_store(Path(url.removeprefix(SQLITE)), retention_days=retention_days)
    from storage.postgres.store import open_postgres  # noqa: PLC0415

    return await open_postgres(url, retention_days=retention_days)


def chosen_locks(url: str) -> tuple[Lock, Lock]:
    """Of who looks after what is due, and of who polls: one process does all on a file."""
    if url.startswith(SQLITE):
        lock = chosen_lock(url)
        return lock, lock
    from storage.postgres.lock import POLL, PostgresLock  # noqa: PLC0415

    return PostgresLock(url), PostgresLock(url, POLL)


def chosen_lock(url: str) -> Lock:
    if url.startswith(SQLITE):
        return ServiceLock(Path(url.removeprefix(SQLITE)))
    from storage.postgres.lock import PostgresLock  # noqa: PLC0415

    return PostgresLock(url)


def chosen_engine(url: str, store: Store, chats: Mapping[str, Chat], clock: Clock) -> Engine:
    """What carries ticks and deliveries: several processes share a PostgreSQL database. store: of open_chosen"""
    if url.startswith(SQLITE):
        return OneProcess()
    from storage.postgres.engine import PostgresEngine  # noqa: PLC0415
    from storage.postgres.store import PostgresStore  # noqa: PLC0415

    assert isinstance(store, PostgresStore)
    return PostgresEngine(url, store, chats, clock)
