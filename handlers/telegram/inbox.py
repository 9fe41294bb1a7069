"""Works through the kept updates: in order within a chat, chats beside each other."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import structlog
import telegram

from bot.errors import YamchiError
from bot.models import Update
from bot.ports import Store
from handlers.telegram.poll import PLATFORM

AT_ONCE: Final = 32
WINDOW: Final = 1000
"""Waiting updates that are looked at together."""
RETRY_SECONDS: Final = 1.0

log = structlog.get_logger()

T = TypeVar("T")
Handle = Callable[[telegram.Update], Awaitable[None]]


class Inbox:
    """handle: does what an update asks for, and settles it as "taken" before it answers. It raises
    YamchiError where the store failed it before anything was answered: then it is called again.
    only_reads: whether an update changes nothing."""

    def __init__(
        self, store: Store, bot: telegram.Bot, handle: Handle, only_reads: Callable[[telegram.Update], bool]
    ) -> None:
        self._store = store
        self._bot = bot
        self._handle = handle
        self._only_reads = only_reads
        self._news = asyncio.Event()
        self._more = False
        self._lanes: dict[str, deque[Update]] = {}
        self._held: set[str] = set()
        self._settled: set[str] = set()
        self._answered: set[str] = set()
        self._free = asyncio.Semaphore(AT_ONCE)

    def wake(self) -> None:
        """There is something new in the store."""
        self._news.set()

    async def glance(self, updates: Sequence[Update]) -> None:
        """Answer those that only read and were not answered before. They could not be kept, so all of
        them come again; the answered ones are then no more than settled."""
        for update in updates:
            readable = self._read(update)
            if update.key in self._answered or readable is None or not self._only_reads(readable):
                continue
            self._answered.add(update.key)
            try:
                await self._handle(readable)
            except YamchiError as error:  # nothing was answered
                log.warning("the store fails", reason=str(error))
                self._answered.discard(update.key)

    def glanced(self, update: telegram.Update) -> bool:
        """Whether this one is not in the store, or was not when it was answered."""
        return str(update.update_id) in self._answered

    async def run(self) -> None:
        """Handle what waits in the store, now and whenever woken, until cancelled."""
        self._lanes.clear()
        self._held.clear()
        self._news.set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._news.wait()
                self._news.clear()
                await self._take(tasks)

    async def _take(self, tasks: asyncio.TaskGroup) -> None:
        """Queue what waits. What was settled before we asked cannot be in the answer; what is settled
        while we ask can, so it is still held then."""
        gone, self._settled = self._settled, set()
        waiting = await self._insist(lambda: self._store.waiting_updates(PLATFORM, WINDOW))
        self._more = len(waiting) == WINDOW
        for update in waiting:
            if update.key not in self._held:
                self._queue(update, tasks)
        self._held -= gone

    def _queue(self, update: Update, tasks: asyncio.TaskGroup) -> None:
        self._held.add(update.key)
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
            update = waiting.popleft()
            async with self._free:
                state = await self._insist(lambda: self._carry_out(update))  # noqa: B023 - awaited here and now
                await self._insist(lambda: self._store.settle_update(PLATFORM, update.key, state))  # noqa: B023
            self._settled.add(update.key)
            self._answered.discard(update.key)
        del self._lanes[lane]
        if self._more:
            self._news.set()

    async def _carry_out(self, update: Update) -> str:
        if update.key in self._answered:
            return "done"
        readable = self._read(update)
        if readable is None:
            return "poison"
        await self._handle(readable)
        return "done"

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, tried again for as long as the store fails."""
        while True:
            try:
                return await work()
            except YamchiError as error:
                log.warning("the store fails", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    def _read(self, update: Update) -> telegram.Update | None:
        try:
            return telegram.Update.de_json(json.loads(update.raw), self._bot)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's update makes the library raise
            log.warning("unreadable update put aside", update=update.key, error=type(error).__name__)
            return None


def _lane(update: Update) -> str:
    """The chat an update belongs to; an unreadable one has a lane of its own."""
    raw = json.loads(update.raw)
    for path in (("message", "chat"), ("callback_query", "message", "chat"), ("my_chat_member", "chat")):
        found: Any = raw
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, dict) and "id" in found:
            return str(found["id"])
    return f"update {update.key}"
