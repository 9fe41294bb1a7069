"""Opens database files, and refuses those it must not touch before touching them."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from bot.errors import DatabaseError
from storage.schema import APPLICATION_ID, migrations
from storage.threads import told
from storage.values import one

BUSY_SECONDS: Final = 30
FOLD_MILLISECONDS: Final = 500
WRITER_KIB: Final = 65_536
"""Room for all pages that one large transaction changes: those that do not fit are written and read again."""
READER_KIB: Final = 8_000
"""Looking for the next word behind a common one walks through some 500 pages, and SQLite keeps 500."""
FAULTS: Final = {
    sqlite3.SQLITE_NOTADB: "is not a database",
    sqlite3.SQLITE_CORRUPT: "cannot be read: it is damaged",
}


def open_writer(path: Path) -> Database:
    """The connection that writes; makes the folder, the file and its tables where they are missing.

    Raises DatabaseError for a file that cannot be used, which is then left as it was.
    """
    check(path)
    db = _connect(str(path))
    try:
        _migrate(db)
        db.conn.execute("PRAGMA journal_mode = WAL")
        db.conn.execute("PRAGMA synchronous = FULL")
        db.conn.execute("PRAGMA foreign_keys = ON")
        db.conn.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten
        db.conn.execute(f"PRAGMA cache_size = -{WRITER_KIB}")
    except BaseException:
        db.close()
        raise
    return db


def fold(db: Database) -> None:
    """Fold the log into the file and empty it, so that nothing forgotten is left in it. Who reads for long
    is not waited for: the next time will do."""
    db.conn.execute(f"PRAGMA busy_timeout = {FOLD_MILLISECONDS}")
    db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    db.conn.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def open_reader(path: Path) -> Database:
    """A connection that cannot write, to a file that a writer has opened before."""
    db = _connect(f"{path.absolute().as_uri()}?mode=rw")
    db.conn.execute("PRAGMA query_only = ON")
    db.conn.execute(f"PRAGMA cache_size = -{READER_KIB}")
    return db


def check(path: Path) -> None:
    """Raises DatabaseError unless `path` is ours, whole and writable, or free for a new store."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        empty = fresh or path.stat().st_size == 0
    except OSError as error:
        raise DatabaseError(f"{path}: no database can be kept there: {error.strerror}") from None
    if not fresh and not path.is_file():
        raise DatabaseError(f"{path} is not a file; expected a database file or a free name")
    if not os.access(path.parent, os.W_OK | os.X_OK) or not (fresh or os.access(path, os.R_OK | os.W_OK)):
        raise DatabaseError(f"{path} cannot be written; nothing was changed")
    if not empty:
        inspect(path)


def inspect(path: Path, attempts: int = 3) -> None:
    """Raises DatabaseError unless the file at `path` is a whole database of ours. It is only read."""
    before = _stamp(path)
    try:
        _read_through(path)
    except sqlite3.Error as error:
        if attempts > 1 and _stamp(path) != before:
            return inspect(path, attempts - 1)  # another process wrote while we read
        fault = FAULTS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if fault is None:
            raise DatabaseError(f"{path}: {told(error)}; nothing was changed") from None
        raise DatabaseError(f"{path} {fault}; nothing was changed. Restore a backup or move it away.") from None
    return None


def _stamp(path: Path) -> list[tuple[int, int]]:
    """When the file, its log and its journal were last written, and how long they are."""
    files = (path.with_name(path.name + ending) for ending in ("", "-wal", "-journal"))
    return [(file.stat().st_mtime_ns, file.stat().st_size) if file.exists() else (0, 0) for file in files]


def open_still(path: Path) -> Database:
    """A connection that reads a file without leaving a trace.

    Immutable, where no process is or died at work on it: no -shm comes to lie beside it. With a log:
    read-only, so that the log is not folded in. With a journal: whoever made the file was killed
    meanwhile, and only SQLite's own recovery can tell what is in it.
    """
    _, (_, log), (_, journal) = _stamp(path)
    mode = "mode=rw" if journal else "mode=ro" if log else "mode=ro&immutable=1"
    return _connect(f"{path.absolute().as_uri()}?{mode}")


def _read_through(path: Path) -> None:
    db = open_still(path)
    try:
        if one(db, "PRAGMA application_id") != APPLICATION_ID and one(db, "SELECT count(*) FROM sqlite_master"):
            raise DatabaseError(f"{path} belongs to another program; nothing was changed")
        if {migration.name for migration in migrations.applied(db)} - _known():
            raise DatabaseError(f"{path} was written by a newer Yamchi; nothing was changed. Update Yamchi.")
        torn = path.stat().st_size % int(one(db, "PRAGMA page_size"))
        if torn or one(db, "PRAGMA integrity_check(1)") != "ok":
            raise _damaged()
    finally:
        db.close()


def _migrate(db: Database) -> None:
    """All that is missing, in one transaction: two processes that start at once both find it whole."""
    if not migrations.pending(db):
        return
    db.conn.execute("BEGIN IMMEDIATE")
    try:
        db.conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(db)
        db.conn.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def _connect(name: str) -> Database:
    connection = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, uri=name.startswith("file:"))
    return Database(connection, execute_plugins=False)


def _known() -> set[str]:
    """Names of all the migrations there are: those that an empty database lacks."""
    empty = _connect(":memory:")
    try:
        return {migration.name for migration in migrations.pending(empty)}
    finally:
        empty.close()


def _damaged() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("integrity_check")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
