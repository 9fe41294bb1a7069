"""Ticks and deliveries of several processes on one database, by procrastinate.

A tick is a periodic task: its period is put down once, whoever runs, and one process at a time carries it. Ticks look
at state in the store, so a period that is dropped costs nothing: the next one sees the same.

A job of sending is a turn at a shard (storage/postgres/turns.py): for a few seconds, or for a hundred messages, this
process's deliverer takes up what is ready there. Nothing hangs on it but who does it: what is claimed is in the outbox,
so a job may be lost, or be carried twice, and no message is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from math import ceil
from typing import Final

import procrastinate
import structlog
from procrastinate.jobs import Job
from psycopg.rows import tuple_row

from bot.errors import DatabaseError
from bot.ports import Chat, Clock
from bot.schedule import Tick, Ticks
from storage.postgres.connection import CONNECT_SECONDS, WATCHED, WRITERS
from storage.postgres.jobs import AGAIN_SECONDS, ERRORS, STOP_SECONDS, configured, ended, goes_on, said, work
from storage.postgres.lock import SERVICE, PostgresLock
from storage.postgres.store import PostgresStore, Turn
from storage.postgres.ticks import SharedTicks
from storage.postgres.turns import SHARDS, WAITING
from storage.values import micros

CONNECTIONS: Final = 4
DISPATCH: Final = f"SELECT pg_advisory_xact_lock({WRITERS + 17})"
"""Who puts down turns does it alone: a turn that is there twice would be an error."""

WAIT_SECONDS: Final = 5.0
"""For a connection; so often it is tried anew where there is none."""
DISPATCH_SECONDS: Final = 0.5
TURN_SECONDS: Final = 3.0
"""So long it may take until a sender that joins has its part of the shards."""
NEWCOMER_SECONDS: Final = 15.0
"""How long a sender takes no turns at most because it may not send yet: others could carry what it would sit on."""

log = structlog.get_logger()


class PostgresEngine:
    """bot.schedule.Engine. chats: those that are sent on; the mapping may change"""

    def __init__(self, url: str, store: PostgresStore, chats: Mapping[str, Chat], clock: Clock) -> None:
        self._url = url
        self._store = store
        self._chats = chats
        self._clock = clock
        self._connector = procrastinate.PsycopgConnector(
            conninfo=url,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=WAIT_SECONDS,
            reconnect_timeout=AGAIN_SECONDS,
            configure=configured,
            kwargs={"application_name": "yamchi jobs", "connect_timeout": CONNECT_SECONDS, **WATCHED},
        )
        self._sending = goes_on(self._connector)
        self._sending.task(name="send", queue="send")(self._turn)
        self._dispatching: asyncio.Task[None] | None = None
        self._beat: float | None = None

    async def __aenter__(self) -> PostgresEngine:
        """Raises DatabaseError."""
        try:
            await self._connector.open_async()
        except ERRORS as error:
            raise DatabaseError(f"the database cannot be reached ({said(error)})") from None
        self._dispatching = asyncio.create_task(self._dispatch_all())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._dispatching
        await ended(self._dispatching)
        with suppress(TimeoutError, *ERRORS):
            async with asyncio.timeout(STOP_SECONDS):
                await self._connector.close_async()

    def ticks(self, ticks: Mapping[str, tuple[Tick, float]]) -> Ticks:
        return SharedTicks(goes_on(self._connector), ticks, PostgresLock(self._url, SERVICE, 1, shared=True))

    async def deliver(self, carry: Callable[[], Awaitable[None]]) -> None:
        """Messages are taken up where it is this process's turn; once more a second after the database has failed, as
        it is not known how long it will be away."""
        while True:
            try:
                await self._deliver(carry)
            except DatabaseError as error:
                log.warning("sending stands still", reason=str(error))
            await asyncio.sleep(AGAIN_SECONDS)

    async def _deliver(self, carry: Callable[[], Awaitable[None]]) -> None:
        turns: dict[int, Turn] = {}
        self._store.turns = turns
        carrying = asyncio.ensure_future(carry())
        working = asyncio.create_task(self._take_turns())
        self._beat = DISPATCH_SECONDS
        self._store.look_again()
        try:
            over, _ = await asyncio.wait({carrying, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._beat = None
            turns.clear()
            carrying.cancel()
            await asyncio.gather(carrying, ended(working), return_exceptions=True)
        for task in over:
            task.result()

    async def _take_turns(self) -> None:
        time = asyncio.get_running_loop().time
        until = time() + NEWCOMER_SECONDS
        while time() < until and not self._heard():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        while True:
            part = self._part()
            working = asyncio.create_task(work(self._sending, "send", part))
            try:
                while part == self._part() and not working.done():
                    await asyncio.wait({working}, timeout=DISPATCH_SECONDS)
            finally:
                await ended(working)

    def _part(self) -> int:
        """Turns at once: all senders together have enough for every shard, and none has them all. One for upkeep."""
        return ceil(SHARDS * max((chat.pace.share for chat in self._chats.values()), default=1.0)) + 1

    def _heard(self) -> bool:
        """Whether we have a part of every platform's rate, and may use it."""
        return self._store.leased >= self._chats.keys() and not any(chat.pace.held for chat in self._chats.values())

    async def _turn(self, shard: int) -> None:
        """One process's turn at a shard. When it has been struck off, whoever waits there may have the next."""
        job, mine = asyncio.current_task(), self._store.turns
        assert job
        job.add_done_callback(lambda _: self._store.look_again())
        if mine is None:
            return
        turn = mine[shard] = Turn()
        self._store.look_again()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(TURN_SECONDS):
                    await turn.over.wait()
        finally:
            if mine.get(shard) is turn:
                del mine[shard]

    async def _dispatch_all(self) -> None:
        """Put down a turn for every shard in which anything is ready: when this process put it there, and by those who
        send every now and then, as it may have come of itself."""
        well = True
        while True:
            await self._store.put_in(self._beat)
            try:
                await self._dispatch()
                well = True
            except ERRORS as error:
                if well:
                    log.warning("turns not put down", reason=said(error))
                well = False
                await asyncio.sleep(AGAIN_SECONDS)
            except Exception:
                log.exception("turns not put down")
                await asyncio.sleep(AGAIN_SECONDS)

    async def _dispatch(self) -> None:
        asked = {"platforms": list(self._chats), "now": micros(self._clock())}
        async with self._connector.pool.connection() as link:
            await link.execute(DISPATCH)
            cursor = await link.cursor(row_factory=tuple_row).execute(WAITING, asked)
            turns = [_turn_at(shard, urgency) for shard, urgency in await cursor.fetchall()]
            if turns:
                await self._sending.job_manager.batch_defer_jobs_async(turns, connection=link)


def _turn_at(shard: int, urgency: int) -> Job:
    name = f"shard {shard}"
    return Job(
        queue="send", task_name="send", task_kwargs={"shard": shard}, lock=name, queueing_lock=name, priority=-urgency
    )
