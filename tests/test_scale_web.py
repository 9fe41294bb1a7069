"""Several processes that answer people from one PostgreSQL database, behind Telegram's webhook and Slack's requests."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.models import Update
from handlers.slack.manifest import EVENTS_PAGE
from handlers.telegram.webhook import PATH
from storage.postgres.listeners import others
from storage.postgres.store import PostgresStore, open_postgres
from tests import postgres
from tests.fakes.slack import BOT, FakeSlack
from tests.fakes.slack_courier import SECRET as SLACK_SECRET
from tests.fakes.slack_courier import Courier
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_courier import post
from tests.fanout import look
from tests.ports import held_port
from tests.process import Running
from tests.stores import empty_database, require_postgres
from tests.tally import Tell
from tests.world import open_world

SECRET = "s-3-c-r-e-t"
PEOPLE = range(51, 56)


# --- whose hand an update is in ----------------------------------------------


@pytest.fixture
async def pair() -> Iterator[tuple[PostgresStore, PostgresStore]]:
    url = empty_database()
    one, other = await open_postgres(url), await open_postgres(url)
    yield one, other
    await one.close()
    await other.close()


def said(number: int, lane: str) -> Update:
    return Update("telegram", str(number), "{}", lane=lane)


def now() -> datetime:
    return datetime.now(UTC)


async def keys(store: PostgresStore, limit: int = 9, held: tuple[int, ...] = ()) -> list[str]:
    return [update.key for update in await store.waiting_updates("telegram", limit, held)]


async def end(store: PostgresStore, other: PostgresStore) -> None:
    """Until the other one has noticed: the server takes a moment."""
    await store.close()
    while await other._writer.run(others, other._hand.owner):
        await asyncio.sleep(0.01)


async def test_an_update_and_its_chat_are_in_one_living_hand_at_a_time(pair: tuple[PostgresStore, PostgresStore]):
    one, other = pair
    await one.keep_updates([said(1, "a"), said(2, "a"), said(3, "b"), said(4, ""), said(5, "")], now())
    assert await keys(one, 1) == ["1"]
    assert await keys(other) == ["3", "4", "5"]
    assert await keys(one, 9) == ["1", "2"], "our own once more, as in a new life, and what is behind it"
    await one.settle_update("telegram", "1", "taken")
    await one.settle_update("telegram", "2", "done")
    await other.keep_updates([said(6, "a")], now())
    assert await keys(other, held=(3, 4, 5)) == []
    await one.settle_update("telegram", "1", "done")
    assert await keys(other, held=(3, 4, 5)) == ["6"]
    assert await keys(one) == []
    await end(other, one)
    assert await keys(one) == ["3", "4", "5", "6"]


async def test_what_took_effect_or_may_have_killed_is_for_the_living_when_its_hand_is_gone(
    pair: tuple[PostgresStore, PostgresStore],
):
    one, other = pair
    await one.keep_updates([said(1, "a"), said(2, "b")], now())
    for _ in range(3):
        assert await keys(one) == ["1", "2"]
    await one.settle_update("telegram", "1", "acted")
    assert await other.acted_updates("telegram") == []
    assert await other.suspect_update("telegram") is None
    await end(one, other)
    assert [update.key for update in await other.acted_updates("telegram")] == ["1"]
    suspect = await other.suspect_update("telegram")
    assert suspect is not None and (suspect.key, suspect.tries, suspect.lane) == ("2", 3, "b")
    assert await other.acted_updates("telegram", {1}) == []
    assert await other.suspect_update("telegram", {2}) is None


# --- processes ---------------------------------------------------------------


@dataclass
class Webs:
    """Processes with the role "web" alone, and where each listens."""

    database: str
    telegram: FakeTelegram
    slack: FakeSlack
    running: list[Running]
    ports: list[int]

    def tell(self, update: dict[str, object], *whom: int) -> list[int]:
        body = json.dumps(update).encode()
        return [post(f"http://127.0.0.1:{self.ports[number]}{PATH}", body, SECRET) for number in whom]

    def states(self) -> dict[str, int]:
        return dict(look(self.database, "SELECT state, count(*) FROM inbox GROUP BY state"))  # type: ignore[arg-type]

    def settled(self, timeout: float = 90) -> None:
        deadline = time.monotonic() + timeout
        while {"new", "acted"} & set(self.states()):
            assert time.monotonic() < deadline, (self.states(), [one.err[-8:] for one in self.running])
            time.sleep(0.1)

    def answers(self, person: int) -> list[int]:
        """The numbers that a person was answered to, in order."""
        texts = [one.text for one in self.telegram.messages(person)]
        return [int(text.partition("zz")[2][:4]) for text in texts if "zz" in text]

    def page(self, number: int, path: str) -> tuple[int, str]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[number]}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()


@contextmanager
def webs(folder: Path, roles: tuple[str, ...] = ("web", "web"), database: str = "") -> Iterator[Webs]:
    database = database or empty_database()
    with ExitStack() as stack:
        world = stack.enter_context(open_world(folder))
        telegram, slack = stack.enter_context(FakeTelegram()), stack.enter_context(FakeSlack())
        ports = [stack.enter_context(held_port()) for _ in roles]
        env = {
            **{name: value for name, value in world.env.items() if name != "YAMCHI_TEST_NOW"},
            "DATABASE_URL": database,
            "TELEGRAM_BOT_TOKEN": telegram.token,
            "TELEGRAM_API_URL": telegram.url,
            "TELEGRAM_PAID_BROADCAST": "true",
            "TELEGRAM_WEBHOOK_URL": "https://bot.example",
            "TELEGRAM_WEBHOOK_SECRET": SECRET,
            "ADMINS": ",".join(f"telegram:{person}" for person in PEOPLE),  # they are not told to be slower
            "SLACK_BOT_TOKEN": BOT,
            "SLACK_SIGNING_SECRET": SLACK_SECRET,
            "SLACK_API_URL": slack.api_url,
            "LOG_LEVEL": "INFO",
        }
        running = [
            stack.enter_context(
                Running(folder, "run", "--roles", role, env={**env, "HTTP_LISTEN": f"127.0.0.1:{port}"})
            )
            for role, port in zip(roles, ports, strict=True)
        ]
        for one, role in zip(running, roles, strict=True):
            one.wait_for_log("serving" if "web" in role else "working", 60)
        yield Webs(database, telegram, slack, running, ports)


def line(number: int, person: int) -> dict[str, object]:
    who = {"id": person, "is_bot": False, "first_name": "Aliya"}
    message = {"message_id": number, "date": 0, "chat": {**who, "type": "private"}, "from": who}
    return {"update_id": 5000 + number, "message": {**message, "text": f"/latest zz{number:04}"}}


def test_what_two_hear_is_answered_once_and_in_order(tmp_path: Path, tell: Tell):
    with webs(tmp_path) as those:
        for person in PEOPLE:
            those.telegram.open(person)
        began = time.monotonic()
        for number in range(200):
            person = PEOPLE[number % len(PEOPLE)]
            whom = (number % 2, 1 - number % 2) if number % 3 == 0 else (number // 5 % 2,)
            assert set(those.tell(line(number, person), *whom)) == {200}
        those.settled()
        took = time.monotonic() - began
        assert those.states() == {"done": 200}
        for person in PEOPLE:
            assert those.answers(person) == [n for n in range(200) if PEOPLE[n % len(PEOPLE)] == person]
            assert len(those.telegram.messages(person)) == 40
        status, told = those.page(0, "/readyz")
        assert (status, json.loads(told)["roles"]) == (200, ["web"])
        assert set(json.loads(told)["checks"]) == {"console", "store", "telegram", "slack"}
        assert 'yamchi_role{role="web"} 1.0' in those.page(1, "/metrics")[1]
        assert [one.stop() for one in those.running] == [0, 0]
    tell(
        f"two web processes: 200 updates of 5 chats, a third of them brought to both: once each, in order, {took:.0f} s"
    )


def test_what_a_killed_one_had_in_hand_is_answered_by_the_other(tmp_path: Path, tell: Tell):
    with webs(tmp_path) as those:
        for person in PEOPLE:
            those.telegram.open(person)
        for number in range(200):
            if number == 100:
                those.running[0].kill()
                began = time.monotonic()
            whom = (1,) if number >= 100 else (number // 5 % 2,)
            assert those.tell(line(number, PEOPLE[number % len(PEOPLE)]), *whom) == [200]
        in_hand = look(those.database, "SELECT count(*) FROM inbox WHERE owner <> 0 AND state = 'new'")[0][0]
        those.settled()
        took = time.monotonic() - began
        states, answers = those.states(), {person: those.answers(person) for person in PEOPLE}
        given = sum(map(len, answers.values()))
        assert set(states) <= {"done", "taken"} and sum(states.values()) == 200
        assert 200 - given <= states.get("taken", 0) <= len(PEOPLE), "what was on its way out"
        for numbers in answers.values():
            assert numbers == sorted(set(numbers))
        assert those.running[1].stop() == 0
    tell(f"one of two web processes killed: {given} of 200 answered, {in_hand} then in hand, all after {took:.0f} s")


def test_the_database_restarts_and_everybody_is_answered_once(tmp_path: Path, tell: Tell):
    require_postgres()
    with (
        postgres.server(durable=True) as server,
        server.database() as url,
        webs(tmp_path, database=url) as those,
    ):
        for person in PEOPLE:
            those.telegram.open(person)
        restart = threading.Thread(target=lambda: (server.stop(), time.sleep(2), server.start()))
        for number in range(100):
            if number == 40:
                restart.start()
            while those.tell(line(number, PEOPLE[number % len(PEOPLE)]), number // 5 % 2) != [200]:
                time.sleep(0.1)
        restart.join()
        began = time.monotonic()
        those.settled()
        took = time.monotonic() - began
        sorry = 0
        for person in PEOPLE:
            numbers = those.answers(person)
            assert numbers == sorted(set(numbers))
            assert len(those.telegram.messages(person)) == 20, "once each"
            sorry += 20 - len(numbers)
        assert set(those.states()) == {"done"}
        assert [one.stop() for one in those.running] == [0, 0]
    tell(f"the database restarts under two web processes: 100 answered once, {sorry} with an apology; {took:.1f} s")


def test_what_slack_brings_to_both_is_answered_once_and_in_order(tmp_path: Path):
    with webs(tmp_path) as those:
        couriers = [Courier(f"http://127.0.0.1:{port}{EVENTS_PAGE}") for port in those.ports]
        for number in range(20):
            event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "ts": f"{number}.0"}
            happened = {
                "type": "event_callback",
                "team_id": "T1",
                "event_id": f"Ev{number}",
                "event": {**event, "text": f"latest zz{number:04}"},
            }
            for courier in couriers[:: 1 - 2 * (number % 2)]:
                assert courier.bring("events_api", happened)[0] == 200
        those.settled()
        those.slack.wait_for(lambda: len(those.slack.messages("D1")) >= 20)
        texts = [one.text for one in those.slack.messages("D1")]
        assert [int(text.partition("zz")[2][:4]) for text in texts] == list(range(20))
        those.slack.wait_for(lambda: those.states() == {"done": 20})
        assert [one.stop() for one in those.running] == [0, 0]


def test_ticks_alone_are_a_role_as_well(tmp_path: Path):
    with webs(tmp_path, ("tick", "send")) as those:
        for one in those.running:
            one.wait_for_log("working")
        for number, role in enumerate(("tick", "send")):
            status, told = those.page(number, "/readyz")
            assert (status, json.loads(told)["roles"]) == (200, [role])
            assert "slack" not in json.loads(told)["checks"]
        assert those.tell(line(1, 51), 0, 1) == [404, 404]
        assert [one.stop() for one in those.running] == [0, 0]
