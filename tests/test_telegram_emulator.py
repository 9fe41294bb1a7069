"""The Telegram chat against a Bot API server that was written elsewhere (lo-bot-api-emulator), as far as it goes.

It models a part: no link_preview_options, no topics, no user name of the bot. What it refuses beyond that
is ours to mend, so every test ends with nothing refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from lo_bot_api_emulator import LoBotApiEmulator

from bot.health import http_server
from bot.locales import languages
from bot.models import Address
from handlers.telegram import Telegram
from handlers.telegram.transport import Transport
from handlers.telegram.webhook import PATH
from storage.sqlite import SqliteStore
from tests.kinds import kinds
from tests.ports import held_port
from tests.telegram_chat import PACE, Menu, clock, plain, until

TOKEN = "123456789:AAEmulatorEmulatorEmulatorEmulator-_x"
PERSON = {"id": 7, "is_bot": False, "first_name": "Aliya", "language_code": "en"}
CHAT = {"id": 7, "type": "private", "first_name": "Aliya"}
BOT = {"id": 123456789, "is_bot": True, "first_name": "Yamchi"}


class Emulator(LoBotApiEmulator):
    """Knows what Telegram has and this one does not model; remembers what was sent, as (method, fields)."""

    def __init__(self) -> None:
        super().__init__(allow_insecure_loopback_webhooks=True)
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def validate(self, method: str, fields: dict[str, Any], uploads: dict[str, Any]) -> Any:
        fields.pop("link_preview_options", None)
        result = super().validate(method, fields, uploads)
        self.sent.append((method, {**fields, **uploads}))
        return {**result, "username": "YamchiTestBot"} if method == "getMe" else result

    def of(self, method: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.sent if name == method]

    @property
    def refused(self) -> list[dict[str, Any]]:
        return [request for request in self.requests if request["status"] != 200]

    async def say(self, text: str) -> None:
        message = {"message_id": 1, "date": 1, "chat": CHAT, "from": PERSON, "text": text}
        await self.enqueue_update({"message": message}, token=TOKEN)

    async def press(self, data: str) -> None:
        message = {"message_id": 1, "date": 1, "chat": CHAT, "from": BOT, "text": "…"}
        query = {"id": "1", "from": PERSON, "chat_instance": "1", "message": message, "data": data}
        await self.enqueue_update({"callback_query": query}, token=TOKEN)


@pytest.fixture
async def emulator() -> AsyncIterator[tuple[Emulator, str]]:
    emulator = Emulator()
    runner = web.AppRunner(emulator.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    with held_port() as port:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield emulator, f"http://127.0.0.1:{port}"
        await runner.cleanup()


@pytest.fixture
def port() -> Iterator[int]:
    with held_port() as port:
        yield port


@asynccontextmanager
async def talking(url: str, store: SqliteStore, menu: Menu, **more: Any) -> AsyncIterator[Telegram]:
    chat = Telegram(TOKEN, url, store, clock, pace=PACE, **more)
    life = asyncio.create_task(chat.listen(menu))
    try:
        yield chat
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await chat.close()


async def converse(emulator: Emulator, menu: Menu) -> None:
    """Something is said, a button of the answer pressed, and one that is too long for a button."""
    await emulator.say("/convert KZT")
    await until(lambda: len(emulator.of("sendMessage")) == 1)
    rows = emulator.of("sendMessage")[0]["reply_markup"]["inline_keyboard"]
    short, long = (button["callback_data"] for row in rows for button in row)
    assert (short, long[:2]) == ("/convert KZT", "t:")
    await emulator.press(short)
    await emulator.press(long)
    await until(lambda: len(emulator.of("sendMessage")) == 3 and len(emulator.of("answerCallbackQuery")) == 2)
    assert [ask.text for ask in menu.asked][:2] == ["/convert KZT"] * 2
    assert menu.asked[2].text.startswith("/latest corridor")


async def test_polling_text_and_buttons(emulator: tuple[Emulator, str], store: SqliteStore):
    server, url = emulator
    menu = Menu()
    async with talking(url, store, menu) as chat:
        await converse(server, menu)
        await until(lambda: chat.health().ok)
    assert server.refused == []


async def test_an_update_is_kept_there_until_we_have_kept_it(emulator: tuple[Emulator, str], store: SqliteStore):
    server, url = emulator

    class KilledError(Exception):
        pass

    def crash(point: str) -> None:
        if point == "update-kept":
            raise KilledError

    menu = Menu()  # of the second life: the first may come to ask before it is dead
    await server.say("/rates")
    async with talking(url, store, Menu(), crash=crash):
        await until(lambda: any(r["method"] == "getUpdates" for r in server.requests))
        await asyncio.sleep(0.1)
    async with talking(url, store, menu):
        await until(lambda: len(server.of("sendMessage")) == 1)
    assert len(menu.asked) == 1
    assert server.refused == []


async def test_a_second_poller_is_borne(emulator: tuple[Emulator, str], store: SqliteStore):
    server, url = emulator
    menu, other = Menu(), Transport(url, TOKEN)
    held = asyncio.create_task(other.call("getUpdates", {"timeout": 3}))
    await until(lambda: server._update_queues._state(TOKEN).polling)
    async with talking(url, store, menu):
        await until(lambda: bool(server.refused))
        await held
        await server.say("/rates")
        await until(lambda: len(server.of("sendMessage")) == 1)
    await other.shutdown()
    assert {request["status"] for request in server.refused} == {409}


async def test_a_webhook(emulator: tuple[Emulator, str], store: SqliteStore, port: int):
    server, url = emulator
    menu = Menu()
    hook = (f"http://127.0.0.1:{port}{PATH}", "s-3-c-r-e-t")
    async with (
        talking(url, store, menu, hook=hook) as chat,
        http_server(("127.0.0.1", port), (), dict, dict, chat.pages()),
    ):
        await until(lambda: len(server.of("setWebhook")) == 1)
        await converse(server, menu)
        assert await server.deliver_updates(token=TOKEN) == 0
        assert chat.health().ok
    assert server.of("getUpdates") == []
    assert server.refused == []


async def test_messages_of_every_kind(emulator: tuple[Emulator, str], store: SqliteStore):
    server, url = emulator
    async with talking(url, store, Menu()) as chat:
        for message in (*kinds("ru").values(), plain("😀" * 2048), plain("x" * 9000)):
            assert (await chat.send(Address("telegram", "7"), message)).state == "sent"
    assert server.refused == []
    assert len(server.of("sendPhoto")) > 0


async def test_an_edit(emulator: tuple[Emulator, str], store: SqliteStore):
    server, url = emulator
    transport = Transport(url, TOKEN)
    sent = await transport.call("sendMessage", {"chat_id": 7, "text": "<b>before</b>", "parse_mode": "HTML"})
    keyboard = {"inline_keyboard": [[{"text": "Next", "callback_data": "/latest before:7"}]]}
    asked = {"chat_id": 7, "message_id": sent["message_id"], "text": "after", "reply_markup": keyboard}
    edited = await transport.call("editMessageText", asked)
    await transport.shutdown()
    assert (edited["message_id"], edited["text"]) == (sent["message_id"], "after")
    assert server.refused == []


async def test_the_menus(emulator: tuple[Emulator, str], store: SqliteStore):
    server, url = emulator
    async with talking(url, store, Menu()):
        await until(lambda: len(server.of("setMyCommands")) == 4 * len(languages()))
        await asyncio.sleep(0.1)
    assert server.refused == []
    assert {fields.get("language_code", "") for fields in server.of("setMyCommands")} == {"", *languages()[1:]}
