"""Deliveries a second of 1, 2 and 4 sender processes on one PostgreSQL, and what one costs beside ever more rows.

    .venv/bin/python -m bench.scale
    SIZE=5000 PROCESSES=1,2 ROWS=100000 .venv/bin/python -m bench.scale     # a short look
    ROWS=10000000 PROCESSES= .venv/bin/python -m bench.scale                # 10 GB, half an hour

A PostgreSQL of its own, as durable as an operator's (tests/postgres.py), and its senders share this machine. The chat
takes everything at once, or answers after 100 ms; it allows any rate and 320 in flight, as Telegram does those who pay.
Prints messages a second from the commit that put them in to the commit that settled the last, and how many milliseconds
of processor each took from the senders and from PostgreSQL.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import structlog

from bench.fanout import CHATS, LIFE, NOW, Nowhere, fan_out
from bot.deliver import Deliverer
from bot.message import Message, Paragraph, to_data
from bot.models import Address, Outcome, Outgoing
from storage.postgres.engine import PostgresEngine
from storage.postgres.store import open_postgres
from storage.values import micros, packed
from tests import postgres

SIZE = int(os.environ.get("SIZE", "20000"))
PROCESSES = [int(number) for number in os.environ.get("PROCESSES", "1,2,4").split(",") if number]
ROWS = [int(number) for number in os.environ.get("ROWS", "100000,1000000").split(",") if number]
ROUND_TRIP = 0.1
ANSWERS = 100
TICK = os.sysconf("SC_CLK_TCK")
FILL = """
    WITH said AS (INSERT INTO bodies (hash, message) VALUES ('\\x01', %(message)s) RETURNING id),
        known AS (
            INSERT INTO lanes (platform, chat, thread)
                SELECT 'telegram', 'old' || n, '' FROM generate_series(1, %(chats)s) AS n RETURNING id)
    SELECT (SELECT id FROM said), min(id), count(*) FROM known"""
HISTORY = """
    INSERT INTO outbox (lane, platform, event, kind, priority, state, body, due_at, not_before, expires_at, ready_at,
        message_id, created_at, settled_at)
    SELECT %(first)s + n %% %(chats)s, 'telegram', 'old' || n, 'article', 2, 'sent', %(body)s, %(now)s, %(now)s,
        %(now)s, NULL, n, %(now)s, %(now)s
    FROM generate_series(1, %(rows)s) AS n"""
BACKLOG = """
    INSERT INTO outbox (lane, platform, event, kind, priority, state, body, due_at, not_before, expires_at, ready_at,
        created_at)
    SELECT %(first)s + n - 1, 'telegram', 'waits' || n, 'digest', 3, 'pending', %(body)s, %(now)s, %(now)s,
        %(now)s + 21600000000, %(now)s, %(now)s
    FROM generate_series(1, %(rows)s) AS n"""


class Answers(Nowhere):
    """A chat that answers after so long."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def send(self, address: Address, message: Message, *, plain: bool = False, answers: str = "") -> Outcome:
        if self._seconds:
            await asyncio.sleep(self._seconds)
        return await super().send(address, message)


async def send(url: str, seconds: float) -> None:
    """One sender, until it is terminated."""
    store = await open_postgres(url)
    chats = {"telegram": Answers(seconds)}
    deliverer = Deliverer(store=store, chats=chats, clock=_now, owner=str(os.getpid()), crash=lambda _: None)
    async with PostgresEngine(url, store, chats, _now) as engine:
        await engine.deliver(deliverer.run)


@contextmanager
def senders(url: str, count: int, seconds: float) -> Iterator[list[int]]:
    """So many processes, once each of them has its part of the rate. Their process ids."""
    command = [sys.executable, "-m", "bench.scale", url, str(seconds)]
    processes = [subprocess.Popen(command) for _ in range(count)]
    with psycopg.connect(url, autocommit=True) as db:
        while db.execute("SELECT count(*) FILTER (WHERE share > 0.9 / %s) FROM senders", [count]).fetchone() != (
            count,
        ):
            assert all(process.poll() is None for process in processes)
            time.sleep(0.2)
    time.sleep(3 if count == 1 else 13)  # a newcomer is silent at first
    yield [process.pid for process in processes]
    for process in processes:
        process.kill()
        process.wait()


def measured(server: postgres.Server, url: str, pids: list[int], count: int) -> str:
    """Until so many more have been settled."""
    with psycopg.connect(url, autocommit=True) as db:
        settled = "SELECT count(*) FROM outbox WHERE settled_at >= %s"
        began = datetime.now(UTC)
        before, start = (processor(pids), processor(family(server))), time.perf_counter()
        while (done := db.execute(settled, [micros(began)]).fetchone()[0]) < count:  # type: ignore[index]
            time.sleep(0.05)
        took = time.perf_counter() - start
        after = processor(pids), processor(family(server))
    each = [(now - then) / done * 1000 for now, then in zip(after, before, strict=True)]
    return f"{done / took:>10,.0f}/s {each[0]:>10.2f} ms {each[1]:>12.2f} ms"


def processor(pids: list[int]) -> float:
    """Seconds of processor that these processes, and those of theirs that have ended, took."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(map(int, fields[11 : 15 if pid == pids[0] else 13]))
    return total / TICK


def family(server: postgres.Server) -> list[int]:
    """The server and its processes."""
    process = server._process
    assert process
    return [process.pid, *map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())]


async def put_in(url: str, size: int, state: str = "pending", name: str = "article") -> None:
    store = await open_postgres(url)
    await store.enqueue(fan_out(size, state, name), NOW)
    await store.close()


def side_by_side(server: postgres.Server, count: int, seconds: float) -> str:
    with server.database() as url:
        asyncio.run(put_in(url, CHATS, "sent", "known"))  # the chats are known already
        with senders(url, count, seconds) as pids:
            asyncio.run(put_in(url, SIZE))
            return measured(server, url, pids, SIZE)


def beside(server: postgres.Server, rows: int) -> str:
    """With so many rows, nine of ten of them done, and the others all waiting."""
    with server.database() as url:
        asyncio.run(put_in(url, 1))
        with psycopg.connect(url, autocommit=True) as db:
            waiting, now = rows // 10, micros(datetime.now(UTC))
            message = packed(to_data(Message((Paragraph("news"),))))
            body, first, chats = db.execute(FILL, {"chats": waiting, "message": message}).fetchone()  # type: ignore[misc]
            named = {"body": body, "first": first, "chats": chats, "now": now - 60_000_000}
            db.execute(HISTORY, {**named, "rows": rows - waiting})
            db.execute("VACUUM ANALYZE outbox")
            with senders(url, 1, 0) as pids:
                db.execute(BACKLOG, {**named, "rows": waiting})
                return measured(server, url, pids, min(waiting, SIZE))


def answers(server: postgres.Server) -> str:
    """From a process that only hears people to the chat, by one that sends, with nothing else to do."""

    async def ask(url: str) -> None:
        store, chats = await open_postgres(url), {"telegram": Nowhere()}
        async with PostgresEngine(url, store, chats, _now):
            for number in range(ANSWERS):
                now = _now()
                said = Message((Paragraph(str(number)),))
                reply = Outgoing(f"reply:{number}", Address("telegram", str(number)), "reply", said, now, now + LIFE)
                await store.enqueue([reply], now)
                await asyncio.sleep(0.1)
        await store.close()

    with server.database() as url:
        asyncio.run(put_in(url, 1))
        with senders(url, 1, 0.0):
            asyncio.run(ask(url))
            with psycopg.connect(url) as db:
                parts = "percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY settled_at - created_at)"
                (took,) = db.execute(f"SELECT {parts} FROM outbox WHERE kind = 'reply'").fetchone()  # type: ignore[misc]
    return f"median {took[0] / 1000:.0f} ms, p95 {took[1] / 1000:.0f} ms, longest {took[2] / 1000:.0f} ms"


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if len(sys.argv) > 1:
        asyncio.run(send(sys.argv[1], float(sys.argv[2])))
        return
    with postgres.server(durable=True) as server:
        print(f"{'':44}{'delivered':>12} {'senders':>13} {'PostgreSQL':>15}")
        for seconds in (0.0, ROUND_TRIP):
            for count in PROCESSES:
                told = f"{count} {'process' if count == 1 else 'processes'}, answered after {seconds * 1000:.0f} ms"
                print(f"{told:44}{side_by_side(server, count, seconds)}", flush=True)
        print(f"{f'{ANSWERS} answers, from being put in until sent':44}   {answers(server)}", flush=True)
        for rows in ROWS:
            print(f"{f'1 process, beside {rows:,} rows':44}{beside(server, rows)}", flush=True)


if __name__ == "__main__":
    main()
