"""Follow-ups of a story as answers to its first message: a chat's wish, the outbox rows that do it; who set what."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m021_follow_ups(db: Database) -> None:
    db.executescript("""
        ALTER TABLE chats ADD COLUMN threads INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE outbox ADD COLUMN follows TEXT NOT NULL DEFAULT '';  -- events: it answers the first that arrived
        CREATE INDEX subscriptions_by ON subscriptions (platform, created_by) WHERE created_by <> '';
    """)
