"""A chat's pause silences its alerts, too."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m020_alert_pauses(db: Database) -> None:
    db.executescript("""
        ALTER TABLE alerts ADD COLUMN paused_at INTEGER;
        ALTER TABLE alerts ADD COLUMN paused_until INTEGER;  -- null while paused: until it is resumed
    """)
