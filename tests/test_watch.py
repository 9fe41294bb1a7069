"""Alerts from a bank's new table to the outbox: who is told, in which words, and in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.announce import Announcer
from bot.message import Link
from bot.models import (
    AddedFeed,
    Address,
    Alert,
    Article,
    Catalogue,
    ChatSettings,
    Feed,
    Outcome,
    Outgoing,
    PollState,
    RateTable,
    Request,
    Sight,
)
from bot.sights import read_sight
from bot.watch import watch
from handlers import menu
from storage.schema import APPLICATION_ID, migrations
from storage.sqlite import SqliteStore, open_store
from tests.fixings import FRI, MON, NOON, ROADS, THU, TUE, WEEK, desk_of, keep, keep_week, printed
from tests.process import Running, run
from tests.sights import alert, sight
from tests.stores import new_store
from tests.world import BEFORE_NINE, World, open_world

AFTERNOON = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
WED = date(2026, 11, 25)
HERE, THERE = Address("telegram", "42"), Address("slack", "T1/C1")
BY_ID = {road.id: road for road in ROADS}
CATALOGUE = Catalogue((Feed("timesca", "The Times", "https://news.example/feed/", "en", ("KZ",)),), ROADS)


@pytest.fixture
async def store(store: SqliteStore) -> SqliteStore:
    await keep_week(store)
    return store


async def judge(store: SqliteStore, *tables: RateTable, now: datetime = AFTERNOON, **more: bool) -> list[Outgoing]:
    """What a poll that brings these tables tells, kept."""
    road = BY_ID[tables[0].source]
    known = await store.tables(road.id, now.date() + timedelta(days=4), 45)
    announcer = Announcer(store, CATALOGUE, "Asia/Almaty", "en", timedelta(hours=6))
    raised = await watch(announcer, road, known, tables, now, **more)
    await store.keep_tables(PollState(road.id), tables, raised.outgoing, now, raised.alerts)
    return raised.outgoing


def tenge(value: str, on: date = WED) -> RateTable:
    return printed("nbk", on, f"USD {value} EUR 547.00 RUB 5.60 KGS 5.40 UZS 3.90/100 TJS 50.60 CNY 66.00")


def told(outgoing: Sequence[Outgoing]) -> list[str]:
    return [f"{out.event} {out.state}" for out in outgoing]


async def sent(store: SqliteStore) -> list[str]:
    """What goes out."""
    events = []
    while claimed := await store.claim("me", ["telegram", "slack"], AFTERNOON, AFTERNOON + timedelta(hours=1), 50):
        for delivery in claimed:
            events.append(delivery.event)
            await store.settle(delivery, Outcome("sent"), AFTERNOON)
    return events


async def test_an_alert_tells_figure_rule_source_and_what_it_is_not(store: SqliteStore):
    await store.set_alert(alert("above", "480", id=0))
    (out,) = await judge(store, tenge("481.25"))
    assert (out.event, out.kind, out.state) == ("alert:1:2026-11-25", "alert", "pending")
    assert out.expires_at - out.due_at == timedelta(minutes=15)
    assert [block.text for block in out.message.blocks] == [
        "1 USD = 481.25 KZT from 25 Nov",
        "Alert 1: USD/KZT above 480. It was 470.00 on 24 Nov: +2.39%, 0.26% past the line.",
        "National Bank of Kazakhstan, official rate of 25 Nov 2026",
        "An official rate, not a bank's or a cash rate.",
    ]
    assert [button.command for button in out.message.buttons] == ["/alerts standing 1", "/chart USD/KZT 30d", "/why a1"]
    assert dict(out.why) == {
        "alert": "1",
        "rate": "481.25",
        "on": "2026-11-25",
        "before": "470.00",
        "before_on": "2026-11-24",
        "tick": "0.01",
        "source": "nbk",
    }
    assert await sent(store) == ["alert:1:2026-11-25"]
    assert [one.state for one in await store.alerts(HERE)] == ["fired"]


async def test_each_chat_is_told_in_its_language_of_its_own_alerts_only(store: SqliteStore):
    await store.keep_chat(ChatSettings(THERE, "Asia/Bishkek", "ru"), [])
    await store.set_alert(alert("above", "480", id=0))
    await store.set_alert(alert("above", "481", id=0, address=THERE))
    await store.set_alert(alert("above", "482", id=0, address=THERE))
    outgoing = await judge(store, tenge("481.25"))
    assert [(out.event, out.address) for out in outgoing] == [
        ("alert:1:2026-11-25", HERE),
        ("alert:2:2026-11-25", THERE),
    ]
    assert outgoing[1].message.blocks[1].text.startswith("Оповещение 2: USD/KZT выше 481.")


@pytest.mark.parametrize("value", ["47.231", "4725.00", "540.00"])
async def test_a_figure_that_is_held_fires_nothing(store: SqliteStore, value: str):
    await store.set_alert(alert("above", "475", id=0))
    await store.set_alert(alert("below", "400", id=0))
    held = replace(tenge(value), held=frozenset({("USD", "KZT")}))
    assert await judge(store, held) == []


async def test_the_first_look_a_carried_day_and_the_same_table_again_raise_nothing(tmp_path: Path):
    store = await new_store(tmp_path / "first.db")
    await store.set_alert(alert("above", "480", id=0))
    await store.set_alert(alert("move", "1", id=0))
    assert await judge(store, tenge("470.00", MON), tenge("481.25", TUE), now=NOON) == []
    assert await judge(store, tenge("481.25", TUE)) == []
    assert await judge(store, tenge("481.25", WED)) == []
    await store.close()


async def test_history_that_is_filled_in_raises_nothing(store: SqliteStore):
    await store.set_alert(alert("above", "480", id=0))
    await keep(store, tenge("490.00", date(2026, 11, 9)))
    assert await judge(store, tenge("470.00", TUE)) == []


async def test_a_cross_is_judged_when_either_leg_moves(store: SqliteStore):
    await store.set_alert(alert("move", "2", id=0, days=1, base="UZS", quote="TJS"))
    bank = printed("cbu", WED, "USD 12600.00 EUR 14020.00 RUB 149.95 KGS 139.05 KZT 25.87 TMT 3474.00")
    assert await judge(store, bank) == []  # Tajikistan has not printed Wednesday: there is no cross of it yet
    morning = datetime(2026, 11, 25, 3, 30, tzinfo=UTC)
    figures = "USD 9.3200 EUR 10.8799 RUB 0.1149 KZT 0.1975/10 KGS 1.0668/10"
    (out,) = await judge(store, printed("nbt", WED, figures), now=morning)
    assert out.message.blocks[0].text == "1,000 UZS = 0.73968 TJS from 25 Nov"
    assert any("Crossed through the dollar" in block.text for block in out.message.blocks)


async def test_a_cross_that_a_new_day_moves_by_itself_is_seen_at_the_next_look(store: SqliteStore):
    await store.set_alert(alert("move", "2", id=0, days=1, base="UZS", quote="TJS"))
    bank = printed("cbu", WED, "USD 12600.00 EUR 14020.00 RUB 149.95 KGS 139.05 KZT 25.87 TMT 3474.00")
    await judge(store, bank)
    midnight = datetime(2026, 11, 24, 19, 30, tzinfo=UTC)
    assert await judge(store, bank, now=midnight) == []
    assert told(await judge(store, bank, now=midnight, new_day=True)) == ["alert:1:2026-11-25 pending"]
    assert await judge(store, bank, now=midnight, new_day=True) == []


async def test_what_is_withheld_is_noted_with_its_reason_and_never_sent(store: SqliteStore):
    await store.set_alert(alert("above", "470.00", id=0))
    assert told(await judge(store, tenge("470.01"))) == ["alert:1:2026-11-25:step withheld"]
    assert await sent(store) == []
    (record,) = await store.records(HERE, 9)
    assert (record.state, record.detail) == ("withheld", "It is one step of the last printed digit.")
    assert record.why["tick"] == "0.01"


async def test_a_paused_chat_hears_of_no_alert_and_of_no_correction_and_of_the_next_fixing_after_it(store: SqliteStore):
    desk = replace(desk_of(store), clock=lambda: AFTERNOON)
    ask = Request(HERE, "/pause")
    for level in ("475", "480"):
        await store.set_alert(alert("above", level, id=0, standing=True))
    assert told(await judge(store, tenge("476.00"))) == ["alert:1:2026-11-25 pending"]
    assert "2 alerts: /alerts" in [block.text for block in (await menu.answer(desk, ask)).message.blocks]
    assert told(await judge(store, tenge("481.25"))) == [
        "alert:1:2026-11-25:481.25 withheld",
        "alert:2:2026-11-25:paused withheld",
    ]
    assert await sent(store) == ["alert:1:2026-11-25"]
    assert {record.detail for record in await store.records(HERE, 2)} == {"This chat was paused."}
    resumed = await menu.answer(desk, replace(ask, text="/resume"))
    assert [block.text for block in resumed.message.blocks] == ["Resumed", "2 alerts: /alerts"]
    tomorrow = AFTERNOON + timedelta(days=1)
    assert told(await judge(store, tenge("482.00", date(2026, 11, 26)), now=tomorrow)) == ["alert:2:2026-11-26 pending"]


async def test_headlines_are_of_the_country_money_first_and_never_of_a_feed_the_chat_does_not_see(store: SqliteStore):
    await store.set_alert(alert("above", "480", id=0))
    stranger = Feed("mine", "Mine", "https://mine.example/", "en", added=True)
    await store.add_feed(stranger, THERE, "7", NOON)
    assert [feed for feed in await store.added_feeds() if isinstance(feed, AddedFeed)]

    def article(n: int, title: str, *, source: str = "timesca", country: str = "KZ", opinion: bool = False) -> Article:
        url = f"https://news.example/{n}"
        published = AFTERNOON - timedelta(hours=n)
        return Article(source, url, url, title, "", "", published, countries=(country,), opinion=opinion)

    articles = [
        article(1, "A football match"),
        article(2, "Oil exports fall"),
        article(3, "The bank keeps its rate", source="mine"),
        article(4, "Inflation is up", country="KG"),
        article(5, "Why inflation is up", opinion=True),
        article(6, "The budget is passed"),
        article(7, "A marathon"),
    ]
    new = [(one, [one.url]) for one in articles]
    await store.keep_news(PollState("timesca"), new, {}, [], AFTERNOON - timedelta(minutes=9))
    (out,) = await judge(store, tenge("481.25"))
    links = [block.text for block in out.message.blocks if isinstance(block, Link)]
    assert links == ["Oil exports fall", "The budget is passed", "A football match"]


async def test_tables_alerts_and_messages_are_one_transaction(store: SqliteStore):
    kept = await store.set_alert(alert("above", "480", id=0))
    fired = replace(kept, state="fired", armed=False)
    broken = Outgoing("alert:1", HERE, "alert", object(), AFTERNOON, AFTERNOON)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r".+"):
        await store.keep_tables(PollState("nbk"), [tenge("481.25")], [broken], AFTERNOON, [fired])
    assert await store.alerts(HERE) == [kept]
    assert await store.newest_table("nbk") == TUE


async def test_what_a_person_ended_while_it_was_judged_stays_ended(store: SqliteStore):
    kept = await store.set_alert(alert("above", "480", id=0, standing=True))
    await store.set_alert(replace(kept, state="ended"))
    await store.keep_tables(None, [], [], AFTERNOON, [replace(kept, armed=False, fired_at=AFTERNOON)])
    assert await store.alerts(HERE) == [replace(kept, state="ended")]


async def test_an_alert_comes_back_as_it_was_set_and_nobody_else_may_change_it(store: SqliteStore):
    full = Alert(
        0,
        HERE,
        "UZS",
        "USD",
        "below",
        Decimal("0.0000830000"),
        AFTERNOON,
        created_by="7",
        expires_at=AFTERNOON + timedelta(days=9),
        snoozed_until=AFTERNOON,
        paused_at=NOON,
        paused_until=AFTERNOON,
        armed=False,
        told_on=TUE,
        told_rate=Decimal("0.00008283112000000001"),
        told_source="cbu",
        fired_at=NOON,
    )
    kept = await store.set_alert(full)
    assert await store.alerts(HERE) == [kept] == [replace(full, id=kept.id)]
    await store.set_alert(replace(kept, address=THERE, state="ended"))
    assert await store.alerts(HERE) == [kept]
    assert await store.alerts(replace(HERE, thread="5")) == await store.alerts(THERE) == []


async def test_only_alerts_that_a_figure_may_concern_are_read(store: SqliteStore):
    for order in (
        alert("above", "519"),
        alert("above", "521"),
        alert("below", "519"),
        alert("below", "521"),
        alert("above", "525", armed=False),
        alert("above", "400", armed=False),
        alert("move", "0.1"),
        alert("move", "1"),
        alert("above", "1", quote="KGS"),
        alert("above", "1", state="ended"),
        alert("above", "900", state="fired", told_on=MON, fired_at=NOON),
        alert("above", "900", state="fired", told_on=FRI, fired_at=NOON),
    ):
        await store.set_alert(replace(order, id=0))
    found = await store.alerts_to_judge(sight("518", "520"), [MON])
    assert [one.id for one, _ in found] == [1, 4, 5, 7, 11]
    assert await store.watched_pairs(AFTERNOON) == [("USD", "KGS"), ("USD", "KZT")]
    assert await store.watched_pairs(AFTERNOON + timedelta(days=90)) == [("USD", "KGS"), ("USD", "KZT")]


async def test_an_alert_of_a_chat_that_shut_us_out_waits_for_its_return(store: SqliteStore):
    await store.set_alert(alert("above", "519", id=0))
    await store.pause(HERE, "blocked", NOON)
    assert await store.alerts_to_judge(sight("518", "520"), []) == []
    await store.revive(HERE)
    assert [one.id for one, _ in await store.alerts_to_judge(sight("518", "520"), [])] == [1]


async def test_alerts_that_ended_are_forgotten_after_a_month(store: SqliteStore):
    old = AFTERNOON - timedelta(days=31)
    for order in (
        alert("above", "1", created_at=old),
        alert("above", "2", created_at=old, state="ended"),
        alert("above", "3", created_at=old, state="fired", fired_at=AFTERNOON - timedelta(days=29)),
        alert("above", "4", created_at=old, expires_at=AFTERNOON - timedelta(days=31)),
        alert("above", "5", created_at=old, expires_at=AFTERNOON - timedelta(days=1)),
    ):
        await store.set_alert(replace(order, id=0))
    await store.prune(AFTERNOON)
    assert [str(one.level) for one in await store.alerts(HERE)] == ["1", "3", "5"]


async def test_a_chat_reads_the_ledger_of_its_own_messages_only(store: SqliteStore):
    await store.set_alert(alert("above", "480", id=0))
    await store.set_alert(alert("above", "480", id=0, address=THERE))
    await judge(store, tenge("481.25"))
    (mine,) = await store.records(HERE, 9)
    assert await store.records(THERE, 9, number=mine.id) == []
    assert [one.event for one in await store.records(HERE, 9, event="alert:1:")] == ["alert:1:2026-11-25"]
    assert await store.records(HERE, 9, event="alert:2:") == []


async def test_a_database_of_before_is_carried_over(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    with closing(Database(str(path))) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(db, stop_before="m014_alerts")
        db.execute("INSERT INTO lanes (id, platform, chat, thread) VALUES (1, 'telegram', '42', '')")
        message = '{"blocks": [{"type": "paragraph", "text": "Hello", "spans": [], "small": false}], "buttons": [],'
        db.execute("INSERT INTO bodies (id, hash, message) VALUES (1, x'00', ?)", [message + ' "sample": false}'])
        db.table("outbox").insert(
            {
                "lane": 1,
                "event": "digest:7:2026-11-23",
                "kind": "digest",
                "state": "sent",
                "body": 1,
                "due_at": 0,
                "not_before": 0,
                "expires_at": 1,
                "created_at": 0,
                "settled_at": 0,
            }
        )
        db.conn.commit()
    store = await open_store(path)
    (record,) = await store.records(HERE, 9)
    assert (record.event, record.state, dict(record.why)) == ("digest:7:2026-11-23", "sent", {})
    assert await store.alerts(HERE) == []
    await store.close()


# --- what it looks at --------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "quote", "on", "tick"),
    [
        ("USD", "KZT", TUE, "0.01"),  # announced
        ("USD", "KGS", MON, "0.0001"),
        ("EUR", "KZT", TUE, "0.01"),
        ("KZT", "USD", TUE, "0.0000000453"),  # one step of the tenge, turned round
        ("UZS", "TJS", MON, "0.00000000886"),  # a step of either leg
        ("USD", "TMT", None, ""),
    ],
)
async def test_a_pair_is_seen_with_its_newest_fixing_and_its_smallest_step(
    store: SqliteStore, base: str, quote: str, on: date | None, tick: str
):
    seen = await read_sight(store, ROADS, NOON, base, quote)
    if on is None:
        assert not isinstance(seen, Sight)
        return
    assert isinstance(seen, Sight)
    assert (seen.on, seen.quote.base, seen.quote.quote) == (on, base, quote)
    assert f"{seen.tick:.3g}" == f"{Decimal(tick):.3g}"
    assert seen.days == tuple(sorted(seen.days))
    assert seen.days[0][0] in (THU, FRI)


def test_the_week_of_the_fixtures_has_an_announced_tenge():
    assert max(WEEK["nbk"]) == TUE


# --- the whole program -------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> AsyncIterator[World]:
    with open_world(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(("point", "least"), [("fetched:2", 1), ("kept:1", 1), ("handed:1", 0), ("sent:1", 1)])
def test_a_crash_neither_doubles_an_alert_nor_loses_one_that_nobody_had_in_hand(world: World, point: str, least: int):
    assert run(world.folder, "ask", "/alert KZT > 480", env=world.env).returncode == 0
    world.banks.set("nbk", BEFORE_NINE.date() + timedelta(days=1), {"USD": ("481.25", 1), "EUR": ("505.00", 1)})
    heard = 0
    for minutes, more in ((1, {"YAMCHI_TEST_CRASH": point}), (3, {}), (5, {})):
        now = (BEFORE_NINE + timedelta(minutes=minutes)).isoformat()
        with Running(world.folder, "chat", env={**world.env, "YAMCHI_TEST_NOW": now, **more}) as chat:
            if more:
                assert chat.process.wait(40) == 9
            else:
                chat.say("/rates KZT")
                chat.wait_for("481.25")
                asyncio.run(asyncio.sleep(2))
            heard += "".join(chat.out).count("USD/KZT above 480")
    assert least <= heard <= 1
