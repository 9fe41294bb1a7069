"""How feeds are polled: what is remembered of an address, where else it is looked for, and when again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web

from bot import stories
from bot.config import Settings
from bot.message import Message, Paragraph, from_data
from bot.models import Address, Article, Catalogue, Content, Feed, NewsQuery, Outcome, PollState, Schedule, Subscription
from bot.wiring import Core, World, open_core
from tests.fakes.faults import html_page, redirect, status
from tests.fakes.feeds import FakeFeed, FakeFeeds
from tests.fakes.web import FakeWeb, Handler

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
READER = Address("telegram", "7")
HOUR = timedelta(hours=1)


@dataclass
class Newsroom:
    """The program on fake feeds, and its clock. heard, pushed: titles and messages, in order."""

    feeds: FakeFeeds
    folder: Path
    now: datetime = START
    heard: list[str] = field(default_factory=list)
    pushed: list[Message] = field(default_factory=list)
    core: Core = field(init=False)

    def clock(self) -> datetime:
        return self.now

    def outlet(self, name: str = "steppe", entries: int = 5, **more: object) -> FakeFeed:
        outlet = self.feeds.add(name, "teaser", **more)
        for n in range(entries):
            outlet.publish(f"{name} story {n}", f"In short {n}.", "", START - (entries - n) * HOUR)
        return outlet

    @asynccontextmanager
    async def opened(self, *feeds: Feed) -> AsyncIterator[Newsroom]:
        settings = Settings(database_url=f"sqlite:///{self.folder / 'yamchi.db'}", poll_news_seconds=3600)
        allow = frozenset({("127.0.0.1", self.feeds.web.port)})
        world = World(self.clock, lambda _: None)
        async with open_core(settings, Catalogue(feeds, ()), allow, world) as core:
            core.fetcher._spacing = 0
            self.core = core
            order = Subscription(0, READER, Schedule("instant"), Content(rates=False), self.now)
            if not await core.store.subscriptions(READER):
                await core.store.subscribe(order)
            yield self

    async def told(self) -> dict[str, tuple[str, ...]]:
        """Who else tells of each title, as /latest says it."""
        page = await self.core.store.find_news(NewsQuery(), 20)
        pieces = await self.core.store.stories({article.story for article in page.articles} - {0})
        others = stories.also_in(page.articles, pieces, ())
        return {article.title: others.get(article.id, ()) for article in page.articles}

    async def poll(self, after: timedelta = timedelta(0)) -> None:
        """Let time pass, poll what is due, take what is pushed."""
        self.now += after
        before = asyncio.all_tasks()
        await self.core.tracker.poll_due()
        await asyncio.gather(*(asyncio.all_tasks() - before))
        while claimed := await self.core.store.claim("test", ["telegram"], self.now, self.now + HOUR, 50):
            for delivery in claimed:
                self.heard.append(delivery.message.blocks[0].text)
                self.pushed.append(delivery.message)
                await self.core.store.settle(delivery, Outcome("sent"), self.now)

    async def events(self) -> list[str]:
        """The titles of all articles that were to be told, whether singly or in a bundle."""
        sql = "SELECT message FROM outbox JOIN bodies ON bodies.id = body WHERE event LIKE 'article:%'"
        rows = await self.core.store._readers.run(lambda db: db.conn.execute(sql).fetchall())
        return [from_data(json.loads(text)).blocks[0].text for (text,) in rows]

    async def state(self, name: str = "steppe") -> PollState:
        return (await self.core.store.poll_states())[name]


@asynccontextmanager
async def newsroom(folder: Path) -> AsyncIterator[Newsroom]:
    with FakeWeb() as server:
        yield Newsroom(FakeFeeds(server), folder)


def row(outlet: FakeFeed, spare: str = "") -> Feed:
    return Feed(outlet.id, outlet.title, outlet.url, outlet.language, (), spare)


async def test_the_first_look_announces_three_and_later_ones_what_is_new(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        outlet = room.outlet()
        async with room.opened(row(outlet)):
            await room.poll()
            outlet.publish("A new road", "It opens.", "", room.now)
            await room.poll(2 * HOUR)
    assert room.heard == ["steppe story 2", "steppe story 3", "steppe story 4", "A new road"]


async def test_another_address_under_the_same_id_is_asked_at_once_and_from_the_beginning(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        old, new = room.outlet(), room.outlet("newer", entries=6)
        async with room.opened(row(old)):
            await room.poll()
        async with room.opened(replace(row(new), id="steppe")):
            await room.poll()
            state = await room.state()
    assert (new.tally.polls, new.tally.conditional) == (1, 0)
    assert state.url == new.url
    assert len(room.heard) == 6  # three of the old one, three of the new one


async def test_the_same_document_again_is_not_read_but_its_validators_are_kept(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        outlet = room.outlet()
        answers = iter(('"one"', '"two"', '"three"'))

        async def restless(request: web.Request, handler: Handler) -> web.StreamResponse:
            whole = request.clone(headers={})
            answer = await handler(whole)
            answer.headers["ETag"] = next(answers)
            return answer

        room.feeds.web.fault(outlet.path, restless)
        async with room.opened(row(outlet)):
            await room.poll()
            await room.poll(2 * HOUR)
            first = await room.state()
            await room.poll(2 * HOUR)
            asked = room.feeds.web.asked(outlet.path)
            second = await room.state()
    assert [seen.headers.get("If-None-Match") for seen in asked] == [None, '"one"', '"two"']
    assert (first.etag, second.etag) == ('"two"', '"three"')
    assert (second.body, second.items, second.last_ok_at) == (first.body, 5, room.now)
    assert len(room.heard) == 3


async def test_a_feed_that_shuts_us_out_is_read_at_its_spare_address(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        outlet, spare = room.outlet(entries=0), room.outlet("spare", entries=0)
        for entry in ("One", "Two"):
            for twin in (outlet, spare):
                twin.publish(
                    entry, "In short.", "", START - HOUR, guid=f"guid-{entry}", link=f"https://o.invalid/{entry}"
                )
        for fault in (status(403), html_page()):
            room.feeds.web.fault(outlet.path, fault)
            async with room.opened(row(outlet, spare.url)):
                await room.poll(7 * HOUR)
                state = await room.state()
                assert (state.error, state.moved_to, state.items) == ("", spare.url, 2)
        polls = outlet.tally.polls, len(room.feeds.web.asked(outlet.path)), spare.tally.conditional
        room.feeds.web.mend()
        room.feeds.web.fault(spare.path, status(500))
        async with room.opened(row(outlet, spare.url)):
            await room.poll(7 * HOUR)
            assert (await room.state()).error == "HTTP 500"
            await room.poll(7 * HOUR)
            assert ((await room.state()).error, (await room.state()).moved_to) == ("", "")
    assert polls == (0, 1, 1)  # once shut out, the spare address is where it is asked
    assert room.heard == ["One", "Two"]


async def test_a_permanent_move_is_kept_only_where_the_document_reads_well(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        outlet, page = room.outlet(), room.outlet("page")
        room.feeds.web.fault(outlet.path, redirect(page.url, 301))
        room.feeds.web.fault(page.path, html_page())
        async with room.opened(row(outlet)):
            await room.poll()
            assert (await room.state()).moved_to == ""
            room.feeds.web.mend(page.path)
            await room.poll(7 * HOUR)
            assert (await room.state()).moved_to == page.url


async def test_a_feed_that_is_gone_three_times_in_a_day_is_asked_no_more(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        outlet = room.outlet()
        room.feeds.web.fault(outlet.path, status(410))
        async with room.opened(row(outlet)):
            for _ in range(200):
                await room.poll(HOUR)
            await room.core.tracker.refreshed(["news"], 5)
            state = await room.state()
    assert len(room.feeds.web.asked(outlet.path)) == 3
    assert (state.gone, state.error) == (3, "HTTP 410")


async def test_a_feed_that_holds_six_hours_is_asked_every_two_and_max_age_wins(tmp_path: Path):
    async def fresh(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        answer.headers["Cache-Control"] = "max-age=14400"
        return answer

    async with newsroom(tmp_path) as room:
        short, patient = room.outlet(entries=3), room.outlet("patient")
        room.feeds.web.fault(patient.path, fresh)
        async with room.opened(row(short), row(patient)):
            await room.poll()
            first = room.now
            states = await room.core.store.poll_states()
            room.now += 2 * HOUR
            await room.core.tracker.refreshed(["news"], 5)  # somebody waits; max-age is the server's word all the same
    assert (short.tally.polls, patient.tally.polls) == (2, 1)
    waits = {name: (state.next_poll_at - first).total_seconds() for name, state in states.items() if state.next_poll_at}
    assert 2400 <= waits["steppe"] <= 2640  # three entries of two hours: every forty minutes
    assert waits["patient"] == 14400


async def test_an_article_of_two_feeds_asked_at_once_is_pushed_once_and_worded_by_the_first(tmp_path: Path):
    async def kept() -> list[Article]:
        return await room.core.store.news_seen(START - HOUR, room.now, NewsQuery(), 9)

    async with newsroom(tmp_path) as room:
        twins = [room.outlet(name, entries=0) for name in ("steppe", "lake")]
        for twin in twins:
            twin.publish("The summit", "In short.", "", START - HOUR, link="https://o.invalid/summit")
        async with room.opened(*map(row, twins)):
            await room.poll()
            (first,) = await kept()
            twin = room.feeds.feeds["lake" if first.source == "steppe" else "steppe"]
            twin.edit(twin.items[0], title="What the other calls it")
            await room.poll(2 * HOUR)
            assert [article.title for article in await kept()] == ["The summit"]
    assert room.heard == ["The summit"]


async def test_what_is_wrong_with_a_document_is_remembered(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        outlet = room.outlet()
        outlet.publish("", "Nobody knows what about.", "", START)
        async with room.opened(row(outlet)):
            await room.poll()
            state = await room.state()
            outlet.items = []
            await room.poll(2 * HOUR)
            emptied = await room.state()
    assert (state.items, state.note) == (5, "1 entry without a title or a web link")
    assert (emptied.items, emptied.note) == (0, "no entries")


async def test_a_story_of_two_outlets_is_one_and_says_so_when_it_is_pushed(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        first, second = room.outlet(entries=0), room.outlet("lake", entries=0)
        first.publish("Summit in Samarkand agrees on water for the Syr Darya", "In short.", "", START - HOUR)
        first.publish("Bread is cheaper in Osh", "In short.", "", START - 2 * HOUR)
        async with room.opened(row(first), row(second)):
            await room.poll()
            second.publish("Samarkand summit agrees on Syr Darya water", "Otherwise.", "", room.now)
            second.publish("Bread is cheaper in Naryn", "In short.", "", room.now)
            await room.poll(2 * HOUR)
            told = await room.told()
            summit = next(item for item in first.items if "Summit" in item.title)
            first.edit(summit, title="Something else altogether")
            await room.poll(2 * HOUR)
            later = await room.told()
    assert {title: others for title, others in told.items() if others} == {
        "Samarkand summit agrees on Syr Darya water": ("steppe",),
        "Summit in Samarkand agrees on water for the Syr Darya": ("lake",),
    }
    assert later["Something else altogether"] == ("lake",)
    (message,) = [one for one in room.pushed if "Samarkand summit" in one.blocks[0].text]
    assert message.blocks[-1] == Paragraph("More on: Summit in Samarkand agrees on water for the Syr Darya", small=True)
    assert [button.label for button in message.buttons] == ["Story"]
    assert sum(bool(one.buttons) for one in room.pushed) == 1


async def test_what_a_chat_added_is_of_nobodys_story(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        ours, strange = room.outlet(entries=0), room.outlet("strange", entries=0)
        added = replace(row(strange), added=True)
        strange.publish("Summit in Samarkand agrees on water", "In short.", "", START - HOUR)
        async with room.opened(row(ours)):
            await room.core.store.add_feed(added, READER, "7", START)
            await room.poll()
            ours.publish("Samarkand summit agrees on water", "In short.", "", room.now)
            await room.poll(2 * HOUR)
            strange.publish("On water agrees Samarkand summit", "In short.", "", room.now)
            await room.poll(2 * HOUR)
            told = await room.told()
    assert told == dict.fromkeys(told, ())
    assert len(told) == 3
