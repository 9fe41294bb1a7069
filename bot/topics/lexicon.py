"""Finds listed names in a text: English by its stem, Russian by every form of the words listed.

That is a look-up a word. No dictionary is asked about a stranger's words, so that a text costs the same
whatever it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import regex

from bot.lemmas import forms, is_russian, lemma, words

_STATES: Final = regex.compile(r"\bU\.?S\.?A?\.?(?![\p{L}\p{N}])")
"""In capitals, or it is a pronoun."""
_NONE: Final[tuple[str, ...]] = ()

Run = tuple[str, ...]


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

    def found(self, text: str) -> list[str]:
        """What a text names, in order, as often as it does."""
        spoken = self._spoken(text)
        return [means for at in range(len(spoken)) for _, means in self._names_at(spoken, at)]

    def named(self, text: str) -> list[str]:
        """What the text as a whole is a name of."""
        spoken = self._spoken(text)
        return [means for length, means in self._names_at(spoken, 0) if length == len(spoken)] if spoken else []

    def knows(self, word: str) -> bool:
        """Whether a folded word is part of some name."""
        return (word if is_russian(word) else lemma(word)) in self.heard

    def _spoken(self, text: str) -> list[set[str] | tuple[str, ...]]:
        """For each word of a text, the words it may be a form of."""
        return [self.heard.get(word if is_russian(word) else lemma(word), _NONE) for word in _words(text)]

    def _names_at(self, spoken: list[set[str] | tuple[str, ...]], at: int) -> Iterator[tuple[int, str]]:
        for word in spoken[at]:
            for run, means in self.runs.get(word, _NONE):
                here = spoken[at : at + len(run)]
                if len(here) == len(run) and all(part in said for part, said in zip(run, here, strict=True)):
                    yield len(run), means


def _words(text: str) -> list[str]:
    return words(_STATES.sub("USA", text))
