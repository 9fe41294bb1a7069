"""Sources, news, rates, chats, the outbox and the inbox: what the first nine changes made."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m001_sources(db: Database) -> None:
    db.executescript("""
        CREATE TABLE polls (
            source TEXT PRIMARY KEY,
            next_poll_at INTEGER,            -- null: at once
            etag TEXT NOT NULL,
            last_modified TEXT NOT NULL,
            moved_to TEXT NOT NULL,
            last_ok_at INTEGER,              -- null: never read well
            failures INTEGER NOT NULL,       -- in a row
            error TEXT NOT NULL,
            items INTEGER NOT NULL
        );
    """)


@migrations()
def m002_news(db: Database) -> None:
    db.executescript("""
        CREATE TABLE articles (
            id INTEGER PRIMARY KEY,          -- grows with publication: storage/news.py
            source TEXT NOT NULL,
            opinion INTEGER NOT NULL,
            countries TEXT NOT NULL,         -- ",KZ,KG,"
            published INTEGER NOT NULL,
            first_seen INTEGER NOT NULL,
            language TEXT NOT NULL,
            guid TEXT NOT NULL,
            url TEXT NOT NULL,
            title TEXT NOT NULL,
            lead TEXT NOT NULL,
            text TEXT NOT NULL
        );
        CREATE INDEX articles_seen ON articles (first_seen);
        CREATE INDEX articles_facets ON articles (id, source, opinion, countries);
        CREATE TABLE article_keys (
            key BLOB PRIMARY KEY,            -- a digest of the identity key
            article INTEGER REFERENCES articles (id) ON DELETE SET NULL  -- null: known, no longer kept
        ) WITHOUT ROWID;
        CREATE INDEX article_keys_article ON article_keys (article) WHERE article IS NOT NULL;
    """)
    db.table("articles").enable_fts(
        ["title", "lead", "text"], create_triggers=True, tokenize="porter unicode61 remove_diacritics 2"
    )


@migrations()
def m003_rates(db: Database) -> None:
    db.executescript("""
        CREATE TABLE rate_tables (
            source TEXT NOT NULL,
            effective_date TEXT NOT NULL,
            revision INTEGER NOT NULL,
            quote TEXT NOT NULL,
            kind TEXT NOT NULL,
            first_seen INTEGER NOT NULL,
            fixings TEXT NOT NULL,           -- [[base, value as printed, nominal, change], ...]
            PRIMARY KEY (source, effective_date, revision)
        ) WITHOUT ROWID;
    """)


@migrations()
def m004_chats(db: Database) -> None:
    db.executescript("""
        CREATE TABLE chats (
            platform TEXT NOT NULL,
            chat TEXT NOT NULL,
            zone TEXT NOT NULL,
            language TEXT NOT NULL,
            PRIMARY KEY (platform, chat)
        ) WITHOUT ROWID;
        CREATE TABLE subscriptions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: digests are named after it
            platform TEXT NOT NULL,
            chat TEXT NOT NULL,
            thread TEXT NOT NULL,
            kind TEXT NOT NULL,
            at TEXT NOT NULL,                -- wall-clock time, ISO
            weekday INTEGER NOT NULL,
            content TEXT NOT NULL,           -- {"words", "countries", "news", "rates"}
            created_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            previous_due INTEGER,
            next_due INTEGER                 -- null: instant
        );
        CREATE INDEX subscriptions_address ON subscriptions (platform, chat, thread);
        CREATE INDEX subscriptions_due ON subscriptions (next_due) WHERE next_due IS NOT NULL;
        CREATE INDEX subscriptions_instant ON subscriptions (id) WHERE kind = 'instant';
    """)


@migrations()
def m005_outbox(db: Database) -> None:
    db.executescript("""
        CREATE TABLE bodies (
            id INTEGER PRIMARY KEY,
            hash BLOB NOT NULL UNIQUE,
            message TEXT NOT NULL            -- bot.message.to_data
        );
        CREATE TABLE lanes (                 -- one for each address: its messages go out in single file
            id INTEGER PRIMARY KEY,
            platform TEXT NOT NULL,
            chat TEXT NOT NULL,
            thread TEXT NOT NULL,
            ready_at INTEGER,                -- when its first row may go; null: none waits, or one is in flight
            UNIQUE (platform, chat, thread)
        );
        CREATE INDEX lanes_ready ON lanes (platform, ready_at) WHERE ready_at IS NOT NULL;
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            lane INTEGER NOT NULL REFERENCES lanes (id),
            event TEXT NOT NULL,
            kind TEXT NOT NULL,
            state TEXT NOT NULL,
            body INTEGER NOT NULL REFERENCES bodies (id),
            due_at INTEGER NOT NULL,
            not_before INTEGER NOT NULL,     -- due_at, or when to try again
            expires_at INTEGER NOT NULL,
            owner TEXT NOT NULL DEFAULT '',
            lease_until INTEGER,
            tries INTEGER NOT NULL DEFAULT 0,
            lost INTEGER NOT NULL DEFAULT 0, -- answers lost so far
            message_id TEXT NOT NULL DEFAULT '',
            last_error TEXT NOT NULL DEFAULT '',
            created_at INTEGER NOT NULL,
            settled_at INTEGER,              -- null: pending or in flight
            UNIQUE (lane, event)
        );
        CREATE INDEX outbox_body ON outbox (body);
        CREATE INDEX outbox_pending ON outbox (lane, due_at) WHERE state = 'pending';
        CREATE INDEX outbox_expiring ON outbox (expires_at) WHERE state = 'pending';
        CREATE INDEX outbox_inflight ON outbox (lane) WHERE state = 'inflight';
        CREATE INDEX outbox_settled ON outbox (state, settled_at) WHERE settled_at IS NOT NULL;
        CREATE INDEX outbox_last ON outbox (lane, settled_at) WHERE settled_at IS NOT NULL;
    """)


@migrations()
def m006_inbox(db: Database) -> None:
    db.executescript("""
        CREATE TABLE inbox (
            id INTEGER PRIMARY KEY,          -- in the order they came
            platform TEXT NOT NULL,
            key TEXT NOT NULL,
            raw TEXT NOT NULL,
            state TEXT NOT NULL,             -- new, taken, done, poison
            tries INTEGER NOT NULL,
            received_at INTEGER NOT NULL,
            UNIQUE (platform, key)
        );
        CREATE INDEX inbox_waiting ON inbox (platform, id) WHERE state = 'new';
        CREATE TABLE tokens (
            token TEXT NOT NULL,
            platform TEXT NOT NULL,
            chat TEXT NOT NULL,
            command TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (token, platform, chat)
        ) WITHOUT ROWID;
    """)


@migrations()
def m007_pulse(db: Database) -> None:
    db.executescript("""
        CREATE TABLE pulse (id INTEGER PRIMARY KEY CHECK (id = 1), beats INTEGER NOT NULL);
        INSERT INTO pulse VALUES (1, 0);
    """)


@migrations()
def m008_fixings(db: Database) -> None:
    db.executescript("""
        CREATE TABLE fixings (
            source TEXT NOT NULL,
            base TEXT NOT NULL,
            quote TEXT NOT NULL,
            effective_date TEXT NOT NULL,
            revision INTEGER NOT NULL,
            value TEXT NOT NULL,             -- as printed
            nominal INTEGER NOT NULL,
            change TEXT NOT NULL,            -- as printed
            state TEXT NOT NULL,             -- ok (one a date), held, superseded
            first_seen INTEGER NOT NULL,
            PRIMARY KEY (source, base, quote, effective_date, revision)
        ) WITHOUT ROWID;
        CREATE INDEX fixings_dated ON fixings (source, effective_date) WHERE state = 'ok';
        CREATE TABLE rate_days (
            source TEXT NOT NULL,
            effective_date TEXT NOT NULL,
            kind TEXT NOT NULL,
            carried INTEGER NOT NULL,        -- its rows only repeat the date before
            PRIMARY KEY (source, effective_date)
        ) WITHOUT ROWID;
        CREATE TABLE holds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL,
            base TEXT NOT NULL,
            quote TEXT NOT NULL,
            effective_date TEXT NOT NULL,
            revision INTEGER NOT NULL,
            held_at INTEGER NOT NULL,
            ended_at INTEGER,                -- null: held still
            UNIQUE (source, base, quote, effective_date, revision)
        );
        INSERT INTO rate_days SELECT DISTINCT source, effective_date, kind, 0 FROM rate_tables;
        INSERT INTO fixings
            SELECT source, json_extract(value, '$[0]'), quote, effective_date, 0, json_extract(value, '$[1]'),
                json_extract(value, '$[2]'), json_extract(value, '$[3]'), 'ok', first_seen
            FROM rate_tables AS t, json_each(t.fixings)
            WHERE revision = (SELECT max(revision) FROM rate_tables
                              WHERE source = t.source AND effective_date = t.effective_date);
        DROP TABLE rate_tables;
    """)


@migrations()
def m009_feeds(db: Database) -> None:
    db.executescript("""
        ALTER TABLE polls ADD COLUMN url TEXT NOT NULL DEFAULT '';   -- what it was learnt of
        ALTER TABLE polls ADD COLUMN body TEXT NOT NULL DEFAULT '';  -- hash of the last good document
        ALTER TABLE polls ADD COLUMN window REAL NOT NULL DEFAULT 0; -- seconds its entries span
        ALTER TABLE polls ADD COLUMN ttl REAL NOT NULL DEFAULT 0;    -- seconds the feed asks to be left alone
        ALTER TABLE polls ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;  -- 410s in a row
        ALTER TABLE polls ADD COLUMN note TEXT NOT NULL DEFAULT '';
        ALTER TABLE articles ADD COLUMN spans TEXT NOT NULL DEFAULT '';  -- of the lead: [[start, end, style]]
        CREATE TABLE added_feeds (
            id TEXT PRIMARY KEY,
            url TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            language TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE feed_readers (
            feed TEXT NOT NULL REFERENCES added_feeds (id) ON DELETE CASCADE,
            platform TEXT NOT NULL,
            chat TEXT NOT NULL,
            added_by TEXT NOT NULL,
            added_at INTEGER NOT NULL,
            PRIMARY KEY (platform, chat, feed)
        ) WITHOUT ROWID;
        CREATE INDEX feed_readers_feed ON feed_readers (feed);
    """)
