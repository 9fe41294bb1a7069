"""What tells apart two headlines that are worded alike: names, figures, days, directions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from threading import RLock
from typing import Final

import regex

from bot.lemmas import lemma, words
from bot.topics import gazetteer, read
from bot.topics.lexicon import Lexicon, spelled

REMEMBERED: Final = 5_000
"""Headlines kept with their marks: those of two days."""

Marks = Mapping[str, frozenset[str]]
"""What is said of each kind; "name" holds "KZ" for a country, "KZ/Astana" for what is in it."""

_FIGURE: Final = regex.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS: Final = regex.compile(r"[.,  ](?=\d{3}(?:\D|$))")
_FORMATS: Final = regex.compile(r"[CС]5\s?\+\s?1", regex.IGNORECASE)
"""Figures that are part of a name."""
_WORD: Final = regex.compile(r"[\p{L}\p{M}’'ʻ]{2,}")
_SURNAME: Final = regex.compile(
    r"\p{Lu}[a-z’']{2,}(?:ov|ev|ova|eva|bek|bay|bai|khan|zoda|zade|uly|kyzy|ogly|ullo|iddin)"
)
_LEARNING: Final = RLock()
TITLE_CASE: Final = 0.6
"""So much of a headline in capitals, and capitals tell no names."""


def apart(one: Marks, other: Marks) -> bool:
    """Whether two headlines tell of two things: each has something of one kind that the other lacks."""
    return any(
        _lacking(said, other[kind]) and _lacking(other[kind], said) for kind, said in one.items() if kind in other
    )


@lru_cache(REMEMBERED)
def marks(title: str) -> Marks:
    """The marks of a headline, only the kinds it has."""
    said: dict[str, set[str]] = {}
    words_said = spelled(title)
    for means in gazetteer().found(words_said):
        said.setdefault("name", set()).add(means)
    for means in _lexicon().found(words_said):
        kind, _, mark = means.partition("/")
        said.setdefault(kind, set()).add(mark)
    if figures := {_figure(found) for found in _FIGURE.findall(_FORMATS.sub(" ", title))}:
        said.setdefault("number", set()).update(figures)
    if people := _strangers(title):
        said["stranger"] = people
    return {kind: frozenset(found) for kind, found in said.items()}


def _lacking(said: frozenset[str], other: frozenset[str]) -> bool:
    """Whether the other lacks something: a country stands for what is in it, and the other way round."""
    whose = {means.partition("/")[0] for means in other}
    return any(
        means not in other and means.partition("/")[0] not in (other if "/" in means else whose) for means in said
    )


def _strangers(title: str) -> set[str]:
    """Names that no list has, as far as capitals and endings tell them."""
    found = _WORD.findall(title)
    later = [word for word in found[1:] if len(word) > 3]
    capitals = [word for word in later if word[0].isupper()]
    named = capitals if later and len(capitals) < TITLE_CASE * len(later) else _SURNAME.findall(title)
    return {
        lemma(word)
        for name in named
        for word in words(name)
        if not name.isupper() and not (gazetteer().knows(word) or _lexicon().knows(word))
    }


def _figure(text: str) -> str:
    """One spelling of a figure: "1,200" and "1 200" are 1200, "2,50" is 2.5."""
    plain = _THOUSANDS.sub("", text).replace(",", ".")
    return plain.rstrip("0").rstrip(".") if plain.count(".") == 1 else plain


def _lexicon() -> Lexicon:
    with _LEARNING:
        return _learnt()


@cache
def _learnt() -> Lexicon:
    lexicon = Lexicon()
    for kind, row in read("apart").items():
        for mark, spellings in row.items():
            for name in spellings:
                lexicon.learn(name, f"{kind}/{mark}")
    return lexicon
