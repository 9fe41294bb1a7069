"""Slack: over Socket Mode or HTTP, the same behind both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.errors import ChatRejected
from bot.message import Message
from bot.models import Address, Health, Outcome
from bot.pace import Pace
from bot.ports import Ask, Clock, CrashHook, Page
from bot.store import Store
from handlers.slack.files import Files
from handlers.slack.installs import Credentials, ManyWorkspaces
from handlers.slack.listen import Listener
from handlers.slack.manifest import EVENTS_PAGE
from handlers.slack.notices import Notices
from handlers.slack.oauth import Doorway
from handlers.slack.people import People
from handlers.slack.reply import Replies
from handlers.slack.send import LIMITS, Sender
from handlers.slack.transport import REJECTED, Link
from handlers.slack.web import Door
from handlers.slack.wire import Wire, refused
from handlers.slack.workspaces import OneWorkspace, Workspaces

CHECK_SECONDS: Final = 5.0

__all__ = ["Credentials", "Slack"]

log = structlog.get_logger()


def _go_on(_: str) -> None:
    """No crash wanted."""


class Slack:
    """A Chat. Addresses are "TEAM/CHANNEL", threads their first message's ts.

    app_token: for Socket Mode; without it signing_secret, for HTTP
    app: the app's own credentials, for many workspaces; None: bot_token's alone
    api_url: the Web API's root; ping_interval: seconds between looks at a quiet socket
    """

    platform = "slack"

    def __init__(
        self,
        bot_token: str,
        app_token: str,
        api_url: str,
        store: Store,
        clock: Clock,
        *,
        admins: Collection[str],
        signing_secret: str = "",
        app: Credentials | None = None,
        crash: CrashHook = _go_on,
        ping_interval: float = 10,
    ) -> None:
        self._bot_token = bot_token
        self._wire = Wire(api_url)
        many = ManyWorkspaces(self._wire, store, clock, app, bot_token) if app else None
        self._workspaces: Workspaces = many or OneWorkspace(self._wire, bot_token)
        self._doorway = Doorway(self._wire, many, app, clock) if app and many else None
        self._link = Link(self._wire, app_token, ping_interval) if app_token else None
        self._door = None if app_token else Door(signing_secret, clock)
        self.pace = Pace(LIMITS)
        self._sender = Sender(self._wire, self._workspaces, store, clock, self.pace)
        people = People(self._workspaces, clock)
        self._notices = Notices(self._workspaces, people, store, clock)
        replies = Replies(self._wire, Files(self._wire, self._workspaces), self._sender, self._workspaces.install_page)
        self._listener = Listener(
            self._wire, self._workspaces, people, store, clock, self._sender, replies, admins=admins, crash=crash
        )

    async def check(self) -> None:
        """See bot.ports.Chat: each token there is is tried."""
        calls: list[Awaitable[None]] = []
        if self._bot_token:
            calls.append(_accepted("SLACK_BOT_TOKEN", self._wire.client(self._bot_token).auth_test()))
        if self._link:
            calls.append(_accepted("SLACK_APP_TOKEN", self._link.ticket()))
        await asyncio.gather(*calls)

    async def listen(self, ask: Ask) -> None:
        """See bot.ports.Chat."""
        app = self._listener.app()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._workspaces.keep_fresh())
            tasks.create_task(self._listener.run(ask))
            tasks.create_task(self._listener.welcome())
            tasks.create_task(self._link.run(app) if self._link else self._serve(app))

    async def _serve(self, app: Any) -> None:
        assert self._door
        self._door.open(app)
        try:
            await asyncio.Event().wait()
        finally:
            self._door.shut()

    async def send(self, address: Address, message: Message, *, plain: bool = False, answers: str = "") -> Outcome:
        """See bot.ports.Chat."""
        outcome = await self._sender.send(address, message, bare=plain, answers=answers)
        await self._notices.tell(address, outcome)
        return outcome

    async def edit(self, address: Address, message_id: str, message: Message, *, plain: bool = False) -> Outcome:
        """See bot.ports.Chat."""
        return await self._sender.edit(address, message_id, message, bare=plain)

    def pages(self) -> dict[str, Page]:
        """See bot.ports.Chat."""
        pages = {EVENTS_PAGE: self._door.page} if self._door else {}
        return pages | (self._doorway.pages() if self._doorway else {})

    def health(self) -> Health:
        """Whether the socket is up, or the door open."""
        way = self._link or self._door
        assert way
        return way.health()

    async def close(self) -> None:
        """See bot.ports.Chat."""
        await self._wire.close()


async def _accepted(setting: str, call: Awaitable[Any]) -> None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await call
    except SlackApiError as error:
        why = refused(error).error
        if why in REJECTED:
            raise ChatRejected(f"Slack refuses {setting} ({why}); copy it again from the app's settings") from None
        log.warning("Slack did not answer the check", setting=setting, error=why)
    except (aiohttp.ClientError, TimeoutError) as error:
        log.warning("Slack cannot be reached", error=type(error).__name__)
