"""What bolt and the SDK do wrong by themselves, measured: each is kept from us, and tested here or where it is named.

a bad app token: asked for again and again, told to nobody      here, and test_slack_acceptance.py (4)
a ticket that failed once is tried for ever; links that drop;
    a closed session that is retried for ever                   test_slack_socket.py
uninstalling keeps the token; OAuth and rotation ask the
    public Slack; an idle workspace's token ends                test_slack_installs.py
auth.test at every request                                      test_slack_acceptance.py (2), test_slack_installs.py
a lost answer is posted twice                                   test_slack.py, test_slack_acceptance.py (6)
a connection a call, and no timeout on a session of one's own   here
duplicates are handled twice                                    test_slack.py, test_slack_http.py, \
an unknown command, a failure before the acknowledgement: 404
    and 500; a late acknowledgement                             here; test_slack.py
what is done after the acknowledgement is lost by a stop        test_slack.py
a timestamp that is no number is a 500; whole bodies are logged test_slack_http.py; here
blocks beyond the limits are let through                        test_slack.py, test_slack_digests.py
an HTML page of trouble is an error without a name              test_slack_refusals.py
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp import web

from bot.message import Message, Paragraph
from bot.models import Address
from handlers.slack import Slack
from storage.sqlite import SqliteStore
from tests.fakes.faults import hang
from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.slack_courier import forgeries
from tests.fakes.web import Handler
from tests.slack_chat import NOW, PING, ROADS, Menu, as_person, clock, speaking

HERE, HELLO = Address("slack", "T1/C1"), Message((Paragraph("salem"),))


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


async def test_a_bad_app_token_is_told_in_health_and_not_asked_for_again_at_once(
    fake: FakeSlack, store: SqliteStore
) -> None:
    async with speaking(fake, store, Menu(), app_token="xapp-wrong") as slack:
        await asyncio.sleep(6 * PING)
        assert (slack.health().ok, slack.health().detail) == (False, "invalid_auth")
    assert [name for name, _ in fake.calls] == ["apps.connections.open"]


async def test_all_calls_go_over_one_connection(fake: FakeSlack, store: SqliteStore) -> None:
    ports = set()

    async def noted(request: web.Request, handler: Handler) -> web.StreamResponse:
        assert request.transport
        ports.add(request.transport.get_extra_info("peername")[1])
        return await handler(request)

    slack = Slack(BOT, APP, fake.api_url, store, clock, admins=())
    fake.web.fault("/api/", noted)
    for _ in range(5):
        assert (await slack.send(HERE, HELLO)).state == "sent"
    await slack.close()
    assert len(ports) == 1


@pytest.mark.chaos
async def test_a_call_that_is_never_answered_is_given_up(fake: FakeSlack, store: SqliteStore) -> None:
    slack = Slack(BOT, APP, fake.api_url, store, clock, admins=())
    fake.web.fault("/api/chat.postMessage", hang)
    async with asyncio.timeout(15):
        assert (await slack.send(HERE, HELLO)).state == "unknown"
    await slack.close()


@pytest.mark.parametrize("road", ROADS)
async def test_a_command_that_nobody_listens_for_is_answered(fake: FakeSlack, store: SqliteStore, road: str) -> None:
    async with speaking(fake, store, Menu(), road):
        reply = await as_person(fake.command, "/nonsense", "at all")
    assert reply.text == "heard /nonsense at all"


async def test_nothing_of_a_forged_request_is_logged(
    fake: FakeSlack, store: SqliteStore, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        async with speaking(fake, store, Menu(), "http"):
            assert fake.courier
            for body, headers in forgeries(int(NOW.timestamp())).values():
                await as_person(fake.courier.post, body, headers)
    said = repr(lines) + caplog.text + "".join(capsys.readouterr())
    assert "response_url" not in said and "nowhere" not in said
