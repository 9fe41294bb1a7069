"""Subscriptions hold more and can be paused, chats have quiet hours; who gets the same digest is one edition."""

from __future__ import annotations

import json

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m013_subscriptions(db: Database) -> None:
    for (content,) in db.conn.execute("SELECT DISTINCT content FROM subscriptions").fetchall():
        db.conn.execute("UPDATE subscriptions SET content = ? WHERE content = ?", (_lean(content), content))
    db.executescript("""
        ALTER TABLE chats ADD COLUMN quiet TEXT NOT NULL DEFAULT '';     -- '22:00-07:00 hold', or silent
        CREATE TABLE editions (              -- what makes one digest differ from another
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            at TEXT NOT NULL,                -- wall-clock time, ISO
            weekday INTEGER NOT NULL,
            content TEXT NOT NULL,           -- what differs from the whole digest, JSON
            zone TEXT NOT NULL,              -- '' for a chat that chose none, so with the language
            language TEXT NOT NULL,
            feeds TEXT NOT NULL,             -- those the chat added for itself
            UNIQUE (kind, at, weekday, content, zone, language, feeds)
        );
        INSERT OR IGNORE INTO editions (kind, at, weekday, content, zone, language, feeds)
            SELECT kind, at, weekday, content, coalesce(zone, ''), coalesce(language, ''), coalesce((
                SELECT group_concat(feed) FROM (SELECT feed FROM feed_readers AS f
                    WHERE (f.platform, f.chat) = (s.platform, s.chat) ORDER BY feed)), '')
            FROM subscriptions AS s LEFT JOIN chats USING (platform, chat);
        CREATE TABLE new_subscriptions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: digests are named after it
            platform TEXT NOT NULL,
            chat TEXT NOT NULL,
            thread TEXT NOT NULL,
            edition INTEGER NOT NULL REFERENCES editions (id),
            created_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            previous_due INTEGER,
            next_due INTEGER,                -- null: instant, or paused until it is resumed
            paused_at INTEGER,               -- null: it speaks
            paused_until INTEGER             -- null: until it is resumed
        );
        INSERT INTO new_subscriptions
            SELECT s.id, s.platform, s.chat, thread, e.id, created_at, created_by, previous_due, next_due, NULL, NULL
            FROM subscriptions AS s LEFT JOIN chats USING (platform, chat)
            JOIN editions AS e ON (e.kind, e.at, e.weekday, e.content) = (s.kind, s.at, s.weekday, s.content)
                AND (e.zone, e.language) = (coalesce(chats.zone, ''), coalesce(chats.language, ''))
                AND e.feeds = coalesce((
                    SELECT group_concat(feed) FROM (SELECT feed FROM feed_readers AS f
                        WHERE (f.platform, f.chat) = (s.platform, s.chat) ORDER BY feed)), '');
        DELETE FROM sqlite_sequence WHERE name = 'new_subscriptions';
        INSERT INTO sqlite_sequence SELECT 'new_subscriptions', seq FROM sqlite_sequence WHERE name = 'subscriptions';
        DROP TABLE subscriptions;
        ALTER TABLE new_subscriptions RENAME TO subscriptions;
        CREATE INDEX subscriptions_address ON subscriptions (platform, chat, thread);
        CREATE INDEX subscriptions_edition ON subscriptions (edition);
        CREATE INDEX subscriptions_due ON subscriptions (next_due, id, edition, previous_due)
            WHERE next_due IS NOT NULL;      -- all that groups them, in the order of their pages
        CREATE INDEX outbox_articles ON outbox (due_at) WHERE kind = 'article';
        CREATE INDEX outbox_bundled ON outbox (due_at)
            WHERE state = 'withheld' AND kind = 'article' AND last_error = 'bundle';
    """)


def _lean(content: str) -> str:
    """Only what differs from the whole digest, so that the same content is the same text."""
    whole = {"words": [], "countries": [], "news": True, "rates": True}
    kept = {name: value for name, value in json.loads(content).items() if value != whole.get(name)}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
