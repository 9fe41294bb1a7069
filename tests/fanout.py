"""A fan-out through the real process and a Bot API at the wire, killed as it goes: what was lost, what came twice.

The messages are put into the database before the process starts. They carry their number, so that
every one can be counted and their order be seen.
"""

from __future__ import annotations

import asyncio
import random
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.message import Message, Paragraph
from bot.models import Address, DeliveryKind, Outgoing
from storage.choice import open_chosen
from tests.fakes.faults import slow
from tests.fakes.telegram import FakeTelegram
from tests.process import Running
from tests.stores import is_damaged, look
from tests.world import open_world

CHATS = range(1, 41)
MESSAGES = 1_000
ANSWER_SECONDS = 0.02
IN_FLIGHT = 320
PATIENCE = 240.0
POINTS = ("claimed", "handed", "sent", "update-kept", "update-taken", "fetched", "kept")
"""Where the crash hook is called."""
DELIVERING = frozenset({"handed", "sent"})


@dataclass
class Tally:
    """What became of a fan-out. unknown: by kind, as the outbox has it."""

    runs: int = 0
    kills: int = 0
    sent: int = 0
    lost: int = 0
    twice: int = 0
    disordered: int = 0
    damaged: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    slowest_stop: float = 0.0

    def __str__(self) -> str:
        unknown = ", ".join(f"{kind} {count}" for kind, count in sorted(self.unknown.items())) or "none"
        stop = f", slowest stop {self.slowest_stop:.1f} s" if self.slowest_stop else ""
        return (
            f"{self.runs} fan-outs, {self.kills} kills, {self.sent} messages:"
            f" lost {self.lost}, sent twice {self.twice}, out of order {self.disordered},"
            f" databases damaged {self.damaged}, unknown: {unknown}{stop}"
        )


@dataclass
class FanOut:
    """One database (its DATABASE_URL), one Telegram."""

    folder: Path
    telegram: FakeTelegram
    env: dict[str, str]
    database: str

    async def enqueue(
        self,
        messages: int,
        kinds: tuple[DeliveryKind, ...] = ("digest",),
        run: int = 0,
        chats: Sequence[int] = CHATS,
    ) -> None:
        """So many messages, spread over the chats; the kinds take turns."""
        now = datetime.now(UTC)
        store = await open_chosen(self.database, retention_days=90)
        outgoing = [
            Outgoing(
                f"run{run}:{number}",
                Address("telegram", str(chats[number % len(chats)])),
                kinds[number // len(chats) % len(kinds)],
                Message((Paragraph(f"{run}/{number}"),)),
                now,
                now + timedelta(hours=6),
            )
            for number in range(messages)
        ]
        assert await store.enqueue(outgoing, now) == messages
        await store.close()

    def start(self, **more: str) -> Running:
        return Running(self.folder, "run", env={**self.env, **more})

    def got(self) -> list[tuple[int, str]]:
        return [(chat, said.text) for chat in CHATS for said in self.telegram.messages(chat)]

    def arrived(self) -> int:
        return sum(len(self.telegram.messages(chat)) for chat in CHATS)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return look(self.database, sql)

    def waits(self) -> int:
        return int(self.rows("SELECT count(*) FROM outbox WHERE settled_at IS NULL")[0][0])  # type: ignore[call-overload]

    def finish(self) -> None:
        """Once more, undisturbed, until nothing waits any more."""
        with self.start(LOG_LEVEL="INFO") as running:
            running.wait_for_log("serving", PATIENCE)
            self._drained(running)
            assert running.stop() == 0

    def _drained(self, running: Running) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.waits():
            assert running.process.poll() is None, "".join(running.err[-40:])
            assert time.monotonic() < deadline, f"{self.waits()} still wait\n" + "".join(running.err[-20:])
            time.sleep(0.1)

    def count(self, tally: Tally, messages: int, run: int = 0) -> None:
        """Lost: neither arrived nor noted as anything but sent. Order: of each chat's first copies."""
        came = [(chat, text) for chat, text in self.got() if text.startswith(f"{run}/")]
        copies = Counter(text for _, text in came)
        noted = {
            str(event).rpartition(":")[2]: (state, kind)
            for event, state, kind in self.rows(f"SELECT event, state, kind FROM outbox WHERE event LIKE 'run{run}:%'")
        }
        tally.runs += 1
        tally.sent += messages
        for number in range(messages):
            state, kind = noted.get(str(number), ("gone", "digest"))
            excused = state in {"unknown", "failed", "dead", "expired"} and kind in {"alert", "reply"}
            tally.lost += not copies[f"{run}/{number}"] and not excused
            if state == "unknown":
                tally.unknown[str(kind)] += 1
        tally.twice += sum(count - 1 for count in copies.values())
        for chat in CHATS:
            numbers = list(dict.fromkeys(int(text.partition("/")[2]) for to, text in came if to == chat))
            tally.disordered += numbers != sorted(numbers)
        tally.damaged += is_damaged(self.database)


@contextmanager
def fan_out(folder: Path, answer_seconds: float = ANSWER_SECONDS, database: str = "") -> Iterator[FanOut]:
    """A Telegram that takes `answer_seconds` to answer, with all the chats open. database: "" for a file in `folder`"""
    database = database or f"sqlite:///{folder}/data/yamchi.db"
    with open_world(folder) as world, FakeTelegram() as telegram:
        for chat in CHATS:
            telegram.open(chat)
        telegram.fault(f"/bot{telegram.token}/sendMessage", slow(answer_seconds))
        env = {
            **{name: value for name, value in world.env.items() if name != "YAMCHI_TEST_NOW"},
            "TELEGRAM_BOT_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.url,
            "TELEGRAM_PAID_BROADCAST": "true",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": database,
        }
        yield FanOut(folder, telegram, env, database)


def killed_at_random(
    folder: Path,
    kills: int,
    messages: int = MESSAGES,
    kinds: tuple[DeliveryKind, ...] = ("digest",),
    database: str = "",
) -> Tally:
    """Kill -9 at random moments of fan-outs, so often in all; each fan-out ends by itself in the end."""
    tally, luck = Tally(), random.Random()
    with fan_out(folder, database=database) as fan:
        while tally.kills < kills:
            run, asked = tally.runs, 0
            asyncio.run(fan.enqueue(messages, kinds, run))
            before = fan.arrived()
            while tally.kills < kills and asked < 10 and fan.waits():
                until = fan.arrived() + luck.randrange(1, max(2, messages // 12))
                with fan.start() as running:
                    _wait(lambda until=until: fan.arrived() >= until or not fan.waits(), running)
                    time.sleep(luck.random() * 2 * ANSWER_SECONDS)
                    running.kill()
                tally.kills += 1
                asked += 1
            fan.finish()
            assert fan.arrived() > before
            fan.count(tally, messages, run)
    return tally


def killed_at(folder: Path, point: str, times: int, messages: int = 200, database: str = "") -> Tally:
    """Killed `times` times where the program itself says that a crash would hurt."""
    tally, luck = Tally(), random.Random()
    with fan_out(folder, 0, database) as fan:
        asyncio.run(fan.enqueue(messages))
        for _ in range(times):
            with fan.start(
                YAMCHI_TEST_CRASH=f"{point}:{luck.randrange(1, 20 if point in DELIVERING else 2)}"
            ) as running:
                if point.startswith("update"):
                    fan.telegram.say(41, "/status")
                running.process.wait(60)
                assert running.process.returncode == 9
            tally.kills += 1
        fan.finish()
        fan.count(tally, messages)
    return tally


def stopped(folder: Path, times: int, messages: int = 400, database: str = "") -> Tally:
    """SIGTERM in the middle of a fan-out, so often; it is counted how long the process takes to go."""
    tally, luck = Tally(), random.Random()
    with fan_out(folder, database=database) as fan:
        run = 0
        while tally.kills < times:
            asyncio.run(fan.enqueue(messages, run=run))
            while tally.kills < times and fan.waits():
                until = fan.arrived() + luck.randrange(1, messages // 6)
                with fan.start() as running:
                    _wait(lambda until=until: fan.arrived() >= until or not fan.waits(), running)
                    began = time.monotonic()
                    assert running.stop() == 0
                    tally.slowest_stop = max(tally.slowest_stop, time.monotonic() - began)
                tally.kills += 1
            fan.finish()
            fan.count(tally, messages, run)
            run += 1
    return tally


@dataclass(frozen=True)
class Windows:
    """What the referee counted: the most in a second, of all; the most in a minute, of one group."""

    messages: int
    second: int
    minute: int

    def __str__(self) -> str:
        return f"{self.messages} messages: at most {self.second} in a second, {self.minute} in a minute to a group"


def within_limits(folder: Path, *, private: int, a_group: int, kills: int = 0, database: str = "") -> Windows:
    """Messages to forty people and three groups without paying, the process killed so often meanwhile."""
    groups = (-1001, -1002, -1003)
    with fan_out(folder, 0, database) as fan:
        fan.env["TELEGRAM_PAID_BROADCAST"] = "false"
        for group in groups:
            fan.telegram.open(group, "supergroup")
        asyncio.run(fan.enqueue(private))
        asyncio.run(fan.enqueue(a_group * len(groups), run=1, chats=groups))
        for _ in range(kills):
            seen = sum(len(fan.telegram.messages(group)) for group in groups)
            with fan.start() as running:
                _wait(lambda seen=seen: sum(len(fan.telegram.messages(g)) for g in groups) >= seen + 4, running)
                running.kill()
        fan.finish()
        everything = [said.moment for chat in (*CHATS, *groups) for said in fan.telegram.messages(chat)]
        minutes = [most_in([said.moment for said in fan.telegram.messages(group)], 60) for group in groups]
    return Windows(len(everything), most_in(everything, 1), max(minutes))


def most_in(moments: Sequence[float], seconds: float) -> int:
    """The most that lie in any window of so many seconds."""
    ordered = sorted(moments)
    return max(bisect_right(ordered, moment + seconds - 1e-6) - n for n, moment in enumerate(ordered))


def _wait(seen: object, running: Running) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():  # type: ignore[operator]
        assert running.process.poll() is None, "".join(running.err[-40:])
        assert time.monotonic() < deadline, "".join(running.err[-20:])
        time.sleep(0.005)
