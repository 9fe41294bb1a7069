"""Pushing: chat.postMessage, at Slack's pace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.compose import attached
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import UNINSTALLED, Address, Outcome
from bot.pace import Limits, Pace, Rate
from bot.ports import Clock
from bot.store import Store
from handlers.slack.files import Files, attachments
from handlers.slack.refusals import UNANSWERABLE, outcome_of
from handlers.slack.render import plain_text, render
from handlers.slack.wire import Refused, Wire, refused
from handlers.slack.workspaces import NotInstalled, Workspaces

LIMITS: Final = Limits(chat=Rate(1 / 1.05), shared=Rate(5, burst=60), workspace=lambda chat: chat.partition("/")[0])
"""Slack allows one message a second in a channel, and some hundred a minute in a workspace."""
LONGEST_WAIT: Final = 60.0
"""Seconds that the text waits which stands for a file."""

log = structlog.get_logger()


class Sender:
    def __init__(self, wire: Wire, workspaces: Workspaces, store: Store, clock: Clock, pace: Pace) -> None:
        self._workspaces = workspaces
        self._store = store
        self._clock = clock
        self._pace = pace
        self._files = Files(wire, workspaces)

    async def send(self, address: Address, message: Message, *, bare: bool = False, answers: str = "") -> Outcome:
        """Push one message, whose turn it is. bare: without blocks; answers: the ts of a message in whose thread it
        goes, or beside it where there can be none. Raises DatabaseError."""
        speak = await self._tongue(address)
        content = _content(message, speak, bare=bare)
        outcome = await self._post(replace(address, thread=address.thread or answers), content)
        if outcome.detail in UNANSWERABLE and answers and not address.thread:
            outcome = await self._post(address, content)
        if outcome.state == "sent" and attachments(message):
            await self._share(address, message, speak)
        return outcome

    async def edit(self, address: Address, ts: str, message: Message, *, bare: bool) -> Outcome:
        """Put a message in the place of one sent."""
        return await self._post(address, _content(message, await self._tongue(address), bare=bare), ts)

    async def say(self, address: Address, message: Message, speak: Tongue) -> Outcome:
        """Answer in a channel, at once or not at all. Raises DatabaseError."""
        if wait := await self._pace.take(address.chat, reply=True):
            return Outcome("expired", f"its turn is in {wait:.0f} s")
        outcome = await self._post(address, _content(message, speak, bare=False))
        if outcome.state == "sent" and attachments(message):
            await self._share(address, message, speak)
        return outcome

    async def _tongue(self, address: Address) -> Tongue:
        chosen = await self._store.chat(address)
        return tongue(chosen.language if chosen else "")

    async def _share(self, address: Address, message: Message, speak: Tongue) -> None:
        """What is attached follows its text; if it cannot, what it holds."""
        if await self._files.share(message, address) != "here":
            spoken = render(Message(tuple(attached.lost(message, speak))), speak)
            await self._pace.take(address.chat, patience=LONGEST_WAIT)
            await self._post(address, {"text": spoken.text, "blocks": spoken.blocks})

    async def _post(self, address: Address, content: dict[str, Any], ts: str = "") -> Outcome:
        """A token that has expired is renewed, and the message sent once more with the new one.

        ts: of the message it takes the place of, "" for a new one
        """
        workspace, _, channel = address.chat.rpartition("/")
        renewed = False
        while True:
            try:
                client = await self._workspaces.client(workspace)
            except NotInstalled:
                return Outcome("dead", UNINSTALLED, cause="workspace")
            try:
                if ts:
                    answer = await client.chat_update(channel=channel, ts=ts, **content)
                else:
                    answer = await client.chat_postMessage(
                        channel=channel,
                        thread_ts=address.thread or None,
                        unfurl_links=False,
                        unfurl_media=False,
                        **content,
                    )
            except SlackApiError as error:
                why = refused(error)
                if why.error != "token_expired" or renewed:
                    return await self._refused(address, why)
                renewed = await self._workspaces.renew(workspace, client.token or "")
                if not renewed:
                    return await self._refused(address, why)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                return Outcome("pending", type(error).__name__, cause="fault")
            except Exception as error:  # noqa: BLE001 - whatever the SDK's parser meets: the answer is lost
                return Outcome("unknown", type(error).__name__)
            else:
                return Outcome("sent", message_id=str(answer.get("ts") or ""))

    async def _refused(self, address: Address, why: Refused) -> Outcome:
        outcome = outcome_of(why, self._clock())
        if outcome.cause == "flood" and outcome.retry_at:
            self._pace.flooded(address.chat, (outcome.retry_at - self._clock()).total_seconds())
        if outcome.cause == "body":
            log.error("Slack refused our blocks", error=outcome.detail)
        if outcome.cause == "token":
            cause = await self._workspaces.refused(address.chat.partition("/")[0], why.error)
            if cause == "workspace":
                return Outcome("dead", UNINSTALLED, cause=cause)
            return replace(outcome, cause=cause)
        return outcome


def _content(message: Message, speak: Tongue, *, bare: bool) -> dict[str, Any]:
    if bare:
        return {"text": plain_text(message, speak), "mrkdwn": False}
    rendered = render(message, speak)
    return {"text": rendered.text, "blocks": rendered.blocks}
