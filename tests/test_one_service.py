"""One service for a database: a second one is refused before it says or hears anything."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chats import Chats, open_chats, until
from tests.process import run
from tests.tally import Tell


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Chats]:
    with open_chats(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("times", [5, pytest.param(20, marks=pytest.mark.chaos)])
def test_a_second_service_on_a_database_is_refused(chats: Chats, times: int, tell: Tell):
    with chats.run() as service:
        until(lambda: "serving" in "".join(service.err) and chats.health("readyz")[0] == 200, 100, "ready")
        hellos = chats.telegram.calls["getMe"], len(chats.slack.calls)
        took, spent = [], resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        for _ in range(times):
            began = time.monotonic()
            second = run(chats.world.folder, "run", env=chats.env)
            took.append(time.monotonic() - began)
            assert second.returncode == 3
            assert second.stderr.splitlines()[-1].startswith("yamchi: ")
            assert "is in use by another `yamchi run`" in second.stderr
        spent = (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - spent) / times
        assert (chats.telegram.calls["getMe"], len(chats.slack.calls)) == hellos
        assert service.stop() == 0
    quick = sum(seconds < 2 for seconds in took)
    tell(
        f"second service: refused {times} of {times}, {quick} within 2 s, the slowest after {max(took):.2f} s, "
        f"at {spent:.2f} s of processor time each"
    )
