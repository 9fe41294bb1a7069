"""/slack/install and /slack/oauth_redirect: how a workspace gets us. Bolt's own flow, with our stores and addresses."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from logging import Logger
from typing import Final

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.ports import Clock, Page
from handlers.slack.installs import INSTALL_PAGE, Credentials, ManyWorkspaces
from handlers.slack.manifest import REDIRECT_PAGE, SCOPES
from handlers.slack.wire import Wire, silent_log

STATE_LIVES: Final = timedelta(minutes=10)
MOST_STATES: Final = 10_000
"""So many used ones are remembered."""

Handle = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]

log = structlog.get_logger()


class States(AsyncOAuthStateStore):
    """Who began to install, for ten minutes: any process of ours knows its seal. Each takes one once; that no other
    takes it as well is Slack's affair, whose code is good for one use."""

    def __init__(self, clock: Clock, secret: str) -> None:
        self._clock = clock
        self._key = secret.encode()
        self._used: dict[str, None] = {}

    @property
    def logger(self) -> Logger:
        return silent_log("slack")

    async def async_issue(self, *_args: object, **_named: object) -> str:
        said = f"{int(self._clock().timestamp())}.{secrets.token_urlsafe(16)}"
        return f"{said}.{self._seal(said)}"

    async def async_consume(self, state: str) -> bool:
        said, _, seal = state.rpartition(".")
        if state in self._used or not hmac.compare_digest(self._seal(said).encode(), seal.encode()):
            return False
        if len(self._used) >= MOST_STATES:
            del self._used[next(iter(self._used))]
        self._used[state] = None
        return self._clock().timestamp() - int(said.partition(".")[0]) <= STATE_LIVES.total_seconds()

    def _seal(self, said: str) -> str:
        return hmac.new(self._key, f"install {said}".encode(), "sha256").hexdigest()


class Doorway:
    """The two pages."""

    def __init__(self, wire: Wire, installs: ManyWorkspaces, app: Credentials, clock: Clock) -> None:
        self._wire = wire
        self._installs = installs
        self._app = app
        self._states = States(clock, app.client_secret)

    def pages(self) -> dict[str, Page]:
        return {INSTALL_PAGE: self._install, REDIRECT_PAGE: self._redirect}

    async def _install(self, request: web.Request) -> web.StreamResponse:
        return await self._page(request, self._flow().handle_installation)

    async def _redirect(self, request: web.Request) -> web.StreamResponse:
        return await self._page(request, self._flow().handle_callback)

    async def _page(self, request: web.Request, handle: Handle) -> web.StreamResponse:
        if request.method != "GET":
            return web.Response(status=405, headers={"Allow": "GET"})
        asked = AsyncBoltRequest(body="", query=request.query_string, headers=dict(request.headers))
        try:
            answer = await to_aiohttp_response(await handle(asked))
        except Exception:
            log.exception("an installation failed")
            return web.Response(status=500, text="That did not work. Please try again.")
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _flow(self) -> AsyncOAuthFlow:
        """The token's client must be ours, too: bolt by itself asks the public Slack."""
        address = f"{self._app.public_url}{REDIRECT_PAGE}" if self._app.public_url else None
        settings = AsyncOAuthSettings(
            client_id=self._app.client_id,
            client_secret=self._app.client_secret,
            scopes=list(SCOPES),
            user_scopes=[],
            redirect_uri=address,
            install_path=INSTALL_PAGE,
            redirect_uri_path=REDIRECT_PAGE,
            install_page_rendering_enabled=False,
            authorization_url=self._wire.root.removesuffix("api/") + "oauth/v2/authorize",
            installation_store=self._installs,
            state_store=self._states,
            logger=silent_log("slack"),
        )
        return AsyncOAuthFlow(client=self._wire.client(), logger=silent_log("slack"), settings=settings)
