"""Who can do something about it learns that a channel cannot be posted to, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.compose import channel as compose
from bot.errors import DatabaseError
from bot.locales import tongue
from bot.models import Address, Outcome, Outgoing
from bot.ports import Clock
from bot.store import Store
from handlers.slack.people import People
from handlers.slack.refusals import NO_RIGHT
from handlers.slack.wire import refused
from handlers.slack.workspaces import NotInstalled, Workspaces

SHELF_LIFE: Final = timedelta(hours=12)

log = structlog.get_logger()


class Notices:
    """By the outbox: what is told of one channel for one reason on one day is told once, whoever asks again."""

    def __init__(self, workspaces: Workspaces, people: People, store: Store, clock: Clock) -> None:
        self._workspaces = workspaces
        self._people = people
        self._store = store
        self._clock = clock

    async def tell(self, address: Address, outcome: Outcome) -> None:
        """Whether this refusal concerns the channel alone is looked at here. Never raises."""
        alone = outcome.cause == "unwelcome" or (outcome.state == "dead" and outcome.cause != "workspace")
        workspace, _, channel = address.chat.partition("/")
        if not alone or channel.startswith(("D", "U")):
            return
        try:
            for user in await self._concerned(address, workspace, outcome):
                await self._tell(workspace, channel, user, outcome)
        except SlackApiError as error:
            log.warning("nobody is told", error=refused(error).error)
        except (aiohttp.ClientError, TimeoutError, NotInstalled, DatabaseError) as error:
            log.warning("nobody is told", error=type(error).__name__)

    async def _concerned(self, address: Address, workspace: str, outcome: Outcome) -> set[str]:
        """Who can do something about it: who subscribed the channel; about our rights, who installed us."""
        if outcome.detail == NO_RIGHT and (installer := await self._workspaces.installer(workspace)):
            return {installer}
        return {held.created_by.partition("/")[2] for held in await self._store.subscriptions(address)} - {""}

    async def _tell(self, workspace: str, channel: str, user: str, outcome: Outcome) -> None:
        client = await self._workspaces.client(workspace)
        direct = await client.conversations_open(users=user)
        there = Address("slack", f"{workspace}/{direct['channel']['id']}")
        chosen = await self._store.chat(there)
        speak, name = tongue(chosen.language if chosen else ""), await self._people.channel(workspace, channel)
        if outcome.detail == NO_RIGHT:
            message = compose.unentitled(name, outcome.detail, self._workspaces.install_page, speak)
        else:
            message = compose.paused(name, outcome.detail, speak)
        now = self._clock()
        day = "" if outcome.cause == "unwelcome" else f":{now:%Y-%m-%d}"
        event = f"paused:{workspace}/{channel}:{outcome.detail}{day}"
        await self._store.enqueue([Outgoing(event, there, "alert", message, now, now + SHELF_LIFE)], now)
