"""Which chat an update is of, and which process has it in hand."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m022_inbox_lanes(db: Database) -> None:
    """What of Telegram's waits just now gets its lane, so that its order stays."""
    db.executescript("""
        ALTER TABLE inbox ADD COLUMN lane TEXT NOT NULL DEFAULT '';
        ALTER TABLE inbox ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;  -- a process, 0: nobody
        CREATE INDEX inbox_held ON inbox (platform, lane) WHERE owner <> 0;
        CREATE INDEX inbox_acted ON inbox (platform, id) WHERE state = 'acted';
        UPDATE inbox SET lane = coalesce(
            json_extract(raw, '$.message.chat.id'), json_extract(raw, '$.callback_query.message.chat.id'),
            json_extract(raw, '$.my_chat_member.chat.id'), json_extract(raw, '$.inline_query.from.id'), '')
        WHERE platform = 'telegram' AND state = 'new' AND json_valid(raw);
    """)
