"""The ledger as one chat may read it: its outbox rows, what became of each, and what it came of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from sqlite_utils import Database

from bot.message import from_data
from bot.models import Address, Outgoing, Record
from storage.values import Row, instant, instant_or_none, packed, plain, rows

RECORDS: Final = """
    SELECT outbox.*, message FROM outbox JOIN bodies ON bodies.id = body
    WHERE lane = (SELECT id FROM lanes WHERE platform = ? AND chat = ? AND thread = ?)"""
"""Never without the address: nobody is told what other chats get."""
KEEP_WHY: Final = """
    UPDATE outbox SET why = ? WHERE why = '' AND event = ?
        AND lane = (SELECT id FROM lanes WHERE platform = ? AND chat = ? AND thread = ?)"""
LAST: Final = "\U0010ffff"


def keep_whys(db: Database, outgoing: Sequence[Outgoing]) -> None:
    """What each new row came of; that differs also where many chats get the same text."""
    db.conn.executemany(
        KEEP_WHY,
        [
            (packed(dict(out.why)), plain(out.event), out.address.platform, out.address.chat, out.address.thread)
            for out in outgoing
            if out.why
        ],
    )


def records(db: Database, address: Address, limit: int, number: int, event: str) -> list[Record]:
    values: list[object] = [address.platform, address.chat, address.thread]
    where = RECORDS
    if number:
        where += " AND outbox.id = ?"
        values.append(number)
    elif event:
        where += " AND event BETWEEN ? AND ?"
        values += [event, event + LAST]
    found = rows(db, f"{where} ORDER BY outbox.id DESC LIMIT ?", *values, limit)
    return [_record(row) for row in found]


def _record(row: Row) -> Record:
    return Record(
        id=row["id"],
        event=row["event"],
        kind=row["kind"],
        state=row["state"],
        message=from_data(json.loads(row["message"])),
        due_at=instant(row["due_at"]),
        settled_at=instant_or_none(row["settled_at"]),
        detail=row["last_error"],
        why=json.loads(row["why"] or "{}"),
    )
