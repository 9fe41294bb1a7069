"""Who asks too fast is told so once, and is then not answered until he slows down."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from bot.ports import Clock

BURST: Final = 20
"""Requests at once after a rest."""
REFILL: Final = timedelta(seconds=3)
"""So long it takes until another one may be made."""
SWEPT: Final = 1024
"""People kept in mind before those who rested are forgotten."""

Verdict = Literal["answer", "notice", "silence"]


class Allowance:
    """A token bucket for each person, kept as the instant at which it will be full again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full: dict[str, datetime] = {}
        self._noticed: set[str] = set()
        self._swept_at = SWEPT

    def judge(self, who: str) -> Verdict:
        """What to do with one more request of this person. "notice" comes once until he has rested."""
        now = self._clock()
        full = min(self._full.get(who, now), now + BURST * REFILL)  # the clock may have been put back
        if full <= now:
            self._noticed.discard(who)
            full = now
        if full + REFILL <= now + BURST * REFILL:
            self._full[who] = full + REFILL
            self._sweep(now)
            return "answer"
        self._full[who] = full
        if who in self._noticed:
            return "silence"
        self._noticed.add(who)
        return "notice"

    def _sweep(self, now: datetime) -> None:
        if len(self._full) < self._swept_at:
            return
        self._full = {who: full for who, full in self._full.items() if full > now}
        self._noticed &= self._full.keys()
        self._swept_at = max(SWEPT, 2 * len(self._full))
