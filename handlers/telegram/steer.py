"""Channels and groups steered from a private chat: `/subscribe @channel daily 09:00`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from telegram import Chat
from telegram.error import BadRequest, Forbidden, TelegramError
from telegram.ext import ExtBot

from bot.compose import about
from bot.errors import Refusal
from bot.locales import N_, tongue
from bot.message import Button, Message, Paragraph
from bot.models import Address, Request
from bot.store import Store
from handlers.menu import parse
from handlers.menu.registry import find
from handlers.telegram.hear import Call, Ear, member_of
from handlers.telegram.poll import PLATFORM

_AIMED: Final = re.compile(r"(/?\w+)\s+(@[A-Za-z]\w{3,31})(?:\s+(.*))?", re.DOTALL | re.ASCII)

STEERED: Final = frozenset({"digest", "settings"})
"""Groups of commands that are about a chat; elsewhere an @name is a word like any other."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Course:
    """What is asked, of which chat. channel: its @name, "" for the chat it is said in; refused: the answer already."""

    request: Request
    channel: str = ""
    refused: Message | None = None
    said: str = ""

    def worded(self, message: Message) -> Message:
        """An answer that tells which chat it is about, and whose buttons are about that one, too.
        SILENCE stays SILENCE."""
        if not self.channel or not message.blocks:
            return message
        buttons = tuple(Button(button.label, _aim(button.command, self.channel)) for button in message.buttons)
        return replace(message, blocks=(Paragraph(self.said, small=True), *message.blocks), buttons=buttons)


class Helm:
    """Finds out which chat is meant, and whether whoever asks may steer it."""

    def __init__(self, bot: ExtBot[None], call: Call, ear: Ear, store: Store) -> None:
        self._bot = bot
        self._call = call
        self._ear = ear
        self._store = store

    async def take(self, request: Request) -> Course:
        """Where a request goes. One that names no chat, or is not said in private, stays where it is."""
        aimed = _AIMED.fullmatch(request.text) if request.private and request.user else None
        command = find(parse(request.text)[0]) if aimed else None
        if aimed is None or command is None or command.group not in STEERED:
            return Course(request)
        name, channel, rest = aimed.groups()
        chosen = await self._store.chat(request.address)
        speech = tongue(chosen.language if chosen else request.language)
        try:
            chat = await self._steered(channel, int(request.user))
        except Refusal as refusal:
            return Course(request, refused=about.refusal(*speech.refusal(refusal)))
        line = f"{name} {rest or ''}".rstrip()
        there = replace(request, address=Address(PLATFORM, str(chat)), text=line, private=False, locates=False)
        return Course(there, channel, said=speech.say("For {channel}:", channel=channel))

    async def _steered(self, channel: str, user: int) -> int:
        """The chat's number. Raises Refusal where we cannot write, or they are no admin."""
        try:
            chat: dict[str, Any] = await self._call("getChat", {"chat_id": channel})
            number = int(chat["id"])
            ours = await member_of(self._call, number, self._bot.id)
        except (BadRequest, Forbidden):
            raise _no_way_in(channel) from None
        except TelegramError as error:
            log.warning("chat unknown", error=type(error).__name__)
            raise Refusal(N_("Telegram does not answer just now."), N_("Try again in a minute.")) from None
        if chat["type"] == Chat.CHANNEL and not ours.get("can_post_messages"):
            raise _no_way_in(channel)
        if chat["type"] == Chat.PRIVATE or not await self._ear.is_admin(number, user):
            raise Refusal(
                N_("Only an admin of {channel} can change what comes there."),
                N_("Ask one, or leave the name out for this chat."),
                channel=channel,
            )
        return number


def _no_way_in(channel: str) -> Refusal:
    return Refusal(
        N_("I cannot write in {channel}."),
        N_("Make me an admin there who may post, then say it again."),
        channel=channel,
    )


def _aim(command: str, channel: str) -> str:
    name, _, rest = command.partition(" ")
    return f"{name} {channel} {rest}".rstrip()
