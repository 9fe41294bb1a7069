"""How fast we may speak: token buckets of a chat and of all chats together, taken from in one step."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LONGEST_WAIT: Final = 5.0
"""Seconds somebody waits for a turn; where it would be longer, the message goes back to the outbox."""
AHEAD: Final = 0.25
"""Seconds of tokens that are promised before they are there, so that claims come in handfuls."""
FLOOD_SPAN: Final = 2.0
FLOOD_CHATS: Final = 3
"""So many chats that are told to wait within so many seconds: it is all of us that is meant."""
SLOWED: Final = 0.7
RECOVERY: Final = 30.0
"""Seconds for one message a second more, after we had to slow down."""
CLOSE: Final = 0.001
"""Seconds by which a timer may be early."""
SWEPT: Final = 1024
"""Buckets kept before those that are full are dropped."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages a second, `burst` at once after a rest; the last `reserve` of those are for replies."""

    a_second: float
    burst: int = 1
    reserve: int = 0


def _nobody(_: str) -> bool:
    return False


def _one_place(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform allows. None: as much as we like.

    chat: to one chat; group: to one of several people, where that differs; shared: to all of a workspace
    second: as many leave in any one second, of all; below what the platform bears, as some are delayed on their way
    in_flight: messages in the hands of the transport at once
    is_group, workspace: of a chat's id; a platform without workspaces is one
    """

    chat: Rate | None = None
    group: Rate | None = None
    shared: Rate | None = None
    second: int | None = None
    in_flight: int = 32
    is_group: Callable[[str], bool] = _nobody
    workspace: Callable[[str], str] = _one_place

    def of(self, chat: str) -> Rate | None:
        return self.group if self.group and self.is_group(chat) else self.chat


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class Pace:
    """One platform's buckets. A bucket is the instant at which it will be full again.

    time: seconds that only ever grow; that of the running loop by itself
    share: what part of it all is ours, where several send
    """

    def __init__(self, limits: Limits, time: Callable[[], float] = _loop_time) -> None:
        self.limits = limits
        self.share = 1.0
        self._time = time
        self._chats: dict[str, float] = {}
        self._shared: dict[str, float] = {}
        self._left: deque[float] = deque()
        self._door = asyncio.Lock()
        self._silent: dict[str, float] = {}
        self._held = 0.0
        self._floods: deque[tuple[float, str]] = deque()
        self._slowed: tuple[float, float] | None = None
        self._started: float | None = None
        self._swept_at = SWEPT

    async def take(self, chat: str, *, reply: bool = False, patience: float = LONGEST_WAIT) -> float:
        """Wait for a turn and take it, of the chat and of all together. Returns 0; or, with nothing
        taken, how many seconds it would be, if that is more than `patience`."""
        while True:
            now = self._time()
            free = self._chat_free(chat, reply=reply)
            turn = max(now, self._all_free(chat, reply=reply), self._held)
            if max(turn, free) - now > patience:
                return max(turn, free) - now
            if free > turn:  # nothing is taken of what all share while the chat itself must wait
                await asyncio.sleep(free - now)
                continue
            self._spend(chat, turn)
            if turn > now:
                await asyncio.sleep(turn - now)
            await self._depart()
            if self.silence(chat) <= CLOSE:
                return 0.0

    async def _depart(self) -> None:
        """No more leave in a second than may, though turns were promised and the loop stood still meanwhile."""
        if self.limits.second is None:
            return
        async with self._door:
            most = max(1, int(self.limits.second * self.share))
            for _ in range(len(self._left) + 1 - most):
                await asyncio.sleep(max(0.0, self._left.popleft() + 1 + CLOSE - self._time()))
            self._left.append(self._time())

    def room(self) -> int:
        """How many messages may be taken up now."""
        now, shared = self._time(), self.limits.shared
        if self._held > now + AHEAD:
            return 0
        if shared is None:
            return self.limits.in_flight
        rate = self._rate(shared)
        full = max(now, min(self._shared.values(), default=self._full("")))
        ahead = now + AHEAD - (full - self._slack(shared, rate))
        return int(ahead * rate) + 1 if ahead >= 0 else 0

    def rest(self, chat: str) -> float:
        """Seconds until a message may go to this chat, whatever the others do."""
        return max(0.0, self._chat_free(chat, reply=False) - self._time())

    def silence(self, chat: str) -> float:
        """Seconds for which we were asked to be silent in this chat."""
        return max(0.0, self._silent.get(chat, 0.0) - self._time(), self._held - self._time())

    @property
    def held(self) -> float:
        """Seconds for which nothing may be said at all."""
        return max(0.0, self._held - self._time())

    def hold(self, seconds: float) -> None:
        """Say nothing to anybody; an earlier word that says longer stands."""
        self._held = max(self._held, self._time() + seconds)

    def flooded(self, chat: str, seconds: float) -> None:
        """The platform asks for silence: in this chat, or where it names none ("") everywhere."""
        now = self._time()
        self._silent[chat] = max(self._silent.get(chat, 0.0), now + seconds)
        self._floods.append((now, chat))
        while self._floods[0][0] < now - FLOOD_SPAN:
            self._floods.popleft()
        told = sorted((self._silent[flooded] for flooded in {flooded for _, flooded in self._floods}), reverse=True)
        if not chat:
            self._hold_all(now + seconds)
        elif len(told) >= FLOOD_CHATS:  # only so long as so many agree: one chat's own ban may last for hours
            self._hold_all(told[FLOOD_CHATS - 1])

    def _hold_all(self, until: float) -> None:
        """Say nothing to anybody until then, and be slower from then on."""
        now = self._time()
        if self._held <= now and (shared := self.limits.shared):
            self._slowed = self._rate(shared) / self.share * SLOWED, now
        self._held = max(self._held, until)

    def _rate(self, shared: Rate) -> float:
        """Messages a second for all together: slower after a flood, and then faster again bit by bit."""
        rate = shared.a_second
        if self._slowed:
            slow, since = self._slowed
            rate = min(rate, slow + (self._time() - since) // RECOVERY)
        return rate * self.share

    def _chat_free(self, chat: str, *, reply: bool) -> float:
        silent, rate = self._silent.get(chat, 0.0), self.limits.of(chat)
        if rate is None:
            return silent
        full = self._chats.get(chat, self._unknown(rate))
        return max(silent, full - self._slack(rate, rate.a_second, reply=reply))

    def _all_free(self, chat: str, *, reply: bool) -> float:
        shared = self.limits.shared
        if shared is None:
            return 0.0
        return self._full(self.limits.workspace(chat)) - self._slack(shared, self._rate(shared), reply=reply)

    def _full(self, where: str) -> float:
        """When the bucket of all together is full. What the process before us said is not known, so it begins with
        one token."""
        shared = self.limits.shared
        assert shared
        return self._shared.get(where, self._first() + self._slack(shared, self._rate(shared), reply=True))

    def _spend(self, chat: str, turn: float) -> None:
        if (shared := self.limits.shared) is not None:
            where = self.limits.workspace(chat)
            self._shared[where] = max(self._full(where), turn) + 1 / self._rate(shared)
        if (rate := self.limits.of(chat)) is not None:
            full = self._chats.get(chat, self._unknown(rate))
            self._chats[chat] = max(full, turn) + 1 / rate.a_second
        if len(self._chats) + len(self._silent) >= self._swept_at:
            self._sweep()

    def _unknown(self, rate: Rate) -> float:
        """Where a chat's bucket begins that nobody has taken from: a slow one begins with one token, too."""
        return self._first() + self._slack(rate, rate.a_second, reply=True) if rate.a_second < 1 else 0.0

    def _first(self) -> float:
        """When this was asked first."""
        if self._started is None:
            self._started = self._time()
        return self._started

    def _sweep(self) -> None:
        """Drop buckets that are full and silences that are over."""
        now = self._time()
        self._chats = {chat: full for chat, full in self._chats.items() if full > now}
        self._silent = {chat: until for chat, until in self._silent.items() if until > now}
        self._swept_at = max(SWEPT, 2 * (len(self._chats) + len(self._silent)))

    def _slack(self, rate: Rate, a_second: float, *, reply: bool = False) -> float:
        """How long before a bucket is full one may take from it. Of a burst we have our share, but for one message."""
        burst, reserve = max(1, int(rate.burst * self.share)), int(rate.reserve * self.share)
        return max(0, burst - 1 - (0 if reply else reserve)) / a_second
