"""A person's words: asked of the menu, and what it answers dressed for Slack."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection

import structlog

from bot.compose import about
from bot.locales import tongue
from bot.models import Answer, Request, Update
from bot.ports import Ask, Store
from handlers.slack.heard import Heard
from handlers.slack.people import People
from handlers.slack.reply import Replies

log = structlog.get_logger()


class Conversation:
    """taken: called once the menu has answered, before anything is said"""

    def __init__(
        self,
        store: Store,
        people: People,
        replies: Replies,
        admins: Collection[str],
        taken: Callable[[Update], Awaitable[None]],
    ) -> None:
        self._store = store
        self._people = people
        self._replies = replies
        self._admins = frozenset(admins)
        self._taken = taken

    async def answer(self, update: Update, heard: Heard, ask: Ask) -> None:
        request = await self._request(update, heard)
        answered = await _asked(ask, request)
        await self._taken(update)
        chosen = await self._store.chat(heard.address)
        speak = tongue(chosen.language if chosen else request.language)
        await self._replies.give(heard, answered.message, speak)

    async def _request(self, update: Update, heard: Heard) -> Request:
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
            update=update.key,
        )


async def _asked(ask: Ask, request: Request) -> Answer:
    try:
        return await ask(request)
    except Exception:
        reference = secrets.token_hex(2)
        log.exception("a request failed", ref=reference)
        return Answer(about.refusal(*about.sorry(reference, tongue(request.language))))
