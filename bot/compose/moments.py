"""Dates, times, ages and numbers as a reader of this language and zone writes them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal

from bot.locales import Tongue


def day(when: date, tongue: Tongue, *, today: date | None = None) -> str:
    """ "23 Nov"; with the year where it is not today's."""
    pattern = "d MMM" if today is None or when.year == today.year else "d MMM y"
    return format_date(when, pattern, locale=tongue.locale)


def long_day(when: date, tongue: Tongue) -> str:
    """ "Monday, 23 November"."""
    return format_date(when, "EEEE, d MMMM", locale=tongue.locale)


def full_day(when: date, tongue: Tongue) -> str:
    """ "23 November 2026"."""
    return format_date(when, "d MMMM y", locale=tongue.locale)


def bibliographic_day(when: date, tongue: Tongue) -> str:
    """ "2026, November 23"."""
    return format_date(when, "y, MMMM d" if tongue.code == "en" else "y, d MMMM", locale=tongue.locale)


def moment(instant: datetime, zone: str, tongue: Tongue, *, today: date | None = None) -> str:
    """ "23 Nov, 09:40" on the clocks of the zone."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{day(local.date(), tongue, today=today)}, {clock(local, tongue)}"


def coming(instant: datetime, zone: str, tongue: Tongue) -> str:
    """ "Tue 24 Nov, 09:00" on the clocks of the zone."""
    return format_datetime(instant.astimezone(ZoneInfo(zone)), "EEE d MMM, HH:mm", locale=tongue.locale)


def clock(local: datetime, tongue: Tongue) -> str:
    """ "09:40", of an instant already on local clocks."""
    return format_datetime(local, "HH:mm", locale=tongue.locale)


def age(since: timedelta, tongue: Tongue) -> str:
    """ "5 minutes ago"."""
    return format_timedelta(-max(since, timedelta(seconds=1)), add_direction=True, threshold=1, locale=tongue.locale)


def span(length: timedelta, tongue: Tongue) -> str:
    """ "5 minutes"."""
    return format_timedelta(max(length, timedelta(seconds=1)), threshold=1, locale=tongue.locale)


def number(figure: int, tongue: Tongue) -> str:
    """ "1,000"."""
    return format_decimal(figure, locale=tongue.locale)
