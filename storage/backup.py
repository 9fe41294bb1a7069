"""Backups: the whole database in one file, taken beside a running service, and put back in its place.

A restore never writes into a file that is there: it makes the new one beside it, whole and brought up to date,
and changes the names at the end. The database before it is kept under another name.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from bot.errors import DatabaseError
from bot.ports import CrashHook
from storage.lanes import promote
from storage.opening import inspect, open_still, open_writer
from storage.threads import told
from storage.values import micros

RESTORED: Final = "restored"
"""The reason under which /why finds what was not sent because of a restore."""

SET_ASIDE: Final = """
    UPDATE outbox SET state = 'withheld', settled_at = ?1, ready_at = NULL, lease_until = NULL, last_error = ?2
    WHERE settled_at IS NULL AND (due_at <= ?1 OR lease_until IS NOT NULL)
        OR state = 'withheld' AND last_error = 'bundle' AND due_at <= ?1
    RETURNING lane"""
LOOK_ANEW: Final = "UPDATE polls SET last_ok_at = NULL, next_poll_at = NULL, etag = '', last_modified = '', body = ''"
"""The first look at a feed tells of three articles at most."""
ANSWERED: Final = "UPDATE inbox SET state = 'done' WHERE state IN ('new', 'acted')"
"""What was said before the backup has been answered since; some of it must not be done twice."""


def back_up(path: Path, target: Path, now: datetime) -> tuple[Path, int]:
    """Copy the database at `path` as it is at this instant to a new file. Returns its name and its bytes.

    target: the file, or a folder, where it is named by the time
    Whoever works on the database goes on. Raises DatabaseError, and leaves nothing behind, where there is no
    whole database to copy, where `target` exists and where it cannot be written.
    """
    if not path.is_file():
        raise DatabaseError(f"{path} does not exist, so there is nothing to back up; check DATABASE_URL")
    if target.is_dir():
        target /= f"yamchi-{now:%Y%m%dT%H%M%SZ}.db"
    if target.exists():
        raise DatabaseError(f"{target} exists already and was left as it is; choose another name")
    part = _beside(target, "part")
    try:
        _copy(path, part)
        part.replace(target)
        _sync(target.parent)
    finally:
        part.unlink(missing_ok=True)
    return target, target.stat().st_size


def prepare(path: Path, backup: Path, now: datetime) -> tuple[Path, int]:
    """Make of a backup what shall stand at `path`, beside it: (where it lies, how many messages are set aside).

    What waited in the backup may have been sent since, so it is not sent again. Raises DatabaseError.
    """
    if not backup.is_file():
        raise DatabaseError(f"{backup} does not exist; nothing was changed")
    inspect(backup)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = _beside(path, "restoring")
    discard(made)
    _copy(backup, made)
    with closing(open_writer(made)) as db:
        db.conn.execute("BEGIN IMMEDIATE")
        lanes = [lane for (lane,) in db.conn.execute(SET_ASIDE, (micros(now), RESTORED)).fetchall()]
        promote(db, set(lanes))
        db.conn.execute(LOOK_ANEW)
        db.conn.execute(ANSWERED)
        db.conn.execute("COMMIT")
    return made, len(lanes)


def discard(made: Path) -> None:
    """Drop what was prepared, or is left of an attempt that was broken off."""
    for ending in ("", "-wal", "-shm", "-journal", ".lock"):
        made.with_name(made.name + ending).unlink(missing_ok=True)


def put_in_place(path: Path, made: Path, now: datetime, crash: CrashHook) -> Path | None:
    """Let what was prepared stand at `path`; whoever is broken off here leaves the old one or the new one, whole.

    Only for whoever holds the lock. Returns where the database before it lies, None if there was none.
    """
    crash("prepared")
    before = _keep(path, path.with_name(f"{path.name}.before-{now:%Y%m%dT%H%M%S.%fZ}")) if path.exists() else None
    crash("put-aside")
    made.with_name(made.name + ".lock").unlink(missing_ok=True)
    made.replace(path)
    _sync(path.parent)
    return before


def _keep(path: Path, before: Path) -> Path:
    """The old database under another name too; a log that cannot be folded into it is kept beside it there."""
    _fold(path)
    _link(path, before)
    for ending in ("-wal", "-journal"):
        log = path.with_name(path.name + ending)
        if log.exists():
            _link(log, before.with_name(before.name + ending))
    _sync(path.parent)
    for ending in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    return before


def _fold(path: Path) -> None:
    """Fold the log in, which only goes while nobody else has the file open. A damaged file is left as it is."""
    try:
        inspect(path)
    except DatabaseError:
        return
    try:
        with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise DatabaseError(
                f"{path} is open in another process (a chat or a question in a terminal?); end it first. "
                "Nothing was changed."
            ) from None


def _copy(source: Path, target: Path) -> None:
    """A compact copy, of one instant, read through and on the disk. Nobody but its owner may read it."""
    try:
        target.unlink(missing_ok=True)
        target.touch(mode=0o600)
        with closing(open_still(source)) as db:
            db.conn.execute("VACUUM INTO ?", (str(target),))
        with closing(sqlite3.connect(f"{target.absolute().as_uri()}?mode=ro", uri=True)) as copied:
            whole = copied.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
        _sync(target)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise DatabaseError(f"{target.parent}: nothing can be written there: {error.strerror}") from None
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise DatabaseError(f"{source} could not be copied: {told(error)}") from None
    if not whole:
        target.unlink(missing_ok=True)
        raise DatabaseError(f"{source} is damaged, so its copy was thrown away; see `yamchi restore`")


def _link(path: Path, other: Path) -> None:
    try:
        other.hardlink_to(path)
    except OSError:  # a file system without links
        shutil.copy2(path, other)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f"{path.name}.{ending}")
