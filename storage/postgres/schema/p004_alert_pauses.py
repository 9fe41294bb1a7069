"""As SQLite's m020: a chat's pause silences its alerts, too."""

from __future__ import annotations

from typing import Final

SQL: Final = "ALTER TABLE alerts ADD COLUMN paused_at bigint, ADD COLUMN paused_until bigint"
