"""National Bank of the Kyrgyz Republic: som per Nominal units, COMMA decimals, four places.

daily.xml has USD EUR CNY KZT RUB, weekly.xml about forty others (each with a ValidFor, which is not
needed); only the latest document can be had. It is declared windows-1251 while the HTTP header says
nothing, so bytes it must be. The date is often tomorrow's, on Saturdays too: the file is re-dated
every day. No change is printed. A figure without a comma has lost it, and 874500 is no rate.
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
from bot.sources.printed import Row, dotted, make_table, read_xml


def parse(body: bytes) -> RateTable:
    """A daily or weekly document. Raises SourceError."""
    root = read_xml(body, "CurrencyRates")
    return make_table("nbkr", "KGS", _rows(root), root.get("Date", "").strip() or "missing")


def _rows(root: Element) -> Iterator[Row]:
    for item in root.iterfind("Currency"):
        value, nominal = ((item.findtext(name) or "").strip() for name in ("Value", "Nominal"))
        yield Row(item.get("ISOCode", ""), dotted(value), nominal)


BANK: Final = Bank(
    id="nbkr",
    name=N_("National Bank of the Kyrgyz Republic"),
    issues="KGS",
    zone=ZoneInfo("Asia/Bishkek"),
    country="KG",
    roads=(
        RateRoad("nbkr", "nbkr", "https://www.nbkr.kg/XML/daily.xml"),
        RateRoad("nbkr_weekly", "nbkr", "https://www.nbkr.kg/XML/weekly.xml", days=7),
    ),
    window=Window(time(15), time(17), ahead=True),
    parse=parse,
)
