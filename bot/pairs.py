"""Pairs of currencies over time: which figure stood on which day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from bot.board import read_quote
from bot.models import RateKind, RateRoad
from bot.money import per_unit
from bot.ports import Store

LONGEST = 4000
"""Days of a history: eleven years."""


@dataclass(frozen=True, slots=True)
class RateHistory:
    """A pair's figures by effective date, oldest first: quote units per 1 base unit, each date once.

    source: the road's id; kind: "cross" where it goes through the dollar
    """

    base: str
    quote: str
    source: str
    kind: RateKind
    days: tuple[tuple[date, Decimal], ...]


async def read_history(
    store: Store, roads: Sequence[RateRoad], now: datetime, base: str, quote: str, since: date, until: date
) -> RateHistory:
    """The fixings in force from `since` to `until`, carried days included where the bank prints them."""
    shown = await read_quote(store, roads, now, base, quote)
    series = await store.series(shown.source, base, quote, until, LONGEST, since)
    days = tuple((row.effective_date, per_unit(row.printed)) for row in reversed(series))
    return RateHistory(base, quote, shown.source, shown.kind, days)
