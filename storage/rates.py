"""Banks' tables, as printed. Every version of a date is kept; the newest one counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from datetime import date, datetime
from typing import Final

from sqlite_utils import Database

from bot.models import Fixing, Outgoing, PollState, RateTable
from storage.outbox import enqueue
from storage.sources import keep_poll
from storage.values import Row, instant, micros, packed, rows

NEWEST: Final = """
    SELECT * FROM rate_tables AS t
    WHERE source = ? AND effective_date <= ? AND revision =
        (SELECT max(revision) FROM rate_tables WHERE source = t.source AND effective_date = t.effective_date)
    ORDER BY effective_date DESC LIMIT ?"""


def tables(db: Database, source: str, until: date, limit: int) -> list[RateTable]:
    return [_table(row) for row in rows(db, NEWEST, source, until.isoformat(), limit)]


def keep_tables(
    db: Database, state: PollState, printed: Sequence[RateTable], outgoing: Sequence[Outgoing], now: datetime
) -> int:
    kept = sum(_keep(db, table, now) for table in printed)
    enqueue(db, outgoing, now)
    keep_poll(db, state)
    return kept


def _keep(db: Database, table: RateTable, now: datetime) -> bool:
    newest = tables(db, table.source, table.effective_date, 1)
    known = newest[0] if newest and newest[0].effective_date == table.effective_date else None
    if known is not None and _same(known.fixings, table.fixings):
        return False
    db.conn.execute(
        "INSERT INTO rate_tables VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            table.source,
            table.effective_date.isoformat(),
            0 if known is None else known.revision + 1,
            table.quote,
            table.kind,
            micros(now),
            packed([astuple(fixing) for fixing in table.fixings]),
        ),
    )
    return True


def _same(known: Iterable[Fixing], printed: Iterable[Fixing]) -> bool:
    return sorted(map(astuple, known)) == sorted(map(astuple, printed))


def _table(row: Row) -> RateTable:
    return RateTable(
        source=row["source"],
        quote=row["quote"],
        effective_date=date.fromisoformat(row["effective_date"]),
        fixings=tuple(Fixing(*fixing) for fixing in json.loads(row["fixings"])),
        kind=row["kind"],
        revision=row["revision"],
        first_seen=instant(row["first_seen"]),
    )
