"""What people ask of the news, read. Nothing is looked up; what cannot be read is a Refusal."""

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
from bot.topics import topic
from bot.wanted import MOST_TERMS, SHORTEST_BEGINNING

EXAMPLES: Final = {
    "country": "country:kz",
    "topic": "topic:water",
    "source": "source:timesca",
    "since": "since:2d",
    "until": "until:2026-11-20",
    "opinion": "opinion:no",
    "before": "before:120",
    "sort": "sort:best",
    "empty": "empty:no",
}
NEWS_KEYS: Final = ("country", "topic", "source", "since", "until", "opinion", "sort", "before")

YES_WORDS: Final = frozenset({"yes", "only", "да"})
NO_WORDS: Final = frozenset({"no", "нет"})

QUOTES: Final = "\"'«»“”„‘’,;"

_PART: Final = regex.compile(r"""(-?(?:\p{L}++:)?)[\"«“„]([^\"«»“”„]*)[\"»”“]|\S+""")
"""A word, or something in quotes, perhaps after a minus or a key."""
_KEY: Final = regex.compile(r"(\p{L}+):(.*)")
_SPAN: Final = regex.compile(r"(\d{1,4})([hdw])")
_AFTER: Final = regex.compile(r"\bafter:([0-9]{1,18})\b", regex.IGNORECASE)
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Said:
    """Plain words and phrases in order, those to leave out, and the values of each key."""

    words: tuple[str, ...]
    excluded: tuple[str, ...]
    values: dict[str, list[str]]

    def last(self, key: str) -> str | None:
        return self.values[key][-1] if key in self.values else None


def news_query(text: str, now: datetime) -> NewsQuery:
    """What /latest is asked: words, "a phrase", -without, country:kz, topic:water, source:timesca, since:2d,
    until:DATE, opinion:no, sort:best, before:ID.

    now: on the reader's clocks; a date in since: begins at its zone's midnight, one in until: ends at it.
    """
    said = read_parts(parts_of(text), NEWS_KEYS)
    return NewsQuery(
        words=said.words,
        countries=tuple(country(value) for value in said.values.get("country", ())),
        topics=tuple(topic(value) for value in said.values.get("topic", ())),
        sources=tuple(value.casefold() for value in said.values.get("source", ())),
        excluded=said.excluded,
        since=_instant("since", said.last("since"), now),
        until=_instant("until", said.last("until"), now),
        opinion=read_opinion(said.last("opinion")),
        best=_best(said.last("sort")),
        before=_before(said.last("before")),
    )


def without(text: str, *keys: str) -> str:
    """The same query without these keys, such as "before" for its first page."""
    dropped = tuple(f"{key}:" for key in keys)
    return " ".join(part for part in parts_of(text) if not part.casefold().startswith(dropped))


def turned(text: str) -> tuple[str, int]:
    """("id:57", 12) of "after:12 id:57": what is asked of a list, and behind which of it the page begins."""
    found = _AFTER.search(text)
    return " ".join(_AFTER.sub(" ", text).split()), int(found[1]) if found else 0


def parts_of(text: str) -> list[str]:
    """What was typed, word by word; what stands in quotes is one, in plain quotes."""
    found = _PART.finditer(one_line(text))
    return [part[0] if part[2] is None else f'{part[1]}"{part[2].strip()}"' for part in found]


def read_parts(parts: Sequence[str], keys: Sequence[str]) -> Said:
    """Words, phrases and keys told apart. keys: those that mean something here. Raises Refusal."""
    words: list[str] = []
    excluded: list[str] = []
    values: dict[str, list[str]] = {}
    for part in parts:
        match = _KEY.fullmatch(part.strip(QUOTES))
        key = match[1].casefold() if match else ""
        if match and (match[2] or key in keys):
            values.setdefault(key, []).extend(_values(key, match[2].strip(QUOTES), keys))
        elif part.startswith("-") and _KEY.fullmatch(part.strip("-")):
            raise Refusal(
                N_("A minus leaves out words, and {text} is none."), N_("Such as -football."), text=shown(part)
            )
        elif (word := part.lstrip("-").strip(QUOTES + ":")) and _telling(word):
            (excluded if part.startswith("-") else words).append(word)
    _check(parts, words, excluded, values)
    return Said(tuple(words), tuple(excluded), values)


def _check(parts: Sequence[str], words: list[str], excluded: list[str], values: dict[str, list[str]]) -> None:
    if parts and not (words or excluded or values):
        raise Refusal(N_("I find no word in {text}."), N_("Use letters or figures."), text=shown(" ".join(parts)))
    if sum(len(word.split()) for word in (*words, *excluded)) > MOST_TERMS:
        raise Refusal(N_("That is more than {most} words."), N_("A few telling ones find more."), most=MOST_TERMS)
    for word in (*words, *excluded):
        if word.endswith("*") and len(regex.findall(r"\p{L}|\p{N}", word.split()[-1])) < SHORTEST_BEGINNING:
            raise Refusal(
                N_("{word} is the beginning of too many words."),
                N_("Give at least three letters before the star, such as uran*."),
                word=shown(word),
            )


def _telling(word: str) -> bool:
    return regex.search(r"[\p{L}\p{N}\p{Sc}]", word) is not None


def _values(key: str, value: str, keys: Sequence[str]) -> list[str]:
    if key not in keys:
        raise Refusal(
            N_("I cannot choose news by {key}."),
            N_("What I understand here: {examples}."),
            key=shown(key),
            examples=" ".join(EXAMPLES[known] for known in keys if known not in ("before", "sort")),
        )
    values = [part for part in value.split(",") if part]
    if not values:
        raise Refusal(N_("{key}: needs something after it."), N_("Such as {example}."), key=key, example=EXAMPLES[key])
    return values


def _instant(key: str, value: str | None, now: datetime) -> datetime | None:
    """since: a day or a span ago. until: the end of a day, or a span ago."""
    if value is None:
        return None
    match = _SPAN.fullmatch(value.casefold())
    try:
        if match:
            return (now - int(match[1]) * _UNITS[match[2]]).astimezone(UTC)
        day = date.fromisoformat(value) + timedelta(days=key == "until")
        return datetime.combine(day, time(0), now.tzinfo).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(
            N_("I cannot read {key}:{value}."),
            N_("Say {key}:12h, {key}:2d or {key}:2026-11-20."),
            key=key,
            value=shown(value),
        ) from None


def _best(value: str | None) -> bool:
    if value is None or value.casefold() in ("best", "new"):
        return value is not None and value.casefold() == "best"
    raise Refusal(
        N_("I cannot sort by {value}."),
        N_("sort:best puts the best match first, else the newest is."),
        value=shown(value),
    )


def read_opinion(value: str | None) -> bool | None:
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
        return int(value) or None  # 0 is no article: the newest page
    raise Refusal(N_("before: takes the number of an article."), N_("The Next button writes it for you."))
