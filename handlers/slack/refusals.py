"""What Slack's refusals of a message mean: pure, one table.

A chat is paused only by what is said of that chat. Whatever passes by itself never pauses one, nor does a
word we do not know.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bot.models import Outcome
from handlers.slack.wire import Refused

AGAIN: Final = timedelta(seconds=30)
DAY: Final = timedelta(hours=24)

GONE: Final = frozenset({"is_archived", "user_not_found", "user_disabled", "messages_tab_disabled"})
NO_RIGHT: Final = "missing_scope"
HIDDEN: Final = frozenset({"channel_not_found", NO_RIGHT})
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
UNANSWERABLE: Final = frozenset(
    {
        "cannot_reply_to_message",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
    }
)
"""It is the thread that is refused, not the channel."""
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
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
        "too_many_attachments",
    }
)


def outcome_of(why: Refused, now: datetime) -> Outcome:
    """What becomes of a message that was refused so. Cause "token": whether it is all of us that is refused,
    those know who hold the tokens."""
    detail = why.error or f"HTTP {why.status}"
    if why.status == 429:
        seconds = timedelta(seconds=why.retry_after) if why.retry_after else AGAIN
        return Outcome("pending", "ratelimited", retry_at=now + seconds, cause="flood")
    if why.status >= 500 or why.error in TROUBLE:
        return Outcome("pending", detail, cause="fault")
    if why.error == "message_limit_exceeded":
        return Outcome("pending", detail, retry_at=now + DAY)
    if why.error in INSTALL_DEAD:
        return Outcome("pending", detail, cause="token")
    if why.error in GONE | NOT_HERE or why.error.startswith("restricted_action"):
        return Outcome("dead", detail)
    if why.error in HIDDEN:
        return Outcome("failed", detail, cause="unwelcome")
    if why.error in OUR_FAULT:
        return Outcome("failed", detail, cause="body")
    if why.error in AMBIGUOUS or (why.status == 200 and not why.error):
        return Outcome("unknown", why.error or "no answer that can be read")
    return Outcome("failed", detail)
