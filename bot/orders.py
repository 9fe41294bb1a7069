"""Standing orders as people type them, read; and written the way they are typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import time
from functools import cache
from typing import Final

import regex
from babel import Locale

from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_, is_beta, languages
from bot.models import Content, Schedule, ScheduleKind
from bot.places import country
from bot.query import NO_WORDS, QUOTES, YES_WORDS, parts_of, read_opinion, read_parts
from bot.topics import topic

AT: Final = time(9, 0)
"""When a digest comes if nobody says."""
ORDER_KEYS: Final = ("country", "source", "topic", "opinion", "empty")

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
DAY_CODES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HALF_DAY: Final = regex.compile(r"(\d) (am|pm)\b")
_CLOCK: Final = regex.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm)?")
_WRITTEN_CLOCK: Final = regex.compile(r"\d{1,2}:\d{2}(?:am|pm)?")
_LIKE_CLOCK: Final = regex.compile(r"\d+(?:[:.h]\d*)*(?:am|pm)?")


def order(text: str) -> tuple[Schedule, Content]:
    """What /subscribe is asked: when (daily at 09:00 if unsaid), then what, as /latest takes it, rates, news.

    What narrows the news leaves the rates out unless "rates" is said; that word alone is only the rates.
    """
    schedule, rest = _schedule(parts_of(_HALF_DAY.sub(r"\1\2", one_line(text).casefold())))
    said = read_parts(rest, ORDER_KEYS)
    rates = not RATES_WORDS.isdisjoint(said.words)
    words = _once(word for word in said.words if word not in RATES_WORDS | NEWS_WORDS)
    content = Content(
        words=words,
        countries=_once(country(value) for value in said.values.get("country", ())),
        excluded=_once(said.excluded),
        sources=_once(value.casefold() for value in said.values.get("source", ())),
        topics=_once(topic(value) for value in said.values.get("topic", ())),
        opinion=read_opinion(said.last("opinion")),
        empty=_empty(said.last("empty")),
    )
    narrowed = _is_narrow(content) or not NEWS_WORDS.isdisjoint(said.words)
    return schedule, replace(content, news=narrowed or not rates, rates=rates or not narrowed)


def query_text(content: Content) -> str:
    """The news of a subscription, as /latest takes it."""
    keys = [f"{key}:{','.join(values)}" for key, values in _keyed(content) if values]
    wanted, excluded = (
        [f'"{word}"' if " " in word else word for word in words] for words in (content.words, content.excluded)
    )
    return " ".join([*wanted, *(f"-{word}" for word in excluded), *keys])


def order_text(schedule: Schedule, content: Content) -> str:
    """An order as /subscribe takes it: the inverse of order()."""
    when: list[str] = [schedule.kind]
    if schedule.kind == "weekly":
        when.append(DAY_CODES[schedule.weekday])
    if schedule.kind != "instant":
        when.append(f"{schedule.at:%H:%M}")
    query = query_text(content)
    what = [query]
    if content.rates and (_is_narrow(content) or not content.news):
        what.append("rates")
    if content.news and not content.rates and not _is_narrow(content):
        what.append("news")
    if not content.empty:
        what.append("empty:no")
    return " ".join(filter(None, [*when, *what]))


def same_content(one: Content, other: Content) -> bool:
    """Whether two orders ask for the same, in whatever order it was said."""
    return _identity(one) == _identity(other)


def _is_narrow(content: Content) -> bool:
    """Whether it asks for certain news; leaving some out is less than that."""
    return bool(content.words or content.countries or content.sources or content.topics)


def _identity(content: Content) -> tuple[object, ...]:
    lists = (content.words, content.excluded, content.countries, content.sources, content.topics)
    return *map(frozenset, lists), content.opinion, content.news, content.rates


def _keyed(content: Content) -> tuple[tuple[str, Sequence[str]], ...]:
    opinion = () if content.opinion is None else ("only",) if content.opinion else ("no",)
    return (
        ("country", [code.lower() for code in content.countries]),
        ("source", content.sources),
        ("topic", content.topics),
        ("opinion", opinion),
    )


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _empty(value: str | None) -> bool:
    if value is None or value.casefold() in YES_WORDS:
        return True
    if value.casefold() in NO_WORDS:
        return False
    raise Refusal(
        N_("I cannot read empty:{value}."),
        N_("empty:no leaves out a digest that has nothing new, empty:yes sends it all the same."),
        value=shown(value),
    )


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
    """Names of the days in every language we speak, in those that are complete their short forms, too (the Uzbek
    Thursday is "Pay"); 0 is Monday."""
    widths = {code: ("wide",) if is_beta(code) else ("wide", "abbreviated") for code in languages()}
    forms = (Locale.parse(code).days["format"][width] for code in languages() for width in widths[code])
    return {name.casefold(): number for form in forms for number, name in form.items()}
