"""What comes in, one update after the other: what is said and pressed, and what becomes of the chats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import structlog
import telegram
from telegram import CallbackQuery, Chat
from telegram.error import TelegramError
from telegram.ext import (
    Application,
    CallbackContext,
    CallbackQueryHandler,
    ExtBot,
    InlineQueryHandler,
    MessageHandler,
    filters,
)

from bot.compose import about
from bot.echo import shown
from bot.errors import YamchiError
from bot.inbox import insist
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import Address, Request
from bot.ports import Ask, CrashHook
from bot.store import Store
from handlers.menu import is_page
from handlers.telegram.hear import Ear, address_of
from handlers.telegram.inline import offer
from handlers.telegram.members import Members
from handlers.telegram.poll import PLATFORM
from handlers.telegram.send import Mark, Sender, home, unmarked
from handlers.telegram.steer import Helm

PRESSED_SECONDS: Final = 5.0

log = structlog.get_logger()

_App = Application[Any, Any, Any, Any, Any, Any]
_Context = CallbackContext[Any, Any, Any, Any]


class Conversation:
    """Does what updates ask for. ask: the menu, set before the first update; trouble: hears of calls that failed."""

    ask: Ask

    def __init__(
        self,
        bot: ExtBot[None],
        store: Store,
        ear: Ear,
        helm: Helm,
        members: Members,
        sender: Sender,
        crash: CrashHook,
        trouble: Callable[[Exception], None],
    ) -> None:
        self._bot = bot
        self._store = store
        self._members = members
        self._ear = ear
        self._helm = helm
        self._sender = sender
        self._crash = crash
        self._trouble = trouble
        self._failed: dict[int, YamchiError] = {}
        self._marks: dict[int, set[str]] = {}
        self._app = self._handlers(bot)

    async def begin(self) -> None:
        """Learn who we are."""
        await self._app.initialize()

    async def handle(self, raw: dict[str, Any], *, acted: bool = False, kept: bool = True) -> bool:
        """See handlers.telegram.inbox. acted: it took effect before we died, so it is only answered."""
        try:
            if "my_chat_member" in raw:
                await self._members.changed(raw["my_chat_member"])
                return True
            update = telegram.Update.de_json(raw, self._bot)
        except YamchiError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a stranger's update makes the library raise
            log.warning("unreadable update put aside", update=raw.get("update_id"), error=type(error).__name__)
            return False
        await self._process(update, {"acted"} if acted else set() if kept else {"unkept"})
        return True

    async def _process(self, update: telegram.Update, marks: set[str]) -> None:
        self._marks[update.update_id] = marks
        try:
            await self._app.process_update(update)
        finally:
            del self._marks[update.update_id]
        failed = self._failed.pop(update.update_id, None)
        if failed is not None:
            raise failed

    def _handlers(self, bot: ExtBot[None]) -> _App:
        app: _App = Application.builder().bot(bot).updater(None).job_queue(None).build()
        app.add_handler(MessageHandler(filters.UpdateType.MESSAGE & (filters.TEXT | filters.LOCATION), self._said))
        app.add_handler(CallbackQueryHandler(self._pressed))
        app.add_handler(InlineQueryHandler(self._offered))
        app.add_handler(MessageHandler(filters.UpdateType.MESSAGE & filters.StatusUpdate.MIGRATE, self._moved))
        app.add_error_handler(self._fell)
        return app

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
            await self._answer(update, request, query.message if is_page(request.text) else None)

    async def _offered(self, update: telegram.Update, _: _Context) -> None:
        assert update.inline_query is not None
        await offer(update.inline_query, self.ask, self._trouble)

    async def _moved(self, update: telegram.Update, _: _Context) -> None:
        assert update.message is not None
        await self._members.moved(update.message)

    async def _answer(
        self, update: telegram.Update, request: Request, page: telegram.MaybeInaccessibleMessage | None = None
    ) -> None:
        """The command takes effect, that is written down, and only then is it answered: at most once.

        From the effect on nothing is begun anew: what the store fails to do is insisted on. It is "taken" just before
        it goes out, and while it waits to be tried again it is not: whoever starts after us answers it then.
        page: the message that the answer takes the place of, where it can
        """
        key, marks = str(update.update_id), self._marks[update.update_id]
        if "unkept" in marks:
            message, turned = await self._done(request)
            await self._show(request.address, message, page if turned else None)
            return
        if "acted" in marks:
            message = about.restarted(shown(request.text), await self._tongue(request.address, request.language))
        else:
            message, turned = await self._done(replace(request, update=key))
            page = page if turned else None
            self._crash("update-acted")
        before = ""  # what it was before it went out

        async def mark(how: str) -> None:
            nonlocal before
            if (how == "goes") == bool(before):
                return
            state = "taken" if how == "goes" else before
            was = await insist(lambda: self._store.settle_update(PLATFORM, key, state))
            before = was if how == "goes" else ""
            if before:
                self._crash("update-taken")

        await insist(lambda: self._show(request.address, message, page, mark))

    async def _done(self, request: Request) -> tuple[Message, bool]:
        """Do what is asked, in the chat that is meant, and say so. False where it was refused: no page turns then."""
        course = await self._helm.take(request)
        if course.refused:
            return course.refused, False
        answer = await self.ask(course.request)
        return course.worded(answer.message), answer.error is None

    async def _show(
        self,
        address: Address,
        message: Message,
        page: telegram.MaybeInaccessibleMessage | None,
        mark: Mark = unmarked,
    ) -> None:
        if not message.blocks:  # SILENCE is kept
            return
        if not (isinstance(page, telegram.Message) and await self._sender.turn(address, page, message, mark)):
            await self._sender.reply(address, message, mark)

    async def _command(self, query: CallbackQuery) -> str | None:
        """What a button says: its data, or what is kept under it for this chat. None for anything else, and for
        whatever somebody else presses in a person's own chat."""
        data, where = query.data or "", query.message
        if where is None or (where.chat.type == Chat.PRIVATE and where.chat.id != query.from_user.id):
            return None
        if data.startswith("t:"):
            return await self._store.token_command(data, Address(PLATFORM, str(where.chat.id)))
        return data if data.startswith("/") else None

    async def _stale(self, query: CallbackQuery) -> str:
        where = address_of(query.message) if isinstance(query.message, telegram.Message) else None
        speech = await self._tongue(where, query.from_user.language_code or "")
        return speech.say("This button no longer works. Send /help to see what I can do.")

    async def _tongue(self, address: Address | None, language: str) -> Tongue:
        """The language a chat chose, else the person's own."""
        chosen = await self._store.chat(home(address)) if address else None
        return tongue(chosen.language if chosen else language)

    async def _acknowledge(self, query: CallbackQuery, text: str) -> None:
        """Stop the button's spinning, whatever it was. Too late or not at all does no harm."""
        try:
            await query.answer(text or None, read_timeout=PRESSED_SECONDS)
        except TelegramError as error:
            self._trouble(error)
            log.info("press not acknowledged", error=type(error).__name__)
