"""The service watches itself: tasks that die, ticks that hang; and it is alone with its database."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

from bot.models import Health
from bot.schedule import Scheduled
from bot.service import Service
from tests.process import Running, run
from tests.world import World, open_world


def service(**more: object) -> Service:
    """One that has only what supervising needs."""
    return Service(
        store=None, tracker=None, announcer=None, deliverer=Idle(), chats={}, clock=None, tick_seconds=1, **more
    )  # type: ignore[arg-type]


class Idle:
    """A deliverer that has nothing to say of its health."""

    def health(self) -> dict[str, Health]:
        return {}


async def test_a_task_that_dies_is_not_ready_until_it_lives_again():
    watched, deaths = service(), [ZeroDivisionError, KeyError]
    alive = asyncio.Event()

    async def work() -> None:
        if deaths:
            raise deaths.pop()
        alive.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(watched.supervise("deliver", work))
    await asyncio.sleep(0.05)
    assert watched.ready()["deliver"] == Health(ok=False, detail="died of KeyError, restarting")
    async with asyncio.timeout(30):
        await alive.wait()
    assert watched.ready()["deliver"].ok
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_tick_that_hangs_and_one_that_fails_are_told():
    hangs = asyncio.Event()
    broken = [True]

    async def hanging() -> None:
        await hangs.wait()

    async def failing() -> None:
        if broken:
            raise ZeroDivisionError

    ticks = Scheduled({"fails": (failing, 0.05), "hangs": (hanging, 0.05)}, hangs=0.2)
    watched = service(ticks=ticks)
    await ticks.start()
    await asyncio.sleep(0.6)
    assert list(watched.alive()) == ["tick hangs"]
    assert sorted(name for name, one in watched.ready().items() if not one.ok) == ["tick fails", "tick hangs"]
    hangs.set()
    broken.clear()
    await asyncio.sleep(0.3)
    assert [name for name, one in watched.ready().items() if not one.ok] == []
    await ticks.stop()


def serving(world: World) -> Running:
    return Running(world.folder, "run", env=world.env, stdin=subprocess.DEVNULL)


def test_a_second_instance_on_the_same_database_is_refused(tmp_path: Path):
    with open_world(tmp_path) as world, serving(world) as first:
        first.wait_for_log("serving")
        began = time.monotonic()
        second = run(world.folder, "run", env=world.env)
        assert second.returncode == 3
        assert "in use by another" in second.stderr
        assert time.monotonic() - began < 20
        assert first.process.poll() is None
        first.kill()
        with serving(world) as third:
            third.wait_for_log("serving")
            assert third.stop() == 0
