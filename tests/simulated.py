"""An event loop that never waits: where there is nothing to do, its clock jumps to what comes next.

For code that sleeps and touches neither threads nor sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Simulated(asyncio.SelectorEventLoop):
    now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        coming = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        if not self._ready and coming:  # type: ignore[attr-defined]
            self.now = max(self.now, min(coming))
        super()._run_once()  # type: ignore[misc]


def simulate(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; hours take milliseconds."""
    with asyncio.Runner(loop_factory=Simulated) as runner:
        return runner.run(work)
