"""Words to the form under which they are indexed, looked for and compared.

Russian goes to the dictionary form (pymorphy3), English to its stem (Snowball), everything else stays
as it is, folded. Index, query and comparison all pass through here, so that even a wrong guess meets itself.
The dictionary takes 28 MB and a tenth of a second; it is loaded at the first Russian word.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from threading import Lock
from time import sleep
from typing import Final

import regex
import Stemmer
from pymorphy3 import MorphAnalyzer
from pymorphy3.analyzer import Parse

REMEMBERED: Final = 20_000
"""Words kept with their lemma; a word costs 200 us the first time. Spellings are kept by bot/terms.py."""

_LEFT_OUT: Final = regex.compile(r"[\u00ad’'‘ʻʼ`]")
_WORD: Final = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_LATIN_MARKS: Final = regex.compile(r"(?<=[a-z])\p{M}+")
_CYRILLIC: Final = regex.compile(r"[а-я]+")
_SURNAMES: Final = ("ов", "ев", "ин")
_OF_A_SURNAME: Final = ("а", "у", "ым", "е", "ой")
"""Endings that the dictionary lacks for most of ours: it takes "Жапаров" for many of "жапар"."""
_LATIN: Final = regex.compile(r"[a-z]+")
_LOADING: Final = Lock()


def lemmas(text: str) -> list[str]:
    """The words of a text in order, each in the form it is indexed under."""
    return [lemma(word) for word in words(text)]


def words(text: str) -> list[str]:
    """The words of a text, folded: NFKC, lower case, ё as е, no marks on Latin letters, apostrophes or soft hyphens."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", _LATIN_MARKS.sub("", unicodedata.normalize("NFD", folded)))
    found: list[str] = _WORD.findall(_LEFT_OUT.sub("", folded))
    return found


@lru_cache(REMEMBERED)
def lemma(word: str) -> str:
    """The form of one folded word."""
    if is_russian(word):
        return _plain(_parsed(word)[0].normal_form)
    return str(_english().stemWord(word)) if _LATIN.fullmatch(word) else word


def surname(word: str) -> str:
    """The form of one folded word that was written with a capital: a name that the dictionary lacks is no
    plural of something ("Жапаров" is not many of "жапар")."""
    return _surname(word) if is_russian(word) else lemma(word)


def forms(word: str) -> set[str]:
    """All that a listed word may look like in a text: each form of a folded Russian word in its dictionary
    form (other words first become that), the stem of an English one."""
    if not is_russian(word):
        return {lemma(word)}
    guesses = _parsed(word)
    own = [guess for guess in guesses if _plain(guess.normal_form) == word] or guesses[:1]
    found = {word} | {_plain(form.word) for guess in own for form in guess.lexeme}
    return found | {word + ending for ending in _OF_A_SURNAME} if word.endswith(_SURNAMES) else found


def is_russian(word: str) -> bool:
    """Whether a folded word has Russian letters only."""
    return _CYRILLIC.fullmatch(word) is not None


def is_known(word: str) -> bool:
    """Whether the dictionary has a folded Russian word, so that its lemma is no guess."""
    return bool(_russian().word_is_known(word))


@lru_cache(REMEMBERED // 2)
def _surname(word: str) -> str:
    if is_known(word):
        return lemma(word)
    if word.endswith(_SURNAMES):
        return word
    found = next((guess for guess in _parsed(word) if "Surn" in guess.tag), None)
    return _plain(found.normal_form) if found else lemma(word)


def _parsed(word: str) -> list[Parse]:
    """The dictionary's guesses, the likeliest first."""
    sleep(0)  # what it runs through would keep every other thread waiting, the event loop's too, for up to a second
    guesses: list[Parse] = _russian().parse(word)
    return guesses


def _plain(form: str) -> str:
    return form.replace("ё", "е")


def _russian() -> MorphAnalyzer:
    with _LOADING:  # two threads would load it twice
        return _dictionary()


@cache
def _dictionary() -> MorphAnalyzer:
    return MorphAnalyzer()


@cache
def _english() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")
