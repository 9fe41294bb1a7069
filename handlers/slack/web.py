"""HTTP mode: what Slack brings to /slack/events, and to nobody else's door.

The time is looked at before the signature, and both before Bolt sees anything: Bolt answers 500 to a
timestamp that is no number, and logs whole bodies whose signature is wrong.
"""

from __future__ import annotations

import hashlib
from typing import Final

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier

from bot.models import Health
from bot.ports import Clock

FRESH_SECONDS: Final = 300
LONGEST_STAMP: Final = 12

log = structlog.get_logger()


class _OurClock(SlackClock):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()


class Door:
    """The page of /slack/events. secret: the signing secret, not empty"""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._clock = clock
        self._verifier = SignatureVerifier(secret, _OurClock(clock))
        self._app: AsyncApp | None = None

    def open(self, app: AsyncApp) -> None:
        self._app = app

    def shut(self) -> None:
        self._app = None

    def health(self) -> Health:
        return Health(ok=True, detail="over HTTP") if self._app else Health(ok=False, detail="not listening yet")

    async def page(self, request: web.Request) -> web.StreamResponse:
        """401 to whatever Slack did not sign within five minutes; nothing of it is handled."""
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        if not self._fresh(stamp):
            return web.Response(status=401)
        body = await request.read()
        if not self._signed(body, stamp, request.headers.get("X-Slack-Signature", "")):
            return web.Response(status=401)
        if self._app is None:
            return web.Response(status=503)
        try:
            envelope = {"envelope_id": hashlib.sha256(body).hexdigest()}  # each command and press has an id in it
            heard = AsyncBoltRequest(body=body.decode(), headers=dict(request.headers), context=envelope)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            log.warning("a request cannot be read", error=type(error).__name__)
            return web.Response(status=400)
        return await to_aiohttp_response(await self._app.async_dispatch(heard))

    def _fresh(self, stamp: str) -> bool:
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= LONGEST_STAMP):
            return False
        return abs(self._clock().timestamp() - int(stamp)) <= FRESH_SECONDS

    def _signed(self, body: bytes, stamp: str, signature: str) -> bool:
        try:
            return signature.isascii() and bool(self._verifier.is_valid(body, stamp, signature))
        except UnicodeDecodeError:
            return False
