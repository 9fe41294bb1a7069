"""What PostgreSQL's index holds of an article, and what is asked of it, as bot/wanted.py reads both.

All of it is in one tsvector, so that a query is one walk through one index: the terms of its title (weight A) and text
in their places, its beginnings marked "~", its filters, and the span of days it is of. None goes through a dictionary
of PostgreSQL's: they are in the form they are compared in already, which is what `simple` would leave of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, islice
from typing import Any, Final

from bot.models import NewsQuery
from bot.wanted import Reading, Run, Wanted, wanted
from storage.news import SAME_SECOND

BEGINNING: Final = "~"
MOST_PLACES: Final = 255
"""Of one term; PostgreSQL keeps no more."""
LAST_PLACE: Final = 16_383
MOST_BYTES: Final = 1_000_000
"""Of a tsvector, by PostgreSQL's rule; the end of a longer text is not found."""
LONGEST: Final = 500
"""Letters of a term, so that PostgreSQL takes it."""
APART: Final = 2
"""Between the title and the text, so that no phrase runs from one into the other."""
MOST_FILTERS: Final = 16
A_DAY: Final = 86_400 * SAME_SECOND
"""So much ids grow by in a day."""
SPANS: Final = (1, 3, 9, 27, 81, 243)
"""Days. Each article is marked with its span of each length, so that the newest can be looked through first."""
MOST_MARKS: Final = 3
"""A look at some days asks for so many spans, and one or two more at its ends."""

Spell = Callable[[str], Sequence[str]]
"""The words that begin with some letters; none: there are none, or too many to ask for one by one."""


def vector(article: dict[str, Any], text: Reading) -> str:
    """The tsvector of an articles row, as text."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    mark = "" if text.stemmed else BEGINNING
    title, body = text.parts
    for place, term in enumerate(title, 1):
        places[mark + term].append(f"{min(place, LAST_PLACE)}A")
    for place, term in enumerate(body, len(title) + APART):
        places[mark + term].append(str(min(place, LAST_PLACE)))
    bytes_each = (len(term.encode("utf-8", "replace")) + 2 * len(at) + 4 for term, at in places.items())
    room = sum(1 for taken in accumulate(bytes_each) if taken < MOST_BYTES)
    terms = (f"{_quoted(term)}:{','.join(at[:MOST_PLACES])}" for term, at in islice(places.items(), room))
    return " ".join((*terms, *map(_quoted, _marks(article))))


def asked(query: NewsQuery, spell: Spell = lambda _: []) -> list[str]:
    """The tsqueries of all that is asked but for times and before: all must be met. None of it can be a mistake.

    Each thing is one of its own, as the index then leaps from the hits of one to those of the others. What must not be
    there goes with the first; alone it begins with "!".
    """
    filters = [
        [f"#{code.upper()}" for code in dict.fromkeys(query.countries)][:MOST_FILTERS],
        [f"${topic}" for topic in query.topics[:MOST_FILTERS]],
        [f"={source}" for source in query.sources],
    ]
    parts = words(query.words, spell)
    parts += [any_of(map(_quoted, names)) for names in filters if names]
    if query.opinion is not None:
        parts.append(_quoted(f"!{int(query.opinion)}"))
    if left_out := [*map(_quoted, (f"={source}" for source in query.hidden)), *_any(wanted(query.excluded), spell)]:
        parts[:1] = [" & ".join((*parts[:1], f"!{any_of(left_out)}"))]
    return parts


def words(said: tuple[str, ...], spell: Spell = lambda _: []) -> list[str]:
    """The tsqueries of words, all of which must be there."""
    return [any_of(_any((one,), spell)) for one in wanted(said)]


def spans(newest: int, days: int) -> tuple[str, int]:
    """The articles of at least so many days before an article's id: (tsquery, the least id of them)."""
    each = next((one for one in SPANS if days <= one * MOST_MARKS), SPANS[-1])
    last = newest // (A_DAY * each)
    first = (newest - days * A_DAY) // (A_DAY * each)
    return any_of(_quoted(_span(each, n)) for n in range(first, last + 1)), first * A_DAY * each


def any_of(parts: Iterable[str]) -> str:
    return f"({' | '.join(dict.fromkeys(parts))})"


def _marks(article: dict[str, Any]) -> list[str]:
    named = [("#", article["countries"]), ("$", article["topics"])]
    return [
        f"={article['source']}",
        f"!{article['opinion']}",
        *(f"{sign}{name}" for sign, listed in named for name in listed.split(",") if name),
        *(_span(days, article["id"] // (A_DAY * days)) for days in SPANS),
    ]


def _span(days: int, number: int) -> str:
    return f"@{days}:{number}"


def _any(asked: Sequence[Wanted], spell: Spell) -> list[str]:
    lemmas = [_run(run, "", spell) for one in asked for run in one.lemmas]
    return lemmas + [_run(run, BEGINNING, spell) for one in asked for run in one.beginnings]


def _run(run: Run, mark: str, spell: Spell) -> str:
    parts = [_quoted(mark + term) for term in run.terms]
    if run.open:
        spelt = spell((mark + run.terms[-1])[:LONGEST])
        parts[-1] = any_of(map(_quoted, spelt)) if spelt else f"{parts[-1]}:*"
    followed = " <-> ".join(parts)
    return f"({followed})" if len(parts) > 1 else followed


def _quoted(term: str) -> str:
    return "'" + term[:LONGEST].replace("\\", "\\\\").replace("'", "''") + "'"
