"""Where an article has what a reader looked for: marked in its lead, or in a short extract around the first place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.message import Span
from bot.models import Article
from bot.prose import clip
from bot.wanted import Wanted, is_stemmed, places, wanted

LONGEST: Final = 280
BEFORE: Final = 90
"""Characters of an extract before the first place, at most."""


def extracts(articles: Sequence[Article], words: tuple[str, ...]) -> dict[int, Article]:
    """By id, those of which a lead can show what was looked for: as they are to be shown. Not for the event loop,
    as bot.wanted.reading."""
    asked = wanted(words)
    shown = {article.id: extract(article, asked) for article in articles} if asked else {}
    return {number: article for number, article in shown.items() if article}


def extract(article: Article, asked: Sequence[Wanted]) -> Article | None:
    stemmed = is_stemmed(article.language)
    if found := places(article.lead, asked, stemmed=stemmed):
        return replace(article, spans=_marked(article.spans, found))
    if places(article.title, asked, stemmed=stemmed):
        return None
    text = " ".join(article.text.split())
    if not (found := places(text, asked, stemmed=stemmed)):
        return None
    around = _around(text, *found[0])
    return replace(article, lead=around, spans=_marked((), places(around, asked, stemmed=stemmed)))


def _around(text: str, start: int, end: int) -> str:
    """A piece of the text with this place in it, from the beginning of a sentence if that is near, else of a word."""
    near = max(start - BEFORE, 0)
    sentence = max(text.rfind(stop, near, start) for stop in (". ", "! ", "? ", "… "))
    if sentence >= 0:
        return clip(text[sentence + 2 :], max(LONGEST, end - sentence))
    word = text.find(" ", near, start) + 1 if near else 0
    piece = text[word or near :]
    return ("… " if near else "") + clip(piece, max(LONGEST - 2, end - (word or near) + 1))


def _marked(spans: Sequence[Span], found: Sequence[tuple[int, int]]) -> tuple[Span, ...]:
    """Marks in bold, and of the outlet's own emphasis what does not lie under them."""
    apart = [span for span in spans if all(span.end <= start or end <= span.start for start, end in found)]
    return tuple(sorted([*apart, *(Span(start, end, "bold") for start, end in found)], key=lambda span: span.start))
