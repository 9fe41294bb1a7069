"""Slack: one workspace, over Socket Mode."""

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
from bot.ports import Ask, Clock, CrashHook, Page, Store
from handlers.slack.listen import Listener
from handlers.slack.people import People
from handlers.slack.send import LIMITS, Sender
from handlers.slack.transport import REJECTED, Link
from handlers.slack.wire import Wire, refused

CHECK_SECONDS: Final = 5.0

log = structlog.get_logger()


def _go_on(_: str) -> None:
    """No crash wanted."""


class Slack:
    """A Chat. Addresses are "TEAM/CHANNEL", threads their first message's ts.

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
        crash: CrashHook = _go_on,
        ping_interval: float = 10,
    ) -> None:
        self._bot_token = bot_token
        self._wire = Wire(bot_token, api_url)
        self._link = Link(self._wire, app_token, ping_interval)
        self.pace = Pace(LIMITS)
        self._sender = Sender(self._wire, store, clock, self.pace)
        self._listener = Listener(self._wire, store, clock, People(self._wire, clock), admins=admins, crash=crash)

    async def check(self) -> None:
        """See bot.ports.Chat: both tokens are tried."""
        await asyncio.gather(
            _accepted("SLACK_BOT_TOKEN", self._wire.client.auth_test()),
            _accepted("SLACK_APP_TOKEN", self._link.ticket()),
        )

    async def listen(self, ask: Ask) -> None:
        """See bot.ports.Chat."""
        await self._listener.resume(ask)
        try:
            await self._link.run(self._listener.app(ask, self._bot_token))
        finally:
            await self._listener.drain()

    async def send(self, address: Address, message: Message, *, plain: bool = False) -> Outcome:
        """See bot.ports.Chat."""
        return await self._sender.send(address, message, bare=plain)

    async def edit(self, address: Address, message_id: str, message: Message, *, plain: bool = False) -> Outcome:
        """See bot.ports.Chat."""
        return await self._sender.edit(address, message_id, message, bare=plain)

    def pages(self) -> dict[str, Page]:
        """See bot.ports.Chat: Slack comes by the socket."""
        return {}

    def health(self) -> Health:
        """Whether the socket is up."""
        return self._link.health()

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
