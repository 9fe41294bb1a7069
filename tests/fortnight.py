"""A fortnight of December 2026: what four banks print, and hour by hour what a reader must be told.

Holidays: Tuesday 8 in Uzbekistan, Wednesday 16 in Kazakhstan. A revision: the tenge of the 10th, an hour
after its table. A slip: the sum of the 10th, a hundred times too small. A devaluation: the som of the 15th,
by 12 %, seen by a second road only in the morning of that day. All clocks are the bank's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from bot.models import Quote
from bot.money import exact_text, percent_text
from bot.sources import banks
from tests.fakes.banks import FakeBanks
from tests.fakes.documents import Rows

START = datetime(2026, 12, 6, 19, 5, tzinfo=UTC)
"""Five past midnight in Almaty, Tashkent and Dushanbe: Monday, 7 December."""
HOURS = 14 * 24

PRINTED = """
    nbk      1 16:00  2 479.10     nbk      2 16:00  3 478.77     nbk      3 16:00  4 475.09
    nbk      4 16:00  7 472.31     nbk      7 16:00  8 470.00     nbk      8 16:00  9 471.20
    nbk      9 16:00 10 469.40     nbk      9 17:00 10 469.90     nbk     10 16:00 11 468.75
    nbk     11 16:00 14 470.10     nbk     14 16:00 15 470.10     nbk     15 16:00 17 473.05
    nbk     17 16:00 18 472.00     nbk     18 16:00 21 474.44

    cbu      2 16:00  3 12194.21   cbu      3 16:00  4 12142.10   cbu      4 16:00  7 12149.84
    cbu      7 16:00  9 12160.00   cbu      9 16:00 10 121.55     cbu     10 16:00 10 12155.00
    cbu     10 17:00 11 12171.30   cbu     11 16:00 14 12180.00   cbu     14 16:00 15 12169.50
    cbu     15 16:00 16 12175.00   cbu     16 16:00 17 12188.88   cbu     17 16:00 18 12190.10
    cbu     18 16:00 21 12201.00

    nbkr     6 16:00  7 87.4500    nbkr     7 16:00  8 87.4500    nbkr     8 16:00  9 87.4600
    nbkr     9 16:00 10 87.4500    nbkr    10 16:00 11 87.4300    nbkr    11 16:00 12 87.4000
    nbkr    12 16:00 13 87.4000=   nbkr    13 16:00 14 87.4000=   nbkr    14 16:00 15 97.9440
    nbkr    15 16:00 16 97.9440    nbkr    16 16:00 17 98.1000    nbkr    17 16:00 18 98.0500
    nbkr    18 16:00 19 98.2000    nbkr    19 16:00 20 98.2000=   nbkr    20 16:00 21 98.2000=

    nbt      3 08:00  3 9.3450     nbt      4 08:00  4 9.3371     nbt      7 08:00  7 9.3288
    nbt      8 08:00  8 9.3300     nbt      9 08:00  9 9.3310     nbt     10 08:00 10 9.3250
    nbt     11 08:00 11 9.3200     nbt     14 08:00 14 9.3150     nbt     15 08:00 15 9.3160
    nbt     16 08:00 16 9.3100     nbt     17 08:00 17 9.3100     nbt     18 08:00 18 9.3055

    frankfurter_cbu   9 17:00 10 121.55     frankfurter_cbu  11 17:00 14 12180.00
    frankfurter_nbkr 13 17:00 14 87.4000    frankfurter_nbkr 15 09:00 15 97.9440
"""
"""Bank, when it prints (day, hour), for which day, the dollar. "=" repeats the whole table under a new date;
in every other table the euro has moved, also where the dollar has not."""

MARKET = {"KZT": "471.9", "KGS": "87.45", "UZS": "12150.5", "TJS": "9.33"}
"""What the market says of every day; nobody may take it for an official figure."""


@dataclass(frozen=True)
class Print:
    """A table, and from when on it can be had."""

    at: datetime
    bank: str
    on: date
    rows: Rows


def prints() -> list[Print]:
    """Everything that is printed, in order."""
    words = PRINTED.split()
    listed = []
    euros: dict[str, int] = {}
    for bank, day, hour, on, dollar in zip(*(words[n::5] for n in range(5)), strict=True):
        euros[bank] = euros.get(bank, 0) + (not dollar.endswith("="))
        rows = {"USD": (dollar.rstrip("="), 1), "EUR": (f"{500 + euros[bank]}.25", 1)}
        kind = bank.removeprefix("frankfurter_")
        local = datetime(2026, 12, int(day), int(hour[:2]), tzinfo=banks()[kind].zone)
        listed.append(Print(local.astimezone(UTC), bank, date(2026, 12, int(on)), rows))
    for day in range(1, 22):
        written = datetime(2026, 12, day, 5, tzinfo=UTC)
        listed.append(Print(written, "currency_api", written.date(), {code: (v, 1) for code, v in MARKET.items()}))
    return sorted(listed, key=lambda table: table.at)


class Presses:
    """Puts into the banks' windows what has been printed by now."""

    def __init__(self, fakes: FakeBanks) -> None:
        self._fakes = fakes
        self._waiting = prints()

    def run(self, now: datetime) -> None:
        while self._waiting and self._waiting[0].at <= now:
            table = self._waiting.pop(0)
            self._fakes.set(table.bank, table.on, table.rows)


def told(quote: Quote) -> str:
    """A quote in a line: "470.00 of 8, day -0.49, week -, from 9: 471.20, held 121.55 of 10, stale"."""
    if quote.rate is None or quote.effective_date is None:
        return "nothing"
    parts = [f"{exact_text(quote.rate)} of {quote.effective_date.day}"]
    if quote.kind != "peg":
        parts += [f"{name} {'-' if c is None else percent_text(c)}" for name, c in changes(quote)]
    if quote.announced:
        parts.append(f"from {quote.announced.effective_date.day}: {exact_text(quote.announced.rate)}")
    if quote.held:
        parts.append(f"held {exact_text(quote.held.rate)} of {quote.held.effective_date.day}")
    parts += [quote.source] if quote.source not in ISSUERS else []
    return ", ".join([*parts, *(["stale"] if quote.stale else [])])


def changes(quote: Quote) -> Iterator[tuple[str, Decimal | None]]:
    yield from (("day", quote.day), ("week", quote.week))


ISSUERS = {"nbk": "KZT", "nbkr": "KGS", "cbu": "UZS", "nbt": "TJS", "cbt": "TMT"}

TOLD: Final = {
    "nbk": """
         7 00  472.31 of 7, day -0.59, week -
         7 16  472.31 of 7, day -0.59, week -, from 8: 470.00
         8 00  470.00 of 8, day -0.49, week -
         8 16  470.00 of 8, day -0.49, week -, from 9: 471.20
         9 00  471.20 of 9, day +0.26, week -
         9 16  471.20 of 9, day +0.26, week -, from 10: 469.40
         9 17  471.20 of 9, day +0.26, week -, from 10: 469.90
        10 00  469.90 of 10, day -0.28, week -
        10 16  469.90 of 10, day -0.28, week -, from 11: 468.75
        11 00  468.75 of 11, day -0.24, week -
        11 16  468.75 of 11, day -0.24, week -, from 14: 470.10
        12 00  468.75 of 12, day -0.24, week -, from 14: 470.10
        13 00  468.75 of 13, day -0.24, week -1.33, from 14: 470.10
        14 00  470.10 of 14, day +0.29, week -0.47
        14 16  470.10 of 14, day +0.29, week -0.47, from 15: 470.10
        15 00  470.10 of 15, day 0.00, week +0.02
        15 16  470.10 of 15, day 0.00, week +0.02, from 17: 473.05
        16 00  470.10 of 16, day 0.00, week -0.23, from 17: 473.05
        17 00  473.05 of 17, day +0.63, week +0.67
        17 16  473.05 of 17, day +0.63, week +0.67, from 18: 472.00
        18 00  472.00 of 18, day -0.22, week +0.69
        18 16  472.00 of 18, day -0.22, week +0.69, from 21: 474.44
        19 00  472.00 of 19, day -0.22, week +0.69, from 21: 474.44
        20 00  472.00 of 20, day -0.22, week +0.69, from 21: 474.44
    """,
    "nbkr": """
         7 01  87.4500 of 7, day -, week -
         7 16  87.4500 of 7, day -, week -, from 8: 87.4500
         8 00  87.4500 of 8, day 0.00, week -
         8 16  87.4500 of 8, day 0.00, week -, from 9: 87.4600
         9 00  87.4600 of 9, day +0.01, week -
         9 16  87.4600 of 9, day +0.01, week -, from 10: 87.4500
        10 00  87.4500 of 10, day -0.01, week -
        10 16  87.4500 of 10, day -0.01, week -, from 11: 87.4300
        11 00  87.4300 of 11, day -0.02, week -
        11 16  87.4300 of 11, day -0.02, week -, from 12: 87.4000
        12 00  87.4000 of 12, day -0.03, week -
        13 00  87.4000 of 13, day -0.03, week -
        14 00  87.4000 of 14, day -0.03, week -0.06
        14 16  87.4000 of 14, day -0.03, week -0.06, held 97.9440 of 15
        15 09  97.9440 of 15, day +12.06, week +12.00
        15 16  97.9440 of 15, day +12.06, week +12.00, from 16: 97.9440
        16 00  97.9440 of 16, day 0.00, week +11.99
        16 16  97.9440 of 16, day 0.00, week +11.99, from 17: 98.1000
        17 00  98.1000 of 17, day +0.16, week +12.18
        17 16  98.1000 of 17, day +0.16, week +12.18, from 18: 98.0500
        18 00  98.0500 of 18, day -0.05, week +12.15
        18 16  98.0500 of 18, day -0.05, week +12.15, from 19: 98.2000
        19 00  98.2000 of 19, day +0.15, week +12.36
        20 00  98.2000 of 20, day +0.15, week +12.36
        21 00  98.2000 of 21, day +0.15, week +12.36
    """,
    "cbu": """
         7 00  12149.84 of 7, day +0.06, week -
         7 16  12149.84 of 7, day +0.06, week -, from 9: 12160.00
         9 00  12160.00 of 9, day +0.08, week -
         9 16  12160.00 of 9, day +0.08, week -, held 121.55 of 10
        10 16  12155.00 of 10, day -0.04, week -
        10 17  12155.00 of 10, day -0.04, week -, from 11: 12171.30
        11 00  12171.30 of 11, day +0.13, week +0.24
        11 16  12171.30 of 11, day +0.13, week +0.24, from 14: 12180.00
        14 00  12180.00 of 14, day +0.07, week +0.25
        14 16  12180.00 of 14, day +0.07, week +0.25, from 15: 12169.50
        15 00  12169.50 of 15, day -0.09, week +0.16
        15 16  12169.50 of 15, day -0.09, week +0.16, from 16: 12175.00
        16 00  12175.00 of 16, day +0.05, week +0.12
        16 16  12175.00 of 16, day +0.05, week +0.12, from 17: 12188.88
        17 00  12188.88 of 17, day +0.11, week +0.28
        17 16  12188.88 of 17, day +0.11, week +0.28, from 18: 12190.10
        18 00  12190.10 of 18, day +0.01, week +0.15
        18 16  12190.10 of 18, day +0.01, week +0.15, from 21: 12201.00
    """,
    "nbt": """
         7 00  9.3371 of 7, day -0.08, week -
         7 08  9.3288 of 7, day -0.09, week -
         8 00  9.3288 of 8, day -0.09, week -
         8 08  9.3300 of 8, day +0.01, week -
         9 00  9.3300 of 9, day +0.01, week -
         9 08  9.3310 of 9, day +0.01, week -
        10 00  9.3310 of 10, day +0.01, week -0.15
        10 08  9.3250 of 10, day -0.06, week -0.21
        11 00  9.3250 of 11, day -0.06, week -0.13
        11 08  9.3200 of 11, day -0.05, week -0.18
        12 00  9.3200 of 12, day -0.05, week -0.18
        13 00  9.3200 of 13, day -0.05, week -0.18
        14 00  9.3200 of 14, day -0.05, week -0.09
        14 08  9.3150 of 14, day -0.05, week -0.15
        15 00  9.3150 of 15, day -0.05, week -0.16
        15 08  9.3160 of 15, day +0.01, week -0.15
        16 00  9.3160 of 16, day +0.01, week -0.16
        16 08  9.3100 of 16, day -0.06, week -0.23
        17 00  9.3100 of 17, day -0.06, week -0.16
        17 08  9.3100 of 17, day 0.00, week -0.16
        18 00  9.3100 of 18, day 0.00, week -0.11
        18 08  9.3055 of 18, day -0.05, week -0.16
        19 00  9.3055 of 19, day -0.05, week -0.16
        20 00  9.3055 of 20, day -0.05, week -0.16
    """,
}
"""The board from that day and hour on, on the bank's own clocks, until the next line."""

HEARD: Final = """
     7 03  1 USD = 9.3288 TJS from 7 Dec, -0.09%
     7 10  1 USD = 87.4500 KGS from 8 Dec, 0.00%
     7 11  1 USD = 12,160.00 UZS from 9 Dec, +0.08%
     7 11  1 USD = 470.00 KZT from 8 Dec, -0.49%
     8 03  1 USD = 9.3300 TJS from 8 Dec, +0.01%
     8 10  1 USD = 87.4600 KGS from 9 Dec, +0.01%
     8 11  1 USD = 471.20 KZT from 9 Dec, +0.26%
     9 03  1 USD = 9.3310 TJS from 9 Dec, +0.01%
     9 10  1 USD = 87.4500 KGS from 10 Dec, -0.01%
     9 11  1 USD = 469.40 KZT from 10 Dec, -0.38%
     9 12  Corrected by the bank: 1 USD = 469.90 KZT from 10 Dec. It was 469.40.
    10 03  1 USD = 9.3250 TJS from 10 Dec, -0.06%
    10 10  1 USD = 87.4300 KGS from 11 Dec, -0.02%
    10 11  1 USD = 12,155.00 UZS from 10 Dec, -0.04%
    10 11  1 USD = 468.75 KZT from 11 Dec, -0.24%
    10 12  1 USD = 12,171.30 UZS from 11 Dec, +0.13%
    11 03  1 USD = 9.3200 TJS from 11 Dec, -0.05%
    11 10  1 USD = 87.4000 KGS from 12 Dec, -0.03%
    11 11  1 USD = 12,180.00 UZS from 14 Dec, +0.07%
    11 11  1 USD = 470.10 KZT from 14 Dec, +0.29%
    14 03  1 USD = 9.3150 TJS from 14 Dec, -0.05%
    14 11  1 USD = 12,169.50 UZS from 15 Dec, -0.09%
    14 11  1 USD = 470.10 KZT from 15 Dec, 0.00%
    15 03  1 USD = 97.9440 KGS from 15 Dec, +12.06%
    15 03  1 USD = 9.3160 TJS from 15 Dec, +0.01%
    15 10  1 USD = 97.9440 KGS from 16 Dec, 0.00%
    15 11  1 USD = 12,175.00 UZS from 16 Dec, +0.05%
    15 11  1 USD = 473.05 KZT from 17 Dec, +0.63%
    16 03  1 USD = 9.3100 TJS from 16 Dec, -0.06%
    16 10  1 USD = 98.1000 KGS from 17 Dec, +0.16%
    16 11  1 USD = 12,188.88 UZS from 17 Dec, +0.11%
    17 03  1 USD = 9.3100 TJS from 17 Dec, 0.00%
    17 10  1 USD = 98.0500 KGS from 18 Dec, -0.05%
    17 11  1 USD = 12,190.10 UZS from 18 Dec, +0.01%
    17 11  1 USD = 472.00 KZT from 18 Dec, -0.22%
    18 03  1 USD = 9.3055 TJS from 18 Dec, -0.05%
    18 10  1 USD = 98.2000 KGS from 19 Dec, +0.15%
    18 11  1 USD = 12,201.00 UZS from 21 Dec, +0.09%
    18 11  1 USD = 474.44 KZT from 21 Dec, +0.52%
"""
"""What is pushed, by the day and hour in UTC."""
