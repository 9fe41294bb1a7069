"""What one process at a time does: whoever has the lock, and another soon after it is gone."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from bot.errors import YamchiError
from bot.ports import Work
from bot.store import Lock

LOCK_SECONDS: Final = 5.0
"""How often the lock is looked at: so soon after its holder's death another leads."""

log = structlog.get_logger()


class Lead:
    """bot.ports.Alone: whoever has this lock is the one."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self.stands_by = False

    async def __call__(self, what: str, work: Work) -> None:
        while True:
            if await asyncio.to_thread(_taken, self._lock):
                self.stands_by = False
                log.info("leading", what=what)
                leading = asyncio.create_task(work())
                try:
                    while not leading.done() and await asyncio.to_thread(self._lock.kept):
                        await asyncio.wait({leading}, timeout=LOCK_SECONDS)
                finally:
                    leading.cancel()
                    await asyncio.gather(leading, return_exceptions=True)
                if not leading.cancelled():
                    return leading.result()
                log.error("the lock is lost: another process may lead now", what=what)
            elif not self.stands_by:
                self.stands_by = True
                log.info("standing by: another process leads", what=what)
            await asyncio.sleep(LOCK_SECONDS)


def _taken(lock: Lock) -> bool:
    try:
        return lock.acquire()
    except YamchiError as error:
        log.warning("the store fails", reason=str(error))
        return False
