"""/slack/install and /slack/oauth_redirect: how a workspace gets us. Bolt's own flow, with our stores and addresses."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
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
"""Begun and not finished; of more than that the oldest must begin again."""

Handle = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]

log = structlog.get_logger()


class States(AsyncOAuthStateStore):
    """Who began to install, for ten minutes and one use. A restart forgets them: then one begins again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, datetime] = {}

    @property
    def logger(self) -> Logger:
        return silent_log("slack")

    async def async_issue(self, *_args: object, **_named: object) -> str:
        if len(self._issued) >= MOST_STATES:
            del self._issued[next(iter(self._issued))]
        state = secrets.token_urlsafe(32)
        self._issued[state] = self._clock()
        return state

    async def async_consume(self, state: str) -> bool:
        issued = self._issued.pop(state, None)
        return issued is not None and self._clock() - issued <= STATE_LIVES


class Doorway:
    """The two pages."""

    def __init__(self, wire: Wire, installs: ManyWorkspaces, app: Credentials, clock: Clock) -> None:
        self._wire = wire
        self._installs = installs
        self._app = app
        self._states = States(clock)

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
