"""The sample edition: an invented newsroom and five banks, served over real HTTP on loopback.

The documents in files/ are templates in the exact formats of the real things; only their dates are
filled in. Figures are recorded ones: each bank has three days of them, which come round in turn, so
that every day is a fixing with one before it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from string import Template
from typing import Final, Self
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.models import Catalogue, Feed, RateRoad

FILES: Final = Path(__file__).parent / "files"
HOST: Final = "127.0.0.1"

KAZAKHSTAN: Final = ZoneInfo("Asia/Almaty")
KYRGYZSTAN: Final = ZoneInfo("Asia/Bishkek")
UZBEKISTAN: Final = ZoneInfo("Asia/Tashkent")
TAJIKISTAN: Final = ZoneInfo("Asia/Dushanbe")

PUBLISHING_HOUR: Final = 16
"""From this hour of their own day on the banks of Kazakhstan and Uzbekistan have tomorrow's table."""

OUTLETS: Final = (
    ("courier", "The Steppe Courier (sample)", "en", "utf-8"),
    ("ledger", "Caravan Ledger (sample)", "en", "utf-8"),
    ("vestnik", "Арыкские ведомости (пример)", "ru", "windows-1251"),
)
ROADS: Final = {
    "nbk": "/nbk?fdate={date:%d.%m.%Y}",
    "nbkr": "/nbkr",
    "cbu": "/cbu/{date:%Y-%m-%d}/",
    "nbt": "/nbt?date={date:%Y-%m-%d}&export=xmlout",
}


class SampleEdition:
    """Serves while it is entered.

    catalogue: its feeds and roads, the peg included
    allow: where the guard of our own HTTP client must let it through

    Articles are minutes to days older than the moment of entering; banks go by the running clock.
    """

    catalogue: Catalogue
    allow: frozenset[tuple[str, int]]

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    async def __aenter__(self) -> Self:
        self._opened = self._clock().astimezone(UTC)
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        port = self._runner.addresses[0][1]
        self.catalogue = _catalogue(f"http://{HOST}:{port}")
        self.allow = frozenset({(HOST, port)})
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/feeds/{outlet}", self._feed)
        app.router.add_get("/nbk", self._nbk)
        app.router.add_get("/nbkr", self._nbkr)
        app.router.add_get("/cbu/{date}/", self._cbu)
        app.router.add_get("/nbt", self._nbt)
        return app

    async def _feed(self, request: web.Request) -> web.Response:
        for outlet, _, _, encoding in OUTLETS:
            if outlet == request.match_info["outlet"]:
                body = _issue(outlet, self._opened).encode(encoding)
                return web.Response(body=body, content_type="application/rss+xml")
        raise web.HTTPNotFound

    async def _nbk(self, request: web.Request) -> web.Response:
        """Every calendar day has an answer: the last fixing, carried forward."""
        asked = _day(request.query.get("fdate", ""), "%d.%m.%Y")
        text = _table("nbk.xml", min(asked, self._newest(KAZAKHSTAN)), f"{asked:%d.%m.%Y}")
        return web.Response(text=text, content_type="text/xml")

    async def _nbkr(self, _: web.Request) -> web.Response:
        """The latest only, in windows-1251, of which the header says nothing."""
        today = self._today(KYRGYZSTAN)
        text = _table("nbkr.xml", today, f"{today:%d.%m.%Y}")
        return web.Response(body=text.encode("windows-1251"), content_type="application/xml")

    async def _cbu(self, request: web.Request) -> web.Response:
        """A day that has no table yet is an empty array."""
        asked = _day(request.match_info["date"], "%Y-%m-%d")
        ready = asked <= self._newest(UZBEKISTAN)
        text = _table("cbu.json", asked, f"{asked:%d.%m.%Y}") if ready else "[]"
        return web.Response(text=text, content_type="application/json")

    async def _nbt(self, request: web.Request) -> web.Response:
        """A future date silently gets today's table, dated today."""
        asked = min(_day(request.query.get("date", ""), "%Y-%m-%d"), self._today(TAJIKISTAN))
        return web.Response(text=_table("nbt.xml", asked, f"{asked:%Y-%m-%d}"), content_type="text/xml")

    def _today(self, zone: ZoneInfo) -> date:
        return self._clock().astimezone(zone).date()

    def _newest(self, zone: ZoneInfo) -> date:
        published = self._clock().astimezone(zone).hour >= PUBLISHING_HOUR
        return self._today(zone) + timedelta(days=published)


def _catalogue(root: str) -> Catalogue:
    feeds = tuple(Feed(name, title, f"{root}/feeds/{name}", language) for name, title, language, _ in OUTLETS)
    roads = tuple(RateRoad(bank, bank, root + path) for bank, path in ROADS.items())
    return Catalogue(feeds, (*roads, RateRoad("cbt", "cbt", "")))


def _issue(outlet: str, opened: datetime) -> str:
    """The feed, with each ${minus_95} as the instant 95 minutes before it was opened."""
    template = Template((FILES / f"{outlet}.xml").read_text("utf-8"))
    ages = {name: timedelta(minutes=int(name.removeprefix("minus_"))) for name in template.get_identifiers()}
    return template.substitute({name: format_datetime(opened - age) for name, age in ages.items()})


def _table(name: str, fixed: date, dated: str) -> str:
    """The document of the fixing of that day."""
    bank, _, kind = name.partition(".")
    path = FILES / f"{bank}-{fixed.toordinal() % 3}.{kind}"
    return Template(path.read_text("utf-8")).substitute(date=dated)


def _day(text: str, form: str) -> date:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC).date()
    except ValueError:
        raise web.HTTPNotFound from None
