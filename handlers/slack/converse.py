"""A person's words: asked of the menu, and what it answers dressed for Slack."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Final

import structlog

from bot.compose import about, channel
from bot.echo import shown
from bot.errors import DatabaseError
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import Address, Answer, Request, Update
from bot.ports import Ask
from bot.store import Store
from handlers.menu.registry import find
from handlers.slack.heard import SHARE, Heard
from handlers.slack.manifest import DIRECT
from handlers.slack.people import People
from handlers.slack.refusals import NO_RIGHT
from handlers.slack.render import Extra
from handlers.slack.reply import Replies
from handlers.slack.screens import form_button
from handlers.slack.send import Sender

SHOWN: Final = frozenset({"rates", "news"})
"""Groups of commands whose answers others may want to see."""
ORDERS: Final = frozenset({"subscribe", "follow"})
GUIDES: Final = frozenset({"help", "start"})
NO_MEMBER: Final = frozenset({"channel_not_found", "not_in_channel"})

log = structlog.get_logger()


class Conversation:
    """taken: called once the menu has answered, before anything is said"""

    def __init__(
        self,
        store: Store,
        people: People,
        sender: Sender,
        replies: Replies,
        admins: Collection[str],
        taken: Callable[[Update], Awaitable[None]],
    ) -> None:
        self._store = store
        self._people = people
        self._sender = sender
        self._replies = replies
        self._admins = frozenset(admins)
        self._taken = taken

    async def answer(self, update: Update, heard: Heard, ask: Ask, *, acted: bool = False) -> None:
        """acted: it took effect in an earlier life, so it is only said that it did"""
        request = await self.request(heard, update.key)
        speak = await self.tongue(heard.address, request.language)
        answered = Answer(about.restarted(shown(heard.text), speak)) if acted else await asked(ask, request)
        await self._taken(update)
        if not answered.message.blocks:  # SILENCE is kept
            return
        message = answered.message
        if not (heard.private or heard.aloud) and answered.error is None:
            message = await self._in_channel(heard, answered, speak)
        if _name_of(heard.text) in GUIDES:
            message = replace(message, blocks=(*message.blocks, channel.umbrella(DIRECT, speak)))
        if heard.aloud and heard.response_url and (name := await self._name(heard)):
            message = replace(message, blocks=(*message.blocks, channel.shared_by(name, speak)))
        heard = replace(heard, replace=heard.replace and answered.error is None)
        await self._replies.give(heard, message, speak, extras(heard, answered, speak))

    async def request(self, heard: Heard, update: str = "") -> Request:
        """In a channel any member may change what it gets, as is the habit in Slack; guests may not."""
        team = heard.address.chat.partition("/")[0]
        person = await self._people.find(team, heard.user)
        user = f"{team}/{heard.user}"
        return Request(
            address=heard.address,
            text=heard.text,
            user=user,
            language=person.language,
            zone=person.zone,
            private=heard.private,
            is_admin=heard.private or not person.guest or f"slack:{user}" in self._admins,
            update=update,
        )

    async def tongue(self, address: Address, language: str) -> Tongue:
        """What is spoken there: as the chat chose, else as the person does."""
        try:
            chosen = await self._store.chat(address)
        except DatabaseError:
            chosen = None
        return tongue(chosen.language if chosen else language)

    async def _in_channel(self, heard: Heard, answered: Answer, speak: Tongue) -> Message:
        """Everybody learns once who subscribed a channel to what; whoever did, whether I may speak there."""
        data, message = answered.data, answered.message
        if _name_of(heard.text) not in ORDERS or not isinstance(data, dict):
            return message
        held = await self._store.subscriptions(heard.address)
        number = int(data["number"])
        if number > len(held):
            return message
        line = channel.subscribed_by(await self._name(heard), held[number - 1], str(data["zone"]), speak)
        outcome = await self._sender.say(heard.address, line, speak)
        if outcome.state == "sent" or outcome.cause in {"flood", "fault"}:
            return message
        if outcome.detail == NO_RIGHT:
            return replace(message, blocks=(*channel.install_again(self._replies.install_page, speak), *message.blocks))
        again = f"/subscribe {heard.text.partition(' ')[2]}" if _name_of(heard.text) == "subscribe" else heard.text
        hint = (
            channel.invite_me(again, speak) if outcome.detail in NO_MEMBER else channel.kept_out(outcome.detail, speak)
        )
        return Message((*hint.blocks, *message.blocks), (*hint.buttons, *message.buttons), message.sample)

    async def _name(self, heard: Heard) -> str:
        return (await self._people.find(heard.address.chat.partition("/")[0], heard.user)).name


def extras(heard: Heard, answered: Answer, speak: Tongue) -> tuple[Extra, ...]:
    """What can be done with an answer that one person sees in a channel: show it to all, have it regularly."""
    name = _name_of(heard.text)
    command = find(name)
    if heard.private or heard.aloud or answered.error or command is None:
        return ()
    if command.group not in SHOWN and name != "digest":
        return ()
    words = heard.text.partition(" ")[2] if name == "latest" else ""
    words = " ".join(word for word in words.split() if not word.startswith(("before:", "since:", "until:", "sort:")))
    return Extra(channel.share(speak), SHARE, heard.text), form_button(words, speak)


async def asked(ask: Ask, request: Request) -> Answer:
    """What the menu answers, whatever happens."""
    try:
        return await ask(request)
    except Exception:
        reference = secrets.token_hex(2)
        log.exception("a request failed", ref=reference)
        return Answer(about.refusal(*about.sorry(reference, tongue(request.language))))


def _name_of(line: str) -> str:
    return line.removeprefix("/").partition(" ")[0].casefold()
