"""Fixings, as printed. Every version of a figure is kept; of each date the newest good one is in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import Final

from sqlite_utils import Database

from bot.models import Alert, Fixing, Hold, Outgoing, PollState, RateTable, StoredFixing
from bot.money import moved
from storage.alerts import keep_judged
from storage.outbox import enqueue
from storage.sources import keep_poll
from storage.values import Row, instant, micros, one, rows

TABLES: Final = """
    SELECT fixings.*, kind FROM fixings JOIN rate_days USING (source, effective_date)
    WHERE state = 'ok' AND source = ?1 AND effective_date IN (
        SELECT effective_date FROM rate_days WHERE source = ?1 AND effective_date <= ?2
        ORDER BY effective_date DESC LIMIT ?3
    ) ORDER BY effective_date DESC, base, quote"""
SERIES: Final = """
    SELECT fixings.*, kind, carried FROM fixings JOIN rate_days USING (source, effective_date)
    WHERE source = ? AND base = ? AND quote = ? AND effective_date BETWEEN ? AND ? AND state = 'ok'
    ORDER BY effective_date DESC LIMIT ?"""
NEWEST: Final = """
    SELECT * FROM fixings WHERE source = ? AND base = ? AND quote = ? AND effective_date = ?
    ORDER BY revision DESC LIMIT 1"""
INSERT: Final = "INSERT INTO fixings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SUPERSEDE: Final = """
    UPDATE fixings SET state = 'superseded'
    WHERE source = ? AND base = ? AND quote = ? AND effective_date = ? AND revision < ? AND state IN ('held', ?)"""
END_HOLDS: Final = """
    UPDATE holds SET ended_at = ?
    WHERE source = ? AND base = ? AND quote = ? AND effective_date = ? AND revision < ? AND ended_at IS NULL"""
DAY: Final = """
    INSERT INTO rate_days VALUES (?, ?, ?, 0)
    ON CONFLICT (source, effective_date) DO UPDATE SET kind = excluded.kind"""
NEXT_DAY: Final = "SELECT min(effective_date) FROM rate_days WHERE source = ? AND effective_date > ?"
CARRIED: Final = "UPDATE rate_days SET carried = ? WHERE source = ? AND effective_date = ? AND carried <> ?"
HOLDS: Final = """
    SELECT fixings.*, kind, carried, id, held_at FROM holds
    JOIN fixings USING (source, base, quote, effective_date, revision)
    JOIN rate_days USING (source, effective_date)
    WHERE ended_at IS NULL ORDER BY id"""


def tables(db: Database, source: str, until: date, limit: int) -> list[RateTable]:
    found = rows(db, TABLES, source, until.isoformat(), limit)
    return [_table(list(dated)) for _, dated in groupby(found, key=lambda row: row["effective_date"])]


def newest_table(db: Database, source: str) -> date | None:
    found = one(db, "SELECT max(effective_date) FROM rate_days WHERE source = ? AND carried = 0", source)
    return date.fromisoformat(found) if found else None


def series(
    db: Database, source: str, base: str, quote: str, until: date, limit: int, since: date
) -> list[StoredFixing]:
    return [_stored(row) for row in rows(db, SERIES, source, base, quote, since.isoformat(), until.isoformat(), limit)]


def keep_tables(
    db: Database,
    state: PollState | None,
    printed: Sequence[RateTable],
    outgoing: Sequence[Outgoing],
    now: datetime,
    alerts: Sequence[Alert],
) -> int:
    kept = sum(_keep(db, table, now) for table in printed)
    enqueue(db, outgoing, now)
    keep_judged(db, alerts)
    if state:
        keep_poll(db, state)
    return kept


def holds(db: Database) -> list[Hold]:
    return [Hold(row["id"], _stored(row), instant(row["held_at"])) for row in rows(db, HOLDS)]


def release(db: Database, hold: int, outgoing: Sequence[Outgoing], now: datetime, alerts: Sequence[Alert]) -> bool:
    found = rows(db, "SELECT * FROM holds WHERE id = ? AND ended_at IS NULL", hold)
    if not found:
        return False
    row = found[0]
    key = row["source"], row["base"], row["quote"], row["effective_date"]
    db.conn.execute("UPDATE holds SET ended_at = ? WHERE id = ?", (micros(now), hold))
    db.conn.execute(SUPERSEDE, (*key, row["revision"], "ok"))
    db.conn.execute(
        "UPDATE fixings SET state = 'ok'"
        " WHERE source = ? AND base = ? AND quote = ? AND effective_date = ? AND revision = ?",
        (*key, row["revision"]),
    )
    _mark_carried(db, row["source"], date.fromisoformat(row["effective_date"]))
    enqueue(db, outgoing, now)
    keep_judged(db, alerts)
    return True


def _keep(db: Database, table: RateTable, now: datetime) -> bool:
    kept = [_keep_row(db, table, row, now) for row in table.fixings]
    if any(kept):
        db.conn.execute(DAY, (table.source, table.effective_date.isoformat(), table.kind))
        _mark_carried(db, table.source, table.effective_date)
    return any(kept)


def _keep_row(db: Database, table: RateTable, row: Fixing, now: datetime) -> bool:
    base, quote = table.pair(row)
    key = table.source, base, quote, table.effective_date.isoformat()
    newest = rows(db, NEWEST, *key)
    if newest and (newest[0]["value"], newest[0]["nominal"]) == (row.value, row.nominal):
        return False
    revision = newest[0]["revision"] + 1 if newest else 0
    held = (base, quote) in table.held
    db.conn.execute(END_HOLDS, (micros(now), *key, revision))
    db.conn.execute(SUPERSEDE, (*key, revision, "held" if held else "ok"))
    state = "held" if held else "ok"
    db.conn.execute(INSERT, (*key, revision, row.value, row.nominal, row.change, state, micros(now)))
    if held:
        names = "source, base, quote, effective_date, revision, held_at"
        db.conn.execute(f"INSERT INTO holds ({names}) VALUES (?, ?, ?, ?, ?, ?)", (*key, revision, micros(now)))
    return True


def _mark_carried(db: Database, source: str, day: date) -> None:
    """Say anew of this date and the one after it whether they only repeat what was before."""
    following = one(db, NEXT_DAY, source, day.isoformat())
    for changed in (day, date.fromisoformat(following) if following else None):
        if changed:
            newest = tables(db, source, changed, 2)
            carried = len(newest) > 1 and newest[0].effective_date == changed and not moved(*newest)
            db.conn.execute(CARRIED, (carried, source, changed.isoformat(), carried))


def _table(dated: Sequence[Row]) -> RateTable:
    head = dated[0]
    quotes = {row["quote"] for row in dated}
    quote = quotes.pop() if len(quotes) == 1 else ""
    return RateTable(
        source=head["source"],
        quote=quote,
        effective_date=date.fromisoformat(head["effective_date"]),
        fixings=tuple(_printed(row) if not quote else replace(_printed(row), quote="") for row in dated),
        kind=head["kind"],
    )


def _printed(row: Row) -> Fixing:
    return Fixing(row["base"], row["value"], row["nominal"], row["change"], row["quote"])


def _stored(row: Row) -> StoredFixing:
    return StoredFixing(
        source=row["source"],
        effective_date=date.fromisoformat(row["effective_date"]),
        printed=_printed(row),
        kind=row["kind"],
        revision=row["revision"],
        carried=bool(row["carried"]),
        first_seen=instant(row["first_seen"]),
    )
