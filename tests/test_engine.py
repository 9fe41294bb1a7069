"""Ticks and deliveries that several processes share: each is done once, and goes on when its process is gone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.fanout import Nowhere
from bot.deliver import Deliverer
from bot.message import Message, Paragraph
from bot.models import Address, Lease, Outcome, Outgoing
from storage.postgres import schema, senders, turns
from storage.postgres.connection import SHARE
from storage.postgres.engine import PostgresEngine
from storage.postgres.lock import PostgresLock
from storage.postgres.opening import open_whole
from storage.postgres.store import PostgresStore, Turn, open_postgres
from storage.postgres.ticks import cron
from tests import postgres
from tests.stores import empty_database, look

SECONDS = 60
"""Ten times as long as anything here may take."""


def now() -> datetime:
    return datetime.now(UTC)


class Heard(Nowhere):
    """A chat that takes a moment for each message, and remembers them. got: where several processes' are remembered"""

    def __init__(self, seconds: float = 0.0, got: list[tuple[Address, Message]] | None = None) -> None:
        super().__init__()
        self.seconds = seconds
        self.got = [] if got is None else got

    async def send(self, address: Address, message: Message, *, plain: bool = False, answers: str = "") -> Outcome:
        await asyncio.sleep(self.seconds)
        self.got.append((address, message))
        return await super().send(address, message)


def outgoing(number: int, chat: str = "1", thread: str = "", kind: str = "digest") -> Outgoing:
    said = Message((Paragraph(str(number)),))
    return Outgoing(f"e{number}", Address("telegram", chat, thread), kind, said, now(), now() + timedelta(hours=6))  # type: ignore[arg-type]


@asynccontextmanager
async def process(url: str, chat: Heard) -> AsyncIterator[tuple[PostgresStore, PostgresEngine]]:
    store = await open_postgres(url)
    async with PostgresEngine(url, store, {"telegram": chat}, now) as engine:
        yield store, engine
    await store.close()


@asynccontextmanager
async def sending(engine: PostgresEngine, store: PostgresStore, chat: Heard, owner: str) -> AsyncIterator[None]:
    deliverer = Deliverer(store=store, chats={"telegram": chat}, clock=now, owner=owner, crash=lambda _: None)
    task = asyncio.create_task(engine.deliver(deliverer.run))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(seen: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not seen():
            await asyncio.sleep(0.02)


async def ticking(url: str, ticks: Mapping[str, tuple[Callable[[], Awaitable[object]], float]], seconds: float) -> None:
    """Three processes with the same ticks, for so long."""
    async with AsyncExitStack() as stack:
        for _ in range(3):
            _, engine = await stack.enter_async_context(process(url, Heard()))
            going = engine.ticks(ticks)  # type: ignore[arg-type]
            await going.start()
            stack.push_async_callback(going.stop)
        await asyncio.sleep(seconds)


async def test_a_period_runs_once_and_never_beside_another_whoever_runs():
    runs: list[float] = []
    at_once = [0, 0]

    async def tick() -> None:
        runs.append(asyncio.get_running_loop().time())
        at_once[0] += 1
        at_once[1] = max(at_once)
        await asyncio.sleep(0.4)
        at_once[0] -= 1

    await ticking(empty_database(), {"track": (tick, 1)}, 5)
    assert at_once[1] == 1
    assert 2 <= len(runs) <= 7  # in the time of six periods


async def test_what_a_tick_began_is_waited_for_so_that_no_other_process_begins_it_again():
    begun: list[asyncio.Task[None]] = []

    async def tick() -> set[asyncio.Task[None]]:
        if not begun:
            begun.append(asyncio.create_task(asyncio.sleep(2.5)))
        assert all(task.get_loop() is asyncio.get_running_loop() for task in begun)
        looks.append(asyncio.get_running_loop().time())
        return {task for task in begun if not task.done()}

    looks: list[float] = []
    await ticking(empty_database(), {"track": (tick, 1)}, 3.5)
    assert len(begun) == 1
    assert len(looks) >= 3  # the same process looks again meanwhile


async def test_other_programs_see_that_the_sources_are_looked_after():
    url = empty_database()

    async def tick() -> None: ...

    task = asyncio.create_task(ticking(url, {"track": (tick, 1)}, 2))
    await asyncio.sleep(1)
    assert PostgresLock(url).held_elsewhere()
    await task
    await until(lambda: not PostgresLock(url).held_elsewhere())  # its session ends a moment later


async def test_a_tick_that_was_under_way_when_its_process_died_is_carried_by_another():
    url, ran = empty_database(), asyncio.Event()

    async def tick() -> None:
        ran.set()

    look(url, died("tick", "track", "tick track", 19, args='{"timestamp": 0}'))
    task = asyncio.create_task(ticking(url, {"track": (tick, 1)}, 5))
    async with asyncio.timeout(SECONDS):
        await ran.wait()
    await task


def died(queue: str, task: str, lock: str, seconds: int, args: str = "{}") -> str:
    """What a worker leaves that was killed so many seconds ago with a job in hand."""
    return f"""
        WITH gone AS (
            INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '{seconds} seconds')
            RETURNING id)
        INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, status, args, worker_id)
            SELECT '{queue}', '{task}', '{lock}', '{lock}', 'doing', '{args}', id FROM gone RETURNING id"""


async def test_the_shards_of_a_sender_that_died_are_gone_on_with():
    url, chat = empty_database(), Heard()
    async with process(url, chat) as (store, engine):
        for shard in range(turns.SHARDS):
            look(url, died("send", "send", f"shard {shard}", 0, args=f'{{"shard": {shard}}}'))
        await store.enqueue([outgoing(1)], now())
        began = asyncio.get_running_loop().time()
        async with sending(engine, store, chat, "b"):
            await until(lambda: chat.got)
        assert asyncio.get_running_loop().time() - began < 30


async def test_several_senders_keep_the_order_of_every_chat_and_repeat_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(senders, "lease", lambda *_: Lease(1 / 3, None))  # a newcomer waits for 12 seconds
    url, got = empty_database(), list[tuple[Address, Message]]()
    chats = [Heard(0.002, got) for _ in range(3)]
    every = [outgoing(n, str(n % 120), str(n % 2) if n % 3 else "") for n in range(1_200)]
    async with AsyncExitStack() as stack:
        stores = []
        for number, chat in enumerate(chats):
            store, engine = await stack.enter_async_context(process(url, chat))
            await stack.enter_async_context(sending(engine, store, chat, f"o{number}"))
            stores.append(store)
        await asyncio.gather(*(store.enqueue(every[n::3], now()) for n, store in enumerate(stores)))
        await until(lambda: look(url, "SELECT count(*) FROM outbox WHERE state = 'sent'") == [(len(every),)])
    assert len(got) == len(every)
    assert all(chat.taken for chat in chats)
    joined = "SELECT event, chat, thread FROM outbox JOIN lanes ON lanes.id = lane ORDER BY due_at, outbox.id"
    rows = look(url, joined)
    for address in {address for address, _ in got}:
        told = [f"e{message.blocks[0].text}" for to, message in got if to == address]  # type: ignore[union-attr]
        assert told == [event for event, *names in rows if names == [address.chat, address.thread]]


async def test_all_lanes_of_a_chat_are_of_one_shard_also_after_it_has_moved():
    url = empty_database()
    async with process(url, Heard()) as (store, _):
        await store.enqueue([outgoing(n, "-100", thread) for n, thread in enumerate(("", "7", "8", "9"))], now())
        shards = "SELECT DISTINCT shard = shard_of('telegram', '{}') FROM outbox"
        assert look(url, shards.format("-100")) == [(True,)]
        await store.move_chat(Address("telegram", "-100"), "-200")
        assert look(url, shards.format("-200")) == [(True,)]


async def test_only_shards_whose_turn_it_is_here_are_claimed_and_for_a_hundred_messages():
    async with process(empty_database(), Heard()) as (store, _):
        await store.enqueue([outgoing(n, str(n)) for n in range(400)], now())
        store.turns = {}
        claim = ("a", ["telegram"], now(), now() + timedelta(minutes=2))
        assert await store.claim(*claim, 10) == []
        store.turns = {shard: Turn(left=2) for shard in (3, 5)}
        claimed = await store.claim(*claim, 100)
        assert len(claimed) >= 4
        assert all(turn.over.is_set() for turn in store.turns.values())
        assert await store.claim(*claim, 100) == []
        store.turns = None
        rest = [one for _ in range(40) for one in await store.claim(*claim, 100)]
        assert len(claimed) + len(rest) == 400


async def test_senders_write_beside_each_other_but_not_of_one_shard_nor_beside_others():
    url = empty_database()
    async with process(url, Heard()) as (store, _):
        await store.enqueue([outgoing(n, str(n)) for n in range(8)], now())
        claimed = await store.claim("a", ["telegram"], now(), now() + timedelta(minutes=2), 8)
        shard = dict(look(url, "SELECT chat, shard FROM outbox JOIN lanes ON lanes.id = lane"))
        mine, *others = claimed
        other = next(one for one in others if shard[one.address.chat] != shard[mine.address.chat])
        with postgres.psycopg.connect(url, autocommit=True) as link:
            link.execute(SHARE)
            link.execute(f"SELECT pg_advisory_xact_lock({turns.SHARD}, {shard[mine.address.chat]})")
            async with asyncio.timeout(SECONDS):
                assert await store.settle(other, Outcome("sent"), now())
            waiting = [
                asyncio.create_task(store.settle(mine, Outcome("sent"), now())),
                asyncio.create_task(store.enqueue([outgoing(100)], now())),
            ]
            done, _ = await asyncio.wait(waiting, timeout=0.5)
            assert not done
            link.execute("COMMIT")
            assert await asyncio.gather(*waiting) == [True, 1]


@pytest.mark.parametrize(
    ("outcome", "all_"),
    [
        (Outcome("sent"), False),
        (Outcome("dead", "gone"), False),
        (Outcome("pending", cause="unwelcome"), False),
        (Outcome("failed", cause="body"), True),
        (Outcome("pending", moved_to="-100"), True),
    ],
)
def test_what_touches_more_than_its_chat_is_written_alone(outcome: Outcome, all_: bool):
    assert turns.concerns_all(outcome) is all_


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.5, "* * * * * */1"), (5, "* * * * * */5"), (120, "*/2 * * * *"), (6 * 3600, "0 */6 * * *")]
)
def test_a_span_is_said_as_cron_says_it(seconds: float, said: str):
    assert cron(seconds) == said


async def test_what_an_update_of_procrastinate_brings_is_put_in(monkeypatch: pytest.MonkeyPatch):
    url = empty_database()
    brought = SimpleNamespace(read_text=lambda encoding: "CREATE TABLE procrastinate_brought (id int)")
    monkeypatch.setitem(schema.THEIRS, "procrastinate-99.sql", brought)  # type: ignore[arg-type]
    store = await open_postgres(url)
    await store._writer.run(open_whole)
    await store.close()
    assert look(url, "SELECT count(*) FROM procrastinate_brought") == [(0,)]
    with postgres.psycopg.connect(url, autocommit=True) as link:
        link.execute(
            "DROP TABLE procrastinate_brought; DELETE FROM yamchi_migrations WHERE name = 'procrastinate-99.sql'"
        )


def test_a_service_on_one_file_loads_nothing_of_it(tmp_path: Path):
    script = (
        "import asyncio, sys, bot.__main__\n"
        "from storage.choice import chosen_engine, chosen_lock, open_chosen\n"
        "async def main():\n"
        f"    url = 'sqlite:///{tmp_path}/yamchi.db'\n"
        "    store = await open_chosen(url, retention_days=90)\n"
        "    chosen_engine(url, store, {}, None), chosen_lock(url)\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
        "print([name for name in ('procrastinate', 'psycopg', 'psycopg_pool') if name in sys.modules])\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
