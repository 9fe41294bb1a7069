"""What is kept of a chat is handed over whole, and forgotten without a trace."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.message import File, Message, Paragraph
from bot.models import (
    Address,
    Alert,
    Answer,
    ChatSettings,
    Content,
    Feed,
    NewsQuery,
    Outcome,
    Outgoing,
    PollState,
    Request,
    Schedule,
    Subscription,
    Update,
)
from handlers import menu
from handlers.menu.desk import Desk
from storage.sqlite import SqliteStore
from tests.chats import open_chats, until
from tests.fixings import NOON, desk_of
from tests.test_store import story

CHAT, USER = "4200042", "7700077"
"""Numbers that nothing else in a database is likely to hold."""
HERE, TOPIC, ELSEWHERE = Address("telegram", CHAT), Address("telegram", CHAT, "9"), Address("telegram", "-5")
WORDS = "xylophonist"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "yamchi.db"


@pytest.fixture
async def store(store: SqliteStore) -> SqliteStore:
    await _fill(store)
    return store


async def _fill(store: SqliteStore) -> None:
    """A chat that uses everything, in two topics; the same person in a group; another chat."""
    content = Content(words=(WORDS,))
    for address in (HERE, TOPIC, ELSEWHERE):
        await store.keep_chat(ChatSettings(address, "Asia/Bishkek", "en"), [])
        due = NOON + timedelta(days=1)
        await store.subscribe(Subscription(0, address, Schedule("daily"), content, NOON, USER, next_due=due))
        await store.set_alert(Alert(0, address, "USD", "KZT", "above", Decimal(520), NOON, created_by=USER))
        await store.keep_token(f"t:{address}", address, f"/latest {WORDS}", NOON)
    await store.add_feed(Feed("mine", "Mine", f"https://{WORDS}.example/{CHAT}", "en"), HERE, USER, NOON)
    await store.add_feed(Feed("both", "Both", "https://both.example/", "en"), HERE, USER, NOON)
    await store.add_feed(Feed("both", "Both", "https://both.example/", "en"), ELSEWHERE, USER, NOON)
    await store.keep_news(PollState("mine"), [(story(1, source="mine"), ["k"])], {}, [], NOON)
    outgoing = [_out(f"e{n}", address) for n, address in enumerate((HERE, TOPIC, ELSEWHERE, HERE))]
    await store.enqueue(outgoing, NOON)
    for delivery in await store.claim("me", {"telegram"}, NOON, NOON + timedelta(minutes=1), 2):
        await store.settle(delivery, Outcome("sent"), NOON)
    said = {"message": {"chat": {"id": int(CHAT)}, "from": {"id": int(USER)}, "text": WORDS}}
    other = {"message": {"chat": {"id": -5}, "from": {"id": 1}, "text": f"x{CHAT}x"}}
    await store.keep_updates(
        [Update("telegram", "5", json.dumps(said)), Update("telegram", "6", json.dumps(other))], NOON
    )
    await store.keep_updates([Update("telegram", "7", json.dumps(said))], NOON)


def _out(event: str, address: Address) -> Outgoing:
    text = f"{WORDS} for {address}"
    return Outgoing(event, address, "digest", Message((Paragraph(text),)), NOON, NOON + timedelta(hours=6), why={})


@pytest.fixture
def desk(store: SqliteStore) -> Desk:
    return desk_of(store)


async def say(desk: Desk, text: str, **changes: object) -> Answer:
    return await menu.answer(desk, replace(Request(HERE, text, user=USER, update="7"), **changes))  # type: ignore[arg-type]


def told(answer: Answer) -> str:
    return "\n".join(block.text for block in answer.message.blocks)


def everything(path: Path) -> bytes:
    return b"".join(
        path.with_name(path.name + end).read_bytes() for end in ("", "-wal") if path.with_name(path.name + end).exists()
    )


async def exported(desk: Desk, **changes: object) -> dict[str, list[dict[str, object]]]:
    (file,) = (await say(desk, "/export", **changes)).message.blocks
    assert isinstance(file, File)
    assert file.name == "yamchi-my-data.json"
    return json.loads(file.content)  # type: ignore[no-any-return]


async def test_an_export_holds_every_row_of_the_chat(desk: Desk):
    kept = await exported(desk)
    counts = {name: len(rows) for name, rows in kept.items() if isinstance(rows, list)}
    of = {
        "outbox": 3,
        "subscriptions": 2,
        "lanes": 2,
        "chats": 1,
        "tokens": 2,
        "alerts": 2,
        "feed_readers": 2,
        "inbox": 2,
    }
    assert counts == of
    assert kept["subscriptions"][0]["content"] == {"words": [WORDS]}
    assert kept["subscriptions"][0]["next_due"] == (NOON + timedelta(days=1)).isoformat()
    assert WORDS in json.dumps(kept["outbox"][0]["message"])
    assert ELSEWHERE.chat not in json.dumps(kept)


async def test_a_group_is_not_told_who_set_what_nor_what_was_said(desk: Desk):
    kept = await exported(desk, private=False, user="1")
    assert USER not in json.dumps(kept)
    assert "inbox" not in kept


async def test_it_is_asked_first_and_only_an_admin_may_in_a_group(desk: Desk, path: Path):
    asked = await say(desk, "/forget_me")
    assert "delete all I keep of this chat" in told(asked)
    assert [button.command for button in asked.message.buttons] == ["/forget_me yes", "/export"]
    assert "everybody's here" in told(await say(desk, "/forget_me", private=False))
    refused = await say(desk, "/forget_me yes", private=False, is_admin=False)
    assert refused.error is not None
    assert (await say(desk, "/forget_me please")).error is not None
    assert await desk.store.subscriptions(HERE)


@pytest.mark.parametrize("store_kind", ["sqlite"])  # PostgreSQL's files are its own
async def test_nothing_of_a_forgotten_chat_is_left_in_the_files(desk: Desk, store: SqliteStore, path: Path):
    assert CHAT.encode() in everything(path)
    assert told(await say(desk, "/forget_me yes")) == "I have forgotten this chat. Say /start to begin anew."
    left = everything(path).replace(f"x{CHAT}x".encode(), b"")  # what another chat said is its own
    assert (left.count(CHAT.encode()), left.count(USER.encode())) == (0, 0)
    await store.close()
    left = everything(path).replace(f"x{CHAT}x".encode(), b"")
    assert (left.count(CHAT.encode()), left.count(USER.encode())) == (0, 0)


async def test_the_same_once_it_was_used_for_a_while(desk: Desk, store: SqliteStore, path: Path):
    """Rows that were changed and deleted before leave nothing behind either."""
    for n in range(50):
        await store.keep_chat(ChatSettings(HERE, "Asia/Almaty" if n % 2 else "Asia/Bishkek", "en"), [])
        first = (await store.subscriptions(HERE))[0]
        await store.unsubscribe(HERE, [first.id])
        await store.subscribe(replace(first, id=0, content=Content(words=(f"{WORDS}{n}",))))
        said = json.dumps({"chat": int(CHAT), "text": WORDS * n})
        await store.keep_updates([Update("telegram", f"n{n}", said)], NOON)
    await store.prune(NOON + timedelta(days=8))
    await say(desk, "/forget_me yes")
    left = everything(path).replace(f"x{CHAT}x".encode(), b"")
    assert (left.count(CHAT.encode()), left.count(USER.encode())) == (0, 0)


async def test_other_chats_keep_theirs_without_the_name(desk: Desk, store: SqliteStore):
    await say(desk, "/forget_me yes")
    (kept,) = await store.subscriptions(ELSEWHERE)
    assert (kept.created_by, kept.content.words) == ("", (WORDS,))
    assert [one.created_by for one in await store.alerts(ELSEWHERE)] == [""]
    assert [one.feed.id for one in await store.added_feeds()] == ["both"]
    assert (await store.find_news(NewsQuery(), 6)).total == 0
    assert await store.chat(HERE) is None
    assert await store.subscriptions(HERE, threads=True) == []
    waiting = await store.claim("me", {"telegram"}, NOON, NOON + timedelta(minutes=1), 9)
    assert [one.address for one in waiting] == [ELSEWHERE]


async def test_what_was_said_there_is_not_heard_again(desk: Desk, store: SqliteStore):
    await say(desk, "/forget_me yes")
    assert [update.key for update in await store.waiting_updates("telegram", 9)] == ["6"]
    assert await store.keep_updates([Update("telegram", "7", "{}")], NOON) == 0


async def test_a_chat_that_shut_us_out_is_forgotten_after_ninety_days(store: SqliteStore, path: Path):
    await store.pause(HERE, "blocked", NOON)
    await store.prune(NOON + timedelta(days=89))
    assert await store.chat(HERE)
    await store.prune(NOON + timedelta(days=91))
    assert await store.chat(HERE) is None
    assert await store.subscriptions(HERE, threads=True) == []
    assert await store.chat(ELSEWHERE)


async def test_privacy_says_how_long_things_are_kept(desk: Desk):
    said = told(await say(replace(desk, retention_days=33), "/privacy"))
    assert "for 33 days" in said and "7 days" in said and "14 days" in said


def test_a_person_in_telegram_is_forgotten_by_the_running_service(tmp_path: Path):
    chat = 424242424
    with open_chats(tmp_path) as chats:
        chats.telegram.open(chat)
        with chats.run(LOG_LEVEL="INFO") as service:
            service.wait_for_log("serving", 100)
            for text in ("/start", "/subscribe daily 09:00 xylophonist", "/alert KZT > 999", "/latest summit"):
                before = len(chats.telegram.messages(chat))
                chats.telegram.say(chat, text)
                until(lambda before=before: len(chats.telegram.messages(chat)) > before, 60, text)
            chats.telegram.say(chat, "/forget_me yes")
            until(lambda: chats.heard(chat, "I have forgotten this chat"), 60, "forgotten")
            until(lambda: not chats.rows("SELECT 1 FROM inbox WHERE state IN ('new', 'taken')"), 60, "settled")
            time.sleep(0.5)
            left = everything(chats.database)
            assert service.stop() == 0
    assert (left.count(str(chat).encode()), left.count(b"xylophonist")) == (0, 0)
