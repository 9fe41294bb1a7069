"""Pairs as alerts see them, and alerts, made of a few words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from bot.models import Address, Alert, AlertWay, Quote, Sight

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
HERE = Address("telegram", "42")


def sight(*figures: str, tick: str = "0.01", source: str = "nbk", last: date = TODAY) -> Sight:
    """USD/KZT, one figure a day, the newest of `last`; "-" for a day of which nothing is stored."""
    first = last - timedelta(days=len(figures) - 1)
    days = tuple((first + timedelta(days=n), Decimal(f)) for n, f in enumerate(figures) if f != "-")
    quote = Quote("USD", "KZT", source, "official", days[-1][1], days[-1][0], issuers=("nbk",))
    return Sight(quote, days, Decimal(tick), last)


def alert(way: AlertWay, level: str, **changes: object) -> Alert:
    fields = {"days": 1 if way == "move" else 0, "standing": way == "move", "base": "USD", "quote": "KZT"}
    known = {"id": 3, "address": HERE, "way": way, "level": Decimal(level), "created_at": NOW - timedelta(days=9)}
    return Alert(**(known | fields | changes))  # type: ignore[arg-type]
