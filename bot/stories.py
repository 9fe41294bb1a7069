"""The same story told by several outlets: which headlines belong together, and a digest's view of them.

Nothing is ever dropped for being like something else; a wrong pair is worse than a missed one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import regex
from rapidfuzz import fuzz, process

from bot.lemmas import lemmas
from bot.models import Article, Headline
from bot.rules import Found
from bot.topics.marks import apart, marks

WINDOW: Final = timedelta(hours=48)
"""Two articles of one story are published no further apart."""
CANDIDATES: Final = 2000
ALIKE: Final = 70.0
"""Of 100: rapidfuzz's token_sort_ratio of the lemmas."""
LOOKED_AT: Final = 20
"""So many of the headlines most alike."""
SLOT: Final = 2
"""Words in the place that a template leaves open."""
REMEMBERED: Final = 5_000
_VERB: Final = regex.compile(r"\w+(?:ть|ти|ться|тись) \w+(?:ть|ти|ться|тись)")
"""Two Russian verbs in their dictionary form."""


@dataclass(frozen=True, slots=True)
class Story:
    """What several outlets, or one, tell. articles: newest first; lead: the one to show, an opinion if all are.

    outlets: sources, the first to tell it first
    """

    articles: tuple[Article, ...]
    lead: Article
    outlets: tuple[str, ...]

    @property
    def newest(self) -> datetime:
        return self.articles[0].published


def group(new: Sequence[Found], recent: Sequence[Headline]) -> list[Found]:
    """An outlet's new articles, each with the story it belongs to and the headline that it follows up.

    recent: what is kept already. A story begins where another outlet told it before; the outlet's own
    headlines count only where another tells the story as well, as outlets have templates of their own.
    """
    known = [one for one in recent if one.story or one.source != new[0][0].source]
    texts = [_sorted(headline.title) for headline in known]
    led: dict[int, Headline] = {}
    for article, _ in sorted(new, key=lambda found: found[0].published):
        lead = _joined(article, known, texts)
        if lead:
            led[id(article)] = lead
            known.append(Headline(0, article.source, article.title, article.published, lead.story or lead.id))
            texts.append(_sorted(article.title))
    return [(_led(article, led.get(id(article))), keys) for article, keys in new]


def since(new: Sequence[Found]) -> datetime:
    """From when on headlines are to be compared with these articles."""
    return min(article.published for article, _ in new) - WINDOW


def stories(articles: Iterable[Article]) -> list[Story]:
    """Articles as stories: those of most outlets first, then the newest; of as many, opinions come last."""
    parted: dict[tuple[bool, int], list[Article]] = {}
    for number, article in enumerate(articles):
        parted.setdefault((bool(article.story), article.story or number), []).append(article)
    found = [_story(pieces) for pieces in parted.values()]
    found.sort(key=lambda story: story.newest, reverse=True)
    return sorted(found, key=lambda story: (-len(story.outlets), story.lead.opinion))


def also_in(shown: Iterable[Article], pieces: Sequence[Article], hidden: Collection[str]) -> dict[int, tuple[str, ...]]:
    """By the id of each article, the other sources that tell its story, the first to tell it first.

    pieces: of the stories these articles are part of, newest first; hidden: sources not to be named
    """
    told: dict[int, list[str]] = {}
    for piece in reversed(pieces):
        if piece.source not in hidden:
            told.setdefault(piece.story, []).append(piece.source)
    return {
        one.id: tuple(dict.fromkeys(source for source in told.get(one.story, ()) if source != one.source))
        for one in shown
        if one.story
    }


def follow_ups(articles: Sequence[Article]) -> set[int]:
    """The ids of those pieces of a story whose outlet had told it before."""
    told: set[str] = set()
    later: set[int] = set()
    for article in sorted(articles, key=lambda one: (one.published, one.id)):
        if article.source in told:
            later.add(article.id)
        told.add(article.source)
    return later


def same_story(one: str, other: str) -> bool:
    """Whether two headlines of two outlets tell of the same."""
    return fuzz.ratio(_sorted(one), _sorted(other)) >= ALIKE and not _told_apart(one, other)


def _joined(article: Article, known: Sequence[Headline], texts: Sequence[str]) -> Headline | None:
    """The kept headline whose story this article is part of: the most alike that nothing speaks against."""
    alike = process.extract(_sorted(article.title), texts, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=LOOKED_AT)
    for _, _, at in alike:
        headline = known[at]
        if abs(headline.published - article.published) > WINDOW:
            continue
        pieces = [one for one in known if one.story == headline.story] if headline.story else [headline]
        if not any(_told_apart(article.title, one.title) for one in pieces):
            return headline
    return None


def _told_apart(one: str, other: str) -> bool:
    return apart(marks(one), marks(other)) or _filled_in(lemmas(one), lemmas(other))


def _filled_in(one: list[str], other: list[str]) -> bool:
    """Whether two headlines are word for word the same but for one or two words in one place that are nothing alike.

    That is a template with something else filled in; a Russian verb may be another word for the same.
    """
    before = _common(one, other)
    after = _common(one[before:][::-1], other[before:][::-1])
    mine, theirs = (words[before : len(words) - after] for words in (one, other))
    if not 0 < len(mine) <= SLOT or not 0 < len(theirs) <= SLOT or before + after < 2:
        return False
    return fuzz.ratio(" ".join(mine), " ".join(theirs)) < ALIKE and not _VERB.fullmatch(" ".join((*mine, *theirs)))


def _common(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _led(article: Article, lead: Headline | None) -> Article:
    return replace(article, story=lead.story or lead.id, follows=lead.title) if lead else article


def _story(pieces: list[Article]) -> Story:
    newest_first = sorted(pieces, key=lambda one: (one.published, one.id), reverse=True)
    lead = next((one for one in newest_first if not one.opinion), newest_first[0])
    return Story(tuple(newest_first), lead, tuple(dict.fromkeys(one.source for one in reversed(newest_first))))


@lru_cache(REMEMBERED)
def _sorted(title: str) -> str:
    return " ".join(sorted(lemmas(title)))
