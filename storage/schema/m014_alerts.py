"""Alerts, and what an outbox row came of."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m014_alerts(db: Database) -> None:
    db.executescript("""
        CREATE TABLE alerts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: messages are named after it
            platform TEXT NOT NULL,
            chat TEXT NOT NULL,
            thread TEXT NOT NULL,
            pair TEXT NOT NULL,              -- "USD/KZT"
            way TEXT NOT NULL,               -- above, below, move
            level TEXT NOT NULL,             -- exact
            size REAL NOT NULL,              -- the same, for finding
            days INTEGER NOT NULL,
            standing INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            expires_at INTEGER,              -- null: never
            snoozed_until INTEGER,
            state TEXT NOT NULL,             -- active, fired, ended
            armed INTEGER NOT NULL,
            told_on TEXT,                    -- the fixing told last, its date
            told_rate TEXT,                  -- exact
            told_source TEXT NOT NULL,
            fired_at INTEGER
        );
        CREATE INDEX alerts_address ON alerts (platform, chat, thread);
        CREATE INDEX alerts_watched ON alerts (pair, way, days, armed, size) WHERE state = 'active';
        CREATE INDEX alerts_told ON alerts (pair, told_on) WHERE fired_at IS NOT NULL;
        CREATE INDEX alerts_fired ON alerts (fired_at) WHERE fired_at IS NOT NULL;
        ALTER TABLE outbox ADD COLUMN why TEXT NOT NULL DEFAULT '';  -- {name: value}, "" for nothing
    """)
