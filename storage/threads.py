"""Threads that wait for the disk, so that the event loop never does."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, Concatenate, Final, Literal, ParamSpec, TypeVar

from sqlite_utils import Database

from bot.errors import DatabaseError

P = ParamSpec("P")
T = TypeVar("T")

CLOSE_SECONDS: Final = 5.0
"""How long the exit waits for jobs that are queued."""
REASONS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full, so the database cannot be written",
    sqlite3.SQLITE_IOERR: "the disk refuses, so the database cannot be used",
    sqlite3.SQLITE_READONLY: "the database cannot be written",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened",
    sqlite3.SQLITE_BUSY: "the database is held by another process",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database",
}


def told(error: sqlite3.Error) -> DatabaseError:
    """SQLite's error as a sentence for the operator."""
    code = getattr(error, "sqlite_errorcode", 0)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return DatabaseError(f"{REASONS.get(code & 0xFF, f'the database failed: {error}')} ({name})")


class Crew:
    """Threads with a connection each, taking jobs from one queue. One job is one transaction.

    They are daemons, as a disk that hangs must not hold up the exit; an unfinished transaction
    rolls back. Once a job is handed in it is carried out, even if the one who waits is cancelled.

    connect: opens a thread's connection, at its first job; its errors are that job's
    begin: how transactions start; IMMEDIATE where they write, since a read that turns into a
        write fails at once when another process wrote meanwhile
    """

    def __init__(self, size: int, connect: Callable[[], Database], begin: Literal["BEGIN", "BEGIN IMMEDIATE"]) -> None:
        self._connect = connect
        self._begin = begin
        self._jobs: SimpleQueue[tuple[asyncio.Future[Any], Callable[[Database], Any]] | None] = SimpleQueue()
        self._closed = False
        self._threads = [Thread(target=self._work, name=f"store-{begin.lower()}-{n}", daemon=True) for n in range(size)]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work(db, ...) in a transaction. Raises DatabaseError for what SQLite refuses."""
        return await self._hand_in(partial(self._transaction, partial(_call, work, args, kwargs)))

    async def alone(self, work: Callable[[Database], T]) -> T:
        """The result of work(db) outside any transaction, for what SQLite does only there."""
        return await self._hand_in(work)

    async def connect(self) -> None:
        """Open a connection now, waiting for nobody who writes. Raises what opening it raises."""
        await self._hand_in(_nothing)

    async def _hand_in(self, job: Callable[[Database], T]) -> T:
        if self._closed:
            raise DatabaseError("the database is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put((future, job))
        return await future

    async def close(self) -> None:
        """Finish what is queued, then let go of the connections. A disk that hangs, or a database that
        another process holds, is not waited for: nobody was told that such a job is done."""
        if not self._closed:
            self._closed = True
            for _ in self._threads:
                self._jobs.put(None)
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        until = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        db: Database | None = None
        while (waiting := self._jobs.get()) is not None:
            future, job = waiting
            answer: Callable[[], None]
            try:
                db = db or self._connect()
                answer = partial(_answer, future, job(db))
            except BaseException as error:  # noqa: BLE001 - it belongs to the one who waits
                answer = partial(_fail, future, self._explained(error))
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                future.get_loop().call_soon_threadsafe(answer)
        if db is not None:
            db.close()

    def _transaction(self, work: Callable[[Database], T], db: Database) -> T:
        self._start(db)
        try:
            result = work(db)
            db.conn.execute("COMMIT")
        except BaseException:
            db.rollback()
            raise
        return result

    def _start(self, db: Database) -> None:
        db.conn.execute(self._begin)

    def _explained(self, error: BaseException) -> BaseException:
        """An error as whoever waits is told it."""
        return told(error) if isinstance(error, sqlite3.Error) else error


def _nothing(_: Database) -> None:
    """A job for the sake of the connection it is given."""


def _answer(future: asyncio.Future[T], result: T) -> None:
    if not future.done():  # else whoever waited was cancelled
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _call(work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], db: Database) -> T:
    return work(db, *args, **kwargs)
