"""How soon Slack is acknowledged while our core is slow, by either road.

    .venv/bin/python -m bench.slack_ack

200 commands, four and ten people at once, each answered by a menu that takes two seconds. Slack gives a command up
after 3 s. Goals: all acknowledged, the 95th of a hundred under 100 ms, the slowest under 500 ms; nothing asked of Slack
before the acknowledgement. The goals are for four at once; the fake shares our process and its one interpreter,
so ten at once say as much of it as of us. Bolt by itself looks for an acknowledgement every 10 ms only.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from statistics import median, quantiles

from storage.sqlite import open_store
from tests.fakes.slack import FakeSlack
from tests.slack_chat import ROADS, Menu, speaking

COMMANDS, SLOW = 200, 2.0
PEOPLE = (4, 10)
"""At once; the goals are for the first."""


def now() -> datetime:
    return datetime.now(UTC)


async def measured(road: str, at_once: int, folder: Path) -> list[float]:
    """Seconds to each acknowledgement."""
    store = await open_store(folder / f"{road}{at_once}.db")
    with FakeSlack() as fake:
        fake.people = {f"U{n}": {"tz": "Asia/Almaty"} for n in range(COMMANDS)}
        async with speaking(fake, store, Menu(takes=SLOW), road, now=now):
            with ThreadPoolExecutor(at_once) as people:
                loop = asyncio.get_running_loop()
                calls = [
                    loop.run_in_executor(people, lambda n=n: fake.command("/rates", str(n), user=f"U{n}", answers=0))
                    for n in range(COMMANDS)
                ]
                replies = await asyncio.gather(*calls)
            assert "auth.test" not in {name for name, _ in fake.calls}
    await store.close()
    return sorted(reply.acked_after for reply in replies)


async def main() -> int:
    missed = 0
    with tempfile.TemporaryDirectory(prefix="yamchi-bench-") as folder:
        for road, at_once in product(ROADS, PEOPLE):
            took = await measured(road, at_once, Path(folder))
            p95 = quantiles(took, n=100)[94]
            good = p95 < 0.1 and took[-1] < 0.5
            missed += at_once == PEOPLE[0] and not good
            print(
                f"{road:6}  {at_once:2} at once  all {len(took)} acknowledged  median {median(took) * 1000:.0f} ms"
                f"  p95 {p95 * 1000:.0f} ms  max {took[-1] * 1000:.0f} ms  {'ok' if good else 'MISSED'}"
            )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
