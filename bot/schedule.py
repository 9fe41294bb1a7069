"""When: a handful of ticks. What is due is state in the store, never a job in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.errors import YamchiError

Tick = Callable[[], Awaitable[object]]
log = structlog.get_logger()


def start_ticks(ticks: Mapping[str, tuple[Tick, float]]) -> AsyncIOScheduler:
    """Run each tick every so many seconds, never twice at once, never given up for being late."""
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )
    for name, (tick, seconds) in ticks.items():
        scheduler.add_job(_guarded, "interval", seconds=seconds, args=(name, tick), id=name)
    scheduler.start()
    return scheduler


async def _guarded(name: str, tick: Tick) -> None:
    try:
        await tick()
    except YamchiError as error:
        log.warning("tick failed", tick=name, reason=str(error))
    except Exception:
        log.exception("tick failed", tick=name)
