"""What holds of the store in PostgreSQL alone; what it shares with SQLite's is in the tests of both."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import DatabaseError
from bot.message import Message, Paragraph
from bot.models import Address, Lease, Outcome, Outgoing
from storage.opening import open_writer
from storage.postgres.lock import PostgresLock
from storage.postgres.schema import NAMES
from storage.postgres.store import PostgresStore, open_postgres
from storage.values import one
from tests import postgres
from tests.process import run
from tests.stores import empty_database, look, require_postgres

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LEASE = NOW + timedelta(minutes=2)
SEARCH = ("search_reach", "article_terms", "article_beginnings", "article_vocabulary", "article_words")
OURS = {"article_words", "article_vocabulary", "yamchi_migrations", "senders"}
"""PostgreSQL's own: search, and what only several processes need."""


@pytest.fixture
def bare() -> Iterator[str]:
    """The address of a database without tables."""
    require_postgres()
    with postgres.shared().database() as url:
        yield url


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """A server of the test's own, whose commits are durable."""
    require_postgres()
    with postgres.server(durable=True) as own:
        yield own


def out(number: int, chat: str = "1") -> Outgoing:
    body = Message((Paragraph(str(number)),))
    return Outgoing(f"e{number}", Address("telegram", chat), "digest", body, NOW, NOW + timedelta(hours=6))


async def refused(url: str) -> str:
    with pytest.raises(DatabaseError) as told:
        await open_postgres(url)
    return str(told.value)


def test_both_engines_have_the_same_tables_and_columns(tmp_path: Path):
    """A migration that only one of them got is found here."""
    db = open_writer(tmp_path / "yamchi.db")
    tables = {name for name in db.table_names() if "sqlite_" not in name and not name.startswith(SEARCH)}
    here = {(table, column.name) for table in tables for column in db[table].columns}
    db.close()
    sql = "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'"
    there = {tuple(row) for row in look(empty_database(), f"{sql} AND table_name NOT LIKE 'procrastinate%'")}
    there.remove(("outbox", "shard"))
    assert here == {(table, column) for table, column in there if table not in OURS}


async def test_two_that_open_an_empty_database_at_once_both_find_it_whole(bare: str):
    stores = await asyncio.gather(*(open_postgres(bare) for _ in range(4)))
    for store in stores:
        await store.ping()
        await store.close()
    assert look(bare, "SELECT name FROM yamchi_migrations ORDER BY name") == [(name,) for name in NAMES]


async def test_a_foreign_and_a_newer_database_are_refused_and_left_untouched(bare: str):
    with postgres.psycopg.connect(bare, autocommit=True) as db:
        db.execute("CREATE TABLE theirs (id int)")
        assert "belongs to another program" in await refused(bare)
        db.execute("DROP TABLE theirs; CREATE TABLE yamchi_migrations (name text)")
        db.execute("INSERT INTO yamchi_migrations VALUES ('p999')")
        assert "newer Yamchi" in await refused(bare)
    assert look(bare, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == [("yamchi_migrations",)]


async def test_what_cannot_be_reached_or_entered_says_so(bare: str):
    assert "cannot be reached" in await refused("postgresql://yamchi:canary@127.0.0.1:1/none")
    missing = await refused(f"{bare}_missing")
    assert "does not exist" in missing
    with postgres.psycopg.connect(bare, autocommit=True) as db:
        db.execute("CREATE ROLE guest LOGIN")
    guest = await refused(bare.replace("yamchi@", "guest@"))
    assert "does not let this user" in guest


def test_a_database_that_cannot_be_reached_ends_the_program_with_one_line(tmp_path: Path):
    env = {"DATABASE_URL": "postgresql://yamchi:canary@127.0.0.1:1/none"}
    result = run(tmp_path, "ask", "/help", env=env)
    assert result.returncode == 3
    assert "cannot be reached" in result.stderr and "canary" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


async def test_text_sorts_by_its_code_points_whatever_the_database_does():
    url = empty_database()
    odd = look(
        url,
        "SELECT table_name::text, column_name::text FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name NOT LIKE 'procrastinate%'"
        " AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'",
    )
    assert odd == []


async def test_writers_of_several_processes_take_turns():
    """Two stores stand for two processes: what is checked and then written stays true in between."""
    url = empty_database()
    stores = [await open_postgres(url) for _ in range(3)]
    every = [out(number, str(number % 7)) for number in range(300)]
    kept = await asyncio.gather(*(store.enqueue(every[n::30], NOW) for n in range(30) for store in stores))
    assert sum(kept) == 300
    claimed: list[str] = []
    while any(taken := await asyncio.gather(
        *(store.claim(f"o{n}", ["telegram"], NOW, LEASE, 5) for n, store in enumerate(stores))
    )):  # fmt: skip
        assert len({one.address for each in taken for one in each}) == sum(map(len, taken))
        for store, each in zip(stores, taken, strict=True):
            claimed += [one.event for one in each]
            assert all(await asyncio.gather(*(store.settle(one, Outcome("sent"), NOW) for one in each)))
    assert sorted(claimed) == sorted(one.event for one in every)
    for store in stores:
        await store.close()


async def test_a_restart_of_the_server_is_survived_without_help(server: postgres.Server):
    with server.database() as url:
        store = await open_postgres(url)
        assert await store.enqueue([out(1)], NOW) == 1
        server.stop(postgres.signal.SIGQUIT)  # as if it had crashed
        with pytest.raises(DatabaseError, match="cannot be reached"):
            await store.ping()
        with pytest.raises(DatabaseError):
            await store.ledger()
        server.start()
        began = time.monotonic()
        assert (await store.ledger()).states == {"pending": 1}
        assert await store.enqueue([out(2)], NOW) == 1
        assert time.monotonic() - began < 30
        await store.close()


async def test_a_connection_lost_while_nobody_used_it_is_made_anew_unseen():
    url = empty_database()
    store = await open_postgres(url)
    await store.ledger()
    look(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
              " AND datname = current_database()")  # fmt: skip
    await store.ping()
    assert (await store.ledger()).states == {}
    await store.close()


async def test_commits_are_durable(server: postgres.Server):
    with server.database() as url:
        store = await open_postgres(url)
        assert await store._writer.run(one, "SHOW synchronous_commit") == "on"
        assert await store._writer.run(one, "SHOW fsync") == "on"
        await store.close()


def test_one_service_holds_the_lock():
    url = empty_database()
    mine, other = PostgresLock(url), PostgresLock(url)
    assert not mine.held_elsewhere()
    assert mine.acquire() and mine.acquire()
    assert other.held_elsewhere() and not mine.held_elsewhere()
    assert not other.acquire()
    threading.Timer(0.05, mine.release).start()
    assert other.acquire()
    other.release()
    assert not mine.held_elsewhere()


async def share(store: PostgresStore, owner: str, seconds: float = 0) -> Lease:
    now = NOW + timedelta(seconds=seconds)
    return await store.lease_tokens(owner, "telegram", now, now + timedelta(seconds=30))


async def test_senders_share_the_rate_and_never_have_more_than_all_of_it():
    url = empty_database()
    stores = {owner: await open_postgres(url) for owner in "abc"}
    held: dict[str, float] = {}
    for turn in range(6):
        for owner in "abc"[: turn + 1]:
            lease = await share(stores[owner], owner, turn * 10)
            held[owner] = 0.0 if lease.held_until else lease.share
            assert sum(held.values()) <= 1 + 1e-9
    assert held == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    assert (await share(stores["a"], "a")).share == pytest.approx(1 / 3)
    await stores["b"].close()  # as a kill would end it
    async with asyncio.timeout(10):  # the server takes a moment to see that a session is over
        while (await share(stores["a"], "a", 61)).share < 0.4:
            await asyncio.sleep(0.05)
    assert (await share(stores["a"], "a", 62)).share == pytest.approx(1 / 2)
    for store in stores.values():
        await store.close()


async def test_a_newcomer_is_silent_until_the_others_have_left_it_something():
    url = empty_database()
    old, new = await open_postgres(url), await open_postgres(url)
    assert (await share(old, "old")).share == 1
    lease = await share(new, "new", 5)
    assert lease.share > 0 and lease.held_until and lease.held_until > NOW + timedelta(seconds=10)
    assert (await share(old, "old", 10)).share == 0.5
    assert await share(new, "new", 15) == Lease(0.5)
    for store in (old, new):
        await store.close()


async def test_a_claim_is_given_up_for_lost_only_if_its_sender_lives_no_more():
    url = empty_database()
    living, starting = await open_postgres(url), await open_postgres(url)
    await share(living, "living")
    await living.enqueue([out(n, str(n)) for n in range(2)], NOW)
    (theirs,) = await living.claim("living", ["telegram"], NOW, LEASE, 1)
    (lost,) = await living.claim("dead", ["telegram"], NOW, LEASE, 1)
    assert [one.id for one in await starting.lapsed(NOW, ["telegram"])] == [lost.id]
    assert {one.id for one in await starting.lapsed(LEASE, ["telegram"])} == {lost.id, theirs.id}
    await living.close()
    async with asyncio.timeout(10):  # the server takes a moment to see that a session is over
        while len(await starting.lapsed(NOW, ["telegram"])) < 2:
            await asyncio.sleep(0.02)
    await starting.close()


async def test_what_a_sender_that_is_gone_had_in_hand_is_gone_on_with_by_one_that_lives():
    url = empty_database()
    living, gone = await open_postgres(url), await open_postgres(url)
    await share(gone, "gone")
    await gone.lease_tokens("gone", "slack", NOW, NOW + timedelta(seconds=30))
    await share(living, "living")
    await living.enqueue([out(n, str(n)) for n in range(2)], NOW)
    (lost,) = await gone.claim("gone", ["telegram"], NOW, LEASE, 1)
    await living.claim("living", ["telegram"], NOW, LEASE, 1)
    await gone.close()
    later = NOW + timedelta(seconds=40)
    assert await living.lapsed(later) == []  # it may have lost its session only
    await living._writer.run(lambda db: db.conn.execute("UPDATE senders SET asked = asked - interval '16 s'"))
    async with asyncio.timeout(10):  # the server takes a moment to see that a session is over
        while not await living.lapsed(later):
            await share(living, "living", 40)
    assert [one.id for one in await living.lapsed(later)] == [lost.id]
    await living.settle(lost, Outcome("sent"), later)
    assert (await share(living, "living", 40)).share == 1
    assert await living.lapsed(later) == []
    await living.close()


async def test_after_a_restart_of_the_server_a_lease_stands(server: postgres.Server):
    with server.database() as url:
        old, new = await open_postgres(url), await open_postgres(url)
        await share(old, "old")
        server.stop()
        server.start()
        assert (await share(new, "new", 5)).held_until
        assert (await share(old, "old", 10)).share == 0.5
        assert (await share(new, "new", 41)).share == 0.5
        for store in (old, new):
            await store.close()
