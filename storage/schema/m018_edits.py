"""What is corrected later, corrected in the message that told it: a chat's wish, and the outbox rows that do it."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m018_edits(db: Database) -> None:
    db.executescript("""
        ALTER TABLE chats ADD COLUMN edits INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE outbox ADD COLUMN edits TEXT NOT NULL DEFAULT '';  -- the event whose message it takes the place of
    """)
