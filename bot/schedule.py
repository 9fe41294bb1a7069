"""When: a handful of ticks. What is due is state in the store, never a job in here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.errors import YamchiError
from bot.models import Health

Tick = Callable[[], Awaitable[object]]
HANGS: Final = 300.0
"""Seconds after which a tick that has not come to its end counts as hanging."""

log = structlog.get_logger()


class Ticks:
    """Each tick every so many seconds, never twice at once, never given up for being late.

    hangs: seconds after which one that does not end makes us unhealthy
    """

    def __init__(self, ticks: Mapping[str, tuple[Tick, float]], hangs: float = HANGS) -> None:
        self._hangs = hangs
        self._stopping = False
        self._started: dict[str, float] = {}
        self._failed: dict[str, str] = {}
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for name, (tick, seconds) in ticks.items():
            self._scheduler.add_job(self._guarded, "interval", seconds=seconds, args=(name, tick), id=name)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._stopping = True
        self._scheduler.shutdown(wait=False)

    def alive(self) -> dict[str, Health]:
        """The ticks that hang."""
        now = asyncio.get_running_loop().time()
        since = {name: now - started for name, started in self._started.items()}
        return {
            f"tick {name}": Health(ok=False, detail=f"has not come to its end for {seconds:.0f} s")
            for name, seconds in since.items()
            if seconds > self._hangs
        }

    def failed(self) -> dict[str, Health]:
        """The ticks that failed the last time."""
        return {f"tick {name}": Health(ok=False, detail=f"failed: {what}") for name, what in self._failed.items()}

    async def _guarded(self, name: str, tick: Tick) -> None:
        self._started[name] = asyncio.get_running_loop().time()
        try:
            await tick()
        except asyncio.CancelledError:
            if not self._stopping:  # else it is we who want it to end, and nobody need hear of it
                raise
        except YamchiError as error:
            log.warning("tick failed", tick=name, reason=str(error))
            self._failed[name] = str(error)
        except Exception as error:
            log.exception("tick failed", tick=name)
            self._failed[name] = type(error).__name__
        else:
            self._failed.pop(name, None)
        finally:
            del self._started[name]
