"""What is remembered of a source between two polls."""

from __future__ import annotations

from sqlite_utils import Database

from bot.models import PollState
from storage.values import instant_or_none, micros_or_none, plain, rows


def poll_states(db: Database) -> dict[str, PollState]:
    return {
        row["source"]: PollState(
            **{
                **row,
                "next_poll_at": instant_or_none(row["next_poll_at"]),
                "last_ok_at": instant_or_none(row["last_ok_at"]),
            }
        )
        for row in rows(db, "SELECT * FROM polls")
    }


def keep_poll(db: Database, state: PollState) -> None:
    db.conn.execute(
        "INSERT OR REPLACE INTO polls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            state.source,
            micros_or_none(state.next_poll_at),
            plain(state.etag),
            plain(state.last_modified),
            plain(state.moved_to),
            micros_or_none(state.last_ok_at),
            state.failures,
            plain(state.error),
            state.items,
        ),
    )
