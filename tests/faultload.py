"""The fault load: a fan-out to thousands of chats through the real process, everything going wrong meanwhile.

What goes wrong with single messages and chats is in tests/fakes/telegram_referee.py; the schedule here is what
befalls the bot as a whole. What came of it all is judged in tests/verdict.py.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

from bot.message import Message, Paragraph
from bot.models import Address, DeliveryKind, Outgoing
from bot.rules import SHELF_LIFE
from storage.sqlite import open_store
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_referee import Referee
from tests.process import Running
from tests.world import World, open_world

KINDS: dict[DeliveryKind, int] = {"article": 45, "digest": 35, "alert": 20}
"""Of a hundred messages. The fourth kind, replies, is what people get who ask."""
FAULTS = {"502": 0.5, "504": 0.5, "500": 0.5, "late": 0.5, "dropped": 0.5, "dropped after": 0.5}
"""In percent of the messages."""
FLOODS = 0.05
PEOPLE = 1_000_000
PEOPLE_TROUBLED = 0.01
BULLETIN = "Bulletin for everybody"
BLOCKED = "Forbidden: bot was blocked by the user"
DEACTIVATED = "Forbidden: user is deactivated"
UNFOUND = "Bad Request: chat not found"
UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"
DIGEST_LIFE = timedelta(hours=6)
PATIENCE = 2400.0
WAITING = "SELECT count(*) FROM outbox WHERE settled_at IS NULL"
UNREAD = "SELECT count(*) FROM inbox WHERE state = 'new'"


@dataclass(frozen=True)
class Shape:
    """How large a load is. busy: groups that get `busy_messages` each; bulletin: chats that get the text refused
    as HTML; late: whether answers come after the client's patience; schedule: seconds from the start, what befalls
    us, for how long; asks: seconds between two people who ask; beside: seconds of sending compared"""

    privates: int
    groups: int
    channels: int
    messages: int
    busy: int
    busy_messages: int
    bulletin: int
    late: bool
    blocked: int
    deactivated: int
    unfound: int
    migrating: int
    closed: int
    asks: float
    beside: float
    schedule: tuple[tuple[float, str, float], ...]


FULL = Shape(
    privates=4500, groups=400, channels=100, messages=20_000, busy=20, busy_messages=60, bulletin=500, late=True,
    blocked=100, deactivated=10, unfound=10, migrating=2, closed=5, asks=1.0, beside=40.0,
    schedule=(
        (50, "ban", 3600), (95, "migrate", 0), (110, "kill", 0), (130, "silence", 30), (200, "404", 0),
        (215, "401", 0), (230, "409", 5), (245, "poison", 0), (250, "again", 0), (260, "hung", 0),
        (310, "outage", 60), (430, "deaf", 10), (500, "kill", 0),
    ),
)  # fmt: skip
"""The figures of the issue. The third kill is the one that begins the failure of name resolution."""
SHORT = Shape(
    privates=150, groups=12, channels=4, messages=450, busy=2, busy_messages=8, bulletin=20, late=False,
    blocked=3, deactivated=1, unfound=1, migrating=2, closed=1, asks=0.5, beside=3.0,
    schedule=(
        (4, "ban", 3600), (5, "404", 0), (6.5, "401", 0), (8, "migrate", 0), (8.5, "poison", 0), (9, "again", 0),
        (10, "409", 1), (13, "kill", 0), (16, "silence", 2), (20, "outage", 2), (24, "deaf", 2),
    ),
)  # fmt: skip
SHARES = {SHORT: 4.0}
"""So much more often do single messages meet trouble in a load that has few of them."""


@dataclass(frozen=True)
class Wanted:
    """A message of the load. text: its number, or BULLETIN"""

    number: int
    chat: int
    thread: int | None
    kind: DeliveryKind
    text: str


@dataclass
class Load:
    """A database, a Telegram with its referee, and what has become of them. moments are monotonic.

    halts: from when to when the bot as a whole was stopped; flights: events in flight when it was killed or cut off;
    taken: updates that were being answered then; asked: chats of people and when they asked; moved: old and new chats
    """

    folder: Path
    shape: Shape
    world: World
    telegram: FakeTelegram
    dice: Random = field(default_factory=lambda: Random(7))  # noqa: S311
    wanted: list[Wanted] = field(default_factory=list)
    roles: dict[str, list[int]] = field(default_factory=dict)
    lives: list[Running] = field(default_factory=list)
    halts: list[tuple[str, float, float]] = field(default_factory=list)
    flights: set[int] = field(default_factory=set)
    taken: int = 0
    kills: int = 0
    asked: dict[int, float] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    banned_at: float = 0.0
    drained_at: float = 0.0
    poisoned: int = 0

    def __post_init__(self) -> None:
        self.referee = Referee(self.telegram, self.dice, PEOPLE)
        self.env = {name: value for name, value in self.world.env.items() if name != "YAMCHI_TEST_NOW"} | {
            "TELEGRAM_BOT_TOKEN": self.telegram.token,
            "TELEGRAM_API_URL": self.telegram.url.replace("127.0.0.1", "localhost"),
            "POLL_NEWS_SECONDS": "3600",
            "POLL_RATES_SECONDS": "3600",
            "LOG_LEVEL": "INFO",
            "YAMCHI_TEST_DEAF": str(self.folder / "deaf"),
        }

    # --- what is to be sent

    def people(self) -> None:
        """Open the chats, and choose those that something is the matter with."""
        shape = self.shape
        groups = [-1000 - n for n in range(shape.groups)]
        channels = [-1_000_000 - n for n in range(shape.channels)]
        privates = list(range(1, shape.privates + 1))
        for chats, kind in ((groups, "group"), (channels, "channel"), (privates, "private")):
            for chat in chats:
                self.telegram.open(chat, kind)
        busy, quiet = groups[: shape.busy], groups[shape.busy :]
        chosen = self.dice.sample(privates, shape.blocked + shape.deactivated + shape.unfound + 1 + shape.bulletin)
        names = ("blocked", "deactivated", "unfound", "banned", "bulletin")
        sizes = (shape.blocked, shape.deactivated, shape.unfound, 1, shape.bulletin)
        taken = iter(chosen)
        self.roles = {name: [next(taken) for _ in range(size)] for name, size in zip(names, sizes, strict=True)}
        self.roles |= {"busy": busy, "migrating": busy[: shape.migrating], "closed": quiet[: shape.closed]}
        self.roles["all"] = [*privates, *groups, *channels]
        for name, code, text in (
            ("blocked", 403, BLOCKED),
            ("deactivated", 403, DEACTIVATED),
            ("unfound", 400, UNFOUND),
        ):
            for chat in self.roles[name]:
                self.telegram.refuse(chat, code, text)
        self.referee.closed = {(chat, 7) for chat in self.roles["closed"]}
        self.referee.refused_text = BULLETIN

    def write(self) -> None:
        """The messages, and what each of them will meet."""
        shape, chats = self.shape, self.roles["all"]
        numbers = count()
        for chat in self.roles["bulletin"]:
            self.wanted.append(Wanted(next(numbers), chat, None, "article", BULLETIN))
        busy = [chat for _ in range(shape.busy_messages) for chat in self.roles["busy"]]
        rest = shape.messages - len(busy) - len(self.wanted)
        spread = [chats[n % len(chats)] for n in range(rest)]
        step = max(1, len(spread) // max(1, len(busy)))
        for place, chat in enumerate(spread):
            self._add(next(numbers), chat)
            if place % step == 0 and busy:
                self._add(next(numbers), busy.pop())
        for chat in busy:
            self._add(next(numbers), chat)

    def _add(self, number: int, chat: int) -> None:
        [kind] = self.dice.choices(list(KINDS), list(KINDS.values()))
        thread = 7 if chat in self.roles["closed"] and number % 2 else None
        self.wanted.append(Wanted(number, chat, thread, kind, str(number)))
        ill = {
            chat for name in ("blocked", "deactivated", "unfound", "banned", "migrating") for chat in self.roles[name]
        }
        if chat in ill or thread:
            return
        faults = {name: share for name, share in FAULTS.items() if name != "late" or self.shape.late}
        if self.dice.random() * 100 < sum(faults.values()) * SHARES.get(self.shape, 1.0):
            [self.referee.plan[str(number)]] = self.dice.choices(list(faults), list(faults.values()))

    async def enqueue(self) -> None:
        now = datetime.now(UTC)
        texts = {one.text: Message((Paragraph(one.text),)) for one in self.wanted}
        lives = {"digest": DIGEST_LIFE, **SHELF_LIFE}
        outgoing = [
            Outgoing(
                f"load:{one.number}",
                Address("telegram", str(one.chat), str(one.thread or "")),
                one.kind,
                texts[one.text],
                now,
                now + lives[one.kind],
            )
            for one in self.wanted
        ]
        store = await open_store(self.database)
        assert await store.enqueue(outgoing, now) == len(self.wanted)
        await store.close()

    # --- the run

    @property
    def database(self) -> Path:
        return self.folder / "data" / "yamchi.db"

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database, timeout=30)) as db:
            return db.execute(sql, values).fetchall()

    def start(self, **more: str) -> None:
        self.lives.append(Running(self.folder, "run", env={**self.env, **more}))

    def waits(self) -> int:
        """Messages that may still go; those to the banned chat may not for an hour."""
        sql = "SELECT count(*) FROM outbox JOIN lanes ON lanes.id = lane WHERE settled_at IS NULL AND chat <> ?"
        return int(self.rows(sql, str(self.roles["banned"][0]))[0][0])  # type: ignore[call-overload]

    def run(self) -> None:
        self.referee.flood_share, self.referee.people_share = FLOODS, PEOPLE_TROUBLED
        over = threading.Event()
        asking = threading.Thread(target=self._ask, args=(over,), daemon=True)
        self.start()
        self.lives[0].wait_for_log("serving", 60)
        asking.start()
        began = time.monotonic()
        for at, what, seconds in self.shape.schedule:
            time.sleep(max(0.0, began + at - time.monotonic()))
            getattr(self, f"_{what}", lambda s, what=what: self.referee.poll_fails(what, s))(seconds)
        over.set()
        asking.join(10)
        self._drain(quick=not self.shape.late)

    def _drain(self, *, quick: bool) -> None:
        """To the end; then an hour later by the clock, when the ban is over. quick: what waits to be sent once more
        does not wait for its minute either"""
        due = "SELECT count(*) FROM outbox WHERE lease_until IS NOT NULL OR ready_at < ?"
        self._until(lambda: not (self.rows(due, _micros() + 2_000_000)[0][0] if quick else self.waits()))
        self.drained_at = time.monotonic()
        assert self.lives[-1].stop() == 0
        self.referee.pardon()
        shift = self.folder / "shift"
        shift.write_text("70")
        self.start(YAMCHI_TEST_SHIFT=str(shift))
        self._until(lambda: not self.waits())
        shift.write_text("3700")
        self._until(lambda: not (self.rows(WAITING)[0][0] or self.rows(UNREAD)[0][0]))
        assert self.lives[-1].stop() == 0

    def _until(self, true: object) -> None:
        deadline = time.monotonic() + PATIENCE
        while not true():  # type: ignore[operator]
            life = self.lives[-1]
            assert life.process.poll() is None, "".join(life.err[-40:])
            assert time.monotonic() < deadline, f"{self.waits()} still wait\n" + "".join(life.err[-20:])
            time.sleep(0.2)

    def _ask(self, over: threading.Event) -> None:
        """People ask for rates, each of them once."""
        for chat in count(PEOPLE + 1):
            if over.wait(self.shape.asks):
                return
            self.asked[chat] = time.monotonic()
            self.telegram.say(chat, "/rates")

    # --- what befalls us

    def _ban(self, seconds: float) -> None:
        self.banned_at = time.monotonic()
        self.referee.ban(self.roles["banned"][0], seconds)

    def _silence(self, seconds: float) -> None:
        """The whole bot is told to wait."""
        self.referee.ban("", seconds)
        self.halts.append(("silence", time.monotonic(), time.monotonic() + seconds))

    def _migrate(self, _: float) -> None:
        """Groups become supergroups; of every other one we are told."""
        for number, old in enumerate(self.roles["migrating"]):
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
        self.taken += int(self.rows("SELECT count(*) FROM inbox WHERE state = 'taken'")[0][0])  # type: ignore[call-overload]

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
    with open_world(folder) as world, FakeTelegram() as telegram:
        load = Load(folder, shape, world, telegram)
        load.people()
        load.write()
        asyncio.run(load.enqueue())
        try:
            load.run()
        finally:
            for life in load.lives:
                with suppress(Exception):
                    life.__exit__(None, None, None)
    return load


def _micros() -> int:
    return int(datetime.now(UTC).timestamp() * 1_000_000)
