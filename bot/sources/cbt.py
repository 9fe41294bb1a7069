"""Central Bank of Turkmenistan: 3.5 manat per dollar since 1 January 2015, by its own decree.

Its site answers hardly anyone abroad, so the peg is taken as declared and holds without it. Where it
does answer, the file of a day (there from 10:30 UTC of the day before, Sundays 404) shows whether the
decree still stands: manat per `multiplier` units in rate_tmt, dot decimals, zeros dropped, dates as
DD.MM.YYYY, in files of 2020 to 2023 YYYY-MM-DD. rate_usd mixes directions and is never used. What
aggregators print for the manat (3.4998 to 3.5136) is noise around the peg.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from typing import Final
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from bot.locales import N_
from bot.models import RateRoad, RateTable
from bot.sources import Bank, Window
from bot.sources.printed import Row, make_table, read_xml


def parse(body: bytes) -> RateTable:
    """The file of one date. Raises SourceError."""
    root = read_xml(body, "cbt_currency_rate")
    table = make_table("cbt", "TMT", _rows(root), (root.findtext("date") or "").strip() or "missing")
    return replace(table, kind="peg")


def _rows(root: Element) -> Iterator[Row]:
    for item in root.iterfind("rate"):
        value, multiplier = ((item.findtext(name) or "").strip() for name in ("rate_tmt", "multiplier"))
        yield Row(item.get("code", "").strip(), value, multiplier)


BANK: Final = Bank(
    id="cbt",
    name=N_("Central Bank of Turkmenistan"),
    issues="TMT",
    zone=ZoneInfo("Asia/Ashgabat"),
    country="TM",
    roads=(
        RateRoad("cbt", "cbt", ""),
        RateRoad("cbt_xml", "cbt", "https://cbt.tm/kurs/{date:%Y}/{date:%d%m%Y}.xml"),
    ),
    window=Window(time(15), time(17), ahead=True),
    parse=parse,
    peg="3.5",
    since=date(2015, 1, 1),
)
