"""`yamchi backup` and `yamchi restore`: whole, beside a running service, and nothing old is sent again."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import DatabaseError
from bot.message import Message, Paragraph
from bot.models import Address, NewsQuery, Outgoing, PollState, Schedule, Subscription, Update
from bot.models.chats import Content
from storage.backup import back_up
from storage.lock import ServiceLock
from storage.sqlite import open_store
from tests.fanout import FanOut, fan_out
from tests.process import LAUNCH, QUIET, call, run
from tests.stores import new_store
from tests.tally import Tell
from tests.test_sqlite import DAMAGES, make
from tests.test_store import story

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HERE = Address("telegram", "1")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder as an operator has it, with a database at its usual place."""
    asyncio.run(_fill(tmp_path / "data" / "yamchi.db"))
    (tmp_path / "backups").mkdir()
    return tmp_path


async def _fill(path: Path) -> None:
    store = await new_store(path)
    await store.keep_news(PollState("timesca", last_ok_at=NOW), [(story(1, "Summit"), ["k"])], {}, [], NOW)
    await store.subscribe(Subscription(0, HERE, Schedule("daily"), Content(), NOW, "7", next_due=NOW))
    past, coming = datetime.now(UTC) - timedelta(minutes=1), datetime.now(UTC) + timedelta(hours=1)
    await store.enqueue([_out("waits", past), _out("tonight", coming)], past)
    await store.keep_updates([Update("telegram", "5", "{}")], past)
    await store.close()


def _out(event: str, due: datetime) -> Outgoing:
    return Outgoing(event, HERE, "digest", Message((Paragraph(event),)), due, due + timedelta(hours=6))


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path, timeout=30)) as db:
        return db.execute(sql).fetchall()


# --- backup ------------------------------------------------------------------


def test_a_backup_is_one_whole_file_that_only_its_owner_may_read(place: Path):
    done = call(place, "backup", "backups/b.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("backups/b.db: ") and done.stdout.endswith("read through and whole\n")
    assert [path.name for path in (place / "backups").iterdir()] == ["b.db"]
    copy = place / "backups" / "b.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
    assert rows(copy, "SELECT title FROM articles") == [("Summit",)]


def test_a_folder_gets_a_file_named_by_the_time(place: Path):
    assert call(place, "backup", "backups", now=NOW).returncode == 0
    (made,) = (place / "backups").iterdir()
    assert made.name.startswith("yamchi-20261123T0400") and made.suffix == ".db"


@pytest.mark.parametrize("target", ["data/yamchi.db", "backups/there.db"])
def test_nothing_that_is_there_is_written_over(place: Path, target: str):
    (place / "backups" / "there.db").write_text("mine")
    before = (place / target).read_bytes()
    done = call(place, "backup", target)
    assert done.returncode == 3
    assert done.stderr == f"yamchi: {target} exists already and was left as it is; choose another name\n"
    assert (place / target).read_bytes() == before


def test_without_a_database_there_is_nothing_to_back_up_and_none_is_made(tmp_path: Path):
    done = call(tmp_path, "backup", "b.db")
    assert done.returncode == 3
    assert "data/yamchi.db does not exist" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["half", "a page of zeros", "text"])
async def test_of_a_damaged_database_no_backup_is_left(tmp_path: Path, damage: str):
    path = tmp_path / "yamchi.db"
    path.write_bytes(DAMAGES[damage](await make(path)))
    with pytest.raises(DatabaseError):
        back_up(path, tmp_path / "b.db", NOW)
    assert [found.name for found in tmp_path.iterdir()] == ["yamchi.db"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(place: Path):
    (place / "backups").chmod(0o500)
    done = call(place, "backup", "backups/b.db")
    assert done.returncode == 3 and "nothing can be written there" in done.stderr


async def test_a_backup_beside_a_writer_holds_what_was_committed_and_nothing_else(tmp_path: Path):
    path = tmp_path / "yamchi.db"
    store = await open_store(path)
    await store.keep_updates([Update("telegram", "1", "{}")], NOW)
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO inbox VALUES (99, 'telegram', '99', '{}', 'new', 0, 0, '', 0)")
        back_up(path, tmp_path / "b.db", NOW)
        writer.execute("COMMIT")
    assert rows(tmp_path / "b.db", "SELECT key FROM inbox") == [("1",)]
    assert len(await store.waiting_updates("telegram", 9)) == 2
    await store.close()


# --- restore -----------------------------------------------------------------


def test_a_restore_brings_everything_back_and_keeps_what_was_there(place: Path):
    assert call(place, "backup", "backups/b.db").returncode == 0
    path, copy = place / "data" / "yamchi.db", (place / "backups" / "b.db").read_bytes()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM subscriptions")
        db.commit()
    done = call(place, "restore", "backups/b.db")
    assert (done.returncode, done.stderr) == (0, "")
    told = done.stdout.splitlines()
    assert told[0] == "data/yamchi.db is backups/b.db now"
    assert told[2] == "2 messages are not sent, as they may have been since the backup; /why tells"
    before = next(found for found in path.parent.iterdir() if ".before-" in found.name)
    assert told[1] == f"what was there before is {before.relative_to(place)}; delete it when all is well"
    assert rows(before, "SELECT count(*) FROM subscriptions") == [(0,)]
    assert rows(path, "SELECT count(*) FROM subscriptions") == [(1,)]
    assert (place / "backups" / "b.db").read_bytes() == copy
    assert sorted(found.name for found in path.parent.iterdir()) == ["yamchi.db", before.name, "yamchi.db.lock"]


def test_what_was_due_before_a_restore_is_not_sent_and_what_comes_later_is(place: Path):
    assert call(place, "backup", "backups/b.db").returncode == 0
    assert call(place, "restore", "backups/b.db").returncode == 0
    path = place / "data" / "yamchi.db"
    outbox = dict(rows(path, "SELECT event, state || ' ' || last_error FROM outbox"))  # type: ignore[arg-type]
    skipped = next(event for event in outbox if str(event).startswith("digest:1:"))
    assert outbox.pop(skipped).startswith("expired")
    assert outbox == {"waits": "withheld restored", "tonight": "pending "}
    assert rows(path, "SELECT event FROM outbox WHERE ready_at IS NOT NULL") == [("tonight",)]
    assert rows(path, "SELECT state FROM inbox") == [("done",)]
    (due,) = rows(path, "SELECT next_due FROM subscriptions")[0]
    assert int(due) > time.time() * 1e6  # type: ignore[call-overload]


def test_a_new_machine_has_nothing_to_keep(place: Path, tmp_path_factory: pytest.TempPathFactory):
    assert call(place, "backup", "backups/b.db").returncode == 0
    fresh = tmp_path_factory.mktemp("fresh")
    done = call(fresh, "restore", str(place / "backups" / "b.db"))
    assert done.returncode == 0
    assert "before" not in done.stdout.splitlines()[1]
    assert rows(fresh / "data" / "yamchi.db", "SELECT title FROM articles") == [("Summit",)]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_replaced_and_kept_with_its_log(place: Path, damage: str):
    assert call(place, "backup", "backups/b.db").returncode == 0
    path = place / "data" / "yamchi.db"
    broken = DAMAGES[damage](path.read_bytes())
    path.write_bytes(broken)
    path.with_name("yamchi.db-wal").write_bytes(b"a log")
    assert call(place, "restore", "backups/b.db").returncode == 0
    before = next(found for found in path.parent.iterdir() if found.name.endswith("Z"))
    assert before.read_bytes() == broken
    assert rows(path, "SELECT title FROM articles") == [("Summit",)]


REFUSED: dict[str, tuple[Callable[[Path, bytes], object], str]] = {
    **{
        f"damaged: {name}": (lambda path, good, damage=damage: path.write_bytes(damage(good)), "")
        for name, damage in DAMAGES.items()
    },
    "missing": (lambda path, _: path.unlink(), "does not exist"),
    "a folder": (lambda path, _: (path.unlink(), path.mkdir()), "does not exist"),
    "of another program": (lambda path, _: (path.unlink(), rows(path, "CREATE TABLE t (a)")), "another program"),
    "newer": (
        lambda path, _: shutil.copy(_newer(path), path),
        "newer Yamchi",
    ),
}


def _newer(path: Path) -> Path:
    new = path.with_name("new.db")
    shutil.copy(path, new)
    with closing(sqlite3.connect(new)) as db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('yamchi', 'm999', '')")
        db.commit()
    return new


@pytest.mark.parametrize("what", REFUSED)
def test_a_backup_that_is_no_use_changes_nothing(place: Path, what: str):
    path, copy = place / "data" / "yamchi.db", place / "backups" / "b.db"
    back_up(path, copy, NOW)
    spoil, said = REFUSED[what]
    spoil(copy, copy.read_bytes())
    before = path.read_bytes()
    done = call(place, "restore", "backups/b.db")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1 and said in done.stderr
    assert path.read_bytes() == before
    assert {found.name for found in path.parent.iterdir()} <= {"yamchi.db", "yamchi.db.lock"}


def test_a_restore_does_not_touch_what_a_service_uses(place: Path):
    path = place / "data" / "yamchi.db"
    back_up(path, place / "backups" / "b.db", NOW)
    before, lock = path.read_bytes(), ServiceLock(path)
    assert lock.acquire()
    done = call(place, "restore", "backups/b.db")
    lock.release()
    assert done.returncode == 3 and "in use by another `yamchi run`" in done.stderr
    assert path.read_bytes() == before


async def test_nor_what_a_chat_in_a_terminal_has_open(tmp_path: Path):
    path = tmp_path / "data" / "yamchi.db"
    store = await open_store(path)
    await store.find_news(NewsQuery(), 1)
    back_up(path, tmp_path / "b.db", NOW)
    done = await asyncio.to_thread(call, tmp_path, "restore", "b.db")
    assert done.returncode == 3 and "open in another process" in done.stderr
    await store.ping()
    await store.close()


def test_a_restore_that_dies_leaves_the_old_one_and_can_be_repeated(place: Path):
    path = place / "data" / "yamchi.db"
    back_up(path, place / "backups" / "b.db", NOW)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE articles SET title = 'old'")
        db.commit()
    for point in ("prepared", "put-aside"):
        died = run(place, "restore", "backups/b.db", env={"YAMCHI_TEST_CRASH": f"{point}:1"})
        assert died.returncode == 9
        assert rows(path, "SELECT title FROM articles") == [("old",)]
    assert call(place, "restore", "backups/b.db").returncode == 0
    assert rows(path, "SELECT last_error FROM outbox WHERE event = 'waits'") == [("restored",)]
    assert not [found.name for found in path.parent.iterdir() if "restoring" in found.name]


@pytest.mark.chaos
def test_a_restore_that_is_killed_leaves_the_old_or_the_new_one(place: Path, tell: Tell):
    path, luck, kills = place / "data" / "yamchi.db", random.Random(), 40
    back_up(path, place / "backups" / "b.db", NOW)
    began = time.monotonic()
    assert run(place, "restore", "backups/b.db").returncode == 0
    lasts = time.monotonic() - began
    found: Counter[str] = Counter()
    for kill in range(kills):
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE articles SET title = ?", (f"old {kill}",))
            db.commit()
        with subprocess.Popen([*LAUNCH, "restore", "backups/b.db"], cwd=place, env=QUIET) as child:
            time.sleep(lasts * luck.uniform(0.5, 1.1))
            child.kill()
        (title,) = rows(path, "SELECT title FROM articles")[0]
        assert title in {f"old {kill}", "Summit"}
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        found["new" if title == "Summit" else "old"] += 1
    tell(f"restore killed {kills} times: {found['old']} times the old database, {found['new']} the new one, 0 in part")


# --- the drill ---------------------------------------------------------------


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.chaos)])
def test_a_backup_taken_in_a_fan_out_is_whole_and_after_its_restore_nothing_is_sent_again(
    tmp_path: Path, times: int, tell: Tell
):
    luck, whole, twice, lost, aside, messages = random.Random(), 0, 0, 0, 0, 400
    with fan_out(tmp_path, 0.6) as fan:
        for turn in range(times):
            asyncio.run(fan.enqueue(messages, run=turn))
            at = luck.randrange(1, messages // 4) + fan.arrived()
            with fan.start() as running:
                _until(lambda at=at: fan.arrived() >= at or not fan.waits())
                assert run(tmp_path, "backup", f"b{turn}.db").returncode == 0
                later = fan.arrived() + luck.randrange(1, messages // 2)
                _until(lambda later=later: fan.arrived() >= later or not fan.waits())
                assert running.stop() == 0
            whole += rows(tmp_path / f"b{turn}.db", "PRAGMA integrity_check") == [("ok",)]
            assert run(tmp_path, "restore", f"b{turn}.db").returncode == 0
            fan.finish()
            sent, held = _outcome(fan, turn)
            twice += sum(count - 1 for count in sent.values())
            missing = {f"{turn}/{number}" for number in range(messages)} - set(sent)
            lost += len(missing - held)
            aside += len(missing & held)
    tell(f"backup drill: {whole} of {times} whole, {twice} old messages sent again, {lost} lost, {aside} set aside")
    assert (whole, twice, lost) == (times, 0, 0)


def _outcome(fan: FanOut, turn: int) -> tuple[Counter[str], set[str]]:
    """How often each text of this turn arrived, and those that the restore set aside."""
    sent = Counter(text for _, text in fan.got() if text.startswith(f"{turn}/"))
    noted = fan.rows(f"SELECT event FROM outbox WHERE event LIKE 'run{turn}:%' AND last_error = 'restored'")
    return sent, {str(event).removeprefix("run").replace(":", "/") for (event,) in noted}


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
