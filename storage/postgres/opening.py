"""Opens databases, and refuses those it must not touch before touching them."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlite_utils import Database

from bot.errors import DatabaseError
from storage.postgres.connection import Postgres
from storage.postgres.schema import migrations
from storage.values import one

OLDEST: Final = 150_000
"""PostgreSQL's way to write 15."""
APPLIED: Final = 'CREATE TABLE yamchi_migrations (name TEXT COLLATE "C" PRIMARY KEY)'
TABLES: Final = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()"
OURS: Final = "SELECT to_regclass('yamchi_migrations') IS NOT NULL"


COPYING: Final = "yamchi_copying"
"""A table that is there while `yamchi migrate-store` has not come to its end."""


def open_whole(db: Database) -> None:
    """prepare(), and refuse a store that is not all there yet."""
    prepare(db)
    if one(db, "SELECT to_regclass(?)", COPYING):
        raise DatabaseError("the database is half copied; run the same `yamchi migrate-store` again")


def prepare(db: Database) -> None:
    """Make the tables that are missing, in one transaction: two processes that start at once both find them whole.

    Raises DatabaseError for a database that cannot be used, which is then left as it was.
    """
    if int(one(db, "SHOW server_version_num")) < OLDEST:
        raise DatabaseError(f"PostgreSQL {one(db, 'SHOW server_version')} is too old; expected 15 or newer")
    if one(db, "SHOW server_encoding") != "UTF8":
        raise DatabaseError("the database does not keep all letters; expected one of ENCODING 'UTF8'")
    if one(db, OURS):
        applied = {name for (name,) in db.conn.execute("SELECT name FROM yamchi_migrations")}
    elif one(db, TABLES):
        raise DatabaseError("the database belongs to another program; nothing was changed")
    else:
        applied = set()
        db.conn.execute(APPLIED)
    known, link = dict(migrations(applied)), cast("Postgres", db).conn.link
    if applied - known.keys():
        raise DatabaseError("the database was written by a newer Yamchi; nothing was changed. Update Yamchi.")
    for name, sql in known.items():
        if name not in applied:
            link.execute(cast("Any", sql))  # it is in PostgreSQL's own words
            db.conn.execute("INSERT INTO yamchi_migrations VALUES (?)", (name,))
