"""Bank days and what they say: when a bank publishes next, and how many tables it has missed.

Holidays come from the `holidays` library. Those that follow the moon are its estimates, so they only
mark and warn; no figure depends on them. It takes 17 MB, so it is loaded when a day is in question.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import Final

from bot.models import RateRoad
from bot.sources import Bank, Window

GRACE: Final = timedelta(hours=3)
"""A table may come so much later than its window closes before it counts as missed."""
FRESH: Final = timedelta(days=4)
"""Where no window is known: a long weekend."""
LOOK_BACK: Final = 20
_DAY: Final = timedelta(days=1)


def is_bank_day(country: str, day: date) -> bool:
    """Whether the country's banks work; where no country is told, every day is one."""
    return not country or (day.weekday() < 5 and day not in _holidays(country, day.year))


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415

    return frozenset(holidays.country_holidays(country, years=year))


def next_bank_day(country: str, day: date) -> date:
    """The first bank day after this one."""
    day += _DAY
    while not is_bank_day(country, day):
        day += _DAY
    return day


def missed(bank: Bank, road: RateRoad, newest: date, now: datetime) -> int:
    """How many tables should be there by now that are dated later than the newest one; a peg owes none."""
    here = now.astimezone(bank.zone)
    today = here.date()
    reach = newest + timedelta(days=road.days - 1)
    if reach > today or not road.url:
        return 0
    if bank.window is None or road.days > 1:
        return int(today - reach > FRESH)
    first = max(reach - FRESH, today - LOOK_BACK * _DAY)
    days = [first + n * _DAY for n in range((today - first).days + 1)]
    return sum(_published(bank, bank.window, day, here) > reach for day in days)


def _published(bank: Bank, window: Window, day: date, here: datetime) -> date:
    """The earliest date of the table that must have been published on this day, date.min for none.

    Before a weekend one bank dates it Monday, another Saturday and prints it anew every day.
    """
    closed = datetime.combine(day, window.closes, here.tzinfo) + GRACE
    if here < closed or not is_bank_day(bank.country, day):
        return date.min
    return day + _DAY if window.ahead else day


def rest(bank: Bank, beat: float, now: datetime) -> float:
    """Seconds until a bank is worth asking again: its beat while it publishes, eight times that
    outside, but never past the next opening. A beat below 60 s knows no window."""
    window = bank.window
    if window is None or beat < 60:
        return beat
    here = now.astimezone(bank.zone)
    if window.opens <= here.time() <= window.closes and is_bank_day(bank.country, here.date()):
        return beat
    opening = datetime.combine(here.date(), window.opens, here.tzinfo)
    if opening <= here:
        opening += _DAY
    return min(8 * beat, max((opening - here).total_seconds(), beat))
