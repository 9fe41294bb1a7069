"""What ails a source, in the reader's language."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bot.compose.faults import PHRASES, fault
from bot.locales import tongue

ROOT = Path(__file__).parents[1] / "bot"
RAISE = ("fetch.py", "parsing.py", "adding.py", "sources/document.py", "sources/json_documents.py")


@pytest.mark.parametrize(
    ("noted", "english", "russian"),
    [
        ("HTTP 403", "HTTP 403", "HTTP 403"),
        ("timed out after 20 s", "timed out after 20 s", "нет ответа за 20 с"),
        ("larger than 0.5 MB", "larger than 0.5 MB", "больше 0.5 МБ"),
        (
            "cut short, 1 entry without a title or a web link",
            "cut short, 1 entry without a title or a web link",
            "лента обрывается, 1 запись без заголовка или ссылки",
        ),
        ("HTTP 403, a challenge page: blocked", "HTTP 403, a challenge page: blocked", None),
        ("USD twice, 1 and 2", "USD twice, 1 and 2", "USD twice, 1 and 2"),
        ("{n} {x}", "{n} {x}", "{n} {x}"),
    ],
)
def test_a_fault_is_worded_phrase_by_phrase(noted: str, english: str, russian: str | None):
    assert fault(noted, tongue("en")) == english
    assert russian is None or fault(noted, tongue("ru")) == russian


@pytest.mark.parametrize("name", RAISE)
def test_every_plain_phrase_of_a_feeds_error_is_known(name: str):
    raised = {
        str(call.args[0].value)
        for call in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "SourceError"
        if call.args and isinstance(call.args[0], ast.Constant)
    }
    assert raised - PHRASES <= {"cannot be parsed: no process can be started"}
