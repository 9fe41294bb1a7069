"""What every test of a fault prints: lost, sent twice and unknown, for each kind of message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

Tell = Callable[[str], None]
"""The fixture `tell`: a line for the end of the run."""


class Tally:
    """Counts messages that should have come exactly once, as they were seen at the wire."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.wanted: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.twice: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.amiss: list[str] = []

    def saw(self, kind: str, times: int, what: str = "", *, unknown: bool = False) -> None:
        """One message that was wanted, and how often it came. unknown: the ledger says so of it.

        what: names it, for `amiss`: those that did not come once
        """
        if times != 1:
            self.amiss.append(f"{kind} {what}: {times} times{', unknown' if unknown else ''}")
        self.wanted[kind] += 1
        self.unknown[kind] += unknown
        self.lost[kind] += not times and not unknown
        self.twice[kind] += max(times - 1, 0)

    def __str__(self) -> str:
        told = [
            f"{count} {kind}: lost {self.lost[kind]}, twice {self.twice[kind]}, unknown {self.unknown[kind]}"
            for kind, count in sorted(self.wanted.items())
        ]
        return f"{self.fault}: {'; '.join(told)}"

    def print(self, tell: Tell, more: str = "") -> None:
        tell(f"{self}{more and '; '}{more}")
