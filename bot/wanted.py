"""What a reader's words ask of a text. Search, subscriptions and the marks in a lead all read them here.

Each word, or "phrase" (an entry with a space), is one thing a text must have. In English and Russian it is met by
any form of it, in other languages by words that begin like it. A last "*" asks for beginnings everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from typing import Final

import regex

from bot.lemmas import words as folded_words
from bot.models import Article
from bot.terms import (
    BEGINNING,
    STEMMED,
    Spot,
    Thing,
    beginning_spots,
    beginnings,
    named,
    own_terms,
    spots,
    terms,
    things,
)

MOST_TERMS: Final = 16
LONGEST_WORD: Final = 200
"""Characters of a word or phrase that are looked at."""
SHORTEST_BEGINNING: Final = 3
"""A shorter one would walk through too much of the index."""

_FAMILIAR: Final = regex.compile(r"[a-zа-яё\W\d_]*")


@dataclass(frozen=True, slots=True)
class Run:
    """Terms one after another. open: the last may go on."""

    terms: tuple[str, ...]
    open: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing a text must have: any of these runs of terms, or of beginnings where it has no stemmer."""

    lemmas: tuple[Run, ...]
    beginnings: tuple[Run, ...]

    def runs(self, *, stemmed: bool) -> tuple[Run, ...]:
        return self.lemmas if stemmed else self.beginnings


@dataclass(frozen=True, slots=True)
class Reading:
    """An article as it is compared and indexed. parts: the terms (stemmed) or beginnings of its title and its text."""

    stemmed: bool
    parts: tuple[tuple[str, ...], tuple[str, ...]]


def reading(article: Article) -> Reading:
    """Takes a millisecond and, at the first Russian word ever, a third of a second: not for the event loop."""
    stemmed = is_stemmed(article.language)
    form = terms if stemmed else beginnings
    return Reading(stemmed, (tuple(form(article.title)), tuple(form(body(article)))))


def is_stemmed(language: str) -> bool:
    """Whether words of a language such as "en" or "ru-KZ" have a form that stands for all the others."""
    return regex.split("[-_]", language.casefold())[0] in STEMMED


def body(article: Article) -> str:
    """The text, with the lead where it is not the beginning of it."""
    start = " ".join(article.text[: 2 * len(article.lead)].split())
    return article.text if start.startswith(article.lead.rstrip("…")) else f"{article.lead}\n{article.text}"


@lru_cache(1000)
def wanted(words: tuple[str, ...]) -> tuple[Wanted, ...]:
    """What these words ask for, of at most 16 terms; without those that hold no letter and no figure."""
    asked = [word[:LONGEST_WORD] for word in words if beginnings(word[:LONGEST_WORD])]
    plain = [" ".join(own_terms(word)) for word in asked]
    found: list[Wanted] = []
    lengths: list[int] = []
    for n, word in enumerate(asked):
        name, length = max(named(plain, n), key=lambda name: name[1], default=("", 1))
        if length > 1:  # "Kyrgyz Republic" in two words is "Киргизия" too
            del found[1 - length :], lengths[1 - length :]
        one = _thing(_by_term()[name]) if name else _wanted(word)
        if sum(lengths) + (more := len(beginnings(word))) > MOST_TERMS:
            break
        found.append(one)
        lengths.append(more)
    return tuple(found)


def matches(words: tuple[str, ...], excluded: tuple[str, ...], text: Reading) -> bool:
    """Whether a text has all of the words and none of the excluded."""
    asked = wanted(words)
    if words and not asked:
        return False
    return all(_has(text, one) for one in asked) and not any(_has(text, one) for one in wanted(excluded))


def places(text: str, asked: Iterable[Wanted], *, stemmed: bool) -> list[tuple[int, int]]:
    """Where a text has what is asked for, in characters, in order, none over another."""
    found = list(spots(text) if stemmed else beginning_spots(text))
    plain = [spot.term for spot in found]
    hits = {at for one in asked for run in one.runs(stemmed=stemmed) for at in _at(plain, run)}
    return _apart((found[first].start, _end(found, first, length)) for first, length in hits)


def _end(found: Sequence[Spot], first: int, length: int) -> int:
    return max(spot.end for spot in found[first : first + length])


def _apart(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    apart: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart


def _has(text: Reading, one: Wanted) -> bool:
    runs = one.runs(stemmed=text.stemmed)
    return any(next(_at(part, run), None) for part in text.parts for run in runs)


def _at(found: Sequence[str], run: Run) -> Iterator[tuple[int, int]]:
    """(place, length) of each occurrence of a run."""
    *before, last = run.terms
    length = len(run.terms)
    if not run.open and not before and last not in found:
        return
    for n in range(length - 1, len(found)):
        fits = found[n].startswith(last) if run.open else found[n] == last
        if fits and all(found[n - length + 1 + k] == term for k, term in enumerate(before)):
            yield n - length + 1, length


def _wanted(text: str) -> Wanted:
    """A word or phrase. People type names without capitals, and anything with them: both readings count."""
    readings = dict.fromkeys(tuple(terms(said)) for said in (text, text.title(), text.lower()))
    known = dict.fromkeys(_by_term()[one[-1]] for one in readings if _is_name(one))
    if known:
        return _thing(*(known | dict.fromkeys(_same_name(text))))
    folded = tuple(folded_words(text)) or next(iter(readings))
    meant = [thing for thing in things() if text.casefold() in thing.asked]
    runs = [Run(one) for one in readings] + [Run((thing.term,)) for thing in meant]
    if _goes_on(text) and len(folded[-1]) >= SHORTEST_BEGINNING:
        runs += [Run(folded, open=True), *(Run((term,)) for term in _begun(folded))]
    own = tuple(beginnings(text))
    more = chain.from_iterable(_thing(thing).beginnings for thing in meant)
    return Wanted(tuple(runs), tuple(dict.fromkeys((_beginning(own), *more))))


def _is_name(found: Sequence[str]) -> bool:
    """Whether these terms are a thing's alone, or all the words of one of its names."""
    if found[-1] not in _by_term():
        return False
    return len(found) == 1 or any(length == len(found) - 1 for _, length in named(found, len(found) - 2))


def _thing(*meant: Thing) -> Wanted:
    own = (tuple(beginnings(name)) for thing in meant for name in thing.names)
    return Wanted(tuple(Run((thing.term,)) for thing in meant), tuple(dict.fromkeys(map(_beginning, own))))


def _same_name(text: str) -> list[Thing]:
    """Things with a name that is folded alike: "so'm" is the Uzbek one, and reads as the Kyrgyz "som"."""
    folded = folded_words(text)
    return [thing for thing in things() if folded and any(folded_words(name) == folded for name in thing.names)]


def _beginning(found: tuple[str, ...]) -> Run:
    return Run(found, open=SHORTEST_BEGINNING <= len(found[-1]) < BEGINNING and found[-1].isalpha())


def _goes_on(text: str) -> bool:
    """Whether beginnings are meant: a star says so, and so do letters that English and Russian do not have."""
    return text.rstrip().endswith("*") or not _FAMILIAR.fullmatch(text.casefold())


def _begun(folded: tuple[str, ...]) -> list[str]:
    """Things with a name that begins so."""
    names = ((thing.term, folded_words(name)) for thing in things() for name in thing.names)
    return list(dict.fromkeys(term for term, own in names if len(own) == 1 and own[0].startswith("".join(folded))))


@cache
def _by_term() -> dict[str, Thing]:
    return {thing.term: thing for thing in things()}
