"""The store in a PostgreSQL database, chosen by DATABASE_URL alone."""

from __future__ import annotations

from datetime import datetime

from bot.models import Article, NewsPage, NewsQuery
from storage.postgres import index, search
from storage.postgres.connection import PostgresCrew
from storage.postgres.opening import open_whole
from storage.sqlite import READERS, SqlStore


async def open_postgres(url: str, *, retention_days: int = 90) -> PostgresStore:
    """The store in the database at `url`; its tables are made where they are missing.

    retention_days: how long articles are kept
    Raises DatabaseError for one that cannot be reached, is too old, foreign, or newer than this version; it is then
    left untouched.
    """
    writer = PostgresCrew(1, url, "BEGIN IMMEDIATE")
    store = PostgresStore(writer, PostgresCrew(READERS, url, "BEGIN"), retention_days=retention_days)
    try:
        await writer.run(open_whole)
    except BaseException:
        await store.close()
        raise
    return store


class PostgresStore(SqlStore):
    """bot.ports.Store on PostgreSQL: the SQL is SQLite's, said in its dialect; the search is its own."""

    _index = index

    async def find_news(self, query: NewsQuery, limit: int) -> NewsPage:
        return await self._readers.run(search.find_news, query, limit)

    async def news_seen(self, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
        return await self._readers.run(search.news_seen, after, until, query, limit)
