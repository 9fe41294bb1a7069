"""Every command, said as a person says it, against a real store."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
import structlog

from bot.message import Heading, Link, Paragraph, Table
from bot.models import (
    Address,
    Answer,
    Catalogue,
    Feed,
    Fixing,
    Health,
    Outcome,
    Outgoing,
    PollState,
    RateRoad,
    RateTable,
    Request,
    Subscription,
)
from handlers import menu
from handlers.menu import registry
from handlers.menu.desk import Desk
from storage.sqlite import SqliteStore
from tests.fixings import the_lake
from tests.kinds import NOW, article
from tests.library import hostile
from tests.stores import new_store

HERE = Address("telegram", "42")
CATALOGUE = Catalogue(
    (
        Feed("timesca", "The Times of Central Asia", "https://news.example/feed/", "en", ("KZ",)),
        Feed("akchabar", "Акчабар", "https://ak.example/rss", "ru", ("KG",)),
    ),
    (RateRoad("nbk", "nbk", "https://bank.example/{date:%d.%m.%Y}"), RateRoad("cbt", "cbt", "")),
)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Office:
    """A desk with its store and clock, and a chat to speak from."""

    desk: Desk
    store: SqliteStore
    clock: Clock
    ask: Request

    async def say(self, text: str, **changes: object) -> Answer:
        return await menu.answer(self.desk, replace(self.ask, text=text, **changes))  # type: ignore[arg-type]

    async def held(self) -> list[Subscription]:
        return await self.store.subscriptions(self.ask.address)


@pytest.fixture
async def office(tmp_path) -> AsyncIterator[Office]:
    store = await new_store(tmp_path / "yamchi.db")
    clock = Clock()
    desk = Desk(
        store=store,
        clock=clock,
        catalogue=CATALOGUE,
        zone="Asia/Almaty",
        language="en",
        catch_up=timedelta(hours=6),
        version="0.1.0",
        find_feed=the_lake,
    )
    yield Office(desk, store, clock, Request(HERE, "", user="7"))
    await store.close()


async def fill(office: Office) -> None:
    new = [
        (article(number, id=0, title=f"A summit, part {number}", source="timesca"), [f"k{number}"])
        for number in range(1, 8)
    ]
    await office.store.keep_news(PollState("timesca", last_ok_at=NOW, items=7), new, {}, [], NOW)


def said(answer: Answer) -> str:
    parts = []
    for block in answer.message.blocks:
        parts += ["  ".join(row) for row in block.rows] if isinstance(block, Table) else [block.text]
    return "\n".join(parts)


def commands_of(answer: Answer) -> list[str]:
    return [button.command for button in answer.message.buttons]


# --- how it is said ----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("/rates KZT", ("rates", "KZT")),
        ("/Rates@OurBot  KZT ", ("rates", "KZT")),
        ("rates KZT", ("rates", "KZT")),
        ("／ｒａｔｅｓ kzt", ("rates", "kzt")),
        ("/latest\nsummit\tgas", ("latest", "summit gas")),
        ("/rates\u202e\u0000", ("rates", "")),
        ("", ("help", "")),
        ("/", ("help", "")),
        ("/@OurBot", ("help", "")),
    ],
)
def test_a_command_line_is_taken_apart(text, parsed):
    assert menu.parse(text) == parsed


def test_every_command_of_the_issue_is_on_the_menu():
    wanted = (
        "start help rates latest story cite digest subscribe unsubscribe list timezone language sources status version"
    )
    assert set(wanted.split()) <= set(registry.commands())


@pytest.mark.parametrize("name", registry.commands())
def test_every_command_has_a_summary_and_an_example(name):
    command = registry.commands()[name]
    assert command.summary.endswith(".")
    assert len(command.summary) <= 100
    assert command.examples
    assert all(example.split()[0] == f"/{name}" for example in command.examples)


@pytest.mark.parametrize("name", registry.commands())
@pytest.mark.parametrize("language", ["en", "ru"])
async def test_every_command_answers_without_an_argument_in_an_empty_store(office, name, language):
    answer = await office.say(f"/{name}", language=language)
    assert answer.error is None
    assert answer.message.blocks


async def fix(office: Office) -> None:
    rows = (Fixing("USD", "475.09"), Fixing("RUB", "5.9123"))
    tables = [RateTable("nbk", "KZT", NOW.date() - timedelta(days=n), rows) for n in range(2)]
    await office.store.keep_tables(PollState("nbk"), tables, [], NOW)


async def test_every_example_is_answered(office):
    await fill(office)
    await fix(office)
    await office.say("/subscribe instant x")
    await office.say("/subscribe daily")
    for command in registry.commands().values():
        for example in command.examples:
            answer = await office.say(example)
            # an example with a date may ask for a day this office never saw
            assert answer.error is None or "backfill" in answer.error["hint"], example


async def test_a_new_command_is_in_the_help_by_itself(office):
    @registry.command(group="about")
    async def moo(desk: Desk, ask: Request, how: Annotated[str, "loud"] = "") -> Answer:
        """Say moo.

        /moo loud
        """
        raise AssertionError(how)

    try:
        assert "/moo - Say moo." in said(await office.say("/help"))
        assert "/moo [loud]" in said(await office.say("/help moo"))
    finally:
        registry._commands.pop("moo")


# --- refusals and failures ---------------------------------------------------


async def test_an_unknown_command_suggests_the_nearest(office):
    answer = await office.say("/raets KZT")
    assert answer.error == {
        "message": "I do not know /raets. Did you mean /rates?",
        "hint": "/help lists everything.",
    }
    assert commands_of(answer) == ["/rates"]


async def test_what_resembles_nothing_is_answered_all_the_same(office):
    answer = await office.say("/xyzzy \x1b[31m")
    assert answer.error == {"message": "I do not know /xyzzy.", "hint": "/help lists everything."}


async def test_what_was_typed_is_repeated_clipped_and_harmless(office):
    answer = await office.say("/\u202e" + "q" * 500)
    assert len(answer.error["message"]) <= len("I do not know .") + 40
    assert "\u202e" not in said(answer)


async def test_a_text_that_is_too_long_is_refused(office):
    answer = await office.say("/latest " + "x" * 4096)
    assert "4096" in answer.error["hint"]


async def test_a_refusal_is_worded_and_has_its_hint(office):
    answer = await office.say("/subscribe daily 25:00")
    assert answer.error["message"] == "25:00 is not a time of day."
    assert said(answer) == "\n".join(answer.error.values())
    assert await office.held() == []


async def test_braces_that_were_typed_stay_as_they_are(office):
    assert "{0.__class__}" in said(await office.say("/help {0.__class__}"))
    assert "{x}" in said(await office.say("/timezone {x}"))


async def test_a_failure_of_ours_is_a_reference_that_the_log_holds_too(office):
    await office.store.close()
    with structlog.testing.capture_logs() as logged:
        answer = await office.say("/latest")
    [entry] = [entry for entry in logged if entry["event"] == "request failed"]
    assert answer.error["message"] == f"Sorry, that did not work (ref {entry['reference']})."
    assert len(entry["reference"]) == 4


async def test_only_an_admin_changes_settings_but_everybody_reads(office):
    for text in ("/subscribe daily", "/unsubscribe", "/timezone London", "/language ru"):
        answer = await office.say(text, is_admin=False, private=False)
        assert answer.error["message"] == "Only an admin of this chat can change its settings."
    for text in ("/latest", "/digest", "/list", "/sources", "/status"):
        assert (await office.say(text, is_admin=False, private=False)).error is None


async def test_the_sources_a_command_needs_are_looked_at_first(office):
    looked = []

    async def refresh(needs: frozenset[str]) -> None:
        looked.append(needs)

    office.desk = replace(office.desk, refresh=refresh)
    await office.say("/latest")
    await office.say("/help")
    await office.say("/digest")
    assert looked == [frozenset({"news"}), frozenset({"news", "rates"})]


@pytest.mark.parametrize("text", ["/latest", "/nonsense", "/subscribe 25:00"])
async def test_every_answer_of_the_sample_edition_says_so(office, text):
    office.desk = replace(office.desk, sample=True)
    assert (await office.say(text)).message.sample


# --- news --------------------------------------------------------------------


async def test_latest_pages_through_all_hits_once(office):
    await fill(office)
    first = await office.say("/latest summit")
    assert "1-6 of 7" in said(first)
    [following, best] = commands_of(first)
    assert best == "/latest summit sort:best"
    second = await office.say(following)
    assert "7 of 7" in said(second)
    (back,) = commands_of(second)
    assert said(await office.say(back)) == said(first)
    ids = [row["id"] for answer in (first, second) for row in answer.data["articles"]]
    assert len(set(ids)) == 7
    assert (second.data["query"], second.data["first"], second.data["last"]) == ("summit", 7, 7)


async def test_the_message_shows_what_the_data_holds(office):
    await fill(office)
    answer = await office.say("/latest summit")
    links = [(block.text, block.url) for block in answer.message.blocks if isinstance(block, Link)]
    assert links == [(row["title"], row["url"]) for row in answer.data["articles"]]


async def test_the_best_match_is_one_page_that_leads_back(office):
    await fill(office)
    answer = await office.say("/latest summit sort:best")
    assert "1-6 of 7" in said(answer)
    assert commands_of(answer) == ["/latest summit"]
    assert answer.data["query"] == "summit sort:best"


async def test_what_was_looked_for_is_marked_in_the_lead(office):
    await fill(office)
    answer = await office.say("/latest summits reservoir")
    leads = [b for b in answer.message.blocks if isinstance(b, Paragraph) and b.spans]
    assert [[lead.text[span.start : span.end] for span in lead.spans] for lead in leads] == [["reservoirs"]]
    assert answer.data["articles"][0]["lead"] == leads[0].text


@pytest.mark.parametrize("queries", [150, pytest.param(500, marks=pytest.mark.chaos)])
async def test_no_hostile_query_is_more_than_a_query(office, queries: int):
    await fill(office)
    chance = random.Random(2)
    for _ in range(queries):
        answer = await office.say(f"/latest {hostile(chance)}"[:4096])
        assert answer.error is None or "ref" not in answer.error["message"]


async def test_latest_that_finds_nothing_is_no_error(office):
    await fill(office)
    answer = await office.say("/latest unicorn")
    assert answer.error is None
    assert (answer.data["total"], answer.data["articles"]) == (0, [])


async def test_an_unknown_source_is_refused_with_those_there_are(office):
    answer = await office.say("/latest source:bbc")
    assert answer.error["hint"] == "I have: timesca, akchabar."


async def test_sources_tell_age_and_error_in_a_line_each(office):
    await office.store.keep_poll(PollState("timesca", last_ok_at=NOW - timedelta(minutes=5), items=10))
    await office.store.keep_poll(PollState("akchabar", failures=2, error="HTTP 503"))
    answer = await office.say("/sources")
    assert "The Times of Central Asia  5 minutes ago  10 items" in said(answer)
    assert "Акчабар: HTTP 503" in said(answer)
    assert answer.data[2] == {
        "id": "timesca",
        "kind": "news",
        "url": "https://news.example/feed/",
        "age_s": 300,
        "last_ok": "2026-11-23T04:35:00+00:00",
        "error": None,
        "items": 10,
    }
    assert [row["id"] for row in answer.data] == ["nbk", "cbt", "timesca", "akchabar"]
    assert answer.data[3]["error"] == "HTTP 503"


# --- digest and subscriptions ------------------------------------------------


async def test_subscribing_says_exactly_what_was_set(office):
    answer = await office.say("/subscribe daily 09:00")
    [held] = await office.held()
    assert held.next_due == datetime(2026, 11, 24, 4, tzinfo=UTC)
    assert (held.previous_due, held.created_by) == (None, "7")
    assert "Daily at 09:00: news and rates" in said(answer)
    assert "Next digest: Tue 24 Nov, 09:00" in said(answer)
    assert answer.data == {
        "number": 1,
        "kind": "daily",
        "at": "09:00",
        "weekday": None,
        "zone": "Asia/Almaty",
        "words": [],
        "excluded": [],
        "countries": [],
        "sources": [],
        "topics": [],
        "opinion": None,
        "empty": True,
        "paused": False,
        "paused_until": None,
        "news": True,
        "rates": True,
        "next": "2026-11-24T04:00:00+00:00",
    }


async def test_a_digest_later_today_comes_today(office):
    assert "Next digest: Mon 23 Nov, 18:00" in said(await office.say("/subscribe daily 18:00"))


async def test_the_same_order_at_another_time_edits_the_one_there_is(office):
    await office.say("/subscribe daily 09:00")
    answer = await office.say("/subscribe daily 18:00")
    [held] = await office.held()
    assert held.schedule.at.hour == 18
    assert isinstance(answer.message.blocks[0], Heading)
    assert answer.message.blocks[0].text == "Subscription changed"


async def test_another_content_or_kind_is_another_subscription(office):
    for text in ("daily 09:00", "daily 09:00 water", "weekdays 09:00", "instant", "daily 10:00 water"):
        await office.say(f"/subscribe {text}")
    assert len(await office.held()) == 4


async def test_a_new_time_after_todays_digest_begins_tomorrow_and_says_so(office):
    await office.say("/subscribe daily 09:00")
    [held] = await office.held()
    came = datetime(2026, 11, 24, 4, tzinfo=UTC)
    await office.store.subscribe(replace(held, previous_due=came, next_due=came + timedelta(days=1)))
    office.clock.now = came + timedelta(hours=1)
    answer = await office.say("/subscribe daily 18:00")
    assert "begins tomorrow" in said(answer)
    assert "Next digest: Wed 25 Nov, 18:00" in said(answer)


async def test_subscribing_keeps_the_clocks_and_language_the_platform_told(office):
    await office.say("/subscribe daily 09:00", language="ru", zone="Asia/Tashkent")
    chosen = await office.store.chat(HERE)
    assert (chosen.zone, chosen.language) == ("Asia/Tashkent", "ru")


async def test_a_chat_has_its_fill_of_subscriptions(office):
    for number in range(20):
        await office.say(f"/subscribe daily 09:00 word{number}")
    assert (await office.say("/subscribe daily 09:00 onemore")).error
    assert len(await office.held()) == 20


async def test_list_numbers_what_unsubscribe_takes(office):
    await office.say("/subscribe daily 09:00")
    await office.say("/subscribe weekly fri 18:30 water country:kz")
    listed = await office.say("/list")
    assert "2. Weekly on Friday at 18:30: news of water, Kazakhstan" in said(listed)
    assert [row["number"] for row in listed.data] == [1, 2]
    asked = await office.say("/unsubscribe")
    assert commands_of(asked) == ["/unsubscribe id:1", "/unsubscribe id:2"]
    assert len(await office.held()) == 2
    await office.say("/unsubscribe 1")
    assert [one.schedule.kind for one in await office.held()] == ["weekly"]
    await office.say("/unsubscribe")
    assert await office.held() == []


@pytest.mark.parametrize("which", ["0", "3", "-1", "two", "9" * 30, "²"])
async def test_a_number_that_is_not_there_is_refused(office, which):
    await office.say("/subscribe daily")
    assert (await office.say(f"/unsubscribe {which}")).error
    assert len(await office.held()) == 1


async def test_the_digest_shows_the_last_day_and_moves_nothing(office):
    await fill(office)
    await office.say("/subscribe daily 09:00 news")
    before = await office.held()
    answer = await office.say("/digest")
    assert "Digest for Monday, 23 November" in said(answer)
    assert "A summit, part 7" in said(answer)
    assert answer.data is None
    assert await office.held() == before
    office.clock.now += timedelta(days=2)
    assert "A summit" not in said(await office.say("/digest"))


# --- settings ----------------------------------------------------------------


async def test_a_new_zone_moves_the_next_digest(office):
    await office.say("/subscribe daily 09:00")
    answer = await office.say("/timezone London")
    [held] = await office.held()
    assert held.next_due == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert "It is 04:40 here now" in said(answer)
    assert "Next digest: Mon 23 Nov, 09:00" in said(answer)


async def test_a_new_zone_brings_no_second_digest_of_a_day(office):
    await office.say("/subscribe daily 09:00")
    [held] = await office.held()
    await office.store.subscribe(replace(held, previous_due=datetime(2026, 11, 23, 4, tzinfo=UTC)))
    await office.say("/timezone London")
    [held] = await office.held()
    assert held.next_due == datetime(2026, 11, 24, 9, tzinfo=UTC)


async def test_the_zone_is_told_with_five_capitals_to_press(office):
    answer = await office.say("/timezone")
    assert "Time zone: Asia/Almaty" in said(answer)
    assert len(commands_of(answer)) == 5
    assert await office.store.chat(HERE) is None


async def test_a_language_is_kept_for_the_chat(office):
    assert commands_of(await office.say("/language"))[:3] == ["/language en", "/language ru", "/language kk"]
    await office.say("/language русский")
    chosen = await office.store.chat(HERE)
    assert (chosen.language, chosen.zone) == ("ru", "Asia/Almaty")


async def test_status_tells_chat_topic_digest_delivery_and_what_ails(office):
    await office.say("/subscribe daily 09:00")
    address = Address("telegram", "42", "9")
    outgoing = Outgoing("digest:1:2026-11-23", address, "digest", (await office.say("/version")).message, NOW, NOW)
    await office.store.enqueue([outgoing], NOW)
    [claimed] = await office.store.claim("me", ["telegram"], NOW, NOW + timedelta(minutes=2), 1)
    await office.store.settle(claimed, Outcome("sent"), NOW)
    office.desk = replace(office.desk, health=lambda: {"slack": Health(False, "reconnecting")})
    answer = await office.say("/status", address=address)
    for told in ("Version: 0.1.0", "Chat: 42", "Topic: 9", "Last delivery: 23 Nov, 09:40, sent", "slack: reconnecting"):
        assert told in said(answer)
    assert "Next digest: none" in said(answer)
    assert answer.data["last_delivery"] == {"at": NOW.isoformat(), "kind": "digest", "state": "sent"}
    assert "Next digest: Tue 24 Nov, 09:00" in said(await office.say("/status"))


async def test_the_version_is_told(office):
    assert said(await office.say("/version")) == "Yamchi 0.1.0"
    assert (await office.say("/version")).data is None


async def test_help_of_one_command_gives_its_usage_and_examples(office):
    answer = await office.say("/help /Latest")
    assert "/latest [words" in said(answer)
    assert "/latest summit" in commands_of(answer)


async def test_help_of_no_command_suggests_one(office):
    assert "rates" in (await office.say("/help rate")).error["hint"]
