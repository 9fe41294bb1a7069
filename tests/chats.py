"""The real service between a newsroom, the banks, Telegram and Slack, all of them fakes at the wire."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from handlers.slack.manifest import EVENTS_PAGE
from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.slack_courier import SECRET, Courier
from tests.fakes.telegram import FakeTelegram
from tests.ports import held_port
from tests.process import Running
from tests.world import BEFORE_NINE, World, open_world


@dataclass
class Chats:
    """env: all that the program needs to know; ahead: how far its clock is ahead of ours, see tests/launcher.py."""

    world: World
    telegram: FakeTelegram
    slack: FakeSlack
    env: dict[str, str]
    ahead: timedelta = timedelta(0)

    @property
    def database(self) -> Path:
        return self.world.folder / "data" / "yamchi.db"

    def run(self, at: timedelta = timedelta(0), stdin: int = subprocess.DEVNULL, **more: str) -> Running:
        begin = BEFORE_NINE + at
        self.ahead = begin - datetime.now(UTC)
        env = {**self.env, "YAMCHI_TEST_NOW": begin.isoformat(), **more}
        return Running(self.world.folder, "run", env=env, stdin=stdin)

    def now(self) -> datetime:
        """On the clock of the program that runs."""
        file = self.world.folder / "shift"
        return datetime.now(UTC) + self.ahead + timedelta(seconds=float(file.read_text()) if file.exists() else 0)

    def shift(self, by: timedelta) -> None:
        """Put the clock of a program that runs so far from where it began."""
        file = self.world.folder / "shift"
        new = file.with_suffix(".new")
        new.write_text(str(by.total_seconds()))
        new.replace(file)
        self.env["YAMCHI_TEST_SHIFT"] = str(file)

    def health(self, page: str) -> tuple[int, dict[str, Any]]:
        """What /healthz or /readyz says: its status and its checks."""
        address = f"http://{self.env['HTTP_LISTEN']}/{page}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return answer.status, json.load(answer)["checks"]
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)["checks"]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says, seen from outside."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as db:
            return db.execute(sql, values).fetchall()

    def heard(self, chat: int | str, *markers: str, digest: bool | None = False) -> int:
        """How many messages in a chat (a number: of Telegram; a name: of Slack) hold all of these texts.

        digest: only digests that came by themselves, or (None) whatever it is
        """
        said = self.telegram.messages(chat) if isinstance(chat, int) else self.slack.messages(chat)
        texts = [one.text for one in said]
        fitting = [text for text in texts if digest is None or digest == ("Digest for" in text.partition("\n")[0])]
        return sum(all(marker in text for marker in markers) for text in fitting)


@contextmanager
def open_chats(folder: Path, road: str = "socket") -> Iterator[Chats]:
    """road: by which Slack comes, its socket or HTTP."""
    ways = {"SLACK_APP_TOKEN": APP} if road == "socket" else {"SLACK_SIGNING_SECRET": SECRET}
    with open_world(folder) as world, FakeTelegram() as telegram, FakeSlack() as slack, held_port() as port:
        env = {
            **world.env,
            "TELEGRAM_BOT_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.url,
            "TELEGRAM_PAID_BROADCAST": "true",
            "SLACK_BOT_TOKEN": BOT,
            **ways,
            "SLACK_API_URL": slack.api_url,
            "HTTP_LISTEN": f"127.0.0.1:{port}",
        }
        chats = Chats(world, telegram, slack, env)
        slack.pages = f"http://127.0.0.1:{port}"
        if road == "http":
            slack.courier = Courier(slack.pages + EVENTS_PAGE, lambda: chats.now().timestamp())
        yield chats


def until(true: Callable[[], object], timeout: float, what: str) -> None:
    """Wait until this holds."""
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what}"
        time.sleep(0.05)
