"""Starts the real program with a clock and a crash hook of the test's own.

    python -m tests.launcher run

YAMCHI_TEST_NOW    an ISO instant: the clock starts there and runs on
YAMCHI_TEST_SHIFT  a file with seconds in it, looked at whenever the time is asked: so far off is the clock
YAMCHI_TEST_DEAF   a file: while it is there, no name can be resolved
YAMCHI_TEST_CRASH  "sent:3": die (as by kill -9) the third time the point "sent" is reached
"""

import os
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiodns

from bot.__main__ import main

started = datetime.now(UTC)
begin = datetime.fromisoformat(os.environ.pop("YAMCHI_TEST_NOW", "") or started.isoformat())
shift = Path(named) if (named := os.environ.pop("YAMCHI_TEST_SHIFT", "")) else None
"""Made once: a Path interns its parts, which would look like memory that the service loses."""
deaf = Path(named) if (named := os.environ.pop("YAMCHI_TEST_DEAF", "")) else None
resolve = aiodns.DNSResolver.getaddrinfo
point, _, nth = os.environ.pop("YAMCHI_TEST_CRASH", "").partition(":")
reached: Counter[str] = Counter()


def clock() -> datetime:
    off = float(shift.read_text()) if shift else 0.0
    return begin + (datetime.now(UTC) - started) + timedelta(seconds=off)


def crash(name: str) -> None:
    reached[name] += 1
    if name == point and reached[name] == int(nth):
        os._exit(9)


async def getaddrinfo(*asked: Any, **more: Any) -> Any:
    if deaf and deaf.exists():
        raise aiodns.error.DNSError(aiodns.error.ARES_ETIMEOUT, "Timeout while contacting DNS servers")
    return await resolve(*asked, **more)


if deaf:
    aiodns.DNSResolver.getaddrinfo = getaddrinfo  # type: ignore[method-assign]
sys.exit(main(clock=clock, crash=crash))
