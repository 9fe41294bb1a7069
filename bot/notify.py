"""What systemd is told of us (sd_notify): that we are up, that we still live, that we are going."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from bot.config import Supervisor
from bot.models import Health


@asynccontextmanager
async def notified(supervisor: Supervisor, alive: Callable[[], Mapping[str, Health]]) -> AsyncIterator[None]:
    """Up from here on. The watchdog is fed while every task of ours is alive; a loop that hangs feeds nothing."""
    _tell(supervisor, "READY=1")
    feeding = asyncio.create_task(_feed(supervisor, alive))
    try:
        yield
    finally:
        feeding.cancel()
        _tell(supervisor, "STOPPING=1")


async def _feed(supervisor: Supervisor, alive: Callable[[], Mapping[str, Health]]) -> None:
    while supervisor.watchdog_seconds:
        if all(check.ok for check in alive().values()):
            _tell(supervisor, "WATCHDOG=1")
        await asyncio.sleep(supervisor.watchdog_seconds / 3)


def _tell(supervisor: Supervisor, state: str) -> None:
    """Nobody there to hear it does no harm."""
    if not supervisor.address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as letter:
        letter.setblocking(False)
        letter.sendto(state.encode(), supervisor.address)
