"""What is corrected later, corrected in the message that told it: never as a new message, through every loss."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from bot.announce import Announcer
from bot.deliver import LEASE, Deliverer
from bot.models import Address, Catalogue, ChatSettings, Content, Fixing, Outcome, Schedule, Subscription
from bot.outcomes import REPEAT_AFTER
from handlers.telegram import Telegram
from storage.sqlite import SqliteStore
from tests.fakes.faults import reset_after, status
from tests.fakes.feeds import FakeFeed, FakeFeeds
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_server import TOKEN
from tests.fakes.web import FakeWeb
from tests.surface import PERSON, open_surface
from tests.test_announce import DOLLAR, NBK, NOW, table
from tests.test_feed_polls import HOUR, READER, Newsroom, row

CHOSEN = ChatSettings(READER, "Asia/Almaty", "en", edits=True)
SEND, EDIT = f"/bot{TOKEN}/sendMessage", f"/bot{TOKEN}/editMessageText"
OLD, NEW = "A new road opens", "A new railway opens"


class Killed(Exception):
    """The process dies here."""


@dataclass
class Office:
    """A newsroom whose reader is in Telegram."""

    room: Newsroom
    outlet: FakeFeed
    fake: FakeTelegram
    chat: Telegram
    owners: count[int]

    @property
    def store(self) -> SqliteStore:
        return self.room.core.store

    async def poll(self) -> None:
        self.room.now += 2 * HOUR
        before = asyncio.all_tasks()
        await self.room.core.tracker.poll_due()
        await asyncio.gather(*(asyncio.all_tasks() - before))

    async def tell(self) -> None:
        self.outlet.publish(OLD, "It opens.", "", self.room.now)
        await self.poll()

    async def correct(self, title: str = NEW) -> None:
        self.outlet.edit(next(item for item in self.outlet.items if item.title in (OLD, NEW)), title=title)
        await self.poll()

    async def deliver(self, dies_at: str = "") -> None:
        """A sender's life: until nothing is left for now, or it dies."""
        dead = asyncio.Event()

        def crash(point: str) -> None:
            if point == dies_at:
                dead.set()
                raise Killed

        chats = {"telegram": self.chat}
        sender = Deliverer(
            store=self.store, chats=chats, clock=self.room.clock, owner=f"sender {next(self.owners)}", crash=crash
        )
        await sender.settle_lapsed(alone=True)
        life = asyncio.create_task(sender.run())
        async with asyncio.timeout(60):
            while not dead.is_set() and await self._waiting():
                await asyncio.sleep(0.02)
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)

    async def _waiting(self) -> bool:
        sql = "SELECT 1 FROM outbox WHERE state = 'inflight' OR (state = 'pending' AND not_before <= ?)"
        now = int(self.room.now.timestamp() * 1_000_000)
        return bool(await self.store._readers.run(lambda db: db.conn.execute(sql, (now,)).fetchone()))

    def shown(self) -> list[str]:
        return [said.text.splitlines()[0] for said in self.fake.messages(PERSON)]


@asynccontextmanager
async def office(folder: Path, chosen: ChatSettings = CHOSEN) -> AsyncIterator[Office]:
    """After a first look at a feed with one story, which has been told."""
    with FakeWeb() as server, FakeTelegram() as fake:
        fake.open(PERSON)
        room = Newsroom(FakeFeeds(server), folder)
        outlet = room.outlet(entries=1)
        async with room.opened(row(outlet)):
            chat = Telegram(TOKEN, fake.url, room.core.store, room.clock, paid=True)
            await room.core.store.keep_chat(chosen, [])
            desk = Office(room, outlet, fake, chat, count(1))
            await desk.poll()
            await desk.deliver()
            yield desk
            await chat.close()


async def test_a_corrected_article_is_corrected_in_the_message_that_told_it(tmp_path: Path):
    async with office(tmp_path) as desk:
        await desk.tell()
        await desk.deliver()
        assert desk.shown() == ["steppe story 0", OLD]
        ids = [said.id for said in desk.fake.messages(PERSON)]
        await desk.correct()
        await desk.deliver()
        assert desk.shown() == ["steppe story 0", NEW]
        assert [said.id for said in desk.fake.messages(PERSON)] == ids
        await desk.correct(OLD)
        await desk.deliver()
        assert desk.shown() == ["steppe story 0", OLD]
        assert (desk.fake.calls["sendMessage"], desk.fake.calls["editMessageText"]) == (2, 2)
        assert not desk.fake.rejected
        assert (await desk.store.ledger()).states == {"sent": 4}


async def test_a_chat_that_did_not_ask_for_it_keeps_what_it_was_sent(tmp_path: Path):
    async with office(tmp_path, replace(CHOSEN, edits=False)) as desk:
        await desk.tell()
        await desk.deliver()
        await desk.correct()
        await desk.deliver()
        assert desk.shown() == ["steppe story 0", OLD]
        assert desk.fake.calls["editMessageText"] == 0


async def test_what_still_waits_goes_in_the_corrected_words(tmp_path: Path):
    async with office(tmp_path) as desk:
        await desk.tell()
        await desk.correct()
        await desk.deliver()
        assert desk.shown() == ["steppe story 0", NEW]
        assert (desk.fake.calls["sendMessage"], desk.fake.calls["editMessageText"]) == (2, 0)


@pytest.mark.parametrize("point", ["claimed", "handed", "sent"])
async def test_a_kill_loses_no_correction_and_sends_nothing_anew(tmp_path: Path, point: str):
    async with office(tmp_path) as desk:
        await desk.tell()
        await desk.deliver()
        await desk.correct()
        await desk.deliver(dies_at=point)
        desk.room.now += LEASE
        await desk.deliver()
        assert desk.shown() == ["steppe story 0", NEW]
        assert desk.fake.calls["sendMessage"] == 2
        assert (await desk.store.ledger()).states == {"sent": 3}


@pytest.mark.parametrize("fault", [reset_after, status(502), status(500)])
async def test_an_answer_lost_or_a_fault_is_tried_again(tmp_path: Path, fault: object):
    async with office(tmp_path) as desk:
        await desk.tell()
        await desk.deliver()
        await desk.correct()
        desk.fake.fault(EDIT, fault, times=1)
        await desk.deliver()
        desk.room.now += REPEAT_AFTER + timedelta(seconds=1)
        await desk.deliver()
        assert desk.shown() == ["steppe story 0", NEW]
        assert desk.fake.calls["sendMessage"] == 2
        assert (await desk.store.ledger()).states == {"sent": 3}


@pytest.mark.parametrize("state", ["unknown", "failed"])
async def test_what_never_arrived_is_not_corrected(tmp_path: Path, state: str):
    async with office(tmp_path) as desk:
        await desk.tell()
        (delivery,) = await desk.store.claim("me", ["telegram"], desk.room.now, desk.room.now + LEASE, 9)
        await desk.store.settle(delivery, Outcome(state), desk.room.now)
        await desk.correct()
        await desk.deliver()
        assert desk.shown() == ["steppe story 0"]
        assert (desk.fake.calls["sendMessage"], desk.fake.calls["editMessageText"]) == (1, 0)


async def test_a_message_that_is_gone_stays_gone(tmp_path: Path):
    async with office(tmp_path) as desk:
        await desk.tell()
        await desk.deliver()
        desk.fake.forget(PERSON)
        await desk.correct()
        await desk.deliver()
        assert desk.shown() == []
        assert (await desk.store.ledger()).states == {"sent": 2, "failed": 1}


@pytest.mark.parametrize(("edits", "messages"), [(True, 1), (False, 2)])
async def test_a_revised_rate(tmp_path: Path, *, edits: bool, messages: int):
    async with office(tmp_path, replace(CHOSEN, edits=edits)) as desk:
        desk.fake.forget(PERSON)
        desk.room.now = max(desk.room.now, NOW)
        await desk.store.subscribe(Subscription(0, READER, Schedule("instant"), Content(news=False), NOW))
        announcer = Announcer(desk.store, Catalogue((), (NBK,)), "Asia/Almaty", "en", timedelta(hours=6))
        before, new = table(23, DOLLAR), table(24, Fixing("USD", "478.77"))
        revised = table(24, Fixing("USD", "479.10"))
        for known, found in (([before], new), ([before, new], revised)):
            out = await announcer.fixing(NBK, known, [found], desk.room.now)
            await desk.store.enqueue(out, desk.room.now)
            await desk.deliver()
        told = desk.shown()
        assert len(told) == messages
        assert told[-1] == "Corrected by the bank: 1 USD = 479.10 KZT from 24 Nov. It was 478.77."


async def test_it_is_chosen_by_pressing_and_by_typing(tmp_path: Path):
    async with open_surface(tmp_path) as surface:
        here = Address("telegram", str(PERSON))
        await surface.say(PERSON, "/settings")
        await surface.press(PERSON, "Corrections")
        said = await surface.press(PERSON, "Correct what was sent")
        assert said is not None
        assert said.text.startswith("Corrections: in the message that was sent")
        assert (await surface.store.chat(here)).edits
        said = await surface.press(PERSON, "Back")
        assert "Corrections: in the message that was sent" in said.text
        await surface.say(PERSON, "/settings corrections leave")
        assert not (await surface.store.chat(here)).edits
        assert len(surface.fake.messages(PERSON)) == 2
