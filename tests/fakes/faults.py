"""What goes wrong at the wire: each is handed to FakeWeb.fault(path, ...).

The plain ones (hang, truncated, reset, reset_after) are handed over as they are, the others called first.
"""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from random import Random

from aiohttp import web

from tests.fakes.web import Fault, Handler


def status(code: int, body: str = "", retry_after: int | str | None = None, content_type: str = "text/html") -> Fault:
    """An answer of this code. retry_after: seconds, or an HTTP date."""

    async def fault(_: web.Request, __: Handler) -> web.StreamResponse:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return web.Response(status=code, text=body, headers=headers, content_type=content_type)

    return fault


def html_page(title: str = "Maintenance") -> Fault:
    """A page for people where data is expected, said to be fine."""
    return status(200, f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>")


def redirect(to: str, code: int = 302) -> Fault:
    async def fault(_: web.Request, __: Handler) -> web.StreamResponse:
        return web.Response(status=code, headers={"Location": to})

    return fault


def slow(seconds: float) -> Fault:
    """The right answer, late."""

    async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await handler(request)

    return fault


async def hang(_: web.Request, __: Handler) -> web.StreamResponse:
    """Never a byte, until the client goes or the server stops."""
    await asyncio.Event().wait()
    raise AssertionError


def drip(pause: float) -> Fault:
    """The right answer, a byte at a time."""

    async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        whole = await _whole(request, handler)
        stream = web.StreamResponse(status=whole.status, headers=_plain(whole))
        stream.content_length = len(_body(whole))
        with suppress(ConnectionError):
            await stream.prepare(request)
            for byte in _body(whole):
                await stream.write(bytes([byte]))
                await asyncio.sleep(pause)
        return stream

    return fault


async def truncated(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Half of what Content-Length promised, then the line goes dead."""
    whole = await _whole(request, handler)
    stream = web.StreamResponse(status=whole.status, headers=_plain(whole))
    stream.content_length = len(_body(whole))
    await stream.prepare(request)
    await stream.write(_body(whole)[: len(_body(whole)) // 2])
    if request.transport:
        request.transport.close()
    return stream


async def reset(request: web.Request, _: Handler) -> web.StreamResponse:
    """A TCP reset before the first byte."""
    line = request.transport
    if line:
        wire: socket.socket = line.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        line.abort()
    return web.Response()


async def reset_after(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The request is carried out, its answer never arrives."""
    await handler(request)
    return await reset(request, handler)


class Sometimes:
    """As a Fault: a share of the calls meets one of these. calls: how many there were; met: what went
    wrong, by name, and the body of the request."""

    def __init__(self, share: float, faults: Mapping[str, Fault], dice: Random) -> None:
        self.calls = 0
        self.met: list[tuple[str, str]] = []
        self.share = share
        self._faults = dict(faults)
        self._dice = dice

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.calls += 1
        if self._dice.random() >= self.share:
            return await handler(request)
        name = self._dice.choice(list(self._faults))
        self.met.append((name, await request.text()))
        return await self._faults[name](request, handler)


def gzip_bomb(megabytes: int = 100) -> Fault:
    """A small body that unpacks to so many megabytes of blanks."""
    packed = gzip.compress(b" " * (megabytes * 1_000_000))

    async def fault(_: web.Request, __: Handler) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"}, content_type="text/xml")

    return fault


def recoded(declared: str, real: str) -> Fault:
    """The right answer in another encoding than the one it declares."""

    async def fault(request: web.Request, handler: Handler) -> web.StreamResponse:
        whole = await _whole(request, handler)
        body = _body(whole).decode(declared).encode(real, "replace")
        return web.Response(status=whole.status, headers=_plain(whole), body=body)

    return fault


async def _whole(request: web.Request, handler: Handler) -> web.Response:
    answer = await handler(request)
    assert isinstance(answer, web.Response)
    return answer


def _body(answer: web.Response) -> bytes:
    assert answer.body is None or isinstance(answer.body, bytes)
    return answer.body or b""


def _plain(answer: web.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "Content-Length"}
