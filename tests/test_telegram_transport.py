"""The wire to the Bot API: proxies, and answers that are none."""

from __future__ import annotations

import pytest
from aiohttp import web

from handlers.telegram.transport import AnswerLost, Transport
from tests.fakes.faults import status
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_server import TOKEN
from tests.fakes.web import FakeWeb


@pytest.mark.parametrize("password", ["", "us:secret@"])
async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch, password: str):
    async def me(_: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True, "result": {"id": 1}})

    async with FakeWeb() as proxy:
        proxy.route(f"/bot{TOKEN}/getMe", me)
        monkeypatch.setenv("http_proxy", f"http://{password}127.0.0.1:{proxy.port}")
        transport = Transport("http://bot-api.example", TOKEN)
        assert await transport.call("getMe", {}) == {"id": 1}
        await transport.shutdown()
    [seen] = proxy.requests
    assert seen.headers["Host"] == "bot-api.example"
    assert seen.headers.get("Proxy-Authorization", "") == ("Basic dXM6c2VjcmV0" if password else "")


async def test_no_proxy_where_the_environment_says_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with FakeTelegram() as fake:
        transport = Transport(fake.url, TOKEN)
        assert (await transport.call("getMe", {}))["is_bot"]
        await transport.shutdown()


async def test_an_answer_that_no_parser_can_bear_is_a_lost_one():
    async with FakeTelegram() as fake:
        fake.fails("getMe", status(200, "[" * 500_000, content_type="application/json"))
        transport = Transport(fake.url, TOKEN)
        with pytest.raises(AnswerLost):
            await transport.call("getMe", {})
        await transport.shutdown()


async def test_dropped_connections_are_made_anew():
    async with FakeTelegram() as fake:
        transport = Transport(fake.url, TOKEN)
        await transport.call("getMe", {})
        await transport.renew()
        await transport.call("getMe", {})
        await transport.shutdown()
        assert fake.calls["getMe"] == 2
