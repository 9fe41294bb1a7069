"""Fixings of real shape in a store: what each bank printed from Thursday 19 to Monday 23 November 2026, and for 24."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bot.adding import Found
from bot.models import Catalogue, Feed, Fixing, PollState, RateRoad, RateTable
from bot.store import Store
from handlers.menu.desk import Desk

NOON = datetime(2026, 11, 23, 7, tzinfo=UTC)
THU, FRI, SAT, SUN, MON, TUE = (date(2026, 11, day) for day in range(19, 25))
ISSUES = {"nbk": "KZT", "nbkr": "KGS", "cbu": "UZS", "nbt": "TJS", "cbr": "RUB"}
ROADS = (*(RateRoad(bank, bank, f"https://{bank}.example/") for bank in ISSUES), RateRoad("cbt", "cbt", ""))

WEEK = {
    "nbk": {
        THU: "USD 478.77 EUR 549.77 RUB 5.61 KGS 5.47 UZS 3.94/100 TJS 51.27 CNY 66.20",
        FRI: "USD 475.09 EUR 548.06 RUB 5.6 KGS 5.43 UZS 3.91/100 TJS 50.93 CNY 66",
        SAT: "USD 475.09 EUR 548.06 RUB 5.6 KGS 5.43 UZS 3.91/100 TJS 50.93 CNY 66",
        SUN: "USD 475.09 EUR 548.06 RUB 5.6 KGS 5.43 UZS 3.91/100 TJS 50.93 CNY 66",
        MON: "USD 472.31 EUR 547.22 RUB 5.59 KGS 5.4 UZS 3.89/100 TJS 50.62 CNY 65.89",
        TUE: "USD 470.00 EUR 546.10 RUB 5.58 KGS 5.37 UZS 3.87/100 TJS 50.40 CNY 65.80",
    },
    "nbkr": {
        THU: "USD 87.4500 EUR 101.3110 RUB 1.0790 KZT 0.1827 UZS 0.0073",
        FRI: "USD 87.4500 EUR 101.2890 RUB 1.0780 KZT 0.1841 UZS 0.0073",
        MON: "USD 87.4500 EUR 101.3500 RUB 1.0801 KZT 0.1852 UZS 0.0073",
    },
    "cbu": {
        THU: "USD 12194.21 EUR 14010.10 RUB 150.10 KGS 139.44 KZT 25.47 TMT 4037.68",
        FRI: "USD 12142.10 EUR 13998.00 RUB 149.90 KGS 138.84 KZT 25.56 TMT 3469.17",
        MON: "USD 12149.84 EUR 14003.00 RUB 149.85 KGS 138.93 KZT 25.72 TMT 3471.00",
        TUE: "USD 12160.00 EUR 14020.00 RUB 149.95 KGS 139.05 KZT 25.87 TMT 3474.00",
    },
    "nbt": {
        FRI: "USD 9.3371 EUR 10.8812 RUB 0.1150 KZT 0.1965/10 KGS 1.0677/10",
        SAT: "USD 9.3371 EUR 10.8812 RUB 0.1150 KZT 0.1965/10 KGS 1.0677/10",
        SUN: "USD 9.3371 EUR 10.8812 RUB 0.1150 KZT 0.1965/10 KGS 1.0677/10",
        MON: "USD 9.3288 EUR 10.8799 RUB 0.1149 KZT 0.1975/10 KGS 1.0668/10",
    },
    "cbr": {
        THU: "USD 81.2000 EUR 93.5000 KZT 16.9600/100 KGS 92.8500/100 UZS 66.5900/10000 CNY 11.4000",
        FRI: "USD 81.0600 EUR 93.4000 KZT 17.0620/100 KGS 92.6930/100 UZS 66.7594/10000 CNY 11.3900",
        SAT: "USD 81.1100 EUR 93.6000 KZT 17.0725/100 KGS 92.7501/100 UZS 66.8006/10000 CNY 11.3950",
        TUE: "USD 81.3000 EUR 93.9000 KZT 17.2979/100 KGS 92.9674/100 UZS 66.8586/10000 CNY 11.4100",
    },
}


def printed(source: str, on: date, rows: str, quote: str = "") -> RateTable:
    """A table of "CODE value CODE value/nominal" pairs."""
    words = rows.split()
    fixings = (
        Fixing(code, value.partition("/")[0], int(value.partition("/")[2] or 1))
        for code, value in zip(words[::2], words[1::2], strict=True)
    )
    return RateTable(source, quote or ISSUES[source], on, tuple(fixings))


async def keep(store: Store, *tables: RateTable) -> None:
    for table in tables:
        await store.keep_tables(PollState(table.source), [table], [], NOON)


async def keep_week(store: Store) -> None:
    await keep(store, *(printed(bank, on, rows) for bank, days in WEEK.items() for on, rows in days.items()))


async def the_lake(_: str) -> list[Found]:
    """The feed that stands behind every address."""
    return [Found(Feed("lake-1", "Lake", "https://lake.example/feed/", "en", added=True), 4, "It rises")]


def desk_of(store: Store, now: datetime = NOON) -> Desk:
    return Desk(
        store=store,
        clock=lambda: now,
        catalogue=Catalogue((), ROADS),
        zone="Asia/Almaty",
        language="en",
        catch_up=timedelta(hours=6),
        version="0",
        find_feed=the_lake,
    )
