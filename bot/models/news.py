"""Articles and how they are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.message import Span


@dataclass(frozen=True, slots=True)
class Article:
    """An article as we keep it: clean text, the outlet's own https link.

    lead: at most two sentences, spans: its emphasis; text: everything searchable
    id, first_seen: given by the store (id grows with publication time)
    """

    source: str
    guid: str
    url: str
    title: str
    lead: str
    text: str
    published: datetime
    language: str = "en"
    opinion: bool = False
    countries: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    id: int = 0
    first_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewsQuery:
    """What /latest looks for. Words (or phrases, with a space in them) are all required, the excluded must be missing.

    since, until: published in [since, until); before: only ids below it
    best: the most telling first, of the newest thousand; else the newest first
    hidden: sources this chat does not see, which others added for themselves
    """

    words: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    since: datetime | None = None
    opinion: bool | None = None
    before: int | None = None
    hidden: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    until: datetime | None = None
    best: bool = False


@dataclass(frozen=True, slots=True)
class NewsPage:
    """A page of articles, newest first. total: hits in all, counted up to a cap (then capped).

    skipped: how many hits come before this page.
    """

    articles: tuple[Article, ...]
    total: int
    capped: bool
    skipped: int
