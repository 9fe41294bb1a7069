"""Articles and how they are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.message import Span


@dataclass(frozen=True, slots=True)
class Article:
    """An article as we keep it: clean text, the outlet's own https link.

    lead: at most two sentences, spans: its emphasis; text: everything searchable
    countries: two-letter codes, topics: ids of themes (bot/topics): what it is about
    story: the id of the first article of its story that we had, 0 where it is the only one
    follows: the headline it follows up, told when it is pushed and not kept
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
    topics: tuple[str, ...] = ()
    story: int = 0
    follows: str = ""
    id: int = 0
    first_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Headline:
    """What is known of a kept article when others are compared with it."""

    id: int
    source: str
    title: str
    published: datetime
    story: int = 0


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
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewsPage:
    """A page of articles, newest first. total: hits in all, counted up to a cap (then capped).

    skipped: how many hits come before this page.
    """

    articles: tuple[Article, ...]
    total: int
    capped: bool
    skipped: int
