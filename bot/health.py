"""Our HTTP server: what an orchestrator asks, and the pages that chats bring."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from bot.config import HostPort
from bot.errors import SettingsError
from bot.models import Health
from bot.ports import Page

LONGEST_BODY: Final = 1 << 20
"""Bytes; a page that reads a longer one is answered for with 413."""

Vitals = Callable[[], Mapping[str, Health]]


@asynccontextmanager
async def http_server(
    listen: HostPort, roles: Collection[str], alive: Vitals, ready: Vitals, pages: Mapping[str, Page]
) -> AsyncIterator[None]:
    """Serve /healthz (are our own tasks alive?), /readyz (could we do right now what we are for?) and the chats' pages
    by path.

    200 or 503, with {"ready", "roles", "checks": {name: {"ok", "detail"}}}. Raises SettingsError if the
    port is taken.
    """
    app = web.Application(client_max_size=LONGEST_BODY)
    app.router.add_get("/healthz", _vitals(roles, alive))
    app.router.add_get("/readyz", _vitals(roles, ready))
    for path, page in pages.items():
        app.router.add_route("*", path, page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, port = listen
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(
            f"HTTP_LISTEN: cannot listen on {host}:{port} ({error.strerror}); choose another port or stop what uses it"
        ) from None
    try:
        yield
    finally:
        await runner.cleanup()


def _vitals(roles: Collection[str], vitals: Vitals) -> Page:
    async def page(_: web.Request) -> web.StreamResponse:
        checks = vitals()
        ok = all(check.ok for check in checks.values())
        told = {name: {"ok": c.ok, "detail": c.detail} for name, c in checks.items()}
        body = {"ready": ok, "roles": sorted(roles), "checks": told}
        return web.json_response(body, status=200 if ok else 503)

    return page
