"""What became of a fault load: one line for each promise, with its figure and whether it held."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property

from tests.fakes.telegram_referee import Call
from tests.fanout import most_in
from tests.faultload import BULLETIN, PEOPLE, Load, Wanted

ONCE = frozenset({"alert", "reply"})
SETTLED = frozenset({"sent", "unknown", "failed", "dead", "expired"})
POLLING_BACK = 35.0
REPLY_SECONDS = 2.0
UNTOUCHED = 0.95
CAP = 32
"""Messages in flight at most."""
AFTER = 3.0
"""Seconds after a halt in which what was held up comes out."""


@dataclass(frozen=True)
class Line:
    name: str
    figure: str
    held: bool

    def __str__(self) -> str:
        return f"{'ok    ' if self.held else 'BROKEN'} {self.name}: {self.figure}"


class Verdict:
    """loose: how many times more the bounds of time allow, where other tests run beside"""

    def __init__(self, load: Load, loose: float = 1.0) -> None:
        self.load = load
        self.loose = loose
        self.calls = list(load.referee.calls)
        ledger = load.rows("SELECT event, state, tries, last_error FROM outbox WHERE event LIKE 'load:%'")
        self.noted: dict[int, tuple[str, str]] = {
            int(str(event).rpartition(":")[2]): (str(state), str(error)) for event, state, _, error in ledger
        }

    def lines(self) -> list[Line]:
        return [
            *self._delivery(), self._order(), *self._limits(), self._others(), *self._chats(), self._bulletin(),
            *self._people(), *self._polling(), self._silences(), self._token(), self._damage(),
        ]  # fmt: skip

    # --- messages

    @cached_property
    def copies(self) -> dict[int, list[float]]:
        """By number: when each copy arrived."""
        old = {new: was for was, new in self.load.moved.items()}
        arrived: dict[tuple[int, str], list[float]] = defaultdict(list)
        for chat, said in self.load.telegram._said.items():
            for one in said:
                arrived[old.get(chat, chat), one.text].append(one.moment)
        return {one.number: sorted(arrived.get((one.chat, one.text), [])) for one in self.load.wanted}

    @cached_property
    def open(self) -> set[int]:
        """Numbers of messages that met a fault which leaves it open whether they arrived."""
        met = self.load.referee.ambiguous()
        return {one.number for one in self.load.wanted if (one.chat, one.text) in met}

    def _state(self, one: Wanted) -> str:
        return self.noted.get(one.number, ("gone", ""))[0]

    def _delivery(self) -> list[Line]:
        lost, twice, unknown = Counter[str](), Counter[str](), Counter[str]()
        ill = {chat for name in ("blocked", "deactivated", "unfound", "banned") for chat in self.load.roles[name]}
        unexplained: list[str] = []
        for one in self.load.wanted:
            state, came = self._state(one), len(self.copies[one.number])
            gone = state not in SETTLED or (state == "sent" and not came)
            refused = state in {"failed", "dead", "expired"} and not (one.chat in ill or one.thread)
            lost[one.kind] += gone or refused or (state == "unknown" and one.kind not in ONCE and not came)
            if gone or refused:
                unexplained.append(f"{one} {self.noted.get(one.number)}")
            twice[one.kind] += max(0, came - 1)
            unknown[one.kind] += state == "unknown"
        repeatable = sum(
            one.kind not in ONCE and one.number in self.open | self.load.flights for one in self.load.wanted
        )
        states = Counter(self._state(one) for one in self.load.wanted)
        return [
            Line("sent", f"{len(self.load.wanted)} messages {_said(states)}; met {_said(self.load.referee.met)}", True),
            Line("lost", f"{_said(lost)} {unexplained[:3] or ''}", not lost.total()),
            Line("twice, at most once", str(sum(twice[kind] for kind in ONCE)), not any(twice[kind] for kind in ONCE)),
            Line("twice, at least once", f"{twice.total()} of {repeatable} left open", twice.total() <= repeatable),
            self._unknown(unknown),
        ]

    def _unknown(self, unknown: Counter[str]) -> Line:
        """Those of at-most-once kinds whose answer was lost, and those in flight at a kill or a cut: no other."""
        noted = {one.number for one in self.load.wanted if self._state(one) == "unknown"}
        once = {one.number for one in self.load.wanted if one.kind in ONCE}
        missing, more = (self.open & once) - noted, noted - (self.open & once) - self.load.flights
        flights = f"in flight at {self.load.kills} kills and the outage {len(self.load.flights)}"
        figure = f"{_said(unknown)}; injected {len(self.open & once)}, {flights}; not noted {len(missing)}, others {len(more)}"
        within = len(self.load.flights) <= (self.load.kills + 1) * CAP
        return Line("unknown", figure, within and not missing and not more and not set(unknown - Counter(ONCE)) - ONCE)

    def _order(self) -> Line:
        lanes: dict[tuple[int, int | None], list[float]] = defaultdict(list)
        for one in self.load.wanted:
            if self.copies[one.number]:
                lanes[one.chat, one.thread].append(self.copies[one.number][0])
        return Line("out of order", *_none(sum(moments != sorted(moments) for moments in lanes.values())))

    # --- limits

    def _limits(self) -> list[Line]:
        second = most_in([call.moment for call in self.calls], 1)
        groups: dict[int, list[float]] = defaultdict(list)
        for call in self.calls:
            if call.chat < 0:
                groups[call.chat].append(call.moment)
        minute = max(most_in(moments, 60) for moments in groups.values())
        return [
            Line("most in a second", f"{second} calls of 30", second <= 30),
            Line("most in a minute to a group", f"{minute} calls of 20", minute <= 20),
        ]

    def _others(self) -> Line:
        """What the others got while one chat is banned."""
        at, span = self.load.banned_at, self.load.shape.beside
        others = [call.moment for call in self.calls if call.chat != self.load.roles["banned"][0]]
        before = sum(at - span <= moment < at for moment in others)
        after = sum(at + 1 <= moment < at + 1 + span for moment in others)
        share = after / max(1, before)
        return Line(
            "others beside a banned chat",
            f"{after} calls after {before}: {share:.2f}x",
            share >= UNTOUCHED / self.loose,
        )

    def _silences(self) -> Line:
        spoke = self.load.referee.spoke
        [banned] = self.load.roles["banned"]
        ban = sum(call.fault == "ban" for call in self.calls)
        figure = f"{_said(spoke) or 'none'}; {ban} calls in all met the ban of chat {banned}"
        return Line("calls into a silence that was asked for", figure, spoke["silence"] == 0 and ban <= 2)

    # --- chats

    def _chats(self) -> list[Line]:
        found = self.load.rows("SELECT chat FROM lanes WHERE dead_at IS NOT NULL AND thread = ''")
        dead, due = (
            {int(str(chat)) for (chat,) in found},
            {*self.load.roles["blocked"], *self.load.roles["deactivated"]},
        )
        topics = int(str(self.load.rows("SELECT count(*) FROM lanes WHERE dead_at IS NOT NULL AND thread <> ''")[0][0]))
        closed = len(self.load.referee.closed)
        return [
            Line("dead chats", f"{len(dead & due)} of {len(due)}, falsely {len(dead - due)}", dead == due),
            Line("closed topics", f"{topics} of {closed} paused, their groups go on", topics == closed),
            self._moved(),
        ]

    def _moved(self) -> Line:
        mine = [one for one in self.load.wanted if one.chat in self.load.moved]
        once = sum(len(self.copies[one.number]) == 1 for one in mine)
        there = sum(len(self.load.telegram.messages(new)) for new in self.load.moved.values())
        refused = Counter(call.chat for call in self._after_moving())
        left = self.load.rows(
            "SELECT count(*) FROM lanes WHERE chat IN (SELECT value FROM json_each(?))",
            str([*map(str, self.load.moved)]).replace("'", '"'),
        )
        figure = f"{len(self.load.moved)} groups, {once} of {len(mine)} messages once, {there} at the new place, asked there in vain {max(refused.values(), default=0)}"
        held = once == len(mine) and there > 0 and max(refused.values(), default=0) <= 1 and left[0][0] == 0
        return Line("migrated", figure, held)

    def _after_moving(self) -> list[Call]:
        arrived = {(old, said.text) for old in self.load.moved for said in self.load.telegram.messages(old)}
        return [
            call
            for call in self.calls
            if call.chat in self.load.moved and (call.chat, call.text) not in arrived and not call.fault
        ]

    def _bulletin(self) -> Line:
        refused = sum(call.fault == "html" for call in self.calls)
        plain = sum(call.text == BULLETIN and not call.html for call in self.calls)
        figure = f"{refused} refusals for {len(self.load.roles['bulletin'])} chats, {plain} sent as bare words"
        return Line("a text refused as HTML", figure, 0 < refused <= CAP)

    # --- people

    def _people(self) -> list[Line]:
        asked, halts = self.load.asked, self.load.halts
        got = {chat: [said.moment for said in self.load.telegram.messages(chat)] for chat in asked}
        troubled = {call.chat for call in self.calls if call.chat > PEOPLE and call.fault}
        lost = [chat for chat in asked if not got[chat] and chat not in troubled]
        states = Counter(
            {str(s): int(str(n)) for s, n in self.load.rows("SELECT state, count(*) FROM inbox GROUP BY state")}
        )
        late = [
            got[chat][0] - moment
            for chat, moment in asked.items()
            if got[chat] and chat not in troubled and not any(a - AFTER < moment < b + AFTER for _, a, b in [*halts, *self._misses])
        ]  # fmt: skip
        p99 = sorted(late)[int(len(late) * 0.99)] if late else 99.0
        twice = sum(len(moments) > 1 for moments in got.values())
        expired = sum("reply not sent" in line for life in self.load.lives for line in life.err)
        excused = states["taken"] + expired
        handled = sum(states[state] for state in ("done", "taken", "poison"))
        said = len(asked) + self.load.poisoned + 2 * (len(self.load.moved) // 2)
        return [
            Line("replies", f"{len(asked)} asked, lost {max(0, len(lost) - excused)}, twice {twice}, unanswered for a known cause {len(lost) and min(len(lost), excused)}, troubled {len(troubled)}", len(lost) <= excused and not twice),
            Line("updates", f"{handled} of {said} handled once ({_said(states)})", handled == said and states["poison"] == self.load.poisoned),
            Line("p99 of a /rates reply", f"{p99:.2f} s of {len(late)} in quiet (median {sorted(late)[len(late) // 2] if late else 0:.2f} s)", p99 < REPLY_SECONDS * self.loose),
        ]  # fmt: skip

    @cached_property
    def _misses(self) -> list[tuple[str, float, float]]:
        """Faults of the polling, and when it was back."""
        polls = self.load.referee.good_polls
        missed = [(name, at, at) for name, at in self.load.referee.missed if name != "again"]
        every = [*missed, *((name, began, end) for name, began, end in self.load.halts if name != "silence")]
        return [(name, end, next((good for good in polls if good > end), 1e9)) for name, _, end in every]

    def _polling(self) -> list[Line]:
        worst: dict[str, float] = {}
        for name, at, back in self._misses:
            worst[name] = max(worst.get(name, 0.0), back - at)
        figure = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in worst.items())
        return [Line("polling back after", figure, max(worst.values()) <= POLLING_BACK)]

    # --- the rest

    def _token(self) -> Line:
        token = self.load.telegram.token
        parts = (token, token.partition(":")[2])
        lines = [line for life in self.load.lives for line in (*life.out, *life.err)]
        return Line(
            "token in the logs",
            f"{sum(any(part in line for part in parts) for line in lines)} of {len(lines)} lines",
            not any(parts[1] in line for line in lines),
        )

    def _damage(self) -> Line:
        found = self.load.rows("PRAGMA integrity_check")
        return Line("database", str(found[0][0]), found == [("ok",)])


def _none(count: int) -> tuple[str, bool]:
    return str(count), not count


def _said(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count) or "0"


def judge(load: Load, loose: float = 1.0) -> list[Line]:
    return Verdict(load, loose).lines()
