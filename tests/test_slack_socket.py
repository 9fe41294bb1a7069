"""Socket Mode: whatever befalls the link, it comes back. Check 5 of test_slack_acceptance.py."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator

import pytest
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from storage.sqlite import SqliteStore
from tests.counts import full
from tests.fakes.slack import FakeSlack
from tests.slack_chat import PING, Menu, as_person, speaking
from tests.tally import Tell


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


FAULTS = ("disconnect", "close", "abort", "silence", "a 503 on the link", "no tickets", "session closed")


@pytest.mark.parametrize("rounds", full(3, 20))
@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_befalls_the_socket_it_comes_back(
    fake: FakeSlack, store: SqliteStore, fault: str, rounds: int, tell: Tell
) -> None:
    back: list[float] = []
    async with speaking(fake, store, Menu()):
        await as_person(fake.command, "/rates")
        for n in range(rounds):
            links, began = fake.links_opened, time.monotonic()
            if fault == "session closed":
                await _client().aiohttp_client_session.close()
            elif fault == "no tickets":
                fake.fail("apps.connections.open", *["internal_error"] * 5)
                fake.drop("close")
            elif fault == "a 503 on the link":
                fake.refuse_link()
                fake.drop("close")
            else:
                fake.drop(fault)  # type: ignore[arg-type]
            await as_person(fake.wait_for, lambda links=links: fake.links_opened > links)
            back.append(time.monotonic() - began)
            assert (await as_person(fake.command, "/rates", str(n))).text == f"heard /rates {n}"
    tell(f"{fault}: back {rounds} times of {rounds}, the slowest after {max(back) / PING:.1f} ping intervals")
    assert max(back) < 30 * PING


def _client() -> SocketModeClient:
    """The one that is connected just now."""
    clients = (one for one in gc.get_objects() if isinstance(one, SocketModeClient))
    return next(one for one in clients if one.current_session and not one.current_session.closed)


async def test_a_refused_link_is_not_tried_for_ever(fake: FakeSlack, store: SqliteStore) -> None:
    fake.refuse_link()
    async with speaking(fake, store, Menu()):
        reply = await as_person(fake.command, "/rates")
    assert reply.text == "heard /rates"


async def test_no_ticket_for_a_while_is_survived(fake: FakeSlack, store: SqliteStore) -> None:
    fake.fail("apps.connections.open", *["internal_error"] * 3)
    async with speaking(fake, store, Menu()) as slack:
        assert not slack.health().ok
        reply = await as_person(fake.command, "/rates")
    assert reply.text == "heard /rates"


async def test_stopping_leaves_no_task_behind(fake: FakeSlack, store: SqliteStore) -> None:
    before = asyncio.all_tasks()
    async with speaking(fake, store, Menu()) as slack:
        await as_person(fake.command, "/rates")
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() == before
    assert not slack.health().ok
