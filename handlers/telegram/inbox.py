"""Telegram's inbox: which chat an update is of, and who is answered though nothing can be kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import structlog

from bot.compose import operators
from bot.errors import YamchiError
from bot.inbox import WINDOW, Inbox, insist
from bot.models import Update
from bot.ports import Clock, CrashHook, Tell
from bot.store import Store
from handlers.telegram.hear import only_reads
from handlers.telegram.poll import PLATFORM

log = structlog.get_logger()


class Handle(Protocol):
    """As bot.inbox.Handle, of a raw update.

    kept: false while it is not in the store, which cannot be written: then it is answered or fails, at once
    """

    async def __call__(self, raw: dict[str, Any], *, acted: bool = False, kept: bool = True) -> bool: ...


class Post:
    """tell: says to the operators what was put aside; window: as in bot.inbox.Inbox"""

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
        self._handle = handle
        self._tell = tell
        self._crash = crash
        self._inbox = Inbox(PLATFORM, store, clock, self._read, self._put_aside, window=window)
        self.run = self._inbox.run

    async def keep(self, updates: Sequence[Update]) -> int | None:
        """Take in what came, before it is confirmed. Returns how many were new; None if the store cannot be
        written just now: then nothing may be confirmed, and all of it comes again."""
        try:
            new = await self._inbox.keep(updates)
        except YamchiError as error:
            log.warning("updates cannot be kept", reason=str(error), updates=len(updates))
            await self._glance(updates)
            return None
        self._crash("update-kept")
        return new

    async def _glance(self, updates: Sequence[Update]) -> None:
        """Answer those that only read and were not answered before."""
        answered = self._inbox.answered
        for update in updates:
            raw = json.loads(update.raw)
            if update.key in answered or not only_reads(raw):
                continue
            answered.add(update.key)
            try:
                await self._handle(raw, kept=False)
            except YamchiError as error:  # nothing was answered
                log.warning("the store fails", reason=str(error))
                answered.discard(update.key)

    async def _read(self, update: Update, *, acted: bool = False) -> bool:
        return await self._handle(json.loads(update.raw), acted=acted)

    async def _put_aside(self, update: Update) -> None:
        words = partial(operators.telegram_poison, update.key, update.tries)
        await insist(lambda: self._tell(f"poison:{PLATFORM}:{update.key}", words))
