"""Where people are, what they say and what they hear back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from bot.message import Message


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes: a chat of a platform, and a topic or thread in it."""

    platform: str
    chat: str
    thread: str = ""

    def __str__(self) -> str:
        return f"{self.platform}:{self.chat}" + (f"#{self.thread}" if self.thread else "")

    @classmethod
    def parse(cls, text: str) -> Address:
        platform, _, rest = text.partition(":")
        chat, _, thread = rest.partition("#")
        return cls(platform, chat, thread)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person said, and where. `text` is a command line such as "/rates KZT".

    user: the platform's own id of the person, "" where nobody is to be named
    language, zone: what the platform tells of the person ("" where it tells nothing)
    is_admin: may change the settings of this chat
    locates: the platform can tell us where they are, if they want that (Message.locate)
    aside: who asks where nobody said anything, "inline" while somebody types, "home" when a page is opened;
        how fast that is asked is counted apart
    update: the key of the update in the inbox that says this, "" if it came by another way
    """

    address: Address
    text: str
    user: str = ""
    language: str = ""
    zone: str = ""
    private: bool = True
    is_admin: bool = True
    locates: bool = False
    aside: str = ""
    update: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the menu answers: the message, its figures for scripts, and whether it is a refusal.

    error: {"message", "hint"} when the request was refused, else None.
    """

    message: Message
    data: object = None
    error: dict[str, str] | None = None


SILENCE: Final = Answer(Message(()))
"""Nothing is to be said: whoever hears this asks too fast, and was told so."""
