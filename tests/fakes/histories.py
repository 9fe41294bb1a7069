"""The two banks' archives over HTTP, in the formats of the real ones, from the figures a test set.

    histories = FakeHistories(banks)
    histories.toml()                     # rows for SOURCES_FILE, to follow sources_toml(...)
    web.fault(NBKR_PATH, status(500))

NBKR  an HTML page of one currency, its dates newest first, only those it was fixed on; the currency
      is selected in the page's menu, the figures stand between comments
NBT   an XML series of one currency, oldest date first, each day of the span carried forward;
      without export=xml an HTML page

Figures are texts and go out as they are, nonsense included.
"""

from __future__ import annotations

from datetime import date, timedelta
from xml.sax.saxutils import escape

from aiohttp import web

from tests.fakes.banks import FakeBanks

NBKR_PATH = "/index1.jsp"
NBT_PATH = "/en/kurs/export_xml_dynamic.php"
NBKR_NUMBERS = {"15": "USD", "20": "EUR", "44": "RUB", "24": "CNY", "40": "KZT", "46": "UZS", "45": "TJS", "108": "TMT"}
NAMES = {"USD": "US Dollar", "EUR": "Euro", "RUB": "Russian Ruble", "KZT": "Kazakh Tenge", "UZS": "Uzbek Som"}
NBT_NUMBERS = {"USD": "840", "EUR": "978", "RUB": "810", "CNY": "156", "KZT": "398", "KGS": "417", "UZS": "860"}


class FakeHistories:
    """Serves what FakeBanks holds of nbkr and nbt."""

    def __init__(self, banks: FakeBanks) -> None:
        self.banks = banks
        banks.web.route(NBKR_PATH, self._nbkr)
        banks.web.route(NBT_PATH, self._nbt)

    def toml(self) -> str:
        span = "beg_day={since:%d}&beg_month={since:%m}&beg_year={since:%Y}"
        span += "&end_day={until:%d}&end_month={until:%m}&end_year={until:%Y}"
        nbkr = f"{self.banks.web.url}{NBKR_PATH}?item=1562&lang=ENG&valuta_id={{series}}&{span}"
        dates = "d1={since:%Y-%m-%d}&d2={until:%Y-%m-%d}"
        nbt = f"{self.banks.web.url}{NBT_PATH}?{dates}&cs={{series}}&export=xml"
        rows = (("nbkr_history", nbkr), ("nbt_history", nbt))
        return "".join(f'\n[[rates]]\nid = "{name}"\nurl = "{url}"\n' for name, url in rows)

    async def _nbkr(self, request: web.Request) -> web.Response:
        asked = request.query
        since, until = (
            date(*(int(asked[f"{end}_{part}"]) for part in ("year", "month", "day"))) for end in ("beg", "end")
        )
        code = NBKR_NUMBERS.get(asked["valuta_id"], "")
        tables = self.banks.tables("nbkr", since, until)
        rows = [(day, *table[code]) for day, table in tables if code in table]
        nominal = rows[0][2] if rows else 1
        page = nbkr_page(asked["valuta_id"], nominal, [(day, value.replace(".", ",")) for day, value, _ in rows])
        return web.Response(body=page.encode(), content_type="text/html", charset="UTF-8")

    async def _nbt(self, request: web.Request) -> web.Response:
        asked = request.query
        if asked.get("export") != "xml":
            return web.Response(body=b"<!DOCTYPE html><html><body>Export</body></html>", content_type="text/html")
        since, until = date.fromisoformat(asked["d1"]), date.fromisoformat(asked["d2"])
        records = []
        for n in range((until - since).days + 1):
            day = since + timedelta(days=n)
            table = next(iter(self.banks.tables("nbt", date.min, day)), (day, {}))[1]
            if row := table.get(asked["cs"]):
                records.append((day, *row))
        return web.Response(body=nbt_series(asked["cs"], since, until, records).encode(), content_type="text/xml")


def nbkr_page(selected: str, nominal: int, rows: list[tuple[date, str]]) -> str:
    """rows: newest first, figures with their comma."""
    options = "".join(
        f'<option {"selected " if number == selected else ""}value="{number}">{nominal} {NAMES.get(code, code)}\n'
        for number, code in NBKR_NUMBERS.items()
    )
    lines = "".join(
        f'<tr>\n<td class="stat-center"><!--date-->{day:%d.%m.%Y}<!--date--></td>\n'
        f'<td class="stat-right"><!--value-->{escape(value)}<!--value--></td>\n</tr>\n'
        for day, value in rows
    )
    return (
        "<!DOCTYPE html>\n<html><head><title>Official exchange rates</title></head><body>\n<form>\n"
        f'<select name="valuta_id">\n{options}</select>\n'
        '<select name="beg_day"><option selected value="01">01</select>\n</form>\n'
        f"<table>\n{lines}</table>\n</body></html>\n"
    )


def nbt_series(code: str, since: date, until: date, records: list[tuple[date, str, int]]) -> str:
    number = NBT_NUMBERS.get(code, "000")
    lines = "".join(
        f'<Record Date="{day:%d.%m.%Y}" Id="{number}">\n<CharCode>{code}</CharCode>\n<Nominal>{nominal}</Nominal>\n'
        f"<Value>{escape(value)}</Value>\n</Record>\n"
        for day, value, nominal in records
    )
    return (
        '<?xml version="1.0" encoding="utf-8" ?>\n'
        f'<ValCurs ID="{number}" DateRange1="{since:%d.%m.%Y}" DateRange2="{until:%d.%m.%Y}" name="Rates">\n'
        f"{lines}</ValCurs>\n"
    )
