"""What an article is about: countries and themes, by a gazetteer that is data (the TOML files in this folder)."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from threading import RLock
from typing import Any, Final

from babel import Locale

from bot.echo import shown
from bot.errors import Refusal
from bot.locales import N_
from bot.topics.lexicon import Lexicon, spelled

TEXT_CHARACTERS: Final = 20_000
"""Of an article's text; what it is about is said before."""
OFTEN: Final = 3
"""So many mentions in the text stand for one in the title or the lead."""
_LEARNING: Final = RLock()
"""Two threads would learn it all twice."""


@dataclass(frozen=True, slots=True)
class Tags:
    """countries: two-letter codes; topics: ids of themes. Both in the gazetteer's order."""

    countries: tuple[str, ...]
    topics: tuple[str, ...]


def tag(title: str, lead: str, text: str) -> Tags:
    """What an article is about: what its title or its lead names, or its text three times."""
    near, far = [spelled(title), spelled(lead)], spelled(text[:TEXT_CHARACTERS])
    countries = _about(read("countries"), gazetteer(), near, far)
    return Tags(tuple(countries), tuple(_about(read("themes"), _themes(), near, far)))


def resolve(text: str) -> str | None:
    """The code of a country ("KZ") or the id of a theme ("water") that goes by this name, None for other words.

    A city or a leader is no country: who follows Almaty does not want all of Kazakhstan.
    """
    wanted = text.strip().casefold()
    if wanted in read("themes"):
        return wanted
    said = spelled(text)
    countries = [means for means in gazetteer().named(said) if "/" not in means]
    return next(iter(countries or _theme_names().named(said)), None)


def topic(text: str) -> str:
    """The id of the theme that goes by this name or id. Raises Refusal."""
    found = resolve(text.replace("_", " "))
    if found in read("themes"):
        return str(found)
    raise Refusal(
        N_("I do not know the topic {text}."),
        N_("I know: {names}."),
        text=shown(text),
        names=", ".join(read("themes")),
    )


def title(code: str, language: str) -> str:
    """What a country or a theme is called in this language; in English where we do not know it."""
    if code in read("themes"):
        names = read("themes")[code]
        return str(names.get(language, names["en"]))
    return str(Locale.parse(language).territories.get(code, code))


def _about(order: Iterable[str], lexicon: Lexicon, near: Iterable[Sequence[str]], far: Sequence[str]) -> Iterator[str]:
    """near: spelled title and lead, far: text."""
    named = {_whose(means) for part in near for means in lexicon.found(part)}
    often = Counter(map(_whose, lexicon.found(far)))
    return (one for one in order if one in named or often[one] >= OFTEN)


def _whose(means: str) -> str:
    """The country of "KZ/Astana"."""
    return means.partition("/")[0]


@cache
def read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))


def gazetteer() -> Lexicon:
    with _LEARNING:
        return _gazetteer()


@cache
def _gazetteer() -> Lexicon:
    lexicon = Lexicon()
    for code, row in read("countries").items():
        for name in row["names"]:
            lexicon.learn(name, code)
        for spellings in (*row.get("places", ()), *row.get("people", ()), row.get("money", ())):
            for name in spellings:
                lexicon.learn(name, f"{code}/{spellings[0]}")
    return lexicon


def _themes() -> Lexicon:
    with _LEARNING:
        return _themes_learnt("names", "words")


def _theme_names() -> Lexicon:
    with _LEARNING:
        return _themes_learnt("names")


@cache
def _themes_learnt(*lists: str) -> Lexicon:
    lexicon = Lexicon()
    for theme, row in read("themes").items():
        for name in (name for one in lists for name in row[one]):
            lexicon.learn(name, theme)
    return lexicon
