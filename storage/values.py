"""How values lie in tables: instants as whole microseconds since 1970 UTC, text without lone surrogates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from sqlite_utils import Database

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LARGEST: Final = 2**63 - 1

Row = dict[str, Any]
T = TypeVar("T")


def micros(instant: datetime) -> int:
    """An aware instant as it is stored."""
    return (instant - EPOCH) // MICROSECOND


def instant(stored: int) -> datetime:
    """The inverse of micros: an aware UTC datetime."""
    return EPOCH + stored * MICROSECOND


def micros_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


def instant_or_none(stored: int | None) -> datetime | None:
    return None if stored is None else instant(stored)


def plain(text: str) -> str:
    """Text that can be stored: half a character (a lone surrogate) becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def packed(data: object) -> str:
    """Data as compact JSON text."""
    return plain(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def rows(db: Database, sql: str, *values: object) -> list[Row]:
    """All rows of a query, by column name."""
    return list(db.query(sql, values))


def one(db: Database, sql: str, *values: object) -> Any:
    """The first column of the first row, None where there is none."""
    found = db.conn.execute(sql, values).fetchone()
    return None if found is None else found[0]


def batched(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The rows, so many at a time."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
