"""The tables in PostgreSQL: one module a change, in the order of their numbers, each with its SQL.

A migration that has been released is never edited; a change is a new module after the others. It is found by being
there, and tests/test_postgres.py sees to it that SQLite has the same tables and columns. Text sorts by its code points
whatever the database does: ranges of ids and events rely on it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Final

NAMES: Final = sorted(found.name for found in pkgutil.iter_modules(__path__))


def migrations() -> Iterator[tuple[str, str]]:
    """(name, SQL) of each."""
    for name in NAMES:
        sql: str = importlib.import_module(f"{__name__}.{name}").SQL
        yield name, sql.replace(" TEXT", ' TEXT COLLATE "C"') if "CREATE TABLE" in sql else sql
