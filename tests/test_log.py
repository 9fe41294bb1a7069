from __future__ import annotations

import json
import logging

import pytest
import structlog

from bot.log import redact, set_up_logs

CANARY = "987654321:AAcanarycanarycanarycanarycanary0123"


@pytest.fixture(autouse=True)
def leave_logs_as_they_were():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def fail() -> None:
    raise ValueError(f"https://api.telegram.org/bot{CANARY}/getMe")


@pytest.mark.parametrize("style", ["console", "json"])
def test_no_secret_reaches_a_log_not_even_in_a_traceback(style, capsys: pytest.CaptureFixture[str]):
    set_up_logs("DEBUG", style, ["plain-secret"])
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("broken", url=f"x/{CANARY}", also="plain-secret")
        logging.getLogger("telegram").exception("said %s", "plain-secret")
    text = capsys.readouterr().err
    assert "broken" in text and "ValueError" in text
    assert "canary" not in text and "plain-secret" not in text


def test_json_logs_are_one_object_a_line(capsys: pytest.CaptureFixture[str]):
    set_up_logs("INFO", "json", [])
    structlog.get_logger().info("read", source="timesca", text="a\nb")
    logging.getLogger("other").warning("foreign")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["read", "foreign"]
    assert lines[0]["source"] == "timesca"


def test_foreign_text_cannot_fake_a_line(capsys: pytest.CaptureFixture[str]):
    set_up_logs("INFO", "console", [])
    structlog.get_logger().info("read", title="a\n2026-01-01 [error] faked")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_tokens_are_known_by_their_look_too():
    assert redact("xoxb-1234-abcdef and xapp-1-abcdefgh", []) == "[hidden] and [hidden]"
