"""Standing orders as people type them, read. Nothing is looked up; what cannot be read is a Refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time
from functools import cache
from typing import Final

import regex
from babel import Locale

from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_, languages
from bot.models import Content, Schedule, ScheduleKind
from bot.places import country
from bot.query import QUOTES, parts_of, read_parts

AT: Final = time(9, 0)
"""When a digest comes if nobody says."""

ORDER_KEYS: Final = ("country",)

KINDS: Final[dict[str, ScheduleKind]] = {
    "daily": "daily",
    "ежедневно": "daily",
    "weekdays": "weekdays",
    "будни": "weekdays",
    "будням": "weekdays",
    "weekly": "weekly",
    "еженедельно": "weekly",
    "instant": "instant",
    "сразу": "instant",
}
FILLERS: Final = frozenset({"at", "on", "в", "во", "по", "на"})
RATES_WORDS: Final = frozenset({"rates", "курсы"})
NEWS_WORDS: Final = frozenset({"news", "новости"})

_HALF_DAY: Final = regex.compile(r"(\d) (am|pm)\b")
_CLOCK: Final = regex.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm)?")
_WRITTEN_CLOCK: Final = regex.compile(r"\d{1,2}:\d{2}(?:am|pm)?")
_LIKE_CLOCK: Final = regex.compile(r"\d+(?:[:.h]\d*)*(?:am|pm)?")


def order(text: str) -> tuple[Schedule, Content]:
    """What /subscribe is asked: when (daily at 09:00 if unsaid), then words, "a phrase", -without, country:kz, rates.

    Words or countries narrow it to that news; "rates" adds the rates, alone it is only the rates.
    """
    typed = parts_of(_HALF_DAY.sub(r"\1\2", one_line(text).casefold()))
    schedule, rest = _schedule(typed)
    said = read_parts(rest, ORDER_KEYS)
    rates = not RATES_WORDS.isdisjoint(said.words)
    words = tuple(dict.fromkeys(word for word in said.words if word not in RATES_WORDS | NEWS_WORDS))
    countries = tuple(dict.fromkeys(country(value) for value in said.values.get("country", ())))
    narrowed = bool(words or countries or said.excluded) or not NEWS_WORDS.isdisjoint(said.words)
    content = Content(words, countries, news=narrowed or not rates, rates=rates or not narrowed)
    return schedule, replace(content, excluded=tuple(dict.fromkeys(said.excluded)))


def same_content(one: Content, other: Content) -> bool:
    """Whether two orders ask for the same, in whatever order it was said."""
    return _identity(one) == _identity(other)


def _identity(content: Content) -> tuple[object, ...]:
    chosen = (content.words, content.excluded, content.countries)
    return *map(frozenset, chosen), content.news, content.rates


def _schedule(typed: Sequence[str]) -> tuple[Schedule, Sequence[str]]:
    kind: ScheduleKind | None = None
    weekday: int | None = None
    at: time | None = None
    rest = list(typed)
    while rest:
        word = rest[0].strip(QUOTES)
        if kind is None and word in KINDS:
            kind = KINDS[word]
        elif weekday is None and word in _weekdays():
            weekday = _weekdays()[word]
        elif at is None and _LIKE_CLOCK.fullmatch(word):
            at = _time(word)
        elif word not in FILLERS:
            break
        rest.pop(0)
    at, rest = _time_behind(rest, at)
    return _agreed(kind, weekday, at), rest


def _time_behind(rest: Sequence[str], at: time | None) -> tuple[time | None, list[str]]:
    """A time written after the words ("summit at 18:00") is meant as one: it is no word to look for."""
    left: list[str] = []
    for part in rest:
        word = part.strip(QUOTES)
        if not _WRITTEN_CLOCK.fullmatch(word):
            left.append(part)
            continue
        if at is not None:
            raise Refusal(
                N_("One subscription has one time, and {text} is another."),
                N_("Say just one, such as /subscribe daily 09:00."),
                text=word,
            )
        at = _time(word)
        if left and left[-1] in FILLERS:
            left.pop()
    return at, left


def _agreed(kind: ScheduleKind | None, weekday: int | None, at: time | None) -> Schedule:
    if weekday is not None and kind not in (None, "weekly"):
        raise Refusal(N_("A day of the week goes with weekly."), N_("Say /subscribe weekly mon 09:00."))
    if kind == "instant" and at is not None:
        raise Refusal(
            N_("Instant news has no time of day: it comes as it happens."),
            N_("Say /subscribe instant, or /subscribe daily 09:00."),
        )
    default: ScheduleKind = "daily" if weekday is None else "weekly"
    return Schedule(kind or default, at or AT, weekday or 0)


def _time(text: str) -> time:
    match = _CLOCK.fullmatch(text)
    if match:
        hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
        if half and 1 <= hour <= 12:
            hour, half = hour % 12 + (12 if half == "pm" else 0), None
        if hour < 24 and minute < 60 and not half:
            return time(hour, minute)
    raise Refusal(
        N_("{text} is not a time of day."),
        N_("Say it from 00:00 to 23:59, such as /subscribe daily 09:00."),
        text=shown(text),
    )


@cache
def _weekdays() -> dict[str, int]:
    """Names of the days and their short forms, in every language we speak; 0 is Monday."""
    forms = (Locale.parse(code).days["format"][width] for code in languages() for width in ("wide", "abbreviated"))
    return {name.casefold(): number for form in forms for number, name in form.items()}
