"""`yamchi doctor` on broken set-ups: it names the mistake and the cure, in one line each."""

# ruff: noqa: E501 - a set-up a line
from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.chats import open_chats
from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.process import Called, call
from tests.tally import Tell
from tests.world import World, open_world

GOOD = "123456789:AAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("world")) as opened:
        opened.outlet()
        yield opened


@dataclass
class Broken:
    """A set-up with one mistake. dotenv: lines; code: what doctor exits with; said: what its one line holds."""

    dotenv: str
    said: tuple[str, ...]
    code: int = 1
    env: dict[str, str] = field(default_factory=dict)
    before: Callable[[Path], object] = lambda _: None


def _damaged(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "yamchi.db").write_bytes(b"hello" * 1000)


def _foreign(folder: Path) -> None:
    (folder / "data").mkdir()
    with closing(sqlite3.connect(folder / "data" / "yamchi.db")) as db:
        db.execute("CREATE TABLE t (a)")


def _write(name: str, text: str = "") -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def _closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


CLOSED = f"http://127.0.0.1:{_closed_port()}"

# fmt: off
SETUPS: dict[str, Broken] = {
    "a misspelt name": Broken(
        f"TELEGRAM_TOKEN={GOOD}", ("line 1: TELEGRAM_TOKEN is no setting", "TELEGRAM_BOT_TOKEN?")
    ),
    "a name of another bot": Broken(
        "SLACK_VERIFICATION=x", ("line 1: SLACK_VERIFICATION is no setting", ".env.example")
    ),
    "an empty value": Broken("TELEGRAM_BOT_TOKEN=", (".env line 1: TELEGRAM_BOT_TOKEN is empty", "@BotFather"), 2),
    "no equals sign": Broken("LOG_LEVEL DEBUG", (".env line 1: expected NAME=value",), 2),
    "a zone that is none": Broken("DEFAULT_TIMEZONE=Almaty", ("DEFAULT_TIMEZONE", "an IANA time zone"), 2),
    "an operator by name": Broken("ADMINS=telegram:@aliya", ("ADMINS", "telegram:NUMBER"), 2),
    "no operator": Broken(
        f"TELEGRAM_BOT_TOKEN={GOOD}\nTELEGRAM_API_URL={CLOSED}", ("ADMINS is not set", "your own id")
    ),
    "a token cut short": Broken(
        f"TELEGRAM_BOT_TOKEN=123:AA\nTELEGRAM_API_URL={CLOSED}", ("does not look like", "copy it again")
    ),
    "Slack's tokens swapped": Broken(
        f"SLACK_BOT_TOKEN=xapp-1\nSLACK_APP_TOKEN=xoxb-1\nSLACK_API_URL={CLOSED}/api/",
        ("SLACK_BOT_TOKEN does not look like", "copy it again"),
    ),
    "half of Slack's tokens": Broken("SLACK_BOT_TOKEN=xoxb-1", ("SLACK_APP_TOKEN: not set, and Slack needs it",)),
    "a webhook for everybody": Broken(
        f"TELEGRAM_BOT_TOKEN={GOOD}\nTELEGRAM_API_URL={CLOSED}\nTELEGRAM_WEBHOOK_URL=https://x.example/telegram/webhook",
        ("TELEGRAM_WEBHOOK_SECRET: not set", "expected 1 to 256"),
    ),
    "a webhook without TLS": Broken(
        "TELEGRAM_WEBHOOK_URL=http://x.example/telegram/webhook\nTELEGRAM_WEBHOOK_SECRET=s",
        ("comes by https", "TLS proxy"),
    ),
    "a webhook elsewhere": Broken(
        "TELEGRAM_WEBHOOK_URL=https://x.example/hook\nTELEGRAM_WEBHOOK_SECRET=s", ("we answer at /telegram/webhook",), 0
    ),
    "a token in the address": Broken(
        "TELEGRAM_API_URL=https://api.example/bot123",
        ("TELEGRAM_API_URL: expected the server's root", "leave out /bot"),
    ),
    "Slack's address cut short": Broken("SLACK_API_URL=https://slack.example", ("SLACK_API_URL", "ends in /api/")),
    "a secret file that is not there": Broken(
        "", ("TELEGRAM_BOT_TOKEN_FILE: cannot read /no/token",), 2, {"TELEGRAM_BOT_TOKEN_FILE": "/no/token"}
    ),
    "a secret told twice": Broken(
        f"TELEGRAM_BOT_TOKEN={GOOD}\nTELEGRAM_API_URL={CLOSED}\nTELEGRAM_BOT_TOKEN_FILE=t",
        ("both set", "delete one"),
        1,
        {},
        _write("t", "x"),
    ),
    "a name set twice": Broken("LOG_LEVEL=INFO\nLOG_LEVEL=ERROR", ("line 1: LOG_LEVEL is set again",), 0),
    "secrets that others may read": Broken(
        "TELEGRAM_WEBHOOK_SECRET=s",
        ("others may read it; chmod 600 .env",),
        0,
        {},
        lambda folder: (folder / ".env").chmod(0o644),
    ),
    "a sources file that is not there": Broken("SOURCES_FILE=no.toml", ("SOURCES_FILE: cannot read no.toml",), 2),
    "a sources file with a slip": Broken(
        "SOURCES_FILE=s.toml", ("s.toml line 1: id is missing", "expected a short name"), 2, {}, _write("s.toml", '[[feeds]]\nurll = "x"\n')
    ),
    "an allowed host that is none": Broken(
        "FETCH_ALLOW=no-such-host.invalid:80", ("FETCH_ALLOW: no-such-host.invalid has no address",), 2
    ),
    "a damaged database": Broken("", ("is not a database", "Restore a backup or move it away"), 3, {}, _damaged),
    "another program's database": Broken("", ("belongs to another program",), 3, {}, _foreign),
    "a database in a file": Broken(
        "DATABASE_URL=sqlite:///file/yamchi.db", ("no database can be kept there",), 3, {}, _write("file")
    ),
    "a port for the world": Broken("HTTP_LISTEN=0.0.0.0:0", ("HTTP_LISTEN: others can reach", "127.0.0.1"), 0),
    "Telegram out of reach": Broken(
        f"TELEGRAM_BOT_TOKEN={GOOD}\nADMINS=telegram:1\nTELEGRAM_API_URL={CLOSED}",
        ("cannot be reached", "check the network"),
    ),
    "a format that is none": Broken("LOG_FORMAT=pretty", ("LOG_FORMAT: expected console or json",), 2),
}
# fmt: on


def examined(folder: Path, world: World, broken: Broken) -> Called:
    (folder / ".env").write_text(broken.dotenv + "\n")
    (folder / ".env").chmod(0o600)
    broken.before(folder)
    env = {**world.env, "SOURCES_FILE": str(world.folder / "sources.toml"), "HTTP_LISTEN": "127.0.0.1:0"}
    env = {name: value for name, value in env.items() if f"{name}=" not in broken.dotenv}
    return call(folder, "doctor", env={**env, **broken.env})


@pytest.mark.parametrize("name", SETUPS)
def test_the_mistake_and_its_cure_stand_in_one_line(tmp_path: Path, world: World, name: str):
    broken = SETUPS[name]
    done = examined(tmp_path, world, broken)
    lines = (done.stdout + done.stderr).splitlines()
    assert [line for line in lines if all(part in line for part in broken.said)], "\n".join(lines)
    assert done.returncode == broken.code
    if broken.code > 1:
        assert len(lines) == 1


def test_there_are_twenty_of_them_and_more(tell: Tell):
    assert len(SETUPS) >= 20
    tell(f"doctor: {len(SETUPS)} broken set-ups, the mistake and its cure named in one line each")


def test_a_good_set_up_has_no_mistakes(tmp_path: Path, world: World):
    with FakeTelegram() as telegram, FakeSlack() as slack:
        text = f"TELEGRAM_BOT_TOKEN={telegram.token}\nTELEGRAM_API_URL={telegram.url}\nADMINS=telegram:1,slack:T1/U2\n"
        text += f"SLACK_BOT_TOKEN={BOT}\nSLACK_APP_TOKEN={APP}\nSLACK_API_URL={slack.api_url}"
        done = examined(tmp_path, world, Broken(text, ()))
    bad = [line for line in done.stdout.splitlines() if not line.startswith("ok") and "clock" not in line]
    assert (bad, done.returncode, done.stderr) == ([], 0, "")


def test_a_token_that_is_refused_is_told(tmp_path: Path, world: World):
    with FakeTelegram() as telegram:
        text = f"TELEGRAM_BOT_TOKEN={GOOD}\nTELEGRAM_API_URL={telegram.url}\nADMINS=telegram:1"
        done = examined(tmp_path, world, Broken(text, ()))
    assert "Telegram refuses TELEGRAM_BOT_TOKEN; copy the token again" in done.stdout
    assert GOOD.partition(":")[2] not in done.stdout + done.stderr
    assert done.returncode == 1


def test_a_taken_port_is_told_unless_it_is_our_own_service(tmp_path: Path, world: World):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = examined(tmp_path, world, Broken(f"HTTP_LISTEN=127.0.0.1:{port}", ()))
    assert f"cannot listen on 127.0.0.1:{port} (Address already in use); choose another port" in done.stdout
    assert done.returncode == 1


def test_beside_a_running_service_it_finds_nothing_wrong(tmp_path: Path):
    with open_chats(tmp_path) as chats, chats.run() as service:
        service.wait_for_log("serving", 100)
        done = call(tmp_path, "doctor", env=chats.env)
        assert "a service runs on it" in done.stdout
        assert not [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
        copied = call(tmp_path, "backup", "b.db", env=chats.env)
        asked = call(tmp_path, "ask", "/rates KZT", env=chats.env)
        assert (done.returncode, copied.returncode, asked.returncode) == (0, 0, 0)
        assert service.stop() == 0
