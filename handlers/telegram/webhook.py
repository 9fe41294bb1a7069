"""Telegram brings the updates: a page on our HTTP server, and an eye on whether Telegram still knows of it.

What comes with the secret is kept in the store, then answered with 200, and handled from there as what
is polled for. Everything else is refused before it is read.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from aiohttp import web
from telegram.error import InvalidToken, TelegramError

from bot.compose import operators
from bot.errors import YamchiError
from bot.models import Health
from bot.ports import Clock, Tell
from handlers.telegram.poll import ALLOWED_UPDATES, LASTING_MISSES, PACE, Keep, Pace, keep_trying, readable
from handlers.telegram.transport import Transport

PATH: Final = "/telegram/webhook"
HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
CONNECTIONS: Final = 40
BODY_SECONDS: Final = 10.0
LOOKS_BORNE: Final = 3
"""So many looks without an answer, and we are not ready."""

log = structlog.get_logger()


class Webhook:
    """hook: where Telegram reaches us (PATH is added where it has no path), and the secret every update must bring
    keep: takes updates in; tell: says to the operators what they can mend; trouble: hears of misses
    """

    def __init__(
        self,
        hook: tuple[str, str],
        transport: Transport,
        clock: Clock,
        keep: Keep,
        tell: Tell,
        pace: Pace = PACE,
        trouble: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        url, secret = hook
        self._url = url if urlsplit(url).path.strip("/") else url.rstrip("/") + PATH
        self._secret = secret.encode()
        self._transport = transport
        self._clock = clock
        self._keep = keep
        self._tell = tell
        self._pace = pace
        self._told = trouble
        self._last_ok: datetime | None = None
        self._trouble = "not connected yet"

    async def run(self) -> None:
        """Have updates brought to us, and see to it that it stays so, until cancelled."""
        while True:
            await keep_trying("setWebhook", self._set, self._pace, self._missed)
            stands = True
            while stands:
                await asyncio.sleep(self._pace.watch)
                stands = await self._stands()

    def health(self) -> Health:
        """Whether Telegram knows where to bring updates, and said so within the last few looks."""
        seconds = (self._clock() - self._last_ok).total_seconds() if self._last_ok else float("inf")
        if seconds > LOOKS_BORNE * (self._pace.watch + self._pace.timeout):
            return Health(ok=False, detail=self._trouble or "no answer of Telegram for minutes")
        return Health(ok=True, detail=self._trouble)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """One update. 200 only once it is kept, or was before; a store that fails is 503: it comes again."""
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        if not hmac.compare_digest(request.headers.get(HEADER, "").encode(errors="surrogateescape"), self._secret):
            return web.Response(status=403)
        if request.content_type != "application/json":
            return web.Response(status=415)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await request.read()
            [(_, update)] = readable([json.loads(body)])
        except TimeoutError:
            return web.Response(status=408)
        except (ValueError, RecursionError, TelegramError):
            return web.Response(status=400)
        return web.Response(status=503 if await self._keep([update]) is None else 200)

    async def _set(self) -> bool:
        asked = {
            "url": self._url,
            "secret_token": self._secret.decode(),
            "allowed_updates": list(ALLOWED_UPDATES),
            "max_connections": CONNECTIONS,
        }
        await self._transport.call("setWebhook", asked)
        self._last_ok, self._trouble = self._clock(), ""
        return True

    async def _stands(self) -> bool:
        """Whether Telegram still knows our address. What keeps it from reaching us is told."""
        try:
            told = await self._transport.call("getWebhookInfo", {})
        except TelegramError as error:
            await self._transport.renew()
            log.warning("Telegram missed", call="getWebhookInfo", error=type(error).__name__)
            return False
        found: dict[str, Any] = told if isinstance(told, dict) else {}
        if found.get("url") != self._url:
            log.warning("the webhook was taken from us; it is set again")
            return False
        fresh = self._last_ok and int(found.get("last_error_date") or 0) >= self._last_ok.timestamp()
        self._last_ok = self._clock()
        self._trouble = str(found.get("last_error_message", "")) if fresh else ""
        if self._trouble:
            waiting = found.get("pending_update_count")
            log.warning("Telegram cannot bring updates", reason=self._trouble, waiting=waiting)
            await self._say(lambda tongue: operators.telegram_webhook(self._trouble, tongue))
        return True

    async def _missed(self, error: Exception, misses: int) -> None:
        self._trouble = f"{type(error).__name__}: {error}"
        self._told(error)
        await self._transport.renew()
        if isinstance(error, InvalidToken) and misses >= LASTING_MISSES:
            await self._tell("telegram:refused", operators.telegram_refused)

    async def _say(self, words: Any) -> None:
        try:
            await self._tell("telegram:webhook", words)
        except YamchiError as error:
            log.warning("the store fails", reason=str(error))
