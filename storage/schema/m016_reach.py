"""How far back a total of several words looks, kept at hand: finding it takes some milliseconds."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m016_reach(db: Database) -> None:
    db.executescript("""
        CREATE TABLE search_reach (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            oldest INTEGER NOT NULL  -- article; 0: all there are
        );
        INSERT INTO search_reach
            SELECT 1, coalesce((SELECT id FROM articles INDEXED BY articles_facets
                                ORDER BY id DESC LIMIT 1 OFFSET 100000), 0);
    """)
