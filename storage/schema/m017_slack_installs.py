"""Workspaces that have us, each with its own token."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m017_installs(db: Database) -> None:
    db.executescript("""
        CREATE TABLE installs (
            platform TEXT NOT NULL,
            workspace TEXT NOT NULL,         -- its chats' ids begin with it and a "/"
            secret TEXT NOT NULL,            -- the token and what goes with it, sealed or not; '' once it is removed
            expires_at INTEGER,              -- null: the token does not end
            installed_at INTEGER NOT NULL,
            removed_at INTEGER,              -- null while it has us
            PRIMARY KEY (platform, workspace)
        ) WITHOUT ROWID;
    """)
