"""Pure decisions: is it new, is it wanted, when to ask again. No await, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal
from zlib import crc32

from bot.models import (
    Article,
    Content,
    DeliveryKind,
    Fixing,
    PollState,
    RateTable,
    Update,
)
from bot.money import moved, per_unit
from bot.wanted import Reading, matches

InstantKind = Literal["article", "alert"]
Found = tuple[Article, Sequence[str]]
"""An article of a document and the keys it is known by."""

FIRST_LOOK_ANNOUNCES: Final = 3
"""A feed seen for the first time announces no more than its newest few."""

SHELF_LIFE: Final[dict[DeliveryKind, timedelta]] = {
    "reply": timedelta(seconds=60),
    "alert": timedelta(minutes=15),
    "article": timedelta(hours=6),
}
"""How long a message is worth sending; a digest's is the setting DIGEST_CATCH_UP_HOURS."""

SHORTEST_INTERVAL: Final = 1800.0
"""Seconds between two polls of a feed that answers, unless the operator's own interval is shorter."""
GONE_SECONDS: Final = 12 * 3600.0
GONE_FOR_GOOD: Final = 3
"""So many 410s, half a day apart, and a source is left alone."""

SUSPECT_AFTER: Final = 3
"""An update handed out so often and never settled may be what kills us: it is handled alone from then on,"""
POISON_AFTER: Final = 6
POISON_AGE: Final = timedelta(seconds=60)
"""and after so many times in so long no more. A few kills in quick succession are somebody else's doing."""


def is_poison(update: Update, now: datetime) -> bool:
    """Whether a suspect has killed us often enough, for long enough."""
    since = now - update.received_at if update.received_at else POISON_AGE
    return update.tries >= POISON_AFTER and since >= POISON_AGE


def worth_announcing(new: Sequence[Found], *, first_look: bool) -> Sequence[Found]:
    """Which of a feed's new articles go out at once, oldest first."""
    newest_first = sorted(new, key=lambda found: found[0].published, reverse=True)  # as documents are
    return newest_first[: FIRST_LOOK_ANNOUNCES if first_look else None][::-1]


def suits(content: Content, article: Article) -> bool:
    """Whether an article comes from where a subscription looks, and is of the kind it wants."""
    if content.countries and not set(content.countries) & set(article.countries):
        return False
    if content.topics and not set(content.topics) & set(article.topics):
        return False
    if content.sources and article.source not in content.sources:
        return False
    return content.opinion is None or content.opinion == article.opinion


def wants(content: Content, article: Article, reading: Reading) -> bool:
    """Whether a subscription's filter lets this article through, just as a search for it would find it.

    reading: of the article, made once for all filters
    """
    if not suits(content, article):
        return False
    return matches(content.words, content.excluded, reading)


def sort_news(seen: Sequence[Found], known: Mapping[str, int]) -> tuple[list[Found], dict[int, Found]]:
    """Parts a document's articles into new ones and later versions of those we have, by id, with the keys to learn.

    Any identity key that is known, or came earlier in the same document, is a match.
    """
    new: list[Found] = []
    edited: dict[int, Found] = {}
    taken: set[str] = set()
    for article, keys in seen:
        match = next((known[key] for key in keys if key in known), None)
        if match is not None:
            edited.setdefault(match, (article, [key for key in keys if key not in known and key not in taken]))
        elif taken.isdisjoint(keys):
            new.append((article, keys))
        taken.update(keys)
    return new, edited


def reads_otherwise(before: Article, now: Article) -> bool:
    """Whether a person would see the difference."""
    return (before.title, before.lead, before.url) != (now.title, now.lead, now.url)


def newest_fixing(known: Sequence[RateTable], new: Sequence[RateTable]) -> RateTable | None:
    """The newest of the new tables if it holds other figures than the newest known one.

    The same date counts too: a bank may carry today's figures into tomorrow until it fixes
    tomorrow's. None on a first look, and for a day carried forward, be it from a day just corrected.
    """
    if not known or not new:
        return None
    before = max(known, key=lambda table: table.effective_date)
    after = max(new, key=lambda table: table.effective_date)
    if after.effective_date < before.effective_date or not moved(after, before):
        return None
    dated = {table.effective_date: table for table in (*known, *new) if table.effective_date < after.effective_date}
    return after if not dated or moved(after, dated[max(dated)]) else None


def revisions(known: Sequence[RateTable], new: Sequence[RateTable]) -> list[tuple[RateTable, Fixing]]:
    """New tables whose dollar replaces another figure of the same date, with that figure.

    A date that only carried the one before it had no figure of its own yet: its first is no revision.
    """
    ordered = sorted(known, key=lambda table: table.effective_date)
    known_on = {table.effective_date: table for table in ordered}
    carried = {table.effective_date for before, table in pairwise(ordered) if not moved(table, before)}
    found = []
    for table in new:
        was = known_on.get(table.effective_date)
        new_row, old_row = table.fixing("USD"), was.fixing("USD") if was else None
        if new_row and old_row and table.effective_date not in carried and per_unit(new_row) != per_unit(old_row):
            found.append((table, old_row))
    return found


def read_well(state: PollState, interval: float, max_age: float, now: datetime) -> PollState:
    """The state after a feed was read, or said that it has not changed.

    interval: the base one, in seconds; max_age: seconds for which the server calls its answer fresh
    A feed that holds a few hours only is asked thrice in them, but not all the time.
    """
    shortest = min(SHORTEST_INTERVAL, interval)
    beat = max(shortest, min(interval, state.window / 3)) if state.window else interval
    hint = max(max_age, min(state.ttl, 6 * interval))
    again = _next_poll(state.source, beat, hint, now)
    return replace(state, failures=0, gone=0, error="", last_ok_at=now, next_poll_at=again)


def window(articles: Sequence[Article]) -> float:
    """Seconds between the oldest and the newest of a document's articles; 0 where that says nothing."""
    dates = [article.published for article in articles]
    return (max(dates) - min(dates)).total_seconds() if dates else 0.0


def is_due(state: PollState | None, now: datetime) -> bool:
    """Whether to ask a source by ourselves; one that its server called gone three times never again.

    One that answered in the future was asked while our clock ran ahead, so it is not waited for.
    """
    if state is None:
        return True
    ahead = state.last_ok_at is not None and state.last_ok_at > now
    return state.gone < GONE_FOR_GOOD and (state.next_poll_at is None or state.next_poll_at <= now or ahead)


def poll_again(state: PollState, interval: float, retry_after: float | None, now: datetime) -> datetime:
    """When to ask a source again: its beat when it answered, doubling up to 6 h while it fails.

    interval: seconds; retry_after: what the server asked for, honoured up to a day.
    """
    if state.gone:
        wait = GONE_SECONDS
    elif not state.failures:
        return _next_poll(state.source, interval, retry_after or 0.0, now)
    else:
        wait = min(interval * 2.0 ** min(state.failures - 1, 16), 24 * interval, 6 * 3600.0)
    return now + timedelta(seconds=max(wait, min(retry_after or 0.0, 86400.0)))


def _next_poll(source: str, interval: float, hint: float, now: datetime) -> datetime:
    return now + timedelta(seconds=max(interval * (1.0 + 0.1 * _spread(source)), min(hint, 86400.0)))


def _spread(name: str) -> float:
    """A fixed point in [0, 1) for a name, so that sources do not move in step."""
    return crc32(name.encode()) / 2**32


def worth_asking(state: PollState | None, interval: float, now: datetime, *, paced: bool) -> bool:
    """Whether a person who waits for an answer is worth one more request to this source now.

    Not while it is fresh, and not while the server itself said no; a line that failed may be tried.
    paced: a feed, which while it answers is due as soon as its server would have it asked again
    """
    if is_due(state, now):
        return True
    assert state
    if state.gone or (paced and not state.failures):
        return False
    fresh = state.last_ok_at is not None and now - state.last_ok_at < timedelta(seconds=interval)
    return not fresh and not state.error.startswith("HTTP")
