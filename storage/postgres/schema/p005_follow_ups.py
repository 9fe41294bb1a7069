"""As SQLite's m021: follow-ups of a story as answers to its first message; who set what."""

from __future__ import annotations

from typing import Final

SQL: Final = """
ALTER TABLE chats ADD COLUMN threads BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN follows TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX subscriptions_by ON subscriptions (platform, created_by) WHERE created_by <> '';
"""
