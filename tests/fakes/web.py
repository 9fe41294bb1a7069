"""A real HTTP server on loopback for the fakes of this folder; what can go wrong is in faults.py.

    with FakeWeb() as web:              # in a thread of its own: a real process can talk to it
    async with FakeWeb() as web:        # in the test's loop
        web.route("/rates.xml", handler)
        web.fault("/rates.xml", status(429, retry_after=7), times=1)
        web.requests                    # what was asked, in order

Leaving and entering again keeps the port: that is how a source goes down and comes back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Self

from aiohttp import web
from multidict import CIMultiDictProxy

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
"""Answers in the place of a handler, or around it."""

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came. path: without the query string; instant: aware UTC."""

    method: str
    path: str
    query: dict[str, str]
    headers: CIMultiDictProxy[str]
    body: bytes
    instant: datetime


class FakeWeb:
    """Routes and faults may be set at any time, before and while it serves."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Seen] = []
        self._routes: dict[str, Handler] = {}
        self._faults: dict[str, tuple[Fault, int | None]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def allow(self) -> str:
        """This server as FETCH_ALLOW wants it."""
        return f"127.0.0.1:{self.port}"

    def route(self, path: str, handler: Handler) -> None:
        """A path, or everything below it if it ends in "/"; the longest match answers."""
        self._routes[path] = handler

    def fault(self, path: str, fault: Fault, times: int | None = None) -> None:
        """What goes wrong at a path (see route), for so many requests or until mended."""
        self._faults[path] = (fault, times)

    def mend(self, path: str | None = None) -> None:
        """Take the fault of this path away, or all."""
        if path is None:
            self._faults.clear()
        else:
            self._faults.pop(path, None)

    def asked(self, path: str) -> list[Seen]:
        """The requests for a path (see route) so far."""
        return [seen for seen in list(self.requests) if _matches(path, seen.path)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        seen = Seen(request.method, request.path, dict(request.query), request.headers, body, wall_clock())
        self.requests.append(seen)
        handler = self._routes.get(_longest(self._routes, request.path), _missing)
        fault = self._take_fault(request.path)
        return await (fault(request, handler) if fault else handler(request))

    def _take_fault(self, path: str) -> Fault | None:
        place = _longest(self._faults, path)
        if place not in self._faults:
            return None
        fault, times = self._faults[place]
        if times is not None:
            if times <= 1:
                del self._faults[place]
            else:
                self._faults[place] = (fault, times - 1)
        return fault

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=50_000_000)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def __enter__(self) -> Self:
        started: Future[Callable[[], object]] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name="fake web", daemon=True)
        self._thread.start()
        self._stop = started.result(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._thread.join(10)
        assert not self._thread.is_alive(), "the fake's thread did not stop"

    async def _serve(self, started: Future[Callable[[], object]]) -> None:
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with self:
                started.set_result(lambda: loop.call_soon_threadsafe(stopped.set))
                await stopped.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)


def http_date(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC), usegmt=True)


def unchanged(request: web.Request, etag: str, last_modified: str) -> bool:
    """Whether the asker has this version: every validator it sent is ours, byte for byte."""
    sent = ((request.headers.get("If-None-Match"), etag), (request.headers.get("If-Modified-Since"), last_modified))
    compared = [theirs == ours for theirs, ours in sent if theirs is not None]
    return bool(compared) and all(compared)


def _matches(place: str, path: str) -> bool:
    return path.startswith(place) if place.endswith("/") else path == place


def _longest(places: Iterable[str], path: str) -> str:
    return max((place for place in list(places) if _matches(place, path)), key=len, default="")


async def _missing(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404, text="not here")
