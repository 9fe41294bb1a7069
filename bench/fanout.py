"""A fan-out put into the outbox and drained through the whole sender into a chat that takes everything at once.

    .venv/bin/pip install litequeue persist-queue     # peers; a line is left out without them
    SIZE=100000 .venv/bin/python -m bench.fanout

Every message is settled with a durable commit of its own (synchronous = FULL), also by the peers. Prints messages a
second, and what a delivery costs with 1,000 rows and with SIZE rows in the table, 90 % of them done.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import structlog

from bot.deliver import Deliverer
from bot.message import Message, Paragraph
from bot.models import Address, Health, Outcome, Outgoing
from bot.pace import Limits, Pace
from bot.ports import Ask
from storage.sqlite import SqliteStore, open_store

SIZE = int(os.environ.get("SIZE", "100000"))
CHATS = 10_000
DRAINED = min(SIZE, 20_000)
PEER = 5_000
NOW = datetime.now(UTC)
LIFE = timedelta(hours=6)


class Nowhere:
    """A chat that takes everything at once; it says when it has had enough."""

    platform = "telegram"

    def __init__(self) -> None:
        self.pace = Pace(Limits(in_flight=320))
        self.taken = 0

    async def check(self) -> None: ...

    async def listen(self, ask: Ask) -> None: ...

    async def send(self, address: Address, message: Message, *, plain: bool = False, answers: str = "") -> Outcome:
        self.taken += 1
        return Outcome("sent", message_id="1")

    def health(self) -> Health:
        return Health(ok=True)

    async def close(self) -> None: ...


def fan_out(size: int, state: str = "pending", name: str = "article") -> list[Outgoing]:
    """Articles to ten thousand chats each, as they come in a busy hour."""
    chats = [Address("telegram", str(number)) for number in range(min(CHATS, size))]
    messages = [Message((Paragraph(f"{name} {number}"),)) for number in range(-(-size // len(chats)))]
    return [
        Outgoing(f"{name}:{number}", chat, "article", message, NOW, NOW + LIFE, state)  # type: ignore[arg-type]
        for number, message in enumerate(messages)
        for chat in chats
    ][:size]


async def enqueue(store: SqliteStore, size: int) -> float:
    outgoing = fan_out(size)
    began = perf_counter()
    assert await store.enqueue(outgoing, NOW) == size
    return size / (perf_counter() - began)


async def drain(store: SqliteStore, count: int) -> float:
    """Messages a second, until the last of `count` is written down."""
    chat = Nowhere()
    deliverer = Deliverer(
        store=store, chats={"telegram": chat}, clock=lambda: datetime.now(UTC), owner="bench", crash=lambda _: None
    )
    done = (await store.ledger()).states.get("sent", 0) + count
    began = perf_counter()
    task = asyncio.create_task(deliverer.run())
    while chat.taken < count:
        await asyncio.sleep(0.01)
    while (await store.ledger()).states.get("sent", 0) < done:
        await asyncio.sleep(0.02)
    count = (await store.ledger()).states["sent"] - done + count
    took = perf_counter() - began
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return count / took


async def beside(folder: Path, rows: int) -> float:
    """Messages a second with so many rows in the table, nine of ten of them done."""
    store = await open_store(folder / f"beside-{rows}.db")
    for part in range(0, rows * 9 // 10, 100_000):
        await store.enqueue(fan_out(min(100_000, rows * 9 // 10 - part), "sent", f"old{part}"), NOW)
    waiting = min(rows // 10, 5_000)
    await store.enqueue(fan_out(waiting), NOW)
    rate = await drain(store, waiting)
    await store.close()
    return rate


def one_by_one(path: Path, count: int) -> tuple[float, float]:
    """What one writes without a queue: an insert and a commit each, a select, an update and a commit each."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE queue (id INTEGER PRIMARY KEY, chat TEXT, text TEXT, done INTEGER DEFAULT 0)")
    began = perf_counter()
    for number in range(count):
        db.execute("INSERT INTO queue (chat, text) VALUES (?, ?)", (str(number), "news"))
    middle = perf_counter()
    for _ in range(count):
        (number,) = db.execute("SELECT id FROM queue WHERE done = 0 ORDER BY id LIMIT 1").fetchone()
        db.execute("UPDATE queue SET done = 1 WHERE id = ?", (number,))
    return count / (middle - began), count / (perf_counter() - middle)


def litequeue(path: Path, count: int) -> tuple[float, float]:
    from litequeue import LiteQueue

    queue = LiteQueue(str(path))
    with suppress(AttributeError):
        queue.conn.execute("PRAGMA synchronous = FULL")
    return timed(count, lambda: queue.put("news"), lambda: queue.done(queue.pop().message_id))


def persistqueue(path: Path, count: int) -> tuple[float, float]:
    from persistqueue import SQLiteAckQueue

    queue = SQLiteAckQueue(str(path), auto_commit=True)
    return timed(count, lambda: queue.put("news"), lambda: queue.ack(queue.get()))


def timed(count: int, put: Callable[[], object], take: Callable[[], object]) -> tuple[float, float]:
    began = perf_counter()
    for _ in range(count):
        put()
    middle = perf_counter()
    for _ in range(count):
        take()
    return count / (middle - began), count / (perf_counter() - middle)


def line(name: str, *figures: float) -> None:
    print(f"{name:44}" + "".join(f"{figure:>14,.0f}/s" for figure in figures), flush=True)


async def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="yamchi-bench-") as name:
        folder = Path(name)
        store = await open_store(folder / "outbox.db")
        await store.enqueue(fan_out(CHATS, "sent", "known"), NOW)  # the chats are known already
        print(f"{'':44}{'put in':>16}{'drained':>16}")
        line(f"ours, {SIZE:,} in one transaction", await enqueue(store, SIZE), await drain(store, DRAINED))
        await store.close()
        line(f"a commit each, {PEER:,}", *one_by_one(folder / "naive.db", PEER))
        for peer in (litequeue, persistqueue):
            with suppress(ImportError):
                line(f"{peer.__name__}, {PEER:,}", *peer(folder / peer.__name__, PEER))
        few, many = await beside(folder, 10_000), await beside(folder, SIZE)
        line("drained beside 9,000 done rows", few)
        line(f"drained beside {SIZE * 9 // 10:,} done rows", many)
        print(f"a delivery costs {few / many:.2f} times as much")


if __name__ == "__main__":
    asyncio.run(main())
