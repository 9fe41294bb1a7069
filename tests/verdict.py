"""What became of a fault load: one line for each promise, with its figure and whether it held."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tests.fanout import most_in
from tests.faultcast import BULLETIN, REFUSALS, Wanted
from tests.faultload import PEOPLE, Load

ONCE = frozenset({"alert", "reply"})
"""Kinds that come at most once; the others at least once."""
SETTLED = frozenset({"sent", "unknown", "failed", "dead", "expired"})
POLLING_BACK = 35.0
REPLY_SECONDS = 2.0
UNTOUCHED = 0.95
DELAYED = 10
"""So many more calls in a second where a busy machine may delay some by as much as 0.6 s."""
CAP = 32
"""Messages in flight at most."""
CALM = 3.0
"""Seconds before and after a halt that a reply may be touched by it."""


@dataclass(frozen=True)
class Line:
    name: str
    figure: str
    held: bool

    def __str__(self) -> str:
        return f"{'ok    ' if self.held else 'BROKEN'} {self.name}: {self.figure}"


def judge(load: Load, loose: float = 1.0) -> list[Line]:
    """loose: so many times more the bounds of time allow, where other tests run beside."""
    people, chats = _People(load, loose), _Chats(load, loose)
    return [*_Messages(load).lines(), *chats.lines(), *people.lines(), _token(load), _database(load)]


class _Messages:
    """Lost, twice, unknown, out of order."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.wanted = load.cast.wanted
        ledger = load.rows("SELECT event, state, last_error FROM outbox WHERE event LIKE 'load:%'")
        self.noted = {int(event.rpartition(":")[2]): (state, error) for event, state, error in ledger}
        met = load.referee.ambiguous()
        self.open = {one.number for one in self.wanted if (one.chat, one.text) in met}
        self.once = {one.number for one in self.wanted if one.kind in ONCE}

    @cached_property
    def copies(self) -> dict[int, list[float]]:
        """By number: when each copy arrived, at the old or the new place of its chat."""
        old = {new: was for was, new in self.load.moved.items()}
        arrived: dict[tuple[int, str], list[float]] = defaultdict(list)
        for chat, said in self.load.telegram._said.items():
            for one in said:
                arrived[old.get(chat, chat), one.text].append(one.moment)
        return {one.number: sorted(arrived.get((one.chat, one.text), [])) for one in self.wanted}

    def state(self, one: Wanted) -> str:
        return str(self.noted.get(one.number, ("gone", ""))[0])

    def lines(self) -> list[Line]:
        states = Counter(self.state(one) for one in self.wanted)
        met = self.load.referee.met
        shares = ", ".join(f"{name} {n} ({n / len(self.wanted):.1%})" for name, n in sorted(met.items()))
        total = Line("messages", f"{len(self.wanted)}: {_told(states)}; met {shares}", True)
        return [total, self._lost(), *self._twice(), self._unknown(), self._order()]

    def _is_lost(self, one: Wanted) -> bool:
        """Not settled, or settled as it must not be: a chat that is well gets all, were it only bare words."""
        state, came = self.state(one), self.copies[one.number]
        ill = bool(one.thread) or one.chat in self.load.cast.of(*REFUSALS, "banned")
        refused = state in {"failed", "dead", "expired"} and not ill
        silent = state == "sent" or (state == "unknown" and one.kind not in ONCE)
        return state not in SETTLED or refused or (silent and not came)

    def _lost(self) -> Line:
        lost = [one for one in self.wanted if self._is_lost(one)]
        examples = [f"{one.kind} {one.number} in {one.chat}: {self.noted.get(one.number)}" for one in lost[:3]]
        return Line("lost", f"{_told(Counter(one.kind for one in lost))} {'; '.join(examples)}".strip(), not lost)

    def _twice(self) -> list[Line]:
        twice = Counter[bool]()
        for one in self.wanted:
            twice[one.kind in ONCE] += max(0, len(self.copies[one.number]) - 1)
        left_open = len((self.open | self.load.flights) - self.once)
        return [
            Line("twice of what comes at most once", str(twice[True]), not twice[True]),
            Line("twice of the rest", f"{twice[False]}; left open {left_open}", twice[False] <= left_open),
        ]

    def _unknown(self) -> Line:
        """Those that come at most once and whose answer was lost or that were in flight at a kill: no other."""
        unknown = {one.number for one in self.wanted if self.state(one) == "unknown"}
        injected, flights = self.open & self.once, self.load.flights
        missing, more = injected - unknown, unknown - injected - flights
        kinds = Counter(one.kind for one in self.wanted if one.number in unknown)
        figure = (
            f"{_told(kinds)}; injected {len(injected)}, in flight at {self.load.kills} kills and the outage"
            f" {len(flights)}; not noted {len(missing)}, of no known cause {len(more)}"
        )
        within = len(flights) <= (self.load.kills + 1) * CAP
        return Line("unknown", figure, within and not missing and not more and unknown <= self.once)

    def _order(self) -> Line:
        lanes: dict[tuple[int, int | None], list[float]] = defaultdict(list)
        for one in self.wanted:
            lanes[one.chat, one.thread] += self.copies[one.number][:1]
        wrong = sum(moments != sorted(moments) for moments in lanes.values())
        return Line("lanes out of order", f"{wrong} of {len(lanes)}", not wrong)


class _Chats:
    """Limits, and what becomes of chats that are banned, gone, moved or refused."""

    def __init__(self, load: Load, loose: float) -> None:
        self.load = load
        self.loose = loose
        self.calls = list(load.referee.calls)
        self.messages = _Messages(load)

    def lines(self) -> list[Line]:
        return [*self._limits(), self._others(), self._silences(), *self._gone(), self._moved(), self._bulletin()]

    def _limits(self) -> list[Line]:
        moments = sorted(call.moment for call in self.calls)
        second = max(self._seconds(moments), default=0)
        groups: dict[int, list[float]] = defaultdict(list)
        for call in self.calls:
            if call.chat < 0:
                groups[call.chat].append(call.moment)
        minute = max(most_in(moments, 60) for moments in groups.values())
        return [
            Line(
                "most calls in any second",
                f"{second} of 30{self._asleep(moments)}",
                second <= 30 + DELAYED * (self.loose > 1),
            ),
            Line("most in any minute to a group", f"{minute} of 20", minute <= 20),
        ]

    def _seconds(self, moments: list[float]) -> Iterator[int]:
        """How many calls are in the second from each of them on, where the referee was awake all the time."""
        stalls = self.load.referee.stalls
        for number, moment in enumerate(moments):
            if not any(began < moment + 1 and moment <= end for began, end in stalls):
                yield bisect_right(moments, moment + 1 - 1e-6) - number

    def _asleep(self, moments: list[float]) -> str:
        if not (stalls := self.load.referee.stalls):
            return ""
        longest = max(end - began for began, end in stalls)
        return (
            f" (the referee stood still {len(stalls)} times, up to {longest:.2f} s; {most_in(moments, 1)} with those)"
        )

    def _others(self) -> Line:
        at, span = self.load.banned_at, self.load.cast.shape.beside
        others = [call.moment for call in self.calls if call.chat != self.load.banned]
        before = sum(at - span <= moment < at for moment in others)
        after = sum(at <= moment < at + span for moment in others)
        share = after / max(1, before)
        told = f"{after} calls in {span:.0f} s after {before} before: {share:.2f}x"
        return Line("others beside a banned chat", told, share >= UNTOUCHED / self.loose)

    def _silences(self) -> Line:
        """Of one chat none; of the whole bot as many as it takes to understand that it is meant."""
        spoke = self.load.referee.spoke
        return Line("calls into a silence asked for", _told(spoke), not spoke["ban"] and spoke["silence"] <= CAP)

    def _gone(self) -> list[Line]:
        found = self.load.rows("SELECT chat FROM lanes WHERE dead_at IS NOT NULL AND thread = ''")
        dead, due = {int(chat) for (chat,) in found}, self.load.cast.of("blocked", "deactivated")
        [(topics,)] = self.load.rows("SELECT count(*) FROM lanes WHERE dead_at IS NOT NULL AND thread <> ''")
        closed = len(self.load.referee.closed)
        return [
            Line("dead chats", f"{len(dead & due)} of {len(due)}, falsely {len(dead - due)}", dead == due),
            Line("closed topics paused", f"{topics} of {closed}", topics == closed),
        ]

    def _moved(self) -> Line:
        moved = self.load.moved
        mine = [one for one in self.messages.wanted if one.chat in moved]
        once = sum(len(self.messages.copies[one.number]) == 1 for one in mine)
        there = sum(len(self.load.telegram.messages(new)) for new in moved.values())
        old = json.dumps([str(chat) for chat in moved])
        [(left,)] = self.load.rows("SELECT count(*) FROM lanes WHERE chat IN (SELECT value FROM json_each(?))", old)
        told = f"{len(moved)} groups, {once} of {len(mine)} messages once, {there} of them at the new place"
        return Line("migrated", told, once == len(mine) and there > 0 and not left)

    def _bulletin(self) -> Line:
        refused = sum(call.fault == "html" for call in self.calls)
        chats = self.load.cast.roles["bulletin"]
        plain = sum(call.text == BULLETIN and not call.html for call in self.calls)
        told = f"{refused} refusals, {plain} calls with bare words for {len(chats)} chats"
        return Line("a text refused as HTML", told, 0 < refused <= CAP)


class _People:
    """Replies, updates, and the polling that brings them."""

    def __init__(self, load: Load, loose: float) -> None:
        self.load = load
        self.loose = loose
        self.got = {chat: [said.moment for said in load.telegram.messages(chat)] for chat in load.asked}
        self.troubled = {call.chat for call in load.referee.calls if call.chat > PEOPLE and call.fault}
        self.states = Counter(dict(load.rows("SELECT state, count(*) FROM inbox GROUP BY state")))

    def lines(self) -> list[Line]:
        return [self._replies(), self._updates(), self._patience(), self._polling()]

    def _replies(self) -> Line:
        """Without an answer may be: whose answer's fate is open, or that of a kill, or came too late to be sent."""
        given_up = sum("reply not sent" in line for life in self.load.lives for line in life.err)
        silent = sum(not got for chat, got in self.got.items() if chat not in self.troubled)
        lost = max(0, silent - self.states["taken"] - given_up)
        twice = sum(len(got) > 1 for got in self.got.values())
        told = (
            f"{len(self.got)} people asked: lost {lost}, twice {twice}, met trouble {len(self.troubled)},"
            f" given up or cut off by a kill {silent - lost}"
        )
        return Line("replies", told, not lost and not twice)

    def _updates(self) -> Line:
        """Each once in the inbox, and done; a group that moves says so at both its places."""
        said = len(self.got) + self.load.poisoned + 2 * (len(self.load.moved) // 2)
        handled = sum(self.states[state] for state in ("done", "taken", "poison"))
        told = f"{handled} of {said} handled: {_told(self.states)}"
        return Line("updates", told, handled == said and self.states["poison"] == self.load.poisoned)

    def _patience(self) -> Line:
        halts = [*((began, end) for _, began, end in self.load.halts), *((at, back) for _, at, back in self._misses)]
        waited = sorted(
            got[0] - self.load.asked[chat]
            for chat, got in self.got.items()
            if got and chat not in self.troubled
            and not any(began - CALM < self.load.asked[chat] < end + CALM for began, end in halts)
        )  # fmt: skip
        if not waited:
            return Line("p99 of a /rates reply", "nobody asked in calm", False)
        p99, middle = waited[int(len(waited) * 0.99)], waited[len(waited) // 2]
        told = f"{p99:.2f} s, median {middle:.2f} s, of {len(waited)} asked outside of halts"
        return Line("p99 of a /rates reply", told, p99 < REPLY_SECONDS * self.loose)

    @cached_property
    def _misses(self) -> list[tuple[str, float, float]]:
        """What the polling met, when that was over, and when it was back."""
        polls = self.load.referee.good_polls
        missed = [(name, at) for name, at in self.load.referee.missed if name != "again"]
        missed += [(name, end) for name, _, end in self.load.halts if name != "silence"]
        return [(name, at, next((good for good in polls if good > at), float("inf"))) for name, at in missed]

    def _polling(self) -> Line:
        worst: dict[str, float] = {}
        for name, at, back in self._misses:
            worst[name] = max(worst.get(name, 0.0), back - at)
        told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in worst.items())
        return Line("polling back after", told, max(worst.values()) <= POLLING_BACK)


def _token(load: Load) -> Line:
    secret = load.telegram.token.partition(":")[2]
    lines = [line for life in load.lives for line in (*life.out, *life.err)]
    found = sum(secret in line for line in lines)
    return Line("token in the logs", f"{found} of {len(lines)} lines", bool(lines) and not found)


def _database(load: Load) -> Line:
    [(found,)] = load.rows("PRAGMA integrity_check")
    return Line("database", str(found), found == "ok")


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count) or "0"
