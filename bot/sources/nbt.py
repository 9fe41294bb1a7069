"""National Bank of Tajikistan: somoni per Nominal units, dot decimals, four places.

Published in the morning for the same day, weekends carried forward. A future date, or one before
2001, silently gets TODAY's table: its own Date tells. Without export=xmlout comes an HTML help page
with status 200. The rouble's Valute ID is 810, so CharCode is what names a currency.
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
    """A document of one date. Raises SourceError."""
    root = read_xml(body, "ValCurs")
    return make_table("nbt", "TJS", _rows(root), root.get("Date", "").strip() or "missing")


def _rows(root: Element) -> Iterator[Row]:
    names = ("CharCode", "Value", "Nominal")
    return (Row(*((item.findtext(name) or "").strip() for name in names)) for item in root.iterfind("Valute"))


BANK: Final = Bank(
    id="nbt",
    name=N_("National Bank of Tajikistan"),
    issues="TJS",
    zone=ZoneInfo("Asia/Dushanbe"),
    country="TJ",
    roads=(RateRoad("nbt", "nbt", "https://www.nbt.tj/en/kurs/export_xml.php?date={date:%Y-%m-%d}&export=xmlout"),),
    window=Window(time(7), time(11), ahead=False),
    parse=parse,
    note=N_("The somoni's rate with reference to www.nbt.tj."),
)
