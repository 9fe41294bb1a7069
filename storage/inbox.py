"""Raw events of the platforms, kept before they are acknowledged, and what long buttons stand for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlite_utils import Database

from bot.models import Address, Update
from bot.rules import SUSPECT_AFTER
from storage.values import Row, instant, micros, one, plain, rows

KEPT: Final = timedelta(days=7)

HAND_OUT: Final = """
    UPDATE inbox SET tries = tries + 1
    WHERE id IN (SELECT id FROM inbox WHERE platform = ? AND state = 'new' AND id > ? AND tries < ? ORDER BY id LIMIT ?)
    RETURNING id AS number, platform, key, raw, tries - 1 AS tries, received_at"""
SUSPECT: Final = """
    UPDATE inbox SET tries = tries + 1
    WHERE id = (SELECT min(id) FROM inbox WHERE platform = ? AND state = 'new' AND tries >= ?)
    RETURNING id AS number, platform, key, raw, tries - 1 AS tries, received_at"""
FORGET: Final = """
    DELETE FROM inbox
    WHERE state <> 'new' AND received_at < ? AND id < (SELECT max(id) FROM inbox)"""
"""The newest row stays: SQLite would give its number again, to an update that comes after it."""


def keep_updates(db: Database, updates: Sequence[Update], now: datetime) -> int:
    received = micros(now)
    return (
        db.conn.executemany(
            "INSERT INTO inbox (platform, key, raw, state, tries, received_at) VALUES (?, ?, ?, 'new', ?, ?)"
            " ON CONFLICT (platform, key) DO NOTHING",
            [(u.platform, plain(u.key), plain(u.raw), u.tries, received) for u in updates],
        ).rowcount
        if updates
        else 0
    )


def waiting_updates(db: Database, platform: str, limit: int, after: int) -> list[Update]:
    """Counts the hand-out in the row, so that an update which kills us is known by its tries."""
    waiting = rows(db, HAND_OUT, platform, after, SUSPECT_AFTER, limit)
    return [_update(row) for row in sorted(waiting, key=lambda row: int(row["number"]))]


def suspect_update(db: Database, platform: str) -> Update | None:
    found = rows(db, SUSPECT, platform, SUSPECT_AFTER)
    return _update(found[0]) if found else None


def acted_updates(db: Database, platform: str) -> list[Update]:
    """A scan of the week's updates, made once at a start."""
    columns = "id AS number, platform, key, raw, tries, received_at"
    where = "WHERE platform = ? AND state = 'acted' ORDER BY id"
    return [_update(row) for row in rows(db, f"SELECT {columns} FROM inbox {where}", platform)]


def settle_update(db: Database, platform: str, key: str, state: str) -> str:
    before = one(db, "SELECT state FROM inbox WHERE platform = ? AND key = ?", platform, plain(key))
    db.conn.execute("UPDATE inbox SET state = ? WHERE platform = ? AND key = ?", (state, platform, plain(key)))
    return str(before or "new")


def keep_token(db: Database, token: str, address: Address, command: str, now: datetime) -> None:
    db.conn.execute(
        "INSERT INTO tokens VALUES (?, ?, ?, ?, ?) ON CONFLICT (token, platform, chat) DO UPDATE"
        " SET command = excluded.command, created_at = excluded.created_at",
        (token, address.platform, address.chat, plain(command), micros(now)),
    )


def token_command(db: Database, token: str, address: Address) -> str | None:
    where = "WHERE token = ? AND platform = ? AND chat = ?"
    command: str | None = one(db, f"SELECT command FROM tokens {where}", plain(token), address.platform, address.chat)
    return command


def forget_settled(db: Database, now: datetime) -> None:
    """Drop settled updates and tokens past their week; an update that waits is never dropped."""
    before = micros(now - KEPT)
    db.conn.execute(FORGET, (before,))
    db.conn.execute("DELETE FROM tokens WHERE created_at < ?", (before,))


def _update(row: Row) -> Update:
    return Update(**{**row, "received_at": instant(row["received_at"])})
