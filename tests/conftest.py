"""What many tests need: an empty store, and figures that are told at the end of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from storage.sqlite import SqliteStore
from tests.stores import KINDS, empty_store
from tests.tally import Tell

FIGURE = "figure"


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """Each kind of store in turn: one contract."""
    async with empty_store(request.param, tmp_path / "yamchi.db") as store:
        yield store


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Says a line at the end. Printing would not do: what the processes of `pytest -n` print is seen by nobody."""
    return lambda line: record_property(FIGURE, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ended = [report for how in ("passed", "failed") for report in terminalreporter.getreports(how)]
    lines = [told for one in ended if one.when == "call" for name, told in one.user_properties if name == FIGURE]
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.line(line)
