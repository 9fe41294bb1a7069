"""Digests that fall due: once, in time or late, with what is new, and made once for all who get the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

import pytest

from bot.announce import Announcer
from bot.compose.digest import ONE_MESSAGE, Digest, digest, units
from bot.locales import tongue
from bot.message import Link
from bot.models import (
    Address,
    Article,
    Catalogue,
    ChatSettings,
    Content,
    Delivery,
    Feed,
    Outcome,
    PollState,
    Quiet,
    Schedule,
    Subscription,
)
from storage.sqlite import SqliteStore
from tests.kinds import OUTLETS, ZONE, article

NINE = datetime(2026, 11, 23, 4, tzinfo=UTC)
"""In Almaty, on a Monday."""
HERE = Address("telegram", "1")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = Schedule("daily", time(9))
NEWS = Content(rates=False)


@dataclass
class Round:
    """A store, the announcer, and a clock that is set by hand."""

    store: SqliteStore
    announcer: Announcer
    sent: list[Delivery] = field(default_factory=list)

    async def subscribe(self, content: Content = NEWS, address: Address = HERE, **changes: object) -> Subscription:
        order = Subscription(0, address, DAILY, content, NINE - DAY, next_due=NINE)
        return await self.store.subscribe(replace(order, **changes))  # type: ignore[arg-type]

    async def publish(
        self, title: str, now: datetime, source: str = "timesca", countries: tuple[str, ...] = ()
    ) -> None:
        story = article(1, title=title, source=source, countries=countries, published=now, id=0)
        await self.store.keep_news(PollState(source), [(story, [title])], {}, [], now)

    async def push(self, *titles: str, now: datetime) -> None:
        """Articles as a poll brings them."""
        new = [(article(1, title=title, guid=title, url=f"https://n.example/{title}", id=0, published=now), [title])
               for title in titles]  # fmt: skip
        outgoing = await self.announcer.articles(new, now)
        await self.store.keep_news(PollState("timesca"), new, {}, outgoing, now)

    async def tick(self, now: datetime) -> list[Delivery]:
        """What goes out at that instant."""
        await self.announcer.due(now)
        took: list[Delivery] = []
        while claimed := await self.store.claim("me", {"telegram"}, now, now + HOUR, 99):
            for delivery in claimed:
                await self.store.settle(delivery, Outcome("sent"), now)
            took += claimed
        self.sent += took
        return took

    async def states(self) -> dict[str, int]:
        return (await self.store.ledger()).states


@pytest.fixture
async def round_(store: SqliteStore) -> Round:
    feeds = tuple(Feed(name, OUTLETS[name], "https://n.example/", "en") for name in OUTLETS)
    return Round(store, Announcer(store, Catalogue(feeds, ()), ZONE, "en", timedelta(hours=6)))


def titles(delivery: Delivery) -> list[str]:
    return [block.text for block in delivery.message.blocks if isinstance(block, Link)]


# --- when --------------------------------------------------------------------


async def test_a_digest_holds_what_was_first_seen_since_the_one_before(round_: Round):
    await round_.subscribe()
    await round_.publish("two days old", NINE - 2 * DAY)
    await round_.publish("of the night", NINE - HOUR)
    assert await round_.tick(NINE - timedelta(seconds=1)) == []
    [first] = await round_.tick(NINE)
    await round_.publish("of the day", NINE + HOUR)
    assert await round_.tick(NINE + 2 * HOUR) == []
    [second] = await round_.tick(NINE + DAY)
    assert (titles(first), titles(second)) == (["of the night"], ["of the day"])
    assert [first.event, second.event] == ["digest:1:2026-11-23", "digest:1:2026-11-24"]


@pytest.mark.parametrize(("late", "sent", "states"), [(1, 1, {"sent": 1}), (7, 0, {"expired": 1})])
async def test_after_a_downtime_it_comes_late_once_or_is_noted(round_: Round, late: int, sent: int, states):
    await round_.subscribe()
    assert len(await round_.tick(NINE + late * HOUR)) == sent
    assert await round_.tick(NINE + late * HOUR + timedelta(minutes=1)) == []
    assert await round_.states() == states
    assert len(await round_.tick(NINE + DAY)) == 1


@pytest.mark.parametrize(
    "hours",
    [
        (0, 24, 23, -1, 0, 24, 48),  # a day forward, an hour back, a day back
        (-1, 25, 1, 2, 25, 26, 49),  # forward past a digest and back
        (0, -1, 0, 1, 23, 24, 23, 24, 48),  # an hour back over a digest
        (0, -24, -23, 0, 24, 0, 24, 48),  # a day back
        (-2, 22, -1, 0, 1, 24, 48),  # forward: the digest in between is noted as too late, then the clock comes back
    ],
)
async def test_whatever_the_clock_does_no_date_has_two_digests_and_none_is_missed(round_: Round, hours):
    await round_.subscribe()
    for hour in hours:
        await round_.tick(NINE + hour * HOUR)
    dates = [delivery.event.rpartition(":")[2] for delivery in round_.sent]
    assert len(dates) == len(set(dates))
    assert {"2026-11-23", "2026-11-24", "2026-11-25"} <= set(dates)


async def test_a_start_plans_anew_what_other_zone_rules_had_planned(round_: Round):
    await round_.subscribe(next_due=NINE + HOUR)
    await round_.announcer.due(NINE - 2 * HOUR)
    [held] = await round_.store.subscriptions(HERE)
    assert held.next_due == NINE


async def test_a_digest_asked_for_inside_quiet_hours_comes_then(round_: Round):
    await round_.store.keep_chat(ChatSettings(HERE, ZONE, "en", Quiet(time(8), time(12))), [])
    await round_.subscribe()
    assert len(await round_.tick(NINE)) == 1


# --- for whom ----------------------------------------------------------------


async def test_one_digest_is_made_for_all_who_get_the_same(round_: Round):
    for n in range(30):
        address = Address("telegram", str(n))
        await round_.store.keep_chat(ChatSettings(address, ZONE, ("en", "ru")[n % 2]), [])
        await round_.subscribe((NEWS, Content(("rail",), rates=False))[n % 3 == 0], address)
    await round_.publish("rail", NINE - HOUR)
    sent = await round_.tick(NINE)
    assert len(sent) == 30
    assert len({delivery.message for delivery in sent}) == 4  # two contents in two languages
    assert len(await round_.store.due_editions(NINE, 99)) == 0


async def test_a_chat_sees_the_feeds_it_added_and_nobody_else_does(round_: Round):
    other = Address("telegram", "2")
    await round_.store.add_feed(Feed("lake", "Lake", "https://lake.example/", "en"), other, "", NINE)
    await round_.subscribe()
    await round_.subscribe(address=other)
    await round_.publish("of the lake", NINE - HOUR, source="lake")
    sent = {delivery.address: titles(delivery) for delivery in await round_.tick(NINE)}
    assert sent == {HERE: [], other: ["of the lake"]}


async def test_two_digests_of_a_chat_are_independent_and_list_what_was_pushed(round_: Round):
    await round_.subscribe()
    await round_.subscribe(Content(("rail",), rates=False))
    await round_.subscribe(schedule=Schedule("instant"), next_due=None)
    await round_.push("rail", now=NINE - HOUR)
    assert [titles(one) for one in await round_.tick(NINE - HOUR)] == [["rail"]]
    assert [titles(one) for one in await round_.tick(NINE)] == [["rail"], ["rail"]]


async def test_what_is_not_to_come_empty_is_noted_and_stays_away(round_: Round):
    await round_.subscribe(replace(NEWS, empty=False))
    await round_.subscribe(NEWS)
    [told] = await round_.tick(NINE)
    assert "No new articles" in told.message.blocks[1].text
    assert await round_.states() == {"sent": 1, "withheld": 1}
    await round_.publish("at last", NINE + HOUR)
    assert [titles(one) for one in await round_.tick(NINE + DAY)] == [["at last"], ["at last"]]


async def test_left_out_words_and_sources_and_opinion_count_in_digests_too(round_: Round):
    await round_.subscribe(Content(("rail",), rates=False, excluded=("sport",), sources=("timesca",)))
    await round_.publish("rail", NINE - HOUR)
    await round_.publish("rail sport", NINE - HOUR)
    await round_.publish("rail elsewhere", NINE - HOUR, source="akchabar")
    assert [titles(one) for one in await round_.tick(NINE)] == [["rail"]]


async def test_a_story_of_several_outlets_is_told_once_and_first(round_: Round):
    await round_.subscribe()
    for n, (source, story) in enumerate([("timesca", 0), ("akchabar", 77), ("timesca", 77), ("timesca", 0)]):
        told = article(
            1, title=f"t{n}", source=source, published=NINE - HOUR + n * timedelta(minutes=1), id=0, story=story
        )
        await round_.store.keep_news(PollState(source), [(told, [f"t{n}"])], {}, [], NINE - HOUR)
    [sent] = await round_.tick(NINE)
    assert titles(sent)[1:] == ["t3", "t0"]
    assert titles(sent)[0] in ("t1", "t2")
    assert "also in" in sent.message.blocks[3].text


# --- pushed ------------------------------------------------------------------


async def test_six_articles_an_hour_go_singly_and_the_rest_in_one_bundle(round_: Round):
    await round_.subscribe(schedule=Schedule("instant"), next_due=None)
    await round_.push(*(f"a{n}" for n in range(5)), now=NINE)
    assert len(await round_.tick(NINE)) == 5
    later = NINE + timedelta(minutes=40)
    await round_.push(*(f"b{n}" for n in range(4)), now=later)
    assert [titles(one) for one in await round_.tick(later)] == [["b0"]]
    assert (await round_.states())["withheld"] == 3
    [bundle] = await round_.tick(NINE + HOUR)
    assert titles(bundle) == ["b1", "b2", "b3"]
    assert bundle.message.blocks[0].text == "3 more articles"
    await round_.push("a0", "c", now=NINE + 2 * HOUR)
    assert [titles(one) for one in await round_.tick(NINE + 2 * HOUR)] == [["c"]]


async def test_a_bundle_of_one_is_the_article_itself(round_: Round):
    await round_.subscribe(schedule=Schedule("instant"), next_due=None)
    await round_.push(*(f"a{n}" for n in range(7)), now=NINE)
    await round_.tick(NINE)
    [last] = await round_.tick(NINE + HOUR)
    assert (titles(last), last.message.blocks[0].text) == (["a6"], "a6")


async def test_quiet_hours_hold_articles_back_and_end_with_six_and_a_bundle(round_: Round):
    await round_.store.keep_chat(ChatSettings(HERE, ZONE, "en", Quiet(time(22), time(9))), [])
    await round_.subscribe(schedule=Schedule("instant"), next_due=None)
    await round_.push(*(f"a{n}" for n in range(9)), now=NINE - 5 * HOUR)
    assert await round_.tick(NINE - HOUR) == []
    assert [titles(one) for one in await round_.tick(NINE)][-2:] == [["a5"], ["a6", "a7", "a8"]]
    assert len(round_.sent) == 7


async def test_quiet_hours_without_a_sound_say_so_to_the_chat(round_: Round):
    await round_.store.keep_chat(ChatSettings(HERE, ZONE, "en", Quiet(time(22), time(10), hold=False)), [])
    await round_.subscribe(schedule=Schedule("instant"), next_due=None)
    await round_.push("a", now=NINE)
    await round_.push("b", now=NINE + 2 * HOUR)
    assert [one.message.silent for one in await round_.tick(NINE + 2 * HOUR)] == [True, False]


async def test_a_paused_subscription_is_not_pushed_to(round_: Round):
    paused = {"paused_at": NINE - DAY, "paused_until": NINE + HOUR}
    await round_.subscribe(schedule=Schedule("instant"), next_due=None, **paused)
    await round_.push("a", now=NINE)
    await round_.push("b", now=NINE + HOUR)
    assert [titles(one) for one in await round_.tick(NINE + HOUR)] == [["b"]]


# --- how it reads ------------------------------------------------------------


def long_story(number: int) -> tuple[Article]:
    return (article(1, title=f"{number} " + "ы" * 900, url="https://n.example/"),)


@pytest.mark.parametrize(("stories", "shown"), [(3, 3), (12, 4), (40, 4)])
def test_the_last_stories_make_room_so_that_it_is_one_message(stories: int, shown: int):
    whole = Digest(NINE.date(), NINE - DAY, [long_story(n) for n in range(stories)], query="rail")
    message = digest(whole, tongue("en"), ZONE, OUTLETS)
    assert units(message.blocks) <= ONE_MESSAGE
    assert sum(isinstance(block, Link) for block in message.blocks) == shown
    if stories > shown:
        assert message.blocks[-1].text == f"And {stories - shown} more: /latest rail since:2026-11-22"
