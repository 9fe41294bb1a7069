"""Telegram: a chat like any other. What it promises is in bot.ports.Chat."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

import structlog
from telegram import (
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
)
from telegram.error import BadRequest, InvalidToken, TelegramError
from telegram.ext import ExtBot

from bot.errors import ChatRejected
from bot.locales import Tongue, languages, tongue
from bot.message import Message
from bot.models import Address, Health, Outcome
from bot.pace import Pace as SendPace
from bot.ports import Alone, Ask, Clock, CrashHook, Page, Tell
from bot.store import Store
from handlers.telegram import webhook
from handlers.telegram.conversation import Conversation
from handlers.telegram.hear import Ear
from handlers.telegram.inbox import Post
from handlers.telegram.manifest import menu
from handlers.telegram.members import Members
from handlers.telegram.poll import PACE, PLATFORM, Pace, Poll, keep_trying
from handlers.telegram.send import LIMITS, LIMITS_PAID, Sender
from handlers.telegram.steer import Helm
from handlers.telegram.transport import STAND_IN, Flooded, Transport
from handlers.telegram.webhook import Webhook

CONNECTIONS: Final = 64
CONNECTIONS_PAID: Final = 352
"""More than are ever in flight, so that no call waits for a free one."""
HELLO_SECONDS: Final = 10.0

_SCOPES: Final = (
    (BotCommandScopeDefault(), False),
    (BotCommandScopeAllPrivateChats(), False),
    (BotCommandScopeAllGroupChats(), True),
    (BotCommandScopeAllChatAdministrators(), False),
)
"""Who sees which menu; True: without what changes settings."""

log = structlog.get_logger()


async def _nobody(_cause: str, _words: Callable[[Tongue], Message]) -> None:
    """There is no operator."""


class Telegram:
    """bot.ports.Chat for Telegram.

    token: the bot's; api_url: the server's root; admins: operators, as "telegram:ID"
    tell: says to the operators what they can mend
    hook: the webhook's address and its secret; None: updates are polled for
    paid: TELEGRAM_PAID_BROADCAST; pace: of the polling; alone: has it done by one of several processes
    """

    platform = PLATFORM

    def __init__(
        self,
        token: str,
        api_url: str,
        store: Store,
        clock: Clock,
        admins: Collection[str] = (),
        *,
        tell: Tell = _nobody,
        hook: tuple[str, str] | None = None,
        paid: bool = False,
        crash: CrashHook = lambda _: None,
        pace: Pace = PACE,
        alone: Alone | None = None,
    ) -> None:
        self._pace = pace
        self._alone = None if hook else alone
        self._send = Transport(api_url, token, connections=CONNECTIONS_PAID if paid else CONNECTIONS)
        self._fetch = Transport(api_url, token, seconds=pace.timeout)
        self._bot: ExtBot[None] = ExtBot(
            STAND_IN, lambda _: "", lambda _: "", request=self._send, get_updates_request=self._fetch
        )
        self.pace = SendPace(LIMITS_PAID if paid else LIMITS)
        self._sender = Sender(self._send, store, clock, self.pace, paid=paid)
        ear, members = Ear(self._bot, self._send.call, clock, admins), Members(store, clock)
        helm = Helm(self._bot, self._send.call, ear, store)
        self._conversation = Conversation(self._bot, store, ear, helm, members, self._sender, crash, self._flooded)
        self._inbox = Post(store, clock, self._conversation.handle, tell, crash)
        rest = (self._fetch, clock, self._inbox.keep, tell, pace, self._flooded)
        self._updates: Poll | Webhook = Webhook(hook, *rest) if hook else Poll(*rest)

    async def check(self) -> None:
        """getMe. Raises ChatRejected if the token is refused; trouble on the way there says nothing."""
        try:
            await self._send.call("getMe", {}, seconds=HELLO_SECONDS)
        except InvalidToken:
            raise ChatRejected("Telegram refuses TELEGRAM_BOT_TOKEN") from None
        except TelegramError as error:
            log.warning("Telegram not reached yet", error=type(error).__name__)

    async def listen(self, ask: Ask) -> None:
        """Answer whoever speaks, until cancelled."""
        self._conversation.ask = ask
        await keep_trying("getMe", self._begin, self._pace)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._alone("polling", self._updates.run) if self._alone else self._updates.run())
            tasks.create_task(self._inbox.run())
            tasks.create_task(keep_trying("setMyCommands", self._show_menu, self._pace))

    async def send(self, address: Address, message: Message, *, plain: bool = False, answers: str = "") -> Outcome:
        """Push one message."""
        return await self._sender.send(address, message, bare=plain, answers=answers)

    async def edit(self, address: Address, message_id: str, message: Message, *, plain: bool = False) -> Outcome:
        """Put a message in the place of one that was sent."""
        return await self._sender.edit(address, message_id, message, bare=plain)

    def pages(self) -> dict[str, Page]:
        """The webhook's, if updates are brought to us."""
        return {webhook.PATH: self._updates.page} if isinstance(self._updates, Webhook) else {}

    def health(self) -> Health:
        """Whether updates come: see Poll and Webhook."""
        if self._alone and self._alone.stands_by:
            return Health(ok=True, detail="another process polls")
        return self._updates.health()

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.gather(self._send.shutdown(), self._fetch.shutdown())

    async def _begin(self) -> bool:
        await self._conversation.begin()
        return True

    async def _show_menu(self) -> bool:
        try:
            for language in languages():
                code = None if language == "en" else language
                for scope, reading in _SCOPES:
                    await self._bot.set_my_commands(menu(tongue(language), reading=reading), scope, code)
        except BadRequest as error:
            log.error("Telegram refuses our command menu", description=error.message)
        return True

    def _flooded(self, error: Exception) -> None:
        """A call that concerns no chat is told to wait: that is meant for all of them."""
        if isinstance(error, Flooded):
            self.pace.flooded("", error.seconds)
