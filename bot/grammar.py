"""What people type after a command, read. Nothing is looked up; what cannot be read is a Refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import regex

from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_
from bot.models import NewsQuery
from bot.places import country

MOST_WORDS: Final = 12

EXAMPLES: Final = {
    "country": "country:kz",
    "source": "source:timesca",
    "since": "since:2d",
    "opinion": "opinion:no",
    "before": "before:120",
    "topic": "topic:water",
    "empty": "empty:no",
}
NEWS_KEYS: Final = ("country", "source", "since", "opinion", "before")
YES_WORDS: Final = frozenset({"yes", "only", "да"})
NO_WORDS: Final = frozenset({"no", "нет"})

_QUOTES: Final = "\"'«»“”„‘’,;"
_KEY: Final = regex.compile(r"(\p{L}+):(.*)")
_SPAN: Final = regex.compile(r"(\d{1,4})([hdw])")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


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
