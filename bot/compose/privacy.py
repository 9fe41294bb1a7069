"""What is kept of people, how they get it and how it goes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.locales import Tongue
from bot.message import Block, Button, File, Heading, Message, Paragraph
from bot.models import Address


def exported(kept: Mapping[str, Sequence[object]], address: Address, now: datetime, tongue: Tongue) -> Message:
    """All that is kept of a chat, as a JSON file. What reached us may hold half a character, which no file can."""
    body: dict[str, Any] = {"chat": str(address), "at": now.isoformat(), **kept}
    content = json.dumps(body, ensure_ascii=False, indent=1).encode(errors="replace").decode() + "\n"
    text = tongue.say("All I keep of this chat, as a file. /export rates KZT 90d and /export sources give other files.")
    return Message((File(text, "yamchi-my-data.json", content),))


def privacy(retention_days: int, tongue: Tongue) -> Message:
    """What is kept, for how long, and what one can do about it."""
    lines = [
        tongue.say(
            "I keep this chat's number, its language, clocks, quiet hours, subscriptions, alerts and the feeds added "
            "to it, each with the number of whoever set it."
        ),
        tongue.say(
            "What reaches me is kept as it came, names included, for 7 days, so that nothing is lost or done twice; "
            "what I sent, for 14 days. A chat that shuts me out is forgotten after 90 days."
        ),
        tongue.say("Nothing of this goes to anybody else: no advertising, no tracking, no profile of anybody."),
        tongue.say("/export gives you all of it as a file. /forget_me deletes all of it at once, for good."),
    ]
    more = tongue.say("Articles are kept for {days} days. Backups are the operator's to delete.", days=retention_days)
    told: tuple[Block, ...] = (Heading(tongue.say("Privacy")), *(Paragraph(line) for line in lines))
    buttons = Button(tongue.say("My data"), "/export"), Button("/forget_me", "/forget_me")
    return Message((*told, Paragraph(more, small=True)), buttons)


def asked_to_forget(tongue: Tongue, *, private: bool) -> Message:
    """What would go, and the button that does it."""
    text = (
        tongue.say("I would delete all I keep of this chat: settings, subscriptions, alerts, feeds, what was said.")
        if private
        else tongue.say("I would delete all I keep of this group or channel, its topics included: everybody's here.")
    )
    return Message(
        (
            Paragraph(text),
            Paragraph(tongue.say("It cannot be undone; /export first, if you want to keep it."), small=True),
        ),
        (Button(tongue.say("Delete everything"), "/forget_me yes"), Button(tongue.say("My data"), "/export")),
    )


def forgotten(tongue: Tongue) -> Message:
    """Everything is gone. The last that this chat hears in its language."""
    return Message((Paragraph(tongue.say("I have forgotten this chat. Say /start to begin anew.")),))
