"""The central banks over HTTP, in the formats of the real ones, built from figures a test sets.

    banks = FakeBanks(web, clock)
    banks.set("nbk", date(2026, 4, 2), {"USD": ("475.09", 1), "EUR": ("549.77", 1)})
    banks.url("nbk")                     # for SOURCES_FILE
    web.fault(banks.path("nbk"), html_page())

nbk          per date; carries the last fixing forward, under the date asked for; before the first
             one an <info> and no rows; without fdate a JSON complaint
nbk_all      the newest table as RSS
nbkr         the newest table, windows-1251, ETag and Last-Modified
nbkr_weekly  the same with ValidFor, from the figures set for "nbkr_weekly"
cbu          per date; a day without a table is an empty array (assumed: nobody has recorded one)
cbu_latest   the newest table
nbt          per date; carries forward; a future date or one before 2001 gets today's table, dated
             today; without export=xmlout an HTML page
cbr          per date; any day gets the last table up to it, under that table's own date; windows-1251
cbt_xml      per date; a day without a file is a 404
frankfurter_nbk and so on: the newest table set for it, under "USD", or that of date=
currency_api the file of a date, rows by quote currency; 404 where there is none
currency_api_pages the same files at another address

The manat itself is a peg and needs no server. Figures are texts and go out as they are, nonsense included.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from hashlib import sha256
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.sources.frankfurter import PROVIDERS
from tests.fakes import documents
from tests.fakes.documents import Rows, trimmed
from tests.fakes.web import Clock, FakeWeb, http_date, unchanged, wall_clock

COLLECTED = {f"frankfurter_{bank.lower()}": (bank, quote) for bank, quote in PROVIDERS.items()}
URLS = {
    "nbk": "/rss/get_rates.cfm?fdate={date:%d.%m.%Y}",
    "nbk_all": "/rss/rates_all.xml",
    "nbkr": "/XML/daily.xml",
    "nbkr_weekly": "/XML/weekly.xml",
    "cbu": "/en/arkhiv-kursov-valyut/json/all/{date:%Y-%m-%d}/",
    "cbu_latest": "/en/arkhiv-kursov-valyut/json/",
    "nbt": "/en/kurs/export_xml.php?date={date:%Y-%m-%d}&export=xmlout",
    "cbr": "/scripts/XML_daily.asp?date_req={date:%d/%m/%Y}",
    "cbt_xml": "/kurs/{date:%Y}/{date:%d%m%Y}.xml",
    "currency_api": ("/npm/@fawazahmed0/currency-api@{date.year}.{date.month}.{date.day}/v1/currencies/usd.min.json"),
    "currency_api_pages": "/pages/{date:%Y-%m-%d}/v1/currencies/usd.min.json",
    # The real one has one address for all; here each has its own, so that one can fail alone.
    **{name: f"/{bank}/v2/rates?base=USD&quotes={quote}&providers={bank}" for name, (bank, quote) in COLLECTED.items()},
}
PER_DATE = ("nbk", "nbkr", "cbu", "nbt")
NUMBERS = {
    "USD": "840",
    "EUR": "978",
    "RUB": "643",
    "CNY": "156",
    "KZT": "398",
    "KGS": "417",
    "UZS": "860",
    "TJS": "972",
}
NBT_NUMBERS = NUMBERS | {"RUB": "810"}


class FakeBanks:
    """Banks on this server. A bank without figures behaves as one with an empty table."""

    def __init__(self, server: FakeWeb, clock: Clock = wall_clock) -> None:
        self.web = server
        self._clock = clock
        self._tables: dict[str, dict[date, Rows]] = {}
        self._set_at: dict[str, datetime] = {}
        handlers = {"nbk": self._nbk, "nbk_all": self._nbk_all, "cbu": self._cbu, "cbu_latest": self._cbu_latest}
        handlers |= {"nbkr": self._nbkr, "nbkr_weekly": self._nbkr_weekly, "nbt": self._nbt}
        handlers |= {"cbr": self._cbr, "cbt_xml": self._cbt_xml}
        handlers |= {name: partial(self._frankfurter, name) for name in COLLECTED}
        handlers |= {"currency_api": self._currency_api, "currency_api_pages": self._currency_api}
        for name, handler in handlers.items():
            server.route(self.path(name), handler)

    def set(self, bank: str, on: date, rows: Rows) -> None:
        """The table of a date: new, or in the place of the old one."""
        self._tables.setdefault(bank, {})[on] = dict(rows)
        self._set_at[bank] = self._clock()

    def withdraw(self, bank: str, on: date) -> None:
        """As if this date had never been published."""
        del self._tables[bank][on]

    def tables(self, bank: str, since: date, until: date) -> list[tuple[date, Rows]]:
        """What was set for these days, newest first."""
        return [(on, rows) for on, rows in self._up_to(bank, until) if on >= since]

    def url(self, name: str) -> str:
        """What SOURCES_FILE wants: with {date:...} where a day is asked for."""
        return self.web.url + URLS[name]

    def path(self, name: str) -> str:
        """Where faults are set and requests are counted."""
        head, dated, _ = URLS[name].partition("?")[0].partition("{")
        return head[: head.rindex("/") + 1] if dated else head

    def _up_to(self, bank: str, day: date) -> list[tuple[date, Rows]]:
        """Tables up to this day, newest first."""
        return sorted(((on, rows) for on, rows in self._tables.get(bank, {}).items() if on <= day), reverse=True)

    def _today(self, zone: str) -> date:
        return self._clock().astimezone(ZoneInfo(zone)).date()

    async def _nbk(self, request: web.Request) -> web.Response:
        asked = _day(request.query.get("fdate", ""), "%d.%m.%Y")
        if asked is None:
            return web.json_response({"code": 500, "message": "Invalid format date. Expected dd.mm.yyyy"})
        items = _nbk_items(
            self._up_to("nbk", asked), lambda code: f"<fullname>{code}</fullname>\n<title>{code}</title>"
        )
        body = (
            '<?xml version="1.0" encoding="utf-8"?>\n<rates>\n<generator>fake</generator>\n<title>Rates</title>\n'
            f"<date>{asked:%d.%m.%Y}</date>{items or '<info>No rates for this date</info>'}\n</rates>\n"
        )
        return _answer(body, "text/xml", "utf-8", {"Set-Cookie": "cookiesession1=678A3E0D;Path=/;HttpOnly"})

    async def _nbk_all(self, _: web.Request) -> web.Response:
        tables = self._up_to("nbk", date.max)
        dated = f"<pubDate>{tables[0][0]:%d.%m.%Y}</pubDate>" if tables else ""
        items = _nbk_items(tables, lambda code: f"<title>{code}</title>\n{dated}", "\n<link/>")
        body = f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0">\n<channel>{items}\n</channel>\n</rss>\n'
        return _answer(body, "text/xml", "utf-8")

    async def _nbkr(self, request: web.Request) -> web.Response:
        return self._nbkr_document(request, "nbkr", "Daily", "")

    async def _nbkr_weekly(self, request: web.Request) -> web.Response:
        return self._nbkr_document(request, "nbkr_weekly", "Weekly", "\n<ValidFor>7</ValidFor>")

    def _nbkr_document(self, request: web.Request, bank: str, name: str, valid_for: str) -> web.Response:
        on, rows = next(iter(self._up_to(bank, date.max)), (self._today("Asia/Bishkek"), {}))
        items = "".join(
            f'\n<Currency ISOCode="{escape(code)}">\n<Nominal>{nominal}</Nominal>{valid_for}'
            f"\n<Value>{escape(value.replace('.', ','))}</Value>\n</Currency>"
            for code, (value, nominal) in rows.items()
        )
        body = (
            '<?xml version="1.0" encoding="windows-1251" ?>\n'
            f'<CurrencyRates Name="{name} Exchange Rates" Date="{on:%d.%m.%Y}">{items}\n</CurrencyRates>\n'
        )
        etag = f'W/"{len(body)}-{sha256(body.encode()).hexdigest()[:12]}"'
        modified = http_date(self._set_at.get(bank) or self._clock())
        headers = {"ETag": etag, "Last-Modified": modified}
        if unchanged(request, etag, modified):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body.encode("windows-1251"), headers={**headers, "Content-Type": "application/xml"})

    async def _cbu(self, request: web.Request) -> web.Response:
        asked = _day(request.path.removeprefix(self.path("cbu")).rstrip("/"), "%Y-%m-%d")
        tables = self._up_to("cbu", asked) if asked else []
        return _cbu_document(tables if tables and tables[0][0] == asked else [])

    async def _cbu_latest(self, _: web.Request) -> web.Response:
        return _cbu_document(self._up_to("cbu", date.max))

    async def _nbt(self, request: web.Request) -> web.Response:
        if request.query.get("export") != "xmlout":
            return _answer("<!DOCTYPE html><html><body>How to export</body></html>", "text/html", "utf-8")
        today = self._today("Asia/Dushanbe")
        asked = _day(request.query.get("date", ""), "%Y-%m-%d") or today
        dated = asked if date(2001, 1, 1) <= asked <= today else today
        _, rows = next(iter(self._up_to("nbt", dated)), (dated, {}))
        items = "".join(
            f'\n<Valute ID="{NBT_NUMBERS.get(code, "000")}">\n<CharCode>{escape(code)}</CharCode>\n'
            f"<Nominal>{nominal}</Nominal>\n<Name>{escape(code)}</Name>\n<Value>{escape(value)}</Value>\n</Valute>"
            for code, (value, nominal) in rows.items()
        )
        body = f'<?xml version="1.0" encoding="utf-8" ?>\n<ValCurs Date="{dated}" name="Rates">{items}\n</ValCurs>\n'
        return _answer(body, "text/xml", "UTF-8", {"Set-Cookie": "PHPSESSID=fake; path=/"})

    async def _cbr(self, request: web.Request) -> web.Response:
        asked = _day(request.query.get("date_req", ""), "%d/%m/%Y") or date.max
        on, rows = next(iter(self._up_to("cbr", asked)), (self._today("Europe/Moscow"), {}))
        return web.Response(body=documents.cbr(on, rows), content_type="application/xml", charset="windows-1251")

    async def _cbt_xml(self, request: web.Request) -> web.Response:
        asked = _day(request.path.rpartition("/")[2], "%d%m%Y.xml")
        rows = self._tables.get("cbt_xml", {}).get(asked) if asked else None
        if asked is None or rows is None:
            return web.Response(status=404, text="<html><body>404</body></html>", content_type="text/html")
        return web.Response(body=documents.cbt(asked, rows), content_type="text/xml")

    async def _frankfurter(self, name: str, request: web.Request) -> web.Response:
        asked = _day(request.query.get("date", ""), "%Y-%m-%d") or date.max
        on, rows = next(iter(self._up_to(name, asked)), (date.min, {}))
        return web.Response(body=documents.frankfurter(on, rows, COLLECTED[name][1]), content_type="application/json")

    async def _currency_api(self, request: web.Request) -> web.Response:
        day = request.path.removesuffix("/v1/currencies/usd.min.json").rpartition("/")[2].rpartition("@")[2]
        tables = self._tables.get("currency_api", {})
        found = next((on for on in tables if day in (on.isoformat(), f"{on.year}.{on.month}.{on.day}")), None)
        if found is None:
            return web.Response(status=404, text=f"Couldn't find the requested release version {day}.")
        return web.Response(body=documents.currency_api(found, tables[found]), content_type="application/json")


def _nbk_items(tables: list[tuple[date, Rows]], head: Callable[[str], str], tail: str = "") -> str:
    """head, tail: what stands around the figures of a row in this kind of document."""
    items = ""
    for code, (value, nominal) in tables[0][1].items() if tables else ():
        change = _change(tables, code)
        index = "" if change == "0" else "DOWN" if change.startswith("-") else "UP"
        signed = "0.00" if change == "0" else f"+{change}" if index == "UP" else change
        items += (
            f"\n<item>\n{head(escape(code))}\n<description>{escape(value)}</description>"
            f"\n<quant>{nominal}</quant>\n<index>{index}</index>\n<change>{signed}</change>{tail}\n</item>"
        )
    return items


def _cbu_document(tables: list[tuple[date, Rows]]) -> web.Response:
    on, rows = tables[0] if tables else (date.min, {})
    listed = [
        {
            "id": number,
            "Code": NUMBERS.get(code, "000"),
            "Ccy": code,
            **dict.fromkeys(("CcyNm_RU", "CcyNm_UZ", "CcyNm_UZC", "CcyNm_EN"), f"Валюта {code}"),
            "Nominal": str(nominal),
            "Rate": value,
            "Diff": _change(tables, code),
            "Date": f"{on:%d.%m.%Y}",
        }
        for number, (code, (value, nominal)) in enumerate(rows.items(), 1)
    ]
    return _answer(json.dumps(listed), "application/json", None, {"Cache-Control": "no-store"})


def _change(tables: list[tuple[date, Rows]], code: str) -> str:
    """By how much the newest figure moved, zeros dropped; "0" where there is nothing to compare."""
    figures = [rows[code][0] for _, rows in tables[:2] if code in rows]
    try:
        moved = Decimal(figures[0]) - Decimal(figures[1])
    except (IndexError, InvalidOperation):
        return "0"
    return trimmed(f"{moved:f}") if moved.is_finite() and moved else "0"


def _day(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()
    except ValueError:
        return None


def _answer(body: str, kind: str, charset: str | None, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body.encode(), content_type=kind, charset=charset, headers=headers)
