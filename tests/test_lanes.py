"""What the outbox knows of chats: held, dead, moved; and whose turn it is."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from sqlite_utils import Database

from bot.message import Message, Paragraph
from bot.models import Address, ChatSettings, Content, Delivery, Outcome, Outgoing, Schedule, Subscription
from storage.schema import migrations
from storage.sqlite import SqliteStore, open_store

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
DAY = timedelta(days=1)
HERE = Address("telegram", "1")
TOPIC = Address("telegram", "1", "5")
THERE = Address("telegram", "2")


def out(event: str, address: Address = HERE, kind: str = "digest", at: datetime = NOW, **more: object) -> Outgoing:
    message = more.pop("message", Message((Paragraph(event),)))
    return Outgoing(event, address, kind, message, at, at + 7 * DAY, **more)  # type: ignore[arg-type]


async def claim(store: SqliteStore, now: datetime = NOW, limit: int = 99) -> list[Delivery]:
    return await store.claim("me", ["telegram"], now, now + LEASE, limit)


async def events(store: SqliteStore, now: datetime = NOW) -> list[str]:
    return [delivery.event for delivery in await claim(store, now)]


# --- order and urgency -------------------------------------------------------


async def test_the_most_urgent_goes_first_across_chats(store: SqliteStore):
    kinds = ("digest", "article", "alert", "reply")
    await store.enqueue([out(kind, Address("telegram", kind), kind) for kind in kinds], NOW)
    assert await events(store) == ["reply", "alert", "article", "digest"]


async def test_no_message_overtakes_another_in_its_chat_but_lends_it_its_urgency(store: SqliteStore):
    await store.enqueue([out(f"d{n}", Address("telegram", f"1{n}")) for n in range(5)], NOW)
    await store.enqueue([out("digest"), out("alert", kind="alert", at=NOW + timedelta(seconds=1))], NOW)
    later = NOW + timedelta(seconds=2)
    (first,) = await claim(store, later, 1)
    assert first.event == "digest"
    await store.settle(first, Outcome("sent"), later)
    assert [d.event for d in await claim(store, later, 1)] == ["alert"]


async def test_a_message_put_in_while_another_flies_waits_for_it(store: SqliteStore):
    await store.enqueue([out("a", at=NOW + timedelta(seconds=5))], NOW)
    later = NOW + timedelta(seconds=9)
    (flying,) = await claim(store, later)
    await store.enqueue([out("older", at=NOW)], later)
    assert await events(store, later) == []
    await store.settle(flying, Outcome("sent"), later)
    assert await events(store, later) == ["older"]


async def test_what_is_there_already_keeps_nobody_waiting(store: SqliteStore):
    await store.enqueue([out("a")], NOW)
    (first,) = await claim(store)
    await store.settle(first, Outcome("sent"), NOW)
    same = Message((Paragraph("the same"),))
    assert await store.enqueue([out(event, message=same) for event in ("a", "b")] + [out("a"), out("c")], NOW) == 2
    (second,) = await claim(store)
    await store.settle(second, Outcome("sent"), NOW)
    assert sorted([second.event, *await events(store)]) == ["b", "c"]


# --- holds -------------------------------------------------------------------


async def test_a_chat_that_is_held_is_so_in_all_its_threads_and_after_a_restart(tmp_path: Path):
    store = await open_store(tmp_path / "yamchi.db")
    await store.enqueue([out("a"), out("b"), out("t", TOPIC), out("c", THERE)], NOW)
    first, _, _ = await claim(store, limit=3)
    until = NOW + timedelta(seconds=30)
    await store.settle(first, Outcome("pending", "429", retry_at=until, cause="flood", free_at=until), NOW)
    await store.close()
    store = await open_store(tmp_path / "yamchi.db")
    for delivery in await store.lapsed(NOW, {"telegram"}):
        await store.settle(delivery, Outcome("pending", retry_at=NOW), NOW)
    await store.enqueue([out("new", Address("telegram", "1", "9"))], NOW)
    assert await events(store, until - timedelta(seconds=1)) == ["c"]
    assert sorted(await events(store, until)) == ["a", "new", "t"]
    await store.close()


async def test_an_earlier_word_that_says_longer_stands(store: SqliteStore):
    for seconds in (60, 2):
        await store.hold("telegram", NOW + timedelta(seconds=seconds), "too many requests")
    lease = await store.lease_tokens("me", "telegram", NOW, NOW + LEASE)
    assert (lease.share, lease.held_until) == (1.0, NOW + timedelta(seconds=60))
    assert (await store.lease_tokens("me", "slack", NOW, NOW + LEASE)).held_until is None
    assert (await store.outbox_report(NOW)).held == {"telegram": (NOW + timedelta(seconds=60), "too many requests")}
    assert (await store.outbox_report(NOW + DAY)).held == {}


# --- dead chats --------------------------------------------------------------


async def test_a_dead_chat_gets_nothing_until_somebody_speaks_there(store: SqliteStore):
    await store.enqueue([out("a"), out("b"), out("t", TOPIC), out("c", THERE)], NOW)
    for delivery in await claim(store):
        dead = delivery.event == "a"
        await store.settle(delivery, Outcome("dead", "blocked") if dead else Outcome("sent"), NOW)
    await store.enqueue([out("later"), out("topic", Address("telegram", "1", "9")), out("d", THERE)], NOW)
    assert await events(store) == ["d"]
    assert [record.detail for record in await store.records(HERE, 9)][1:] == ["the chat is paused: blocked", "blocked"]
    assert (await store.outbox_report(NOW)).dead == {"blocked": 1}
    assert await store.revive(TOPIC)
    assert not await store.revive(HERE)
    await store.enqueue([out("back"), out("back", TOPIC)], NOW)
    assert await events(store) == ["back", "back"]
    assert Counter(record.state for record in await store.records(HERE, 9)) == {"dead": 3, "inflight": 1}


async def test_a_closed_topic_is_paused_and_its_chat_is_not(store: SqliteStore):
    await store.enqueue([out("t1", TOPIC), out("t2", TOPIC), out("a")], NOW)
    for delivery in await claim(store):
        closed = Outcome("dead", "topic closed", cause="topic")
        await store.settle(delivery, closed if delivery.address == TOPIC else Outcome("sent"), NOW)
    await store.enqueue([out("b"), out("t3", TOPIC)], NOW)
    assert await events(store) == ["b"]
    assert await store.revive(TOPIC)


async def test_a_chat_that_may_be_gone_is_when_it_says_so_three_times_over_a_day(store: SqliteStore):
    async def refused(n: int, now: datetime) -> bool:
        await store.enqueue([out(f"e{n}", at=now)], now)
        (delivery,) = await claim(store, now)
        await store.settle(delivery, Outcome("failed", "chat not found", cause="unwelcome"), now)
        return bool((await store.outbox_report(now)).dead)

    assert [await refused(n, NOW + n * timedelta(hours=1)) for n in range(5)] == [False] * 5
    assert await refused(9, NOW + DAY)


async def test_one_message_that_arrives_takes_the_strikes_back(store: SqliteStore):
    for n, outcome in enumerate([Outcome("failed", cause="unwelcome")] * 2 + [Outcome("sent")]):
        await store.enqueue([out(f"e{n}")], NOW)
        (delivery,) = await claim(store)
        await store.settle(delivery, outcome, NOW)
    await store.enqueue([out("e9", at=NOW + DAY)], NOW + DAY)
    (delivery,) = await claim(store, NOW + DAY)
    await store.settle(delivery, Outcome("failed", cause="unwelcome"), NOW + DAY)
    assert (await store.outbox_report(NOW + DAY)).dead == {}


async def test_what_the_platform_says_of_a_chat_counts_at_once(store: SqliteStore):
    await store.enqueue([out("a")], NOW)
    await store.pause(HERE, "the bot is kicked there", NOW)
    assert await events(store) == []
    assert (await store.ledger()).states == {"dead": 1}


async def test_deaths_that_were_not_the_chats_own_are_undone(store: SqliteStore):
    await store.pause(Address("telegram", "9"), "long ago", NOW - DAY)
    await store.enqueue([out("a1"), out("a2"), out("b1", THERE)], NOW)
    for delivery in await claim(store):
        await store.settle(delivery, Outcome("dead", "Forbidden"), NOW)
    assert await store.reprieve("telegram", NOW - timedelta(minutes=1), NOW) == 2
    assert sorted(await events(store)) == ["a1", "b1"]
    assert (await store.outbox_report(NOW)).dead == {"long ago": 1}


# --- texts that are refused --------------------------------------------------


async def test_a_refused_text_stops_for_all_chats_and_then_goes_bare(store: SqliteStore):
    shared = Message((Paragraph("a < b"),))
    chats = [Address("telegram", str(n)) for n in range(4)]
    await store.enqueue([out("e", chat, message=shared) for chat in chats], NOW)
    (first,) = await claim(store, limit=1)
    assert not first.plain
    await store.settle(first, Outcome("pending", "can't parse", retry_at=NOW, cause="body"), NOW)
    claimed = await claim(store, limit=2)
    assert all(delivery.plain for delivery in claimed)
    await store.settle(claimed[0], Outcome("failed", "can't parse", cause="body"), NOW)
    assert (await store.ledger()).states == {"failed": 3, "inflight": 1}


async def test_another_platform_still_gets_it_whole(store: SqliteStore):
    shared = Message((Paragraph("a < b"),))
    await store.enqueue([out("e", address, message=shared) for address in (HERE, Address("slack", "T1/C1"))], NOW)
    (first,) = await claim(store)
    await store.settle(first, Outcome("pending", "can't parse", retry_at=NOW, cause="body"), NOW)
    (other,) = await store.claim("me", ["slack"], NOW, NOW + LEASE, 9)
    assert not other.plain


# --- chats that move ---------------------------------------------------------


async def test_a_chat_that_moves_takes_everything_along(store: SqliteStore):
    await store.keep_chat(ChatSettings(HERE, "Asia/Tashkent", "ru"), [])
    schedule = Schedule("daily", time(9))
    await store.subscribe(Subscription(0, HERE, schedule, Content(), NOW, next_due=NOW + DAY))
    await store.enqueue([out("a"), out("b")], NOW)
    await store.enqueue([out("x", Address("telegram", "-100"))], NOW)
    (x,) = [delivery for delivery in await claim(store) if delivery.event == "x"]
    await store.settle(x, Outcome("sent"), NOW)
    (a,) = await store.lapsed(NOW, {"telegram"})
    await store.settle(a, Outcome("pending", "migrated", retry_at=NOW, moved_to="-100"), NOW)
    there = Address("telegram", "-100")
    for event in ("a", "b"):
        (delivery,) = await claim(store)
        assert (delivery.event, delivery.address) == (event, there)
        await store.settle(delivery, Outcome("sent"), NOW)
    chosen = await store.chat(there)
    assert chosen is not None
    assert (chosen.zone, chosen.language) == ("Asia/Tashkent", "ru")
    assert len(await store.subscriptions(there)) == 1
    assert await store.chat(HERE) is None
    assert await store.subscriptions(HERE) == []
    assert [record.state for record in await store.records(there, 9)] == ["sent"] * 3
    await store.move_chat(HERE, "-100")
    assert await store.enqueue([out("a", there)], NOW) == 0


async def test_settings_of_the_new_chat_stay(store: SqliteStore):
    there = Address("telegram", "-100")
    await store.keep_chat(ChatSettings(HERE, "Asia/Tashkent", "ru"), [])
    await store.keep_chat(ChatSettings(there, "Asia/Dushanbe", "en"), [])
    await store.move_chat(HERE, "-100")
    chosen = await store.chat(there)
    assert chosen is not None
    assert chosen.zone == "Asia/Dushanbe"


# --- the ledger and its migration --------------------------------------------


async def test_the_report_tells_how_late_we_are(store: SqliteStore):
    for n in range(100):
        await store.enqueue([out(f"e{n}")], NOW)
        (delivery,) = await claim(store)
        await store.settle(delivery, Outcome("sent"), NOW + timedelta(seconds=n))
    report = await store.outbox_report(NOW + timedelta(hours=1))
    assert report.states == {"sent": 100}
    assert report.late == (timedelta(seconds=49), timedelta(seconds=94))
    assert (await store.outbox_report(NOW + 2 * DAY)).late is None


async def test_a_database_in_the_field_keeps_its_outbox(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    with closing(Database(str(path))) as db:
        migrations.apply(db, stop_before="m015_outbox")
        stamp = int(NOW.timestamp() * 1_000_000)
        instants = f"{stamp}, {stamp}, {stamp + 10**9}, {stamp}"
        db.conn.executescript(f"""
            PRAGMA application_id = {0x59616D63};
            INSERT INTO bodies (id, hash, message)
                VALUES (1, x'01', '{{"blocks": [], "buttons": [], "sample": false}}');
            INSERT INTO lanes (id, platform, chat, thread, ready_at) VALUES (1, 'telegram', '1', '', {stamp});
            INSERT INTO lanes (id, platform, chat, thread) VALUES (2, 'telegram', '2', '');
            INSERT INTO outbox (id, lane, event, kind, state, body, due_at, not_before, expires_at, created_at,
                settled_at, why)
                VALUES (1, 1, 'done', 'digest', 'sent', 1, {instants}, {stamp}, ''),
                       (2, 1, 'first', 'alert', 'pending', 1, {instants}, NULL, '{{"pair": "USD/KZT"}}'),
                       (3, 1, 'second', 'digest', 'pending', 1, {instants}, NULL, ''),
                       (4, 2, 'waits', 'article', 'pending', 1, {instants}, NULL, '');
            INSERT INTO outbox (id, lane, event, kind, state, body, due_at, not_before, expires_at, created_at, owner,
                lease_until, tries)
                VALUES (5, 2, 'flies', 'article', 'inflight', 1, {instants}, 'dead', {stamp}, 1);
            INSERT INTO outbox (id, lane, event, kind, state, body, due_at, not_before, expires_at, created_at,
                settled_at, last_error)
                VALUES (6, 2, 'bundled', 'article', 'withheld', 1, {instants}, {stamp}, 'bundle'),
                       (7, 2, 'gone', 'article', 'sent', 1, {instants}, {stamp}, '');
            DELETE FROM outbox WHERE id = 7;
        """)
    store = await open_store(path)
    assert (await store.ledger()).states == {"sent": 1, "pending": 3, "inflight": 1, "withheld": 1}
    (first,) = await claim(store)
    assert first.event == "first"
    (record,) = await store.records(HERE, 9, number=first.id)
    assert record.why == {"pair": "USD/KZT"}
    assert [bundle.ids for bundle in await store.due_bundles(NOW)] == [(6,)]
    assert await store.enqueue([out("done"), out("new")], NOW) == 1
    assert max(record.id for record in await store.records(HERE, 9)) > 7
    (flying,) = [delivery for delivery in await store.lapsed(NOW) if delivery.event == "flies"]
    await store.settle(flying, Outcome("pending", retry_at=NOW), NOW)
    assert await events(store) == ["waits"]
    await store.close()
    with closing(Database(str(path))) as db:
        assert {"outbox_articles", "outbox_bundled"} <= {index.name for index in db["outbox"].indexes}
