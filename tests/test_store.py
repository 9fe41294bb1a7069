"""What every store promises, told against bot.store.Store: a second engine is a second parameter."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import DatabaseError
from bot.message import Button, Heading, Link, Message, Paragraph, Span, Table
from bot.models import (
    Address,
    Article,
    ChatSettings,
    Content,
    Delivery,
    Edition,
    Feed,
    Fixing,
    Install,
    Mailing,
    NewsQuery,
    Outcome,
    Outgoing,
    PollState,
    Quiet,
    RateTable,
    Schedule,
    Subscription,
    Update,
)
from bot.rules import SUSPECT_AFTER
from bot.store import Store
from tests.stores import empty_store, rows_written

NOW = datetime(2026, 11, 23, 4, 0, 0, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=120)
HERE = Address("telegram", "1")
POLL = PollState("timesca")
SECOND = timedelta(seconds=1)


def story(n: int, title: str = "", **changes: object) -> Article:
    fields = {
        "source": "timesca",
        "guid": f"guid-{n}",
        "url": f"https://news.example/{n}",
        "title": title or f"Story {n}",
        "lead": "A short lead.",
        "text": "The whole of it.",
        "published": NOW - timedelta(minutes=n),
    }
    return Article(**{**fields, **changes})


async def keep(store: Store, *stories: Article, now: datetime = NOW, outgoing: list[Outgoing] | None = None) -> int:
    return await store.keep_news(POLL, [(s, [s.guid, s.url]) for s in stories], {}, outgoing or [], now)


def text(words: str) -> Message:
    return Message((Paragraph(words),))


def out(event: str, address: Address = HERE, *, due: datetime = NOW, hours: float = 6, **changes: object) -> Outgoing:
    row = Outgoing(event, address, "digest", text(f"{event} to {address}"), due, due + timedelta(hours=hours))
    return replace(row, **changes)


async def claim(store: Store, now: datetime = NOW, limit: int = 100, owner: str = "me") -> list[Delivery]:
    return await store.claim(owner, {"telegram", "slack"}, now, now + LEASE, limit)


def order(n: int = 0, address: Address = HERE, **changes: object) -> Subscription:
    daily = Subscription(n, address, Schedule("daily", time(9, 30)), Content(("summit",), ("KZ",)), NOW, "42")
    return replace(daily, **{"next_due": NOW + timedelta(hours=1), **changes})


# --- sources -----------------------------------------------------------------


async def test_a_poll_state_comes_back_as_it_was_kept(store: Store):
    state = PollState("nbk", NOW, '"e"', "Mon, 23 Nov 2026", "https://moved.example/", NOW - SECOND, 3, "late", 39)
    await store.keep_poll(PollState("nbk"))
    await store.keep_poll(state)
    await store.keep_poll(PollState("timesca"))
    assert await store.poll_states() == {"nbk": state, "timesca": PollState("timesca")}


# --- news --------------------------------------------------------------------


async def test_an_article_comes_back_with_id_and_first_seen(store: Store):
    told = story(1, language="ru", opinion=True, countries=("KZ", "UZ"), text="Полный текст")
    assert await keep(store, told) == 1
    (found,) = (await store.find_news(NewsQuery(), 6)).articles
    assert found.id > 0
    assert found == replace(told, id=found.id, first_seen=NOW)
    assert await store.known_articles({"guid-1", "https://news.example/1", "other"}) == {
        "guid-1": found.id,
        "https://news.example/1": found.id,
    }


async def test_a_story_takes_in_the_article_it_is_named_after(store: Store):
    await keep(store, story(3, "Summit agrees"), story(2, "Bread is cheaper"))
    first = (await store.known_articles(["guid-3"]))["guid-3"]
    await keep(store, story(1, "Agreed at the summit", source="ledger", story=first, topics=("water", "trade")))
    told = await store.stories([first])
    assert [(one.title, one.story) for one in told] == [("Agreed at the summit", first), ("Summit agrees", first)]
    assert told[0].topics == ("water", "trade")
    assert await store.stories([first + 1]) == await store.stories([0]) == await store.stories([]) == []
    assert await store.article(first) == told[1]
    assert await store.article(first + 1) is await store.article(-1) is await store.article(2**70) is None
    edit = story(3, "Summit agrees at last")
    await store.keep_news(POLL, [], {first: (edit, [])}, [], NOW)
    assert [one.title for one in await store.stories([first])] == ["Agreed at the summit", "Summit agrees at last"]


async def test_headlines_are_those_of_some_time_newest_first_without_what_chats_added(store: Store):
    await store.add_feed(Feed("lake", "The Lake", "https://lake.example/feed", "en", added=True), HERE, "7", NOW)
    await keep(store, *(story(n, source="lake" if n == 2 else "timesca") for n in (1, 2, 3, 99)))
    found = await store.headlines(NOW - timedelta(minutes=50), 10)
    assert [(one.title, one.source, one.story) for one in found] == [
        ("Story 1", "timesca", 0),
        ("Story 3", "timesca", 0),
    ]
    assert found[0].published == NOW - timedelta(minutes=1)
    assert len(await store.headlines(NOW - timedelta(days=9), 2)) == 2


async def test_topics_are_filtered_like_countries(store: Store):
    await keep(
        store, story(1, topics=("water", "energy")), story(2, topics=("waterways",)), story(3, countries=("KZ",))
    )

    async def titles(**query: object) -> list[str]:
        return [one.title for one in (await store.find_news(NewsQuery(**query), 6)).articles]  # type: ignore[arg-type]

    assert await titles(topics=("water",)) == ["Story 1"]
    assert await titles(topics=("waterways", "energy")) == ["Story 1", "Story 2"]
    assert await titles(words=("story",), topics=("water",), countries=("KZ",)) == []
    assert [one.title for one in await store.news_seen(NOW - SECOND, NOW, NewsQuery(topics=("energy",)), 9)] == [
        "Story 1"
    ]


async def test_articles_outbox_and_poll_are_one_step(store: Store):
    broken = replace(out("b"), due_at=None)
    with pytest.raises(TypeError):
        await keep(store, story(1), outgoing=[out("a"), broken])
    assert (await store.find_news(NewsQuery(), 6)).total == 0
    assert await store.poll_states() == {}
    assert (await store.ledger()).states == {}


async def test_an_article_whose_key_is_taken_is_skipped_and_its_other_keys_are_learnt(store: Store):
    assert await keep(store, story(1)) == 1
    moved = story(1, url="https://news.example/moved")
    assert await keep(store, moved, story(2), replace(story(2), guid="other")) == 1
    first = (await store.known_articles(["guid-1"]))["guid-1"]
    assert await store.known_articles([moved.url]) == {moved.url: first}
    assert (await store.find_news(NewsQuery(), 6)).total == 2


async def test_an_edit_changes_the_text_and_what_finds_it_but_not_the_date(store: Store):
    await keep(store, story(1, "Bridge opens"))
    (before,) = (await store.find_news(NewsQuery(), 6)).articles
    edit = story(1, "Tunnel opens", published=NOW + timedelta(hours=1), countries=("KG",), opinion=True)
    assert (
        await store.keep_news(POLL, [], {before.id: (edit, ["moved"]), 0: (story(9), ["nobody"])}, [], NOW + SECOND)
        == 0
    )
    (after,) = (await store.find_news(NewsQuery(("tunnel",)), 6)).articles
    assert after == replace(before, title="Tunnel opens", countries=("KG",), opinion=True)
    assert (await store.find_news(NewsQuery(("bridge",)), 6)).articles == ()
    assert await store.known_articles(["moved", "nobody"]) == {"moved": before.id}


async def test_what_is_known_already_writes_no_article(store: Store):
    """Not even a transaction: only the poll itself is noted."""
    await keep(store, story(1), story(2))
    stored = {a.id: (a, []) for a in (await store.find_news(NewsQuery(), 6)).articles}
    before = await rows_written(store)
    assert await store.keep_news(replace(POLL, items=2), [], stored, [], NOW + SECOND) == 0
    assert await rows_written(store) == before + 1
    assert (await store.poll_states())[POLL.source].items == 2


async def test_polls_that_end_together_are_all_kept(store: Store):
    states = [PollState(f"feed{n}", items=n) for n in range(250)]
    await asyncio.gather(*map(store.keep_poll, states))
    kept = await store.poll_states()
    assert [kept[state.source] for state in states] == states


async def test_ids_grow_with_publication_even_where_hundreds_share_a_second(store: Store):
    same = [story(n, published=NOW + timedelta(microseconds=n)) for n in range(600)]
    old = [story(1000 + n, published=datetime(1999, 1, 1, tzinfo=UTC)) for n in range(3)]
    assert await keep(store, *same, *old, story(2000, published=NOW + timedelta(seconds=10))) == 604
    page = await store.find_news(NewsQuery(), 700)
    assert page.total == 604
    assert len({a.id for a in page.articles}) == 604
    assert page.articles[0].guid == "guid-2000"
    assert {a.guid for a in page.articles[-3:]} == {"guid-1000", "guid-1001", "guid-1002"}


@pytest.mark.parametrize(
    ("query", "guids"),
    [
        (NewsQuery(), "3 2 1"),
        (NewsQuery(("summit",)), "3 1"),
        (NewsQuery(("SUMMITS",)), "3 1"),
        (NewsQuery(("SUMM*",)), "3 1"),
        (NewsQuery(("SUMM",)), ""),
        (NewsQuery(("summit",), excluded=("meeting",)), "1"),
        (NewsQuery(("summit", "tashkent")), "1"),
        (NewsQuery(("middle corridor",)), "2"),
        (NewsQuery(("corridor middle",)), ""),
        (NewsQuery(("Ташкент",)), "2 1"),
        (NewsQuery(("meeting",)), "3"),
        (NewsQuery(("o'zbek",)), "1"),
        (NewsQuery(("cafe",)), "3"),
        (NewsQuery(("поезда",)), "2"),
        (NewsQuery(("...",)), ""),
        (NewsQuery(("?!", "summit")), "3 1"),
        (NewsQuery(countries=("kz",)), "2 1"),
        (NewsQuery(countries=("TJ", "KG")), "3 2"),
        (NewsQuery(("summit",), sources=("akipress",)), "3"),
        (NewsQuery(since=NOW - timedelta(minutes=2)), "2 1"),
        (NewsQuery(opinion=True), "3"),
        (NewsQuery(("summit",), opinion=False), "1"),
    ],
)
async def test_a_search_finds_what_it_asks_for(store: Store, query: NewsQuery, guids: str):
    await keep(
        store,
        story(3, "Café summit meets", source="akipress", countries=("TJ",), opinion=True),
        story(2, "The Middle Corridor", countries=("KZ", "KG"), text="Поезд идёт в Ташкент"),
        story(1, "Summit in Tashkent", countries=("KZ",), text="O'zbek delegation"),
    )
    page = await store.find_news(query, 6)
    wanted = [f"guid-{n}" for n in reversed(guids.split())]
    assert [a.guid for a in page.articles] == wanted
    assert (page.total, page.capped, page.skipped) == (len(wanted), False, 0)


async def test_pages_stay_put_while_articles_arrive(store: Store):
    await keep(store, *[story(n, "summit") for n in range(1, 15)])
    seen: list[str] = []
    query = NewsQuery(("summit",))
    for arrived in range(3):
        page = await store.find_news(query, 6)
        assert page.total == 14 + arrived
        assert page.skipped == len(seen) + arrived
        seen += [a.guid for a in page.articles]
        await keep(store, story(0, "summit", guid=f"new-{arrived}", url=f"https://new.example/{arrived}"))
        query = replace(query, before=page.articles[-1].id)
        assert (await store.find_news(replace(query, words=()), 1)).skipped == len(seen) + arrived + 1
    assert seen == [f"guid-{n}" for n in range(1, 15)]
    assert (await store.find_news(query, 6)).articles == ()


async def test_the_total_is_counted_up_to_a_thousand(store: Store):
    await keep(store, *[story(n, "summit") for n in range(1002)])
    page = await store.find_news(NewsQuery(("summit",)), 6)
    assert (page.total, page.capped, len(page.articles)) == (1000, True, 6)
    last = await store.find_news(NewsQuery(("summit",), before=page.articles[5].id), 6)
    assert (last.total, last.capped, last.skipped) == (1000, True, 6)


async def test_a_window_holds_what_was_first_seen_after_its_start_up_to_its_end(store: Store):
    for n in range(4):
        await keep(store, story(9 - n, "summit" if n % 2 else "other", countries=("KZ",)), now=NOW + n * SECOND)
    seen = await store.news_seen(NOW, NOW + 2 * SECOND, NewsQuery(), 10)
    assert [a.guid for a in seen] == ["guid-7", "guid-8"]
    assert [a.guid for a in await store.news_seen(NOW - SECOND, NOW + 9 * SECOND, NewsQuery(("summit",)), 10)] == [
        "guid-6",
        "guid-8",
    ]
    assert len(await store.news_seen(NOW - SECOND, NOW + 9 * SECOND, NewsQuery(countries=("KZ",)), 3)) == 3
    assert await store.news_seen(NOW - SECOND, NOW + 9 * SECOND, NewsQuery(("!",)), 3) == []


HOSTILE = ["NEAR(", '"', "a\0b", "\ud800", "x" * 65536, "* OR *", "title:x", "-", "(((", "^summit", "{a b}:c", "ab NOT"]
WORDS = st.one_of(st.text(), st.sampled_from(HOSTILE), st.text(st.characters(categories=["Cs", "Mn", "Lo", "Po"])))


@pytest.fixture
def stored(store_kind: str, tmp_path: Path):
    """A store and the loop it is asked in, for hypothesis, which is not asynchronous."""
    with asyncio.Runner() as runner:
        opening = empty_store(store_kind, tmp_path / "yamchi.db")
        store = runner.run(opening.__aenter__())
        runner.run(keep(store, story(1, "summit")))
        yield runner, store
        runner.run(opening.__aexit__(None, None, None))


@settings(max_examples=300, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, max_size=4), code=WORDS, before=st.none() | st.integers())
def test_no_words_break_a_search(stored, words: list[str], code: str, before: int | None):
    runner, store = stored
    query = NewsQuery(tuple(words), before=before)
    assert runner.run(store.find_news(query, 6)).total <= 1
    runner.run(store.find_news(replace(query, countries=(code,), sources=(code,)), 6))
    runner.run(store.news_seen(NOW - SECOND, NOW, query, 6))
    assert runner.run(store.known_articles([*words, code])) == {}


@pytest.mark.parametrize("word", HOSTILE)
async def test_hostile_words_and_thousands_of_them_are_only_words(store: Store, word: str):
    await keep(store, story(1, "summit"))
    for query in (NewsQuery((word,)), NewsQuery((word,) * 5000), NewsQuery(countries=(word[:100],) * 5000)):
        assert (await store.find_news(query, 6)).total <= 1


async def test_hostile_articles_are_kept(store: Store):
    odd = "half a character \ud83d and a \0 byte"
    await keep(store, story(1, odd, lead=odd, text=odd, guid=odd, url="https://odd.example/\ud83d"))
    (found,) = (await store.find_news(NewsQuery(("character",)), 6)).articles
    kept = found.title.replace("\ufffd", "\0")  # PostgreSQL keeps no such byte
    assert kept == "half a character ? and a \0 byte"
    assert odd in await store.known_articles([odd])


# --- rates -------------------------------------------------------------------


def printed(day: int, value: str = "519.50", **changes: object) -> RateTable:
    rows = (Fixing("USD", value, 1, "-0.30"), Fixing("UZS", "4.31", 100))
    return replace(RateTable("nbk", "KZT", date(2026, 11, day), rows), **changes)


async def test_tables_come_back_as_printed_newest_first(store: Store):
    tables = [printed(20), printed(23, "521.070"), printed(21)]
    assert await store.keep_tables(PollState("nbk"), tables, [out("fixing")], NOW) == 3
    assert await store.keep_tables(POLL, [printed(23, source="cbu")], [], NOW) == 1
    found = await store.tables("nbk", date(2026, 11, 23), 2)
    assert found == [printed(23, "521.070"), printed(21)]
    assert [t.effective_date.day for t in await store.tables("nbk", date(2026, 11, 22), 9)] == [21, 20]
    assert (await store.ledger()).states == {"pending": 1}
    assert set(await store.poll_states()) == {"nbk", "timesca"}


async def test_the_same_rows_are_left_alone_and_others_are_the_next_revision(store: Store):
    first, second = printed(23), printed(23, "520.00", kind="market")
    assert await store.keep_tables(POLL, [first], [], NOW) == 1
    turned = replace(first, fixings=first.fixings[::-1], problems=("IRR: nominal 7",))
    assert await store.keep_tables(POLL, [first, turned], [], NOW + SECOND) == 0
    assert await store.keep_tables(POLL, [second, second], [], NOW + SECOND) == 1
    assert await store.keep_tables(POLL, [first], [], NOW + 2 * SECOND) == 1
    assert await store.tables("nbk", date(2026, 11, 23), 9) == [first]


# --- chats and subscriptions -------------------------------------------------


async def test_threads_share_the_settings_of_their_chat(store: Store):
    topic = Address("telegram", "1", "77")
    assert await store.chat(topic) is None
    await store.keep_chat(ChatSettings(HERE, "Asia/Almaty", "en"), [])
    await store.keep_chat(ChatSettings(topic, "Asia/Bishkek", "ru"), [])
    assert await store.chat(HERE) == ChatSettings(HERE, "Asia/Bishkek", "ru")
    assert await store.chat(topic) == ChatSettings(topic, "Asia/Bishkek", "ru")
    assert await store.chat(Address("slack", "1")) is None


async def test_a_subscription_comes_back_and_can_be_changed(store: Store):
    first = await store.subscribe(order())
    second = await store.subscribe(order(schedule=Schedule("weekly", time(8, 5, 0), 4), content=Content(rates=False)))
    await store.subscribe(order(address=Address("telegram", "1", "77")))
    assert first == order(first.id)
    changed = replace(first, schedule=Schedule("instant"), next_due=None, content=Content(("ой",)))
    assert await store.subscribe(changed) == changed
    assert await store.subscriptions(HERE) == [changed, second]
    assert await store.instant_subscriptions() == [(changed, None)]
    await store.keep_chat(ChatSettings(HERE, "Asia/Almaty", "en", Quiet(time(22), time(7))), [])
    assert await store.instant_subscriptions() == [(changed, await store.chat(HERE))]


async def test_only_the_subscriptions_of_an_address_are_dropped_and_no_id_comes_twice(store: Store):
    ids = [(await store.subscribe(order())).id for _ in range(3)]
    other = (await store.subscribe(order(address=Address("slack", "T/C")))).id
    assert await store.unsubscribe(HERE, {ids[0], ids[2], other, 2**70}) == 2
    assert [s.id for s in await store.subscriptions(HERE)] == [ids[1]]
    assert await store.unsubscribe(Address("slack", "T/C"), [other]) == 1
    assert (await store.subscribe(order())).id > other


async def test_subscriptions_of_a_chat_are_those_of_all_its_threads(store: Store):
    topic = Address("telegram", "1", "77")
    first, second = await store.subscribe(order()), await store.subscribe(order(address=topic))
    assert await store.subscriptions(topic) == [second]
    assert await store.subscriptions(topic, threads=True) == [first, second]
    paused = [replace(one, paused_at=NOW, paused_until=NOW + SECOND) for one in (first, second)]
    await store.change_subscriptions(paused)
    assert await store.subscriptions(HERE, threads=True) == paused


async def test_what_a_person_set_is_found_wherever_it_is(store: Store):
    chats = [Address("slack", "T1/C1"), Address("slack", "T1/C2"), Address("slack", "T1/C2", "5.5")]
    mine = [await store.subscribe(order(0, chat, created_by="T1/U1")) for chat in chats]
    await store.subscribe(order(0, chats[0], created_by="T1/U2"))
    await store.subscribe(order(0, chats[0], created_by=""))
    assert await store.subscriptions_by("slack", "T1/U1") == mine
    assert await store.subscriptions_by("telegram", "T1/U1") == []
    assert await store.subscriptions_by("slack", "") == []


async def test_those_that_get_the_same_digest_are_one_edition(store: Store):
    """Not so where content, clocks, language, own feeds or the time of the last one differ."""
    for n in range(1, 8):
        await store.subscribe(order(address=Address("telegram", str(n)), next_due=NOW))
    await store.subscribe(order(address=Address("telegram", "8"), next_due=NOW + SECOND))
    await store.subscribe(order(address=Address("telegram", "9"), next_due=None, schedule=Schedule("instant")))
    await store.keep_chat(ChatSettings(Address("telegram", "3"), "Asia/Tashkent", "en"), [])
    await store.keep_chat(ChatSettings(Address("telegram", "4"), "Asia/Tashkent", "ru"), [])
    await store.add_feed(Feed("lake", "Lake", "https://lake.example/", "en"), Address("telegram", "5"), "", NOW)
    await store.subscribe(order(6, Address("telegram", "6"), next_due=NOW, content=Content()))
    await store.subscribe(order(7, Address("telegram", "7"), next_due=NOW, previous_due=NOW - timedelta(days=1)))
    found = await store.due_editions(NOW, 99)
    assert sorted((one.address.chat, one.members, one.zone, one.language, one.feeds) for one in found) == [
        ("1", 2, "", "", ""),
        ("3", 1, "Asia/Tashkent", "en", ""),
        ("4", 1, "Asia/Tashkent", "ru", ""),
        ("5", 1, "", "", "lake"),
        ("6", 1, "", "", ""),
        ("7", 1, "", "", ""),
    ]
    assert sum(one.members for one in await store.due_editions(NOW, 3)) == 3
    await store.remove_feed("lake", Address("telegram", "5"))
    assert max(one.members for one in await store.due_editions(NOW, 99)) == 3
    assert await store.due_editions(NOW - SECOND, 99) == []


def mailing(edition: Edition, words: str = "a digest", **changes: object) -> Mailing:
    due = edition.next_due
    sent = Mailing(edition, text(words), due.date(), due, due + timedelta(days=1), due + timedelta(hours=6))
    return replace(sent, **changes)


async def test_a_digest_and_the_next_due_instant_are_one_step_and_twice_is_once(store: Store):
    due = await store.subscribe(order(next_due=NOW))
    (edition,) = await store.due_editions(NOW, 9)
    assert await store.keep_mailings([mailing(edition)], NOW) == 1
    assert await store.keep_mailings([mailing(edition, "another")], NOW) == 0
    later = replace(due, previous_due=NOW, next_due=NOW + timedelta(days=1))
    assert await store.subscriptions(HERE) == [later]
    assert [(d.event, d.message) for d in await claim(store)] == [(f"digest:{due.id}:2026-11-23", text("a digest"))]


async def test_a_subscription_that_changed_since_it_was_read_waits_for_the_next_look(store: Store):
    first, second = await store.subscribe(order(next_due=NOW)), await store.subscribe(order(next_due=NOW))
    (edition,) = await store.due_editions(NOW, 9)
    changed = await store.subscribe(replace(second, content=Content(("gas",))))
    await store.unsubscribe(HERE, [first.id])
    assert await store.keep_mailings([mailing(edition)], NOW) == 0
    assert await store.subscriptions(HERE) == [changed]


async def test_a_date_that_had_its_digest_keeps_it_and_what_was_noted_as_late_comes_after_all(store: Store):
    """A clock put forward and back brings the same dates twice."""
    order_ = await store.subscribe(order(next_due=NOW))
    (edition,) = await store.due_editions(NOW, 9)
    assert await store.keep_mailings([mailing(edition, late=True)], NOW) == 1
    assert await claim(store) == []
    await store.subscribe(replace(order_, next_due=NOW))
    (edition,) = await store.due_editions(NOW, 9)
    assert await store.keep_mailings([mailing(edition)], NOW + SECOND) == 1
    assert len(await claim(store)) == 1
    (held,) = await store.subscriptions(HERE)
    await store.subscribe(replace(held, previous_due=NOW - SECOND, next_due=NOW))
    (edition,) = await store.due_editions(NOW, 9)
    assert await store.keep_mailings([mailing(edition)], NOW + 2 * SECOND) == 0
    (held,) = await store.subscriptions(HERE)
    assert (held.previous_due, held.next_due) == (NOW - SECOND, NOW + timedelta(days=1))


async def test_a_digest_that_is_withheld_is_noted_with_its_reason(store: Store):
    await store.subscribe(order(next_due=NOW))
    (edition,) = await store.due_editions(NOW, 9)
    assert await store.keep_mailings([mailing(edition, withheld="nothing new")], NOW) == 1
    assert (await store.ledger()).states == {"withheld": 1}


async def test_plans_are_corrected_in_sets(store: Store):
    orders = [await store.subscribe(order(address=Address("telegram", str(n)))) for n in range(3)]
    await store.subscribe(replace(orders[2], paused_at=NOW, paused_until=NOW + SECOND))
    (plan,) = await store.plans(NOW)
    assert (plan.schedule, plan.zone, plan.next_due) == (orders[0].schedule, "", orders[0].next_due)
    assert await store.correct_plans([(plan, NOW)]) == 2
    assert [(await store.subscriptions(one.address))[0].next_due for one in orders] == [NOW, NOW, orders[2].next_due]


async def test_what_waits_for_a_bundle_goes_in_it_once(store: Store):
    rows = [out(f"a{n}", kind="article", due=NOW + n * SECOND) for n in range(2)]
    held = [out(f"b{n}", kind="article", state="withheld", reason="bundle", due=NOW + SECOND) for n in range(2)]
    await store.enqueue([*rows, *held], NOW)
    assert await store.pushed_since(NOW - SECOND) == {HERE: [NOW, NOW + SECOND]}
    assert await store.due_bundles(NOW) == []
    (bundle,) = await store.due_bundles(NOW + SECOND)
    assert (bundle.address, bundle.due_at, len(bundle.messages)) == (HERE, NOW + SECOND, 2)
    whole = out("bundle", kind="article", due=NOW + SECOND)
    assert await store.keep_bundles([(bundle, whole)], NOW + SECOND) == 1
    assert await store.due_bundles(NOW + SECOND) == []


async def test_new_settings_replan_the_chat_and_a_schedule_changed_meanwhile_keeps_its_own(store: Store):
    first, second = await store.subscribe(order()), await store.subscribe(order())
    changed = await store.subscribe(replace(second, schedule=Schedule("weekdays", time(7, 0)), next_due=NOW))
    moved = [replace(s, next_due=NOW + timedelta(hours=9)) for s in (first, second)]
    await store.keep_chat(ChatSettings(HERE, "Asia/Tashkent", "en"), moved)
    assert await store.subscriptions(HERE) == [moved[0], changed]


# --- outbox ------------------------------------------------------------------


async def test_a_message_comes_back_block_for_block(store: Store):
    blocks = (
        Heading("Rates"),
        Paragraph("bold \U0001f1f0\U0001f1ff", (Span(0, 4, "bold"),), small=True),
        Link("Story", "https://news.example/1"),
        Table("USD 519.50", (("USD", "519.50"), ("RUB", "6.63"))),
    )
    message = Message(blocks, (Button("Next", "/latest summit before:7"),), sample=True)
    await store.enqueue([out("a", message=message, kind="article", due=NOW)], NOW)
    (found,) = await claim(store)
    assert found == Delivery(found.id, "a", HERE, "article", message, NOW, NOW + timedelta(hours=6), "me", 1)


async def test_event_and_address_are_the_identity(store: Store):
    topic, other = Address("telegram", "1", "77"), Address("slack", "1")
    rows = [out("a"), out("a"), out("a", topic), out("a", other), out("b")]
    assert await store.enqueue(rows, NOW) == 4
    (first,) = await claim(store, limit=1)
    assert await store.settle(first, Outcome("sent"), NOW)
    assert await store.enqueue(rows, NOW + SECOND) == 0


async def test_one_of_each_address_is_in_flight_and_the_oldest_first(store: Store):
    there = Address("slack", "T/C")
    await store.enqueue([out("a1"), out("b1", there, due=NOW - SECOND), out("a2"), out("b2", there)], NOW)
    first = await claim(store)
    assert [d.event for d in first] == ["b1", "a1"]
    assert await claim(store) == []
    assert await store.settle(first[1], Outcome("failed", "no such chat"), NOW)
    assert [d.event for d in await claim(store)] == ["a2"]


async def test_only_the_platforms_asked_for_and_only_so_many_are_claimed(store: Store):
    await store.enqueue([out("a", Address("telegram", str(n))) for n in range(5)], NOW)
    await store.enqueue([out("a", Address("slack", str(n))) for n in range(5)], NOW)
    assert len(await store.claim("me", {"slack"}, NOW, NOW + LEASE, 3)) == 3
    assert {d.address.platform for d in await store.claim("me", ["slack"], NOW, NOW + LEASE, 9)} == {"slack"}
    assert await store.claim("me", set(), NOW, NOW + LEASE, 9) == []
    assert len(await claim(store)) == 5


async def test_a_message_held_back_holds_its_address_and_nobody_else(store: Store):
    other = Address("telegram", "2")
    await store.enqueue([out("a1"), out("a2"), out("b1", other)], NOW)
    held, _ = await claim(store)
    assert await store.settle(held, Outcome("pending", "429", retry_at=NOW + timedelta(seconds=30)), NOW)
    await store.enqueue([out("a0", due=NOW + SECOND)], NOW + SECOND)
    assert await claim(store, NOW + timedelta(seconds=29)) == []
    (again,) = await claim(store, NOW + timedelta(seconds=30))
    assert (again.event, again.tries) == ("a1", 2)


async def test_a_message_due_later_holds_up_no_other(store: Store):
    await store.enqueue([out("later", due=NOW + timedelta(hours=1)), out("now")], NOW)
    (first,) = await claim(store)
    assert first.event == "now"
    assert await store.settle(first, Outcome("sent"), NOW)
    assert await claim(store) == []
    assert [d.event for d in await claim(store, NOW + timedelta(hours=1))] == ["later"]


async def test_what_is_past_its_shelf_life_expires_and_makes_way(store: Store):
    await store.enqueue([out("old", hours=1), out("fresh", hours=9)], NOW)
    late = NOW + timedelta(hours=2)
    assert [d.event for d in await claim(store, late)] == ["fresh"]
    assert (await store.ledger()).states == {"expired": 1, "inflight": 1}
    assert await store.last_settled(HERE) == (late, "digest", "expired")


async def test_a_claim_is_settled_once_and_only_by_its_owner_and_try(store: Store):
    await store.enqueue([out("a")], NOW)
    (mine,) = await claim(store)
    assert not await store.settle(replace(mine, owner="another"), Outcome("sent"), NOW)
    assert not await store.settle(replace(mine, tries=2), Outcome("sent"), NOW)
    assert await store.settle(mine, Outcome("pending"), NOW)
    assert not await store.settle(mine, Outcome("sent"), NOW)
    (again,) = await claim(store)
    assert not await store.settle(mine, Outcome("sent"), NOW)
    assert await store.settle(again, Outcome("sent", message_id="7"), NOW)
    assert (await store.ledger()).states == {"sent": 1}


async def test_a_claim_lapses_when_its_lease_ends_or_its_platform_is_taken_over(store: Store):
    await store.enqueue([out("a"), out("a", Address("slack", "T/C"))], NOW)
    claimed = await claim(store)
    assert await store.lapsed(NOW + LEASE - SECOND) == []
    assert await store.lapsed(NOW + LEASE) == claimed
    (taken,) = await store.lapsed(NOW, {"slack"})
    assert taken.address.platform == "slack"
    assert await store.settle(taken, Outcome("unknown"), NOW)
    assert len(await store.lapsed(NOW + LEASE)) == 1


async def test_the_ledger_counts_by_state_and_knows_the_oldest_that_waits(store: Store):
    assert (await store.ledger()).oldest_pending is None
    for n, state in enumerate(("sent", "unknown", "failed", "dead")):
        await store.enqueue([out(state)], NOW)
        (claimed,) = await claim(store)
        assert await store.settle(claimed, Outcome(state), NOW + n * SECOND)
    assert await store.revive(HERE)
    await store.enqueue([out("skipped", state="expired"), out("p", due=NOW - SECOND), out("q")], NOW)
    counts = await store.ledger()
    assert counts.states == {"sent": 1, "unknown": 1, "failed": 1, "dead": 1, "expired": 1, "pending": 2}
    assert counts.oldest_pending == NOW - SECOND
    assert await store.last_settled(HERE) == (NOW + 3 * SECOND, "digest", "dead")
    assert await store.last_settled(Address("slack", "nobody")) is None


# --- inbox, buttons, upkeep --------------------------------------------------


async def test_updates_are_kept_once_and_handed_out_in_order_until_settled(store: Store):
    updates = [Update("telegram", str(n), f'{{"update_id": {n}, "text": "ё"}}') for n in (3, 1, 2)]
    assert await store.keep_updates(updates, NOW) == 3
    assert await store.keep_updates([*updates, Update("slack", "3", "{}")], NOW) == 1
    assert await store.keep_updates([], NOW) == 0
    three, one, two = (replace(update, number=number) for number, update in enumerate(updates, 1))
    assert await store.waiting_updates("telegram", 2) == [three, one]
    assert await store.waiting_updates("telegram", 9, held={1, 2}) == [two]
    await store.settle_update("telegram", "3", "taken")
    await store.settle_update("telegram", "2", "poison")
    assert await store.waiting_updates("telegram", 9, held={2}) == []
    assert await store.waiting_updates("telegram", 9) == [replace(one, tries=1)]
    await store.settle_update("telegram", "1", "done")
    assert await store.waiting_updates("telegram", 9) == []


async def test_what_was_handed_out_thrice_is_suspected_and_handed_out_alone(store: Store):
    await store.keep_updates([Update("telegram", str(n), "{}") for n in range(3)], NOW)
    await store.keep_updates([Update("slack", "0", "{}")], NOW)
    assert await store.suspect_update("telegram") is None
    for tries in range(SUSPECT_AFTER):
        assert [u.tries for u in await store.waiting_updates("telegram", 9)] == [tries] * 3
    assert await store.waiting_updates("telegram", 9) == []
    assert await store.suspect_update("slack") is None
    assert await store.suspect_update("telegram") == Update("telegram", "0", "{}", SUSPECT_AFTER, 1)
    assert await store.suspect_update("telegram") == Update("telegram", "0", "{}", SUSPECT_AFTER + 1, 1)
    await store.settle_update("telegram", "0", "poison")
    assert await store.suspect_update("telegram") == Update("telegram", "1", "{}", SUSPECT_AFTER, 2)


async def test_numbers_of_updates_are_never_used_again(store: Store):
    await store.keep_updates([Update("telegram", str(n), "{}") for n in range(3)], NOW)
    (*_, last) = await store.waiting_updates("telegram", 9)
    for n in range(3):
        await store.settle_update("telegram", str(n), "done")
    await store.prune(NOW + timedelta(days=8))
    await store.keep_updates([Update("telegram", "9", "{}")], NOW)
    assert [u.number > last.number for u in await store.waiting_updates("telegram", 9)] == [True]


async def test_a_token_is_good_in_its_own_chat_only(store: Store):
    await store.keep_token("t1", HERE, "/latest a very long story", NOW)
    assert await store.token_command("t1", HERE) == "/latest a very long story"
    assert await store.token_command("t1", Address("telegram", "2")) is None
    assert await store.token_command("t2", HERE) is None
    assert await store.token_command("\ud800", HERE) is None


async def test_pruning_drops_what_is_past_its_retention_and_nothing_that_waits(store: Store):
    await keep(store, story(1), story(2))
    await store.keep_updates([Update("telegram", "1", "{}"), Update("telegram", "2", "{}")], NOW)
    await store.settle_update("telegram", "1", "done")
    await store.keep_token("t", HERE, "/help", NOW)
    await store.enqueue([out("done"), out("waits", hours=9000)], NOW)
    (claimed,) = await claim(store)
    assert await store.settle(claimed, Outcome("sent"), NOW)

    await store.prune(NOW + timedelta(days=7))
    assert await store.token_command("t", HERE) == "/help"
    assert await store.enqueue([out("done")], NOW) == 0
    await store.prune(NOW + timedelta(days=8))
    assert await store.token_command("t", HERE) is None
    assert await store.enqueue([out("done")], NOW) == 0
    await store.prune(NOW + timedelta(days=89))
    assert (await store.find_news(NewsQuery(), 6)).total == 2
    await store.prune(NOW + timedelta(days=91))
    assert (await store.find_news(NewsQuery(("story",)), 6)).total == 0
    assert (await store.ledger()).states == {"pending": 1}
    assert [u.key for u in await store.waiting_updates("telegram", 9)] == ["2"]
    assert [d.event for d in await claim(store)] == ["waits"]


async def test_an_article_past_its_retention_is_never_new_again(store: Store):
    await keep(store, story(1))
    await store.prune(NOW + timedelta(days=91))
    assert await store.known_articles(["guid-1"]) == {"guid-1": 0}
    assert await keep(store, story(1), now=NOW + timedelta(days=91)) == 0


async def test_an_old_article_seen_only_now_is_kept(store: Store):
    await keep(store, story(1, published=NOW - timedelta(days=400)))
    await store.prune(NOW + timedelta(days=1))
    assert (await store.find_news(NewsQuery(), 6)).total == 1


async def test_reading_goes_on_while_much_is_written(store: Store):
    stories = [story(n, "summit") for n in range(2000)]
    writing = asyncio.create_task(keep(store, *stories))
    totals = set()
    while not writing.done():
        pages = await asyncio.gather(*(store.find_news(NewsQuery(("summit",)), 6) for _ in range(2)))
        totals |= {page.total for page in pages}
    assert await writing == 2000
    assert totals <= {0, 1000}
    assert (await store.find_news(NewsQuery(("summit",)), 6)).capped


async def test_a_write_that_nobody_waits_for_any_more_is_still_made(store: Store):
    asking = [asyncio.create_task(store.keep_poll(PollState(str(n)))) for n in range(20)]
    await asyncio.sleep(0)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await store.ping()
    assert len(await store.poll_states()) == 20


async def test_what_follows_answers_the_oldest_of_its_events_that_arrived_in_that_chat(store: Store):
    async def answers(event: str, *follows: str, address: Address = HERE) -> str:
        await store.enqueue([out(event, address, kind="article", follows=follows)], NOW)
        (delivery,) = await claim(store)
        await store.settle(delivery, Outcome("sent", message_id=f"id of {event}"), NOW)
        return delivery.answers

    assert await answers("one", "zero") == ""
    assert await answers("two", "one") == "id of one"
    assert await answers("three", "two", "zero", "one") == "id of one"
    assert await answers("three", "one", address=Address("slack", "T1/C2")) == ""
    assert await answers("four") == ""


async def test_a_new_installation_cures_what_it_can(store: Store):
    chats = {reason: Address("slack", f"T1/{reason}") for reason in ("missing_scope", "is_archived")}
    for reason, chat in chats.items():
        await store.pause(chat, reason, NOW)
    await store.keep_install(Install("slack", "T1", "x"), NOW, {"missing_scope"})
    assert [await store.revive(chat) for chat in chats.values()] == [False, True]


async def test_a_closed_store_says_so(store: Store):
    await store.ping()
    await store.close()
    await store.close()
    with pytest.raises(DatabaseError, match="closed"):
        await store.ping()
