"""Telegram: a chat like any other. What it promises is in bot.ports.Chat."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final

import structlog
import telegram
from telegram import (
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
    CallbackQuery,
)
from telegram.error import BadRequest, InvalidToken, TelegramError
from telegram.ext import (
    Application,
    CallbackContext,
    CallbackQueryHandler,
    ExtBot,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot.errors import ChatRejected, YamchiError
from bot.locales import languages, tongue
from bot.message import Message
from bot.models import Address, Health, Outcome, Request
from bot.ports import Ask, Clock, CrashHook, Store
from handlers.menu import is_page
from handlers.telegram.hear import Ear, address_of, only_reads
from handlers.telegram.inbox import Inbox
from handlers.telegram.inline import offer
from handlers.telegram.manifest import menu
from handlers.telegram.poll import PACE, PLATFORM, Pace, Poll, keep_trying
from handlers.telegram.send import Sender, home
from handlers.telegram.steer import Helm
from handlers.telegram.transport import STAND_IN, Transport

CONNECTIONS: Final = 64
CONNECTIONS_PAID: Final = 352
"""More than are ever in flight, so that no call waits for a free one."""
PRESSED_SECONDS: Final = 5.0
HELLO_SECONDS: Final = 10.0

_SCOPES: Final = (
    (BotCommandScopeDefault(), False),
    (BotCommandScopeAllPrivateChats(), False),
    (BotCommandScopeAllGroupChats(), True),
    (BotCommandScopeAllChatAdministrators(), False),
)
"""Who sees which menu; True: without what changes settings."""

log = structlog.get_logger()

_App = Application[Any, Any, Any, Any, Any, Any]
_Context = CallbackContext[Any, Any, Any, Any]


class Telegram:
    """bot.ports.Chat for Telegram.

    token: the bot's; api_url: the server's root; admins: operators, as "telegram:ID"
    paid: TELEGRAM_PAID_BROADCAST; pace: of the polling
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
        paid: bool = False,
        crash: CrashHook = lambda _: None,
        pace: Pace = PACE,
    ) -> None:
        self._store = store
        self._crash = crash
        self._pace = pace
        self._send = Transport(api_url, token, connections=CONNECTIONS_PAID if paid else CONNECTIONS)
        self._fetch = Transport(api_url, token, seconds=pace.timeout)
        self._bot: ExtBot[None] = ExtBot(
            STAND_IN, lambda _: "", lambda _: "", request=self._send, get_updates_request=self._fetch
        )
        self._ear = Ear(self._bot, self._send.call, clock, admins)
        self._helm = Helm(self._bot, self._send.call, self._ear, store)
        self._sender = Sender(self._send, store, clock, paid=paid)
        self._failed: dict[int, YamchiError] = {}
        self._app = self._handlers()
        self._inbox = Inbox(store, self._bot, self._handle, only_reads)
        self._poll = Poll(self._fetch, store, clock, self._inbox.wake, self._inbox.glance, crash, pace)
        self._ask: Ask | None = None

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
        self._ask = ask
        await keep_trying("getMe", self._begin, self._pace)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll.run())
            tasks.create_task(self._inbox.run())
            tasks.create_task(keep_trying("setMyCommands", self._show_menu, self._pace))

    async def send(self, address: Address, message: Message) -> Outcome:
        """Push one message."""
        return await self._sender.send(address, message)

    def health(self) -> Health:
        """Whether Telegram has answered our polling within a minute."""
        return self._poll.health()

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.gather(self._send.shutdown(), self._fetch.shutdown())

    async def _begin(self) -> bool:
        """Learn who we are, and see to it that updates come by polling."""
        await self._app.initialize()
        await self._bot.delete_webhook()
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

    # --- what comes in

    def _handlers(self) -> _App:
        app: _App = Application.builder().bot(self._bot).updater(None).job_queue(None).build()
        app.add_handler(MessageHandler(filters.UpdateType.MESSAGE & filters.TEXT, self._said))
        app.add_handler(CallbackQueryHandler(self._pressed))
        app.add_handler(InlineQueryHandler(self._offered))
        app.add_error_handler(self._fell)
        return app

    async def _handle(self, update: telegram.Update) -> None:
        await self._app.process_update(update)
        failed = self._failed.pop(update.update_id, None)
        if failed is not None:
            raise failed

    async def _fell(self, update: object, context: _Context) -> None:
        """A handler that raised: the store's trouble is for the inbox, anything else ends this update."""
        error = context.error
        if isinstance(update, telegram.Update) and isinstance(error, YamchiError):
            self._failed[update.update_id] = error
        else:
            log.error("update failed", exc_info=error)

    async def _said(self, update: telegram.Update, _: _Context) -> None:
        assert update.message is not None
        request = await self._ear.said(update.message)
        if request is not None:
            await self._answer(update, request)

    async def _pressed(self, update: telegram.Update, _: _Context) -> None:
        query = update.callback_query
        assert query is not None
        command = await self._command(query)
        request = await self._ear.pressed(query, command) if command else None
        await self._acknowledge(query, "" if request else await self._stale(query))
        if request is not None:
            await self._answer(update, request, page=query.message if is_page(request.text) else None)

    async def _offered(self, update: telegram.Update, _: _Context) -> None:
        assert update.inline_query is not None and self._ask is not None
        await offer(update.inline_query, self._ask)

    async def _answer(
        self, update: telegram.Update, request: Request, page: telegram.MaybeInaccessibleMessage | None = None
    ) -> None:
        """The command takes effect, that is written down, and only then is it answered: at most once.

        page: the message that the answer takes the place of, where it can
        """
        assert self._ask is not None
        course = await self._helm.take(request)
        message = course.refused or course.worded((await self._ask(course.request)).message)
        if not self._inbox.glanced(update):
            await self._store.settle_update(PLATFORM, str(update.update_id), "taken")
        self._crash("update-taken")
        if not (isinstance(page, telegram.Message) and await self._sender.turn(request.address, page, message)):
            await self._sender.reply(request.address, message)

    async def _command(self, query: CallbackQuery) -> str | None:
        """What a button says: its data, or what is kept under it for this chat. None for anything else."""
        data = query.data or ""
        if query.message is None:
            return None
        if data.startswith("t:"):
            return await self._store.token_command(data, Address(PLATFORM, str(query.message.chat.id)))
        return data if data.startswith("/") else None

    async def _stale(self, query: CallbackQuery) -> str:
        chosen = None
        if isinstance(query.message, telegram.Message):
            chosen = await self._store.chat(home(address_of(query.message)))
        speech = tongue(chosen.language if chosen else (query.from_user.language_code or "en"))
        return speech.say("This button no longer works. Send /help to see what I can do.")

    async def _acknowledge(self, query: CallbackQuery, text: str) -> None:
        """Stop the button's spinning, whatever it was. Too late or not at all does no harm."""
        try:
            await query.answer(text or None, read_timeout=PRESSED_SECONDS)
        except TelegramError as error:
            log.info("press not acknowledged", error=type(error).__name__)
