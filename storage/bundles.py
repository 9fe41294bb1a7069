"""Articles that wait to go in one bundle: noted as withheld in the outbox until the bundle holds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from sqlite_utils import Database

from bot.message import from_data
from bot.models import Address, Bundle, Outgoing
from storage.outbox import enqueue
from storage.values import instant, micros, packed, rows

PUSHED: Final = """
    SELECT lanes.platform, chat, thread, due_at FROM outbox JOIN lanes ON lanes.id = lane
    WHERE kind = 'article' AND edits = '' AND due_at > ? AND state <> 'withheld' ORDER BY due_at"""
DUE: Final = """
    SELECT outbox.id, due_at, lanes.platform, chat, thread, message
    FROM outbox JOIN lanes ON lanes.id = lane JOIN bodies ON bodies.id = body
    WHERE state = 'withheld' AND kind = 'article' AND last_error = 'bundle' AND due_at <= ?
    ORDER BY lane, due_at, outbox.id"""
MARK: Final = "UPDATE outbox SET last_error = ? WHERE id IN (SELECT value FROM json_each(?))"


def pushed_since(db: Database, since: datetime) -> dict[Address, list[datetime]]:
    found = rows(db, PUSHED, micros(since))
    pushed: dict[Address, list[datetime]] = {}
    for row in found:
        address = Address(row["platform"], row["chat"], row["thread"])
        pushed.setdefault(address, []).append(instant(row["due_at"]))
    return pushed


def due_bundles(db: Database, now: datetime) -> list[Bundle]:
    def address(row: dict[str, object]) -> Address:
        return Address(str(row["platform"]), str(row["chat"]), str(row["thread"]))

    return [
        Bundle(
            where,
            instant(held[0]["due_at"]),
            tuple(row["id"] for row in held),
            tuple(from_data(json.loads(row["message"])) for row in held),
        )
        for where, found in groupby(rows(db, DUE, micros(now)), key=address)
        for held in [list(found)]
    ]


def keep_bundles(db: Database, bundles: Sequence[tuple[Bundle, Outgoing]], now: datetime) -> int:
    for bundle, out in bundles:
        db.conn.execute(MARK, (f"in {out.event}", packed(bundle.ids)))
    return enqueue(db, [out for _, out in bundles], now)
