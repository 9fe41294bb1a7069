"""What the operators must know of the machinery itself."""

from __future__ import annotations

from bot.locales import Tongue
from bot.message import Message, Paragraph


def telegram_poison(key: str, tries: int, tongue: Tongue) -> Message:
    """An update was put aside because the process died over it. key: its number."""
    return _told(
        tongue.say(
            "Telegram's update {key} stopped me {count} times. I have put it aside unanswered; the log says more.",
            key=key,
            count=tries,
        )
    )


def telegram_conflict(tongue: Tongue) -> Message:
    """Somebody else fetches our updates."""
    return _told(tongue.say("Another program uses this Telegram token and takes my updates. Stop one of the two."))


def telegram_refused(tongue: Tongue) -> Message:
    """Our token is refused, though it was good once."""
    return _told(
        tongue.say("Telegram refuses TELEGRAM_BOT_TOKEN. Get a new one from @BotFather and start me again with it.")
    )


def telegram_webhook(trouble: str, tongue: Tongue) -> Message:
    """Telegram cannot reach our webhook. trouble: in its own words."""
    return _told(
        tongue.say("Telegram cannot bring updates to TELEGRAM_WEBHOOK_URL. It says: {trouble}", trouble=trouble)
    )


def _told(text: str) -> Message:
    return Message((Paragraph(text),))
