"""Listening: keep what came, acknowledge, then answer once by response_url."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse

from bot.compose import about, attached
from bot.errors import DatabaseError
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import Request, Update
from bot.patience import patiently
from bot.ports import Ask, Clock, CrashHook, Store
from handlers.slack.files import Files, attachments
from handlers.slack.heard import Heard, understand
from handlers.slack.people import People
from handlers.slack.render import plain_text, render
from handlers.slack.send import OUR_FAULT
from handlers.slack.wire import Wire, silent_log

AT_ONCE: Final = 32
WAITING: Final = 1_000
DRAIN_SECONDS: Final = 5.0

log = structlog.get_logger()


class Listener:
    """Hears requests and answers them: several at once, one after another for each person.

    admins: "slack:TEAM/USER", who may change settings even as guests
    """

    def __init__(
        self, wire: Wire, store: Store, clock: Clock, people: People, *, admins: Collection[str], crash: CrashHook
    ) -> None:
        self._wire = wire
        self._store = store
        self._clock = clock
        self._people = people
        self._admins = frozenset(admins)
        self._crash = crash
        self._files = Files(wire)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._free = asyncio.Semaphore(AT_ONCE)

    def app(self, ask: Ask, bot_token: str) -> AsyncApp:
        """Bolt, with one way through it: kept, acknowledged, handled."""

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=bot_token)

        app = AsyncApp(
            name="yamchi",
            client=self._wire.client,
            authorize=authorize,
            logger=silent_log("slack"),
            signing_secret="",
            request_verification_enabled=False,  # the socket itself is authenticated
            ssl_check_enabled=False,
            url_verification_enabled=False,
        )
        app.middleware(self._keep)
        anything, hear = re.compile(""), self._hear(ask)
        app.command(anything)(hear)
        app.action(anything)(hear)
        app.error(self._apologise)
        return app

    async def resume(self, ask: Ask) -> None:
        """Take up what was kept and not answered before we stopped."""
        while (suspect := await self._store.suspect_update("slack")) is not None:
            log.error("a request is given up: it may be what stops us", tries=suspect.tries)
            await self._store.settle_update("slack", suspect.key, "poison")
        for update in await self._store.waiting_updates("slack", WAITING):
            self._start(update, ask)

    async def drain(self) -> None:
        """Let what is under way end, for a few seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, body: dict[str, Any], context: dict[str, Any], next_: Callable[[], Awaitable[None]]) -> Any:
        """Each request once, by the event's id where it has one: that survives Slack's retries."""
        update = Update("slack", str(body.get("event_id") or context["envelope_id"]), json.dumps(body))
        try:
            new = await patiently(self._store.keep_updates([update], self._clock()))
        except DatabaseError as error:  # it is answered all the same: reads still work
            log.warning("a request could not be kept", reason=str(error))
            new = 1
        self._crash("heard")
        context["update"] = update
        if not new:
            return BoltResponse(status=200)
        return await next_()

    def _hear(self, ask: Ask) -> Callable[..., Awaitable[None]]:
        async def hear(ack: Callable[[], Awaitable[Any]], context: dict[str, Any]) -> None:
            await ack()
            self._start(context["update"], ask)

        return hear

    def _start(self, update: Update, ask: Ask) -> None:
        task = asyncio.create_task(self._handle(update, ask))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, update: Update, ask: Ask) -> None:
        try:
            heard = understand(json.loads(update.raw))
        except ValueError as error:
            log.warning("a request cannot be understood", error=str(error))
            return await self._settle(update, "poison")
        if heard is None:
            return await self._settle(update, "done")
        turn = self._turns.setdefault(f"{heard.address.chat} {heard.user}", asyncio.Lock())
        async with turn, self._free:
            await self._answer(update, heard, ask)
        return None

    async def _answer(self, update: Update, heard: Heard, ask: Ask) -> None:
        request = await self._request(heard)
        try:
            message = (await ask(request)).message
        except Exception:
            reference = secrets.token_hex(2)
            log.exception("a request failed", ref=reference)
            message = about.refusal(*about.sorry(reference, tongue(request.language)))
        await self._settle(update, "taken")
        self._crash("taken")
        if message.blocks:  # else SILENCE is to be kept
            await self._respond(heard, message, request.language)
        await self._settle(update, "done")

    async def _request(self, heard: Heard) -> Request:
        """In a channel any member may change what it gets, as is the habit in Slack; guests may not."""
        person = await self._people.find(heard.user)
        team = heard.address.chat.partition("/")[0]
        user = f"{team}/{heard.user}"
        return Request(
            address=heard.address,
            text=heard.text,
            user=user,
            language=person.language,
            zone=person.zone,
            private=heard.private,
            is_admin=heard.private or not person.guest or f"slack:{user}" in self._admins,
        )

    async def _respond(self, heard: Heard, message: Message, language: str) -> None:
        chosen = await self._store.chat(heard.address)
        speak = tongue(chosen.language if chosen else language)
        if attachments(message):
            message = await self._share(heard, message, speak)
        rendered = render(message, speak)
        body: dict[str, Any] = {
            "response_type": "ephemeral",
            "replace_original": heard.replace,
            "unfurl_links": False,
            "unfurl_media": False,
            "text": rendered.text,
        }
        if heard.address.thread:
            body["thread_ts"] = heard.address.thread
        error = await self._wire.respond(heard.response_url, {**body, "blocks": rendered.blocks})
        if error in OUR_FAULT:
            log.error("Slack refused our blocks", error=error)
            error = await self._wire.respond(heard.response_url, {**body, "text": plain_text(message, speak)})
        if error:
            log.warning("an answer was not taken", error=error)

    async def _share(self, heard: Heard, message: Message, speak: Tongue) -> Message:
        """Send what is attached. Returns the message with what is to be said of that."""
        channel = heard.address.chat.rpartition("/")[2]
        place = await self._files.share(message, channel, heard.address.thread, heard.user)
        more = {"here": (), "person": (attached.elsewhere(speak),), "": tuple(attached.lost(message, speak))}[place]
        return replace(message, blocks=message.blocks + more)

    async def _settle(self, update: Update, state: str) -> None:
        try:
            await patiently(self._store.settle_update(update.platform, update.key, state))
        except DatabaseError as error:
            log.warning("a request could not be settled", reason=str(error))

    async def _apologise(self, error: Exception, body: Mapping[str, Any]) -> BoltResponse:
        """Something of ours broke before the acknowledgement: a person waits all the same."""
        speak, reference = tongue(""), secrets.token_hex(2)
        log.error("a request failed", ref=reference, exc_info=error)
        url = body.get("response_url")
        if isinstance(url, str):
            text = plain_text(about.refusal(*about.sorry(reference, speak)), speak)
            await self._wire.respond(url, {"response_type": "ephemeral", "replace_original": False, "text": text})
        return BoltResponse(status=200)
