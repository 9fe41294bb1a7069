"""How long the outbox takes: a claim at 1k and 100k rows with 90 % done. Search has its own bench/search.py.

    .venv/bin/python -m bench.store

Prints one line a figure, in milliseconds (median of the runs).
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from bot.message import Message, Paragraph
from bot.models import Address, Outcome, Outgoing
from storage.sqlite import SqliteStore, open_store

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
CHATS = 40
BATCH = 1000


async def milliseconds(runs: int, work: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(runs):
        start = perf_counter()
        await work()
        taken.append((perf_counter() - start) * 1000)
    return median(taken)


async def fill_outbox(store: SqliteStore, rows: int) -> None:
    """Nine rows of ten sent, the tenth pending, spread over the chats."""
    message = Message((Paragraph("news"),))
    for start in range(0, rows, BATCH):
        numbers = range(start, min(start + BATCH, rows))
        await store.enqueue(
            [
                Outgoing(f"e{n}", Address("telegram", str(n % CHATS)), "digest", message, NOW, NOW + LEASE * 100,
                         "pending" if n % 10 == n // CHATS % 10 else "sent")
                for n in numbers
            ],
            NOW,
        )  # fmt: skip


async def bench_outbox(folder: Path, rows: int) -> None:
    store = await open_store(folder / f"outbox-{rows}.db")
    await fill_outbox(store, rows)

    async def claim_and_settle() -> None:
        for delivery in await store.claim("bench", {"telegram"}, NOW, NOW + LEASE, 1):
            await store.settle(delivery, Outcome("sent"), NOW)

    async def claim() -> None:
        await store.claim("bench", {"telegram"}, NOW, NOW + LEASE, 32)

    print(f"{rows:>9,} rows: claim 1 and settle it   {await milliseconds(50, claim_and_settle):8.2f} ms")
    print(f"{rows:>9,} rows: claim 32                {await milliseconds(1, claim):8.2f} ms")
    await claim()
    print(f"{rows:>9,} rows: claim, every chat busy  {await milliseconds(50, claim):8.2f} ms")
    print(f"{rows:>9,} rows: ledger                  {await milliseconds(10, store.ledger):8.2f} ms")
    await store.close()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for rows in (1_000, 100_000):
            await bench_outbox(Path(folder), rows)


if __name__ == "__main__":
    asyncio.run(main())
