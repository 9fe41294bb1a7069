"""How banks are polled: conditionally where they allow it, and at the hours they publish."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fortnight import START, Presses
from tests.test_fortnight import HOUR, newsroom


async def test_a_bank_with_validators_is_asked_whether_anything_is_new(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        Presses(room.fakes).run(START)
        for hour in range(3):
            room.clock.now = START + hour * HOUR
            await room.pass_hour()
        asked = room.fakes.web.asked(room.fakes.path("nbkr"))
        state = (await room.core.store.poll_states())["nbkr"]
        board = await room.board()
    assert [bool(seen.headers.get("If-None-Match")) for seen in asked] == [False, True, True]
    assert [bool(seen.headers.get("If-Modified-Since")) for seen in asked] == [False, True, True]
    assert (state.failures, state.last_ok_at) == (0, START + 2 * HOUR)
    assert board["KGS"].startswith("87.4500 of 7")


async def test_a_bank_is_asked_more_often_while_it_publishes(tmp_path: Path):
    def at_night(now: datetime) -> bool:
        return now.hour < 9

    async with newsroom(tmp_path) as room:
        Presses(room.fakes).run(START)
        times = []
        for minute in range(0, 14 * 60, 2):
            room.clock.now = datetime(2026, 12, 7, tzinfo=UTC) + timedelta(minutes=minute)
            before = len(room.fakes.web.asked(room.fakes.path("nbkr")))
            await room.pass_hour()
            times += [room.clock.now] * (len(room.fakes.web.asked(room.fakes.path("nbkr"))) - before)
    night = sum(map(at_night, times))
    window = sum(9 <= now.hour < 11 for now in times)
    assert 8 <= night <= 12  # nine hours, every 53 minutes and at the opening
    assert window >= 15  # two hours, every seven minutes or so
