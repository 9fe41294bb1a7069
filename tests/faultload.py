"""The fault load: a fan-out to thousands of chats through the real process, everything going wrong meanwhile.

What goes wrong with single messages and chats is in tests/fakes/telegram_referee.py, who the chats are in
tests/faultcast.py; in here is what befalls the bot as a whole. What came of it all is judged in tests/verdict.py.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from storage.sqlite import open_store
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_referee import Referee
from tests.faultcast import Cast, Shape
from tests.process import Running
from tests.world import World, open_world

FLOODS = 0.05
PEOPLE = 1_000_000
PEOPLE_TROUBLED = 0.01
UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"
PATIENCE = 2400.0
WAITING = "SELECT count(*) FROM outbox WHERE settled_at IS NULL"
UNREAD = "SELECT count(*) FROM inbox WHERE state = 'new'"


@dataclass
class Load:
    """A database, a Telegram with its referee, and what has become of them. Moments are monotonic.

    halts: from when to when the bot as a whole was stopped; flights: numbers of the messages that were in flight when
    it was killed or cut off; asked: chats of people, and when they asked; moved: old chats and new
    """

    folder: Path
    cast: Cast
    world: World
    telegram: FakeTelegram
    referee: Referee
    lives: list[Running] = field(default_factory=list)
    halts: list[tuple[str, float, float]] = field(default_factory=list)
    flights: set[int] = field(default_factory=set)
    kills: int = 0
    asked: dict[int, float] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    banned_at: float = 0.0
    poisoned: int = 0

    def __post_init__(self) -> None:
        self.env = {name: value for name, value in self.world.env.items() if name != "YAMCHI_TEST_NOW"} | {
            "TELEGRAM_BOT_TOKEN": self.telegram.token,
            "TELEGRAM_API_URL": self.telegram.url.replace("127.0.0.1", "localhost"),
            "POLL_NEWS_SECONDS": "3600",
            "POLL_RATES_SECONDS": "3600",
            "LOG_LEVEL": "DEBUG",
            "YAMCHI_TEST_DEAF": str(self.folder / "deaf"),
        }

    @property
    def database(self) -> Path:
        return self.folder / "data" / "yamchi.db"

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=30)) as db:
            return db.execute(sql, values).fetchall()

    def start(self, **more: str) -> None:
        self.lives.append(Running(self.folder, "run", env={**self.env, **more}))

    def waits(self) -> int:
        """Messages that may still go; those to the banned chat may not for an hour."""
        sql = "SELECT count(*) FROM outbox JOIN lanes ON lanes.id = lane WHERE settled_at IS NULL AND chat <> ?"
        return int(self.rows(sql, str(self.banned))[0][0])

    @property
    def banned(self) -> int:
        return self.cast.roles["banned"][0]

    def run(self) -> None:
        shape = self.cast.shape
        self.referee.flood_share, self.referee.people_share = FLOODS, PEOPLE_TROUBLED
        over = threading.Event()
        asking = threading.Thread(target=self._ask, args=(over,), daemon=True)
        self.start()
        self.lives[0].wait_for_log("serving", 60)
        asking.start()
        began = time.monotonic()
        for at, what, seconds in shape.schedule:
            time.sleep(max(0.0, began + at - time.monotonic()))
            getattr(self, f"_{what}", partial(self.referee.poll_fails, what))(seconds)
        due = "SELECT count(*) FROM outbox WHERE lease_until IS NOT NULL OR ready_at < ?"
        self._until(lambda: not (self.waits() if shape.late else self.rows(due, _micros() + 2_000_000)[0][0]))
        over.set()
        asking.join(10)
        self._hours_later()

    def _hours_later(self) -> None:
        """By the clock: what is to be sent once more after a minute, and the chat whose ban is over."""
        assert self.lives[-1].stop() == 0
        self.referee.pardon()
        shift = self.folder / "shift"
        shift.write_text("70")
        self.start(YAMCHI_TEST_SHIFT=str(shift))
        self._until(lambda: not self.waits())
        shift.write_text("3700")
        self._until(lambda: not (self.rows(WAITING)[0][0] or self.rows(UNREAD)[0][0]))
        assert self.lives[-1].stop() == 0

    def _until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():
            life = self.lives[-1]
            assert life.process.poll() is None, "".join(life.err[-40:])
            assert time.monotonic() < deadline, f"{self.waits()} still wait\n" + "".join(life.err[-20:])
            time.sleep(0.2)

    def _ask(self, over: threading.Event) -> None:
        """People ask for rates, each of them once."""
        for chat in count(PEOPLE + 1):
            if over.wait(self.cast.shape.asks):
                return
            self.asked[chat] = time.monotonic()
            self.telegram.say(chat, "/rates")

    def end(self) -> None:
        """Leave no process behind."""
        for life in self.lives:
            life.__exit__(None, None, None)

    # --- what befalls us

    def _ban(self, seconds: float) -> None:
        self.banned_at = time.monotonic()
        self.referee.ban(self.banned, seconds)

    def _silence(self, seconds: float) -> None:
        """The whole bot is told to wait."""
        self.referee.ban("", seconds)
        self.halts.append(("silence", time.monotonic(), time.monotonic() + seconds))

    def _migrate(self, _: float) -> None:
        """Groups become supergroups; of every other one we are told."""
        for number, old in enumerate(self.cast.roles["migrating"]):
            new = self.moved[old] = old - 500_000_000
            self.telegram.open(new, "supergroup")
            self.telegram.refuse(old, 400, UPGRADED, migrate_to_chat_id=new)
            if number % 2:
                self.telegram.migrate(old, new)

    def _poison(self, _: float) -> None:
        self.telegram.poison()
        self.poisoned += 1

    def _kill(self, _: float) -> None:
        began = time.monotonic()
        self._end_life()
        self.start()
        self.lives[-1].wait_for_log("serving", 60)
        self.halts.append(("kill", began, time.monotonic()))

    def _deaf(self, seconds: float) -> None:
        """Killed; and when it starts again, no name can be resolved for a while."""
        began, deaf = time.monotonic(), self.folder / "deaf"
        self._end_life()
        deaf.touch()
        self.start()
        time.sleep(seconds)
        deaf.unlink()
        self.halts.append(("deaf", began, time.monotonic()))

    def _end_life(self) -> None:
        self.lives[-1].kill()
        self.kills += 1
        self._note_flights()

    def _note_flights(self) -> None:
        flying = self.rows("SELECT event FROM outbox WHERE state = 'inflight'")
        self.flights |= {int(str(event).rpartition(":")[2]) for (event,) in flying}

    def _outage(self, seconds: float) -> None:
        """Nobody listens at Telegram's port; what is on its way is cut off."""
        began = time.monotonic()
        self._note_flights()
        self.telegram.__exit__()
        self._note_flights()
        time.sleep(seconds)
        self.telegram.__enter__()
        self.halts.append(("outage", began, time.monotonic()))


def fault_load(folder: Path, shape: Shape) -> Load:
    dice = Random(7)
    cast = Cast(shape, dice)
    with open_world(folder) as world, FakeTelegram() as telegram, ExitStack() as stack:
        load = Load(folder, cast, world, telegram, Referee(telegram, dice, PEOPLE))
        stack.callback(load.end)
        cast.enter(telegram, load.referee)
        asyncio.run(_enqueue(load.database, cast))
        load.run()
    return load


async def _enqueue(database: Path, cast: Cast) -> None:
    now = datetime.now(UTC)
    store = await open_store(database)
    assert await store.enqueue(cast.outgoing(now), now) == len(cast.wanted)
    await store.close()


def _micros() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000)
