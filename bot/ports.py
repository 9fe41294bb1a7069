"""The doors of the core: what it asks of a chat and of the world. That to the store is in bot/store.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Protocol

from aiohttp import web

from bot.locales import Tongue
from bot.message import Message
from bot.models import Address, Answer, Health, Outcome, Request
from bot.pace import Pace

Clock = Callable[[], datetime]
"""Says what time it is: an aware UTC datetime."""

Ask = Callable[[Request], Awaitable[Answer]]
"""The menu, as a chat sees it: never raises for anything a person said."""

Tell = Callable[[str, Callable[[Tongue], Message]], Awaitable[None]]
"""Tells the operators, once per cause in six hours: the cause's name, and the words. Raises DatabaseError."""

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers on our HTTP server, whatever the method. A body longer than 1 MiB is refused when it is read."""

Work = Callable[[], Coroutine[Any, Any, None]]

CrashHook = Callable[[str], None]
"""Called at named points ("fetched", "kept", "claimed", "handed", "sent"); tests die there."""


class Alone(Protocol):
    """Has some work done by one process at a time. stands_by: it is another's turn"""

    stands_by: bool

    async def __call__(self, what: str, work: Work) -> None:
        """Do the work while it is our turn, again and again; it ends if the work does. what: names it in the log"""


class Chat(Protocol):
    """A chat platform: one file or one folder in handlers/.

    pace: how fast it may be spoken to. The first call of a push has its turn already; whatever else is
        said takes one itself, and what the platform says of being too fast is told to it.
    """

    platform: str
    pace: Pace

    async def check(self) -> None:
        """Say hello at start. Raises ChatRejected if the platform refuses our token; a network
        that fails is no answer and raises nothing."""

    async def listen(self, ask: Ask) -> None:
        """Answer whoever speaks, until cancelled. Survives every fault of the platform. Any number of processes may
        do so at once."""

    async def send(self, address: Address, message: Message, *, plain: bool = False, answers: str = "") -> Outcome:
        """Push one message, with `plain` as bare words; as an answer to the message of the id `answers`, where that
        can be answered. Never raises for what the platform does: the Outcome says it, and its cause."""

    async def edit(self, address: Address, message_id: str, message: Message, *, plain: bool = False) -> Outcome:
        """Put a message in the place of one that was sent; once more does no harm. As send, it never raises;
        where that message cannot be written anew it has "failed", and nothing new is sent."""

    def pages(self) -> Mapping[str, Page]:
        """What this chat serves on HTTP_LISTEN, by path; good to ask before and while it listens."""

    def health(self) -> Health:
        """Whether this chat can be spoken to just now."""

    async def close(self) -> None:
        """Let go of connections. listen() has been cancelled before."""
