"""The outbox's part of the store in one SQLite file. Each method is one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database

from bot.models import Address, Delivery, Lease, LedgerCounts, OutboxReport, Outcome, Outgoing, Record
from bot.outbox import Outbox
from storage import claims, lanes, ledger, outbox
from storage import records as records_
from storage.threads import Crew

P = ParamSpec("P")
T = TypeVar("T")


class SqliteOutbox(Outbox):
    """bot.outbox.Outbox on SQLite."""

    def __init__(self, writer: Crew, readers: Crew) -> None:
        self._writer = writer
        self._readers = readers
        self._enqueued = asyncio.Event()

    # outbox
    async def enqueue(self, outgoing: Sequence[Outgoing], now: datetime) -> int:
        return await self._put_in(outbox.enqueue, outgoing, now)

    async def _put_in(self, work: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What brings rows into the outbox, and wakes whoever waits for them."""
        result = await self._writer.run(work, *args, **kwargs)
        self._enqueued.set()
        return result

    async def enqueued(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._enqueued.wait()
        self._enqueued.clear()

    async def lease_tokens(self, owner: str, platform: str, now: datetime, until: datetime) -> Lease:
        """The lock sees to it that there is one sender, so it has all of them."""
        return Lease(1.0, await self._readers.run(lanes.held_until, platform))

    async def hold(self, platform: str, until: datetime, reason: str) -> None:
        await self._writer.run(lanes.hold_platform, platform, until, reason)

    async def claim(
        self, owner: str, platforms: Collection[str], now: datetime, lease_until: datetime, limit: int
    ) -> list[Delivery]:
        return await self._writer.run(claims.claim, owner, platforms, now, lease_until, limit)

    async def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
        return await self._writer.run(claims.settle, delivery, outcome, now)

    async def lapsed(self, now: datetime, platforms: Collection[str] | None = None) -> list[Delivery]:
        return await self._readers.run(claims.lapsed, now, platforms)

    async def expire(self, now: datetime) -> None:
        if await self._readers.run(claims.overdue, now):
            await self._writer.run(claims.expire, now)

    async def pause(self, address: Address, reason: str, now: datetime) -> None:
        await self._writer.run(lanes.kill, address, reason, now)

    async def revive(self, address: Address) -> bool:
        if not await self._readers.run(lanes.is_paused, address):
            return False
        return await self._writer.run(lanes.revive, address)

    async def reprieve(self, platform: str, since: datetime, now: datetime) -> int:
        return await self._put_in(lanes.reprieve, platform, since, now)

    async def move_chat(self, address: Address, chat: str) -> None:
        await self._writer.run(lanes.move, address, chat)

    # ledger
    async def ledger(self) -> LedgerCounts:
        return await self._readers.run(ledger.ledger)

    async def outbox_report(self, now: datetime) -> OutboxReport:
        return await self._readers.run(ledger.report, now)

    async def last_settled(self, address: Address) -> tuple[datetime, str, str] | None:
        return await self._readers.run(ledger.last_settled, address)

    async def records(self, address: Address, limit: int, *, number: int = 0, event: str = "") -> list[Record]:
        return await self._readers.run(records_.records, address, limit, number, event)
