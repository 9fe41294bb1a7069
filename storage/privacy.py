"""All that is kept of a chat and of a person: to be handed over, or forgotten."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any, Final

from sqlite_utils import Database

from bot.models import Address
from storage.chats import forget_editions
from storage.inbox import settle_update
from storage.lanes import chats_named_in
from storage.sources import remove_feed
from storage.values import Row, instant, micros, packed, plain, rows

SAID_BY: Final = ("created_by", "added_by")
INSTANT: Final = re.compile(r".*_(at|until|due)|not_before")
NAMES: Final = "platform = :platform AND chat = :chat"
LANES: Final = f"SELECT id FROM lanes WHERE {NAMES}"
OUTBOX: Final = f"""
    SELECT event, kind, state, due_at, created_at, settled_at, last_error, why, message
    FROM outbox JOIN bodies ON bodies.id = body WHERE lane IN ({LANES}) ORDER BY outbox.id"""
SUBSCRIPTIONS: Final = f"""
    SELECT s.*, kind, at, weekday, content FROM subscriptions AS s JOIN editions AS e ON e.id = edition
    WHERE {NAMES} ORDER BY s.id"""
MENTIONING: Final = """
    SELECT id FROM inbox WHERE platform = :platform AND (instr(raw, :own) OR instr(raw, :user))
        AND json_valid(raw) AND EXISTS (
            SELECT 1 FROM json_tree(raw) WHERE CAST(atom AS TEXT) IN (:own, iif(:user = '', :own, :user)))"""

COLUMNS: Final = "SELECT name FROM pragma_table_info(?)"
BLANK: Final = f"""
    UPDATE inbox SET raw = '{{}}', lane = '', state = iif(state IN ('new', 'acted'), 'done', state)
    WHERE id IN ({MENTIONING})"""
GONE_KEPT: Final = timedelta(days=90)
"""So long we wait for a chat that shut us out."""
GONE: Final = "SELECT platform, chat FROM lanes WHERE dead_at < ? AND thread = '' LIMIT 100"


def all_kept(db: Database, address: Address, user: str, *, updates: bool) -> dict[str, list[Row]]:
    """Every row that is of this chat, by table, as JSON data. Other people's numbers are left out.

    user: who asks; updates: with what was said here as the platform brought it
    """
    named = _named(address, user)
    found = {"outbox": list(db.query(OUTBOX, named)), "subscriptions": list(db.query(SUBSCRIPTIONS, named))}
    for table in ("lanes", *chats_named_in(db)):
        if table not in found:
            found[table] = list(db.query(f"SELECT * FROM {table} WHERE {NAMES}", named))
    if updates:
        raw = f"SELECT received_at, state, raw FROM inbox WHERE id IN ({MENTIONING}) ORDER BY id"
        found["inbox"] = list(db.query(raw, named))
    return {table: [_shown(row, user) for row in kept] for table, kept in found.items() if kept}


def forget(db: Database, address: Address, user: str, update: str) -> None:
    """Drop every row of this chat, and whoever asks beside what he set elsewhere. What is deleted is overwritten.

    update: the key of the one that asks for it; only the key stays, so that it is not done twice
    """
    named = _named(address, user)
    _drop(db, address, named)
    forget_editions(db)
    db.conn.execute(BLANK, named)
    settle_update(db, address.platform, update, "taken")


def forget_gone(db: Database, now: datetime) -> bool:
    """Drop chats that have been dead for long. False when none is left."""
    gone = rows(db, GONE, micros(now - GONE_KEPT))
    for row in gone:
        address = Address(row["platform"], row["chat"])
        _drop(db, address, _named(address, ""))
    return bool(gone)


def _drop(db: Database, address: Address, named: dict[str, str]) -> None:
    for (feed,) in db.conn.execute(f"SELECT feed FROM feed_readers WHERE {NAMES}", named).fetchall():
        remove_feed(db, feed, address)
    bodies = packed([body for (body,) in db.conn.execute(f"SELECT body FROM outbox WHERE lane IN ({LANES})", named)])
    db.conn.execute(f"DELETE FROM outbox WHERE lane IN ({LANES})", named)
    db.conn.execute(
        "DELETE FROM bodies WHERE id IN (SELECT value FROM json_each(?)) AND id NOT IN (SELECT body FROM outbox)",
        (bodies,),
    )
    for table in ("lanes", *chats_named_in(db)):
        db.conn.execute(f"DELETE FROM {table} WHERE {NAMES}", named)
        for column in {row["name"] for row in rows(db, COLUMNS, table)} & set(SAID_BY):
            db.conn.execute(f"UPDATE {table} SET {column} = '' WHERE platform = :platform AND {column} = :name", named)


def _named(address: Address, user: str) -> dict[str, str]:
    """own, user: the last part of an id, which is how the platform itself names it ("C1" of Slack's "T1/C1")."""
    name = plain(user)
    return {
        "platform": address.platform,
        "chat": address.chat,
        "name": name,
        "own": address.chat.rpartition("/")[2],
        "user": name.rpartition("/")[2],
    }


def _shown(row: Row, user: str) -> Row:
    return {name: _readable(name, value, user) for name, value in row.items()}


def _readable(name: str, value: Any, user: str) -> Any:
    if name in SAID_BY:
        return value if value == user else ""
    if isinstance(value, int) and INSTANT.fullmatch(name):
        return instant(value).isoformat()
    if isinstance(value, str) and value.startswith(("{", "[")):
        return _parsed(value)
    return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
