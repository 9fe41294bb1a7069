"""Central Bank of Uzbekistan: soum per Nominal units, JSON, dot decimals.

An array of objects whose figures and dates are STRINGS, every row with its own Date; names are
\\u-escaped. Diff drops zeros ("-0.6", "-4", "0"). Fridays already publish Monday's table.
Without a date the same address answers the latest table.
"""

from __future__ import annotations

from datetime import time
from typing import Final
from zoneinfo import ZoneInfo

from bot.locales import N_
from bot.models import RateRoad, RateTable
from bot.sources import Bank, Window
from bot.sources.printed import Row, make_table, read_json


def parse(body: bytes) -> RateTable:
    """A table of one date or the latest one. Raises SourceError."""
    names = ("Ccy", "Rate", "Nominal", "Diff", "Date")
    rows = (Row(*(item.get(name, "").strip() for name in names)) for item in read_json(body))
    return make_table("cbu", "UZS", rows)


BANK: Final = Bank(
    id="cbu",
    name=N_("Central Bank of Uzbekistan"),
    issues="UZS",
    zone=ZoneInfo("Asia/Tashkent"),
    country="UZ",
    roads=(
        RateRoad("cbu", "cbu", "https://cbu.uz/en/arkhiv-kursov-valyut/json/all/{date:%Y-%m-%d}/"),
        RateRoad("cbu_latest", "cbu", "https://cbu.uz/en/arkhiv-kursov-valyut/json/", priority=5),
    ),
    window=Window(time(15, 30), time(18), ahead=True),
    parse=parse,
)
