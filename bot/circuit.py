"""Tells a chat that refuses us from a platform that refuses the bot as a whole."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.models import Outcome

SPAN: Final = 60.0
"""Seconds of sends that are looked at together."""
VOLUME: Final = 20
REFUSED: Final = 5
SHARE: Final = 0.2
"""This share of so many sends, or all of a few."""
PAUSES: Final = (30.0, 60.0, 120.0, 300.0)
TOKEN_MISSES: Final = 2
"""So many refusals of our token in a row are believed: platforms answer one 401 or 404 now and then."""
PROBES: Final = 5
"""Messages let through after a pause, to learn whether it is over."""
TRUST: Final = 3600.0
"""Seconds after a probe got through for which refusals are the chats' own."""


class Circuit:
    """One platform's. Closed: all is sent. Open: nothing is. Then a few are sent; one that arrives closes it.

    All instants are seconds that only ever grow.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.since = 0.0
        self._until = 0.0
        self._opened = 0
        self._token_misses = 0
        self._trusted_until = 0.0
        self._sends: deque[tuple[float, bool]] = deque()

    @property
    def closed(self) -> bool:
        return not self.reason

    def room(self, now: float, flying: int, room: int) -> int:
        """How many messages may be taken up."""
        if self.closed:
            return room
        return min(room, PROBES - flying) if now >= self._until else 0

    def left(self, now: float) -> float:
        """Seconds until the next probe."""
        return max(0.0, self._until - now)

    def note(self, outcome: Outcome, now: float) -> bool:
        """Learn from a send. True if the circuit opened by it, or stays open after a pause."""
        if outcome.state == "sent":
            if not self.closed:
                self._trusted_until = now + TRUST
            self.reason, self._opened, self._token_misses = "", 0, 0
        refused = _refused(outcome)
        if refused or outcome.state == "sent":
            self._sends.append((now, refused))
        while self._sends and self._sends[0][0] < now - SPAN:
            self._sends.popleft()
        if outcome.cause == "token":
            self._token_misses += 1
            if self._token_misses < TOKEN_MISSES:
                return False
            return self._open(f"the platform refuses our token: {outcome.detail}", now)
        if refused and (not self.closed or self._too_many(now)):
            return self._open("the platform refuses us in many chats at once", now)
        return False

    def spare(self, outcome: Outcome, now: datetime, left: float) -> Outcome:
        """While it is open, no refusal is the chat's doing: the message waits."""
        if not self.closed and _refused(outcome):
            return replace(outcome, state="pending", cause="token", retry_at=now + timedelta(seconds=left))
        return outcome

    def _too_many(self, now: float) -> bool:
        refused = sum(bad for _, bad in self._sends)
        if now < self._trusted_until or refused < REFUSED:
            return False
        return refused == len(self._sends) or (len(self._sends) >= VOLUME and refused >= SHARE * len(self._sends))

    def _open(self, reason: str, now: float) -> bool:
        if now < self._until:
            return False
        if self.closed:
            self.since = now
        self.reason = reason
        self._until = now + PAUSES[min(self._opened, len(PAUSES) - 1)]
        self._opened += 1
        return True


def _refused(outcome: Outcome) -> bool:
    """A workspace that has us no more says nothing of the platform."""
    return outcome.cause != "workspace" and (outcome.state == "dead" or outcome.cause in {"unwelcome", "token"})
