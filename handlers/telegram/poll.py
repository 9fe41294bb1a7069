"""Listens to Telegram: getUpdates, with nothing lost and nothing done twice.

A raw update is kept in the store first, and only then confirmed by the next call's offset; it
is handled from the store. So a kill loses no command, a repeated update is one update, and one
that nobody can read is put aside.

While the store cannot be written nothing is confirmed, so all of it comes again; who only wants to
read is answered meanwhile.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from telegram.error import Conflict, TelegramError

from bot.errors import YamchiError
from bot.models import Health, Update
from bot.patience import patiently
from bot.ports import Clock, CrashHook, Store
from handlers.telegram.transport import Flooded, Transport

PLATFORM: Final = "telegram"
ALLOWED_UPDATES: Final = ("message", "callback_query", "inline_query")
BATCH: Final = 100
SILENCE_BORNE: Final = timedelta(seconds=60)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. long_poll: how long the server may hold a call; timeout: how long we wait for it;
    pause: after the first miss, doubled with each further one up to longest_pause."""

    long_poll: int = 20
    timeout: float = 25.0
    pause: float = 1.0
    longest_pause: float = 30.0

    def after(self, misses: int) -> float:
        """How long to wait after so many misses in a row."""
        return min(self.longest_pause, self.pause * 2.0 ** min(misses - 1, 16))


PACE: Final = Pace()


class Poll:
    """The getUpdates loop. kept: called whenever updates have been put into the store; unkept: with
    those that could not be, as often as they come again."""

    def __init__(
        self,
        transport: Transport,
        store: Store,
        clock: Clock,
        kept: Callable[[], None],
        unkept: Callable[[Sequence[Update]], Awaitable[None]],
        crash: CrashHook,
        pace: Pace = PACE,
    ) -> None:
        self._transport = transport
        self._store = store
        self._clock = clock
        self._kept = kept
        self._unkept = unkept
        self._crash = crash
        self._pace = pace
        self._offset = 0
        self._last_ok: datetime | None = None
        self._trouble = "not connected yet"

    async def run(self) -> None:
        """Fetch until cancelled. No answer of the server, and no silence, ends it."""
        await keep_trying("getUpdates", self._fetch, self._pace, self._missed)

    def health(self) -> Health:
        if self._last_ok is None or self._clock() - self._last_ok > SILENCE_BORNE:
            return Health(ok=False, detail=self._trouble or "no answer of Telegram for a minute")
        return Health(ok=True)

    async def _fetch(self) -> bool:
        wait = 0 if self._trouble else self._pace.long_poll  # after trouble, learn at once whether it is over
        asked: dict[str, Any] = {"timeout": wait, "limit": BATCH, "allowed_updates": list(ALLOWED_UPDATES)}
        if self._offset:
            asked["offset"] = self._offset
        raw = await self._transport.call("getUpdates", asked, seconds=self._pace.timeout)
        batch = _readable(raw)
        self._last_ok, self._trouble = self._clock(), ""
        if batch:
            await self._keep(batch)
        return False

    async def _keep(self, batch: list[tuple[int, Update]]) -> None:
        updates = [update for _, update in batch]
        try:
            await patiently(self._store.keep_updates(updates, self._clock()))
        except YamchiError as error:
            log.warning("updates cannot be kept", reason=str(error), updates=len(updates))
            await self._unkept(updates)
            await asyncio.sleep(self._pace.pause)
            return
        self._crash("update-kept")
        self._offset = batch[-1][0] + 1
        self._kept()

    async def _missed(self, error: Exception) -> None:
        self._trouble = type(error).__name__
        await self._transport.renew()
        if isinstance(error, Conflict) and "webhook" in error.message.lower():
            await self._transport.call("deleteWebhook", {})


async def keep_trying(
    name: str,
    work: Callable[[], Awaitable[bool]],
    pace: Pace,
    missed: Callable[[Exception], Awaitable[None]] | None = None,
) -> None:
    """Do `work` until it says that it is done, with growing pauses after failures."""
    misses = 0
    while True:
        try:
            if await work():
                return
            misses = 0
        except (TelegramError, YamchiError) as error:
            misses += 1
            log.warning("Telegram missed", call=name, error=type(error).__name__, reason=str(error), misses=misses)
            if missed is not None:
                await _quietly(missed(error))
            await asyncio.sleep(max(pace.after(misses), error.seconds if isinstance(error, Flooded) else 0))


async def _quietly(work: Awaitable[None]) -> None:
    try:
        await work
    except TelegramError as error:
        log.warning("Telegram missed", call="mend", error=type(error).__name__)


def _readable(raw: Any) -> list[tuple[int, Update]]:
    """Updates by number, in order. A batch in which none has a number is an error: it would come for ever."""
    items = raw if isinstance(raw, list) else []
    numbered = {item["update_id"]: item for item in items if isinstance(item, dict) and _is_number(item)}
    if items and not numbered:
        raise TelegramError("updates without a number")
    return [(number, Update(PLATFORM, str(number), json.dumps(numbered[number]))) for number in sorted(numbered)]


def _is_number(item: dict[str, Any]) -> bool:
    return type(item.get("update_id")) is int
