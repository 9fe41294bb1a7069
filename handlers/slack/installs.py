"""Many workspaces: a token of each, kept in the store, renewed before it ends, forgotten when it is over."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import DatabaseError
from bot.models import Cause, Install
from bot.ports import Clock
from bot.seal import Seal, Unsealable
from bot.store import Store
from handlers.slack.refusals import NO_RIGHT
from handlers.slack.transport import REJECTED
from handlers.slack.wire import Wire, refused
from handlers.slack.workspaces import APPS_PAGE, NotInstalled

PLATFORM: Final = "slack"
AHEAD: Final = timedelta(hours=2)
"""Tokens that end within it are renewed: they live for twelve hours."""
LOOK_SECONDS: Final = 600.0
KEPT_SECONDS: Final = 1.0
"""Until a token that another process was given is in the store."""
CURED: Final = frozenset({NO_RIGHT})
"""Chats paused for it go on when we are installed anew."""
INSTALL_PAGE: Final = "/slack/install"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Of the app itself. public_url: where people reach us, "" to let Slack choose among the app's addresses"""

    client_id: str
    client_secret: str
    public_url: str = ""
    secret_key: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a workspace gave us. installer: Slack's id of who did"""

    token: str
    refresh: str = ""
    expires_at: datetime | None = None
    installer: str = ""

    def ends(self, by: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= by


class ManyWorkspaces(AsyncInstallationStore):
    """handlers.slack.workspaces.Workspaces over the store; what bolt's OAuth flow saves into.

    bot_token: of the one workspace that has us by a setting, "" for none
    """

    def __init__(self, wire: Wire, store: Store, clock: Clock, app: Credentials, bot_token: str = "") -> None:
        self._wire = wire
        self._store = store
        self._clock = clock
        self._app = app
        self._seal = Seal(app.secret_key)
        self._own = bot_token
        self._home = ""
        self._known: dict[str, Grant] = {}
        self._new: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def install_page(self) -> str:
        return f"{self._app.public_url}{INSTALL_PAGE}" if self._app.public_url else APPS_PAGE

    async def installer(self, workspace: str) -> str:
        grant = self._known.get(workspace) or await self._read(workspace)
        return grant.installer if grant else ""

    async def installed(self) -> tuple[str, str]:
        return await self._new.get()

    async def client(self, workspace: str) -> AsyncWebClient:
        """See Workspaces. The store is asked once for each; nothing is asked of Slack."""
        grant = self._known.get(workspace) or await self._read(workspace)
        if grant is not None:
            return self._wire.client(grant.token)
        if self._own and await self._is_home(workspace):
            return self._wire.client(self._own)
        raise NotInstalled(workspace)

    async def async_save(self, installation: Installation) -> None:
        """It has us now, or again."""
        enterprise = installation.enterprise_id if installation.is_enterprise_install else None
        workspace = enterprise or installation.team_id
        ends = installation.bot_token_expires_at
        grant = Grant(
            token=installation.bot_token or "",
            refresh=installation.bot_refresh_token or "",
            expires_at=None if ends is None else datetime.fromtimestamp(ends, UTC),
            installer=installation.user_id or "",
        )
        assert workspace
        assert grant.token
        async with self._turn(workspace):
            await self._store.keep_install(self._sealed(workspace, grant), self._clock(), CURED)
            self._known[workspace] = grant
        self._new.put_nowait((workspace, grant.installer))
        log.info("installed", workspace=workspace)

    async def gone(self, workspace: str) -> bool:
        """It has us no more: nothing is said there from now on. False if it did not have us."""
        self._known.pop(workspace, None)
        dropped = await self._store.drop_install(PLATFORM, workspace, self._clock())
        self._known.pop(workspace, None)  # read again while it was dropped
        if dropped:
            log.warning("uninstalled", workspace=workspace)
        return dropped

    async def refused(self, workspace: str, why: str) -> Cause:
        """See Workspaces. Believed when auth.test says the same of the token that is stored: another process may have
        been given a new one."""
        self._known.pop(workspace, None)
        try:
            client = await self.client(workspace)
            async with asyncio.timeout(5):
                await client.auth_test()
        except NotInstalled:
            return "workspace"
        except SlackApiError as error:
            if refused(error).error in REJECTED:
                if client.token == self._own:
                    return "token"
                async with self._turn(workspace):
                    stored = await self._read(workspace)
                    if stored is None or stored.token == client.token:  # else it has been installed anew meanwhile
                        await self.gone(workspace)
                        return "workspace"
        except (aiohttp.ClientError, TimeoutError):
            pass
        log.warning("a token was refused, and is not", workspace=workspace, error=why)
        return "fault"

    async def renew(self, workspace: str, spent: str = "") -> bool:
        """See Workspaces. One at a time: what renews is good for one use."""
        async with self._turn(workspace):
            grant = await self._read(workspace)
            if grant is None or not (grant.token == spent or grant.ends(self._clock() + AHEAD)):
                return grant is not None
            if not grant.refresh:
                return False
            try:
                answer = await self._wire.client().oauth_v2_access(
                    client_id=self._app.client_id,
                    client_secret=self._app.client_secret,
                    grant_type="refresh_token",
                    refresh_token=grant.refresh,
                )
            except SlackApiError as error:
                await asyncio.sleep(KEPT_SECONDS)
                stored = await self._read(workspace)
                if stored is not None and stored.refresh != grant.refresh:  # another process was quicker
                    return True
                log.error("a token cannot be renewed", workspace=workspace, error=refused(error).error)
                return False
            except (aiohttp.ClientError, TimeoutError) as error:
                log.warning("a token is not renewed yet", workspace=workspace, error=type(error).__name__)
                return False
            return await self._keep_renewed(workspace, grant, answer.data)

    async def keep_fresh(self) -> None:
        """Renew what is about to end, also where nobody speaks; seal what lies open. Until cancelled."""
        while True:
            try:
                await self.renew_due()
            except DatabaseError as error:
                log.warning("tokens are not renewed", reason=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def renew_due(self) -> None:
        soon = self._clock() + AHEAD
        for install in await self._store.installs(PLATFORM):
            if install.expires_at and install.expires_at <= soon:
                await self.renew(install.workspace)
            elif self._seal.is_open(install.secret) and (grant := self._opened(install)):
                await self._store.renew_install(self._sealed(install.workspace, grant))

    async def _keep_renewed(self, workspace: str, old: Grant, answer: Any) -> bool:
        ends = self._clock() + timedelta(seconds=int(answer["expires_in"])) if answer.get("expires_in") else None
        grant = Grant(str(answer["access_token"]), str(answer.get("refresh_token") or ""), ends, old.installer)
        kept = await self._store.renew_install(self._sealed(workspace, grant))
        if kept:
            self._known[workspace] = grant
        return kept

    def _turn(self, workspace: str) -> asyncio.Lock:
        """Of those that change what we hold of it."""
        return self._turns.setdefault(workspace, asyncio.Lock())

    async def _read(self, workspace: str) -> Grant | None:
        install = await self._store.install(PLATFORM, workspace)
        grant = self._opened(install) if install else None
        if grant:
            self._known[workspace] = grant
        return grant

    def _sealed(self, workspace: str, grant: Grant) -> Install:
        held = {name: value for name, value in asdict(grant).items() if name != "expires_at" and value}
        return Install(PLATFORM, workspace, self._seal.close(json.dumps(held)), grant.expires_at)

    def _opened(self, install: Install) -> Grant | None:
        try:
            return Grant(**json.loads(self._seal.open(install.secret)), expires_at=install.expires_at)
        except Unsealable:
            log.error("a token is sealed with another SECRET_KEY; set it again", workspace=install.workspace)
            return None

    async def _is_home(self, workspace: str) -> bool:
        """Whether the token of the settings is of this workspace. Until Slack tells, it is of none."""
        if not self._home:
            try:
                async with asyncio.timeout(5):
                    answer = await self._wire.client(self._own).auth_test()
            except (SlackApiError, aiohttp.ClientError, TimeoutError):
                return False
            self._home = str(answer["team_id"])
        return workspace == self._home
