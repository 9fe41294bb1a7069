"""What people type after a command, read. Nothing is looked up; what cannot be read is a Refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final

import regex
from babel import Locale

from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_, languages
from bot.models import Content, NewsQuery, Schedule, ScheduleKind
from bot.places import country

MOST_WORDS: Final = 12
AT: Final = time(9, 0)
"""When a digest comes if nobody says."""

EXAMPLES: Final = {
    "country": "country:kz",
    "source": "source:timesca",
    "since": "since:2d",
    "opinion": "opinion:no",
    "before": "before:120",
}
NEWS_KEYS: Final = ("country", "source", "since", "opinion", "before")
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
YES_WORDS: Final = frozenset({"yes", "only", "да"})
NO_WORDS: Final = frozenset({"no", "нет"})

_QUOTES: Final = "\"'«»“”„‘’,;"
_KEY: Final = regex.compile(r"(\p{L}+):(.*)")
_SPAN: Final = regex.compile(r"(\d{1,4})([hdw])")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_HALF_DAY: Final = regex.compile(r"(\d) (am|pm)\b")
_CLOCK: Final = regex.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm)?")
_WRITTEN_CLOCK: Final = regex.compile(r"\d{1,2}:\d{2}(?:am|pm)?")
_LIKE_CLOCK: Final = regex.compile(r"\d+(?:[:.h]\d*)*(?:am|pm)?")


@dataclass(frozen=True, slots=True)
class _Said:
    """Plain words in order, and the values of each key."""

    words: tuple[str, ...]
    values: dict[str, list[str]]

    def last(self, key: str) -> str | None:
        return self.values[key][-1] if key in self.values else None


def news_query(text: str, now: datetime) -> NewsQuery:
    """What /latest is asked: words, country:kz, source:timesca, since:2d, opinion:no, before:ID.

    now: on the reader's clocks; a date in since: begins at its zone's midnight.
    """
    said = _read(one_line(text).split(), NEWS_KEYS)
    return NewsQuery(
        words=said.words,
        countries=tuple(country(value) for value in said.values.get("country", ())),
        sources=tuple(value.casefold() for value in said.values.get("source", ())),
        since=_since(said.last("since"), now),
        opinion=_opinion(said.last("opinion")),
        before=_before(said.last("before")),
    )


def without_before(text: str) -> str:
    """The same query from its first page."""
    return " ".join(part for part in one_line(text).split() if not part.casefold().startswith("before:"))


def order(text: str) -> tuple[Schedule, Content]:
    """What /subscribe is asked: when (daily at 09:00 if unsaid), then words, country:kz, rates, news.

    Words or countries narrow it to that news; "rates" adds the rates, alone it is only the rates.
    """
    typed = _HALF_DAY.sub(r"\1\2", one_line(text).casefold()).split()
    schedule, rest = _schedule(typed)
    said = _read(rest, ORDER_KEYS)
    rates = not RATES_WORDS.isdisjoint(said.words)
    words = tuple(dict.fromkeys(word for word in said.words if word not in RATES_WORDS | NEWS_WORDS))
    countries = tuple(dict.fromkeys(country(value) for value in said.values.get("country", ())))
    narrowed = bool(words or countries) or not NEWS_WORDS.isdisjoint(said.words)
    return schedule, Content(words, countries, news=narrowed or not rates, rates=rates or not narrowed)


def same_content(one: Content, other: Content) -> bool:
    """Whether two orders ask for the same, in whatever order it was said."""
    return _identity(one) == _identity(other)


def _identity(content: Content) -> tuple[frozenset[str], frozenset[str], bool, bool]:
    return frozenset(content.words), frozenset(content.countries), content.news, content.rates


def _read(parts: Sequence[str], keys: Sequence[str]) -> _Said:
    words: list[str] = []
    values: dict[str, list[str]] = {}
    for part in parts:
        match = _KEY.fullmatch(part.strip(_QUOTES))
        key = match[1].casefold() if match else ""
        if match and (match[2] or key in keys):
            values.setdefault(key, []).extend(_values(key, match[2], keys))
        elif word := part.strip(_QUOTES + ":"):
            words.append(word)
    said = tuple(word for word in words if regex.search(r"[\p{L}\p{N}]", word))
    if words and not said:
        raise Refusal(N_("I find no word in {text}."), N_("Use letters or figures."), text=shown(" ".join(words)))
    if len(said) > MOST_WORDS:
        raise Refusal(N_("That is more than {most} words."), N_("A few telling ones find more."), most=MOST_WORDS)
    return _Said(said, values)


def _values(key: str, value: str, keys: Sequence[str]) -> list[str]:
    if key not in keys:
        raise Refusal(
            N_("I cannot choose news by {key}."),
            N_("What I understand here: {examples}."),
            key=shown(key),
            examples=" ".join(EXAMPLES[known] for known in keys if known != "before"),
        )
    values = [part for part in value.split(",") if part]
    if not values:
        raise Refusal(N_("{key}: needs something after it."), N_("Such as {example}."), key=key, example=EXAMPLES[key])
    return values


def _since(value: str | None, now: datetime) -> datetime | None:
    if value is None:
        return None
    match = _SPAN.fullmatch(value.casefold())
    try:
        if match:
            return (now - int(match[1]) * _UNITS[match[2]]).astimezone(UTC)
        return datetime.combine(date.fromisoformat(value), time(0), now.tzinfo).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(
            N_("I cannot read since:{value}."), N_("Say since:12h, since:2d or since:2026-11-20."), value=shown(value)
        ) from None


def _opinion(value: str | None) -> bool | None:
    if value is None:
        return None
    if value.casefold() in YES_WORDS | NO_WORDS:
        return value.casefold() in YES_WORDS
    raise Refusal(
        N_("I cannot read opinion:{value}."),
        N_("opinion:no leaves opinion out, opinion:only shows nothing else."),
        value=shown(value),
    )


def _before(value: str | None) -> int | None:
    if value is None:
        return None
    if regex.fullmatch(r"[0-9]{1,18}", value):
        return int(value)
    raise Refusal(N_("before: takes the number of an article."), N_("The Next button writes it for you."))


def _schedule(typed: Sequence[str]) -> tuple[Schedule, Sequence[str]]:
    kind: ScheduleKind | None = None
    weekday: int | None = None
    at: time | None = None
    rest = list(typed)
    while rest:
        word = rest[0].strip(_QUOTES)
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
        word = part.strip(_QUOTES)
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
