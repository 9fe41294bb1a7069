"""What a person said or pressed, as a Request."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from telegram import CallbackQuery, Chat, ChatMember, Message, User
from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.models import Address, Request
from bot.ports import Clock
from handlers.menu import parse
from handlers.menu.registry import commands
from handlers.telegram.poll import PLATFORM

RIGHTS_KEPT: Final = timedelta(seconds=60)
"""How long what Telegram says of a member's rights is believed."""

_COMMAND: Final = re.compile(r"(/[^\s@]+)(?:@(\S*))?(.*)", re.DOTALL)
_ADMINS: Final = frozenset({ChatMember.OWNER, ChatMember.ADMINISTRATOR})

Call = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""Calls a method of the Bot API and returns its result; raises TelegramError."""

log = structlog.get_logger()


class Ear:
    """Understands who speaks. operators: of ADMINS, as "telegram:ID"; they are admins everywhere."""

    def __init__(self, bot: ExtBot[None], call: Call, clock: Clock, operators: Collection[str]) -> None:
        self._bot = bot
        self._call = call
        self._clock = clock
        self._operators = frozenset(operators)
        self._rights: dict[tuple[int, int], tuple[datetime, bool]] = {}

    async def said(self, message: Message) -> Request | None:
        """A message's request; None for what is not said to us: forwarded, by nobody we can answer,
        to another bot, or talk in a group."""
        if message.forward_origin is not None:
            return None
        private = message.chat.type == Chat.PRIVATE
        text = meant_for(_line_of(message), self._bot.username, private=private)
        if text is None:
            return None
        anonymous = message.sender_chat is not None
        user = None if anonymous else message.from_user
        itself = message.sender_chat is not None and message.sender_chat.id == message.chat.id
        return await self._request(address_of(message), text, message.chat, user, itself=itself)

    async def pressed(self, query: CallbackQuery, command: str) -> Request | None:
        """A button's request: pressing it is typing its command. None where there is no chat."""
        where = query.message
        if where is None:
            return None
        address = address_of(where) if isinstance(where, Message) else Address(PLATFORM, str(where.chat.id))
        return await self._request(address, command, where.chat, query.from_user)

    async def _request(
        self, address: Address, text: str, chat: Chat, user: User | None, *, itself: bool = False
    ) -> Request:
        """itself: the group speaks, which is how an anonymous admin shows."""
        private = chat.type == Chat.PRIVATE
        may = private or itself or (user is not None and _changes(text) and await self.is_admin(chat.id, user.id))
        language = (user.language_code or "") if user else ""
        return Request(
            address=address,
            text=text,
            user=str(user.id) if user else "",
            language=language.partition("-")[0].lower(),
            private=private,
            is_admin=may,
            locates=private,
        )

    async def is_admin(self, chat: int, user: int) -> bool:
        """Whether a member has rights; while Telegram does not say, none."""
        if f"{PLATFORM}:{user}" in self._operators:
            return True
        now = self._clock()
        known = self._rights.get((chat, user))
        if known is not None and known[0] > now:
            return known[1]
        try:
            member = await member_of(self._call, chat, user)
        except TelegramError as error:
            log.warning("rights unknown", error=type(error).__name__)
            return False
        self._rights = {who: what for who, what in self._rights.items() if what[0] > now}
        self._rights[chat, user] = (now + RIGHTS_KEPT, member.get("status") in _ADMINS)
        return member.get("status") in _ADMINS


def _line_of(message: Message) -> str:
    """What is typed, or in private the command that a place stands for, to about a hundred metres."""
    if message.location is None or message.chat.type != Chat.PRIVATE:
        return sound(message.text or "")
    return f"/timezone {message.location.latitude:.3f},{message.location.longitude:.3f}"


async def member_of(call: Call, chat: int, user: int) -> dict[str, Any]:
    """What Telegram says of a member, as it says it: the library's own type fails where a field is missing."""
    found: dict[str, Any] = await call("getChatMember", {"chat_id": chat, "user_id": user})
    return found


def meant_for(text: str, us: str, *, private: bool) -> str | None:
    """The command line without our name in it; None if it is for another bot, or in a group no command
    of ours. us: our user name."""
    found = _COMMAND.match(text)
    if found is None:
        return text if private else None
    name, whom, rest = found.groups()
    if whom is not None and whom.casefold() != us.casefold():
        return None
    ours = private or whom is not None or name.removeprefix("/").casefold() in commands()
    return name + rest if ours else None


def address_of(message: Message) -> Address:
    """The chat, and the topic if it is in one; an ordinary thread of replies is none."""
    thread = message.message_thread_id if message.is_topic_message else None
    return Address(PLATFORM, str(message.chat.id), str(thread) if thread else "")


def only_reads(raw: dict[str, Any]) -> bool:
    """Whether what a raw update says or presses changes nothing. What a long button stands for is not known yet."""
    said, pressed = raw.get("message"), raw.get("callback_query")
    if "inline_query" in raw:
        return True
    if isinstance(pressed, dict):
        text = pressed.get("data")
        return isinstance(text, str) and text.startswith("/") and not _changes(text)
    text = said.get("text") if isinstance(said, dict) else None
    return isinstance(text, str) and bool(text) and not _changes(text)


def _changes(text: str) -> bool:
    name, rest = parse(text)
    found = commands().get(name)
    return found is not None and found.alters(rest)


def sound(text: str) -> str:
    """Without halves of surrogate pairs, which JSON can hold and UTF-8 cannot."""
    return text.encode(errors="replace").decode()
