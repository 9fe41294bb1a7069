"""No secret leaves by a log, a report, a page of ours or the database, whatever fails."""

from __future__ import annotations

import gzip
import json
import logging
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import sentry_sdk
import structlog

from bot.errors import SettingsError
from bot.log import set_up_logs
from bot.reports import send_reports
from tests.chats import open_chats, until
from tests.fakes.faults import reset, status
from tests.fakes.slack import APP, BOT
from tests.tally import Tell

CANARY = "987654321:AAcanarycanarycanarycanarycanary0123"


@pytest.fixture(autouse=True)
def leave_logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    before, level, hooks = root.handlers[:], root.level, (sys.excepthook, threading.excepthook)
    yield
    root.handlers[:] = before
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks
    logging.raiseExceptions = True
    structlog.reset_defaults()


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_whole_service_at_debug_says_no_secret_whatever_fails(tmp_path: Path, style: str, tell: Tell):
    with open_chats(tmp_path) as chats:
        chats.telegram.open(41)
        path = f"/bot{chats.telegram.token}"
        chats.telegram.fault(f"{path}/sendMessage", status(500), times=2)
        chats.telegram.fault(f"{path}/getUpdates", reset, times=2)
        with chats.run(LOG_LEVEL="DEBUG", LOG_FORMAT=style) as service:
            service.wait_for_log("serving", 100)
            for text in ("/status", f"/latest {chats.telegram.token}", "/nonsense", "/admin status", "/export"):
                chats.telegram.say(41, text)
            until(lambda: len(chats.telegram.messages(41)) >= 3, 100, "answers")
            pages = [_page(chats.env["HTTP_LISTEN"], page) for page in ("healthz", "readyz", "metrics", "nothing")]
            service.stop()
        said = "".join([*service.out, *service.err, *pages])
        secrets = [chats.telegram.token.partition(":")[2], BOT, APP]
        stored = chats.database.read_bytes()
    lines = said.count("\n")
    assert lines > 50
    assert [secret for secret in secrets if secret in said] == []
    assert [secret for secret in (BOT, APP) if secret.encode() in stored] == []
    tell(f"secrets, {style} at DEBUG under faults: 0 in {lines} lines, the pages and the database")


def _page(listen: str, page: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{listen}/{page}", timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


def raised() -> ValueError:
    try:
        secret = CANARY  # a variable that a report could show
        raise ValueError(f"https://api.telegram.org/bot{secret}/getMe")
    except ValueError as error:
        return error


@pytest.mark.parametrize("style", ["console", "json"])
def test_what_nobody_caught_is_logged_without_secrets(style, capsys: pytest.CaptureFixture[str]):
    set_up_logs("INFO", style, ["plain secret+"])

    def fall() -> None:
        raise ValueError(f"{CANARY} plain secret+ plain%20secret%2B")

    thread = threading.Thread(target=fall)
    thread.start()
    thread.join()
    error = raised()
    sys.excepthook(type(error), error, error.__traceback__)
    logging.getLogger("x").warning("%d", f"{CANARY}")  # cannot be formatted
    text = capsys.readouterr().err
    assert text.count("fell") >= 2 and "ValueError" in text
    assert "canary" not in text and "plain" not in text


def test_a_secret_is_known_in_an_address_too(capsys: pytest.CaptureFixture[str]):
    set_up_logs("INFO", "json", ['a"b/c'])
    structlog.get_logger().warning("asked", url="https://x/?token=a%22b%2Fc", also=f"x/{CANARY.replace(':', '%3A')}/")
    text = capsys.readouterr().err
    assert "%22b" not in text and "canary" not in text


class Sentry(BaseHTTPRequestHandler):
    got: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sentry() -> Iterator[str]:
    Sentry.got = []
    server = HTTPServer(("127.0.0.1", 0), Sentry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://key@127.0.0.1:{server.server_port}/1"
    sentry_sdk.get_client().close(timeout=2)
    server.shutdown()
    server.server_close()


def test_an_error_is_reported_without_secrets_variables_or_people(sentry: str):
    set_up_logs("INFO", "json", ["plain-secret"])
    send_reports(sentry, ["plain-secret"])
    error = raised()
    structlog.get_logger("bot.track").error("feed failed", chat="telegram:424242", key="plain-secret", exc_info=error)
    structlog.get_logger().error("the store cannot be written")
    structlog.get_logger().warning("no report of this")
    sentry_sdk.flush(5)
    lines = [line for body in Sentry.got for line in body.splitlines()]
    events = [json.loads(line) for line in lines if b'"event_id"' in line and b'"level"' in line]
    assert len(events) == 2
    first = next(event for event in events if "exception" in event)
    assert first["exception"]["values"][0]["type"] == "ValueError"
    assert first["tags"] == {"logger": "bot.track", "event": "feed failed"}
    assert first["release"].startswith("yamchi@")
    whole = json.dumps(events)
    assert [word for word in ("canary", "plain-secret", "424242", "server_name", "vars") if word in whole] == []


def test_a_dsn_that_is_none_is_told():
    with pytest.raises(SettingsError, match="SENTRY_DSN: expected a DSN"):
        send_reports("nonsense", [])
