"""What an operator tells @BotFather, made from the menu."""

from __future__ import annotations

from typing import Final

from telegram import BotCommand

from bot.locales import Tongue, tongue
from handlers.menu.registry import commands

DESCRIPTION_CHARACTERS: Final = 256

_SETTINGS: Final = """\
Open a chat with @BotFather and send:

/newbot            choose a name and a user name; put the token into .env as TELEGRAM_BOT_TOKEN
/setprivacy        Enable: in groups I see only what is said to me
/setjoingroups     Enable
/setinline         a hint such as: KZT, 100 usd kzt, summit

The command menu sets itself at every start, in every language. To set it by hand,
send /setcommands and then these lines:
"""


def botfather() -> str:
    """The settings to make, and the list for /setcommands."""
    lines = (f"{entry.command} - {entry.description}" for entry in menu(tongue("en")))
    return "\n".join([_SETTINGS, *lines])


def menu(speech: Tongue, *, reading: bool = False) -> list[BotCommand]:
    """Telegram's command menu in a language. reading: only what changes no settings."""
    return [
        BotCommand(name, speech.say(found.summary)[:DESCRIPTION_CHARACTERS])
        for name, found in commands().items()
        if not (reading and found.changes is True)
    ]
