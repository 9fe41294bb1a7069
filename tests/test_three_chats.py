"""Console, Telegram and Slack beside each other in one real process, against the wire fakes."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.chats import Chats, open_chats
from tests.fakes.faults import status
from tests.fakes.slack import APP, BOT
from tests.process import QUIET, ROOT, run
from tests.slack_chat import ROADS
from tests.tally import Tell

HOSTILE = "<b>Oil & gas</b> <!channel> @here 2 < 3 \u202eevil\u202c 🚂 summit"
PLAIN = "Oil & gas @here 2 < 3 evil 🚂 summit"
"""Tags of an outlet are markup, so they go; all else is text."""
PATIENCE = 100
"""Seconds; the promise is 35."""


@pytest.fixture
def road() -> str:
    return "socket"


@pytest.fixture
def chats(tmp_path: Path, road: str) -> Iterator[Chats]:
    with open_chats(tmp_path, road) as opened:
        yield opened


def rates(text: str) -> set[str]:
    """The five rates in a board, grouping taken out."""
    lines = [line for line in text.splitlines() if re.match(r"\W*(KZT|KGS|UZS|TJS|TMT)\s+[\d,.]+", line)]
    return {re.search(r"[\d,.]*\d", line).group().replace(",", "") for line in lines}


def is_pushed(said: object) -> bool:
    """The digest that came by itself; the answer to /subscribe shows one as well."""
    text = str(getattr(said, "text", ""))
    return "Digest for" in text and "Subscribed" not in text


@pytest.mark.parametrize("road", ROADS)
def test_the_same_digest_and_the_same_figures_reach_all_three(chats: Chats, database: str):
    chats.env["DATABASE_URL"] = database
    feed = chats.world.outlet()
    chats.world.publish(feed, "The news of the day")
    with chats.run(stdin=subprocess.PIPE) as service:
        service.wait_for_log("serving")
        chats.telegram.say(7, "/subscribe daily 09:00")
        chats.telegram.wait_for(7, lambda said: "Subscribed" in said.text)
        slack_board = chats.slack.command("/rates").text
        chats.slack.command("/subscribe", "daily 09:00")
        service.say("/subscribe daily 09:00")
        service.wait_for("Subscribed")
        chats.telegram.say(7, "/rates")
        telegram_board = chats.telegram.wait_for(7, 2)[-1].text
        pushed = chats.telegram.wait_for(7, is_pushed)
        pushed = next(said.text for said in pushed if is_pushed(said))
        chats.slack.wait_for(lambda: any(map(is_pushed, chats.slack.messages("C1"))))
        on_slack = next(said.text for said in chats.slack.messages("C1") if is_pushed(said))
        on_console = service.wait_for("The news of the day")
        data = json.loads(run(chats.world.folder, "ask", "/rates", "--json", env=chats.env).stdout)["data"]
        assert service.stop() == 0
    expected = {rate["rate"] for rate in data["rates"]}
    assert len(expected) == 5
    for text in (slack_board, telegram_board, pushed, on_slack, on_console):
        assert rates(text) == expected
    for text in (pushed, on_slack, on_console):
        assert "The news of the day" in text and "Digest for Monday, 23 November" in text
    assert chats.telegram.rejected == [] and chats.slack.rejected == []


def test_titles_from_outside_are_plain_text_in_both(chats: Chats):
    feed = chats.world.outlet()
    chats.world.publish(feed, HOSTILE)
    with chats.run(LOG_LEVEL="DEBUG") as service:
        service.wait_for_log("feed read")
        chats.telegram.say(7, "/latest summit")
        assert PLAIN in chats.telegram.wait_for(7)[0].text
        assert PLAIN in chats.slack.command("/latest", "summit").text
        service.stop()
        said = "".join(service.out + service.err)
    assert chats.slack.mentions == []
    assert chats.telegram.rejected == [] and chats.slack.rejected == []
    assert not any(token in said for token in (chats.telegram.token, BOT, APP))


@pytest.mark.parametrize("code", [404, 401, 502])
def test_a_failed_poll_and_a_poisoned_update_leave_both_chats_answering(chats: Chats, code: int):
    with chats.run() as service:
        service.wait_for_log("serving")
        chats.telegram.fails("getUpdates", status(code, "<html>no</html>"))
        chats.telegram.poison()
        chats.telegram.say(7, "/rates KZT")
        assert "475.09" in chats.telegram.wait_for(7, timeout=PATIENCE)[0].text
        assert "475.09" in chats.slack.command("/rates", "KZT").text
        assert service.process.poll() is None


def test_a_dropped_socket_and_a_refused_link_leave_both_chats_answering(chats: Chats):
    with chats.run() as service:
        service.wait_for_log("serving")
        assert "475.09" in chats.slack.command("/rates", "KZT").text
        opened = chats.slack.links_opened
        chats.slack.refuse_link()
        chats.slack.drop("close")
        chats.slack.wait_for(lambda: chats.slack.links_opened > opened, PATIENCE)
        assert "475.09" in chats.slack.command("/rates", "KZT").text
        chats.telegram.say(7, "/rates KZT")
        assert "475.09" in chats.telegram.wait_for(7)[0].text


def test_a_chat_whose_token_is_refused_does_not_stop_the_other(chats: Chats):
    with chats.run(TELEGRAM_BOT_TOKEN="123456789:not-this-one") as service:
        service.wait_for_log("refuses TELEGRAM_BOT_TOKEN")
        assert "475.09" in chats.slack.command("/rates", "KZT").text
    alone = {**chats.env, "TELEGRAM_BOT_TOKEN": "123456789:not-this-one", "SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""}
    result = run(chats.world.folder, "run", env=alone)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "yamchi: Telegram refuses TELEGRAM_BOT_TOKEN"


def test_ten_kills_in_the_middle_of_a_digest_to_forty_chats_lose_none(chats: Chats, tell: Tell):
    feed = chats.world.outlet()
    chats.world.publish(feed, "The news of the day")
    people = range(1, 41)
    with chats.run(timedelta(hours=1)) as service:
        service.wait_for_log("serving")
        for person in people:
            chats.telegram.say(person, "/subscribe daily 09:00")
        for person in people:
            chats.telegram.wait_for(person)
        assert service.stop() == 0
    lost = duplicates = 0
    for day in range(1, 11):
        before = {person: len(chats.telegram.messages(person)) for person in people}

        def got(person: int, before: dict[int, int] = before) -> int:
            return len(chats.telegram.messages(person)) - before[person]

        until_kill = 1 + secrets.randbelow(38)
        with chats.run(timedelta(days=day, seconds=8)) as service:
            chats.slack.wait_for(lambda got=got, n=until_kill: sum(map(got, people)) >= n)
            service.kill()
        with chats.run(timedelta(days=day, minutes=1)) as service:
            service.wait_for_log("serving")
            chats.slack.wait_for(lambda got=got: all(got(person) for person in people), PATIENCE)
            assert service.stop() == 0
        lost += sum(not got(person) for person in people)
        duplicates += sum(got(person) - 1 for person in people if got(person) > 1)
    tell(f"10 kills, 400 digests: lost {lost}, sent twice {duplicates}")
    assert lost == 0


def test_a_new_command_is_one_function_and_every_surface_follows(tmp_path: Path):
    for room in ("bot", "handlers", "storage"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "handlers" / "menu" / "weather.py").write_text(
        "from bot.message import Message, Paragraph\n"
        "from bot.models import Answer, Request\n"
        "from handlers.menu.desk import Desk\n"
        "from handlers.menu.registry import command\n"
        "from typing import Annotated\n\n\n"
        '@command(group="about")\n'
        'async def weather(desk: Desk, ask: Request, city: Annotated[str, "Almaty"] = "") -> Answer:\n'
        '    """How the weather is on the steppe."""\n'
        '    return Answer(Message((Paragraph("Windy."),)))\n'
    )

    def told(*words: str) -> str:
        command = [sys.executable, "-m", "bot", *words]
        env = {**QUIET, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout

    assert told("ask", "/weather", "--sample").strip().endswith("Windy.")
    for words in (("ask", "/help", "--sample"), ("manifest", "botfather")):
        assert "How the weather is on the steppe." in told(*words)
    assert "/weather [Almaty]" in told("ask", "/help weather", "--sample")
    assert "weather" in told("manifest", "slack-socket")
