"""The lanes of the outbox, one for each address: whether its chat may be sent to, and which message is next.

What lies in the lane of thread "" holds for the whole chat, also for its other threads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlite_utils import Database

from bot.models import UNINSTALLED, Address, Delivery, Outcome
from storage.chats import sort_anew
from storage.values import instant, micros, one, packed, plain, rows

STRIKES: Final = 3
STRIKES_SPAN: Final = timedelta(hours=24)
"""A chat that refuses us so often, over so long, counts as dead."""
PAUSED: Final = "the chat is paused: "
LOOKED_UP: Final = 200
"""More addresses than that are found by reading all lanes of their platforms."""

LANES: Final = "SELECT id, platform, chat, thread, free_at, dead FROM lanes WHERE platform = ?"
OPEN: Final = "INSERT INTO lanes (platform, chat, thread) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
HOLD: Final = """
    INSERT INTO lanes (platform, chat, thread, free_at) VALUES (?, ?, '', ?)
    ON CONFLICT (platform, chat, thread) DO UPDATE SET free_at = max(lanes.free_at, excluded.free_at)"""
OF_CHAT: Final = "SELECT id FROM lanes WHERE platform = ? AND chat = ?"
DEMOTE: Final = """
    UPDATE outbox SET ready_at = NULL
    WHERE lane IN (SELECT value FROM json_each(?)) AND settled_at IS NULL AND ready_at IS NOT NULL"""
PROMOTE: Final = """
    UPDATE outbox SET ready_at = max(not_before, (
        SELECT max(lane.free_at, coalesce(whole.free_at, 0))
        FROM lanes AS lane LEFT JOIN lanes AS whole ON whole.platform = lane.platform AND whole.chat = lane.chat
            AND whole.thread = ''
        WHERE lane.id = outbox.lane
    )) WHERE id IN (
        SELECT (SELECT id FROM outbox WHERE lane = value AND settled_at IS NULL ORDER BY due_at, id LIMIT 1)
        FROM json_each(?)
        WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE lane = value AND lease_until IS NOT NULL)
    )"""
NEXT_UP: Final = """
    UPDATE outbox SET ready_at = max(not_before, coalesce((
        SELECT max(whole.free_at) FROM lanes AS lane JOIN lanes AS whole ON whole.platform = lane.platform
            AND whole.chat = lane.chat AND whole.thread = '' WHERE lane.id = ?1
    ), 0)) WHERE id = (SELECT id FROM outbox WHERE lane = ?1 AND settled_at IS NULL ORDER BY due_at, id LIMIT 1)"""
STRIKE: Final = """
    INSERT INTO lanes (platform, chat, thread, strikes, struck_at) VALUES (?1, ?2, '', 1, ?3)
    ON CONFLICT (platform, chat, thread) DO UPDATE SET
        strikes = lanes.strikes + 1, struck_at = coalesce(lanes.struck_at, ?3)
    RETURNING strikes, struck_at"""
FORGIVE: Final = """
    UPDATE lanes SET strikes = 0, struck_at = NULL
    WHERE platform = ? AND chat = ? AND thread = '' AND strikes > 0"""
KILL: Final = """
    UPDATE lanes SET dead = ?4, dead_at = ?5
    WHERE platform = ?1 AND chat = ?2 AND thread = ?3 AND dead_at IS NULL"""
BURY: Final = """
    UPDATE outbox SET state = 'dead', settled_at = ?2, ready_at = NULL, last_error = ?3
    WHERE lane IN (SELECT value FROM json_each(?1)) AND settled_at IS NULL AND state = 'pending'"""
REVIVE: Final = """
    UPDATE lanes SET dead = '', dead_at = NULL, strikes = 0, struck_at = NULL
    WHERE platform = ? AND chat = ? AND thread IN ('', ?) AND (dead_at IS NOT NULL OR strikes > 0)"""
UNBURY: Final = """
    UPDATE outbox SET state = 'pending', settled_at = NULL, not_before = ?2, last_error = ''
    WHERE lane IN (SELECT value FROM json_each(?1)) AND state = 'dead' AND settled_at >= ?3 AND expires_at > ?2"""
FOLLOW: Final = "UPDATE OR IGNORE outbox SET lane = ? WHERE lane = ?"
NAMING_CHATS: Final = """
    SELECT name FROM sqlite_master AS made
    WHERE type = 'table' AND name NOT IN ('lanes', 'inbox')
        AND 2 = (SELECT count(*) FROM pragma_table_info(made.name) AS held WHERE held.name IN ('platform', 'chat'))"""


class Lane(NamedTuple):
    """free_at: microseconds; dead: why nothing goes there, "" if it does."""

    id: int
    free_at: int
    dead: str


Names = tuple[str, str, str]
"""An address, as its platform, chat and thread: these are hashed a hundred thousand at a time."""


def lanes_of(db: Database, addresses: Collection[Names]) -> dict[Names, Lane]:
    """The lanes of these addresses; those that are missing are made."""
    found = _find(db, addresses)
    if missing := [names for names in addresses if names not in found]:
        db.conn.executemany(OPEN, missing)
        found |= _find(db, missing)
    return found


def promote(db: Database, lanes: Iterable[int]) -> None:
    """Say anew which row of each lane may go next, and when."""
    ids = list(lanes)
    if ids:
        db.conn.execute(DEMOTE, (packed(ids),))
        db.conn.execute(PROMOTE, (packed(ids),))


def next_up(db: Database, lane: int) -> None:
    """The row that flew of this lane has come down: the next may go."""
    db.conn.execute(NEXT_UP, (lane,))


def learn(db: Database, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    """What an outcome says of its chat, beyond the one message."""
    address = delivery.address
    if outcome.free_at is not None:
        hold(db, address, outcome.free_at)
    if outcome.moved_to:
        move(db, address, outcome.moved_to)
    elif outcome.state == "dead":
        kill(db, address if outcome.cause == "topic" else _whole(address), outcome.detail, now)
    elif outcome.cause == "unwelcome":
        _strike(db, address, outcome.detail, now)
    elif outcome.state == "sent" and delivery.strikes:
        db.conn.execute(FORGIVE, (address.platform, address.chat))


def hold(db: Database, address: Address, until: datetime) -> None:
    """Nothing goes to this chat before then; an earlier word that says later stands."""
    db.conn.execute(HOLD, (address.platform, address.chat, micros(until)))
    promote(db, _ids(db, address))


def kill(db: Database, address: Address, reason: str, now: datetime) -> None:
    """Nothing goes to this chat (or to this thread of one) until it is revived; what waits is not kept for then."""
    names = address.platform, address.chat, address.thread
    db.conn.execute(OPEN, names)
    db.conn.execute(KILL, (*names, plain(reason) or "gone", micros(now)))
    ids = [one(db, f"{OF_CHAT} AND thread = ?", *names)] if address.thread else _ids(db, address)
    db.conn.execute(BURY, (packed(ids), micros(now), PAUSED + plain(reason)))


def is_paused(db: Database, address: Address) -> bool:
    """Whether a chat is dead or has been refusing us."""
    sql = f"{OF_CHAT} AND thread IN ('', ?) AND (dead_at IS NOT NULL OR strikes > 0)"
    return one(db, sql, address.platform, address.chat, address.thread) is not None


def revive(db: Database, address: Address) -> bool:
    return db.conn.execute(REVIVE, (address.platform, address.chat, address.thread)).rowcount > 0


def reprieve(db: Database, platform: str, since: datetime, now: datetime) -> int:
    """Undo the deaths of this platform since then: it was not the chats. What was waiting goes on waiting."""
    sql = "UPDATE lanes SET dead = '', dead_at = NULL WHERE platform = ? AND dead_at >= ? AND dead <> ?"
    spared = rows(db, f"{sql} RETURNING platform, chat", platform, micros(since), UNINSTALLED)
    ids = [found for row in spared for found in _ids(db, Address(row["platform"], row["chat"]))]
    db.conn.execute(UNBURY, (packed(ids), micros(now), micros(since)))
    promote(db, ids)
    return len(spared)


def move(db: Database, address: Address, chat: str) -> None:
    """A chat has a new id: its settings, subscriptions and waiting messages follow, in every table that names it.

    Where the new one has something of its own already, that stays.
    """
    platform = address.platform
    for row in rows(db, "SELECT id, thread FROM lanes WHERE platform = ? AND chat = ?", platform, address.chat):
        there = lanes_of(db, [(to := (platform, chat, row["thread"]))])[to]
        db.conn.execute(FOLLOW, (there.id, row["id"]))
        db.conn.execute("DELETE FROM outbox WHERE lane = ?", (row["id"],))
        db.conn.execute("DELETE FROM lanes WHERE id = ?", (row["id"],))
        promote(db, [there.id])
    for table in chats_named_in(db):
        where = "WHERE platform = ? AND chat = ?"
        db.conn.execute(f"UPDATE OR IGNORE {table} SET chat = ? {where}", (chat, platform, address.chat))
        db.conn.execute(f"DELETE FROM {table} {where}", (platform, address.chat))
    sort_anew(db, Address(platform, chat))


def chats_named_in(db: Database) -> list[str]:
    """The tables that name chats, but for the lanes themselves and the inbox."""
    return [row["name"] for row in rows(db, NAMING_CHATS)]


def held_until(db: Database, platform: str) -> datetime | None:
    found = one(db, "SELECT until FROM platform_holds WHERE platform = ?", platform)
    return None if found is None else instant(found)


def hold_platform(db: Database, platform: str, until: datetime, reason: str) -> None:
    db.conn.execute(
        "INSERT INTO platform_holds VALUES (?, ?, ?) ON CONFLICT (platform) DO UPDATE"
        " SET until = excluded.until, reason = excluded.reason WHERE excluded.until > platform_holds.until",
        (platform, micros(until), plain(reason)),
    )


def _find(db: Database, addresses: Collection[Names]) -> dict[Names, Lane]:
    found: dict[Names, Lane] = {}
    if len(addresses) > LOOKED_UP:
        for platform in {names[0] for names in addresses}:
            found |= _read(db, LANES, platform)
    else:
        for platform, chat in {names[:2] for names in addresses}:
            found |= _read(db, f"{LANES} AND chat = ?", platform, chat)
    return found


def _read(db: Database, sql: str, *values: str) -> dict[Names, Lane]:
    """By names; what holds for a whole chat is said of its threads too."""
    read = db.conn.execute(sql, values).fetchall()
    found = {(platform, chat, thread): Lane(id_, free, dead) for id_, platform, chat, thread, free, dead in read}
    for platform, chat, thread in [names for names in found if names[2]]:
        lane, whole = found[platform, chat, thread], found.get((platform, chat, ""))
        if whole:
            merged = Lane(lane.id, max(lane.free_at, whole.free_at), lane.dead or whole.dead)
            found[platform, chat, thread] = merged
    return found


def _strike(db: Database, address: Address, reason: str, now: datetime) -> None:
    (struck,) = rows(db, STRIKE, address.platform, address.chat, micros(now))
    if struck["strikes"] >= STRIKES and instant(struck["struck_at"]) <= now - STRIKES_SPAN:
        kill(db, _whole(address), reason, now)


def _ids(db: Database, address: Address) -> list[int]:
    return [row["id"] for row in rows(db, OF_CHAT, address.platform, address.chat)]


def _whole(address: Address) -> Address:
    return Address(address.platform, address.chat)
