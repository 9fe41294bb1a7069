"""The store in a PostgreSQL database, chosen by DATABASE_URL alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Concatenate, Final, ParamSpec, TypeVar

from sqlite_utils import Database

from bot.models import Article, Delivery, Lease, NewsPage, NewsQuery, Outcome, Update
from storage import inbox
from storage.postgres import index, listeners, search, senders, turns
from storage.postgres.connection import READ, SHARE, WRITE, PostgresCrew
from storage.postgres.lock import LISTENER, SENDER, PostgresLock
from storage.postgres.opening import open_whole
from storage.sqlite import READERS, SqlStore
from storage.threads import Crew
from storage.together import Together

P = ParamSpec("P")
T = TypeVar("T")

SENDERS: Final = 2
"""So that messages are taken up while what became of others is written down."""
A_TURN: Final = 100
"""Messages that are taken up in one."""


async def open_postgres(url: str, *, retention_days: int = 90) -> PostgresStore:
    """The store in the database at `url`; its tables are made where they are missing.

    retention_days: how long articles are kept
    Raises DatabaseError for one that cannot be reached, is too old, foreign, or newer than this version; it is then
    left untouched.
    """
    writer = PostgresCrew(1, url, WRITE)
    store = PostgresStore(url, writer, PostgresCrew(READERS, url, READ), retention_days=retention_days)
    try:
        await writer.run(open_whole)
    except BaseException:
        await store.close()
        raise
    return store


@dataclass
class Turn:
    """This process's turn at a shard. left: messages it may still take up"""

    left: int = A_TURN
    over: asyncio.Event = field(default_factory=asyncio.Event)


class PostgresStore(SqlStore):
    """bot.store.Store on PostgreSQL: the SQL is SQLite's, said in its dialect; the search is its own.

    turns: the shards whose turn it is here, of which alone messages are taken up; None: of all of them
    leased: the platforms whose rate has been shared out
    """

    _index = index

    def __init__(self, url: str, writer: Crew, readers: Crew, *, retention_days: int) -> None:
        super().__init__(writer, readers, retention_days=retention_days)
        self._url = url
        self._senders = PostgresCrew(SENDERS, url, SHARE)
        self._presence: dict[str, PostgresLock] = {}
        self._put = asyncio.Event()
        self.turns: dict[int, Turn] | None = None
        self.leased: set[str] = set()
        self._settled = Together(self._settle)
        self._hand = inbox.Hand(self._hand.owner, listeners.others)
        self._listens = PostgresLock(url, LISTENER, self._hand.owner)

    async def lease_tokens(self, owner: str, platform: str, now: datetime, until: datetime) -> Lease:
        """Several senders share what a platform takes."""
        lives = self._presence.setdefault(owner, PostgresLock(self._url, SENDER, senders.key_of(owner)))
        await asyncio.to_thread(lives.acquire)
        lease = await self._writer.run(senders.lease, owner, platform, now, until)
        self.leased.add(platform)
        return lease

    async def _put_in(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        result = await super()._put_in(work, *args, **kwargs)
        self._put.set()
        return result

    async def put_in(self, seconds: float | None) -> None:
        """As enqueued(), for whoever gives out turns."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._put.wait()
        self._put.clear()

    def look_again(self) -> None:
        """Whoever waits for rows is woken, here and where turns are given out."""
        self._enqueued.set()
        self._put.set()

    async def claim(
        self, owner: str, platforms: Collection[str], now: datetime, lease_until: datetime, limit: int
    ) -> list[Delivery]:
        mine = self.turns
        shards = range(turns.SHARDS) if mine is None else [shard for shard, turn in mine.items() if turn.left > 0]
        if not shards:
            return []
        claimed, taken = await self._senders.run(turns.claim, shards, owner, platforms, now, lease_until, limit)
        for shard, count in taken.items():
            if mine and (turn := mine.get(shard)):
                turn.left -= count
                if turn.left <= 0:
                    turn.over.set()
        return claimed

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
        await asyncio.gather(self._senders.close(), super().close())
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

    async def _settle(self, settled: list[turns.Settled]) -> list[bool]:
        if any(turns.concerns_all(outcome) for _, outcome, _ in settled):
            return await self._writer.run(turns.settle_alone, settled)
        return await self._senders.run(turns.settle, settled)

    async def find_news(self, query: NewsQuery, limit: int) -> NewsPage:
        return await self._readers.run(search.find_news, query, limit)

    async def news_seen(self, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
        return await self._readers.run(search.news_seen, after, until, query, limit)
