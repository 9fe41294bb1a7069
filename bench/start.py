"""How quickly the program answers, and what it holds while idle. Prints figures, asserts nothing.

    .venv/bin/python -m bench.start

ask     wall-clock seconds from process start to the end of `yamchi ask --sample "/rates"`, median of 7
idle    resident memory of `yamchi chat --sample` (main process, and with its children) after 75 s
run     `yamchi run` with Telegram and Slack, against their fakes: seconds from process start to the first
        answer in each, and its resident memory 75 s later
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.process import Running
from tests.world import open_world

ASK = [sys.executable, "-m", "bot", "ask", "--sample", "/rates"]
CHAT = [sys.executable, "-m", "bot", "chat", "--sample"]
ROUNDS = 7
IDLE_SECONDS = 75
"""Longer than a parsing process outlives its last document."""


def ask_seconds() -> float:
    started = time.perf_counter()
    subprocess.run(ASK, check=True, capture_output=True)
    return time.perf_counter() - started


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def tree_mb(pid: int) -> tuple[float, float]:
    """Megabytes of a process, and of it with its children."""
    main = resident_mb(pid)
    return main, main + sum(resident_mb(child) for child in children(pid))


def idle_mb() -> tuple[float, float]:
    """Of the console chat, after one answer."""
    with subprocess.Popen(CHAT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert process.stdin
        process.stdin.write(b"/rates\n")
        process.stdin.flush()
        time.sleep(IDLE_SECONDS)
        measured = tree_mb(process.pid)
        process.kill()
    return measured


def both_chats() -> tuple[float, float, float, float]:
    """Seconds to the first answer in Telegram and in Slack; megabytes as in tree_mb."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        telegram, slack = stack.enter_context(FakeTelegram()), stack.enter_context(FakeSlack())
        env = {
            **stack.enter_context(open_world(folder)).env,
            "POLL_NEWS_SECONDS": "3600",
            "POLL_RATES_SECONDS": "900",
            "TELEGRAM_BOT_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.url,
            "SLACK_BOT_TOKEN": BOT,
            "SLACK_APP_TOKEN": APP,
            "SLACK_API_URL": slack.api_url,
        }
        telegram.say(7, "/rates")
        started = time.perf_counter()
        service = stack.enter_context(Running(folder, "run", env=env))
        telegram.wait_for(7)
        in_telegram = time.perf_counter() - started
        slack.wait_for(lambda: slack.links_opened)
        slack.command("/rates")
        in_slack = time.perf_counter() - started
        time.sleep(IDLE_SECONDS)
        return in_telegram, in_slack, *tree_mb(service.process.pid)


def main() -> None:
    rounds = sorted(ask_seconds() for _ in range(ROUNDS))
    print(f"ask --sample /rates   median {statistics.median(rounds):.2f} s, worst {rounds[-1]:.2f} s of {ROUNDS}")
    main_mb, all_mb = idle_mb()
    print(f"chat --sample, idle   {main_mb:.0f} MB main process, {all_mb:.0f} MB with children")
    in_telegram, in_slack, main_mb, all_mb = both_chats()
    print(f"run, both chats       first answer: Telegram {in_telegram:.2f} s, Slack {in_slack:.2f} s")
    print(f"run, both chats idle  {main_mb:.0f} MB main process, {all_mb:.0f} MB with children")


if __name__ == "__main__":
    main()
