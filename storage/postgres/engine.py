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
import psycopg
import structlog
from procrastinate import exceptions
from procrastinate.jobs import Job, Status
from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from bot.errors import DatabaseError
from bot.models import Health
from bot.ports import Chat, Clock
from bot.schedule import HANGS, Going, Tick, Ticks
from storage.postgres.connection import CONNECT_SECONDS, SESSION, WATCHED, WRITERS
from storage.postgres.lock import SERVICE, PostgresLock
from storage.postgres.store import PostgresStore, Turn
from storage.postgres.turns import SHARDS, WAITING
from storage.values import micros

CONNECTIONS: Final = 4
JOBS: Final = f"{SESSION}; SET synchronous_commit = off; SET lock_timeout = '10s'"
"""A job that is lost is put down again, so no disk is waited for."""
DISPATCH: Final = f"SELECT pg_advisory_xact_lock({WRITERS + 17})"
"""Who puts down turns does it alone: a turn that is there twice would be an error."""

WAIT_SECONDS: Final = 5.0
"""For a connection; so often it is tried anew where there is none."""
DISPATCH_SECONDS: Final = 0.5
TURN_SECONDS: Final = 3.0
"""So long it may take until a sender that joins has its part of the shards."""
NEWCOMER_SECONDS: Final = 15.0
"""How long a sender takes no turns at most because it may not send yet: others could carry what it would sit on."""
TICKS_SECONDS: Final = 60.0
"""How long one process goes on with a tick while something of it is under way; then it only waits for that."""
FAILED_SECONDS: Final = 300.0
FETCH_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 1.0
UPKEEP: Final = "upkeep"
EVERY_TWO_SECONDS: Final = "* * * * * */2"
STALLED_SECONDS: Final = {"send": 5.0, "tick": 20.0, UPKEEP: 5.0}
"""Since a worker's last heartbeat. A turn that two have at once does no harm, a tick might."""
GONE_SECONDS: Final = 20.0
"""After which a worker's name is struck off, and all it had in hand with it."""
AGAIN_SECONDS: Final = 1.0
STOP_SECONDS: Final = 3.0
MINUTE, HOUR = 60, 3600
LATEST: Final = 12 * HOUR
"""A period that nobody was there for is caught up with within it."""

ERRORS: Final = (exceptions.ProcrastinateException, psycopg.Error)

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
            configure=_configured,
            kwargs={"application_name": "yamchi jobs", "connect_timeout": CONNECT_SECONDS, **WATCHED},
        )
        self._sending = _app(self._connector)
        self._sending.task(name="send", queue="send")(self._turn)
        self._dispatching: asyncio.Task[None] | None = None
        self._beat: float | None = None

    async def __aenter__(self) -> PostgresEngine:
        """Raises DatabaseError."""
        try:
            await self._connector.open_async()
        except ERRORS as error:
            raise DatabaseError(f"the database cannot be reached ({_said(error)})") from None
        self._dispatching = asyncio.create_task(self._dispatch_all())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._dispatching
        await _ended(self._dispatching)
        with suppress(TimeoutError, *ERRORS):
            async with asyncio.timeout(STOP_SECONDS):
                await self._connector.close_async()

    def ticks(self, ticks: Mapping[str, tuple[Tick, float]]) -> Ticks:
        return SharedTicks(_app(self._connector), ticks, PostgresLock(self._url, SERVICE, 1, shared=True))

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
            ended, _ = await asyncio.wait({carrying, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._beat = None
            turns.clear()
            carrying.cancel()
            await asyncio.gather(carrying, _ended(working), return_exceptions=True)
        for task in ended:
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
                await _ended(working)

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
                    log.warning("turns not put down", reason=_said(error))
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
        await asyncio.gather(*map(_ended, self._going))
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


async def work(app: procrastinate.App, queue: str, at_once: int) -> None:
    """Carry the jobs of a queue until cancelled; a worker that lost the database is followed by another."""
    task = asyncio.current_task()
    while task and not task.cancelling():
        try:
            await app.run_worker_async(
                queues=[queue, UPKEEP],
                concurrency=at_once,
                fetch_job_polling_interval=FETCH_SECONDS,
                shutdown_graceful_timeout=0,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=GONE_SECONDS,
            )
        except ERRORS as error:
            if not task.cancelling():
                log.warning("the database fails", queue=queue, reason=_said(error))
        except Exception:
            log.exception("worker died", queue=queue)
        await asyncio.sleep(AGAIN_SECONDS)


def _app(connector: procrastinate.PsycopgConnector) -> procrastinate.App:
    """One that goes on with what a worker that died had in hand."""
    app = procrastinate.App(connector=connector, periodic_defaults={"max_delay": LATEST})

    async def upkeep(timestamp: int) -> None:
        manager = app.job_manager
        for queue, seconds in STALLED_SECONDS.items():
            for job in await manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=seconds):
                log.warning("a worker is gone", job=job.lock or job.task_name)
                try:
                    await manager.retry_job(job)
                except exceptions.UniqueViolation:  # another waits already to do the same
                    await manager.finish_job(job, Status.FAILED, delete_job=True)
        await manager.prune_stalled_workers(GONE_SECONDS)

    app.periodic(cron=EVERY_TWO_SECONDS)(app.task(name=UPKEEP, queue=UPKEEP, queueing_lock=UPKEEP)(upkeep))
    return app


async def _configured(link: AsyncConnection[object]) -> None:
    await link.execute(JOBS)
    await link.commit()


def _said(error: Exception) -> str:
    cause = error.__cause__ or error
    return next(iter(str(cause).splitlines()), type(cause).__name__)


async def _ended(task: asyncio.Task[None]) -> None:
    """It is over, or has been waited for long enough."""
    task.cancel()
    await asyncio.wait({task}, timeout=STOP_SECONDS)


def _turn_at(shard: int, urgency: int) -> Job:
    name = f"shard {shard}"
    return Job(
        queue="send", task_name="send", task_kwargs={"shard": shard}, lock=name, queueing_lock=name, priority=-urgency
    )
