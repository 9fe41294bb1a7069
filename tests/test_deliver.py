from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.deliver import LEASE, Deliverer
from bot.errors import DatabaseError
from bot.message import Message, Paragraph
from bot.models import Address, Delivery, Health, Outcome, Outgoing
from bot.pace import Limits, Pace, Rate
from bot.ports import Ask
from storage.sqlite import SqliteStore

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
        self.pace = Pace(Limits())
        self.sent: list[tuple[str, str]] = []
        self.plain: list[bool] = []
        self.takes_markup = True
        self.gate = asyncio.Event()
        self.in_time: list[tuple[str, str]] = []
        self.slow: set[str] = set()

    async def check(self) -> None: ...

    async def listen(self, ask: Ask) -> None: ...

    async def send(self, address: Address, message: Message, *, plain: bool = False, answers: str = "") -> Outcome:
        if address.chat in self.slow:
            await self.gate.wait()
        self.sent.append((address.chat, message.blocks[0].text))
        self.plain.append(plain)
        if not (plain or self.takes_markup):
            return Outcome("failed", "can't parse entities", cause="body")
        return self.behave(address)

    def health(self) -> Health:
        return Health(ok=True)

    async def close(self) -> None: ...


def outgoing(chat: str, n: int, kind: str = "digest") -> Outgoing:
    message = Message((Paragraph(f"{chat}-{n}"),))
    return Outgoing(f"e{n}", Address("telegram", chat), kind, message, NOW, NOW + timedelta(hours=6))


async def drain(
    store: SqliteStore,
    chat: RecordingChat,
    clock: Clock,
    done: Callable[[], bool],
    seconds: float = 0.05,
    **more: Any,
) -> Deliverer:
    """Deliver until `done` and for so long after; the chat notes what was sent by then. Only after that the slow
    get theirs."""
    deliverer = Deliverer(store=store, chats={"telegram": chat}, clock=clock, owner="me", crash=lambda _: None, **more)
    task = asyncio.create_task(deliverer.run())
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.01)
        await asyncio.sleep(seconds)
    chat.in_time = list(chat.sent)
    chat.gate.set()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return deliverer


async def test_each_chat_gets_its_messages_once_and_in_order(store: SqliteStore):
    await store.enqueue([outgoing(str(c), n) for n in range(5) for c in range(8)], NOW)
    chat = RecordingChat(lambda _: Outcome("sent", message_id="1"))
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 40)
    for c in range(8):
        assert [text for to, text in chat.sent if to == str(c)] == [f"{c}-{n}" for n in range(5)]
    assert (await store.ledger()).states == {"sent": 40}


async def test_a_slow_chat_holds_up_nobody_else(store: SqliteStore):
    await store.enqueue([outgoing(c, n) for c in ("slow", "quick") for n in range(3)], NOW)
    chat = RecordingChat(lambda _: Outcome("sent"))
    chat.slow.add("slow")
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 3)
    assert {to for to, _ in chat.in_time} == {"quick"}


async def test_a_chat_that_must_wait_keeps_its_order(store: SqliteStore):
    await store.enqueue([outgoing("1", n) for n in range(2)], NOW)
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
    await store.enqueue([outgoing("1", 0, kind)], NOW)
    clock = Clock()
    chat = RecordingChat(lambda _: Outcome("unknown", "timed out"))
    for _ in range(3):
        await drain(store, chat, clock, lambda: len(chat.sent) >= 1)
        clock.now += timedelta(seconds=61)
    assert len(chat.sent) == copies
    assert (await store.ledger()).states == {state: 1}


async def test_a_renderer_that_breaks_costs_only_its_message(store: SqliteStore):
    await store.enqueue([outgoing("1", 0), outgoing("2", 0)], NOW)

    def behave(address: Address) -> Outcome:
        if address.chat == "1":
            raise ZeroDivisionError
        return Outcome("sent")

    chat = RecordingChat(behave)
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 2)
    assert (await store.ledger()).states == {"failed": 1, "sent": 1}


async def test_a_store_that_fails_the_chat_costs_no_message(store: SqliteStore):
    await store.enqueue([outgoing("1", 0)], NOW)
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
    await store.enqueue([outgoing("1", 0)], NOW)
    chat = RecordingChat(lambda _: Outcome("sent"))
    await drain(store, chat, Clock(), lambda: store.faults < 0)
    assert len(chat.sent) == 1
    assert (await store.ledger()).states == {"sent": 1}
    await store.close()


async def test_a_claim_whose_sender_died_lapses_and_is_sent_once_more(store: SqliteStore):
    await store.enqueue([outgoing("1", 0)], NOW)
    assert len(await store.claim("dead", {"telegram"}, NOW, NOW + LEASE, 10)) == 1
    clock = Clock()
    chat = RecordingChat(lambda _: Outcome("sent"))
    clock.now += LEASE + timedelta(seconds=1)
    await drain(store, chat, clock, lambda: True)
    clock.now += timedelta(seconds=61)
    await drain(store, chat, clock, lambda: len(chat.sent) >= 1)
    assert (await store.ledger()).states == {"sent": 1}


async def test_what_is_past_its_shelf_life_is_never_sent(store: SqliteStore):
    await store.enqueue([outgoing("1", 0)], NOW)
    clock = Clock()
    clock.now += timedelta(hours=7)
    chat = RecordingChat(lambda _: Outcome("sent"))
    await drain(store, chat, clock, lambda: True)
    assert chat.sent == []
    assert (await store.ledger()).states == {"expired": 1}


# --- the platform as a whole -------------------------------------------------


async def test_a_flood_of_three_chats_holds_the_platform_and_outlives_the_sender(store: SqliteStore):
    await store.enqueue([outgoing(str(n), 0) for n in range(3)], NOW)
    clock = Clock()
    later = NOW + timedelta(seconds=40)

    def behave(address: Address) -> Outcome:
        chat.pace.flooded(address.chat, 40)
        return Outcome("pending", "429", retry_at=later, cause="flood")

    chat = RecordingChat(behave)
    await drain(store, chat, clock, lambda: len(chat.sent) >= 3, seconds=1.3)
    assert len(chat.sent) == 3
    held = (await store.outbox_report(NOW)).held
    assert held["telegram"][0] > NOW + timedelta(seconds=30)
    await store.enqueue([outgoing("9", 0)], NOW)
    after = RecordingChat(lambda _: Outcome("sent"))
    await drain(store, after, clock, lambda: True, seconds=0.5)
    assert after.sent == []


async def test_a_bot_that_is_refused_everywhere_loses_no_chat_and_tells_its_operators(store: SqliteStore):
    await store.enqueue([outgoing(str(n), 0) for n in range(30)], NOW)
    told: list[tuple[str, str]] = []

    async def notify(cause: str, trouble: str) -> None:
        told.append((cause, trouble))

    chat = RecordingChat(lambda _: Outcome("dead", "Forbidden: bot was blocked by the user"))
    deliverer = await drain(store, chat, Clock(), lambda: len(told) > 0, notify=notify)
    report = await store.outbox_report(NOW)
    assert report.dead == {}
    assert report.states == {"pending": 30}
    assert [cause for cause, _ in told] == ["sending:telegram"]
    assert [health.ok for health in deliverer.health().values()] == [False]


async def test_a_refused_token_leaves_every_message_where_it_is(store: SqliteStore):
    await store.enqueue([outgoing(str(n), 0, "digest") for n in range(3)], NOW)
    chat = RecordingChat(lambda _: Outcome("pending", "Unauthorized", cause="token"))
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 3)
    assert (await store.ledger()).states == {"pending": 3}
    assert (await store.outbox_report(NOW)).dead == {}


async def test_a_few_blocked_chats_are_paused_and_asked_once(store: SqliteStore):
    await store.enqueue([outgoing(str(c), n) for n in range(3) for c in range(40)], NOW)
    chat = RecordingChat(lambda address: Outcome("dead", "blocked") if address.chat in {"1", "2"} else Outcome("sent"))
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 38 * 3 + 2)
    assert [sum(to == gone for to, _ in chat.sent) for gone in ("1", "2")] == [1, 1]
    assert (await store.ledger()).states == {"sent": 38 * 3, "dead": 6}


async def test_a_text_that_is_refused_goes_to_everybody_as_bare_words(store: SqliteStore):
    shared = Message((Paragraph("a < b"),))
    chats = [Address("telegram", str(n)) for n in range(5)]
    await store.enqueue([Outgoing("e", c, "digest", shared, NOW, NOW + timedelta(hours=6)) for c in chats], NOW)
    chat = RecordingChat(lambda _: Outcome("sent"))
    chat.takes_markup = False
    await drain(store, chat, Clock(), lambda: sum(plain for plain in chat.plain) >= 5)
    assert (await store.ledger()).states == {"sent": 5}


async def test_a_chat_that_moved_gets_its_messages_in_order_at_its_new_place(store: SqliteStore):
    await store.enqueue([outgoing("1", n) for n in range(3)], NOW)
    chat = RecordingChat(
        lambda address: Outcome("pending", retry_at=NOW, moved_to="-100") if address.chat == "1" else Outcome("sent")
    )
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 4)
    assert chat.sent == [("1", "1-0"), ("-100", "1-0"), ("-100", "1-1"), ("-100", "1-2")]


async def test_a_message_put_in_goes_out_at_once(store: SqliteStore):
    chat = RecordingChat(lambda _: Outcome("sent"))
    loop, moments = asyncio.get_running_loop(), []

    def all_came() -> bool:
        if len(moments) < 5 and len(chat.sent) == len(moments):
            moments.append(loop.time())
            puts.append(asyncio.create_task(store.enqueue([outgoing("1", len(moments))], NOW)))
        return len(chat.sent) >= 5

    puts: list[asyncio.Task[int]] = []
    await drain(store, chat, Clock(), all_came)
    assert max(after - before for before, after in pairwise(moments)) < 0.5


async def test_a_stop_is_heard_at_whatever_moment_it_comes(store: SqliteStore):
    for n in range(60):
        await store.enqueue([outgoing(str(c), n, "alert") for c in range(6)], NOW)
        deliverer = Deliverer(
            store=store,
            chats={"telegram": RecordingChat(lambda _: Outcome("sent"))},
            clock=Clock(),
            owner="me",
            crash=lambda _: None,
        )
        task = asyncio.create_task(deliverer.run())
        await asyncio.sleep(n * 0.0005)
        task.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(task, return_exceptions=True)
        assert "inflight" not in (await store.ledger()).states


async def test_what_is_claimed_and_not_handed_over_is_given_back_when_we_stop(store: SqliteStore):
    await store.enqueue([outgoing(str(n), 0, "alert") for n in range(8)], NOW)
    chat = RecordingChat(lambda _: Outcome("sent"))
    chat.pace = Pace(Limits(shared=Rate(0.5, burst=1)))
    await drain(store, chat, Clock(), lambda: len(chat.sent) >= 1)
    states = (await store.ledger()).states
    assert states == {"sent": len(chat.sent), "pending": 8 - len(chat.sent)}
