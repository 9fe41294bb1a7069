"""The long forms of the fault tests: `make chaos`. One line a row, and 1 at the end if a promise was broken.

.venv/bin/python -m tests.chaos [ROW ...]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests import fanout
from tests.faultcast import FULL
from tests.faultload import fault_load
from tests.verdict import judge

Row = Callable[[Path], tuple[str, bool]]
"""In a folder of its own: the figures, and whether what is promised held."""


def _delivery(tally: fanout.Tally, *, twice: int) -> tuple[str, bool]:
    kept = not (tally.lost or tally.disordered or tally.damaged) and tally.twice <= twice
    return f"{tally} (at most {twice} twice)", kept


def killed(folder: Path) -> tuple[str, bool]:
    tally = fanout.killed_at_random(folder, 200)
    return _delivery(tally, twice=200 * len(fanout.CHATS))


def killed_with_alerts(folder: Path) -> tuple[str, bool]:
    tally = fanout.killed_at_random(folder, 40, kinds=("digest", "alert", "article"))
    return _delivery(tally, twice=40 * len(fanout.CHATS))


def killed_at(point: str) -> Row:
    def row(folder: Path) -> tuple[str, bool]:
        return _delivery(fanout.killed_at(folder, point, 10), twice=10 * len(fanout.CHATS))

    return row


def stopped(folder: Path) -> tuple[str, bool]:
    tally = fanout.stopped(folder, 50)
    text, kept = _delivery(tally, twice=0)
    return text, kept and tally.slowest_stop < 10


def limited(folder: Path) -> tuple[str, bool]:
    windows = fanout.within_limits(folder, private=1_000, a_group=40, kills=3)
    return str(windows), windows.second <= 30 and windows.minute <= 20


def fault_loaded(folder: Path) -> tuple[str, bool]:
    lines = judge(fault_load(folder, FULL))
    return "".join(f"\n       {line}" for line in lines), all(line.held for line in lines)


ROWS: dict[str, Row] = {
    "kill -9 at random moments": killed,
    "kill -9, with alerts among digests": killed_with_alerts,
    **{f"kill -9 at {point}": killed_at(point) for point in fanout.POINTS},
    "SIGTERM in a fan-out": stopped,
    "Telegram's limits, killed meanwhile": limited,
    "the fault load": fault_loaded,
}


def main(wanted: list[str]) -> int:
    broken = 0
    for name, row in ROWS.items():
        if wanted and name not in wanted:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="yamchi-chaos-") as folder:
            figures, kept = row(Path(folder))
        broken += not kept
        print(f"{'ok    ' if kept else 'BROKEN'} {name} [{time.monotonic() - began:.0f} s]: {figures}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
