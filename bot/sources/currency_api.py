"""currency-api by fawazahmed0: market figures of unknown origin, CC0; indicative, and marked so.

One file a day, every day, written about 05:14 UTC: {"date": ..., "usd": {"kgs": 87.45712429, ...}}.
It is asked for by its date: the alias for the latest is cached for days. A day that is missing is a
404. The manat is left out: what moves there is noise around a peg.
"""

from __future__ import annotations

from datetime import time
from typing import Final
from zoneinfo import ZoneInfo

from bot.errors import SourceError
from bot.locales import N_
from bot.models import RateRoad, RateTable
from bot.sources import Bank, Window
from bot.sources.printed import Row, make_market_table, read_object

BASE: Final = "usd"
WANTED: Final = ("kzt", "kgs", "uzs", "tjs", "rub", "eur", "cny")
PACKAGE: Final = "https://cdn.jsdelivr.net/npm/@fawazahmed0/currency-api@{date.year}.{date.month}.{date.day}"
PAGES: Final = "https://{date:%Y-%m-%d}.currency-api.pages.dev"
FILE: Final = "/v1/currencies/usd.min.json"


def parse(body: bytes) -> RateTable:
    """The file of one date. Raises SourceError."""
    data = read_object(body)
    rates = data.get(BASE)
    if not isinstance(rates, dict):
        raise SourceError("JSON, but not of dollar rates")
    rows = (Row(code.upper(), str(rates[code]), "1") for code in WANTED if code in rates)
    return make_market_table("currency_api", BASE.upper(), rows, str(data.get("date", "")))


BANK: Final = Bank(
    id="currency_api",
    name=N_("currency-api, market rates"),
    zone=ZoneInfo("UTC"),
    roads=(
        RateRoad("currency_api", "currency_api", PACKAGE + FILE, priority=20),
        RateRoad("currency_api_pages", "currency_api", PAGES + FILE, priority=21),
    ),
    window=Window(time(5, 15), time(8), ahead=False),
    parse=parse,
)
