"""The index holds terms (bot/terms.py) instead of the words as printed. Articles that are there are indexed anew."""

from __future__ import annotations

from sqlite_utils import Database

from storage.index import index_again
from storage.schema import migrations


@migrations()
def m010_terms(db: Database) -> None:
    db.table("articles").disable_fts()
    db.executescript("""
        CREATE VIRTUAL TABLE article_terms USING fts5 (
            title, text, tokenize = 'unicode61 remove_diacritics 0');  -- English and Russian
        CREATE VIRTUAL TABLE article_beginnings USING fts5 (           -- other languages; words of up to 8 letters
            title, text, tokenize = 'unicode61 remove_diacritics 0', prefix = '3 4 5 6 7');
        CREATE VIRTUAL TABLE article_vocabulary USING fts5vocab (article_terms, instance);
        CREATE TRIGGER articles_unindexed AFTER DELETE ON articles BEGIN
            DELETE FROM article_terms WHERE rowid = old.id;
            DELETE FROM article_beginnings WHERE rowid = old.id;
        END;
    """)
    index_again(db)
