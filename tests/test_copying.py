"""`yamchi migrate-store`: all of a store comes over, whatever stops it on the way, and nothing else is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.errors import DatabaseError
from bot.message import Message, Paragraph
from bot.models import (
    Address,
    Alert,
    Article,
    ChatSettings,
    Content,
    Feed,
    Install,
    NewsQuery,
    Outcome,
    Outgoing,
    PollState,
    Schedule,
    Subscription,
    Update,
)
from storage.lock import ServiceLock
from storage.postgres.copying import copy_store
from storage.postgres.store import open_postgres
from storage.sqlite import SqlStore, open_store
from tests.fixings import keep_week, printed
from tests.process import run
from tests.stores import empty_database, look, new_store, require_postgres

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HERE = Address("telegram", "1")
ARTICLES = 230
AT_ONCE = 50


@pytest.fixture
def path(tmp_path: Path) -> Path:
    require_postgres()
    return tmp_path / "yamchi.db"


def out(number: int, kind: str = "digest") -> Outgoing:
    body = Message((Paragraph(f"{number} 'и' \\ ₸"),))
    return Outgoing(f"e{number}", Address("telegram", str(number % 9)), kind, body, NOW, NOW + timedelta(hours=6))


def order(address: Address = HERE) -> Subscription:
    content = Content(("вода", "oil \\ gas"), countries=("KZ",))
    return Subscription(0, address, Schedule("daily", time(9)), content, NOW, "7", NOW, NOW + timedelta(hours=5))


async def fill(path: Path) -> None:
    """Something in every table."""
    store = await new_store(path)
    stories = [
        Article(
            "bench",
            f"g{n}",
            f"https://n.example/{n}",
            f"Summit {n}",
            "Сессия\tмажилиса",
            "",
            NOW - n * timedelta(days=1),
            "ru" if n % 2 else "kk",
            countries=("KZ",),
            topics=("water",),
        )
        for n in range(ARTICLES)
    ]
    await store.keep_news(PollState("bench", etag="\\N"), [(a, [a.guid, a.url]) for a in stories], {}, [], NOW)
    await keep_week(store)
    slip = replace(printed("nbk", NOW.date() + timedelta(days=9), "USD 4800.00"), held=frozenset({("USD", "KZT")}))
    await store.keep_tables(None, [slip], [], NOW)
    await store.keep_chat(ChatSettings(HERE, "Asia/Almaty", "ru"), [])
    for n in range(20):
        await store.subscribe(order(Address("telegram", str(n))))
    last = await store.subscribe(order())
    await store.unsubscribe(HERE, [last.id])
    await store.set_alert(Alert(0, HERE, "USD", "KZT", "above", Decimal("520.10"), NOW))
    await store.add_feed(Feed("own", "Own", "https://own.example/", "en", added=True), HERE, "7", NOW)
    await store.keep_install(Install("slack", "T1", "sealed", None), NOW)
    await store.keep_updates([Update("telegram", str(n), '{"a": "\\u0000"}') for n in range(7)], NOW)
    await store.keep_token("token", HERE, "/latest", NOW)
    await store.hold("slack", NOW + timedelta(hours=1), "down")
    await store.enqueue([out(n, ("digest", "alert")[n % 2]) for n in range(300)], NOW)
    for delivery in await store.claim("me", ["telegram"], NOW, NOW + timedelta(minutes=1), 9):
        await store.settle(delivery, Outcome("sent", message_id="5"), NOW)
    await store.claim("me", ["telegram"], NOW, NOW + timedelta(minutes=1), 3)
    await store.ping()
    await store.close()


async def told(store: SqlStore) -> list[object]:
    """What a store says of itself."""
    query = NewsQuery(("summit",), countries=("KZ",), topics=("water",))
    return [
        await store.poll_states(),
        (await store.find_news(query, 300)),
        await store.subscriptions(HERE),
        await store.alerts(HERE),
        await store.tables("nbk", NOW.date(), 9),
        await store.ledger(),
        await store.added_feeds(),
        await store.installs("slack"),
        await store.chat(HERE),
        await store.lapsed(NOW + timedelta(minutes=2)),
        await store.records(HERE, 50),
    ]


async def test_a_whole_store_comes_over_and_goes_on_where_it_was(path: Path):
    await fill(path)
    url = empty_database()
    result = run(path.parent, "migrate-store", f"sqlite:///{path}", url)
    assert result.returncode == 0, result.stderr
    assert "outbox: 300 of 300" in result.stderr
    listed = {line.split()[0]: int(line.split()[1]) for line in result.stdout.splitlines()[:-1]}
    assert listed["articles"] == ARTICLES and listed["article_keys"] == 2 * ARTICLES and listed["outbox"] == 300
    assert all(listed.values()), listed
    old, new = await open_store(path), await open_postgres(url)
    assert await told(new) == await told(old)
    for store in (old, new):
        assert (await store.subscribe(order(Address("telegram", "new")))).id == 22  # 21 was, and is not given again
        assert await store.enqueue([out(1), out(1000)], NOW) == 1
        await store.close()
    again = run(path.parent, "migrate-store", f"sqlite:///{path}", url)
    assert again.returncode == 3
    assert "already; nothing was changed" in again.stderr


class Stopped(Exception):
    pass


@pytest.mark.parametrize("steps", [0, 3, 9, 16, 30])
async def test_a_copy_that_was_stopped_goes_on_and_nobody_opens_it_meanwhile(path: Path, steps: int):
    await fill(path)
    url = empty_database()
    left = steps
    seen: list[tuple[str, int]] = []

    def show(table: str, done: int, total: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Stopped

    with pytest.raises(Stopped):
        copy_store(path, url, show, AT_ONCE)
    with pytest.raises(DatabaseError, match="half copied"):
        await open_postgres(url)
    copied = copy_store(path, url, lambda table, done, _: seen.append((table, done)), AT_ONCE)
    assert len({one.table for one in copied}) == len(copied) == 20
    if steps > 16:
        assert dict(reversed(seen))["articles"] > 0  # began where the other ended
    assert look(url, "SELECT count(*) FROM article_words") == [(ARTICLES,)]
    store = await open_postgres(url)
    assert (await store.find_news(NewsQuery(("summit",)), 1)).total == ARTICLES
    await store.close()


async def test_what_changed_between_two_tries_is_found_out(path: Path):
    await fill(path)
    url = empty_database()

    def show(table: str, done: int, total: int) -> None:
        if table == "outbox" and done == total:
            raise Stopped

    with pytest.raises(Stopped):
        copy_store(path, url, show, AT_ONCE)
    store = await open_store(path)
    (delivery,) = await store.claim("me", ["telegram"], NOW, NOW + timedelta(minutes=1), 1)
    await store.settle(replace(delivery), Outcome("sent"), NOW)
    await store.close()
    with pytest.raises(DatabaseError, match="outbox: the copy differs"):
        copy_store(path, url, lambda *_: None)


async def test_a_store_in_use_is_not_copied(path: Path):
    await fill(path)
    lock = ServiceLock(path)
    assert lock.acquire()
    with pytest.raises(DatabaseError, match="in use"):
        copy_store(path, empty_database(), lambda *_: None)
    lock.release()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("sqlite:///none.db", "postgresql://h/d"), 3, "none.db does not exist"),
        (("postgresql://h/d", "sqlite:///none.db"), 2, "expected sqlite:///PATH and postgresql://"),
    ],
)
def test_what_cannot_be_copied_is_said_in_one_line(tmp_path: Path, words: tuple[str, str], code: int, said: str):
    result = run(tmp_path, "migrate-store", *words)
    assert (result.returncode, len(result.stderr.splitlines())) == (code, 1)
    assert said in result.stderr
    assert not list(tmp_path.iterdir())
