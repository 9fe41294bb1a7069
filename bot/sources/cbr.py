"""Bank of Russia: roubles per Nominal units, COMMA decimals, four places, windows-1251 bytes.

XML_daily.asp?date_req=DD/MM/YYYY carries the last table forward to any day asked for and dates it
by its own fixing, so a Monday's answer may say Saturday. Set between 11:30 and 15:30 in Moscow for
the next day. VunitRate may read 5,39256E-05 and older documents have none: never used. It is here
for the rouble's crosses, and as a witness: it prints all five currencies of the region.
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
    """A document of one date. Raises SourceError."""
    root = read_xml(body, "ValCurs")
    return make_table("cbr", "RUB", _rows(root), root.get("Date", "").strip() or "missing")


def _rows(root: Element) -> Iterator[Row]:
    for item in root.iterfind("Valute"):
        code, value, nominal = ((item.findtext(name) or "").strip() for name in ("CharCode", "Value", "Nominal"))
        yield Row(code, dotted(value), nominal)


BANK: Final = Bank(
    id="cbr",
    name=N_("Bank of Russia"),
    issues="RUB",
    zone=ZoneInfo("Europe/Moscow"),
    country="RU",
    own_dates=True,
    roads=(RateRoad("cbr", "cbr", "https://www.cbr.ru/scripts/XML_daily.asp?date_req={date:%d/%m/%Y}"),),
    window=Window(time(11, 30), time(17), ahead=True),
    parse=parse,
)
