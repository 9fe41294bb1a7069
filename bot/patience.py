"""How long a person is kept waiting for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from bot.errors import DatabaseError

PATIENCE_SECONDS: Final = 1.5
"""Slack wants its acknowledgement within three."""

T = TypeVar("T")


async def patiently(write: Coroutine[Any, Any, T], seconds: float = PATIENCE_SECONDS) -> T:
    """The result of a write to the store. Raises DatabaseError if it fails, and if it takes longer
    than so many seconds; then it is still made as soon as it can be."""
    task = asyncio.create_task(write)
    task.add_done_callback(heard)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        raise DatabaseError("the database cannot be written just now: another process holds it, or the disk hangs")
    return task.result()


def heard(task: asyncio.Future[Any]) -> None:
    """A done callback where nobody may be left who waits: asyncio complains of errors that nobody asked for."""
    if not task.cancelled():
        task.exception()
