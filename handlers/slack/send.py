"""Pushing: chat.postMessage, at Slack's pace, and what its answers mean."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.compose import attached
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import Address, Outcome
from bot.ports import Clock, Store
from handlers.slack.files import Files, attachments
from handlers.slack.render import plain_text, render
from handlers.slack.wire import Refused, Wire, refused

CHANNEL_SECONDS: Final = 1.05
"""Between two messages of a channel; Slack allows one a second."""
WORKSPACE_SECONDS: Final = 0.2
WORKSPACE_BURST: Final = 60
LONGEST_WAIT: Final = 20.0
AGAIN: Final = timedelta(seconds=30)
DAY: Final = timedelta(hours=24)
PACED_CHANNELS: Final = 10_000

GONE: Final = frozenset(
    {"channel_not_found", "is_archived", "user_not_found", "user_disabled", "messages_tab_disabled"}
)
NOT_HERE: Final = frozenset(
    {
        "app_access_restricted",
        "cannot_dm_bot",
        "cannot_reply_to_message",
        "ekm_access_denied",
        "missing_scope",
        "no_permission",
        "not_in_channel",
    }
)
INSTALL_DEAD: Final = frozenset(
    {
        "account_inactive",
        "app_uninstalled",
        "invalid_auth",
        "not_authed",
        "team_access_revoked",
        "token_expired",
        "token_revoked",
        "tokens_revoked",
    }
)
TROUBLE: Final = frozenset(
    {"org_login_required", "rate_limited", "ratelimited", "request_timeout", "service_unavailable", "team_added_to_org"}
)
AMBIGUOUS: Final = frozenset({"fatal_error", "internal_error"})
"""Slack says of these that part of the work may have been done."""
OUR_FAULT: Final = frozenset(
    {
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
    }
)

log = structlog.get_logger()


class Pace:
    """When a channel may be spoken to next: once a second, and so often in all."""

    def __init__(self) -> None:
        self._channels: dict[str, float] = {}
        self._workspace = 0.0

    def wait(self, channel: str, now: float) -> float:
        """Takes the next turn of this channel. Returns seconds from `now`, a loop's time."""
        self._workspace = max(self._workspace, now) + WORKSPACE_SECONDS
        at = max(now, self._workspace - WORKSPACE_BURST * WORKSPACE_SECONDS, self._channels.get(channel, 0.0))
        if len(self._channels) >= PACED_CHANNELS:
            self._channels = {name: free for name, free in self._channels.items() if free > now}
        self._channels[channel] = at + CHANNEL_SECONDS
        return at - now

    def hold(self, channel: str, until: float) -> None:
        """Slack asked for silence in this channel; the others go on."""
        self._channels[channel] = max(until, self._channels.get(channel, 0.0))


class Sender:
    def __init__(self, wire: Wire, store: Store, clock: Clock) -> None:
        self._wire = wire
        self._store = store
        self._clock = clock
        self._pace = Pace()
        self._files = Files(wire)

    async def send(self, address: Address, message: Message) -> Outcome:
        """Push one message. What Slack finds wrong with its blocks goes once more as bare text."""
        chosen = await self._store.chat(address)
        speak = tongue(chosen.language if chosen else "")
        rendered = render(message, speak)
        outcome = await self._post(address, {"text": rendered.text, "blocks": rendered.blocks})
        if outcome.state == "failed" and outcome.detail in OUR_FAULT:
            log.error("Slack refused our blocks", error=outcome.detail)
            outcome = await self._post(address, {"text": plain_text(message, speak), "mrkdwn": False})
        if outcome.state == "sent" and attachments(message):
            await self._share(address, message, speak)
        return outcome

    async def _share(self, address: Address, message: Message, speak: Tongue) -> None:
        """What is attached follows its text; if it cannot, what it holds."""
        if not await self._files.share(message, address.chat.rpartition("/")[2], address.thread):
            spoken = render(Message(tuple(attached.lost(message, speak))), speak)
            await self._post(address, {"text": spoken.text, "blocks": spoken.blocks})

    async def _post(self, address: Address, content: dict[str, Any]) -> Outcome:
        channel = address.chat.rpartition("/")[2]
        now = asyncio.get_running_loop().time()
        wait = self._pace.wait(channel, now)
        if wait > LONGEST_WAIT:
            return Outcome("pending", "ratelimited", retry_at=self._clock() + timedelta(seconds=wait))
        await asyncio.sleep(wait)
        try:
            answer = await self._wire.client.chat_postMessage(
                channel=channel,
                thread_ts=address.thread or None,
                unfurl_links=False,
                unfurl_media=False,
                **content,
            )
        except SlackApiError as error:
            return self._refused(channel, refused(error))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Outcome("pending", type(error).__name__, retry_at=self._clock() + AGAIN)
        except Exception as error:  # noqa: BLE001 - the SDK lets through whatever its parser meets: the answer is lost
            return Outcome("unknown", type(error).__name__)
        return Outcome("sent", message_id=str(answer.get("ts") or ""))

    def _refused(self, channel: str, why: Refused) -> Outcome:
        if why.status == 429:
            seconds = why.retry_after or AGAIN.total_seconds()
            self._pace.hold(channel, asyncio.get_running_loop().time() + seconds)
            return Outcome("pending", "ratelimited", retry_at=self._clock() + timedelta(seconds=seconds))
        if why.status >= 500 or why.error in TROUBLE:
            return Outcome("pending", why.error or f"HTTP {why.status}", retry_at=self._clock() + AGAIN)
        if why.error == "message_limit_exceeded":
            return Outcome("pending", why.error, retry_at=self._clock() + DAY)
        if why.error in GONE | NOT_HERE | INSTALL_DEAD or why.error.startswith("restricted_action"):
            return Outcome("dead", why.error)
        if why.error in AMBIGUOUS or (why.status == 200 and not why.error):
            return Outcome("unknown", why.error or "no answer that can be read")
        return Outcome("failed", why.error or f"HTTP {why.status}")
