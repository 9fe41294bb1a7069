"""Finds listed names in a text: English by its stem, Russian by every form of the words listed.

That is a look-up a word. No dictionary is asked about a stranger's words, so that a text costs the same
whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import regex

from bot.lemmas import forms, is_russian, lemma, words

REMEMBERED: Final = 50_000

_STATES: Final = regex.compile(r"\bU\.?S\.?A?\.?(?![\p{L}\p{N}])")
"""In capitals, or it is a pronoun."""

Run = tuple[str, ...]


def spelled(text: str) -> list[str]:
    """The words of a text as a Lexicon knows them."""
    return [known_as(word) for word in _words(text)]


@lru_cache(REMEMBERED)
def known_as(word: str) -> str:
    """A folded word as a Lexicon knows it."""
    return word if is_russian(word) else lemma(word)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Names of one word or several, and what they name.

    heard: words of the names, by each form they take; runs: (the words of a name, what it names), by the first
    """

    heard: dict[str, set[str]] = field(default_factory=dict)
    runs: dict[str, list[tuple[Run, str]]] = field(default_factory=dict)

    def learn(self, name: str, means: str) -> None:
        run = tuple(_words(name))
        for word in run:
            for form in forms(word):
                self.heard.setdefault(form, set()).add(word)
        self.runs.setdefault(run[0], []).append((run, means))

    def found(self, said: Sequence[str]) -> list[str]:
        """What a spelled text names, in order, as often as it does."""
        return [means for at, word in enumerate(said) if word in self.heard for _, means in self._names_at(said, at)]

    def named(self, said: Sequence[str]) -> list[str]:
        """What the spelled text as a whole is a name of."""
        return [means for length, means in self._names_at(said, 0) if length == len(said)] if said else []

    def knows(self, word: str) -> bool:
        """Whether a folded word is part of some name."""
        return known_as(word) in self.heard

    def _names_at(self, said: Sequence[str], at: int) -> Iterator[tuple[int, str]]:
        for first in self.heard.get(said[at], ()):
            for run, means in self.runs.get(first, ()):
                here = said[at : at + len(run)]
                if len(here) == len(run) and all(
                    part in self.heard.get(word, ()) for part, word in zip(run, here, strict=True)
                ):
                    yield len(run), means


def _words(text: str) -> list[str]:
    return words(_STATES.sub("USA", text))
