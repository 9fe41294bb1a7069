"""Works through the kept updates: in order within a chat, chats beside each other."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import structlog

from bot.compose import operators
from bot.errors import YamchiError
from bot.models import Update
from bot.patience import patiently
from bot.ports import Clock, CrashHook, Tell
from bot.rules import is_poison
from bot.store import Store
from handlers.telegram.hear import only_reads
from handlers.telegram.poll import PLATFORM

AT_ONCE: Final = 32
WINDOW: Final = 1000
RETRY_SECONDS: Final = 1.0
CHATS: Final = (
    ("message", "chat"),
    ("callback_query", "message", "chat"),
    ("my_chat_member", "chat"),
    ("inline_query", "from"),
)
"""Where the chat, or who asks without one, stands in an update."""

log = structlog.get_logger()

T = TypeVar("T")


class Handle(Protocol):
    """Does what an update asks for, and settles it as "taken" before it answers. False: nobody can read it.
    It raises YamchiError where the store failed it before it had any effect: then it is called again.

    acted: it took effect in an earlier life, so it is only answered
    kept: false while it is not in the store, which cannot be written: then it is answered or fails, at once
    """

    async def __call__(self, raw: dict[str, Any], *, acted: bool = False, kept: bool = True) -> bool: ...


class Inbox:
    """tell: says to the operators what was put aside; window: how many updates are in hand at most."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        handle: Handle,
        tell: Tell,
        crash: CrashHook = lambda _: None,
        *,
        window: int = WINDOW,
    ) -> None:
        self._store = store
        self._clock = clock
        self._handle = handle
        self._tell = tell
        self._crash = crash
        self._window = window
        self._news = asyncio.Event()
        self._lanes: dict[str, deque[Update]] = {}
        self._last = 0
        self._held = 0
        self._glanced: set[str] = set()
        self._free = asyncio.Semaphore(AT_ONCE)

    async def keep(self, updates: Sequence[Update]) -> int | None:
        """Take in what came, before it is confirmed. Returns how many were new; None if the store cannot be
        written just now: then nothing may be confirmed, and all of it comes again."""
        try:
            new = await patiently(self._store.keep_updates(updates, self._clock()))
        except YamchiError as error:
            log.warning("updates cannot be kept", reason=str(error), updates=len(updates))
            await self._glance(updates)
            return None
        self._crash("update-kept")
        self._news.set()
        return new

    async def _glance(self, updates: Sequence[Update]) -> None:
        """Answer those that only read and were not answered before; when they come again they are settled only."""
        for update in updates:
            raw = json.loads(update.raw)
            if update.key in self._glanced or not only_reads(raw):
                continue
            self._glanced.add(update.key)
            try:
                await self._handle(raw, kept=False)
            except YamchiError as error:  # nothing was answered
                log.warning("the store fails", reason=str(error))
                self._glanced.discard(update.key)

    async def run(self) -> None:
        """Handle what waits in the store, now and whenever woken, until cancelled."""
        self._lanes.clear()
        self._last = self._held = 0
        await self._answer_for_the_dead()
        await self._clear_suspects()
        self._news.set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._news.wait()
                self._news.clear()
                await self._take(tasks)

    async def _answer_for_the_dead(self) -> None:
        """Tell people of what took effect just before we died."""
        acted = await insist(lambda: self._store.acted_updates(PLATFORM))
        await asyncio.gather(*(self._carry_through(update, acted=True) for update in acted))

    async def _clear_suspects(self) -> None:
        """What may have killed us is handled before all others and alone, so that it takes nobody with it."""
        while (suspect := await insist(lambda: self._store.suspect_update(PLATFORM))) is not None:
            if not is_poison(suspect, self._clock()):
                log.warning("update handled alone: it may be what stopped us", update=suspect.key, tries=suspect.tries)
                await self._carry_through(suspect)
            else:
                await self._put_aside(suspect)

    async def _put_aside(self, update: Update) -> None:
        log.error("update put aside: it stopped us again and again", update=update.key, tries=update.tries)
        words = partial(operators.telegram_poison, update.key, update.tries)
        await insist(lambda: self._tell(f"poison:{PLATFORM}:{update.key}", words))
        await insist(lambda: self._store.settle_update(PLATFORM, update.key, "poison"))

    async def _take(self, tasks: asyncio.TaskGroup) -> None:
        """Queue what waits and is not in hand yet."""
        while room := self._window - self._held:
            waiting = await insist(lambda: self._store.waiting_updates(PLATFORM, room, self._last))
            for update in waiting:
                self._queue(update, tasks)
            if len(waiting) < room:
                return

    def _queue(self, update: Update, tasks: asyncio.TaskGroup) -> None:
        self._held += 1
        self._last = update.number
        lane = _lane(update)
        if lane in self._lanes:
            self._lanes[lane].append(update)
        else:
            self._lanes[lane] = deque([update])
            tasks.create_task(self._walk(lane))

    async def _walk(self, lane: str) -> None:
        """One chat's updates, one after the other."""
        waiting = self._lanes[lane]
        while waiting:
            async with self._free:
                await self._carry_through(waiting.popleft())
            full = self._held == self._window
            self._held -= 1
            if full:
                self._news.set()
        del self._lanes[lane]

    async def _carry_through(self, update: Update, *, acted: bool = False) -> None:
        raw = json.loads(update.raw)
        known = update.key in self._glanced or await insist(lambda: self._handle(raw, acted=acted))
        state = "done" if known else "poison"
        await insist(lambda: self._store.settle_update(PLATFORM, update.key, state))
        self._glanced.discard(update.key)


async def insist(work: Callable[[], Awaitable[T]]) -> T:
    """The result of `work`, tried again for as long as the store fails."""
    while True:
        try:
            return await work()
        except YamchiError as error:
            log.warning("the store fails", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)


def _lane(update: Update) -> str:
    """The chat an update belongs to; one without has a lane of its own."""
    raw = json.loads(update.raw)
    for path in CHATS:
        found: Any = raw
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, dict) and "id" in found:
            return str(found["id"])
    return f"update {update.key}"
