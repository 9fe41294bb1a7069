"""How long rates take with ten years of fixings: the board, a pair's year, a known table.

    .venv/bin/python -m bench.rates            # about 100,000 rows: the last year and a half
    SIZE=full .venv/bin/python -m bench.rates  # about 700,000: ten years, 40 currencies, five banks

"board at the store" is what the store does for the five currencies of the board; "whole board"
is /rates from the first read to the quotes.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Final

from bot.board import AHEAD, BASE, DAYS, FIVE, read_board
from bot.models import Fixing, PollState, RateRoad, RateTable
from bot.pairs import read_history
from storage.sqlite import SqliteStore, open_store

NOW: Final = datetime(2026, 11, 23, 7, tzinfo=UTC)
TODAY: Final = NOW.date()
BANKS: Final = {"nbk": "KZT", "nbkr": "KGS", "cbu": "UZS", "nbt": "TJS", "cbt": "TMT"}
ROADS: Final = tuple(RateRoad(bank, bank, f"https://{bank}.example/") for bank in BANKS)
CURRENCIES: Final = (  # noqa: SIM905 - one would read no list of forty
    "USD EUR RUB CNY KZT KGS UZS TJS TMT GBP CHF JPY TRY AED INR KRW CAD AUD SEK NOK DKK PLN CZK HUF BGN RON BYN UAH"
    " AMD AZN GEL MDL MNT IRR PKR SGD MYR THB BRL ZAR"
).split()
YEARS: Final = {"": 1.43, "full": 10.0}
READS: Final = 1_000
Work = Callable[[], Awaitable[object]]


def calendar(years: float) -> list[date]:
    """Every day up to today, oldest first."""
    first = TODAY - timedelta(days=round(365.25 * years))
    return [first + timedelta(days=n) for n in range((TODAY - first).days + 1)]


def tables(bank: str, days: list[date]) -> Iterator[RateTable]:
    """A table a day, weekends carried forward: figures of the digits a bank prints, each a walk of its own."""
    chance = random.Random(bank)
    figures = {code: chance.randint(10_000, 5_000_000) for code in CURRENCIES if code != BANKS[bank]}
    for day in days:
        if day.weekday() < 5:
            figures = {code: max(100, figure + chance.randint(-90, 90)) for code, figure in figures.items()}
        rows = tuple(Fixing(code, f"{figure / 10_000:.4f}", 1, "0.1") for code, figure in figures.items())
        yield RateTable(bank, BANKS[bank], day, rows)


async def fill(store: SqliteStore, days: list[date]) -> int:
    """As a tracker or a backfill would, only many tables at once. Returns how many rows there are."""
    rows = 0
    for bank in BANKS:
        made = list(tables(bank, days))
        rows += sum(len(table.fixings) for table in made)
        for start in range(0, len(made), 100):
            await store.keep_tables(PollState(bank), made[start : start + 100], [], NOW)
    return rows


async def show(name: str, work: Work, runs: int) -> None:
    taken = []
    for _ in range(runs):
        start = perf_counter()
        await work()
        taken.append((perf_counter() - start) * 1000)
    taken.sort()
    p50, p99 = taken[runs // 2], taken[min(runs - 1, runs * 99 // 100)]
    print(f"{name:<40} p50 {p50:8.2f} ms   p99 {p99:8.2f} ms   ({runs:,} runs)")


async def measure(store: SqliteStore, days: list[date]) -> None:
    async def board_at_store() -> None:
        for bank, code in BANKS.items():
            await store.series(bank, BASE, code, TODAY + AHEAD, DAYS)

    newest = list(tables("nbk", days))[-1]
    year = TODAY - timedelta(days=365)
    await board_at_store()
    await show("board at the store", board_at_store, READS)
    await show("whole board", lambda: read_board(store, ROADS, NOW, FIVE), READS)
    await show("a year of USD/KZT", lambda: read_history(store, ROADS, NOW, "USD", "KZT", year, TODAY), 50)
    await show("a year of UZS/KGS, a cross", lambda: read_history(store, ROADS, NOW, "UZS", "KGS", year, TODAY), 50)
    await show("tables of 45 days", lambda: store.tables("nbk", TODAY, 45), 50)
    await show("keep a table that is known", lambda: store.keep_tables(PollState("nbk"), [newest], [], NOW), 200)


async def main() -> None:
    days = calendar(YEARS[os.environ.get("SIZE", "")])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rates.db"
        store = await open_store(file)
        start = perf_counter()
        rows = await fill(store, days)
        seconds = perf_counter() - start
        await measure(store, days)
        await store.close()
        print(f"{rows:,} rows loaded in {seconds:.1f} s ({rows / seconds:,.0f} rows/s)")
        print(f"{file.stat().st_size / 1_000_000:.1f} MB of database, {file.stat().st_size / rows:.0f} bytes a row")
        start = perf_counter()
        await (await open_store(file)).close()
        print(f"opened, with integrity check, in {perf_counter() - start:.2f} s")


if __name__ == "__main__":
    asyncio.run(main())
