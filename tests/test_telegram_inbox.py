"""The inbox of Telegram: every update at least once, its effects once, whatever dies or fails meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog
from aiohttp import web

from bot.models import Address, Answer, Content, Request, Schedule, Subscription, Update
from bot.rules import POISON_AFTER, POISON_AGE, SUSPECT_AFTER
from handlers.telegram import Telegram
from handlers.telegram.inbox import Post
from handlers.telegram.poll import Pace, keep_trying
from storage.sqlite import SqliteStore
from tests.fakes.faults import status
from tests.fakes.telegram import FakeTelegram, refusal
from tests.fakes.telegram_server import TOKEN
from tests.telegram_chat import PACE, FullDisk, Menu, Told, clock, heard, listening, plain, until


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram() as fake:
        yield fake


class Dead(BaseException):
    """As if the process had died."""


class Deadly(Menu):
    """Dies of what holds the word "kill"; counts everything it was asked."""

    async def __call__(self, request: Request) -> Answer:
        if "kill" in request.text:
            self.asked.append(request)
            raise Dead
        return await super().__call__(request)


async def live(fake: FakeTelegram, store: SqliteStore, menu: Menu, told: Told, later: timedelta) -> bool:
    """One life, until it dies or has handled all there is. Whether it died."""
    chat = Telegram(TOKEN, fake.url, store, lambda: clock() + later, tell=told, pace=PACE)
    life = asyncio.create_task(chat.listen(menu))
    calls = fake.calls["getUpdates"]
    async with asyncio.timeout(20):
        while not life.done() and (fake._updates or fake.calls["getUpdates"] < calls + 3):
            await asyncio.sleep(0.02)
    died = life.done()
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    await chat.close()
    return died


async def test_an_update_that_kills_us_does_so_a_few_times_and_the_others_are_handled(
    fake: FakeTelegram, store: SqliteStore
):
    menu, told = Deadly(), Told()
    for chat in (1, 2):
        fake.say(chat, f"/rates of {chat} before")
    fake.say(3, "/rates kill")
    fake.say(3, "/rates of 3 after")
    fake.say(4, "/rates of 4 after")
    deaths = 0
    while await live(fake, store, menu, told, POISON_AGE * (deaths >= POISON_AFTER + 2)):
        deaths += 1
    assert deaths == POISON_AFTER + 2
    asked = Counter(ask.text for ask in menu.asked)
    assert asked.pop("/rates kill") == deaths
    assert set(asked) == {"/rates of 1 before", "/rates of 2 before", "/rates of 3 after", "/rates of 4 after"}
    assert await store.waiting_updates("telegram", 9) == []
    assert await store.suspect_update("telegram") is None
    assert told.causes == ["poison:telegram:1002"]
    assert "1002" in told.texts[0]
    assert len(fake.messages(3)) == 1


async def test_an_innocent_suspect_is_handled_and_nobody_is_told(fake: FakeTelegram, store: SqliteStore):
    fake.say(7, "/rates")
    await store.keep_updates([Update("telegram", "1000", json.dumps(fake._updates.pop()))], clock())
    for _ in range(SUSPECT_AFTER):
        await store.waiting_updates("telegram", 9)
    told = Told()
    async with listening(fake, store, Menu(), tell=told):
        assert await heard(fake, 7) == ["you said /rates"]
    assert told.causes == []


async def test_waiting_behind_a_slow_chat_is_no_reason_for_suspicion(fake: FakeTelegram, store: SqliteStore):
    menu, free = Menu(), asyncio.Event()

    async def ask(request: Request) -> Answer:
        if request.text == "/rates slow":
            await free.wait()
        return await menu(request)

    async with listening(fake, store, ask):  # type: ignore[arg-type]
        fake.say(7, "/rates slow")
        fake.say(7, "/rates patient")
        for n in range(POISON_AFTER + 1):
            fake.say(8, f"/rates {n}")
            await heard(fake, 8, n + 1)
        free.set()
        assert await heard(fake, 7, 2) == ["you said /rates slow", "you said /rates patient"]


async def test_more_than_may_be_in_hand_are_handled_in_the_end_and_in_order(fake: FakeTelegram, store: SqliteStore):
    for number in range(95):
        fake.say(1 + number % 3, f"/rates {number}")
    raws = [Update("telegram", str(raw["update_id"]), json.dumps(raw)) for raw in fake._updates]
    await store.keep_updates(raws, clock())
    handled: dict[int, list[int]] = {1: [], 2: [], 3: []}

    async def handle(raw: dict[str, Any], *, acted: bool = False) -> bool:
        assert not acted
        await asyncio.sleep(0)
        handled[raw["message"]["chat"]["id"]].append(raw["update_id"])
        return True

    inbox = Post(store, clock, handle, Told(), window=10)
    life = asyncio.create_task(inbox.run())
    await until(lambda: sum(map(len, handled.values())) == 95)
    life.cancel()
    assert all(numbers == sorted(numbers) for numbers in handled.values())


# --- effects, once -----------------------------------------------------------


class Ending(Menu):
    """Ends the first subscription of the chat, as /unsubscribe 1 does."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__()
        self._store = store

    async def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        held = await self._store.subscriptions(request.address)
        await self._store.unsubscribe(request.address, [held[0].id], request.update)
        return Answer(plain(f"ended {held[0].id}"))


async def three_subscriptions(store: SqliteStore) -> Address:
    here = Address("telegram", "7")
    for word in ("one", "two", "three"):
        await store.subscribe(Subscription(0, here, Schedule("instant"), Content((word,)), clock()))
    return here


async def test_what_took_effect_before_a_death_is_only_answered_after_it(fake: FakeTelegram, store: SqliteStore):
    here, menu = await three_subscriptions(store), Ending(store)

    def crash(point: str) -> None:
        if point == "update-acted":
            raise Dead

    fake.say(7, "/unsubscribe 1", language="ru")
    with pytest.raises(BaseExceptionGroup):
        chat = Telegram(TOKEN, fake.url, store, clock, crash=crash, pace=PACE)
        try:
            await chat.listen(menu)
        finally:
            await chat.close()
    assert fake.messages(7) == []
    async with listening(fake, store, menu):
        [said] = await heard(fake, 7)
        assert "/unsubscribe 1" in said and "перезапустили" in said
        fake.say(7, "/unsubscribe 1")
        await heard(fake, 7, 2)
    assert [one.content.words for one in await store.subscriptions(here)] == [("three",)]
    assert len(menu.asked) == 2
    assert await store.acted_updates("telegram") == []


async def test_a_store_that_fails_after_the_effect_does_not_repeat_it(fake: FakeTelegram, store: SqliteStore):
    here, menu, disk = await three_subscriptions(store), Ending(store), FullDisk(store)
    disk.failing = {"settle_update"}
    fake.say(7, "/unsubscribe 1")
    async with listening(fake, disk, menu):  # type: ignore[arg-type]
        await heard(fake, 7)
        await until(lambda: not disk.failing)
    assert len(menu.asked) == 1
    assert len(await store.subscriptions(here)) == 2


async def test_a_store_that_fails_the_buttons_of_an_answer_does_not_repeat_the_command(
    fake: FakeTelegram, store: SqliteStore
):
    menu, disk = Menu(), FullDisk(store)
    disk.failing = {"keep_token"}
    fake.say(7, "/rates")
    async with listening(fake, disk, menu):  # type: ignore[arg-type]
        assert await heard(fake, 7) == ["you said /rates"]
    assert len(menu.asked) == 1
    assert not disk.failing


# --- the poller's manners ----------------------------------------------------


async def test_another_poller_is_logged_once_a_minute_and_the_operators_hear_of_it(
    fake: FakeTelegram, store: SqliteStore
):
    told = Told()
    conflict = refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot runs")
    with structlog.testing.capture_logs() as logs:
        async with listening(fake, store, Menu(), tell=told) as chat:
            fake.fails("getUpdates", *[conflict] * 8)
            fake.say(7, "/rates")
            await heard(fake, 7)
            await until(lambda: chat.health().ok)
    assert [entry["call"] for entry in logs if entry["event"] == "Telegram missed"] == ["getUpdates"]
    assert set(told.causes) == {"telegram:conflict"}
    assert fake.calls["deleteWebhook"] == 1


async def test_a_token_that_is_refused_for_long_is_told_and_polling_goes_on(fake: FakeTelegram, store: SqliteStore):
    told = Told()
    async with listening(fake, store, Menu(), tell=told):
        fake.fails("getUpdates", *[refusal(401, "Unauthorized"), refusal(404, "Not Found")] * 4)
        fake.say(7, "/rates")
        assert await heard(fake, 7) == ["you said /rates"]
    assert set(told.causes) == {"telegram:refused"}


async def test_the_session_is_renewed_at_the_first_miss(fake: FakeTelegram, store: SqliteStore):
    async with listening(fake, store, Menu()) as chat:
        await until(lambda: chat.health().ok)
        before = chat._fetch._session
        fake.fails("getUpdates", status(502))
        fake.say(7, "/rates")
        await heard(fake, 7)
        assert before is not None and before.closed
        assert chat._fetch._session is not before
        assert not chat._send._session.closed  # type: ignore[union-attr]


@pytest.mark.parametrize("result", [[], {}, None, [{"update_id": 5}]])
async def test_a_server_that_answers_at_once_is_not_asked_without_end(
    fake: FakeTelegram, store: SqliteStore, result: object
):
    async def at_once(_: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True, "result": result})

    fake.route(f"/bot{TOKEN}/getUpdates", at_once)
    pace = Pace(long_poll=1, timeout=1.5, pause=0.25)
    chat = Telegram(TOKEN, fake.url, store, clock, pace=pace)
    life = asyncio.create_task(chat.listen(Menu()))
    await until(lambda: fake.calls["getUpdates"] > 0)
    await asyncio.sleep(1)
    life.cancel()
    await asyncio.gather(life, return_exceptions=True)
    await chat.close()
    assert fake.calls["getUpdates"] <= 8


async def test_pauses_double_and_end_at_the_longest():
    pace = Pace()
    assert [pace.after(misses) for misses in (1, 2, 3, 4, 5, 6, 99)] == [1, 2, 4, 8, 16, 30, 30]
    assert pace.long_poll == 20 and pace.timeout == 25


async def test_what_is_tried_again_stops_when_it_is_done():
    done = []

    async def work() -> bool:
        done.append(1)
        return len(done) == 3

    await keep_trying("work", work, PACE)
    assert len(done) == 3
