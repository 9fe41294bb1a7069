"""What an article is about and which story it belongs to. Old articles are of no topic and no story: those
that feeds still list are tagged when they are read again, as any edit is.
"""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m011_stories(db: Database) -> None:
    db.executescript("""
        ALTER TABLE articles ADD COLUMN topics TEXT NOT NULL DEFAULT '';   -- ",water,trade,"
        ALTER TABLE articles ADD COLUMN story INTEGER NOT NULL DEFAULT 0;  -- id of the story's first article; 0: alone
        CREATE INDEX articles_story ON articles (story, id) WHERE story > 0;
        DROP INDEX articles_facets;
        CREATE INDEX articles_facets ON articles (id, source, opinion, countries, topics);
    """)
