"""A day of the service, in minutes: sources, digests, articles, alerts and requests, with 1 % of all calls failing.

The clock goes in steps of a minute, four a second, and stands still while a message is in flight, as
leases and time-outs are meant for a clock that runs beside the wire.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.chats import Chats, open_chats, until
from tests.fakes.faults import Sometimes, reset, reset_after, slow, status, truncated
from tests.fakes.telegram import refusal
from tests.process import Running
from tests.tally import Tally, Tell

STEP = timedelta(minutes=1)
STEP_SECONDS = 0.25
SHARE = 0.01
HOURS = 24
WARM_UP = 120
"""Steps after which memory is measured first."""
MOST_GROWTH = 10 << 20
INSTANT = (1, 2, 3, 4, "C1", "C2")
ASKER = 5
DAILY: dict[str, int | str] = {f"{10 + n // 4}:{n % 4 * 15 + 1:02}": 100 + n for n in range(40)} | {"12:31": "C3"}
"""By time of day, none near that at which the day begins and ends."""
AMBIGUOUS = ("502 page", "reset before", "reset after")
"""Faults after which nobody can know whether a message was taken."""
MORROW = "24 Nov"

ANY_SERVER = {
    "500": status(500),
    "502 page": status(502, "<html>Bad gateway</html>"),
    "reset before": reset,
    "reset after": reset_after,
    "slow": slow(1),
}
OF_TELEGRAM = ANY_SERVER | {
    "500": refusal(500, "Internal Server Error"),  # in the Bot API's own words: it was not carried out
    "429": refusal(429, "Too Many Requests: retry after 1", retry_after=1),
}
OF_SLACK = ANY_SERVER | {"429": status(429, '{"ok": false, "error": "ratelimited"}', 1, "application/json")}
OF_SOURCES = ANY_SERVER | {"429": status(429, retry_after=1), "truncated": truncated}


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Chats]:
    with open_chats(tmp_path) as opened:
        opened.world.outlet()
        yield opened


@dataclass
class Day:
    """What was published and asked so far; `began` holds what was there when the faults began."""

    chats: Chats
    service: Running
    articles: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    replies: int = 0
    asked: int = 0

    def step(self, number: int) -> None:
        """One minute on, and what happens in it."""
        until(lambda: not self.chats.rows("SELECT 1 FROM outbox WHERE state = 'inflight'"), 120, "landed")
        self.chats.shift(number * STEP)
        if number % 15 == 5:
            self.articles.append(f"Article {number} of the day")
            self.chats.world.publish(self.chats.world.feeds.feeds["timesca"], self.articles[-1])
        if number % 20 == 10:
            self.figures.append(f"{475.10 + len(self.figures) / 100:.2f}")
            morrow = self.chats.world.now.date() + timedelta(days=1)
            self.chats.world.banks.set("nbk", morrow, {"USD": (self.figures[-1], 1), "EUR": ("501.00", 1)})
        if number % 10 == 0:
            self.ask()
        time.sleep(STEP_SECONDS)

    def ask(self) -> None:
        """A reply is worth a minute only, so it is waited for: it came, or the log says what became of it."""
        self.asked += 1
        self.chats.telegram.say(ASKER, "/rates KGS")
        until(lambda: len(self.chats.telegram.messages(ASKER)) + self.given_up >= self.asked, 120, "a reply")

    @property
    def given_up(self) -> int:
        return sum("reply not sent" in line for line in list(self.service.err))

    def count(self, tally: Tally, blows: Callable[[int | str, str], int]) -> None:
        """Every message that was to come, as it was seen at the wire.

        blows: how often a message in a chat, with this in it, met an ambiguous fault. An alert is given
        up after one, an article or a digest after two.
        """
        for chat in INSTANT:
            for title in self.articles:
                unknown = blows(chat, title) > 1
                tally.saw("article", self.chats.heard(chat, title), f"{title} in {chat}", unknown=unknown)
            for figure in self.figures:
                unknown = blows(chat, figure) > 0
                tally.saw("alert", self.corrections(chat, figure), f"{figure} in {chat}", unknown=unknown)
        for chat in DAILY.values():
            unknown = blows(chat, "Digest for") > 1
            tally.saw("digest", self.chats.heard(chat, digest=True), f"in {chat}", unknown=unknown)
        for _ in range(self.asked - self.given_up):
            tally.saw("reply", 1)
        for _ in range(self.given_up):
            tally.saw("reply", 0, unknown=True)
        tally.twice["reply"] = max(0, len(self.chats.telegram.messages(ASKER)) - self.asked)

    def corrections(self, chat: int | str, figure: str) -> int:
        """How often this figure came, apart from where it is the one that was corrected."""
        said = self.chats.telegram.messages(chat) if isinstance(chat, int) else self.chats.slack.messages(chat)
        lines = [_news(one.text) for one in said if MORROW in one.text and "Digest for" not in one.text]
        return sum(figure in line for line in lines)


def blows_of(faults: list[Sometimes]) -> Callable[[int | str, str], int]:
    bodies = [json.loads(body) for fault in faults for name, body in fault.met if name in AMBIGUOUS and body[:1] == "{"]
    sent = [(str(body.get("chat_id") or body.get("channel")), _news(str(body.get("text")))) for body in bodies]
    return lambda chat, marker: sum(to == str(chat) and marker in text for to, text in sent)


def _news(text: str) -> str:
    """Without the figure that was corrected."""
    return text.partition("It was")[0]


def weight(pid: int) -> tuple[int, int]:
    """Bytes of memory of a process and its children, and how many files it has open."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in (pid, *children))
    return pages * 4096, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def go_wrong(chats: Chats, dice: Random) -> list[Sometimes]:
    """From now on, 1 % of all calls."""
    telegram, slack, sources = (Sometimes(SHARE, kinds, dice) for kinds in (OF_TELEGRAM, OF_SLACK, OF_SOURCES))
    chats.telegram.fault(f"/bot{chats.telegram.token}/", telegram)
    chats.slack.web.fault("/api/", slack)
    chats.world.web.fault("/", sources)
    return [telegram, slack, sources]


def subscribe(chats: Chats) -> None:
    orders: list[tuple[int | str, str]] = [(chat, "instant") for chat in INSTANT]
    orders += [(chat, f"daily {at}") for at, chat in DAILY.items()]
    for chat, order in orders:
        if isinstance(chat, int):
            chats.telegram.say(chat, f"/subscribe {order}")
        else:
            chats.slack.command("/subscribe", order, channel=chat)
    for chat, _ in orders:
        if isinstance(chat, int):
            chats.telegram.wait_for(chat)


@pytest.mark.chaos
def test_a_day_with_one_call_in_a_hundred_failing(chats: Chats, tell: Tell):
    tally = Tally(f"{HOURS} h simulated, 1 % of calls faulty")
    chats.shift(timedelta())
    began = time.monotonic()
    with chats.run() as service:
        until(lambda: "".join(service.err).count("bank read") >= 4, 60, "the first look")
        subscribe(chats)
        faults = go_wrong(chats, Random(24))
        day = Day(chats, service)
        weights = []
        for number in range(1, HOURS * 60 + 1):
            day.step(number)
            weights.append(weight(service.process.pid))
        for fault in faults:
            fault.share = 0
        until(lambda: not chats.rows("SELECT 1 FROM outbox WHERE state IN ('pending', 'inflight')"), 200, "all is out")
        time.sleep(3)
        assert service.process.poll() is None
        service.stop()
        log = "".join(service.err)
    day.count(tally, blows_of(faults[:2]))
    met = Counter(name for fault in faults for name, _ in fault.met)
    taken = sum(name == "reset after" for fault in faults[:2] for name, _ in fault.met)
    memory, files = weights_of(weights[WARM_UP:])
    tally.print(
        tell,
        f"{sum(fault.calls for fault in faults)} calls, {met.total()} faulty, {taken} taken and not answered; "
        f"memory {memory[0] / (1 << 20):.1f} to {memory[1] / (1 << 20):.1f} MB, files {files[0]} to {files[1]}; "
        f"{time.monotonic() - began:.0f} s",
    )
    assert not tally.lost.total(), tally.amiss
    assert tally.twice.total() <= taken, tally.amiss
    assert memory[1] - memory[0] <= MOST_GROWTH
    assert files[1] <= files[0] + 4
    assert "Traceback" not in log and "died" not in log, re.findall(r".*(?:Traceback|died)[\s\S]{1,2000}", log)[:3]
    assert chats.rows("PRAGMA integrity_check") == [("ok",)]


def weights_of(measured: list[tuple[int, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Memory and files, each as the median of the first and of the last tenth."""
    tenth = max(1, len(measured) // 10)

    def middle(values: list[int]) -> tuple[int, int]:
        first, last = sorted(values[:tenth]), sorted(values[-tenth:])
        return first[tenth // 2], last[tenth // 2]

    return middle([memory for memory, _ in measured]), middle([files for _, files in measured])
