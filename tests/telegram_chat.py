"""A Telegram chat that listens to the fake, and a menu that remembers who asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from bot.errors import DatabaseError
from bot.locales import tongue
from bot.message import Button, Message, Paragraph
from bot.models import Answer, Request
from handlers.telegram import Telegram
from handlers.telegram.poll import Pace
from storage.sqlite import SqliteStore
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_server import TOKEN, Said

PACE = Pace(long_poll=1, timeout=1.5, pause=0.05, longest_pause=0.2, watch=0.2)
LONG = "/latest " + " ".join(["corridor"] * 20)


def clock() -> datetime:
    return datetime.now(UTC)


def plain(*texts: str, buttons: tuple[Button, ...] = ()) -> Message:
    return Message(tuple(Paragraph(text) for text in texts), buttons)


class Menu:
    """Answers with what was asked; remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        return Answer(plain(f"you said {request.text}", buttons=(Button("Again", request.text), Button("Long", LONG))))


@asynccontextmanager
async def listening(
    fake: FakeTelegram,
    store: SqliteStore,
    menu: Menu,
    crash: Callable[[str], None] = lambda _: None,
    **more: Any,
) -> AsyncIterator[Telegram]:
    chat = Telegram(TOKEN, fake.url, store, clock, ["telegram:900"], crash=crash, pace=PACE, **more)
    task = asyncio.create_task(chat.listen(menu))
    try:
        yield chat
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await chat.close()


async def heard(fake: FakeTelegram, chat: int, what: int | Callable[[Said], bool] = 1) -> list[str]:
    return [said.text for said in await asyncio.to_thread(fake.wait_for, chat, what)]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.02)


class Told:
    """What the operators are told: (cause, first block's text)."""

    def __init__(self) -> None:
        self.causes: list[str] = []
        self.texts: list[str] = []

    async def __call__(self, cause: str, words: Callable[..., Message]) -> None:
        self.causes.append(cause)
        self.texts.append(words(tongue("en")).blocks[0].text)


class FullDisk:
    """A store that cannot write for a while."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.failing: set[str] = {"keep_updates", "settle_update"}

    def __getattr__(self, name: str) -> object:
        if name in self.failing:
            self.failing.discard(name)
            raise DatabaseError("the disk is full")
        return getattr(self._store, name)
