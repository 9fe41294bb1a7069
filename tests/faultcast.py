"""Who is in a fault load, what they are to be sent, and what each message will meet on its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random

from bot.message import Message, Paragraph
from bot.models import Address, DeliveryKind, Outgoing
from bot.rules import SHELF_LIFE
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_referee import Referee

KINDS: dict[DeliveryKind, int] = {"article": 45, "digest": 35, "alert": 20}
"""Of a hundred messages. The fourth kind, replies, is what people get who ask."""
LIVES = {"digest": timedelta(hours=6), **SHELF_LIFE}
FAULTS = {"502": 0.5, "504": 0.5, "500": 0.5, "late": 0.5, "dropped": 0.5, "dropped after": 0.5}
"""In percent of the messages."""
BULLETIN = "Bulletin for everybody"
REFUSALS = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "deactivated": (403, "Forbidden: user is deactivated"),
    "unfound": (400, "Bad Request: chat not found"),
}
TOPIC = 7


@dataclass(frozen=True)
class Shape:
    """How large a load is.

    busy: groups that get `busy_messages` each; bulletin: chats that get the text refused as HTML; closed: groups whose
    topic is; share: how much more often than FAULTS says single messages meet trouble; late: whether that may be an
    answer after the client's patience; schedule: seconds from the start, what befalls us, for how long;
    asks: seconds between two people who ask; beside: seconds of sending compared beside the ban
    """

    privates: int
    groups: int
    channels: int
    messages: int
    busy: int
    busy_messages: int
    bulletin: int
    blocked: int
    deactivated: int
    unfound: int
    migrating: int
    closed: int
    share: float
    late: bool
    asks: float
    beside: float
    schedule: tuple[tuple[float, str, float], ...]


FULL = Shape(
    privates=4500, groups=400, channels=100, messages=20_000, busy=20, busy_messages=60, bulletin=500, blocked=100,
    deactivated=10, unfound=10, migrating=2, closed=5, share=1.0, late=True, asks=1.0, beside=40.0,
    schedule=(
        (50, "ban", 3600), (95, "migrate", 0), (110, "kill", 0), (130, "silence", 30), (200, "404", 0),
        (215, "401", 0), (230, "409", 5), (245, "poison", 0), (250, "again", 0), (260, "hung", 0),
        (310, "outage", 60), (430, "deaf", 10), (500, "kill", 0),
    ),
)  # fmt: skip
"""The figures of the issue. The second of three kills is the one that begins the failure of name resolution."""
SHORT = Shape(
    privates=120, groups=12, channels=4, messages=300, busy=2, busy_messages=4, bulletin=12, blocked=3,
    deactivated=1, unfound=1, migrating=2, closed=1, share=4.0, late=False, asks=0.5, beside=2.0,
    schedule=(
        (3, "ban", 3600), (3.5, "404", 0), (4.5, "401", 0), (5, "migrate", 0), (5.5, "poison", 0), (6, "again", 0),
        (6.5, "409", 1), (8.5, "kill", 0), (11, "silence", 1), (13, "outage", 1), (15, "deaf", 1),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """A message of the load. text: its number, or BULLETIN"""

    number: int
    chat: int
    thread: int | None
    kind: DeliveryKind
    text: str

    @property
    def address(self) -> Address:
        return Address("telegram", str(self.chat), str(self.thread or ""))


@dataclass
class Cast:
    """roles: chats by what is the matter with them; plan: by text, what a message meets at its first call"""

    shape: Shape
    dice: Random
    roles: dict[str, list[int]] = field(default_factory=dict)
    wanted: list[Wanted] = field(default_factory=list)
    plan: dict[str, str] = field(default_factory=dict)
    _heard: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        shape = self.shape
        groups = [-1000 - n for n in range(shape.groups)]
        channels = [-1_000_000 - n for n in range(shape.channels)]
        privates = list(range(1, shape.privates + 1))
        self.roles = {"group": groups, "channel": channels, "private": privates}
        sizes = {"blocked": shape.blocked, "deactivated": shape.deactivated, "unfound": shape.unfound, "banned": 1}
        sizes["bulletin"] = shape.bulletin
        chosen = iter(self.dice.sample(privates, sum(sizes.values())))
        self.roles |= {name: [next(chosen) for _ in range(size)] for name, size in sizes.items()}
        busy, quiet = groups[: shape.busy], groups[shape.busy :]
        self.roles |= {"busy": busy, "migrating": busy[: shape.migrating], "closed": quiet[: shape.closed]}
        self._write()

    def of(self, *names: str) -> set[int]:
        """The chats of these roles."""
        return {chat for name in names for chat in self.roles[name]}

    def enter(self, telegram: FakeTelegram, referee: Referee) -> None:
        """Open the chats, and let happen to them what is to happen."""
        for kind in ("private", "group", "channel"):
            for chat in self.roles[kind]:
                telegram.open(chat, kind)
        for name, refused in REFUSALS.items():
            for chat in self.roles[name]:
                telegram.refuse(chat, *refused)
        referee.closed = {(chat, TOPIC) for chat in self.roles["closed"]}
        referee.refused_text = BULLETIN
        referee.plan = dict(self.plan)

    def outgoing(self, now: datetime) -> list[Outgoing]:
        texts = {one.text: Message((Paragraph(one.text),)) for one in self.wanted}
        return [
            Outgoing(f"load:{one.number}", one.address, one.kind, texts[one.text], now, now + LIVES[one.kind])
            for one in self.wanted
        ]

    def _write(self) -> None:
        """The bulletin first; the messages to busy groups lie evenly among the others."""
        numbers, shape = count(), self.shape
        for chat in self.roles["bulletin"]:
            self.wanted.append(Wanted(next(numbers), chat, None, "article", BULLETIN))
        for chat in self._turns(shape.messages - len(self.wanted)):
            self._add(next(numbers), chat)

    def _turns(self, messages: int) -> Iterator[int]:
        chats = [*self.roles["private"], *self.roles["group"], *self.roles["channel"]]
        busy = [chat for _ in range(self.shape.busy_messages) for chat in self.roles["busy"]]
        step = messages // len(busy)
        for number in range(messages):
            yield busy.pop() if busy and number % step == 0 else chats[number % len(chats)]

    def _add(self, number: int, chat: int) -> None:
        [kind] = self.dice.choices(list(KINDS), list(KINDS.values()))
        thread = TOPIC if chat in self.roles["closed"] and self._heard[chat] % 2 else None
        self._heard[chat] += 1
        self.wanted.append(Wanted(number, chat, thread, kind, str(number)))
        if thread or chat in self.of(*REFUSALS, "banned", "migrating", "busy"):
            return
        faults = {name: share for name, share in FAULTS.items() if name != "late" or self.shape.late}
        if self.dice.random() * 100 < sum(faults.values()) * self.shape.share:
            [self.plan[str(number)]] = self.dice.choices(list(faults), list(faults.values()))
