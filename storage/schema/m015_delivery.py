"""The outbox that several senders could share: a row that may go says so itself, a lane knows how its chat fares."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m015_outbox(db: Database) -> None:
    db.executescript("""
        CREATE TABLE new_outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            lane INTEGER NOT NULL,           -- lanes.id
            platform TEXT NOT NULL,          -- the lane's
            event TEXT NOT NULL,
            kind TEXT NOT NULL,
            priority INTEGER NOT NULL,       -- its kind's, or that of a more urgent message behind it in its lane
            state TEXT NOT NULL,
            body INTEGER NOT NULL,           -- bodies.id
            due_at INTEGER NOT NULL,
            not_before INTEGER NOT NULL,     -- due_at, or when to try again
            expires_at INTEGER NOT NULL,
            ready_at INTEGER,                -- null unless it is the first of its lane, and none of that is in flight
            owner TEXT NOT NULL DEFAULT '',
            lease_until INTEGER,             -- null unless in flight
            tries INTEGER NOT NULL DEFAULT 0,
            faults INTEGER NOT NULL DEFAULT 0,  -- tries that failed for reasons that pass
            lost INTEGER NOT NULL DEFAULT 0, -- answers lost so far
            message_id TEXT NOT NULL DEFAULT '',
            last_error TEXT NOT NULL DEFAULT '',
            created_at INTEGER NOT NULL,
            settled_at INTEGER,              -- null: pending or in flight
            why TEXT NOT NULL DEFAULT ''     -- what it came of, {name: value}; "" for nothing
        );
        INSERT INTO new_outbox
            SELECT outbox.id, lane, platform, event, kind,
                CASE kind WHEN 'reply' THEN 0 WHEN 'alert' THEN 1 WHEN 'article' THEN 2 ELSE 3 END,
                state, body, due_at, not_before, expires_at, NULL, owner, lease_until, tries, 0, lost,
                message_id, last_error, created_at, settled_at, why
            FROM outbox JOIN lanes ON lanes.id = lane ORDER BY outbox.id;
        DELETE FROM sqlite_sequence WHERE name = 'new_outbox';
        INSERT INTO sqlite_sequence SELECT 'new_outbox', seq FROM sqlite_sequence WHERE name = 'outbox';
        DROP TABLE outbox;
        ALTER TABLE new_outbox RENAME TO outbox;
        CREATE UNIQUE INDEX outbox_identity ON outbox (event, lane);
        CREATE INDEX outbox_lane ON outbox (lane, settled_at, due_at);
        CREATE INDEX outbox_ready ON outbox (platform, priority, ready_at) WHERE ready_at IS NOT NULL;
        CREATE INDEX outbox_leased ON outbox (lane, lease_until) WHERE lease_until IS NOT NULL;
        CREATE INDEX outbox_open ON outbox (due_at, expires_at) WHERE settled_at IS NULL;
        CREATE INDEX outbox_settled ON outbox (settled_at, state) WHERE settled_at IS NOT NULL;
        CREATE INDEX outbox_articles ON outbox (due_at) WHERE kind = 'article';
        CREATE INDEX outbox_bundled ON outbox (due_at)
            WHERE state = 'withheld' AND kind = 'article' AND last_error = 'bundle';
    """)


@migrations()
def m015_lanes(db: Database) -> None:
    db.executescript("""
        CREATE TABLE new_lanes (             -- one for each address: its messages go out in single file
            id INTEGER PRIMARY KEY,
            platform TEXT NOT NULL,
            chat TEXT NOT NULL,
            thread TEXT NOT NULL,            -- what stands in the lane of "" holds for the whole chat
            free_at INTEGER NOT NULL DEFAULT 0,  -- nothing goes there before
            dead TEXT NOT NULL DEFAULT '',   -- why nothing goes there at all
            dead_at INTEGER,
            strikes INTEGER NOT NULL DEFAULT 0,  -- refusals in a row that may mean a dead chat
            struck_at INTEGER,               -- the first of them
            UNIQUE (platform, chat, thread)
        );
        INSERT INTO new_lanes (id, platform, chat, thread) SELECT id, platform, chat, thread FROM lanes;
        DROP TABLE lanes;
        ALTER TABLE new_lanes RENAME TO lanes;
        CREATE INDEX lanes_dead ON lanes (platform, dead_at) WHERE dead_at IS NOT NULL;

        ALTER TABLE bodies ADD COLUMN plain TEXT NOT NULL DEFAULT '';  -- ",telegram,": who takes its bare words only
        CREATE TABLE platform_holds (        -- platforms that nothing is sent to for a while
            platform TEXT PRIMARY KEY,
            until INTEGER NOT NULL,
            reason TEXT NOT NULL
        ) WITHOUT ROWID;

        UPDATE outbox SET ready_at = not_before WHERE id IN (
            SELECT (SELECT id FROM outbox WHERE lane = lanes.id AND settled_at IS NULL ORDER BY due_at, id LIMIT 1)
            FROM lanes WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE lane = lanes.id AND lease_until IS NOT NULL)
        );
    """)
