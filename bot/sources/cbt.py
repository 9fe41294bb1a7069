"""Central Bank of Turkmenistan: 3.5 manat per dollar since 1 January 2015, by its own decree.

Its site answers hardly anyone abroad, so the peg is taken as declared and nothing is asked. What
aggregators print for the manat (3.4998 to 3.5136) is noise around it.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from bot.locales import N_
from bot.models import RateRoad
from bot.sources import Bank

BANK: Final = Bank(
    id="cbt",
    name=N_("Central Bank of Turkmenistan"),
    issues="TMT",
    zone=ZoneInfo("Asia/Ashgabat"),
    country="TM",
    roads=(RateRoad("cbt", "cbt", ""),),
    peg="3.5",
    since=date(2015, 1, 1),
)
