"""Listening: keep what came, acknowledge, then answer it once."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

import aiohttp
import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError

from bot.compose import about
from bot.errors import DatabaseError
from bot.inbox import Inbox
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

PLATFORM: Final = "slack"
DRAIN_SECONDS: Final = 5.0

log = structlog.get_logger()


class Listener:
    """Hears requests and answers them: several at once, one after another for each person in a chat.

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
        self._inbox = Inbox(PLATFORM, store, clock, self._handle, self._put_aside, drain=DRAIN_SECONDS)

    def app(self) -> AsyncApp:
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
        anything = re.compile("")
        for listen in (app.command, app.action, app.event, app.shortcut, app.view):
            listen(anything)(self._hear)
        app.error(self._apologise)
        return app

    async def run(self, ask: Ask) -> None:
        """Handle what is kept, until cancelled; then what is under way may end, for a few seconds."""
        self._ask = ask
        await self._inbox.run()

    async def welcome(self) -> None:
        """Whoever installs us is answered as if they had said /start to us. Until cancelled."""
        while True:
            workspace, user = await self._workspaces.installed()
            try:
                client = await self._workspaces.client(workspace)
                opened = await client.conversations_open(users=user)
                said = {"type": "message", "channel_type": "im", "channel": opened["channel"]["id"], "user": user}
                event = {"type": "event_callback", "team_id": workspace, "event": said | {"text": "start"}}
                key = f"installed:{workspace}:{self._clock().isoformat()}"
                await self._inbox.keep([Update(PLATFORM, key, json.dumps(event), lane=_lane(event))])
            except SlackApiError as error:
                log.warning("nobody is welcomed", workspace=workspace, error=refused(error).error)
            except (aiohttp.ClientError, TimeoutError, NotInstalled, DatabaseError) as error:
                log.warning("nobody is welcomed", workspace=workspace, error=type(error).__name__)

    async def _keep(self, body: dict[str, Any], context: dict[str, Any], next_: Callable[[], Awaitable[None]]) -> Any:
        """Each request once, by the event's id where it has one: that survives Slack's retries.

        Slack says a command once, so it is answered also if it could not be kept: reads still work. What it
        says again comes again.
        """
        key = str(body.get("event_id") or context["envelope_id"])
        update = Update(PLATFORM, key, json.dumps(body), lane=_lane(body))
        try:
            new = await self._inbox.keep([update])
        except DatabaseError as error:
            log.warning("a request could not be kept", reason=str(error))
            if "event_id" in body:
                return BoltResponse(status=503)
            new, context["unkept"] = 1, update
        self._crash("heard")
        if not new:
            return BoltResponse(status=200)
        return await next_()

    async def _hear(self, ack: Callable[[], Awaitable[Any]], context: dict[str, Any]) -> None:
        await ack()
        if unkept := context.get("unkept"):
            task = asyncio.create_task(self._settled(unkept))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _settled(self, unkept: Update) -> None:
        """Answer what could not be kept. It may be yet, as the store may only have been slow."""
        self._inbox.answered.add(unkept.key)
        state = "done" if await self._handle(unkept) else "poison"
        await self._settle(unkept, state)

    async def _handle(self, update: Update, *, acted: bool = False) -> bool:
        """See bot.inbox.Handle. Only events raise DatabaseError: they may happen once more."""
        try:
            payload = json.loads(update.raw)
            happened = await self._events.handle(payload)
            wish = None if happened else wished(payload)
            heard = None if happened or wish else understand(payload)
        except ValueError as error:
            log.warning("a request cannot be understood", error=str(error))
            return False
        try:
            await self._answer(update, heard, wish, acted=acted)
        except Exception:
            log.exception("a request failed")
        return True

    async def _answer(self, update: Update, heard: Heard | None, wish: Wish | None, *, acted: bool) -> None:
        if heard is not None:
            await self._conversation.answer(update, heard, self._ask, acted=acted)
        if heard is not None and heard.home:
            workspace, _, channel = heard.address.chat.partition("/")
            wish = Wish("home", workspace, heard.user, channel=channel)
        if wish is not None:
            await self._screens.show(wish, self._ask)

    async def _put_aside(self, _: Update) -> None:
        """Nobody is told: the log says it."""

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


def _lane(payload: Mapping[str, Any]) -> str:
    """One person in one chat, whose words are answered one after the other; "" for what waits for nobody."""
    try:
        heard = understand(payload)
    except ValueError:
        return ""
    return f"{heard.address.chat} {heard.user}" if heard else ""
