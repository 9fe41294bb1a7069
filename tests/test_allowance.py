from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.allowance import BURST, REFILL, SWEPT, Allowance
from bot.models import SILENCE, Address, Answer, Request
from handlers import menu
from handlers.menu.desk import Desk
from tests.chats import open_chats, until
from tests.fixings import NOON, desk_of
from tests.stores import new_store
from tests.tally import Tell


@dataclass
class Clock:
    now = NOON

    def __call__(self):
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_after_a_burst_there_is_one_notice_then_silence_and_one_request_in_three_seconds(clock: Clock):
    allowance = Allowance(clock)
    assert [allowance.judge("a") for _ in range(BURST + 3)] == ["answer"] * BURST + ["notice", "silence", "silence"]
    clock.wait(REFILL.seconds)
    assert [allowance.judge("a"), allowance.judge("a")] == ["answer", "silence"]
    assert allowance.judge("b") == "answer"


def test_who_rested_a_minute_begins_anew_and_is_told_anew(clock: Clock):
    allowance = Allowance(clock)
    for _ in range(BURST + 5):
        allowance.judge("a")
    clock.wait(60)
    assert [allowance.judge("a") for _ in range(BURST + 2)] == ["answer"] * BURST + ["notice", "silence"]


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_clock_that_jumps_locks_nobody_out(clock: Clock, hours: int):
    allowance = Allowance(clock)
    for _ in range(BURST + 5):
        allowance.judge("a")
    clock.wait(hours * 3600)
    allowance.judge("a")
    clock.wait(60)
    assert allowance.judge("a") == "answer"


def test_a_hundred_thousand_strangers_are_not_kept_in_mind(clock: Clock):
    allowance = Allowance(clock)
    for number in range(100_000):
        allowance.judge(str(number))
        clock.wait(0.1)
    assert len(allowance._full) <= SWEPT


HERE = Address("telegram", "42")


@pytest.fixture
async def desk(tmp_path: Path, clock: Clock):
    store = await new_store(tmp_path / "yamchi.db")
    yield replace(desk_of(store), allowance=Allowance(clock), admins=frozenset({"telegram:1"}))
    await store.close()


async def say(desk: Desk, user: str, address: Address = HERE) -> Answer:
    return await menu.answer(desk, Request(address, "/version", user=user))


async def test_the_notice_says_what_to_expect_and_then_nothing_is_said(desk: Desk):
    answers = [await say(desk, "7") for _ in range(BURST + 2)]
    assert [answer.error is None for answer in answers[:BURST]] == [True] * BURST
    assert answers[BURST].error == {
        "message": "You ask faster than I may answer.",
        "hint": "For a minute I answer one request in 3 seconds and pass over the others.",
    }
    assert answers[BURST + 1] is SILENCE


async def test_others_in_the_same_chat_operators_and_the_terminal_are_not_meant(desk: Desk):
    for _ in range(BURST + 2):
        await say(desk, "7")
    assert (await say(desk, "8")).error is None
    for _ in range(BURST + 2):
        assert (await say(desk, "1")).error is None
        assert (await say(desk, "", Address("console", "local"))).error is None


async def test_what_is_asked_while_somebody_types_is_counted_apart_and_never_told(desk: Desk):
    typed = [await menu.answer(desk, Request(HERE, "/version", user="7", aside="inline")) for _ in range(BURST + 2)]
    assert [answer is SILENCE for answer in typed] == [False] * BURST + [True] * 2
    assert (await say(desk, "7")).error is None


async def test_who_has_no_name_is_his_chat(desk: Desk):
    answers = [await say(desk, "", Address("telegram", "-5")) for _ in range(BURST + 2)]
    assert answers[-1] is SILENCE
    assert (await say(desk, "", Address("telegram", "-6"))).error is None


@pytest.mark.parametrize("flood", [200, pytest.param(2000, marks=pytest.mark.chaos)])
def test_a_flood_is_told_once_and_others_are_answered(tmp_path: Path, flood: int, tell: Tell):
    with open_chats(tmp_path) as chats:
        for chat in (41, 42):
            chats.telegram.open(chat)
        with chats.run() as service:
            service.wait_for_log("serving", 100)
            for _ in range(flood):
                chats.telegram.say(41, "/version")
            for _ in range(10):
                chats.telegram.say(42, "/version")
            until(lambda: chats.heard(42, "Yamchi") == 10, 100, "the other is answered")
            until(lambda: not chats.rows("SELECT 1 FROM inbox WHERE state IN ('new', 'taken')"), 100, "all is settled")
            answered, told = chats.heard(41, "Yamchi"), chats.heard(41, "faster than I may answer")
            lasted = chats.rows("SELECT max(received_at) - min(received_at) FROM inbox")[0][0] / 1e6
            assert service.stop() == 0
    tell(
        f"flood: {flood} commands in {lasted:.1f} s by one: {answered} answered, {told} notice;"
        " another's 10 of 10 answered"
    )
    assert told == 1
    assert BURST <= answered < BURST + 40
