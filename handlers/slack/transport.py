"""Socket Mode, kept alive.

The SDK reconnects by itself, but asks for ever at an address that failed once, and never says
that a token is bad. So a guard looks on: an address that does not connect is thrown away, and
after a while the whole handler.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.models import Health
from handlers.slack.wire import Wire, proxy_for, refused, silent_log

MISSES: Final = 2
REBUILD: Final = 6
"""Ping intervals without a connection before everything is built anew."""
LOOK_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 2.0
REJECTED_SECONDS: Final = 60.0

REJECTED: Final = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)
"""What Slack says of a token that will not do, however often it is tried."""

log = structlog.get_logger()


class _Handler(AsyncSocketModeHandler):
    """Acknowledges with an empty answer, and tells the app which envelope a request came in."""

    async def handle(self, client: Any, req: Any) -> None:
        envelope = {"envelope_id": str(req.envelope_id)}
        request = AsyncBoltRequest(mode="socket_mode", body=req.payload, context=envelope)
        answer = await self.app.async_dispatch(request)
        if answer.status == 200:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=req.envelope_id))


class Link:
    """One Socket Mode connection, from run() until it is cancelled.

    ping_interval: seconds; a silent peer is noticed after about two
    """

    def __init__(self, wire: Wire, app_token: str, ping_interval: float) -> None:
        self._wire = wire
        self._token = app_token
        self._ping = ping_interval
        self._look = min(LOOK_SECONDS, ping_interval / 2)
        self._health = Health(ok=False, detail="not connected yet")

    def health(self) -> Health:
        return self._health

    async def run(self, app: AsyncApp) -> None:
        """Be connected, whatever happens."""
        try:
            while True:
                ticket, pause = await self._open()
                if ticket:
                    await self._live(app, ticket)
                else:
                    await asyncio.sleep(pause)
        finally:
            self._health = Health(ok=False, detail="closed")

    async def ticket(self) -> str:
        """The address of a connection, good for one use. Raises what the SDK raises."""
        answer = await self._wire.client().apps_connections_open(app_token=self._token)
        return str(answer["url"])

    async def _open(self) -> tuple[str, float]:
        """A ticket, or "" and how many seconds to wait before asking again."""
        try:
            return await self.ticket(), 0
        except SlackApiError as error:
            why = refused(error)
            self._note(Health(ok=False, detail=why.error or f"HTTP {why.status}"))
            pause = REJECTED_SECONDS if why.error in REJECTED else self._ping
            return "", max(pause, why.retry_after or 0)
        except (aiohttp.ClientError, TimeoutError) as error:
            self._note(Health(ok=False, detail=f"cannot reach Slack ({type(error).__name__})"))
            return "", self._ping

    async def _live(self, app: AsyncApp, ticket: str) -> None:
        """One handler's life. Returns when it is past saving."""
        handler = _Handler(app, self._token, silent_log("slack"), self._wire.client(), ping_interval=self._ping)
        handler.client.proxy = proxy_for(ticket)
        handler.client.wss_uri = ticket
        connecting = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]
        try:
            await self._watch(handler, connecting)
        finally:
            await _end(handler, connecting)

    async def _watch(self, handler: _Handler, connecting: asyncio.Task[None]) -> None:
        misses = 0
        while misses * self._look < REBUILD * self._ping:
            if connecting.done():
                await asyncio.sleep(self._look)
            else:
                await asyncio.wait({connecting}, timeout=self._look)
            connected = await handler.client.is_connected()
            misses = 0 if connected else misses + 1
            if connected:
                self._note(Health(ok=True, detail="connected"))
            elif misses >= MISSES:
                self._note(Health(ok=False, detail="reconnecting"))
                handler.client.wss_uri = None  # else the SDK would try the same ticket for ever

    def _note(self, health: Health) -> None:
        if health != self._health:
            log.log(20 if health.ok else 30, "slack link", detail=health.detail)
        self._health = health


async def _end(handler: _Handler, connecting: asyncio.Task[None]) -> None:
    """Close, and leave no task behind: the SDK cancels its own but does not wait for them."""
    client = handler.client
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await handler.close_async()  # type: ignore[no-untyped-call]
    started = (connecting, client.message_processor, client.current_session_monitor, client.message_receiver)
    tasks = [task for task in started if task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.aiohttp_client_session.close()
