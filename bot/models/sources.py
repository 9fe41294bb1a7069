"""Feeds and banks, and what is remembered of asking them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """An outlet's feed: a row of feeds.toml or of SOURCES_FILE, or added by a chat.

    spare: where the same articles stand if `url` is refused to us, such as WordPress's REST list; "" for nowhere
    added: by a chat, for itself: a stranger's, which must touch nobody else's news
    """

    id: str
    title: str
    url: str
    language: str
    countries: tuple[str, ...] = ()
    spare: str = ""
    added: bool = False


@dataclass(frozen=True, slots=True)
class AddedFeed:
    """A feed that chats added for themselves. readers: those chats, as (platform, chat); nobody else sees it."""

    feed: Feed
    readers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RateRoad:
    """One way to a bank's figures: which parser reads what stands at which URL.

    url: may hold {date:%d.%m.%Y}, the day asked for in the issuer's zone; "" for a peg
    priority: 0 is always asked; a higher one stands in when those before it fail
    currency: the one it is asked for, "" for all its parser reads; days: how long one table holds
    """

    id: str
    parser: str
    url: str
    priority: int = 0
    currency: str = ""
    days: int = 1


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every source there is: the built-in ones, SOURCES_FILE's, or both.

    histories: roads to many days at once (bot/sources/histories.py), which nobody polls
    """

    feeds: tuple[Feed, ...]
    roads: tuple[RateRoad, ...]
    histories: tuple[RateRoad, ...] = ()


@dataclass(frozen=True, slots=True)
class PollState:
    """What is remembered of a source between two polls. Validators are kept byte for byte.

    url: the source's own address when all this was learnt; another one now, and it is a new source
    moved_to: the new address after a permanent redirect that parsed well
    items: how many entries or rows the last good document held; note: what was wrong with it, "" for nothing
    body: a hash of that document; window: seconds between its oldest and its newest entry, 0 if unknown
    ttl: seconds the feed itself asks to be left alone; gone: how often in a row the server said 410
    """

    source: str
    next_poll_at: datetime | None = None
    etag: str = ""
    last_modified: str = ""
    moved_to: str = ""
    last_ok_at: datetime | None = None
    failures: int = 0
    error: str = ""
    items: int = 0
    url: str = ""
    body: str = ""
    window: float = 0.0
    ttl: float = 0.0
    gone: int = 0
    note: str = ""
