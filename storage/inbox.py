"""Raw events of the platforms, kept before they are acknowledged, and what long buttons stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlite_utils import Database

from bot.models import Address, Update
from bot.rules import SUSPECT_AFTER
from storage.values import Row, instant, micros, one, packed, plain, rows

KEPT: Final = timedelta(days=7)
ENDS: Final = frozenset({"done", "poison"})
ALL: Final = 1_000
"""Of those that acted: more than can have been in a dead process's hands."""

KEEP: Final = """
    INSERT INTO inbox (platform, key, lane, raw, state, tries, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (platform, key) DO NOTHING"""
WAITS: Final = """
    SELECT id FROM inbox AS one WHERE platform = ?1 AND owner NOT IN (SELECT value FROM json_each(?3))
        AND id NOT IN (SELECT value FROM json_each(?4)) AND """
HAND_OUT: Final = """
    UPDATE inbox SET tries = tries + 1, owner = ?2 WHERE id IN ({} ORDER BY id LIMIT ?5)
    RETURNING id AS number, platform, key, lane, raw, tries - 1 AS tries, received_at"""
NEW: Final = HAND_OUT.format(
    f"""{WAITS} state = 'new' AND tries < {SUSPECT_AFTER} AND (lane = '' OR NOT EXISTS (
        SELECT 1 FROM inbox AS other WHERE other.owner <> 0 AND other.platform = one.platform AND other.lane = one.lane
            AND other.owner IN (SELECT value FROM json_each(?3))))"""
)
SUSPECT: Final = HAND_OUT.format(f"{WAITS} state = 'new' AND tries >= {SUSPECT_AFTER}")
ACTED: Final = HAND_OUT.format(f"{WAITS} state = 'acted'")
FORGET: Final = """
    DELETE FROM inbox
    WHERE state <> 'new' AND received_at < ? AND id < (SELECT max(id) FROM inbox)"""
"""The newest row stays: SQLite would give its number again, to an update that comes after it."""


@dataclass(frozen=True)
class Hand:
    """Whose hand it is: the number of a process, and who else of them lives. In one file's store that is nobody."""

    owner: int
    others: Callable[[Database, int], list[int]] = lambda _db, _owner: []


def keep_updates(db: Database, updates: Sequence[Update], now: datetime, answered: Collection[str]) -> int:
    values = [
        (
            u.platform,
            plain(u.key),
            plain(u.lane),
            plain(u.raw),
            "done" if u.key in answered else "new",
            u.tries,
            micros(now),
        )
        for u in updates
    ]
    return db.conn.executemany(KEEP, values).rowcount if values else 0


def waiting_updates(db: Database, platform: str, limit: int, hand: Hand, held: Collection[int]) -> list[Update]:
    """Counts the hand-out in the row, so that an update which kills us is known by its tries."""
    return _handed_out(db, NEW, platform, hand, held, limit)


def suspect_update(db: Database, platform: str, hand: Hand, held: Collection[int]) -> Update | None:
    return next(iter(_handed_out(db, SUSPECT, platform, hand, held, 1)), None)


def acted_updates(db: Database, platform: str, hand: Hand, held: Collection[int]) -> list[Update]:
    return _handed_out(db, ACTED, platform, hand, held, ALL)


def _handed_out(db: Database, sql: str, platform: str, hand: Hand, held: Collection[int], limit: int) -> list[Update]:
    found = rows(db, sql, platform, hand.owner, packed(hand.others(db, hand.owner)), packed(list(held)), limit)
    return [_update(row) for row in sorted(found, key=lambda row: int(row["number"]))]


def settle_update(db: Database, platform: str, key: str, state: str) -> str:
    """What is settled for good is in nobody's hand."""
    before = one(db, "SELECT state FROM inbox WHERE platform = ? AND key = ?", platform, plain(key))
    let_go = ", owner = 0" if state in ENDS else ""
    db.conn.execute(f"UPDATE inbox SET state = ?{let_go} WHERE platform = ? AND key = ?", (state, platform, plain(key)))
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
