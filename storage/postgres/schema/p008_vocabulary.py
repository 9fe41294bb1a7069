"""Every word that articles hold, so that those which begin with some letters can be asked for one by one."""

from __future__ import annotations

from typing import Final

LEARN_ALL: Final = """
INSERT INTO article_vocabulary
    SELECT DISTINCT term FROM article_words, unnest(tsvector_to_array(words)) AS term
    WHERE left(term, 1) NOT IN ('=', '#', '$', '!', '@')"""
SQL: Final = f"CREATE TABLE article_vocabulary (term TEXT PRIMARY KEY); {LEARN_ALL}"
