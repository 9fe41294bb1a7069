"""A simulated fortnight: real HTTP, store and tracker, hour by hour; and what is left when every road is down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bot.board import read_board
from bot.config import Settings
from bot.models import Address, Catalogue, Content, Outcome, RateRoad, Schedule, Subscription
from bot.sources import banks
from bot.wiring import Core, World, open_core
from tests.fakes.banks import FakeBanks
from tests.fakes.faults import status
from tests.fakes.web import FakeWeb
from tests.fortnight import HEARD, HOURS, ISSUERS, START, TOLD, Presses, told

READER, LATE_READER, ADMIN = (Address("telegram", chat) for chat in ("7", "8", "1"))
HOUR = timedelta(hours=1)
BEAT = 400
"""Seconds: eight times as much is still less than an hour, so every hour sees every bank."""
AFTER_THE_FIRST_VERSION = datetime(2026, 12, 9, 12, 5, tzinfo=UTC)
"""The tenge of the 10th has been pushed once, and is being corrected."""
TOLD_TO_OPERATORS = [
    (9, 11, "cbu prints USD/UZS 121.55 for 10 Dec after 12,160.00. I hold it until another source agrees."),
    (9, 12, "frankfurter_cbu prints USD/UZS 121.55 for 10 Dec after 12,160.00. I hold it until another source agrees."),
    (14, 10, "nbkr prints USD/KGS 97.9440 for 15 Dec after 87.4000. I hold it until another source agrees."),
    (15, 3, "frankfurter_nbkr prints USD/KGS 97.944 for 15 Dec after 87.4. I hold it until another source agrees."),
]
FLOATING = ("KZT", "KGS", "UZS", "TJS")
LEFT = {
    "472.31 of 7, day -0.59, week -",
    "472.31 of 8, day -0.59, week -",
    "12149.84 of 7, day +0.06, week -",
    "87.4500 of 7, day -, week -",
    "9.3288 of 7, day -0.09, week -",
    "3.5 of 1",
}
"""What the bank of Kazakhstan printed for the 8th before it published was still Monday's figure."""
STALE_SINCE = {"KZT": "07 16", "KGS": "07 16", "UZS": "07 16", "TJS": "08 10"}
OPERATORS_TOLD_SINCE = {"nbk": "08 16", "nbkr": "08 16", "cbu": "09 16", "nbt": "09 10"}
"""After the second table missed; the 8th is a holiday in Uzbekistan."""
STAND_INS = {"frankfurter_cbu": "UZS", "frankfurter_nbkr": "KGS"}


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Newsroom:
    """The program on its fake banks, and its clock. heard: (instant, address, kind, first paragraph)."""

    core: Core
    fakes: FakeBanks
    clock: Clock
    heard: list[tuple[datetime, Address, str, str]] = field(default_factory=list)

    async def subscribe(self, address: Address) -> None:
        content = Content(news=False)
        await self.core.store.subscribe(Subscription(0, address, Schedule("instant"), content, self.clock.now))

    async def pass_hour(self) -> None:
        """Polls what is due until nothing is due any more, and takes what is pushed."""
        before = asyncio.all_tasks()
        await self.core.tracker.poll_due()
        while polls := asyncio.all_tasks() - before:
            await asyncio.wait(polls)
            await self.core.tracker.poll_due()
        await self._listen()

    async def _listen(self) -> None:
        now = self.clock.now
        while claimed := await self.core.store.claim("test", ["telegram"], now, now + HOUR, 50):
            for delivery in claimed:
                self.heard.append((now, delivery.address, delivery.kind, delivery.message.blocks[0].text))
                await self.core.store.settle(delivery, Outcome("sent"), now)

    async def board(self) -> dict[str, str]:
        """Each currency's line."""
        board = await read_board(self.core.store, self.core.desk.catalogue.roads, self.clock.now)
        return {quote.quote: told(quote) for quote in board.quotes}

    def pushed(self, address: Address, kind: str = "alert") -> list[tuple[int, int, str]]:
        """What this chat heard: day, hour, first paragraph. Within an hour in the order of the alphabet."""
        return sorted((now.day, now.hour, text) for now, to, what, text in self.heard if (to, what) == (address, kind))


@asynccontextmanager
async def newsroom(folder: Path) -> AsyncIterator[Newsroom]:
    clock = Clock()
    with FakeWeb() as web:
        fakes = FakeBanks(web, clock)
        settings = Settings(
            database_url=f"sqlite:///{folder / 'yamchi.db'}",
            poll_rates_seconds=BEAT,
            poll_news_seconds=1,
            admins=("telegram:1",),
        )
        roads = (
            *(RateRoad(bank, bank, fakes.url(bank) if bank != "cbt" else "") for bank in ISSUERS),
            *(RateRoad(name, "frankfurter", fakes.url(name), 10, code) for name, code in STAND_INS.items()),
            RateRoad("currency_api", "currency_api", fakes.url("currency_api"), 20),
        )
        allow = frozenset({("127.0.0.1", web.port)})
        async with open_core(settings, Catalogue((), roads), allow, World(clock, lambda _: None)) as core:
            yield Newsroom(core, fakes, clock)


def expected(bank: str, now: datetime) -> str:
    """The line of TOLD that holds at this instant."""
    if bank not in TOLD:
        return "3.5 of 1"
    here = now.astimezone(banks()[bank].zone)
    lines = [line.split(None, 2) for line in TOLD[bank].strip().splitlines()]
    return [line for day, hour, line in lines if (int(day), int(hour)) <= (here.day, here.hour)][-1]


def to_be_heard() -> list[tuple[int, int, str]]:
    lines = (line.split(None, 2) for line in HEARD.strip().splitlines())
    return sorted((int(day), int(hour), text) for day, hour, text in lines)


async def test_a_fortnight_is_told_exactly_as_the_banks_printed_it(tmp_path: Path):
    wrong: list[str] = []
    async with newsroom(tmp_path) as room:
        presses = Presses(room.fakes)
        await room.subscribe(READER)
        for hour in range(HOURS):
            room.clock.now = START + hour * HOUR
            if room.clock.now == AFTER_THE_FIRST_VERSION:
                await room.subscribe(LATE_READER)
            presses.run(room.clock.now)
            await room.pass_hour()
            board = await room.board()
            right = {code: expected(bank, room.clock.now) for bank, code in ISSUERS.items()}
            wrong += [f"{room.clock.now:%d %H} {c}: {board[c]}, not {right[c]}" for c in right if board[c] != right[c]]
    assert wrong == []
    assert room.pushed(READER) == to_be_heard()
    # A correction goes only where the first version went, so the late reader has none.
    since = (AFTER_THE_FIRST_VERSION.day, AFTER_THE_FIRST_VERSION.hour + 1, "")
    assert room.pushed(LATE_READER) == [push for push in to_be_heard() if push >= since]
    assert room.pushed(ADMIN) == TOLD_TO_OPERATORS


async def test_when_every_road_is_down_the_last_good_figures_stay_with_their_dates_and_a_mark(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        presses = Presses(room.fakes)
        await room.subscribe(READER)
        for hour in range(12):
            room.clock.now = START + hour * HOUR
            presses.run(room.clock.now)
            await room.pass_hour()
        printed = room.pushed(READER)
        room.fakes.web.fault("/", status(503))
        shown = []
        for hour in range(12, 5 * 24, 3):
            room.clock.now = START + hour * HOUR
            await room.pass_hour()
            shown += [(room.clock.now, await room.board())]
    assert {line.removesuffix(", stale") for _, board in shown for line in board.values()} == LEFT
    stale = {code: next(now for now, board in shown if "stale" in board[code]) for code in FLOATING}
    assert {code: f"{now:%d %H}" for code, now in stale.items()} == STALE_SINCE
    assert all("stale" in board[code] for code in FLOATING for now, board in shown if now >= stale[code])
    assert room.pushed(READER) == printed
    told_first = {text.split()[0]: f"{day:02} {hour:02}" for day, hour, text in reversed(room.pushed(ADMIN))}
    assert told_first == OPERATORS_TOLD_SINCE
    assert all("has published nothing since the table of 7 Dec" in text for _, _, text in room.pushed(ADMIN))


async def test_the_market_never_stands_in_for_an_official_figure_that_is_only_old(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        presses = Presses(room.fakes)
        presses.run(START)
        await room.pass_hour()
        for bank in ("nbk", "cbu"):
            room.fakes.web.fault(room.fakes.path(bank), status(503))
        for day in range(1, 6):
            room.clock.now = START + day * 24 * HOUR
            presses.run(room.clock.now)
            await room.pass_hour()
        board = await room.board()
    assert room.fakes.web.asked(room.fakes.path("currency_api"))
    assert board["KZT"] == "472.31 of 8, day -0.59, week -, stale"


async def test_a_road_that_stands_in_for_a_silent_bank_is_not_believed_a_slip_at_first_sight(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        presses = Presses(room.fakes)
        presses.run(START)
        await room.pass_hour()
        room.fakes.web.fault(room.fakes.path("cbu"), status(503))
        room.fakes.set("frankfurter_cbu", date(2026, 12, 7), {"USD": ("121.50", 1)})
        for hour in range(1, 6):
            room.clock.now = START + hour * HOUR
            await room.pass_hour()
        board = await room.board()
        told_off = room.pushed(ADMIN)
    assert room.fakes.web.asked(room.fakes.path("frankfurter_cbu"))
    assert board["UZS"] == "12149.84 of 7, day +0.06, week -"
    assert [text for _, _, text in told_off if text.startswith("frankfurter_cbu prints USD/UZS 121.5")]
