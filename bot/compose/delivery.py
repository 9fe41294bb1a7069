"""How sending fares, for the operators."""

from __future__ import annotations

from bot.locales import Tongue
from bot.message import Message, Paragraph


def stopped(trouble: str, tongue: Tongue) -> Message:
    """Nothing can be sent on a platform. trouble: which, and why, in English as in the log."""
    return Message(
        (
            Paragraph(tongue.say("Sending has stopped. {trouble}.", trouble=trouble)),
            Paragraph(tongue.say("No chat loses its subscriptions by it; what waits goes out later."), small=True),
        )
    )
