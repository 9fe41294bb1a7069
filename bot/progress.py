"""How far a backfill has come: a bar a bank in a terminal, plain lines elsewhere; both on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from bot.backfill import Show, Tally

EVERY: Final = 50
"""Questions from one plain line to the next."""


@contextmanager
def progress() -> Iterator[Show]:
    """What to tell each step to, while it lasts."""
    if not sys.stderr.isatty():
        yield _line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(tally: Tally) -> None:
            if tally.bank not in tasks:
                tasks[tally.bank] = bars.add_task(tally.bank, total=tally.questions, note="")
            bars.update(tasks[tally.bank], completed=tally.asked, note=tally.ended or f"{len(tally.kept)} new days")

        yield show


def _line(tally: Tally) -> None:
    if not tally.asked and tally.questions:
        print(f"{tally.bank}: {tally.questions} to ask", file=sys.stderr)  # noqa: T201
    elif tally.asked and tally.asked % EVERY == 0 and tally.asked < tally.questions:
        print(f"{tally.bank}: {tally.asked} of {tally.questions}", file=sys.stderr)  # noqa: T201
