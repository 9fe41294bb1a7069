"""Dates, times, ages and numbers as a reader of this language and zone writes them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Self, TypeVar
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_decimal

from bot.locales import Tongue
from bot.message import Heading, Instant, Paragraph

Telling = TypeVar("Telling", Heading, Paragraph)


class Moment(str):
    """An instant in words."""

    at: datetime

    @classmethod
    def of(cls, at: datetime, words: str) -> Self:
        told = cls(words)
        told.at = at
        return told


def dated(block: Telling, *moments: Moment | None) -> Telling:
    """The block that tells these, in this order, each marked: a chat may show it on a reader's own clocks."""
    found, done = [], 0
    for told in moments:
        if told and (start := block.text.find(told, done)) >= 0:
            done = start + len(told)
            found.append(Instant(start, done, told.at.isoformat()))
    return replace(block, instants=tuple(found))


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


def moment(instant: datetime, zone: str, tongue: Tongue, *, today: date | None = None) -> Moment:
    """ "23 Nov, 09:40" on the clocks of the zone."""
    local = instant.astimezone(ZoneInfo(zone))
    return Moment.of(instant, f"{day(local.date(), tongue, today=today)}, {clock(local, tongue)}")


def coming(instant: datetime, zone: str, tongue: Tongue) -> Moment:
    """ "Tue 24 Nov, 09:00" on the clocks of the zone."""
    local = instant.astimezone(ZoneInfo(zone))
    return Moment.of(instant, format_datetime(local, "EEE d MMM, HH:mm", locale=tongue.locale))


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
