"""How far a backfill or a copy has come: a bar a bank or table in a terminal, plain lines elsewhere; both on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
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


@contextmanager
def counting() -> Iterator[Callable[[str, int, int], None]]:
    """What to tell each step to, while it lasts: of what, how many are done, of how many."""
    if not sys.stderr.isatty():
        yield _count
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name)
            bars.update(tasks[name], completed=done, total=total)

        yield show


def _count(name: str, done: int, total: int) -> None:
    print(f"{name}: {done} of {total}", file=sys.stderr)  # noqa: T201


def _line(tally: Tally) -> None:
    if not tally.asked and tally.questions:
        print(f"{tally.bank}: {tally.questions} to ask", file=sys.stderr)  # noqa: T201
    elif tally.asked and tally.asked % EVERY == 0 and tally.asked < tally.questions:
        print(f"{tally.bank}: {tally.asked} of {tally.questions}", file=sys.stderr)  # noqa: T201
