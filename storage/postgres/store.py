"""The store in a PostgreSQL database, chosen by DATABASE_URL alone."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime

from sqlite_utils import Database

from bot.models import Article, Delivery, Lease, NewsPage, NewsQuery, Outcome, Update
from storage import claims, inbox
from storage.postgres import index, listeners, search, senders
from storage.postgres.connection import PostgresCrew
from storage.postgres.lock import LISTENER, SENDER, PostgresLock
from storage.postgres.opening import open_whole
from storage.sqlite import READERS, SqlStore
from storage.threads import Crew
from storage.together import Together


async def open_postgres(url: str, *, retention_days: int = 90) -> PostgresStore:
    """The store in the database at `url`; its tables are made where they are missing.

    retention_days: how long articles are kept
    Raises DatabaseError for one that cannot be reached, is too old, foreign, or newer than this version; it is then
    left untouched.
    """
    writer = PostgresCrew(1, url, "BEGIN IMMEDIATE")
    store = PostgresStore(url, writer, PostgresCrew(READERS, url, "BEGIN"), retention_days=retention_days)
    try:
        await writer.run(open_whole)
    except BaseException:
        await store.close()
        raise
    return store


Settled = tuple[Delivery, Outcome, datetime]


class PostgresStore(SqlStore):
    """bot.store.Store on PostgreSQL: the SQL is SQLite's, said in its dialect; the search is its own."""

    _index = index

    def __init__(self, url: str, writer: Crew, readers: Crew, *, retention_days: int) -> None:
        super().__init__(writer, readers, retention_days=retention_days)
        self._url = url
        self._presence: dict[str, PostgresLock] = {}
        self._settled = Together(self._settle)
        self._hand = inbox.Hand(self._hand.owner, listeners.others)
        self._listens = PostgresLock(url, LISTENER, self._hand.owner)

    async def lease_tokens(self, owner: str, platform: str, now: datetime, until: datetime) -> Lease:
        """Several senders share what a platform takes."""
        lives = self._presence.setdefault(owner, PostgresLock(self._url, SENDER, senders.key_of(owner)))
        await asyncio.to_thread(lives.acquire)
        return await self._writer.run(senders.lease, owner, platform, now, until)

    async def lapsed(self, now: datetime, platforms: Collection[str] | None = None) -> list[Delivery]:
        return await self._readers.run(senders.lapsed, now, platforms)

    async def waiting_updates(self, platform: str, limit: int, held: Collection[int] = ()) -> list[Update]:
        await asyncio.to_thread(self._listens.acquire)
        return await super().waiting_updates(platform, limit, held)

    async def suspect_update(self, platform: str, held: Collection[int] = ()) -> Update | None:
        await asyncio.to_thread(self._listens.acquire)
        return await super().suspect_update(platform, held)

    async def acted_updates(self, platform: str, held: Collection[int] = ()) -> list[Update]:
        await asyncio.to_thread(self._listens.acquire)
        return await super().acted_updates(platform, held)

    async def close(self) -> None:
        await super().close()
        for lives in (self._listens, *self._presence.values()):
            lives.release()

    async def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
        """Those that come down while another commit is under way share the next one: a commit waits for the network
        and for the disk."""
        return await self._settled((delivery, outcome, now))

    async def reprieve(self, platform: str, since: datetime, now: datetime) -> int:
        """Deaths that were told of before are among those it undoes."""
        await self._settled.asked_before()
        return await super().reprieve(platform, since, now)

    async def _settle(self, settled: list[Settled]) -> list[bool]:
        return await self._writer.run(_settle_all, settled)

    async def find_news(self, query: NewsQuery, limit: int) -> NewsPage:
        return await self._readers.run(search.find_news, query, limit)

    async def news_seen(self, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
        return await self._readers.run(search.news_seen, after, until, query, limit)


def _settle_all(db: Database, settled: list[Settled]) -> list[bool]:
    return [claims.settle(db, *one) for one in settled]
