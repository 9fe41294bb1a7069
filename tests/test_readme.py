"""The README alone, in a fresh clone: to the first answer in the terminal, in Telegram and in Slack."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chats import Chats, open_chats
from tests.process import ROOT
from tests.tally import Tell

ALONE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
TERMINAL, CHAT = 120, 300


@contextmanager
def serving(clone: Path, chats: Chats, *tokens: str) -> Iterator[None]:
    """`make run` with a .env made of .env.example: the tokens, and where their platforms are on this machine."""
    lines = (clone / ".env.example").read_text()
    for name in (*tokens, "TELEGRAM_API_URL", "SLACK_API_URL", "HTTP_LISTEN"):
        lines, found = re.subn(rf"^# {name}=.*$", f"{name}={chats.env[name]}", lines, flags=re.MULTILINE)
        assert found == 1, f"{name} stands once in .env.example"
    (clone / ".env").write_text(lines)
    running = subprocess.Popen(["make", "run"], cwd=clone, env=ALONE, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(20)


@pytest.mark.chaos
def test_the_readme_leads_to_an_answer_in_every_chat(tmp_path: Path, tell: Tell):
    clone = tmp_path / "yamchi"
    began = time.monotonic()
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    said = subprocess.run(
        ["make", "run"], cwd=clone, env=ALONE, input="/rates KZT\n", capture_output=True, text=True, timeout=TERMINAL
    )
    terminal = time.monotonic() - began
    assert said.returncode == 0, said.stderr
    assert "1 USD = " in said.stdout
    with open_chats(tmp_path) as chats:
        began = time.monotonic()
        with serving(clone, chats, "TELEGRAM_BOT_TOKEN"):
            chats.telegram.say(41, "/start")
            chats.telegram.wait_for(41, 1, timeout=CHAT)
            chats.telegram.say(41, "/subscribe daily 09:00")
            chats.telegram.wait_for(41, lambda one: "09:00" in one.text, timeout=CHAT)
        telegram = time.monotonic() - began
        began = time.monotonic()
        with serving(clone, chats, "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
            chats.slack.wait_for(lambda: chats.slack.links_opened, timeout=CHAT)
            reply = chats.slack.command("/subscribe", "daily 09:00")
        slack = time.monotonic() - began
    assert "09:00" in reply.text
    assert max(telegram, slack) < CHAT
    tell(f"from the README: terminal {terminal:.0f} s with the set-up, Telegram {telegram:.0f} s, Slack {slack:.0f} s")
