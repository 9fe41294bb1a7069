"""Works through a platform's kept updates, whichever process kept them: in order within a chat, chats side by side.

An update in hand belongs to one living process, and so does the rest of its chat. When a chat's updates are done we
look again, so that what another process kept of it meanwhile is not left. What a process had in hand that died is found
within seconds.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from typing import Final, Protocol, TypeVar

import structlog

from bot.errors import YamchiError
from bot.models import Update
from bot.patience import patiently
from bot.ports import Clock
from bot.rules import is_poison
from bot.store import Store

AT_ONCE: Final = 32
WINDOW: Final = 1000
RETRY_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 5.0
"""How often we look for what the dead had in hand."""

log = structlog.get_logger()

T = TypeVar("T")


class Handle(Protocol):
    """Does what an update asks for, and settles it as "taken" before it answers. False: nobody can read it.
    It raises YamchiError where the store failed it before it had any effect: then it is called again.

    acted: it took effect in an earlier life, so it is only answered
    """

    async def __call__(self, update: Update, *, acted: bool = False) -> bool: ...


class Inbox:
    """put_aside: told of one that stopped us again and again, before it is settled as such
    window: how many updates are in hand at most; drain: seconds for what is under way when we are cancelled
    """

    def __init__(
        self,
        platform: str,
        store: Store,
        clock: Clock,
        handle: Handle,
        put_aside: Callable[[Update], Awaitable[None]],
        *,
        window: int = WINDOW,
        drain: float = 0.0,
    ) -> None:
        self._platform = platform
        self._store = store
        self._clock = clock
        self._handle = handle
        self._put_aside = put_aside
        self._window = window
        self._drain = drain
        self._news = asyncio.Event()
        self._lanes: dict[str, deque[tuple[Update, bool]]] = {}
        self._walks: dict[str, asyncio.Task[None]] = {}
        self._held: set[int] = set()
        self._free = asyncio.Semaphore(AT_ONCE)
        self.answered: set[str] = set()
        """Keys of those that were answered though they could not be kept. If they come again they are kept only."""

    async def keep(self, updates: Sequence[Update]) -> int:
        """Take in what came, before it is confirmed. Returns how many were new. Raises DatabaseError."""
        answered = self.answered.intersection(update.key for update in updates)
        new = await patiently(self._store.keep_updates(updates, self._clock(), answered))
        if new == len(updates):  # else one may have been kept late, and be on its way to us
            self.answered -= answered
        self._news.set()
        return new

    async def run(self) -> None:
        """Handle what waits in the store, now and whenever something comes, until cancelled."""
        self._lanes.clear()
        self._walks.clear()
        self._held.clear()
        self._news.set()
        async with asyncio.TaskGroup() as tasks:
            await self._inherit(tasks)
            tasks.create_task(self._look_round(tasks))
            try:
                while True:
                    await self._news.wait()
                    self._news.clear()
                    await self._take(tasks)
            except asyncio.CancelledError:
                await self._end()
                raise

    async def _look_round(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._inherit(tasks)
            self._news.set()

    async def _inherit(self, tasks: asyncio.TaskGroup) -> None:
        """Tell people of what took effect before its process died. Then what may have killed it is handled, before
        all others and alone at our start, so that it takes nobody with it."""
        acted = await insist(lambda: self._store.acted_updates(self._platform, self._held))
        walks = {self._queue(update, tasks, acted=True) for update in acted}
        if walks:
            await asyncio.wait(walks)
        while (suspect := await insist(lambda: self._store.suspect_update(self._platform, self._held))) is not None:
            if not is_poison(suspect, self._clock()):
                log.warning("update handled alone: it may be what stopped us", update=suspect.key, tries=suspect.tries)
                await self._carry_through(suspect)
            else:
                log.error("update put aside: it stopped us again and again", update=suspect.key, tries=suspect.tries)
                await self._put_aside(suspect)
                await self._settle(suspect, "poison")

    async def _take(self, tasks: asyncio.TaskGroup) -> None:
        """Queue what waits and is in nobody's hand."""
        while (room := self._window - len(self._held)) > 0:  # what the dead had comes on top
            waiting = await insist(lambda: self._store.waiting_updates(self._platform, room, self._held))
            for update in waiting:
                self._queue(update, tasks)
            if len(waiting) < room:
                return

    def _queue(self, update: Update, tasks: asyncio.TaskGroup, *, acted: bool = False) -> asyncio.Task[None]:
        self._held.add(update.number)
        lane = update.lane or f"update {update.key}"
        self._lanes.setdefault(lane, deque()).append((update, acted))
        if lane not in self._walks:
            self._walks[lane] = tasks.create_task(self._walk(lane))
        return self._walks[lane]

    async def _walk(self, lane: str) -> None:
        """One chat's updates, one after the other."""
        waiting = self._lanes[lane]
        while waiting:
            update, acted = waiting.popleft()
            async with self._free if update.lane else nullcontext():  # what is of no chat waits for nobody
                await self._carry_through(update, acted=acted)
            if len(self._held) == self._window:
                self._news.set()
            self._held.discard(update.number)
        del self._lanes[lane], self._walks[lane]
        self._news.set()

    async def _carry_through(self, update: Update, *, acted: bool = False) -> None:
        known = update.key in self.answered or await insist(lambda: self._handle(update, acted=acted))
        await self._settle(update, "done" if known else "poison")
        self.answered.discard(update.key)

    async def _settle(self, update: Update, state: str) -> None:
        await insist(lambda: self._store.settle_update(self._platform, update.key, state))

    async def _end(self) -> None:
        """What has not begun is for whoever comes after us; what has may come to its end."""
        for lane in self._lanes.values():
            lane.clear()
        if self._walks and self._drain:
            await asyncio.wait(self._walks.values(), timeout=self._drain)


async def insist(work: Callable[[], Awaitable[T]]) -> T:
    """The result of `work`, tried again for as long as the store fails."""
    while True:
        try:
            return await work()
        except YamchiError as error:
            log.warning("the store fails", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
