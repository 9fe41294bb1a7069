from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from bot.pace import SWEPT, Limits, Pace, Rate
from handlers.slack.send import LIMITS as SLACK
from handlers.telegram.send import LIMITS as TELEGRAM
from handlers.telegram.send import LIMITS_PAID
from tests.fanout import most_in
from tests.simulated import simulate

GROUP = "-1005"
Turn = tuple[float, str]


async def speak(pace: Pace, chat: str, times: int, turns: list[Turn], *, reply: bool = False) -> None:
    """As a lane does: one at a time, and again as often as it is put off."""
    loop = asyncio.get_running_loop()
    for _ in range(times):
        while wait := await pace.take(chat, reply=reply):
            await asyncio.sleep(wait)
        turns.append((loop.time(), chat))


def turns_of(
    limits: Limits, chats: dict[str, int], *, replies: dict[str, int] | None = None, rested: float = 0
) -> list[Turn]:
    async def run() -> list[Turn]:
        pace, turns = Pace(limits), []
        pace.room()
        await asyncio.sleep(rested)
        async with asyncio.TaskGroup() as group:
            for chat, times in chats.items():
                group.create_task(speak(pace, chat, times, turns))
            for chat, times in (replies or {}).items():
                group.create_task(speak(pace, chat, times, turns, reply=True))
        return turns

    return simulate(run())


def test_telegram_is_never_spoken_to_more_often_than_it_allows():
    chats = {str(n): 8 for n in range(60)} | {f"-{n}": 60 for n in range(1, 6)}
    turns = turns_of(TELEGRAM, chats, replies={str(n): 4 for n in range(30)} | {"-1": 10})
    moments = [moment for moment, _ in turns]
    assert len(turns) == 60 * 8 + 5 * 60 + 30 * 4 + 10
    assert most_in(moments, 1) <= 30
    for group in range(1, 6):
        of_group = [moment for moment, chat in turns if chat == f"-{group}"]
        assert most_in(of_group, 60) <= 20
    for chat in range(60):
        assert most_in([moment for moment, to in turns if to == str(chat)], 1) <= 4


@pytest.mark.parametrize("senders", [2, 3])
def test_senders_that_share_the_rate_are_together_as_slow_as_one(senders: int):
    """Each chat's messages go in single file, by whoever comes; what one knows of its rest, all know."""

    async def run() -> list[Turn]:
        paces, turns = [Pace(TELEGRAM) for _ in range(senders)], list[Turn]()
        loop = asyncio.get_running_loop()

        async def lane(chat: str, times: int) -> None:
            for turn in range(times):
                pace = paces[(turn + hash(chat)) % senders]
                while wait := await pace.take(chat):
                    await asyncio.sleep(wait)
                turns.append((loop.time(), chat))
                await asyncio.sleep(pace.rest(chat))

        for pace in paces:
            pace.share = 1 / senders
            pace.room()
        async with asyncio.TaskGroup() as group:
            for chat, times in {**{str(n): 6 for n in range(60)}, "-1": 60, "-2": 60}.items():
                group.create_task(lane(chat, times))
        return turns

    turns = simulate(run())
    assert len(turns) == 60 * 6 + 120
    assert most_in([moment for moment, _ in turns], 1) <= 30
    for group in ("-1", "-2"):
        assert most_in([moment for moment, chat in turns if chat == group], 60) <= 20


def test_a_loop_that_stood_still_lets_nobody_out_in_a_throng():
    async def run() -> list[float]:
        pace, turns = Pace(TELEGRAM), list[Turn]()
        async with asyncio.TaskGroup() as group:
            for number in range(200):
                group.create_task(speak(pace, str(number), 1, turns))
            for _ in range(3):
                await asyncio.sleep(1)
                asyncio.get_running_loop().now += 0.8  # type: ignore[attr-defined]
        return [moment for moment, _ in turns]

    assert most_in(simulate(run()), 1) <= 26


def test_a_process_that_begins_does_not_begin_with_a_burst():
    moments = [moment for moment, _ in turns_of(TELEGRAM, {str(n): 1 for n in range(100)})]
    assert most_in(moments, 1) <= 26


def test_the_rate_is_used_up_while_chats_wait():
    turns = turns_of(TELEGRAM, {str(n): 1 for n in range(1000)} | {GROUP: 12})
    private = [moment for moment, chat in turns if chat != GROUP]
    assert max(private) - min(private) == pytest.approx(1000 / 25, rel=0.05)


def test_a_reply_does_not_queue_behind_a_broadcast():
    async def run() -> float:
        pace, turns = Pace(TELEGRAM), []
        broadcast = [asyncio.create_task(speak(pace, str(n), 1, turns)) for n in range(200)]
        await asyncio.sleep(2)
        began, replies = asyncio.get_running_loop().time(), []
        await speak(pace, "9999", 1, replies, reply=True)
        for task in broadcast:
            task.cancel()
        return replies[0][0] - began

    # a broadcast takes up no more than it has tokens for: bot/deliver.py asks for room first
    assert simulate(run()) <= 200 / 25


def test_there_is_room_for_what_there_are_tokens_for():
    async def run() -> tuple[int, int, int]:
        pace = Pace(TELEGRAM)
        assert pace.room() <= 6  # what the process before us sent is not known
        await asyncio.sleep(1)
        rested = pace.room()
        for number in range(rested):
            await pace.take(str(number))
        used = pace.room()
        await asyncio.sleep(1)
        return rested, used, pace.room()

    rested, used, again = simulate(run())
    assert 3 <= rested <= 10
    assert used <= 7
    assert again == rested


def test_slack_hears_one_message_a_second_in_a_channel_and_a_burst_in_a_workspace():
    turns = turns_of(SLACK, {"T1/C1": 20} | {f"T1/C{n}": 1 for n in range(2, 52)}, rested=60)
    first = sorted(moment for moment, chat in turns if chat == "T1/C1")
    assert min(after - before for before, after in pairwise(first)) >= 0.95
    others = [moment for moment, chat in turns if chat != "T1/C1"]
    assert max(others) - min(others) <= 5
    assert most_in([moment for moment, _ in turns], 60) <= 300 + 60


def test_a_second_workspace_does_not_wait_for_the_first():
    turns = turns_of(SLACK, {f"T1/C{n}": 1 for n in range(100)} | {"T2/C1": 1})
    assert min(moment for moment, chat in turns if chat == "T2/C1") == 1000.0


def test_one_chat_that_wants_silence_gets_it_and_the_others_do_not():
    async def run() -> tuple[float, float]:
        pace = Pace(TELEGRAM)
        pace.flooded("1", 3600)
        return await pace.take("1"), await pace.take("2")

    assert simulate(run()) == (pytest.approx(3600), 0.0)


def test_a_shorter_word_does_not_end_a_longer_silence():
    async def run() -> float:
        pace = Pace(TELEGRAM)
        pace.flooded("1", 60)
        pace.flooded("1", 2)
        return pace.rest("1")

    assert simulate(run()) == pytest.approx(60)


def test_three_chats_that_want_silence_within_two_seconds_mean_everybody():
    async def run() -> tuple[float, float]:
        pace = Pace(TELEGRAM)
        pace.flooded("1", 5)
        pace.flooded("1", 5)
        await asyncio.sleep(1)
        pace.flooded("2", 30)
        before = pace.held
        pace.flooded("3", 20)
        pace.flooded("4", 40)
        return before, pace.held

    assert simulate(run()) == (0.0, pytest.approx(20))


def test_one_chats_long_ban_among_short_silences_is_not_everybodys():
    async def run() -> tuple[float, float]:
        pace = Pace(TELEGRAM)
        pace.flooded("1", 3600)
        pace.flooded("2", 4)
        pace.flooded("3", 2)
        return pace.held, pace.silence("1")

    assert simulate(run()) == (pytest.approx(2), pytest.approx(3600))


def test_a_call_of_no_chat_that_is_told_to_wait_means_everybody_and_the_rate_recovers():
    async def run() -> list[int]:
        pace, counts = Pace(Limits(shared=Rate(20, burst=1))), []
        pace.flooded("", 10)
        assert pace.room() == 0
        await asyncio.sleep(10)
        for _ in range(3):
            turns: list[Turn] = []
            sending = asyncio.create_task(speak(pace, "1", 10_000, turns))
            await asyncio.sleep(10)
            sending.cancel()
            counts.append(len(turns))
            await asyncio.sleep(110)
        return counts

    slow, faster, full = simulate(run())
    assert slow == pytest.approx(140, abs=5)
    assert faster == pytest.approx(180, abs=5)
    assert full == pytest.approx(200, abs=5)


def test_a_message_that_would_have_to_wait_long_takes_no_token():
    async def run() -> tuple[float, bool]:
        pace = Pace(TELEGRAM)
        rested = pace.room()
        pace.flooded(GROUP, 60)
        waits = [await pace.take(GROUP) for _ in range(10)]
        return min(waits), pace.room() == rested

    assert simulate(run()) == (pytest.approx(60), True)


def test_buckets_that_are_full_again_are_let_go():
    async def run() -> int:
        pace = Pace(LIMITS_PAID)
        for number in range(4 * SWEPT):
            await pace.take(str(number))
            await asyncio.sleep(0.01)
        return len(pace._chats)

    assert simulate(run()) <= SWEPT


def test_a_group_of_which_nothing_is_known_begins_with_one_message():
    turns = turns_of(TELEGRAM, {GROUP: 3})
    moments = [moment for moment, _ in turns]
    assert moments[1] - moments[0] > 1


def test_without_limits_nobody_waits():
    assert {moment for moment, _ in turns_of(Limits(), {"1": 1000})} == {1000.0}
