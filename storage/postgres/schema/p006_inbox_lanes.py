"""As SQLite's m022: which chat an update is of, and which process has it in hand."""

from __future__ import annotations

from typing import Final

SQL: Final = """
ALTER TABLE inbox ADD COLUMN lane TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN owner BIGINT NOT NULL DEFAULT 0;  -- the number of its session's advisory lock, 0: nobody
CREATE INDEX inbox_held ON inbox (platform, lane) WHERE owner <> 0;
CREATE INDEX inbox_acted ON inbox (platform, id) WHERE state = 'acted';
"""
