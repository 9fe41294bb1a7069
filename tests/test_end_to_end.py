"""The real process, talked to as a person would, against banks and outlets at the wire."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes import faults
from tests.fakes.web import FakeWeb
from tests.ports import held_port
from tests.process import Running, run
from tests.world import BEFORE_NINE, World, day, open_world

UGLY = re.compile(r"-0(\.0+)?\s?%|\b0\.00008\b|\[caption|&[a-z]+;|&#\d+;|Traceback")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def port() -> Iterator[int]:
    with held_port() as held:
        yield held


def figures(text: str) -> list[str]:
    return re.findall(r"\d[\d,.]*\d", text)


def test_a_piped_conversation_with_the_sample_edition_gets_six_good_answers(tmp_path: Path):
    said = "/rates\n/rates KZT\n/latest summit\n/subscribe daily 09:00\n/digest\n/help\n"
    result = run(tmp_path, "chat", "--sample", said=said)
    assert result.returncode == 0, result.stderr
    answers = re.split(r"^SAMPLE$", result.stdout, flags=re.MULTILINE)[1:]
    assert len(answers) == 6
    board, one, latest, subscribed, digest, help_ = answers
    assert all(code in board for code in ("KZT", "KGS", "UZS", "TJS", "TMT"))
    assert re.search(r"1 USD = [\d.]+ KZT", one)
    assert "1-6 of 7" in latest and "Opinion" in latest and "/latest summit before:" in latest
    assert "09:00" in subscribed and "Asia/Almaty" in subscribed
    assert "https://sample.invalid/" in digest and "KZT" in digest
    assert "/rates" in help_ and "/subscribe" in help_
    assert not UGLY.search(result.stdout)
    assert "\x1b" not in result.stdout
    assert result.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_the_next_page_of_the_sample_holds_the_seventh_summit(tmp_path: Path):
    first = run(tmp_path, "ask", "/latest summit", "--json", "--sample")
    page = json.loads(first.stdout)["data"]
    assert (page["total"], page["first"], page["last"], page["capped"]) == (7, 1, 6, False)
    assert len({article["id"] for article in page["articles"]}) == 6


def test_nothing_piped_prints_the_digest(tmp_path: Path):
    result = run(tmp_path, "chat", "--sample", said="")
    assert result.returncode == 0
    assert "Digest for" in result.stdout


def test_an_answer_shows_the_same_figures_as_its_json(world: World):
    data = json.loads(run(world.folder, "ask", "/rates", "--json", env=world.env).stdout)
    rates = {rate["quote"]: rate for rate in data["data"]["rates"]}
    assert {code: rate["rate"] for code, rate in rates.items()} == {
        "KZT": "475.09",
        "KGS": "87.4600",
        "UZS": "12149.84",
        "TJS": "9.3288",
        "TMT": "3.5",
    }
    assert rates["KZT"]["change"]["day"] == "-0.77"
    assert rates["KZT"]["effective_date"] == "2026-11-23"
    assert rates["TMT"]["kind"] == "peg"
    text = run(world.folder, "ask", "/rates", env=world.env).stdout
    assert {"475.09", "87.4600", "12,149.84", "9.3288", "3.5"} <= set(figures(text))
    assert "-0.77%" in text


def test_the_latest_news_of_an_outlet_are_fetched_for_the_one_who_asks(world: World):
    feed = world.outlet(shape="wordpress")
    world.publish(feed, *(f"Summit number {n}" for n in range(7)), "Something else")
    result = run(world.folder, "ask", "/latest summit", "--json", env=world.env)
    data = json.loads(result.stdout)["data"]
    assert (data["total"], [a["title"] for a in data["articles"]]) == (7, [f"Summit number {n}" for n in range(6)])
    assert data["articles"][0]["source"] == "timesca"
    assert world.web.asked(world.banks.path("nbk")) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faults.status(403), "403"),
        (faults.html_page(), "HTML page"),
        (faults.reset, "connection"),
        (faults.hang, ""),
    ],
)
def test_a_bad_source_is_one_line_in_sources_and_nothing_else_suffers(world: World, fault, said: str):
    good = world.outlet("timesca")
    world.publish(good, "A good article")
    with FakeWeb() as elsewhere:  # a host is asked one thing at a time, so the bad one has its own
        elsewhere.route("/bad", good.answer)
        elsewhere.route("/nbk", good.answer)
        elsewhere.fault("/", fault)
        sources = (world.folder / "sources.toml").read_text().replace(world.banks.url("nbk"), f"{elsewhere.url}/nbk")
        outlet = f'[[feeds]]\nid = "bad"\ntitle = "Bad News"\nlanguage = "en"\nurl = "{elsewhere.url}/bad"\n'
        (world.folder / "sources.toml").write_text(sources + outlet)
        env = {**world.env, "POLL_NEWS_SECONDS": "60", "FETCH_ALLOW": f"{world.env['FETCH_ALLOW']},{elsewhere.allow}"}
        result = run(world.folder, "chat", said="/latest good\n/rates\n/sources\n", env=env)
    assert result.returncode == 0
    assert "A good article" in result.stdout and "12,149.84" in result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith("Bad News")]
    assert len(lines) == 1 and said in lines[0]
    assert not UGLY.search(result.stdout + result.stderr)


def test_an_outlet_that_moved_is_looked_for_where_it_was_once_its_new_address_is_gone(world: World):
    here, first, second = world.outlet("here"), world.feeds.add("first"), world.feeds.add("second")
    world.publish(first, "Read at the first address")
    world.publish(second, "Read at the second address")

    def latest(hour: int) -> str:
        env = {**world.env, "YAMCHI_TEST_NOW": (BEFORE_NINE + timedelta(hours=hour)).isoformat()}
        return run(world.folder, "ask", "/latest", env=env).stdout

    (world.folder / "sources.toml").write_text(f'replace = true\n[[feeds]]\nid = "here"\nurl = "{here.url}"\n')
    world.web.fault(here.path, faults.redirect(first.url, 301))
    assert "first address" in latest(0)
    world.web.fault(first.path, faults.status(404))
    world.web.fault(here.path, faults.redirect(second.url, 301))
    assert "second address" not in latest(1)
    assert "second address" in latest(2)


def test_a_digest_comes_at_its_minute_in_the_zone_of_the_chat(world: World):
    feed = world.outlet()
    world.publish(feed, "The news of the day")
    with Running(world.folder, "chat", env=world.env) as chat:
        chat.say("/subscribe daily 09:00")
        answer = chat.wait_for("My subscriptions")
        text = chat.wait_for(lambda text: "475.09" in text.removeprefix(answer), timeout=40).removeprefix(answer)
        assert "The news of the day" in text
        assert "Digest for Monday, 23 November" in text and "475.09" in text
        chat.process.stdin.close()
        assert chat.process.wait(15) == 0


def test_an_instant_subscription_brings_each_new_article_and_fixing_once(world: World):
    feed = world.outlet()
    world.publish(feed, "Old one", "Old two")
    with Running(world.folder, "chat", env=world.env) as chat:
        chat.say("/latest")
        chat.wait_for("Old one")
        chat.say("/subscribe instant")
        answer = chat.wait_for("My subscriptions")
        world.publish(feed, "Fresh from the steppe", minutes=0)
        chat.wait_for("Fresh from the steppe")
        feed.change_guids()
        world.banks.set("nbk", day("2026-11-24"), {"USD": ("470.00", 1), "EUR": ("501.00", 1)})
        chat.wait_for("470.00")
        time.sleep(3)
        text = "".join(chat.out)
        assert text.count("Fresh from the steppe\n") == 1
        assert text.count("470.00") == 1
        assert "Old two" not in text.removeprefix(answer)


def test_without_a_network_the_sample_edition_is_offered_in_time(tmp_path: Path):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:  # the queue is full: every further connection is met with silence
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        (tmp_path / "sources.toml").write_text(
            f'replace = true\n[[feeds]]\nid = "a"\ntitle = "A"\nlanguage = "en"\nurl = "http://127.0.0.1:{port}/"\n'
            '[[feeds]]\nid = "b"\ntitle = "B"\nlanguage = "en"\nurl = "https://no-such-host.invalid/feed"\n'
        )
        started = time.monotonic()
        env = {"SOURCES_FILE": "sources.toml", "FETCH_ALLOW": f"127.0.0.1:{port}"}
        with Running(tmp_path, "chat", env=env, stdin=subprocess.DEVNULL) as chat:
            text = chat.wait_for("sample edition", timeout=20)
            waited = time.monotonic() - started
            chat.wait_for("Digest for")
            assert chat.process.wait(15) == 0
        for filler in fillers:
            filler.close()
    assert "No source can be reached" in text
    assert waited < 16, "the promise is 8 s"


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_database_is_refused_and_left_untouched(world: World, content: bytes):
    (world.folder / "data").mkdir()
    path = world.folder / "data" / "yamchi.db"
    path.write_bytes(content)
    result = run(world.folder, "ask", "/rates", env=world.env)
    assert result.returncode == 3
    assert len(result.stderr.splitlines()) == 1 and "data/yamchi.db" in result.stderr
    assert path.read_bytes() == content
    assert [p.name for p in path.parent.iterdir()] == ["yamchi.db"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [("/raets", "/rates"), ("/rates XYZ", "KZT, KGS, UZS, TJS, TMT"), ("/timezone Bishek", "Asia/Bishkek")],
)
def test_a_request_that_cannot_be_done_says_what_to_do_next(world: World, said: str, expected: str):
    plain = run(world.folder, "ask", said, env=world.env)
    assert (plain.returncode, plain.stdout) == (1, "")
    assert expected in plain.stderr
    as_json = run(world.folder, "ask", said, "--json", env=world.env)
    error = json.loads(as_json.stdout)["error"]
    assert as_json.returncode == 1
    assert expected in error["message"] + error["hint"]
    assert as_json.stderr == ""


def test_json_is_whole_where_the_terminal_knows_no_unicode(tmp_path: Path):
    env = {"PYTHONIOENCODING": "ascii"}
    result = run(tmp_path, "ask", "/language ru", "--json", "--sample", env=env)
    assert result.returncode == 0, result.stderr
    assert "Русский" in json.loads(result.stdout)["message"]["blocks"][0]["text"]


def test_half_of_slacks_tokens_ends_the_start_with_the_other_half_named(world: World):
    result = run(world.folder, "run", env={**world.env, "SLACK_BOT_TOKEN": "xoxb-1"})
    assert result.returncode == 2
    assert result.stderr == (
        "yamchi: SLACK_APP_TOKEN: not set, and Slack needs it beside SLACK_BOT_TOKEN"
        ", or SLACK_SIGNING_SECRET for HTTP\n"
    )


def test_a_bad_setting_ends_the_start_with_its_line(world: World):
    (world.folder / ".env").write_text("LOG_LEVEL=INFO\nDEFAULT_TIMEZONE=Nowhere\n")
    result = run(world.folder, "ask", "/rates", env=world.env)
    assert result.returncode == 2
    assert result.stderr == (
        "yamchi: .env line 2: DEFAULT_TIMEZONE: expected an IANA time zone, such as Asia/Tashkent\n"
    )


def get(url: str) -> tuple[int, dict]:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.status, json.load(answer)


def test_the_service_is_healthy_alone_on_its_database_and_ends_on_a_signal(world: World, port: int):
    env = {**world.env, "HTTP_LISTEN": f"127.0.0.1:{port}", "LOG_FORMAT": "json"}
    with Running(world.folder, "run", env=env, stdin=subprocess.DEVNULL) as service:
        service.wait_for_log("serving")
        status, body = get(f"http://{env['HTTP_LISTEN']}/healthz")
        assert status == 200 and body["ready"]
        second = run(world.folder, "run", env=world.env)
        assert second.returncode == 3 and "in use by another" in second.stderr
        asked = run(world.folder, "ask", "/rates KZT", env=world.env)
        assert "475.09" in asked.stdout
        assert service.stop() == 0
        assert all(json.loads(line) for line in service.err)


def test_a_busy_port_is_told_in_one_line(world: World):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        env = {**world.env, "HTTP_LISTEN": f"127.0.0.1:{taken.getsockname()[1]}"}
        result = run(world.folder, "run", env=env)
    assert result.returncode == 2
    assert "HTTP_LISTEN" in result.stderr.splitlines()[-1]


def test_no_token_is_ever_printed(world: World, port: int):
    canary = "123456789:AAcanarycanarycanarycanarycanarycan"
    secrets = {"TELEGRAM_BOT_TOKEN": canary, "SLACK_BOT_TOKEN": "xoxb-canary-1", "SLACK_APP_TOKEN": "xapp-canary-1"}
    closed = f"http://127.0.0.1:{port}"
    env = {**world.env, **secrets, "LOG_LEVEL": "DEBUG", "TELEGRAM_API_URL": closed, "SLACK_API_URL": closed + "/api/"}
    with Running(world.folder, "run", env=env, stdin=subprocess.DEVNULL) as service:
        service.wait_for_log("serving")
        time.sleep(3)
        service.stop()
        said = "".join(service.out + service.err)
    for words in (["doctor"], ["ask", "/status"], ["ask", "/sources"]):
        result = run(world.folder, *words, env=env)
        said += result.stdout + result.stderr
    assert "canary" not in said
    stored = (world.folder / "data" / "yamchi.db").read_bytes()
    assert b"canary" not in stored


@pytest.mark.parametrize("point", ["fetched:3", "kept:2", "claimed:1", "handed:1", "sent:1"])
def test_a_crash_at_any_point_loses_no_digest(world: World, point: str):
    feed = world.outlet()
    world.publish(feed, "The news of the day")
    env = {**world.env, "YAMCHI_TEST_NOW": BEFORE_NINE.replace(second=57).isoformat()}
    earlier = {**env, "YAMCHI_TEST_NOW": (BEFORE_NINE - timedelta(hours=1)).isoformat()}  # however slow the machine is
    assert run(world.folder, "ask", "/subscribe daily 09:00", env=earlier).returncode == 0
    with Running(world.folder, "chat", env={**env, "YAMCHI_TEST_CRASH": point}) as chat:
        assert chat.process.wait(40) == 9
        before = "".join(chat.out).count("Digest for")
    for minutes in (3, 10):  # the claim of the dead lapses; what it held is sent once more a minute later
        later = {**env, "YAMCHI_TEST_NOW": (BEFORE_NINE + timedelta(minutes=minutes)).isoformat()}
        with Running(world.folder, "chat", env=later) as chat:
            chat.say("/version")
            chat.wait_for("Yamchi 0")
            time.sleep(2)
            before += "".join(chat.out).count("Digest for")
    assert 1 <= before <= 2
