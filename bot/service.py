"""The running whole: sources, digests, deliveries and chats beside each other, each supervised."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version

import structlog

from bot.announce import Announcer
from bot.deliver import Deliverer
from bot.errors import ChatRejected, YamchiError
from bot.locales import languages, tongue
from bot.models import Health
from bot.patience import patiently
from bot.places import known_zones
from bot.ports import Ask, Chat, Clock
from bot.schedule import Engine, Going, OneProcess, Scheduled, Tick, Ticks
from bot.store import Store
from bot.track import Tracker

RESTART_SECONDS = (1, 2, 5, 15, 30)
LASTED_SECONDS = 300.0
"""A task that lived so long has failed for the first time again."""
PRUNE_SECONDS = 6 * 3600.0
BEAT_SECONDS = 5.0
"""How often the store is tried. A second or two more, and whoever asks knows that it cannot be written."""

ROLES = ("web", "tick", "send")
"""To hear people, to look after what is due, to deliver."""

log = structlog.get_logger()


@dataclass
class Service:
    """What runs, and how it fares. `chats` holds those that can be pushed to just now.

    tick_seconds: how often the store is asked what is due
    restarts: how often each task died and was started again; roles: those of ROLES that this process has
    """

    store: Store
    tracker: Tracker
    announcer: Announcer
    deliverer: Deliverer
    chats: dict[str, Chat]
    clock: Clock
    tick_seconds: float
    vitals: dict[str, Health] = field(default_factory=dict)
    restarts: Counter[str] = field(default_factory=Counter)
    writable: Health = field(default_factory=lambda: Health(ok=True))
    ticks: Ticks | None = None
    beats: Ticks | None = None
    engine: Engine = field(default_factory=OneProcess)
    roles: frozenset[str] = frozenset(ROLES)

    def alive(self) -> dict[str, Health]:
        """Whether each of our own tasks is alive, and no tick hangs."""
        return self.vitals | {name: one for ticks in self._all_ticks() for name, one in ticks.alive().items()}

    def ready(self) -> dict[str, Health]:
        """Our tasks and ticks, the store; if we listen, each chat's connection; if we send, whether we may."""
        failed = {name: one for ticks in self._all_ticks() for name, one in ticks.failed().items()}
        connections = {name: chat.health() for name, chat in self.chats.items()} if "web" in self.roles else {}
        sending = self.deliverer.health() if "send" in self.roles else {}
        return {**failed, **self.alive(), "store": self.writable, **_merged(connections, self.vitals), **sending}

    def _all_ticks(self) -> list[Ticks]:
        return [ticks for ticks in (self.ticks, self.beats) if ticks]

    async def check_chats(self) -> list[ChatRejected]:
        """Say hello on every chat at once. Returns the definite rejections."""
        answers = await asyncio.gather(*(chat.check() for chat in self.chats.values()), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                log.error("chat rejected", error=str(answer))
        return [answer for answer in answers if isinstance(answer, ChatRejected)]

    @asynccontextmanager
    async def ticking(self, *, polls: Callable[[], bool]) -> AsyncIterator[None]:
        """The ticks go round: sources are polled while `polls()`, digests fall due, old rows go.

        None is polled while the store cannot keep what they say, nor when to ask them next.
        """

        async def track() -> Going:
            return await self.tracker.poll_due() if self.writable.ok and polls() else None

        ticks: dict[str, tuple[Tick, float]] = {
            "track": (track, self.tick_seconds),
            "announce": (self._announce, self.tick_seconds),
            "prune": (self._prune, PRUNE_SECONDS),
        }
        self.ticks = self.engine.ticks(ticks)
        await self.ticks.start()
        try:
            yield
        finally:
            await self.ticks.stop()
            self.ticks = None

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """The store is tried again and again."""
        self.beats = Scheduled({"beat": (self._beat, BEAT_SECONDS)})
        await self.beats.start()
        try:
            yield
        finally:
            await self.beats.stop()

    async def serve(self, ask: Ask, stop: asyncio.Event, roles: Collection[str]) -> None:
        """Do what these of ROLES are for, until `stop`."""
        await asyncio.to_thread(_prepare)
        self.roles = frozenset(roles)
        tasks = [asyncio.create_task(self.deliver())] if "send" in roles else []
        tasks += [asyncio.create_task(self._tick())] if "tick" in roles else []
        tasks += [asyncio.create_task(self._listen(ask))] if "web" in roles else []
        does = "serving" if "web" in roles else "working"
        log.info(does, chats=sorted(self.chats), roles=sorted(roles), version=version("yamchi"))
        stopping = asyncio.create_task(stop.wait())
        async with self.beating():
            await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        for task in (stopping, *tasks):
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def _tick(self) -> None:
        async with self.ticking(polls=lambda: True):
            await asyncio.Event().wait()

    async def _listen(self, ask: Ask) -> None:
        """On every chat, though one of them may have heard all it will."""
        async with asyncio.TaskGroup() as tasks:
            for chat in list(self.chats.values()):
                tasks.create_task(self.listen(chat, ask))
            await asyncio.Event().wait()

    async def _announce(self) -> None:
        await self.announcer.due(self.clock())

    async def _beat(self) -> None:
        """Whether the store can be written, told once when that changes."""
        before = self.writable
        try:
            await patiently(self.store.ping())
            self.writable = Health(ok=True)
        except YamchiError as error:
            self.writable = Health(ok=False, detail=str(error))
        if self.writable.ok and not before.ok:
            log.info("the store can be written again")
        elif before.ok and not self.writable.ok:
            log.error("the store cannot be written", reason=self.writable.detail)

    async def _prune(self) -> None:
        await self.store.prune(self.clock())

    async def deliver(self) -> None:
        await self.supervise("deliver", lambda: self.engine.deliver(self.deliverer.run))

    async def listen(self, chat: Chat, ask: Ask) -> None:
        """Keep a chat listening. One that has heard all it will (a pipe's end) leaves the service."""
        await self.supervise(chat.platform, lambda: chat.listen(ask))
        self.chats.pop(chat.platform, None)

    async def supervise(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` until it ends by itself; when it fails, say so and start it again."""
        failures, time = 0, asyncio.get_running_loop().time
        while True:
            started = time()
            self.vitals[name] = Health(ok=True)
            try:
                await work()
            except Exception as error:
                log.exception("task died", task=name)
                self.restarts[name] += 1
                self.vitals[name] = Health(ok=False, detail=f"died of {type(error).__name__}, restarting")
                failures = failures + 1 if time() - started < LASTED_SECONDS else 0
                await asyncio.sleep(RESTART_SECONDS[min(failures, len(RESTART_SECONDS) - 1)])
            else:
                with suppress(KeyError):
                    del self.vitals[name]
                return


def _merged(connections: dict[str, Health], tasks: dict[str, Health]) -> dict[str, Health]:
    """A chat is well if its connection and its task are."""
    return {name: tasks[name] if name in tasks and not tasks[name].ok else one for name, one in connections.items()}


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM and SIGINT from now on, which then end nothing by themselves."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def _prepare() -> None:
    """Read what the first question would hold everybody up for: the languages and the names of the zones."""
    known_zones()
    for code in languages():
        tongue(code)
