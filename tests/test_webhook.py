"""Telegram brings updates: what is let in, what is refused, and how the webhook comes and goes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.health import LONGEST_BODY, http_server
from handlers.telegram import Telegram
from handlers.telegram.webhook import PATH
from storage.sqlite import SqliteStore
from tests.fakes.faults import hang, html_page, reset, status
from tests.fakes.telegram import FakeTelegram, refusal
from tests.fakes.telegram_courier import HEADER, Courier
from tests.ports import held_port
from tests.process import run
from tests.telegram_chat import FullDisk, Menu, Told, heard, listening, until
from tests.world import open_world

SECRET = "a-Secret_of-256-at-most"
HOOK = (f"https://bot.example{PATH}", SECRET)


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram() as fake:
        yield fake


@asynccontextmanager
async def served(
    fake: FakeTelegram, store: SqliteStore, menu: Menu, **more: object
) -> AsyncIterator[tuple[Telegram, str]]:
    """The chat, and where its HTTP server is."""
    with held_port() as port:
        async with (
            listening(fake, store, menu, hook=HOOK, **more) as chat,
            http_server(("127.0.0.1", port), (), dict, dict, chat.pages()),
        ):
            await until(lambda: bool(fake.hook))
            yield chat, f"http://127.0.0.1:{port}"


def update(text: str = "/rates", number: int = 5000) -> dict[str, object]:
    person = {"id": 7, "is_bot": False, "first_name": "Aliya"}
    chat = {"id": 7, "type": "private", "first_name": "Aliya"}
    return {"update_id": number, "message": {"message_id": 1, "date": 0, "chat": chat, "from": person, "text": text}}


async def test_people_are_answered_and_the_webhook_is_as_it_should_be(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    async with served(fake, store, menu) as (chat, url):
        with Courier(fake, url) as courier:
            fake.say(7, "/convert KZT")
            assert await heard(fake, 7) == ["you said /convert KZT"]
            fake.press(7, "Again")
            assert len(await heard(fake, 7, 2)) == 2
        assert chat.health().ok
    assert courier.answers == {200: 2}
    assert fake.hook["url"] == HOOK[0]
    assert fake.hook["secret_token"] == SECRET
    assert fake.hook["allowed_updates"] == ["message", "callback_query", "my_chat_member", "inline_query"]
    assert fake.calls["getUpdates"] == fake.calls["deleteWebhook"] == 0


GOOD = {HEADER: SECRET, "Content-Type": "application/json"}
BODY = json.dumps(update()).encode()
REFUSED: dict[str, tuple[str, dict[str, str], bytes, int]] = {
    "no secret": ("POST", {"Content-Type": "application/json"}, BODY, 403),
    "an empty secret": ("POST", {**GOOD, HEADER: ""}, BODY, 403),
    "a wrong secret": ("POST", {**GOOD, HEADER: SECRET[:-1]}, BODY, 403),
    "a secret of another script": ("POST", {**GOOD, HEADER: "тайна"}, BODY, 403),
    "GET": ("GET", GOOD, b"", 405),
    "PUT": ("PUT", GOOD, BODY, 405),
    "HEAD": ("HEAD", GOOD, b"", 405),
    "a form": ("POST", {**GOOD, "Content-Type": "application/x-www-form-urlencoded"}, BODY, 415),
    "plain text": ("POST", {**GOOD, "Content-Type": "text/plain"}, BODY, 415),
    "a huge body": ("POST", GOOD, BODY + b" " * LONGEST_BODY, 413),
    "a huge body without a secret": ("POST", {"Content-Type": "application/json"}, BODY + b" " * LONGEST_BODY, 403),
    "no JSON": ("POST", GOOD, b"{", 400),
    "no UTF-8": ("POST", GOOD, b'{"update_id": 1, "x": "\xff"}', 400),
    "nothing": ("POST", GOOD, b"", 400),
    "no update": ("POST", GOOD, b"[1]", 400),
    "no number": ("POST", GOOD, b'{"update_id": "1"}', 400),
    "a deep hole": ("POST", GOOD, b"[" * 500_000, 400),
}


async def test_whatever_is_no_update_of_telegrams_is_refused_and_nothing_is_handled(
    fake: FakeTelegram, store: SqliteStore
):
    menu = Menu()
    async with served(fake, store, menu) as (_, url), aiohttp.ClientSession() as session:
        statuses = {}
        for name, (method, headers, body, _) in REFUSED.items():
            async with session.request(method, url + PATH, headers=headers, data=body or None) as answer:
                statuses[name] = answer.status
        assert statuses == {name: expected for name, (*_, expected) in REFUSED.items()}
        assert await store.waiting_updates("telegram", 9) == []
        async with session.post(url + PATH, headers=GOOD, data=BODY) as answer:
            assert (answer.status, await answer.text()) == (200, "")
        await until(lambda: len(menu.asked) == 1)


async def test_a_repeated_update_is_answered_and_handled_once(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    fake.open(7)
    async with served(fake, store, menu) as (_, url), aiohttp.ClientSession() as session:
        for number in (5000, 5000, 5001, 5000):
            async with session.post(url + PATH, headers=GOOD, json=update(number=number)) as answer:
                assert answer.status == 200
        await heard(fake, 7, 2)
    assert len(menu.asked) == 2


async def test_a_store_that_fails_lets_telegram_come_again(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    async with served(fake, FullDisk(store), menu) as (_, url):  # type: ignore[arg-type]
        with Courier(fake, url) as courier:
            fake.say(7, "/subscribe")
            assert await heard(fake, 7) == ["you said /subscribe"]
    assert courier.answers == {503: 1, 200: 1}
    assert len(menu.asked) == 1


async def test_a_poison_update_is_taken_and_blocks_nobody(fake: FakeTelegram, store: SqliteStore):
    async with served(fake, store, Menu()) as (_, url):
        with Courier(fake, url) as courier:
            fake.poison()
            fake.push({"message": "nonsense"})
            fake.say(7, "/rates")
            assert await heard(fake, 7) == ["you said /rates"]
    assert courier.answers == {200: 3}


async def test_a_webhook_that_was_taken_from_us_is_set_again(fake: FakeTelegram, store: SqliteStore):
    async with served(fake, store, Menu()) as (chat, _):
        fake.hook = {}
        await until(lambda: bool(fake.hook))
        fake.fails("getWebhookInfo", status(404), reset, hang)
        await until(lambda: fake.calls["getWebhookInfo"] >= 5)
        assert chat.health().ok


async def test_setting_it_outlives_trouble(fake: FakeTelegram, store: SqliteStore):
    fake.fails("setWebhook", refusal(401, "Unauthorized"), status(502), html_page(), reset,
               refusal(429, "Too Many Requests: retry after 1", retry_after=1))  # fmt: skip
    async with served(fake, store, Menu()) as (chat, _):
        await until(lambda: chat.health().ok)
    assert fake.calls["setWebhook"] >= 6


async def test_what_keeps_telegram_from_us_is_told_to_the_operators(fake: FakeTelegram, store: SqliteStore):
    told = Told()
    async with served(fake, store, Menu(), tell=told) as (chat, _):
        fake.hook |= {"last_error_message": "Connection refused", "last_error_date": 9**12}
        await until(lambda: bool(told.causes))
        assert "Connection refused" in chat.health().detail
    assert set(told.causes) == {"telegram:webhook"}
    assert "Connection refused" in told.texts[0]


async def test_polling_takes_over_what_a_webhook_has_left(fake: FakeTelegram, store: SqliteStore):
    async with served(fake, store, Menu()):
        fake.say(7, "/rates left")
    async with listening(fake, store, Menu()):
        assert await heard(fake, 7) == ["you said /rates left"]
    assert fake.hook == {}


@pytest.mark.parametrize(
    ("url", "public"),
    [("https://bot.example", f"https://bot.example{PATH}"), ("https://bot.example/x/y", "https://bot.example/x/y")],
)
async def test_the_path_is_added_where_there_is_none(fake: FakeTelegram, store: SqliteStore, url: str, public: str):
    async with listening(fake, store, Menu(), hook=(url, SECRET)) as chat:
        await until(lambda: bool(fake.hook))
        assert fake.hook["url"] == public
        assert list(chat.pages()) == [PATH]


@pytest.mark.parametrize("secret", ["", "has a space", "x" * 257])
def test_without_a_good_secret_it_does_not_start(tmp_path: Path, secret: str):
    with open_world(tmp_path) as world, FakeTelegram() as fake:
        env = {
            **world.env,
            "TELEGRAM_BOT_TOKEN": fake.token,
            "TELEGRAM_API_URL": fake.url,
            "TELEGRAM_WEBHOOK_URL": HOOK[0],
            "TELEGRAM_WEBHOOK_SECRET": secret,
        }
        ended = run(world.folder, "run", env=env)
        calls = fake.calls
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "TELEGRAM_WEBHOOK_SECRET" in ended.stderr
    assert "1 to 256 letters, digits, _ and -" in ended.stderr
    assert not calls


async def test_other_pages_are_as_before(fake: FakeTelegram, store: SqliteStore):
    async with served(fake, store, Menu()) as (_, url), aiohttp.ClientSession() as session:
        for path, expected in (("/healthz", 200), ("/readyz", 200), ("/telegram/webhook/", 404), ("/", 404)):
            async with session.get(url + path) as answer:
                assert answer.status == expected
