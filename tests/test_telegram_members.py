"""Chats that change: blocked and returned, thrown out and let in again, muted, grown into supergroups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.models import Address, ChatSettings, Content, Outgoing, Schedule, Subscription
from storage.sqlite import SqliteStore
from tests.fakes.telegram import FakeTelegram
from tests.telegram_chat import Menu, clock, heard, listening, plain, until

GROUP, OLD, CHANNEL = -1005, -5, -1006


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram() as fake:
        yield fake


def where(chat: int, thread: str = "") -> Address:
    return Address("telegram", str(chat), thread)


async def subscribe(store: SqliteStore, address: Address) -> None:
    await store.subscribe(Subscription(0, address, Schedule("instant"), Content(("summit",)), clock()))


async def waits(store: SqliteStore, address: Address, event: str) -> bool:
    """Whether a message for this address would go out now."""
    now = clock()
    await store.enqueue([Outgoing(event, address, "article", plain("news"), now, now + timedelta(hours=1))], now)
    states = (await store.ledger()).states
    return states.get("pending", 0) > 0


async def settled(store: SqliteStore, fake: FakeTelegram) -> None:
    """All that was pushed has been carried out."""
    calls = fake.calls["getUpdates"]
    await until(lambda: not fake._updates and fake.calls["getUpdates"] > calls + 1)
    fake.say(99, "/rates")
    await heard(fake, 99, len(fake.messages(99)) + 1)


PAUSED = {
    "blocked": (7, "kicked", {}),
    "thrown out": (GROUP, "kicked", {}),
    "left": (GROUP, "left", {}),
    "restricted and out": (GROUP, "restricted", {"is_member": False, "can_send_messages": True}),
    "muted": (GROUP, "restricted", {"is_member": True, "can_send_messages": False}),
    "a channel's member": (CHANNEL, "member", {}),
    "an admin who may not post": (CHANNEL, "administrator", {"can_post_messages": False}),
}
WELCOME = {
    "unblocked": (7, "member", {}),
    "let in": (GROUP, "member", {}),
    "made an admin": (GROUP, "administrator", {}),
    "unmuted": (GROUP, "restricted", {"is_member": True, "can_send_messages": True}),
    "an admin who may post": (CHANNEL, "administrator", {"can_post_messages": True}),
}


def kind(fake: FakeTelegram, chat: int) -> None:
    fake.open(chat, "private" if chat > 0 else "channel" if chat == CHANNEL else "supergroup")


@pytest.mark.parametrize("change", PAUSED)
async def test_a_chat_that_shut_us_out_is_paused_and_keeps_what_it_had(
    fake: FakeTelegram, store: SqliteStore, change: str
):
    chat, status, rights = PAUSED[change]
    kind(fake, chat)
    await subscribe(store, where(chat))
    assert await waits(store, where(chat), "before")
    async with listening(fake, store, Menu()):
        fake.us(chat, status, **rights)
        await settled(store, fake)
        assert not await waits(store, where(chat), "after")
        assert (await store.ledger()).states == {"dead": 2}
        assert len(await store.subscriptions(where(chat))) == 1
        kind_again = WELCOME[{7: "unblocked", GROUP: "let in", CHANNEL: "an admin who may post"}[chat]]
        fake.us(chat, kind_again[1], "left", **kind_again[2])
        await settled(store, fake)
        assert await waits(store, where(chat), "back")
        assert len(await store.subscriptions(where(chat))) == 1


@pytest.mark.parametrize("change", WELCOME)
async def test_a_chat_that_lets_us_speak_is_not_paused(fake: FakeTelegram, store: SqliteStore, change: str):
    chat, status, rights = WELCOME[change]
    kind(fake, chat)
    await store.pause(where(chat), "gone", clock())
    async with listening(fake, store, Menu()):
        fake.us(chat, status, "kicked", **rights)
        await settled(store, fake)
    assert await waits(store, where(chat), "back")


async def test_a_group_that_becomes_a_supergroup_takes_all_it_has_with_it(fake: FakeTelegram, store: SqliteStore):
    await subscribe(store, where(OLD))
    await store.keep_chat(ChatSettings(where(OLD), "Asia/Tashkent", "ru"), [])
    assert await waits(store, where(OLD), "before")
    menu = Menu()
    async with listening(fake, store, menu):
        fake.migrate(OLD, GROUP)
        await settled(store, fake)
        fake.say(GROUP, "/list")
        await heard(fake, GROUP)
    assert await store.subscriptions(where(OLD)) == []
    [moved] = await store.subscriptions(where(GROUP))
    assert moved.content.words == ("summit",)
    chosen = await store.chat(where(GROUP))
    assert chosen is not None and (chosen.zone, chosen.language) == ("Asia/Tashkent", "ru")
    assert (await store.ledger()).states == {"pending": 1}
    assert [ask.text for ask in menu.asked if ask.address.chat != "99"] == ["/list"]


async def test_being_added_says_nothing_and_asks_nothing(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    async with listening(fake, store, menu):
        fake.us(GROUP, "member", "left")
        await settled(store, fake)
    assert {ask.address.chat for ask in menu.asked} == {"99"}
    assert fake.messages(GROUP) == []


async def test_a_change_that_nobody_can_read_is_put_aside(fake: FakeTelegram, store: SqliteStore):
    async with listening(fake, store, Menu()):
        fake.push({"my_chat_member": {"chat": {"id": 7, "type": "private"}}})
        fake.push({"my_chat_member": []})
        fake.push({"my_chat_member": {"chat": {"id": "x", "type": "private"}, "new_chat_member": {"status": "left"}}})
        await settled(store, fake)
    assert await waits(store, where(7), "still")
