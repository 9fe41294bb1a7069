"""How long a new fixing takes with many alerts on its pair: those that it does not concern, and those it fires.

    .venv/bin/python -m bench.alerts             # 100,000 alerts on USD/KZT
    SIZE=1m .venv/bin/python -m bench.alerts

"quiet" moves past no line; "busy" passes the lines of one alert in a hundred; "each" reads a hundredth of
them one by one and judges each.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Awaitable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Final

from bot.alerts import evaluate
from bot.announce import Announcer
from bot.models import Address, Alert, Catalogue, Fixing, PollState, RateRoad, RateTable, Sight
from bot.sights import read_sight
from bot.watch import watch
from storage.alerts import set_alert
from storage.sqlite import SqliteStore, open_store

NOW: Final = datetime(2026, 11, 23, 11, tzinfo=UTC)
ROAD: Final = RateRoad("nbk", "nbk", "https://nbk.example/")
COMPARED: Final = 1_000
SIZES: Final = {"": 100_000, "1m": 1_000_000}


def table(on: date, value: str) -> RateTable:
    return RateTable("nbk", "KZT", on, (Fixing("USD", value), Fixing("EUR", "540.00")))


def orders(count: int) -> list[Alert]:
    """Lines evenly spread from 400 to 500 and from 540 to 640 about a figure of 520; a tenth are moves."""
    chance = random.Random(7)
    made = []
    for n in range(count):
        address = Address("telegram", str(n))
        kind = chance.random()
        line = Decimal(chance.randint(1, 10_000)) / 100
        if kind < 0.1:
            made.append(Alert(0, address, "USD", "KZT", "move", Decimal(5), NOW, days=1, standing=True))
        elif kind < 0.55:
            made.append(Alert(0, address, "USD", "KZT", "above", 540 + line, NOW))
        else:
            made.append(Alert(0, address, "USD", "KZT", "below", 500 - line, NOW))
    return made


async def fill(store: SqliteStore, count: int) -> None:
    for n in range(10, -1, -1):
        on = NOW.date() - timedelta(days=n)
        await store.keep_tables(PollState("nbk"), [table(on, f"{520 + n % 3}.10")], [], NOW)

    def insert(db: object, made: list[Alert]) -> None:
        for order in made:
            set_alert(db, order)  # type: ignore[arg-type]

    await store._writer.run(insert, orders(count))


async def timed(name: str, work: Awaitable[object]) -> object:
    started = perf_counter()
    result = await work
    print(f"{name:<44} {(perf_counter() - started) * 1000:>10.1f} ms")
    return result


async def fixing(store: SqliteStore, value: str) -> int:
    """A new fixing, judged and kept. Returns how many messages it gave."""
    tomorrow = table(NOW.date() + timedelta(days=1), value)
    known = await store.tables("nbk", NOW.date(), 45)
    announcer = Announcer(store, Catalogue((), (ROAD,)), "Asia/Almaty", "en", timedelta(hours=6))
    raised = await watch(announcer, ROAD, known, [tomorrow], NOW)
    await store.keep_tables(PollState("nbk"), [tomorrow], raised.outgoing, NOW, raised.alerts)
    return len(raised.outgoing)


async def each(store: SqliteStore, seen: Sight) -> int:
    """All alerts, chat by chat as they were set, judged one by one. Returns how many it takes note of."""
    noted = 0
    for chat in range(COMPARED):
        for order in await store.alerts(Address("telegram", str(chat))):
            noted += evaluate(order, seen, NOW) is not None
    return noted


async def main() -> None:
    count = SIZES[os.environ.get("SIZE", "")]
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(Path(folder) / "bench.db")
        await fill(store, count)
        seen = await read_sight(store, (ROAD,), NOW, "USD", "KZT")
        assert isinstance(seen, Sight)
        print(f"{count:,} alerts on USD/KZT")
        await timed(f"each: {COMPARED:,} of them read and judged one by one", each(store, seen))
        for value in ("521.30", "521.40", "521.50"):
            print("   messages:", await timed("quiet: a fixing that passes no line", fixing(store, value)))
        print("   messages:", await timed("busy: a fixing that passes one line in a hundred", fixing(store, "542.00")))
        await store.close()


if __name__ == "__main__":
    asyncio.run(main())
