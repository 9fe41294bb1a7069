"""Workspaces that have us: one that removes us keeps its subscriptions for a month, and nothing is sent there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlite_utils import Database

from bot.models import UNINSTALLED, Address, Install
from storage import lanes
from storage.values import Row, instant_or_none, micros, micros_or_none, packed, plain, rows

KEPT: Final = timedelta(days=30)
"""So long a workspace that removed us can come back to all it had."""
KEEP: Final = """
    INSERT INTO installs (platform, workspace, secret, expires_at, installed_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (platform, workspace) DO UPDATE SET secret = excluded.secret, expires_at = excluded.expires_at,
        installed_at = excluded.installed_at, removed_at = NULL"""
RENEW: Final = """
    UPDATE installs SET secret = ?, expires_at = ? WHERE platform = ? AND workspace = ? AND removed_at IS NULL"""
DROP: Final = """
    UPDATE installs SET secret = '', expires_at = NULL, removed_at = ?
    WHERE platform = ? AND workspace = ? AND removed_at IS NULL"""
THERE: Final = "SELECT * FROM installs WHERE platform = ? AND removed_at IS NULL"
WITHIN: Final = "platform = ?1 AND chat >= ?2 AND chat < ?3"
RESTORE: Final = f"""
    UPDATE lanes SET dead = '', dead_at = NULL WHERE {WITHIN} AND dead IN (SELECT value FROM json_each(?4))"""
PAST: Final = "SELECT platform, workspace FROM installs WHERE removed_at < ?"


def keep_install(db: Database, install: Install, now: datetime, cured: Collection[str]) -> None:
    values = plain(install.secret), micros_or_none(install.expires_at), micros(now)
    db.conn.execute(KEEP, (install.platform, plain(install.workspace), *values))
    db.conn.execute(RESTORE, (*_within(install.platform, install.workspace), packed([UNINSTALLED, *cured])))


def renew_install(db: Database, install: Install) -> bool:
    values = plain(install.secret), micros_or_none(install.expires_at), install.platform, install.workspace
    return db.conn.execute(RENEW, values).rowcount > 0


def drop_install(db: Database, platform: str, workspace: str, now: datetime) -> bool:
    if not db.conn.execute(DROP, (micros(now), platform, workspace)).rowcount:
        return False
    for chat in _chats(db, platform, workspace):
        lanes.kill(db, Address(platform, chat), UNINSTALLED, now)
    return True


def install(db: Database, platform: str, workspace: str) -> Install | None:
    found = rows(db, f"{THERE} AND workspace = ?", platform, workspace)
    return _install(found[0]) if found else None


def installs(db: Database, platform: str) -> list[Install]:
    return [_install(row) for row in rows(db, f"{THERE} ORDER BY workspace", platform)]


def forget_installs(db: Database, now: datetime) -> None:
    """Drop what is kept of workspaces that removed us too long ago."""
    for row in rows(db, PAST, micros(now - KEPT)):
        within = _within(row["platform"], row["workspace"])
        for table in _tables(db):
            if table != "lanes":  # the ledger still tells what was sent there
                db.conn.execute(f"DELETE FROM {table} WHERE {WITHIN}", within)
        db.conn.execute(
            "DELETE FROM installs WHERE platform = ? AND workspace = ?", (row["platform"], row["workspace"])
        )


def _chats(db: Database, platform: str, workspace: str) -> set[str]:
    """Every chat of a workspace of which anything is kept."""
    within = _within(platform, workspace)
    return {
        row["chat"] for table in _tables(db) for row in rows(db, f"SELECT chat FROM {table} WHERE {WITHIN}", *within)
    }


def _tables(db: Database) -> list[str]:
    return ["lanes", *lanes.chats_named_in(db)]


def _within(platform: str, workspace: str) -> tuple[str, str, str]:
    """Bounds of the ids that begin with "WORKSPACE/": "0" comes next after "/"."""
    return platform, f"{workspace}/", f"{workspace}0"


def _install(row: Row) -> Install:
    return Install(row["platform"], row["workspace"], row["secret"], instant_or_none(row["expires_at"]))
