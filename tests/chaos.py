"""Every fault we promise to bear, in full: `make chaos`. One line a row, and 1 at the end if a promise was broken.

    .venv/bin/python -m tests.chaos            # all
    .venv/bin/python -m tests.chaos D1 "S3"    # rows that begin so

D: durability, P: PostgreSQL, S: schedule, T: Telegram, K: Slack, F: feeds, X: rates, U: people, W: webhook, L: a long
life.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests import fanout
from tests.conftest import FIGURE
from tests.faultcast import FULL
from tests.faultload import fault_load
from tests.verdict import judge

ROOT = Path(__file__).parent.parent
LANES = 2
"""So many rows of tests at a time, beside one that is none."""
TITLES = "test_titles_from_outside_are_plain_text_in_both"
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


@dataclass(frozen=True)
class Proven:
    """Tests of the suite, and the figures they tell. marks: which of them, as pytest's -m says it"""

    tests: tuple[str, ...]
    marks: str

    def __call__(self, folder: Path) -> tuple[str, bool]:
        report = folder / "report.xml"
        called = [sys.executable, "-m", "pytest", "-m", self.marks, f"--basetemp={folder / 'tests'}"]
        called += ["-o", "junit_family=xunit1", f"--junitxml={report}", *(f"tests/{test}" for test in self.tests)]
        ran = subprocess.run(called, cwd=ROOT, capture_output=True, text=True)
        if not report.exists():
            return ran.stdout + ran.stderr, False
        (suite,) = ET.parse(report).getroot()
        every, *amiss = (int(suite.get(name, "0")) for name in ("tests", "skipped", "failures", "errors"))
        figures = [one.get("value", "") for one in suite.iterfind(f"testcase/properties/property[@name='{FIGURE}']")]
        passed, kept = every - sum(amiss), not any(amiss[1:])
        told = f"{passed} of {every} tests" + (f", {amiss[0]} skipped" if amiss[0] else "")
        return "; ".join((told, *figures)) + ("" if kept else f"\n{ran.stdout}"), kept and passed > 0


def proven(*tests: str, long: bool = False) -> Proven:
    """long: only the forms that `make test` leaves out."""
    return Proven(tests, "chaos" if long else "chaos or not chaos")


ROWS: dict[str, Row] = {
    "D1 kill -9 at random moments": killed,
    "D1 kill -9, with alerts among digests": killed_with_alerts,
    **{f"D2 kill -9 at {point}": killed_at(point) for point in fanout.POINTS},
    "D3 SIGTERM in a fan-out": stopped,
    "D4 power cut": proven("test_power_cut.py", long=True),
    "D5 D6 disk full, database held by another process": proven("test_store_trouble.py", long=True),
    "D7 damaged, empty, foreign or newer database": proven(
        "test_sqlite.py::test_a_damaged_file_is_refused_in_one_line_and_left_untouched",
        "test_sqlite.py::test_another_programs_database_is_refused_and_left_untouched",
        "test_sqlite.py::test_a_newer_schema_is_refused_and_left_untouched",
        "test_sqlite.py::test_a_damaged_file_with_a_log_beside_it_keeps_both",
    ),
    "D7 databases of every schema in the field": proven("test_migrations.py"),
    "D8 backup and restore": proven("test_backup.py", long=True),
    "P1 several processes on PostgreSQL, any killed": proven("test_scale.py", long=True),
    "P2 PostgreSQL restarted, foreign, newer; a store copied into it": proven("test_postgres.py", "test_copying.py"),
    "P3 P4 web processes killed, ticks and turns of the dead": proven("test_scale_web.py", "test_engine.py"),
    "D9 a second service on the database": proven("test_one_service.py", long=True),
    "D9 a second poller on the token": proven(
        "test_telegram_inbox.py::test_another_poller_is_logged_once_a_minute_and_the_operators_hear_of_it"
    ),
    "S1 S2 down over a digest, the clock jumps": proven("test_clock.py"),
    "S3 every zone, 2024 to 2027, every half hour": proven("test_due.py"),
    "T1 to T5 the fault load": fault_loaded,
    "T1 Telegram's limits, killed meanwhile": limited,
    "T6 polling through trouble": proven(
        "test_telegram.py::test_polling_outlives_trouble",
        "test_telegram.py::test_the_start_outlives_trouble_too",
        "test_telegram_inbox.py",
    ),
    "T7 T8 kill -9 with commands unanswered, updates repeated": proven(
        "test_telegram_kills.py",
        "test_telegram.py::test_a_repeated_batch_is_handled_once",
        "test_webhook.py::test_a_repeated_update_is_answered_and_handled_once",
    ),
    "T9 U2 U4 fuzzed commands, forged buttons, other people's": proven("test_surface_fuzz.py", long=True),
    "T9 the walk over every value of every command": proven("test_surface_walk.py", long=True),
    "K1 K2 K4 Slack refuses, repeats, takes tokens away": proven(
        "test_slack.py", "test_slack_refusals.py", "test_slack_installs.py", "test_slack_sdk.py"
    ),
    "K1 to K4 Slack's acceptance, by both roads": proven(
        "test_slack_acceptance.py", "test_slack_socket.py", "test_follow_ups.py"
    ),
    "K3 forged and replayed requests": proven("test_slack_http.py"),
    "U3 ten thousand digests in Slack": proven("test_slack_digests.py", long=True),
    "U3 titles and bodies that inject": proven("test_emphasis.py", "test_three_chats.py::" + TITLES),
    "U3 hostile searches": proven("test_search.py", "test_menu.py", long=True),
    "F1 F7 manners towards a feed": proven("test_feed_polls.py", "test_polls.py"),
    "F2 F4 F5 hang, drip, bombs, redirects, private addresses, TLS": proven("test_fetch.py"),
    "F3 documents that attack": proven("test_parsing.py", "test_feed_shapes.py", "test_feeds.py"),
    "F6 F7 a day of nine feeds": proven("test_news_day.py"),
    "X1 X2 X4 nominal, slips, figures that are none": proven("test_formats.py", "test_suspicion.py", "test_money.py"),
    "X2 X3 a fortnight of twelve banks": proven("test_fortnight.py", "test_alert_fortnight.py"),
    "U1 a flood": proven("test_allowance.py", long=True),
    "U5 U6 rights": proven("test_surface_rights.py", "test_menu_admin.py"),
    "W1 webhook": proven("test_webhook.py"),
    "L1 secrets": proven("test_secrets.py", "test_metrics.py"),
    "L2 a task that dies": proven("test_service.py"),
    "L3 soak of 24 hours": proven("test_soak.py", long=True),
    "an image is made": proven("test_deploy.py", long=True),
    "the README alone, to the first answer in each chat": proven("test_readme.py", long=True),
}


def main(wanted: list[str]) -> int:
    """Rows that are tests run beside the others, LANES at a time: most of an hour of those is waiting."""
    began = time.monotonic()
    rows = {name: row for name, row in ROWS.items() if not wanted or name.startswith(tuple(wanted))}
    with ThreadPoolExecutor(LANES) as beside:
        tests = [beside.submit(run, name, row) for name, row in rows.items() if isinstance(row, Proven)]
        kept = [run(name, row) for name, row in rows.items() if not isinstance(row, Proven)]
        kept += [test.result() for test in tests]
    print(f"{sum(kept)} of {len(kept)} rows held, in {(time.monotonic() - began) / 60:.0f} minutes", flush=True)
    return 0 if all(kept) else 1


def run(name: str, row: Row) -> bool:
    """Print a row. Whether what it promises held."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="yamchi-chaos-") as folder:
        figures, kept = row(Path(folder))
    print(f"{'ok    ' if kept else 'BROKEN'} {name} [{time.monotonic() - began:.0f} s]: {figures}", flush=True)
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
