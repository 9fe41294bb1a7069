"""The health page: what an orchestrator asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from bot.config import HostPort
from bot.errors import SettingsError
from bot.models import Health

Vitals = Callable[[], Mapping[str, Health]]


@asynccontextmanager
async def health_page(listen: HostPort, alive: Vitals, ready: Vitals) -> AsyncIterator[None]:
    """Serve /healthz (are our own tasks alive?) and /readyz (could we serve right now?).

    200 or 503, with {"ready", "checks": {name: {"ok", "detail"}}}. Raises SettingsError if the
    port is taken.
    """
    app = web.Application()
    app.router.add_get("/healthz", _page(alive))
    app.router.add_get("/readyz", _page(ready))
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


def _page(vitals: Vitals) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def page(_: web.Request) -> web.StreamResponse:
        checks = vitals()
        ok = all(check.ok for check in checks.values())
        body = {"ready": ok, "checks": {name: {"ok": c.ok, "detail": c.detail} for name, c in checks.items()}}
        return web.json_response(body, status=200 if ok else 503)

    return page
