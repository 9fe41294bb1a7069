"""What is SQLite's own: the file, what may be done to it, and what a crash leaves of it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.errors import DatabaseError
from bot.message import Message, Paragraph
from bot.models import Address, Article, NewsQuery, Outgoing, PollState, Update
from storage import claims, lanes, ledger
from storage.lock import ServiceLock
from storage.opening import open_writer
from storage.schema import APPLICATION_ID, migrations
from storage.search import find_news, news_seen
from storage.sqlite import open_store
from storage.values import micros, one

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ROOT = Path(__file__).parent.parent


def digest(chat: int, event: str = "d") -> Outgoing:
    address = Address("telegram", str(chat))
    return Outgoing(event, address, "digest", Message((Paragraph("news"),)), NOW, NOW + timedelta(hours=6))


async def make(path: Path) -> bytes:
    """A store with a little of everything in it, closed again: its bytes."""
    store = await open_store(path)
    await store.keep_updates([Update("telegram", str(n), "{}" * 500) for n in range(60)], NOW)
    await store.enqueue([digest(n) for n in range(200)], NOW)
    await store.close()
    return path.read_bytes()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- opening -----------------------------------------------------------------


@pytest.mark.parametrize("make_empty", [False, True])
async def test_a_missing_or_empty_file_becomes_a_new_store(tmp_path: Path, make_empty: bool):
    path = tmp_path / "deep" / "er" / "yamchi.db"
    if make_empty:
        path.parent.mkdir(parents=True)
        path.touch()
    store = await open_store(path)
    await store.ping()
    await store.close()
    assert files(path.parent) == ["yamchi.db"]
    with closing(Database(str(path))) as db:
        assert one(db, "PRAGMA application_id") == APPLICATION_ID
        assert [m.name for m in migrations.applied(db)] == [m.name for m in migrations.pending(Database(memory=True))]


async def test_the_writer_is_durable_and_the_readers_cannot_write(tmp_path: Path):
    store = await open_store(tmp_path / "yamchi.db")
    wanted = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "query_only": 0}
    for pragma, value in wanted.items():
        assert await store._writer.run(one, f"PRAGMA {pragma}") == value
    with pytest.raises(DatabaseError):
        await store._readers.run(one, "DELETE FROM pulse")
    await store.close()


def zero_page(good: bytes) -> bytes:
    return good[:8192] + bytes(4096) + good[12288:]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda good: b"hello, this is no database\n" * 500,
    "three bytes": lambda good: b"abc",
    "zeros": lambda good: bytes(8192),
    "header only": lambda good: good[:100],
    "half": lambda good: good[: len(good) // 2],
    "cut in a page": lambda good: good[:-2000],
    "a page of zeros": zero_page,
    "header overwritten": lambda good: b"\xff" * 64 + good[64:],
    "first table overwritten": lambda good: good[:4096] + b"\x55" * 4096 + good[8192:],
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_refused_in_one_line_and_left_untouched(tmp_path: Path, damage: str):
    path = tmp_path / "yamchi.db"
    broken = DAMAGES[damage](await make(path))
    path.write_bytes(broken)
    with pytest.raises(DatabaseError, match=r"damaged|not a database") as refusal:
        await open_store(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert path.read_bytes() == broken
    assert files(tmp_path) == ["yamchi.db"]


@pytest.mark.parametrize("script", ["CREATE TABLE t (a)", "PRAGMA application_id = 7; CREATE TABLE t (a)"])
async def test_another_programs_database_is_refused_and_left_untouched(tmp_path: Path, script: str):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(script)
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="another program"):
        await open_store(path)
    assert path.read_bytes() == before
    assert files(tmp_path) == ["other.db"]


async def test_a_newer_schema_is_refused_and_left_untouched(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    await make(path)
    with closing(Database(str(path))) as db:
        db.table("_sqlite_migrations").insert({"migration_set": "yamchi", "name": "m999_moon", "applied_at": "later"})
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="newer"):
        await open_store(path)
    assert path.read_bytes() == before


async def test_a_file_whose_first_transaction_was_killed_is_recovered(tmp_path: Path):
    path, killed = tmp_path / "yamchi.db", tmp_path / "killed.db"
    await make(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = DELETE")
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE inbox SET raw = raw || raw")
        for ending in ("", "-journal"):
            shutil.copy(f"{path}{ending}", f"{killed}{ending}")
        writer.execute("ROLLBACK")
    assert killed.with_name("killed.db-journal").stat().st_size
    store = await open_store(killed)
    assert {len(update.raw) for update in await store.waiting_updates("telegram", 99)} == {1000}
    await store.close()


async def test_an_older_schema_is_brought_up_to_date(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    with closing(Database(str(path))) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(db, stop_before="m004_chats")
    store = await open_store(path)
    await store.ping()
    await store.close()
    with closing(Database(str(path))) as db:
        assert migrations.pending(db) == []


def an_older_store(path: Path, articles: int) -> None:
    """As it was before terms were indexed."""
    with closing(Database(str(path))) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(db, stop_before="m010_terms")
        told = [("ru", "Токаева встретили на саммите"), ("en", "Leaders at summits"), ("kk", "Саммиттің қорытындысы")]
        db.table("articles").insert_all(
            {
                "id": n + 1, "source": "timesca", "opinion": 0, "countries": "", "published": 1, "first_seen": 1,
                "language": told[n % 3][0], "guid": str(n), "url": f"https://news.example/{n}", "title": told[n % 3][1],
                "lead": "A lead", "text": "A text", "spans": "",
            }
            for n in range(articles)
        )  # fmt: skip


async def test_articles_of_an_older_store_are_indexed_anew(tmp_path: Path):
    an_older_store(tmp_path / "yamchi.db", 1501)
    store = await open_store(tmp_path / "yamchi.db", retention_days=1)
    counts = [(await store.find_news(NewsQuery((word,)), 6)).total for word in ("summit", "саммит", "tokayev", "lead")]
    assert counts == [500, 1000, 501, 1000]  # of 1,501, counted up to a thousand
    assert (await store.find_news(NewsQuery((), excluded=("lead",)), 6)).total == 0
    await store.prune(NOW)
    assert (await store.find_news(NewsQuery(("summit",)), 6)).total == 0
    await store.close()
    with closing(Database(str(tmp_path / "yamchi.db"))) as db:
        assert not [name for name in db.table_names() if name.startswith("articles_fts")]
        assert [trigger.name for trigger in db.triggers] == ["articles_unindexed"]


async def test_a_change_that_is_broken_off_leaves_an_older_store_as_it_was(tmp_path: Path):
    an_older_store(tmp_path / "yamchi.db", 600)
    with closing(Database(str(tmp_path / "yamchi.db"))) as db:
        db.execute("UPDATE articles SET title = x'ff' WHERE id = 599")  # no text
        before = db.schema
    with pytest.raises(TypeError):
        open_writer(tmp_path / "yamchi.db")
    with closing(Database(str(tmp_path / "yamchi.db"))) as db:
        assert db.schema == before


async def test_articles_of_a_database_in_the_field_are_kept_without_topics_or_story(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    with closing(Database(str(path))) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(db, stop_before="m011_stories")
        old = (9, "timesca", 0, ",KZ,", 1, 1, "en", "g", "https://news.example/1", "Water", "", "", "")
        db.execute(f"INSERT INTO articles VALUES ({', '.join('?' * len(old))})", old)
        db.execute("INSERT INTO article_keys VALUES (x'00', 9)")
    store = await open_store(path)
    found = await store.article(9)
    assert found is not None
    assert (found.title, found.countries, found.topics, found.story) == ("Water", ("KZ",), (), 0)
    tagged = Article("timesca", "g", "https://news.example/1", "Water", "", "", NOW, topics=("water",))
    await store.keep_news(PollState("timesca"), [], {9: (tagged, [])}, [], NOW)
    assert [one.id for one in (await store.find_news(NewsQuery(topics=("water",)), 6)).articles] == [9]
    await store.close()


async def test_how_far_back_totals_look_is_known_at_once_and_follows_the_news(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    with closing(Database(str(path))) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        migrations.apply(db, stop_before="m016_reach")
        db.conn.execute("""
            WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 100003)
            INSERT INTO articles
                (id, source, opinion, countries, published, first_seen, language, guid, url, title, lead, text)
            SELECT n, 'timesca', 0, '', 1, ?, 'en', n, n, 'News', '', '' FROM numbers""",
            (micros(NOW),))  # fmt: skip
        db.conn.commit()
    store = await open_store(path)
    oldest = "SELECT oldest FROM search_reach"
    assert await store._readers.run(one, oldest) == 3
    late = Article("timesca", "g", "https://news.example/1", "Water", "", "", NOW)
    await store.keep_news(PollState("timesca"), [(late, ["g"])], {}, [], NOW)
    await store.prune(NOW)
    assert await store._readers.run(one, oldest) == 4
    await store.close()


async def test_places_where_no_database_can_be_are_refused(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file" / "yamchi.db", Path("/dev/null"), Path("/proc/no/yamchi.db")):
        with pytest.raises(DatabaseError):
            await open_store(path)
    assert files(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(DatabaseError, match="cannot be written"):
        await open_store(tmp_path / "yamchi.db")


async def test_two_stores_share_a_file(tmp_path: Path):
    first, second = await asyncio.gather(*(open_store(tmp_path / "yamchi.db") for _ in range(2)))
    await asyncio.gather(*(store.keep_poll(PollState(f"{n}")) for n in range(20) for store in (first, second)))
    assert len(await first.poll_states()) == 20
    await first.close()
    assert len(await second.poll_states()) == 20
    await second.close()


# --- faults while at work ----------------------------------------------------


async def test_a_full_disk_is_told_and_gets_over_itself(tmp_path: Path):
    store = await open_store(tmp_path / "yamchi.db")
    await store.enqueue([digest(1)], NOW)
    pages = await store._writer.run(one, "PRAGMA page_count")
    await store._writer.run(one, f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(DatabaseError, match="disk is full"):
        await store.keep_updates([Update("telegram", str(n), "x" * 5000) for n in range(100)], NOW)
    assert (await store.ledger()).states == {"pending": 1}
    await store._writer.run(one, "PRAGMA max_page_count = 100000")
    assert await store.keep_updates([Update("telegram", "1", "x" * 50_000)], NOW) == 1
    await store.close()


async def test_a_write_waits_for_another_process_and_reads_go_on(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    store = await open_store(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        beat = asyncio.create_task(store.ping())
        await asyncio.sleep(0.1)
        assert await store.poll_states() == {}
        assert not beat.done()
        other.execute("COMMIT")
    await beat
    await store.close()


KILLED = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from bot.models import Outcome
from storage.sqlite import open_store
from tests.test_sqlite import NOW, digest

async def main(path):
    store = await open_store(path)
    await store.enqueue([digest(n) for n in range(500)], NOW)
    for delivery in await store.claim("me", {"telegram"}, NOW, NOW + timedelta(minutes=2), 500):
        await store.settle(delivery, Outcome("sent"), NOW)
        print(delivery.id, flush=True)

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("settled", [1, 40, 200])
async def test_kill_9_in_the_middle_of_settling_keeps_what_was_settled(tmp_path: Path, settled: int):
    path = tmp_path / "yamchi.db"
    with subprocess.Popen([sys.executable, "-c", KILLED, path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(settled)]
        child.kill()
        told += [int(line) for line in child.stdout]
    store = await open_store(path)
    left = await store.lapsed(NOW, {"telegram"})
    done = 500 - len(left)
    assert (await store.ledger()).states == {"sent": done} | ({"inflight": len(left)} if left else {})
    assert len(told) <= done <= len(told) + 1
    assert told == sorted(told)
    assert all(delivery.id > told[-1] for delivery in left)
    await store.close()


async def test_a_damaged_file_with_a_log_beside_it_keeps_both(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    with subprocess.Popen([sys.executable, "-c", KILLED, path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.kill()
    log = path.with_name("yamchi.db-wal").read_bytes()
    assert log
    broken = path.read_bytes()[:8192] + b"\x55" * 40_000
    path.write_bytes(broken)
    with pytest.raises(DatabaseError):
        await open_store(path)
    assert path.read_bytes() == broken
    assert path.with_name("yamchi.db-wal").read_bytes() == log


EXITS = """
import asyncio, sqlite3, sys
from pathlib import Path
from storage.sqlite import open_store

async def main(path):
    store = await open_store(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    beat = asyncio.create_task(store.ping())
    await asyncio.sleep(0.1)
    beat.cancel()
    return holder

holder = asyncio.run(main(Path(sys.argv[1])))
"""


def test_a_write_that_cannot_go_on_does_not_hold_up_the_exit(tmp_path: Path):
    subprocess.run([sys.executable, "-c", EXITS, tmp_path / "yamchi.db"], cwd=ROOT, check=True, timeout=20)


# --- speed that must not depend on size --------------------------------------


def plan(db: Database, sql: str, *values: object) -> str:
    return "\n".join(row["detail"] for row in db.query(f"EXPLAIN QUERY PLAN {sql}", values))


async def test_claiming_and_settling_scan_no_table(tmp_path: Path):
    await make(tmp_path / "yamchi.db")
    statements = {
        claims.READY: ("telegram", 0, 0, 9),
        claims.EXPIRE + " AND lane IN (SELECT value FROM json_each(?2))": (0, "[1]"),
        claims.TAKE: ("[1]", "me", 0),
        claims.SETTLE: ("sent", 0, 0, "", "", 0, 0, 0, 1, "me", 1),
        lanes.DEMOTE: ("[1]",),
        lanes.PROMOTE: ("[1]",),
        lanes.NEXT_UP: (1,),
        lanes.FORGIVE: ("telegram", "1"),
        ledger.FORGET: (0,),
        ledger.LAST: ("telegram", "1", ""),
    }
    with closing(Database(str(tmp_path / "yamchi.db"))) as db:
        for sql, values in statements.items():
            steps = plan(db, sql, *values)
            assert not {"SCAN outbox", "SCAN lanes", "SCAN bodies"} & set(steps.splitlines()), steps
            assert "TEMP B-TREE" not in steps, steps


async def test_a_search_sorts_nothing(tmp_path: Path):
    store = await open_store(tmp_path / "yamchi.db")
    asked: list[str] = []

    def watched(db: Database, query: NewsQuery) -> None:
        db.conn.set_trace_callback(asked.append)
        find_news(db, query, 6)
        db.conn.set_trace_callback(None)

    def explained(db: Database) -> list[str]:
        return [plan(db, sql) for sql in asked if sql.startswith("SELECT")]

    story = Article("timesca", "g", "https://news.example/1", "Summit", "", "", NOW)
    await store.keep_news(PollState("timesca"), [(story, ["g"])], {}, [], NOW)
    for query in (NewsQuery(("summit",), ("KZ",), before=2**50), NewsQuery(("summit",)), NewsQuery()):
        await store._writer.run(watched, query)
    plans = await store._writer.run(explained)
    assert len(plans) >= 7
    assert all("TEMP B-TREE" not in steps for steps in plans), plans
    assert await store._readers.run(news_seen, NOW - timedelta(days=1), NOW, NewsQuery(("summit",)), 9)
    await store.close()


# --- the lock ----------------------------------------------------------------


def test_the_lock_has_one_holder(tmp_path: Path):
    path = tmp_path / "data" / "yamchi.db"
    mine, other = ServiceLock(path), ServiceLock(path)
    assert not mine.held_elsewhere()
    assert mine.acquire()
    assert mine.acquire()
    assert not mine.held_elsewhere()
    assert other.held_elsewhere()
    assert not other.acquire()
    mine.release()
    mine.release()
    assert not other.held_elsewhere()
    assert other.acquire()
    other.release()


def test_the_lock_is_free_again_after_kill_9(tmp_path: Path):
    code = (
        "import sys, time; from pathlib import Path; from storage.lock import ServiceLock;"
        "lock = ServiceLock(Path(sys.argv[1])); print(lock.acquire(), flush=True); time.sleep(60)"
    )
    path = tmp_path / "yamchi.db"
    with subprocess.Popen([sys.executable, "-c", code, path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "True\n"
        assert ServiceLock(path).held_elsewhere()
        child.kill()
    assert ServiceLock(path).acquire()


def test_a_lock_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DatabaseError, match="cannot be written"):
        ServiceLock(tmp_path / "file" / "yamchi.db").acquire()


def test_a_look_at_the_lock_keeps_nobody_from_taking_it(tmp_path: Path):
    path = tmp_path / "yamchi.db.lock"
    path.touch()
    with path.open("ab") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        letting_go = threading.Timer(0.03, fcntl.flock, (looking, fcntl.LOCK_UN))
        letting_go.start()
        assert ServiceLock(tmp_path / "yamchi.db").acquire()
        letting_go.join()
