"""Listening: keep what came, acknowledge, then answer it once."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

import aiohttp
import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot.compose import about
from bot.errors import DatabaseError
from bot.locales import tongue
from bot.models import Update
from bot.patience import patiently
from bot.ports import Ask, Clock, CrashHook
from bot.store import Store
from handlers.slack.converse import Conversation
from handlers.slack.events import Events
from handlers.slack.heard import Heard, understand
from handlers.slack.people import People
from handlers.slack.render import plain_text
from handlers.slack.reply import Replies
from handlers.slack.screens import Wish, wished
from handlers.slack.send import Sender
from handlers.slack.show import Screens
from handlers.slack.wire import Wire, refused, silent_log
from handlers.slack.workspaces import NotInstalled, Workspaces

AT_ONCE: Final = 32
WAITING: Final = 1_000
DRAIN_SECONDS: Final = 5.0

log = structlog.get_logger()


class Listener:
    """Hears requests and answers them: several at once, one after another for each person.

    admins: "slack:TEAM/USER", who may change settings even as guests
    """

    def __init__(
        self,
        wire: Wire,
        workspaces: Workspaces,
        people: People,
        store: Store,
        clock: Clock,
        sender: Sender,
        replies: Replies,
        *,
        admins: Collection[str],
        crash: CrashHook,
    ) -> None:
        self._wire = wire
        self._store = store
        self._clock = clock
        self._crash = crash
        self._events = Events(store, clock, workspaces)
        self._workspaces = workspaces
        self._conversation = Conversation(store, people, sender, replies, admins, self._taken)
        self._screens = Screens(workspaces, people, store, self._conversation)
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._free = asyncio.Semaphore(AT_ONCE)

    def app(self, ask: Ask) -> AsyncApp:
        """Bolt, with one way through it: kept, acknowledged, handled. Who speaks to us has been asked before,
        and with whose token we answer is asked for where we do."""

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)

        app = AsyncApp(
            name="yamchi",
            client=self._wire.client(),
            authorize=authorize,
            logger=silent_log("slack"),
            signing_secret="",
            request_verification_enabled=False,  # the socket itself is authenticated, the door has looked
            ssl_check_enabled=False,
        )
        app.middleware(self._keep)
        anything, hear = re.compile(""), self._hear(ask)
        for listen in (app.command, app.action, app.event, app.shortcut, app.view):
            listen(anything)(hear)
        app.error(self._apologise)
        return app

    async def resume(self, ask: Ask) -> None:
        """Take up what was kept and not answered before we stopped."""
        while (suspect := await self._store.suspect_update("slack")) is not None:
            log.error("a request is given up: it may be what stops us", tries=suspect.tries)
            await self._store.settle_update("slack", suspect.key, "poison")
        for update in await self._store.waiting_updates("slack", WAITING):
            self._start(update, ask)

    async def welcome(self, ask: Ask) -> None:
        """Whoever installs us is answered as if they had said /start to us. Until cancelled."""
        while True:
            workspace, user = await self._workspaces.installed()
            try:
                client = await self._workspaces.client(workspace)
                opened = await client.conversations_open(users=user)
                said = {"type": "message", "channel_type": "im", "channel": opened["channel"]["id"], "user": user}
                event = {"type": "event_callback", "team_id": workspace, "event": said | {"text": "start"}}
                update = Update("slack", f"installed:{workspace}:{self._clock().isoformat()}", json.dumps(event))
                await self._store.keep_updates([update], self._clock())
            except SlackApiError as error:
                log.warning("nobody is welcomed", workspace=workspace, error=refused(error).error)
            except (aiohttp.ClientError, TimeoutError, NotInstalled, DatabaseError) as error:
                log.warning("nobody is welcomed", workspace=workspace, error=type(error).__name__)
            else:
                self._start(update, ask)

    async def drain(self) -> None:
        """Let what is under way end, for a few seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, body: dict[str, Any], context: dict[str, Any], next_: Callable[[], Awaitable[None]]) -> Any:
        """Each request once, by the event's id where it has one: that survives Slack's retries.

        Slack says a command once, so it is answered also if it could not be kept: reads still work. What it
        says again comes again.
        """
        update = Update("slack", str(body.get("event_id") or context["envelope_id"]), json.dumps(body))
        try:
            new = await patiently(self._store.keep_updates([update], self._clock()))
        except DatabaseError as error:
            log.warning("a request could not be kept", reason=str(error))
            if "event_id" in body:
                return BoltResponse(status=503)
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
            payload = json.loads(update.raw)
            happened = await self._events.handle(payload)
            wish = None if happened else wished(payload)
            heard = None if happened or wish else understand(payload)
        except ValueError as error:
            log.warning("a request cannot be understood", error=str(error))
            await self._settle(update, "poison")
        except DatabaseError as error:  # it is still there at the next start
            log.error("an event is not handled yet", reason=str(error))
        else:
            if heard is not None:
                await self._in_turn(update, heard, ask)
            if heard is not None and heard.home:
                workspace, _, channel = heard.address.chat.partition("/")
                wish = Wish("home", workspace, heard.user, channel=channel)
            if wish is not None:
                await self._screens.show(wish, ask)
            await self._settle(update, "done")

    async def _in_turn(self, update: Update, heard: Heard, ask: Ask) -> None:
        turn = self._turns.setdefault(f"{heard.address.chat} {heard.user}", asyncio.Lock())
        async with turn, self._free:
            await self._conversation.answer(update, heard, ask)

    async def _taken(self, update: Update) -> None:
        """From here on nothing of it is done again."""
        await self._settle(update, "taken")
        self._crash("taken")

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
