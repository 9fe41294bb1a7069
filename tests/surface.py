"""The whole of Telegram as people use it: the real menu on a real store, Telegram's wire around it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.models import Address, Answer, Catalogue, Feed, PollState, Request, Subscription
from handlers import menu
from handlers.menu.desk import Desk
from handlers.telegram import Telegram
from handlers.telegram.poll import Pace
from storage.sqlite import SqliteStore, open_store
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_server import BOT, TOKEN, Said
from tests.fixings import NOON, ROADS, desk_of, keep_week
from tests.kinds import article

PACE = Pace(long_poll=1, timeout=5, pause=0.05, longest_pause=0.2)
PERSON, OTHER = 7, 8
CATALOGUE = Catalogue(
    (Feed("timesca", "The Times of Central Asia", "https://news.example/feed/", "en", ("KZ",)),), ROADS
)
GROUP, FORUM, CHANNEL = -1005, -1006, -1007


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def on(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Surface:
    """asked: all that reached the menu, with what it answered"""

    fake: FakeTelegram
    store: SqliteStore
    desk: Desk
    clock: Clock
    database: Path
    asked: list[tuple[Request, Answer]] = field(default_factory=list)

    async def ask(self, request: Request) -> Answer:
        answer = await menu.answer(self.desk, request)
        self.asked.append((request, answer))
        return answer

    async def say(self, chat: int, text: str, **how: Any) -> Said | None:
        """Write, and wait until that is done with. Returns the newest message of the chat."""
        return await self._done(chat, self.fake.say(chat, text, **how))

    async def press(self, chat: int, label: str = "", **how: Any) -> Said | None:
        return await self._done(chat, self.fake.press(chat, label, **how))

    async def share(self, chat: int, latitude: float, longitude: float, **how: Any) -> Said | None:
        return await self._done(chat, self.fake.share(chat, latitude, longitude, **how))

    async def type_inline(self, user: int, text: str, language: str = "en") -> list[dict[str, Any]]:
        return await asyncio.to_thread(self.fake.type_inline, user, text, language)

    async def settled(self, *numbers: int) -> None:
        """Wait until these updates are done with."""
        waiting = {str(number) for number in numbers}
        async with asyncio.timeout(120):
            while waiting := waiting - self._states("done", "poison"):
                await asyncio.sleep(0.02)

    async def subscriptions(self, chat: int) -> list[Subscription]:
        return await self.store.subscriptions(Address("telegram", str(chat)))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()

    async def _done(self, chat: int, number: int) -> Said | None:
        await self.settled(number)
        said = self.fake.messages(chat)
        return said[-1] if said else None

    def _states(self, *states: str) -> set[str]:
        marks = ", ".join(f"'{state}'" for state in states)
        return {key for (key,) in self.rows(f"SELECT key FROM inbox WHERE state IN ({marks})")}


@asynccontextmanager
async def open_surface(folder: Path) -> AsyncIterator[Surface]:
    """With a week of fixings, seven articles, a group, a forum with a topic and a channel."""
    clock = Clock()
    with FakeTelegram() as fake:
        fake.open(PERSON)
        fake.open(OTHER)
        fake.open(GROUP, "supergroup")
        fake.open(FORUM, "supergroup", {5})
        fake.open(CHANNEL, "channel", username="prices_kz")
        fake.member(CHANNEL, BOT["id"], "administrator")
        store = await open_store(folder / "yamchi.db")
        await keep_week(store)
        new = [
            (article(n, id=0, title=f"A summit, part {n}", source="timesca", opinion=False), [f"k{n}"])
            for n in range(1, 8)
        ]
        await store.keep_news(PollState("timesca", last_ok_at=clock(), items=7), new, {}, [], clock())
        surface = Surface(
            fake, store, replace(desk_of(store), clock=clock, catalogue=CATALOGUE), clock, folder / "yamchi.db"
        )
        chat = Telegram(TOKEN, fake.url, store, clock, ["telegram:900"], paid=True, pace=PACE)
        task = asyncio.create_task(chat.listen(surface.ask))
        try:
            yield surface
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await chat.close()
            await store.close()
