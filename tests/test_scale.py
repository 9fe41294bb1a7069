"""Several processes on one PostgreSQL database: any of them may be killed, and the database restarted."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests import postgres
from tests.fakes.faults import slow
from tests.fanout import CHATS, FanOut, Tally, fan_out, most_in
from tests.ports import held_port
from tests.process import Running, run
from tests.stores import empty_database, require_postgres
from tests.tally import Tell
from tests.world import open_world

ROLES = ("web,tick,send", "web,tick", "send", "send")
PATIENCE = 240


class Fleet:
    """Processes with these roles, each started again when it has been killed."""

    def __init__(self, fan: FanOut, stack: ExitStack) -> None:
        self.fan = fan
        self._ports = [stack.enter_context(held_port()) for _ in ROLES]
        self._stack = stack
        self.running: list[Running] = [self._start(number) for number in range(len(ROLES))]

    def _start(self, number: int) -> Running:
        env = {**self.fan.env, "HTTP_LISTEN": f"127.0.0.1:{self._ports[number]}", "LOG_LEVEL": "INFO"}
        return self._stack.enter_context(Running(self.fan.folder, "run", "--roles", ROLES[number], env=env))

    def kill(self, number: int) -> None:
        self.running[number].kill()
        self.running[number] = self._start(number)

    def wait(self, seen: object) -> None:
        deadline = time.monotonic() + PATIENCE
        while not seen():  # type: ignore[operator]
            for one in self.running:
                assert one.process.poll() is None, "".join(one.err[-20:])
            assert time.monotonic() < deadline, "".join(line for one in self.running for line in one.err[-8:])
            time.sleep(0.05)


@contextmanager
def fleet(folder: Path, database: str, messages: int) -> Iterator[tuple[Fleet, FanOut]]:
    """Without paying, so that the rate counts."""
    with fan_out(folder, 0.02, database) as fan, ExitStack() as stack:
        fan.env["TELEGRAM_PAID_BROADCAST"] = "false"
        asyncio.run(fan.enqueue(messages))
        yield Fleet(fan, stack), fan


def most_a_second(fan: FanOut) -> int:
    return most_in([said.moment for chat in CHATS for said in fan.telegram.messages(chat)], 1)


@pytest.mark.parametrize(("kills", "messages"), [(6, 500), pytest.param(50, 10_000, marks=pytest.mark.chaos)])
def test_any_of_several_is_killed_and_nothing_is_lost_nor_said_too_fast(
    tmp_path: Path, kills: int, messages: int, tell: Tell
):
    require_postgres()
    luck, tally = random.Random(), Tally()
    with fleet(tmp_path, empty_database(), messages) as (those, fan):
        for kill in range(1, kills + 1):
            those.wait(lambda until=messages * kill // (kills + 2): fan.arrived() >= until)
            those.kill(luck.randrange(len(ROLES)))
            tally.kills += 1
        those.wait(lambda: not fan.waits())
        for one in those.running:
            assert one.stop() == 0
        fan.count(tally, messages)
        fastest = most_a_second(fan)
    tell(f"{len(ROLES)} processes: {tally}; at most {fastest} in a second")
    assert (tally.lost, tally.disordered) == (0, 0)
    assert tally.twice <= kills * 32
    assert fastest <= (30 if kills == 50 else 40)  # the short form bears a busy machine, which brings some late


def test_another_polls_soon_after_the_first_was_killed(tmp_path: Path, tell: Tell):
    require_postgres()
    with fleet(tmp_path, empty_database(), 1) as (those, fan):
        first, second, *_ = those.running
        those.wait(lambda: "what=polling" in "".join(first.err) and "what=polling" in "".join(second.err))
        leader, other = (first, second) if polls(first) else (second, first)
        assert polls(leader) and not polls(other)
        fan.telegram.say(41, "/version")
        those.wait(lambda: fan.telegram.messages(41))
        those.running.remove(leader)
        leader.kill()
        began = time.monotonic()
        those.wait(lambda: polls(other))
        fan.telegram.say(42, "/version")
        those.wait(lambda: fan.telegram.messages(42))
        took = time.monotonic() - began
    tell(f"the one that polls is killed: another answers after {took:.1f} s")
    assert took < 30


def polls(one: Running) -> bool:
    return any("leading" in line and "what=polling" in line for line in one.err)


def test_the_database_restarts_and_all_go_on_by_themselves(tmp_path: Path, tell: Tell):
    require_postgres()
    tally = Tally()
    with (
        postgres.server(durable=True) as server,
        server.database() as url,
        fleet(tmp_path, url, 400) as (those, fan),
    ):
        those.wait(lambda: fan.arrived() >= 120)
        server.stop()
        server.start()
        began, before = time.monotonic(), fan.arrived()
        those.wait(lambda: fan.arrived() > before + 40)
        took = time.monotonic() - began
        those.wait(lambda: not fan.waits())
        fan.telegram.say(41, "/version")
        those.wait(lambda: fan.telegram.messages(41))  # somebody leads
        assert [one.stop() for one in those.running] == [0] * len(ROLES)
        fan.count(tally, 400)
        fastest = most_a_second(fan)
    tell(f"a restart of the database: {tally}; at most {fastest} in a second; 40 more after {took:.1f} s")
    assert (tally.lost, tally.disordered, tally.twice) == (0, 0, 0)
    assert fastest <= 40  # as above


def test_of_several_that_tick_one_asks_a_source_and_another_goes_on_when_it_is_killed(tmp_path: Path):
    with open_world(tmp_path) as world, ExitStack() as stack:
        feed = world.outlet()
        world.publish(feed, "one")
        world.web.fault(feed.path, slow(1.5))
        env = {**world.env, "DATABASE_URL": empty_database(), "LOG_LEVEL": "INFO"}
        env.pop("YAMCHI_TEST_NOW")
        those = []
        for _ in range(3):
            env["HTTP_LISTEN"] = f"127.0.0.1:{stack.enter_context(held_port())}"
            those.append(stack.enter_context(Running(tmp_path, "run", "--roles", "tick", env=env)))
            those[-1].wait_for_log("working")
        _until(lambda: len(world.web.asked(feed.path)) >= 5)
        first = next(one for one in those if "feed read" in "".join(one.err))
        first.kill()
        seen = len(world.web.asked(feed.path))
        _until(lambda: len(world.web.asked(feed.path)) >= seen + 3)
        moments = [asked.instant.timestamp() for asked in world.web.asked(feed.path)]
        assert all(one.stop() == 0 for one in those if one is not first)
    # never asked before it had answered
    assert min(later - sooner for sooner, later in pairwise(moments)) >= 1.4


def _until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("roles", "database", "code", "said"),
    [
        ("send", "sqlite:///x.db", 2, "need a PostgreSQL database"),
        ("web", "sqlite:///x.db", 2, "need a PostgreSQL database"),
        ("cook", "sqlite:///x.db", 2, "expected some of web, tick, send"),
    ],
)
def test_roles_that_cannot_be_are_refused(tmp_path: Path, roles: str, database: str, code: int, said: str):
    result = run(tmp_path, "run", "--roles", roles, env={"DATABASE_URL": database})
    assert result.returncode == code
    assert said in " ".join(result.stderr.replace("│", " ").split())
