"""Words to the form under which they are indexed, looked for and compared.

Russian goes to the dictionary form (pymorphy3), English to its stem (Snowball), everything else stays
as it is, folded. Index, query and comparison all pass through here, so that even a wrong guess meets itself.
The dictionary takes 28 MB and a tenth of a second; it is loaded at the first Russian word.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from time import sleep
from typing import Final

import regex
import Stemmer
from pymorphy3 import MorphAnalyzer

REMEMBERED: Final = 50_000
"""Words kept with their lemma; a word costs 200 us the first time."""

_LEFT_OUT: Final = regex.compile(r"[\u00ad’'ʼ`]")
_WORD: Final = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_CYRILLIC: Final = regex.compile(r"[а-я]+")
_SURNAMES: Final = ("ов", "ев", "ин")
_OF_A_SURNAME: Final = ("а", "у", "ым", "е", "ой")
"""Endings that the dictionary lacks for most of ours: it takes "Жапаров" for many of "жапар"."""
_LATIN: Final = regex.compile(r"[a-z]+")


def lemmas(text: str) -> list[str]:
    """The words of a text in order, each in the form it is indexed under."""
    return [lemma(word) for word in words(text)]


def words(text: str) -> list[str]:
    """The words of a text, folded: NFKC, lower case, ё as е, no apostrophes or soft hyphens."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    found: list[str] = _WORD.findall(_LEFT_OUT.sub("", folded))
    return found


@lru_cache(REMEMBERED)
def lemma(word: str) -> str:
    """The form of one folded word."""
    if is_russian(word):
        sleep(0)  # what it runs through would keep every other thread waiting, the event loop's too, for up to a second
        return str(_russian().parse(word)[0].normal_form).replace("ё", "е")
    return str(_english().stemWord(word)) if _LATIN.fullmatch(word) else word


def forms(word: str) -> set[str]:
    """All that a listed word may look like in a text: each form of a folded Russian word in its dictionary
    form (other words first become that), the stem of an English one."""
    if not is_russian(word):
        return {lemma(word)}
    sleep(0)
    guesses = _russian().parse(word)
    own = [guess for guess in guesses if guess.normal_form.replace("ё", "е") == word] or guesses[:1]
    found = {word} | {form.word.replace("ё", "е") for guess in own for form in guess.lexeme}
    return found | {word + ending for ending in _OF_A_SURNAME} if word.endswith(_SURNAMES) else found


def is_russian(word: str) -> bool:
    """Whether a folded word has Russian letters only."""
    return _CYRILLIC.fullmatch(word) is not None


@cache
def _russian() -> MorphAnalyzer:
    return MorphAnalyzer()


@cache
def _english() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")
