"""The fortnight again, with alerts set at its beginning: which fire at which hour, and why the others do not."""

from __future__ import annotations

from pathlib import Path

from bot.models import Address, Request
from handlers import menu
from tests.fortnight import HOURS, START, Presses
from tests.test_fortnight import HOUR, Newsroom, newsroom

ORDERS = {
    "1 rises, wavers about the line": "/alert KZT > 473 standing",
    "2 falls, is corrected, falls again": "/alert KZT < 469.5",
    "3 a slip": "/alert UZS < 1000",
    "4 a devaluation": "/alert KGS 1% day",
    "5 moves of the tenge": "/alert KZT 0.3% day",
    "6 a cross": "/alert KGS/KZT 5% week",
    "7 the euro, as printed": "/alert EUR/KZT > 506",
    "8 turned round": "/alert KZT/USD > 0.00213",
    "9 expires": "/alert KZT > 473 until 2026-12-14",
}
FIRED = {
    "1": ["15 11 1 USD = 473.05 KZT from 17 Dec"],
    "2": [
        "9 11 1 USD = 469.40 KZT from 10 Dec",
        "9 12 Corrected by the bank: 1 USD = 469.90 KZT from 10 Dec. It was 469.40.",
        "10 11 1 USD = 468.75 KZT from 11 Dec",
    ],
    "3": [],
    "4": ["15 3 1 USD = 97.9440 KGS from 15 Dec"],
    "5": [
        "7 11 1 USD = 470.00 KZT from 8 Dec",
        "9 11 1 USD = 469.40 KZT from 10 Dec",
        "9 12 Corrected by the bank: 1 USD = 469.90 KZT from 10 Dec. It was 469.40.",
        "15 11 1 USD = 473.05 KZT from 17 Dec",
        "18 11 1 USD = 474.44 KZT from 21 Dec",
    ],
    "6": ["15 3 1 KGS = 4.79968 KZT from 15 Dec"],
    "7": ["8 11 1 EUR = 506.25 KZT from 9 Dec"],
    "8": [
        "9 11 100 KZT = 0.21304 USD from 10 Dec",
        "9 12 Corrected by the bank: 100 KZT = 0.21281 USD from 10 Dec. It was 0.21304.",
        "10 11 100 KZT = 0.21333 USD from 11 Dec",
    ],
    "9": [],
}
"""By the number above: day and hour in UTC, and what was said."""
WITHHELD = {
    "1": ["2026-12-21:not_back"],  # 474.44 after 472.00: not half a per cent below 473
    "6": ["2026-12-17:told", "2026-12-18:told", "2026-12-19:told", "2026-12-21:told"],
}
"""The carried days are not among them, nor the 16th, on which neither bank's figure moved."""


def address(name: str) -> Address:
    return Address("telegram", f"10{name[0]}")


async def set_alerts(room: Newsroom) -> None:
    for name, text in ORDERS.items():
        answer = await menu.answer(room.core.desk, Request(address(name), text))
        assert answer.error is None, answer.error


async def test_the_right_alerts_fire_at_the_right_hours_and_nothing_else(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        presses = Presses(room.fakes)
        for hour in range(HOURS):
            room.clock.now = START + hour * HOUR
            presses.run(room.clock.now)
            await room.pass_hour()
            if not hour:
                await set_alerts(room)
        told = {name[0]: room.pushed(address(name)) for name in ORDERS}
        records = {name[0]: await room.core.store.records(address(name), 50) for name in ORDERS}
    assert {name: [f"{day} {hour} {text}" for day, hour, text in heard] for name, heard in told.items()} == FIRED
    withheld = {
        name: [record.event.split(":", 2)[2] for record in reversed(rows) if record.state == "withheld"]
        for name, rows in records.items()
    }
    assert {name: events for name, events in withheld.items() if events} == WITHHELD
