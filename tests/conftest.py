"""What many tests need: an empty store, and figures that are told at the end of the run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import settings

from storage.sqlite import SqlStore
from tests.stores import ABSENT, KINDS, empty_database, empty_store
from tests.tally import Tell

FIGURE = "figure"
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
CONTRACT = {
    "test_announce",
    "test_board",
    "test_deliver",
    "test_digests",
    "test_fanout",
    "test_lanes",
    "test_pairs",
    "test_privacy",
    "test_search",
    "test_slack",
    "test_slack_http",
    "test_store",
    "test_telegram_inbox",
    "test_telegram_kills",
    "test_three_chats",
    "test_watch",
    "test_webhook",
}
"""What every store promises is tested there; whoever speaks to people asks them by the same door."""


@pytest.fixture
def store_kind() -> str:
    """One of tests.stores.KINDS; the tests of CONTRACT meet each in turn."""
    return KINDS[0]


@pytest.fixture
async def store(store_kind: str, tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with empty_store(store_kind, tmp_path / "yamchi.db") as store:
        yield store


@pytest.fixture
def database(store_kind: str, tmp_path: Path) -> str:
    """DATABASE_URL for a program that works in tmp_path: an empty database of either kind."""
    return empty_database() if store_kind == "postgres" else f"sqlite:///{tmp_path}/data/yamchi.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    own = {mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")}
    of_contract = metafunc.module.__name__.rpartition(".")[2] in CONTRACT
    if "store_kind" in metafunc.fixturenames and of_contract and "store_kind" not in own:
        metafunc.parametrize("store_kind", KINDS)


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Says a line at the end. Printing would not do: what the processes of `pytest -n` print is seen by nobody."""
    return lambda line: record_property(FIGURE, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ended = [report for how in ("passed", "failed") for report in terminalreporter.getreports(how)]
    skipped = {str(report.longrepr[2]) for report in terminalreporter.getreports("skipped")}
    for reason in sorted(reason for reason in skipped if ABSENT in reason):
        terminalreporter.write_line(reason, red=True, bold=True)
    lines = [told for one in ended if one.when == "call" for name, told in one.user_properties if name == FIGURE]
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.line(line)
