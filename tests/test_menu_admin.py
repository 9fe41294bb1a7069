from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from bot.board import read_board
from bot.message import Message
from bot.models import (
    Address,
    Alert,
    Answer,
    Content,
    Feed,
    Health,
    Outcome,
    Outgoing,
    PollState,
    Request,
    Schedule,
    Subscription,
)
from bot.wiring import back_up_beside
from handlers import menu
from handlers.menu.desk import Desk
from handlers.menu.registry import commands
from tests.fixings import NOON, desk_of, keep_week, printed
from tests.stores import new_store

CONSOLE = Address("console", "local")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A week of fixings; Wednesday's dollar in tenge has lost its point, and is held."""
    store = await new_store(tmp_path / "yamchi.db")
    await keep_week(store)
    slip = replace(printed("nbk", date(2026, 11, 23), "USD 47231"), held=frozenset({("USD", "KZT")}))
    await store.keep_tables(PollState("nbk"), [slip], [], NOON)
    yield replace(desk_of(store), admins=frozenset({"telegram:1", "slack:T1/U2"}))
    await store.close()


async def say(desk: Desk, text: str, address: Address = CONSOLE, user: str = "") -> Answer:
    return await menu.answer(desk, Request(address, text, user=user))


def told(answer: Answer) -> str:
    return "\n".join(block.text for block in answer.message.blocks)


async def tenge(desk: Desk) -> str:
    board = await read_board(desk.store, desk.catalogue.roads, NOON, only={"KZT"})
    return str(board.quotes[0].rate)


async def test_held_figures_are_listed_beside_those_in_force(desk: Desk):
    answer = await say(desk, "/admin")
    assert "1: nbk USD/KZT 47,231" in told(answer)
    assert "in force: 472.31 of 23 Nov" in told(answer)
    assert [button.command for button in answer.message.buttons] == ["/admin release 1"]


async def test_a_held_figure_is_told_beside_the_one_in_force(desk: Desk):
    for question in ("/rates", "/rates KZT"):
        assert "USD/KZT: 47,231 printed for 23 Nov looks like a slip" in told(await say(desk, question))
    assert await tenge(desk) == "472.31"


async def test_an_operator_releases_it(desk: Desk):
    assert "47,231" in told(await say(desk, "/admin release 1"))
    assert await tenge(desk) == "47231"
    assert told(await say(desk, "/admin held")) == "No figure is held."
    again = await say(desk, "/admin release 1")
    assert again.error == {"message": "No held figure has that number.", "hint": "/admin held lists them."}


@pytest.mark.parametrize(
    ("address", "user", "may"),
    [
        (Address("telegram", "5"), "1", True),
        (Address("slack", "T1/C1"), "T1/U2", True),
        (Address("telegram", "1"), "7", False),
        (Address("slack", "T2/C1"), "T2/U2", False),
        (Address("telegram", "5"), "", False),
    ],
)
async def test_only_those_named_in_admins_may(desk: Desk, address: Address, user: str, may: bool):
    answer = await say(desk, "/admin held", address, user)
    assert (answer.error is None) is may


async def test_what_cannot_be_read_says_what_to_type(desk: Desk):
    answer = await say(desk, "/admin held 7")
    assert answer.error
    assert "release and a number" in answer.error["hint"]


async def test_the_operator_sees_how_sending_fares(desk: Desk):
    alert = Outgoing("a", CONSOLE, "alert", Message(()), NOON, NOON + timedelta(hours=1))
    await desk.store.enqueue([alert, replace(alert, address=Address("telegram", "7"))], NOON)
    (claimed,) = await desk.store.claim("me", ["console"], NOON, NOON + timedelta(minutes=2), 1)
    await desk.store.settle(claimed, Outcome("sent"), NOON + timedelta(seconds=3))
    await desk.store.pause(Address("telegram", "8"), "bot was blocked by the user", NOON)
    await desk.store.hold("slack", NOON + timedelta(hours=1), "too many requests")
    ill = {"deliver": Health(ok=False, detail="died of KeyError, restarting"), "slack": Health(ok=True)}
    answer = await say(replace(desk, health=lambda: ill), "/admin status")
    text = told(answer)
    for line in (
        "waiting 1, sent 1",
        "half at most 3 seconds, 95 % at most 3 seconds",
        "bot was blocked by the user: 1",
        "(too many requests)",
        "deliver: died of KeyError, restarting",
    ):
        assert line in text
    assert answer.data["states"] == {"sent": 1, "pending": 1}
    assert answer.data["paused"] == {"bot was blocked by the user": 1}
    assert "Every part of the service is well." in told(await say(desk, "/admin status"))


async def test_the_operator_sees_the_sources_in_trouble(desk: Desk):
    feed = Feed("lake", "The Lake", "https://lake.example/feed", "en", added=True)
    await desk.store.add_feed(feed, Address("telegram", "9"), "9", NOON)
    state = PollState("lake", failures=7, error="HTTP 503", next_poll_at=NOON + timedelta(hours=3), url=feed.url)
    await desk.store.keep_poll(state)
    await desk.store.keep_poll(PollState("nbk", last_ok_at=NOON, note="2 rows refused"))
    text = told(await say(desk, "/admin sources"))
    assert "The Lake: HTTP 503; 7 looks in a row failed, the next is in 3 hours" in text
    assert "National Bank of Kazakhstan: 2 rows refused" in text


async def test_a_broadcast_asks_first_and_reaches_every_chat_once(desk: Desk):
    assert "nobody would hear it" in told(await say(desk, "/admin broadcast Back at noon."))
    for topic in "56":
        await desk.store.subscribe(Subscription(0, Address("telegram", "7", topic), Schedule("daily"), Content(), NOON))
    await desk.store.set_alert(Alert(0, Address("slack", "T1/C1"), "USD", "KZT", "above", Decimal(520), NOON))
    asked = await say(desk, "/admin broadcast <b>Back</b> at noon.")
    assert told(asked) == "2 chats would get this, as it stands:\n<b>Back</b> at noon."
    (send,) = asked.message.buttons
    assert "It goes to 2 chats now." in told(await say(desk, send.command))
    assert "not sent twice" in told(await say(desk, send.command))
    claimed = await desk.store.claim("me", ["telegram", "slack"], NOON, NOON + timedelta(minutes=2), 9)
    words = {(one.address.platform, one.address.thread, one.message.blocks[0].text) for one in claimed}
    assert words == {("slack", "", "<b>Back</b> at noon."), ("telegram", "5", "<b>Back</b> at noon.")}
    why = await say(desk, "/why", Address("telegram", "7", "5"))
    number = why.message.buttons[0].command
    assert "Whoever runs this bot wrote it" in told(await say(desk, number, Address("telegram", "7", "5")))


async def test_a_backup_is_made_beside_the_database_or_it_says_why_not(desk: Desk, tmp_path: Path):
    database = tmp_path / "yamchi.db"
    office = replace(desk, back_up=partial(back_up_beside, database, lambda: NOON))
    assert "backups beside the database" in told(await say(office, "/admin backup"))
    (made,) = (tmp_path / "backups").iterdir()
    assert made.read_bytes()[:15] == b"SQLite format 3"
    assert "No backup was made" in told(await say(office, "/admin backup"))
    assert "by its own tools" in told(await say(desk, "/admin backup"))


async def test_whoever_speaks_can_be_spoken_to_again(desk: Desk):
    await desk.store.pause(CONSOLE, "gone", NOON)
    await say(desk, "/version")
    assert (await desk.store.outbox_report(NOON)).dead == {}


async def test_it_is_on_no_list(desk: Desk):
    assert "admin" not in commands()
    assert "/admin" not in told(await say(desk, "/help"))
