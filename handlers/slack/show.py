"""Shows the screens that people open."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.compose import channel
from bot.errors import DatabaseError
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import Address, Request
from bot.ports import Ask
from bot.store import Store
from handlers.slack import screens
from handlers.slack.converse import Conversation, asked
from handlers.slack.heard import Heard
from handlers.slack.people import People
from handlers.slack.screens import Wish
from handlers.slack.wire import refused
from handlers.slack.workspaces import NotInstalled, Workspaces

MANAGED: Final = 20
"""Subscriptions set in channels that App Home shows."""

log = structlog.get_logger()


class Screens:
    def __init__(self, workspaces: Workspaces, people: People, store: Store, conversation: Conversation) -> None:
        self._workspaces = workspaces
        self._people = people
        self._store = store
        self._conversation = conversation

    async def show(self, wish: Wish, ask: Ask) -> None:
        """A window must open within three seconds of the press, so nothing slow comes before it. Never raises
        for what Slack does."""
        try:
            if wish.screen == "home":
                await self._home(wish, ask)
            elif wish.screen == "form":
                await self._form(wish)
            else:
                await self._board(wish, ask)
        except SlackApiError as error:
            log.warning("a screen is not shown", screen=wish.screen, error=refused(error).error)
        except (aiohttp.ClientError, TimeoutError, NotInstalled, DatabaseError) as error:
            log.warning("a screen is not shown", screen=wish.screen, error=type(error).__name__)

    async def _home(self, wish: Wish, ask: Ask) -> None:
        here = Heard(Address("slack", f"{wish.workspace}/{wish.channel}"), wish.user, "", private=True)
        request = await self._conversation.request(here)
        speak = await self._conversation.tongue(here.address, request.language)
        parts = [
            (await asked(ask, replace(request, text=line, aside="home"))).message
            for line in ("/rates", "/list", "/settings")
        ]
        if not all(part.blocks for part in parts):  # SILENCE: what is shown there stays
            return
        parts[2:2] = await self._managed(wish, request, speak)
        client = await self._workspaces.client(wish.workspace)
        await client.views_publish(user_id=wish.user, view=screens.home(parts, wish.channel, speak))

    async def _managed(self, wish: Wish, request: Request, speak: Tongue) -> list[Message]:
        """What this person set elsewhere in the workspace, if anything."""
        held = await self._store.subscriptions_by("slack", request.user)
        elsewhere = [order for order in held if order.address.chat != request.address.chat]
        named = [
            (await self._people.channel(wish.workspace, order.address.chat.partition("/")[2]), order)
            for order in elsewhere[:MANAGED]
        ]
        return [channel.managed(named, len(elsewhere) - len(named), speak)] if named else []

    async def _form(self, wish: Wish) -> None:
        person = await self._people.find(wish.workspace, wish.user)
        client = await self._workspaces.client(wish.workspace)
        view = screens.form(wish.channel, wish.words, tongue(person.language))
        await client.views_open(trigger_id=wish.trigger, view=view)

    async def _board(self, wish: Wish, ask: Ask) -> None:
        client = await self._workspaces.client(wish.workspace)
        speak = tongue((await self._people.find(wish.workspace, wish.user)).language)
        opened = await client.views_open(trigger_id=wish.trigger, view=screens.window(channel.wait(speak), speak))
        nowhere = Heard(Address("slack", f"{wish.workspace}/{wish.user}"), wish.user, "/rates", private=True)
        answered = await asked(ask, await self._conversation.request(nowhere))
        if not answered.message.blocks:  # SILENCE: it goes on asking for patience
            return
        await client.views_update(view_id=str(opened["view"]["id"]), view=screens.window(answered.message, speak))
