"""What goes wrong between us and Telegram in a fault load, call by call, and what the referee saw of it.

    referee = Referee(telegram, Random(7))
    referee.plan["17"] = "504"              # the message "17" meets this at its first call
    referee.ban(chat, 3600)                 # one chat; "" is the whole bot
    referee.poll_fails("404")               # what the next getUpdates meets

A call counts for the limits when it arrives, whatever is answered.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections import Counter, deque
from dataclasses import dataclass
from random import Random
from typing import Any

from aiohttp import web

from tests.fakes.faults import hang, reset, reset_after, status
from tests.fakes.telegram import FakeTelegram, refusal
from tests.fakes.web import Fault, Handler

PAGE = "<html><head><title>Bad Gateway</title></head><body><h1>nginx</h1></body></html>"
AMBIGUOUS = frozenset({"502", "504", "late", "dropped", "dropped after"})
"""Nobody at our end can tell whether these arrived."""
LATE_SECONDS = 33.0
"""Longer than the client waits."""
FLOOD_SPAN, FLOODS = 2.4, 2
"""So many chats at most are told to wait in so many seconds: three would be a storm, that is, the whole bot."""
BEAT, STALL = 0.02, 0.1
GRACE = 0.5
"""Seconds in which calls may arrive that were on their way when a silence was asked for."""


@dataclass
class Call:
    """One sendMessage. fault: what it met, "" if nothing."""

    chat: int
    thread: int | None
    text: str
    html: bool
    moment: float
    fault: str = ""


class Referee:
    """flood_share: of the calls that are told to wait 1 to 5 seconds; people: chats above this number ask us
    things, and their answers are troubled with `people_share`; refused_text: is refused as HTML; closed: topics
    that are; spoke: calls into a silence that was asked for; stalls: when the referee itself stood still"""

    def __init__(self, telegram: FakeTelegram, dice: Random, people: int) -> None:
        self.calls: list[Call] = []
        self.plan: dict[str, str] = {}
        self.closed: set[tuple[int, int]] = set()
        self.refused_text = ""
        self.flood_share = 0.0
        self.people_share = 0.0
        self.met: Counter[str] = Counter()
        self.spoke: Counter[str] = Counter()
        self.good_polls: list[float] = []
        self.missed: list[tuple[str, float]] = []
        self.stalls: list[tuple[float, float]] = []
        self._watch: asyncio.Task[None] | None = None
        self._people = people
        self._dice = dice
        self._bans: dict[int | str, float] = {}
        self._told: dict[int | str, float] = {}
        self._owed = 0.0
        self._floods: deque[tuple[float, int]] = deque()
        self._poll_faults: list[str] = []
        self._conflict_until = 0.0
        self._last_batch: list[Any] = []
        telegram.fault(f"/bot{telegram.token}/sendMessage", self._sent)
        telegram.fault(f"/bot{telegram.token}/getUpdates", self._polled)

    # --- sends

    def ban(self, chat: int | str, seconds: float) -> None:
        self._bans[chat] = time.monotonic() + seconds
        self._told.pop(chat, None)

    def pardon(self) -> None:
        """No more trouble with what is sent."""
        self._bans.clear()
        self.plan.clear()
        self.flood_share = self.people_share = 0.0

    def ambiguous(self) -> set[tuple[int, str]]:
        """Chats and texts of what met a fault that leaves it open whether it arrived."""
        return {(call.chat, call.text) for call in list(self.calls) if call.fault in AMBIGUOUS}

    async def _sent(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._watch is None or self._watch.get_loop() is not asyncio.get_running_loop():
            self._watch = asyncio.create_task(self._watch_itself())
        asked = json.loads(await request.read())
        where = int(asked["chat_id"]), asked.get("message_thread_id")
        call = Call(*where, asked["text"], "parse_mode" in asked, time.monotonic())
        self.calls.append(call)
        call.fault, fault = self._fault_of(call)
        if call.fault:
            self.met[call.fault] += 1
        return await (fault(request, handler) if fault else handler(request))

    async def _watch_itself(self) -> None:
        """While this loop stands still, calls heap up at its door and seem to come at once."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT)
            if (now := time.monotonic()) - before > BEAT + STALL:
                self.stalls.append((before, now))

    def _fault_of(self, call: Call) -> tuple[str, Fault | None]:
        for chat, name in (("", "silence"), (call.chat, "ban")):
            until = self._bans.get(chat, 0.0)
            if call.moment < until:
                self.spoke[name] += call.moment > self._told.setdefault(chat, call.moment) + GRACE
                self._floods.append((call.moment, call.chat))
                return name, _wait(math.ceil(until - call.moment))
        if call.thread and (call.chat, call.thread) in self.closed:
            return "topic", refusal(400, "Bad Request: TOPIC_CLOSED")
        if call.html and call.text == self.refused_text:
            return "html", refusal(400, "Bad Request: can't parse entities: Unsupported start tag at byte offset 0")
        if call.chat > self._people:
            name = "dropped after" if self._dice.random() < self.people_share else ""
        else:
            name = self.plan.pop(call.text, "") or self._flood(call)
        return name, self._fault(name)

    def _flood(self, call: Call) -> str:
        """What is owed of them is held back while there were as many as there may be."""
        self._owed = min(self._owed + self.flood_share, 3.0)
        while self._floods and self._floods[0][0] < call.moment - FLOOD_SPAN:
            self._floods.popleft()
        if self._owed < 1 or len({chat for _, chat in self._floods}) >= FLOODS:
            return ""
        self._owed -= 1
        self._floods.append((call.moment, call.chat))
        return "429"

    def _fault(self, name: str) -> Fault | None:
        match name:
            case "":
                return None
            case "429":
                return _wait(self._dice.randint(1, 5))
            case "500":
                return refusal(500, "Internal Server Error: restart")
            case "502" | "504":
                return _page(int(name), arrives=self._dice.random() < 0.5)
            case "late":
                return _late
            case "dropped":
                return reset
            case "dropped after":
                return reset_after
        raise AssertionError(name)

    # --- polls

    def poll_fails(self, name: str, seconds: float = 0.0) -> None:
        """404, 401, hung, again (the last batch once more), or 409 for so many seconds."""
        if name == "409":
            self._conflict_until = time.monotonic() + seconds
        else:
            self._poll_faults.append(name)

    async def _polled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        name = self._poll_faults.pop(0) if self._poll_faults else ""
        if time.monotonic() < self._conflict_until:
            name = "409"
        if name:
            self.missed.append((name, time.monotonic()))
        match name:
            case "404":
                return await refusal(404, "Not Found")(request, handler)
            case "401":
                return await refusal(401, "Unauthorized")(request, handler)
            case "409":
                text = "Conflict: terminated by other getUpdates request"
                return await refusal(409, text)(request, handler)
            case "hung":
                return await hang(request, handler)
            case "again":
                return web.json_response({"ok": True, "result": self._last_batch})
        answer = await handler(request)
        if isinstance(answer, web.Response) and answer.status == 200 and isinstance(answer.body, bytes):
            self._last_batch = json.loads(answer.body)["result"] or self._last_batch
            self.good_polls.append(time.monotonic())
        return answer


def _wait(seconds: int) -> Fault:
    return refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def _page(code: int, *, arrives: bool) -> Fault:
    async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        if arrives:
            await handler(request)
        return await status(code, PAGE)(request, handler)

    return fault


async def _late(request: web.Request, handler: Handler) -> web.StreamResponse:
    answer = await handler(request)
    await asyncio.sleep(LATE_SECONDS)
    return answer
