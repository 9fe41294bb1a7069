from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.deliver import LEASE, Deliverer
from bot.errors import DatabaseError
from bot.message import Message, Paragraph
from bot.models import Address, Delivery, Health, Outcome, Outgoing
from bot.ports import Ask
from storage.sqlite import SqliteStore
from tests.stores import new_store

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class RecordingChat:
    """A chat whose platform does what `behave` says."""

    platform = "telegram"

    def __init__(self, behave: Callable[[Address], Outcome]) -> None:
        self.behave = behave
        self.sent: list[tuple[str, str]] = []
        self.gate = asyncio.Event()
        self.slow: set[str] = set()

    async def check(self) -> None: ...

    async def listen(self, ask: Ask) -> None: ...

    async def send(self, address: Address, message: Message) -> Outcome:
        if address.chat in self.slow:
            await self.gate.wait()
        self.sent.append((address.chat, message.blocks[0].text))
        return self.behave(address)

    def health(self) -> Health:
        return Health(ok=True)

    async def close(self) -> None: ...


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await new_store(tmp_path / "yamchi.db")
    yield store
    await store.close()


def outgoing(chat: str, n: int, kind: str = "digest") -> Outgoing:
    message = Message((Paragraph(f"{chat}-{n}"),))
    return Outgoing(f"e{n}", Address("telegram", chat), kind, message, NOW, NOW + timedelta(hours=6))


async def drain(
    store: SqliteStore, chat: RecordingChat, clock: Clock, done: Callable[[], bool]
) -> list[tuple[str, str]]:
    """Deliver until `done` and a moment longer. Returns what was sent by then; only after that the slow get theirs."""
    deliverer = Deliverer(store=store, chats={"telegram": chat}, clock=clock, owner="me", crash=lambda _: None)
    task = asyncio.create_task(deliverer.run())
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
    sent = list(chat.sent)
    chat.gate.set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return sent


async def test_each_chat_gets_its_messages_once_and_in_order(store: SqliteStore):
    await store.keep_digests([outgoing(str(c), n) for n in range(5) for c in range(8)], [], NOW)
    chat = RecordingChat(lambda _: Outcome("sent", message_id="1"))
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 40)
    for c in range(8):
        assert [text for to, text in chat.sent if to == str(c)] == [f"{c}-{n}" for n in range(5)]
    assert (await store.ledger()).states == {"sent": 40}


async def test_a_slow_chat_holds_up_nobody_else(store: SqliteStore):
    await store.keep_digests([outgoing(c, n) for c in ("slow", "quick") for n in range(3)], [], NOW)
    chat = RecordingChat(lambda _: Outcome("sent"))
    chat.slow.add("slow")
    sent = await drain(store, chat, Clock(), lambda: len(chat.sent) >= 3)
    assert {to for to, _ in sent} == {"quick"}


async def test_a_chat_that_must_wait_keeps_its_order(store: SqliteStore):
    await store.keep_digests([outgoing("1", n) for n in range(2)], [], NOW)
    clock = Clock()
    answers = [Outcome("pending", "429", retry_at=NOW + timedelta(seconds=30)), Outcome("sent"), Outcome("sent")]
    chat = RecordingChat(lambda _: answers.pop(0))
    await drain(store, chat, clock, lambda: len(chat.sent) >= 1)
    assert chat.sent == [("1", "1-0")]
    clock.now += timedelta(seconds=31)
    await drain(store, chat, clock, lambda: len(chat.sent) >= 3)
    assert [text for _, text in chat.sent] == ["1-0", "1-0", "1-1"]


@pytest.mark.parametrize(("kind", "copies", "state"), [("digest", 2, "unknown"), ("alert", 1, "unknown")])
async def test_a_lost_answer_repeats_a_digest_once_and_an_alert_never(store, kind: str, copies: int, state: str):
    await store.keep_digests([outgoing("1", 0, kind)], [], NOW)
    clock = Clock()
    chat = RecordingChat(lambda _: Outcome("unknown", "timed out"))
    for _ in range(3):
        await drain(store, chat, clock, lambda: len(chat.sent) >= 1)
        clock.now += timedelta(seconds=61)
    assert len(chat.sent) == copies
    assert (await store.ledger()).states == {state: 1}


async def test_a_renderer_that_breaks_costs_only_its_message(store: SqliteStore):
    await store.keep_digests([outgoing("1", 0), outgoing("2", 0)], [], NOW)

    def behave(address: Address) -> Outcome:
        if address.chat == "1":
            raise ZeroDivisionError
        return Outcome("sent")

    chat = RecordingChat(behave)
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 2)
    assert (await store.ledger()).states == {"failed": 1, "sent": 1}


async def test_a_store_that_fails_the_chat_costs_no_message(store: SqliteStore):
    await store.keep_digests([outgoing("1", 0)], [], NOW)
    faults = [DatabaseError("the disk is full")]

    def behave(_: Address) -> Outcome:
        if faults:
            raise faults.pop()
        return Outcome("sent")

    clock = Clock()
    chat = RecordingChat(behave)
    await drain(store, chat, clock, lambda: len(chat.sent) >= 1)
    assert (await store.ledger()).states == {"pending": 1}
    clock.now += timedelta(seconds=61)
    await drain(store, chat, clock, lambda: len(chat.sent) >= 2)
    assert (await store.ledger()).states == {"sent": 1}


class FullDisk(SqliteStore):
    """A store that cannot write down the first `faults` outcomes."""

    faults = 2

    async def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
        self.faults -= 1
        if self.faults >= 0:
            raise DatabaseError("the disk is full")
        return await super().settle(delivery, outcome, now)


async def test_what_was_sent_is_written_down_once_the_store_can_again(tmp_path: Path):
    store = FullDisk(tmp_path / "yamchi.db", retention_days=90)
    await store.open()
    await store.keep_digests([outgoing("1", 0)], [], NOW)
    chat = RecordingChat(lambda _: Outcome("sent"))
    await drain(store, chat, Clock(), lambda: store.faults < 0)
    assert len(chat.sent) == 1
    assert (await store.ledger()).states == {"sent": 1}
    await store.close()


async def test_a_claim_whose_sender_died_lapses_and_is_sent_once_more(store: SqliteStore):
    await store.keep_digests([outgoing("1", 0)], [], NOW)
    assert len(await store.claim("dead", {"telegram"}, NOW, NOW + LEASE, 10)) == 1
    clock = Clock()
    chat = RecordingChat(lambda _: Outcome("sent"))
    clock.now += LEASE + timedelta(seconds=1)
    await drain(store, chat, clock, lambda: True)
    clock.now += timedelta(seconds=61)
    await drain(store, chat, clock, lambda: len(chat.sent) >= 1)
    assert (await store.ledger()).states == {"sent": 1}


async def test_what_is_past_its_shelf_life_is_never_sent(store: SqliteStore):
    await store.keep_digests([outgoing("1", 0)], [], NOW)
    clock = Clock()
    clock.now += timedelta(hours=7)
    chat = RecordingChat(lambda _: Outcome("sent"))
    await drain(store, chat, clock, lambda: True)
    assert chat.sent == []
    assert (await store.ledger()).states == {"expired": 1}
