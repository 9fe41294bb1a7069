"""How quickly the program answers, and what it holds while idle. Prints figures, asserts nothing.

    .venv/bin/python -m bench.start

ask     wall-clock seconds from process start to the end of `yamchi ask --sample "/rates"`, median of 7
chat    resident memory of `yamchi chat --sample` (main process, and with its children) after 60 s
run     `yamchi run` with Telegram and Slack, over the wire fakes, from an empty database: seconds from process
        start to the first answer in each chat, and then of the first search ever, for a Russian word (it loads the
        dictionary), median of 5; resident memory as above, 60 s after the answers: with news in English, when no
        Russian word was ever met, and with 200 articles in Russian
held    the longest time in which the event loop of a fresh service did nothing else while it answered its first
        question, a search for a Russian word; milliseconds, median of 5
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.ingest import stalls
from bot.config import Settings
from bot.log import set_up_logs
from bot.models import Address, Request
from bot.service import ROLES
from bot.wiring import World, live_core
from handlers import menu
from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.process import Running
from tests.world import open_world

ASK = [sys.executable, "-m", "bot", "ask", "--sample", "/rates"]
CHAT = [sys.executable, "-m", "bot", "chat", "--sample"]
HELD = [sys.executable, "-m", "bench.start", "held"]
ASK_ROUNDS = 7
RUN_ROUNDS = 5
IDLE_SECONDS = 60
POLL_SECONDS = "60"
"""Everything is polled at the start, and nothing again before we have looked."""


def ask_seconds() -> float:
    started = time.perf_counter()
    subprocess.run(ASK, check=True, capture_output=True)
    return time.perf_counter() - started


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def idle_mb(pid: int) -> tuple[float, float]:
    """Megabytes of the main process, and of it with its children."""
    time.sleep(IDLE_SECONDS)
    main = resident_mb(pid)
    return main, main + sum(resident_mb(child) for child in children(pid))


def chat_mb() -> tuple[float, float]:
    with subprocess.Popen(CHAT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin
        process.stdin.write(b"/rates\n")
        process.stdin.flush()
        found = idle_mb(process.pid)
        process.kill()
    return found


@dataclass
class Service:
    """The service while it runs. telegram, slack: seconds to the first answer there."""

    telegram: float
    slack: float
    pid: int
    chat: FakeTelegram

    def search(self, word: str) -> float:
        """Seconds until an answer."""
        asked = time.perf_counter()
        self.chat.say(7, f"/latest {word}")
        self.chat.wait_for(7, lambda said: word in said.text)
        return time.perf_counter() - asked


@contextmanager
def both_chats(*titles: str) -> Iterator[Service]:
    """The service with these articles in its one outlet."""
    with (
        TemporaryDirectory() as folder,
        open_world(Path(folder), datetime.now(UTC)) as world,
        FakeTelegram() as telegram,
        FakeSlack() as slack,
        ThreadPoolExecutor() as people,
    ):
        world.publish(world.outlet(language="ru" if "саммит" in titles[0] else "en"), *titles)
        env = {
            **world.env,
            "POLL_NEWS_SECONDS": POLL_SECONDS,
            "POLL_RATES_SECONDS": POLL_SECONDS,
            "TELEGRAM_BOT_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.url,
            "SLACK_BOT_TOKEN": BOT,
            "SLACK_APP_TOKEN": APP,
            "SLACK_API_URL": slack.api_url,
        }

        def on_telegram() -> float:
            telegram.say(7, "/version")
            telegram.wait_for(7)
            return time.perf_counter() - started

        def on_slack() -> float:
            slack.command("/rates")
            return time.perf_counter() - started

        started = time.perf_counter()
        with Running(world.folder, "run", env=env, stdin=subprocess.DEVNULL) as service:
            first = [people.submit(on_telegram), people.submit(on_slack)]
            yield Service(first[0].result(), first[1].result(), service.process.pid, telegram)


async def held() -> float:
    """The longest stall of the loop, in milliseconds."""
    with TemporaryDirectory() as name:
        sources = Path(name) / "sources.toml"
        sources.write_text("replace = true\n")
        settings = Settings(database_url=f"sqlite:///{name}/yamchi.db", sources_file=str(sources))
        async with live_core(settings, World(lambda: datetime.now(UTC), lambda _: None)) as core:
            stop, done = asyncio.Event(), asyncio.Event()
            answer = partial(menu.answer, core.desk)
            serving = asyncio.create_task(core.service({}).serve(answer, stop, core.lock, ROLES))
            await asyncio.sleep(1)
            watch = asyncio.create_task(stalls(done))
            await asyncio.sleep(0.1)
            said = await answer(Request(Address("telegram", "7"), "/latest саммит", language="ru", zone="Asia/Almaty"))
            assert not said.error
            done.set()
            stop.set()
            await serving
            return await watch


def held_ms() -> float:
    """The same of a process of its own."""
    return float(subprocess.run(HELD, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    if sys.argv[1:] == ["held"]:
        set_up_logs("CRITICAL", "console", ())
        print(asyncio.run(held()))
        return
    stalled = [held_ms() for _ in range(RUN_ROUNDS)]
    print(f"{'held, first question':24s}median {median(stalled):.0f} ms, worst {max(stalled):.0f} ms of {RUN_ROUNDS}")
    tell("ask --sample /rates", [ask_seconds() for _ in range(ASK_ROUNDS)])
    tell_held("chat --sample, idle", *chat_mb())
    answered = []
    for _ in range(RUN_ROUNDS):
        with both_chats("The news of the day") as service:
            answered.append((service.telegram, service.slack, service.search("саммит")))
    tell("run, Telegram /version", [telegram for telegram, _, _ in answered])
    tell("run, Slack /rates", [slack for _, slack, _ in answered])
    tell("run, first search", [search for _, _, search in answered])
    with both_chats("The news of the day") as service:
        tell_held("run, both chats, idle", *idle_mb(service.pid))
    with both_chats(*russian(200)) as service:
        tell_held("run, Russian news, idle", *idle_mb(service.pid))


def russian(articles: int) -> list[str]:
    """Titles of three thousand different words."""
    chance = random.Random(1)
    roots = ["".join(chance.choices("абвгдежзиклмнопрст", k=chance.randint(4, 9))) for _ in range(3000)]
    return ["саммит " + " ".join(chance.choices(roots, k=20)) for _ in range(articles)]


def tell(name: str, seconds: list[float]) -> None:
    print(f"{name:24s}median {median(seconds):.2f} s, worst {max(seconds):.2f} s of {len(seconds)}")


def tell_held(name: str, alone: float, tree: float) -> None:
    print(f"{name:24s}{alone:.0f} MB main process, {tree:.0f} MB with children")


if __name__ == "__main__":
    main()
