"""A Slack chat that listens to the fake, by its socket or by HTTP, and a menu that remembers who asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp

from bot.health import http_server
from bot.message import Message, Paragraph
from bot.models import Answer, Request
from handlers.slack import Slack
from handlers.slack.manifest import EVENTS_PAGE
from storage.sqlite import SqliteStore
from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.slack_courier import SECRET, Courier
from tests.ports import held_port

ROADS = ("socket", "http")
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PING = 0.5


def clock() -> datetime:
    return NOW


class Menu:
    """Answers every request with what it was, and counts."""

    def __init__(self, answer: Message | None = None, takes: float = 0) -> None:
        self.asked: list[Request] = []
        self.answer = answer
        self.takes = takes

    async def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        await asyncio.sleep(self.takes)
        return Answer(self.answer or Message((Paragraph(f"heard {request.text}"),)))


@asynccontextmanager
async def speaking(
    fake: FakeSlack,
    store: SqliteStore,
    ask: Callable[[Request], Any],
    road: str = "socket",
    *,
    token: str = BOT,
    now: Callable[[], datetime] = clock,
    **more: Any,
) -> AsyncIterator[Slack]:
    """The chat while it listens; with the pages it has, served where fake.courier brings things."""
    ways = {"app_token": APP} if road == "socket" else {"app_token": "", "signing_secret": SECRET}
    slack = Slack(
        token, api_url=fake.api_url, store=store, clock=now, ping_interval=PING, **{"admins": (), **ways, **more}
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(slack.close)
        if pages := slack.pages():
            port = stack.enter_context(held_port())
            await stack.enter_async_context(http_server(("127.0.0.1", port), (), dict, dict, pages))
            fake.pages = f"http://127.0.0.1:{port}"
        if road == "http":
            fake.courier = Courier(fake.pages + EVENTS_PAGE, lambda: now().timestamp())
        task = asyncio.create_task(slack.listen(ask))
        stack.push_async_callback(_end, task)
        while road == "http" and not slack.health().ok:
            await asyncio.sleep(0.01)
        yield slack


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def as_person(act: Callable[..., Any], *args: object, **named: object) -> Any:
    return await asyncio.to_thread(act, *args, **named)


async def fetch(fake: FakeSlack, path: str, cookie: str = "") -> tuple[int, str, str]:
    """Status, where it leads, and the cookie that is set, as a browser sees them."""
    headers = {"Cookie": cookie} if cookie else {}
    async with (
        aiohttp.ClientSession() as browser,
        browser.get(fake.pages + path, headers=headers, allow_redirects=False) as answer,
    ):
        cookies = [f"{one.key}={one.value}" for one in answer.cookies.values()]
        for one in answer.cookies.values():
            assert one["secure"]
            assert one["httponly"]
        return answer.status, answer.headers.get("Location", ""), "; ".join(cookies)


async def install(fake: FakeSlack, team: str, **more: str) -> int:
    status, location, cookie = await fetch(fake, "/slack/install")
    assert (status, location.split("?")[0]) == (302, f"{fake.web.url}/oauth/v2/authorize")
    query = fake.oauth.approve(location, team, **more)
    return (await fetch(fake, f"/slack/oauth_redirect?{query}", cookie))[0]
