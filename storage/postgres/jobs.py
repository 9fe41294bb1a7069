"""procrastinate, as turns and ticks use it: workers that outlive the database, and go on with what the dead had."""

from __future__ import annotations

import asyncio
from typing import Final

import procrastinate
import psycopg
import structlog
from procrastinate import exceptions
from procrastinate.jobs import Status
from psycopg import AsyncConnection

from storage.postgres.connection import SESSION

JOBS: Final = f"{SESSION}; SET synchronous_commit = off; SET lock_timeout = '10s'"
"""A job that is lost is put down again, so no disk is waited for."""
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
LATEST: Final = 12 * 3600
"""A period that nobody was there for is caught up with within it."""
ERRORS: Final = (exceptions.ProcrastinateException, psycopg.Error)

log = structlog.get_logger()


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
                log.warning("the database fails", queue=queue, reason=said(error))
        except Exception:
            log.exception("worker died", queue=queue)
        await asyncio.sleep(AGAIN_SECONDS)


def goes_on(connector: procrastinate.PsycopgConnector) -> procrastinate.App:
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


async def configured(link: AsyncConnection[object]) -> None:
    await link.execute(JOBS)
    await link.commit()


def said(error: Exception) -> str:
    cause = error.__cause__ or error
    return next(iter(str(cause).splitlines()), type(cause).__name__)


async def ended(task: asyncio.Task[None]) -> None:
    """It is over, or has been waited for long enough."""
    task.cancel()
    await asyncio.wait({task}, timeout=STOP_SECONDS)
