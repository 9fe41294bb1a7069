"""What a failed call of Telegram means for the message, and for its chat."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog
from telegram.error import ChatMigrated, Conflict, Forbidden, InvalidToken, TelegramError

from bot.models import Outcome
from handlers.telegram.transport import AnswerLost, Flooded, NotSent, ServerFault

_GONE: Final = (
    "bot was blocked by the user",
    "user is deactivated",
    "the group chat was deleted",
    "bot was kicked from",
    "bot is not a member of",
)
_TOPIC: Final = ("message thread not found", "topic closed", "topic deleted")
_UNWELCOME: Final = (
    "chat not found",
    "not enough rights",
    "need administrator rights",
    "have no rights",
    "chat write forbidden",
    "chat restricted",
    "channel private",
    "user is deleted",
    "peer id invalid",
)
_CONTENT: Final = (
    "can't parse entities",
    "message is too long",
    "message text is empty",
    "must be encoded",
    "button",
    "reply markup",
    "wrong http url",
    "entity",
    "entities",
)

log = structlog.get_logger()


def outcome_of(error: TelegramError, now: datetime) -> Outcome:
    """Never "sent": the call failed."""
    detail = error.message
    match error:
        case Flooded():
            retry_at = now + timedelta(seconds=error.seconds)
            return Outcome("pending", detail, retry_at=retry_at, cause="flood")
        case NotSent() | ServerFault():
            return Outcome("pending", detail, cause="fault")
        case AnswerLost():
            return Outcome("unknown", detail)
        case InvalidToken() | Conflict():
            return Outcome("pending", detail, cause="token")
        case ChatMigrated():
            return Outcome("pending", detail, retry_at=now, moved_to=str(error.new_chat_id))
        case Forbidden():
            gone = _has(detail, _GONE)
            return Outcome("dead", detail) if gone else Outcome("failed", detail, cause="unwelcome")
    if _has(detail, _TOPIC):
        return Outcome("dead", detail, cause="topic")
    if _has(detail, _UNWELCOME):
        return Outcome("failed", detail, cause="unwelcome")
    if _has(detail, _CONTENT):
        log.error("Telegram refused our text", description=detail)
        return Outcome("failed", detail, cause="body")
    return Outcome("failed", detail)


def _has(detail: str, parts: tuple[str, ...]) -> bool:
    text = detail.lower().replace("_", " ")
    return any(part in text for part in parts)
