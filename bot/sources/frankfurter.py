"""Frankfurter: central banks' own figures by a second road, one bank at a time (`providers=`).

Asked so, it keeps the digits of that bank; without providers it blends several and rounds. An array
of {"date", "base", "quote", "rate"}, figures as JSON numbers. The latest answer includes what is
announced for tomorrow; days on which nothing was fixed are left out.
"""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from bot.locales import N_
from bot.models import RateRoad, RateTable
from bot.sources import Bank
from bot.sources.printed import Row, make_table, read_json

ADDRESS: Final = "https://api.frankfurter.dev/v2/rates?base=USD&quotes={quote}&providers={bank}"
PROVIDERS: Final = {"NBK": "KZT", "NBKR": "KGS", "CBU": "UZS", "NBT": "TJS"}


def parse(body: bytes) -> RateTable:
    """Rows of one date and one quote currency. Raises SourceError."""
    rows = [item for item in read_json(body) if item.get("quote") in PROVIDERS.values()]
    quote = rows[0]["quote"] if rows else ""
    listed = (Row(row.get("base", ""), row.get("rate", ""), "1", on=row.get("date", "")) for row in rows)
    return make_table("frankfurter", quote, (row for row in listed if row.code))


BANK: Final = Bank(
    id="frankfurter",
    name=N_("Frankfurter"),
    zone=ZoneInfo("UTC"),
    roads=tuple(
        RateRoad(f"frankfurter_{bank.lower()}", "frankfurter", ADDRESS.format(quote=quote, bank=bank), 10, quote)
        for bank, quote in PROVIDERS.items()
    ),
    parse=parse,
)
