"""How many senders died with an outbox row in hand; its tries also count what came back alive."""

from __future__ import annotations

from sqlite_utils import Database

from storage.schema import migrations


@migrations()
def m019_deaths(db: Database) -> None:
    db.execute("ALTER TABLE outbox ADD COLUMN deaths INTEGER NOT NULL DEFAULT 0")
