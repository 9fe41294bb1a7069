"""Alerts: what a chat wants to be told of a pair, and the figures that decides it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from bot.models.people import Address
from bot.models.rates import Quote

AlertWay = Literal["above", "below", "move"]
AlertState = Literal["active", "fired", "ended"]


@dataclass(frozen=True, slots=True)
class Alert:
    """An order to tell when a pair crosses a line or moves far.

    way, level: above or below so many quote units per 1 base unit, or a move of so many percent in `days` days
    standing: it goes on after it fired; expires_at: when it ends by itself
    state: "fired" when it was meant for once and has fired, "ended" when somebody ended it
    armed: a line is told of only if the figure has been well on the other side since
    paused_at, paused_until: as those of a Subscription: its chat is paused
    told_on, told_rate, told_source: the fixing told last, by its effective date; fired_at: when
    """

    id: int
    address: Address
    base: str
    quote: str
    way: AlertWay
    level: Decimal
    created_at: datetime
    days: int = 0
    standing: bool = False
    created_by: str = ""
    expires_at: datetime | None = None
    snoozed_until: datetime | None = None
    state: AlertState = "active"
    armed: bool = True
    told_on: date | None = None
    told_rate: Decimal | None = None
    told_source: str = ""
    fired_at: datetime | None = None
    paused_at: datetime | None = None
    paused_until: datetime | None = None

    def watches(self, now: datetime) -> bool:
        """Whether it is neither over nor expired."""
        return self.state == "active" and not (self.expires_at and self.expires_at <= now)

    def is_paused(self, now: datetime) -> bool:
        return self.paused_at is not None and (self.paused_until is None or now < self.paused_until)


@dataclass(frozen=True, slots=True)
class Sight:
    """A pair as its newest fixing stands, an announced one included.

    quote: whose figures they are; days: (effective date, quote units per 1 base unit), oldest first, not empty
    tick: the smallest step its sources print, in quote units; today: the day it is at all its banks
    """

    quote: Quote
    days: tuple[tuple[date, Decimal], ...]
    tick: Decimal
    today: date

    @property
    def on(self) -> date:
        return self.days[-1][0]

    @property
    def rate(self) -> Decimal:
        return self.days[-1][1]

    def before(self, day: date) -> tuple[date, Decimal] | None:
        """The figure in force on a day, with its date; None where none is stored."""
        return next((known for known in reversed(self.days) if known[0] <= day), None)
