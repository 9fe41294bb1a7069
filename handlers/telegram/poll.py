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
from telegram.error import Conflict, InvalidToken, TelegramError

from bot.compose import operators
from bot.errors import YamchiError
from bot.models import Health, Update
from bot.ports import Clock, Tell
from handlers.telegram.transport import Flooded, Transport

PLATFORM: Final = "telegram"
ALLOWED_UPDATES: Final = ("message", "callback_query", "my_chat_member", "inline_query")
CHATS: Final = (
    ("message", "chat"),
    ("callback_query", "message", "chat"),
    ("my_chat_member", "chat"),
    ("inline_query", "from"),
)
"""Where the chat, or who asks without one, stands in an update."""
BATCH: Final = 100
SILENCE_BORNE: Final = timedelta(seconds=60)
TOLD_SECONDS: Final = 60.0
"""The same trouble is logged once in so long."""
LASTING_MISSES: Final = 6
"""So many in a row take about a minute, and are for the operators to know."""

Keep = Callable[[Sequence[Update]], Awaitable[int | None]]
"""handlers.telegram.inbox.Post.keep: takes updates in before they are confirmed; None: they may not be."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. long_poll: how long the server may hold a call; timeout: how long we wait for it;
    pause: after the first miss, doubled with each further one up to longest_pause; watch: between
    two looks at the webhook."""

    long_poll: int = 20
    timeout: float = 25.0
    pause: float = 1.0
    longest_pause: float = 30.0
    watch: float = 60.0

    def after(self, misses: int) -> float:
        """How long to wait after so many misses in a row."""
        return min(self.longest_pause, self.pause * 2.0 ** min(misses - 1, 16))


PACE: Final = Pace()


class Poll:
    """The getUpdates loop. keep: takes updates in; tell: says to the operators what only they can mend;
    trouble: hears of misses."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        keep: Keep,
        tell: Tell,
        pace: Pace = PACE,
        trouble: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._take_in = keep
        self._tell = tell
        self._pace = pace
        self._told = trouble
        self._offset = 0
        self._last_ok: datetime | None = None
        self._trouble = "not connected yet"

    async def run(self) -> None:
        """Fetch until cancelled. No answer of the server, and no silence, ends it. A webhook that an earlier run may
        have set is ended first."""
        self._last_ok, self._trouble = None, "not connected yet"
        await keep_trying("deleteWebhook", self._begin, self._pace)
        await keep_trying("getUpdates", self._fetch, self._pace, self._missed)

    def health(self) -> Health:
        """Whether the last good round trip is no more than a minute ago."""
        if self._last_ok is None or self._clock() - self._last_ok > SILENCE_BORNE:
            return Health(ok=False, detail=self._trouble or "no answer of Telegram for a minute")
        return Health(ok=True)

    async def _begin(self) -> bool:
        await self._transport.call("deleteWebhook", {})
        return True

    async def _fetch(self) -> bool:
        wait = 0 if self._trouble else self._pace.long_poll  # after trouble, learn at once whether it is over
        asked: dict[str, Any] = {"timeout": wait, "limit": BATCH, "allowed_updates": list(ALLOWED_UPDATES)}
        if self._offset:
            asked["offset"] = self._offset
        began = asyncio.get_running_loop().time()
        batch = readable(await self._transport.call("getUpdates", asked, seconds=self._pace.timeout))
        self._last_ok, self._trouble = self._clock(), ""
        new = await self._keep(batch) if batch else 0
        if wait and not new:  # a server that does not hold the call, or does not heed the offset
            held = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(0.0, self._pace.pause - held))
        return False

    async def _keep(self, batch: list[tuple[int, Update]]) -> int:
        new = await self._take_in([update for _, update in batch])
        if new is not None:
            self._offset = batch[-1][0] + 1
        return new or 0

    async def _missed(self, error: Exception, misses: int) -> None:
        self._trouble = type(error).__name__
        self._told(error)
        await self._transport.renew()
        if isinstance(error, Conflict) and "webhook" in error.message.lower():
            await self._transport.call("deleteWebhook", {})
        elif isinstance(error, Conflict) and misses >= LASTING_MISSES:
            await self._tell("telegram:conflict", operators.telegram_conflict)
        elif isinstance(error, InvalidToken) and misses >= LASTING_MISSES:
            await self._tell("telegram:refused", operators.telegram_refused)


async def keep_trying(
    name: str,
    work: Callable[[], Awaitable[bool]],
    pace: Pace,
    missed: Callable[[Exception, int], Awaitable[None]] | None = None,
) -> None:
    """Do `work` until it says that it is done, with growing pauses after failures. missed: told of each one,
    and how many there were in a row."""
    misses = 0
    told: dict[str, float] = {}
    while True:
        try:
            if await work():
                return
            misses = 0
        except (TelegramError, YamchiError) as error:
            misses += 1
            now, kind = asyncio.get_running_loop().time(), type(error).__name__
            if now - told.get(kind, -TOLD_SECONDS) >= TOLD_SECONDS:
                told[kind] = now
                log.warning("Telegram missed", call=name, error=kind, reason=str(error), misses=misses)
            if missed is not None:
                await _quietly(missed(error, misses))
            await asyncio.sleep(max(pace.after(misses), error.seconds if isinstance(error, Flooded) else 0))


async def _quietly(work: Awaitable[None]) -> None:
    try:
        await work
    except (TelegramError, YamchiError) as error:
        log.warning("Telegram missed", call="mend", error=type(error).__name__)


def _lane(raw: dict[str, Any]) -> str:
    """The chat an update belongs to, "" for none."""
    for path in CHATS:
        found: Any = raw
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, dict) and "id" in found:
            return str(found["id"])
    return ""


def readable(raw: Any) -> list[tuple[int, Update]]:
    """Updates by number, in order. A batch in which none has a number is an error: it would come for ever."""
    items = raw if isinstance(raw, list) else []
    numbered = {item["update_id"]: item for item in items if isinstance(item, dict) and _is_number(item)}
    if items and not numbered:
        raise TelegramError("updates without a number")
    return [
        (number, Update(PLATFORM, str(number), json.dumps(found), lane=_lane(found)))
        for number, found in sorted(numbered.items())
    ]


def _is_number(item: dict[str, Any]) -> bool:
    return type(item.get("update_id")) is int
