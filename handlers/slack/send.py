"""Pushing: chat.postMessage, at Slack's pace, and what its answers mean."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.compose import attached
from bot.locales import Tongue, tongue
from bot.message import Message
from bot.models import Address, Outcome
from bot.pace import Limits, Pace, Rate
from bot.ports import Clock, Store
from handlers.slack.files import Files, attachments
from handlers.slack.render import plain_text, render
from handlers.slack.wire import Refused, Wire, refused

LIMITS: Final = Limits(chat=Rate(1 / 1.05), shared=Rate(5, burst=60), workspace=lambda chat: chat.partition("/")[0])
"""Slack allows one message a second in a channel, and some hundred a minute in a workspace."""
LONGEST_WAIT: Final = 60.0
"""Seconds that the text waits which stands for a file."""
AGAIN: Final = timedelta(seconds=30)
DAY: Final = timedelta(hours=24)

GONE: Final = frozenset({"is_archived", "user_not_found", "user_disabled", "messages_tab_disabled"})
HIDDEN: Final = frozenset({"channel_not_found", "missing_scope"})
"""The channel may be gone, or be private and not have us; or we may lack a right."""
NOT_HERE: Final = frozenset(
    {
        "app_access_restricted",
        "cannot_dm_bot",
        "cannot_reply_to_message",
        "ekm_access_denied",
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


class Sender:
    def __init__(self, wire: Wire, store: Store, clock: Clock, pace: Pace) -> None:
        self._wire = wire
        self._store = store
        self._clock = clock
        self._pace = pace
        self._files = Files(wire)

    async def send(self, address: Address, message: Message, *, bare: bool = False) -> Outcome:
        """Push one message, whose turn it is. bare: without blocks"""
        speak = await self._tongue(address)
        outcome = await self._post(address, _content(message, speak, bare=bare))
        if outcome.state == "sent" and attachments(message):
            await self._share(address, message, speak)
        return outcome

    async def edit(self, address: Address, ts: str, message: Message, *, bare: bool) -> Outcome:
        """Put a message in the place of one sent."""
        return await self._post(address, _content(message, await self._tongue(address), bare=bare), ts)

    async def _tongue(self, address: Address) -> Tongue:
        chosen = await self._store.chat(address)
        return tongue(chosen.language if chosen else "")

    async def _share(self, address: Address, message: Message, speak: Tongue) -> None:
        """What is attached follows its text; if it cannot, what it holds."""
        if not await self._files.share(message, address.chat.rpartition("/")[2], address.thread):
            spoken = render(Message(tuple(attached.lost(message, speak))), speak)
            await self._pace.take(address.chat, patience=LONGEST_WAIT)
            await self._post(address, {"text": spoken.text, "blocks": spoken.blocks})

    async def _post(self, address: Address, content: dict[str, Any], ts: str = "") -> Outcome:
        """ts: of the message it takes the place of, "" for a new one"""
        channel, client = address.chat.rpartition("/")[2], self._wire.client
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
            return self._refused(address, refused(error))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Outcome("pending", type(error).__name__, cause="fault")
        except Exception as error:  # noqa: BLE001 - the SDK lets through whatever its parser meets: the answer is lost
            return Outcome("unknown", type(error).__name__)
        return Outcome("sent", message_id=str(answer.get("ts") or ""))

    def _refused(self, address: Address, why: Refused) -> Outcome:
        detail = why.error or f"HTTP {why.status}"
        if why.status == 429:
            seconds = why.retry_after or AGAIN.total_seconds()
            self._pace.flooded(address.chat, seconds)
            retry_at = self._clock() + timedelta(seconds=seconds)
            return Outcome("pending", "ratelimited", retry_at=retry_at, cause="flood")
        if why.status >= 500 or why.error in TROUBLE:
            return Outcome("pending", detail, cause="fault")
        if why.error == "message_limit_exceeded":
            return Outcome("pending", detail, retry_at=self._clock() + DAY)
        if why.error in INSTALL_DEAD:
            return Outcome("pending", detail, cause="token")
        if why.error in GONE | NOT_HERE or why.error.startswith("restricted_action"):
            return Outcome("dead", detail)
        if why.error in HIDDEN:
            return Outcome("failed", detail, cause="unwelcome")
        if why.error in OUR_FAULT:
            log.error("Slack refused our blocks", error=detail)
            return Outcome("failed", detail, cause="body")
        if why.error in AMBIGUOUS or (why.status == 200 and not why.error):
            return Outcome("unknown", why.error or "no answer that can be read")
        return Outcome("failed", detail)


def _content(message: Message, speak: Tongue, *, bare: bool) -> dict[str, Any]:
    if bare:
        return {"text": plain_text(message, speak), "mrkdwn": False}
    rendered = render(message, speak)
    return {"text": rendered.text, "blocks": rendered.blocks}
