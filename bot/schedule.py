"""When: a handful of ticks. What is due is state in the store, never a job in here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Protocol

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.errors import YamchiError
from bot.models import Health

Going = Collection["asyncio.Task[None]"] | None
Tick = Callable[[], Awaitable[Going]]
"""Looks at what is due. It returns what it began and did not wait for, if anything."""
HANGS: Final = 300.0
"""Seconds after which a tick that has not come to its end counts as hanging."""

log = structlog.get_logger()


class Engine(Protocol):
    """What carries ticks and deliveries: this process by itself, or together with others. It is open while it is a
    context."""

    async def __aenter__(self) -> Engine: ...

    async def __aexit__(self, *_: object) -> None: ...

    def ticks(self, ticks: Mapping[str, tuple[Tick, float]]) -> Ticks:
        """To be started: each about every so many seconds, and never twice at once."""

    async def deliver(self, carry: Callable[[], Awaitable[None]]) -> None:
        """Have a sender carry what is its turn, until cancelled."""


class OneProcess:
    """Engine: nobody else is there."""

    async def __aenter__(self) -> OneProcess:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def ticks(self, ticks: Mapping[str, tuple[Tick, float]]) -> Ticks:
        return Scheduled(ticks)

    async def deliver(self, carry: Callable[[], Awaitable[None]]) -> None:
        await carry()


class Ticks:
    """What goes round, and how it fares.

    hangs: seconds after which one that does not end makes us unhealthy
    """

    def __init__(self, hangs: float = HANGS) -> None:
        self._hangs = hangs
        self._stopping = False
        self._started: dict[str, float] = {}
        self._failed: dict[str, str] = {}

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End, whatever is under way."""
        self._stopping = True

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

    async def _guarded(self, name: str, tick: Tick) -> Going:
        self._started[name] = asyncio.get_running_loop().time()
        try:
            going = await tick()
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
            return going
        finally:
            del self._started[name]
        return None


class Scheduled(Ticks):
    """Ticks of one process: the first of them at once, none given up for being late. What one began it does not wait
    for, as the next look knows of it."""

    def __init__(self, ticks: Mapping[str, tuple[Tick, float]], hangs: float = HANGS) -> None:
        super().__init__(hangs)
        self._first = next((name, tick) for name, (tick, _) in ticks.items())
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for name, (tick, seconds) in ticks.items():
            self._scheduler.add_job(self._guarded, "interval", seconds=seconds, args=(name, tick), id=name)

    async def start(self) -> None:
        await self._guarded(*self._first)
        self._scheduler.start()

    async def stop(self) -> None:
        await super().stop()
        self._scheduler.shutdown(wait=False)
