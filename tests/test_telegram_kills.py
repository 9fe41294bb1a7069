"""kill -9 of the real process while people speak: every update is handled, and none takes effect twice."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.models import Address
from storage.choice import open_chosen
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_courier import Courier
from tests.ports import held_port
from tests.process import Running
from tests.stores import is_damaged, look
from tests.world import World, open_world

CHATS = range(1, 7)
LINES = (
    "/subscribe instant alpha",
    "/subscribe instant beta",
    "/unsubscribe 1",
    "/subscribe instant gamma",
    "/subscribe instant delta",
    "/unsubscribe 1",
    "/rates KZT",
)
"""Twice ended would be gamma as well."""
LEFT = [("gamma",), ("delta",)]


@pytest.fixture
def world(tmp_path: Path, database: str) -> Iterator[World]:
    with open_world(tmp_path) as opened:
        opened.env["DATABASE_URL"] = database
        yield opened


def say_all(fake: FakeTelegram) -> int:
    for line in LINES:
        for chat in CHATS:
            fake.say(chat, line)
    return len(LINES) * len(CHATS)


def states(world: World) -> dict[str, int]:
    database = world.env["DATABASE_URL"]
    assert not is_damaged(database)
    return dict(look(database, "SELECT state, count(*) FROM inbox GROUP BY state"))  # type: ignore[arg-type]


async def left(world: World, chat: int) -> list[tuple[str, ...]]:
    store = await open_chosen(world.env["DATABASE_URL"], retention_days=90)
    held = await store.subscriptions(Address("telegram", str(chat)))
    await store.close()
    return [one.content.words for one in held]


async def judge(world: World, fake: FakeTelegram, said: int, kills: int) -> None:
    """Counted when nothing waits any more."""
    found = states(world)
    answered = sum(len(fake.messages(chat)) for chat in CHATS)
    print(f"{said} updates, {kills} kills: {found}, {answered} answered")
    assert sum(found.values()) == said
    assert set(found) <= {"done", "taken"}
    assert {chat: await left(world, chat) for chat in CHATS} == dict.fromkeys(CHATS, LEFT)
    assert all(len(fake.messages(chat)) <= len(LINES) for chat in CHATS)
    assert said - answered <= found.get("taken", 0)


def finish(world: World, fake: FakeTelegram, env: dict[str, str], said: int) -> None:
    """A last life, until all that was said is settled."""
    with Running(world.folder, "run", env=env, stdin=subprocess.DEVNULL) as service:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (
            fake._updates or sum(states(world).values()) < said or "new" in states(world)
        ):
            time.sleep(0.2)
        assert service.stop() == 0


def telegram_env(world: World, fake: FakeTelegram) -> dict[str, str]:
    return {**world.env, "TELEGRAM_BOT_TOKEN": fake.token, "TELEGRAM_API_URL": fake.url}


async def test_polling_through_kills_at_random(world: World):
    chance, kills = random.Random(8), 6
    with FakeTelegram() as fake:
        env, said = telegram_env(world, fake), say_all(fake)
        for _ in range(kills):
            with Running(world.folder, "run", env=env, stdin=subprocess.DEVNULL) as service:
                service.wait_for_log("serving")
                time.sleep(chance.uniform(0, 0.4))
                service.kill()
        finish(world, fake, env, said)
        await judge(world, fake, said, kills)


@pytest.mark.parametrize("point", ["update-kept:1", "update-acted:15", "update-taken:20"])
async def test_polling_through_a_kill_at_each_point(world: World, point: str):
    with FakeTelegram() as fake:
        env, said = telegram_env(world, fake), say_all(fake)
        with Running(world.folder, "run", env={**env, "YAMCHI_TEST_CRASH": point}, stdin=subprocess.DEVNULL) as service:
            assert service.process.wait(40) == 9
        finish(world, fake, env, said)
        await judge(world, fake, said, 1)


async def test_a_webhook_through_kills_at_random(world: World):
    chance, kills = random.Random(9), 6
    with FakeTelegram() as fake, held_port() as port:
        env = {
            **telegram_env(world, fake),
            "TELEGRAM_WEBHOOK_URL": "https://bot.example",
            "TELEGRAM_WEBHOOK_SECRET": "s-3-c-r-e-t",
            "HTTP_LISTEN": f"127.0.0.1:{port}",
        }
        with Courier(fake, f"http://127.0.0.1:{port}", twice=5) as courier:
            said = say_all(fake)
            for _ in range(kills):
                with Running(world.folder, "run", env=env, stdin=subprocess.DEVNULL) as service:
                    service.wait_for_log("serving")
                    time.sleep(chance.uniform(0, 0.4))
                    service.kill()
            finish(world, fake, env, said)
        print(f"answers of the webhook: {dict(courier.answers)}")
        await judge(world, fake, said, kills)
        assert set(courier.answers) <= {200, 0}
