"""A store that cannot be written for a while: the disk is full, or another process holds the database.

Through the real process: nothing queued is lost, who only wants to read is answered meanwhile, and
when it is over all goes on by itself.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.chats import Chats, open_chats, until
from tests.process import Running, run
from tests.tally import Tally, Tell

AT_NINE = timedelta(seconds=30)
DAY = timedelta(days=1)
PATIENCE = 100
"""Seconds; a read's answer takes about two."""
READER, SUBSCRIBER = 7, 8
CHATS = (SUBSCRIBER, "C1")
UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Chats]:
    with open_chats(tmp_path) as opened:
        opened.world.outlet()
        opened.shift(timedelta())
        yield opened


@contextmanager
def no_byte_more(service: Running) -> Iterator[None]:
    """No file of this process may grow, or be written at all: SQLite says IOERR_WRITE."""
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (0, UNLIMITED))
    yield
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Every byte of a file system is taken: SQLite says FULL."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"\0" * 512)
            except OSError:
                break
    yield
    ballast.unlink()


HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Another process writes, and takes its time."""
    command = [sys.executable, "-c", HOLD, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        yield
        other.communicate("")


class Ordeal:
    """A service, two chats that get each day's digest, every article and fixing, and a trouble or several."""

    def __init__(self, chats: Chats, service: Running) -> None:
        self.chats = chats
        self.service = service
        self.feed = chats.world.feeds.feeds["timesca"]
        self.troubles = 0
        service.wait_for_log("serving")
        for words in ("daily 09:00", "instant"):
            chats.telegram.say(SUBSCRIBER, f"/subscribe {words}")
            chats.slack.command("/subscribe", words)
        chats.telegram.wait_for(SUBSCRIBER, 2)
        chats.world.publish(self.feed, "Article 0")
        until(lambda: all(chats.heard(chat, "Article 0") for chat in CHATS), PATIENCE, "the first article")

    @property
    def newcomer(self) -> int:
        return 100 + self.troubles

    def through(self, name: str, trouble: AbstractContextManager[None], seconds: float) -> Tally:
        """Suffer this for so long, then see what came, and how often. The printed figure is of what waited."""
        tally = Tally(name)
        self.troubles += 1
        read_before = len(self.chats.telegram.messages(READER))
        digests_before = {chat: self.chats.heard(chat, digest=True) for chat in CHATS}
        with trouble:
            self._suffer(seconds, read_before)
        self._recover(digests_before)
        for chat in CHATS:
            tally.saw("article", self.chats.heard(chat, f"Article {self.troubles}"))
            tally.saw("digest", self.chats.heard(chat, digest=True) - digests_before[chat])
        read = [said.text for said in self.chats.telegram.messages(READER)[read_before:]]
        for figure in ("475.09", "12,149.84"):
            tally.saw("reply", sum(figure in text for text in read))
        tally.saw("reply", self.chats.heard(self.newcomer, "Subscribed"))
        assert not tally.lost.total() and not tally.twice.total() and not tally.unknown.total(), str(tally)
        return tally

    def _suffer(self, seconds: float, read_before: int) -> None:
        """While the store cannot be written people ask, news comes, a digest falls due."""
        chats, began = self.chats, time.monotonic()
        chats.telegram.say(READER, "/rates KZT")
        chats.telegram.say(self.newcomer, "/subscribe weekly sun 10:00")
        chats.world.publish(self.feed, f"Article {self.troubles}", minutes=20)
        chats.shift(AT_NINE + (self.troubles - 1) * DAY)
        assert "475.09" in chats.slack.command("/rates", "KZT").text
        assert "475.09" in chats.telegram.wait_for(READER, read_before + 1, PATIENCE)[-1].text
        chats.telegram.say(READER, "/rates UZS")
        assert "12,149.84" in chats.telegram.wait_for(READER, read_before + 2, PATIENCE)[-1].text
        self.service.say("/rates TJS")
        self.service.wait_for(lambda said: said.count("9.3288") >= self.troubles)
        asked = run(chats.world.folder, "ask", "/rates KGS", env=chats.env)
        assert asked.returncode == 0 and "87.46" in asked.stdout, asked.stderr
        until(lambda: not chats.health("readyz")[1]["store"]["ok"], PATIENCE, "not ready")
        assert chats.health("readyz")[0] == 503
        assert chats.health("healthz")[0] == 200
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        assert self.service.process.poll() is None
        assert chats.telegram.messages(self.newcomer) == []

    def _recover(self, digests_before: dict[int | str, int]) -> None:
        """All that waited comes by itself."""
        chats = self.chats
        news = f"Article {self.troubles}"
        until(lambda: chats.heard(self.newcomer, "Subscribed"), PATIENCE, "the command that waited")
        until(lambda: all(chats.heard(chat, news) for chat in CHATS), PATIENCE, "the article that waited")
        until(lambda: all(chats.heard(c, digest=True) > digests_before[c] for c in CHATS), PATIENCE, "the digest")
        until(lambda: chats.health("readyz")[0] == 200, PATIENCE, "ready again")
        time.sleep(2)  # for what might come twice

    def end(self) -> None:
        assert self.service.stop() == 0
        log = "".join(self.service.err)
        assert "Traceback" not in log and "died" not in log, log
        chats = self.chats
        assert chats.rows("SELECT count(*) FROM subscriptions") == [(4 + self.troubles,)]
        assert chats.rows("PRAGMA integrity_check") == [("ok",)]
        assert chats.rows("SELECT count(*) FROM inbox WHERE state = 'new'") == [(0,)]
        assert chats.rows("SELECT DISTINCT state FROM outbox") == [("sent",)]
        assert chats.telegram.rejected == [] and chats.slack.rejected == []


def test_a_full_disk_and_a_held_database_are_borne_and_got_over(chats: Chats, tell: Tell):
    with chats.run(stdin=subprocess.PIPE) as service:
        ordeal = Ordeal(chats, service)
        ordeal.through("disk full (file-size limit)", no_byte_more(service), 5).print(tell)
        ordeal.through("database held for 5 s", held(chats.database), 5).print(tell)
        ordeal.end()


@pytest.mark.chaos
def test_long_troubles_are_borne_and_got_over(chats: Chats, tell: Tell):
    """33 seconds: longer than SQLite waits, so that some writes are refused."""
    with chats.run(stdin=subprocess.PIPE) as service:
        ordeal = Ordeal(chats, service)
        ordeal.through("disk full for 60 s (file-size limit)", no_byte_more(service), 60).print(tell)
        ordeal.through("database held for 33 s", held(chats.database), 33).print(tell)
        ordeal.end()


@pytest.mark.chaos
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_full_file_system_is_borne_and_got_over(chats: Chats, tell: Tell):
    disk = chats.database.parent
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(mounted.stderr)
    try:
        with chats.run(stdin=subprocess.PIPE) as service:
            ordeal = Ordeal(chats, service)
            ordeal.through("disk full for 30 s (tmpfs)", filled(disk), 30).print(tell)
            ordeal.end()
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.chaos
def test_a_database_held_by_another_process_does_not_hold_up_the_exit(chats: Chats):
    with chats.run() as service:
        service.wait_for_log("feed read")
        with held(chats.database):
            chats.telegram.say(READER, "/rates KZT")
            chats.telegram.wait_for(READER, 1, PATIENCE)
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(PATIENCE) == 0
