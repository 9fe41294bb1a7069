"""What the index holds of a text: its lemmas, and one term for all the names of a thing.

A name's own words stay beside its term where it has several: "Kyrgyz Republic" is found as "republic" too.
Texts in languages without a stemmer give the beginnings of their words instead.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from threading import RLock
from typing import Final, NamedTuple

import regex

from bot.lemmas import is_known, is_russian, lemma, surname, words

REMEMBERED: Final = 50_000
"""Spellings kept with their terms."""
STEMMED: Final = frozenset({"en", "ru"})
BEGINNING: Final = 8
"""Letters of a word that are kept where nothing tells its stem from its endings."""

_TOKEN: Final = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}\u00ad’'‘ʻʼ`]{0,63}|\p{Sc}")
_CASES: Final = ("", "а", "у", "ом", "ым", "е", "ой")
"""Endings of a Russian name that the dictionary lacks."""


class Spot(NamedTuple):
    """A term and where its words stand in the text, in characters: [start, end)."""

    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Thing:
    """What has several names. term: what stands for them; asked: what only a query means by it."""

    term: str
    names: tuple[str, ...]
    asked: tuple[str, ...]


Run = tuple[str, ...]
_LEARNING: Final = RLock()
"""The store's threads and the loop's may come here first at the same moment."""


def terms(text: str) -> list[str]:
    """The terms of a text, in order."""
    found = own_terms(text)
    if found and not _names().last_words.isdisjoint(found):
        return [term for n, own in enumerate(found) for term in (own, *(name for name, _ in named(found, n)))]
    return found


def own_terms(text: str) -> list[str]:
    """Those of its words, without the names of several words."""
    return [term for token in _TOKEN.findall(text) for term in _terms(token)]


def spots(text: str) -> Iterator[Spot]:
    """The terms of a text with their places."""
    found = [Spot(term, m.start(), m.end()) for m in _TOKEN.finditer(text) for term in _terms(m[0])]
    plain = [spot.term for spot in found]
    for n, spot in enumerate(found):
        yield spot
        for name, length in named(plain, n):
            yield Spot(name, found[n - length + 1].start, spot.end)


def beginnings(text: str) -> list[str]:
    """The beginnings of a text's words, in order; of signs the term of what they stand for."""
    return [part for token in _TOKEN.findall(text) for part in _beginnings(token)]


def beginning_spots(text: str) -> Iterator[Spot]:
    """The same with their places."""
    return (Spot(part, m.start(), m.end()) for m in _TOKEN.finditer(text) for part in _beginnings(m[0]))


def named(found: Sequence[str], last: int) -> Iterator[tuple[str, int]]:
    """The names of several words that end at this place of some terms: (what stands for it, how many words)."""
    for run, term in _names().runs.get(found[last], ()):
        if last + 1 >= len(run) and tuple(found[last + 1 - len(run) : last + 1]) == run:
            yield term, len(run)


@cache
def things() -> tuple[Thing, ...]:
    """bot/aliases.toml, read."""
    listed = tomllib.loads(files("bot").joinpath("aliases.toml").read_text("utf-8"))["thing"]
    return tuple(
        Thing("".join(map(lemma, words(one["names"][0]))), tuple(one["names"]), tuple(one.get("asked", ())))
        for one in listed
    )


@dataclass(frozen=True, slots=True)
class _Names:
    """single: terms by lemma; runs: names of several words and their terms, by the last word."""

    single: dict[str, str]
    runs: dict[str, list[tuple[Run, str]]]
    last_words: set[str]

    def learn(self, name: str, term: str) -> None:
        parts = words(name)
        if not parts:
            self.single[name] = term  # a sign
            return
        for form in _forms(name, parts):
            run = tuple(form)
            if len(run) == 1:
                self.single.setdefault(run[0], term)
            elif (run, term) not in self.runs[run[-1]]:
                self.runs[run[-1]].append((run, term))
                self.last_words.add(run[-1])


def _forms(name: str, parts: Sequence[str]) -> Iterator[Iterable[str]]:
    """A name's words as they may come out of lemma() and surname(): where the dictionary lacks it, in all its cases."""
    yield map(lemma, parts)
    yield map(surname, parts)
    if len(parts) == 1 and is_russian(parts[0]) and not name.isupper() and surname(parts[0]) != lemma(parts[0]):
        inflected = [parts[0] + case for case in _CASES]
        yield from ([form(one)] for one in inflected if not is_known(one) for form in (lemma, surname))


@lru_cache(REMEMBERED)
def _terms(token: str) -> tuple[str, ...]:
    parts = words(token)
    if not parts:
        return tuple(filter(None, (_names().single.get(token, ""),)))
    return tuple(_term(part, capital=token[0].isupper()) for part in parts)


def _term(word: str, *, capital: bool) -> str:
    own = surname(word) if capital else lemma(word)
    known = _russian_names() if is_russian(word) else _names()
    return known.single.get(own, own)


@lru_cache(REMEMBERED // 10)
def _beginnings(token: str) -> tuple[str, ...]:
    return tuple(part[:BEGINNING] for part in words(token)) or _terms(token)


def _names() -> _Names:
    """Names that need no dictionary; the Russian ones join them at the first Russian word."""
    with _LEARNING:
        return _learnt(russian=False)


def _russian_names() -> _Names:
    with _LEARNING:
        return _learnt(russian=True)


@cache
def _learnt(*, russian: bool) -> _Names:
    known = _names() if russian else _Names({}, defaultdict(list), set())
    for thing in things():
        for name in thing.names:
            if any(map(is_russian, words(name))) == russian:
                known.learn(name, thing.term)
    return known
