"""National Bank of Kazakhstan: tenge per `quant` units, dot decimals.

get_rates.cfm?fdate=DD.MM.YYYY answers every calendar day; weekends and holidays carry the last
fixing forward under their own date. A day without figures has an <info> in place of rows, no fdate
at all gets JSON. Tomorrow's table stands there from about 16:00 in Astana. Trailing zeros are
dropped ("5.4"), `quant` changes over time (IRR 1000, later 10000), there is no manat row.
rates_all.xml is the same as RSS: each item has its own pubDate (once DD.MM.YY), no fullname.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import Final
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from bot.locales import N_
from bot.models import RateRoad, RateTable
from bot.sources import Bank, Window
from bot.sources.printed import Row, make_table, read_xml


def parse(body: bytes) -> RateTable:
    """A get_rates or rates_all document. Raises SourceError."""
    root = read_xml(body, "rates", "rss")
    items = root.iterfind("channel/item" if root.tag == "rss" else "item")
    return make_table("nbk", "KZT", _rows(items), (root.findtext("date") or "").strip())


def _rows(items: Iterator[Element]) -> Iterator[Row]:
    names = ("title", "description", "quant", "change", "pubDate")
    return (Row(*((item.findtext(name) or "").strip() for name in names)) for item in items)


BANK: Final = Bank(
    id="nbk",
    name=N_("National Bank of Kazakhstan"),
    issues="KZT",
    zone=ZoneInfo("Asia/Almaty"),
    country="KZ",
    roads=(
        RateRoad("nbk", "nbk", "https://nationalbank.kz/rss/get_rates.cfm?fdate={date:%d.%m.%Y}"),
        RateRoad("nbk_all", "nbk", "https://nationalbank.kz/rss/rates_all.xml", priority=5),
    ),
    window=Window(time(15, 30), time(18), ahead=True),
    parse=parse,
)
