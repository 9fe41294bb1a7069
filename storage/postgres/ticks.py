"""Ticks that several processes share: periodic tasks of procrastinate."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import procrastinate
import psycopg

from bot.errors import DatabaseError
from bot.models import Health
from bot.schedule import HANGS, Going, Tick, Ticks
from storage.postgres.jobs import ended, work
from storage.postgres.lock import PostgresLock

TICKS_SECONDS: Final = 60.0
"""How long one process goes on with a tick while something of it is under way; then it only waits for that."""
FAILED_SECONDS: Final = 300.0
MINUTE, HOUR = 60, 3600


class SharedTicks(Ticks):
    """Ticks that go round in one process at a time, whichever."""

    def __init__(
        self,
        app: procrastinate.App,
        ticks: Mapping[str, tuple[Tick, float]],
        lock: PostgresLock,
        hangs: float = HANGS,
    ) -> None:
        super().__init__(hangs)
        self._app = app
        self._lock = lock
        self._going: list[asyncio.Task[None]] = []
        self._ended: dict[str, float] = {}
        for name, (tick, seconds) in ticks.items():
            self._add(name, tick, seconds)

    def _add(self, name: str, tick: Tick, seconds: float) -> None:
        async def carry(timestamp: int) -> None:
            await self._carry(name, tick, seconds)

        task = self._app.task(name=name, queue="tick", lock=f"tick {name}", queueing_lock=f"tick {name}")(carry)
        self._app.periodic(cron=cron(seconds))(task)

    async def start(self) -> None:
        self._going = [
            asyncio.create_task(work(self._app, "tick", len(self._app.tasks))),
            asyncio.create_task(self._hold()),
        ]

    async def stop(self) -> None:
        await super().stop()
        await asyncio.gather(*map(ended, self._going))
        await asyncio.to_thread(self._lock.release)

    async def _carry(self, name: str, tick: Tick, seconds: float) -> None:
        """Until nothing of it is under way any more: another process would not know of that and begin it again."""
        time = asyncio.get_running_loop().time
        until = time() + TICKS_SECONDS
        while going := await self._guarded(name, tick):
            if time() >= until:
                await asyncio.wait(going)
                return
            await asyncio.wait(going, timeout=seconds)

    def failed(self) -> dict[str, Health]:
        """Those of the last minutes: since then another process may have carried it well."""
        since = asyncio.get_running_loop().time() - FAILED_SECONDS
        return {name: one for name, one in super().failed().items() if self._ended[name.removeprefix("tick ")] > since}

    async def _guarded(self, name: str, tick: Tick) -> Going:
        try:
            return await super()._guarded(name, tick)
        finally:
            self._ended[name] = asyncio.get_running_loop().time()

    async def _hold(self) -> None:
        """The lock tells other programs that the sources are looked after."""
        while True:
            with suppress(DatabaseError, psycopg.Error):
                await asyncio.to_thread(self._lock.acquire)
            await asyncio.sleep(5)


def cron(seconds: float) -> str:
    """About every so many seconds, with the seconds as the last field."""
    if seconds < MINUTE:
        return f"* * * * * */{max(1, int(seconds))}"
    return f"*/{int(seconds // MINUTE)} * * * *" if seconds < HOUR else f"0 */{int(seconds // HOUR)} * * *"
