"""The tables in PostgreSQL: one module a change, in the order of their numbers, each with its SQL.

A migration that has been released is never edited; a change is a new module after the others. It is found by being
there, and tests/test_postgres.py sees to it that SQLite has the same tables and columns. Text sorts by its code points
whatever the database does: ranges of ids and events rely on it.

After ours come procrastinate's own, of the version that is installed: all at once where there are none, and one by one
those that an update of it brings.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from importlib.resources import files
from typing import Final

from procrastinate.schema import SchemaManager

OURS: Final = sorted(found.name for found in pkgutil.iter_modules(__path__))
THEIRS: Final = {
    f"procrastinate-{found.name}": found
    for found in sorted(files("procrastinate.sql.migrations").iterdir(), key=lambda found: found.name)
    if found.name.endswith(".sql")
}
NAMES: Final = (*OURS, *THEIRS)


def migrations(applied: Collection[str]) -> Iterator[tuple[str, str]]:
    """(name, SQL) of each, whether it is applied already or not."""
    for name in OURS:
        sql: str = importlib.import_module(f"{__name__}.{name}").SQL
        yield name, sql.replace(" TEXT", ' TEXT COLLATE "C"') if "CREATE TABLE" in sql else sql
    whole = "" if THEIRS.keys() & set(applied) else SchemaManager.get_schema()
    for name, found in THEIRS.items():
        yield name, (whole if name == min(THEIRS) else "") if whole else found.read_text(encoding="utf-8")
