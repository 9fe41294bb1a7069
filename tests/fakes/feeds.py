"""Outlets over HTTP, in the shapes of the real ones, and the settings that lead a bot to them.

feeds = FakeFeeds(web, clock)
feed = feeds.add("timesca", shape="wordpress", countries=("KZ", "UZ"))
item = feed.publish("A title", "A lead.", "<p>A body.</p>", published)
feed.edit(item, title="A better title")

SOURCES_FILE=...     sources_toml(banks, feeds)
FETCH_ALLOW=...      allow(banks, feeds)
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from aiohttp import web

from tests.fakes.banks import PER_DATE, FakeBanks
from tests.fakes.shapes import CONTENT_TYPES, SHAPES, Item, Shape
from tests.fakes.web import Clock, FakeWeb, http_date, unchanged, wall_clock


@dataclass(slots=True)
class Tally:
    """How the feed was asked.

    made_up: requests with a validator that was never given out
    """

    polls: int = 0
    conditional: int = 0
    not_modified: int = 0
    made_up: int = 0

    @property
    def conditional_ratio(self) -> float:
        """Of the polls after the first one, which cannot be conditional."""
        return self.conditional / (self.polls - 1) if self.polls > 1 else 1.0


@dataclass
class FakeFeed:
    """A feed. `items`: what its document holds, in its order (newest first); a test may rearrange them.

    link_root: where links lead unless a test says otherwise
    """

    id: str
    shape: Shape
    title: str
    language: str
    countries: tuple[str, ...]
    url: str
    clock: Clock
    link_root: str
    items: list[Item] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    _numbered: int = 0
    _version: tuple[str, str] = ("", "")
    _given_out: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        """Where faults are set and requests are counted."""
        return f"/feeds/{self.id}"

    def publish(
        self,
        title: str,
        lead: str,
        body: str,
        published: datetime,
        guid: str | None = None,
        link: str | None = None,
        opinion: bool = False,
    ) -> Item:
        """A new entry at the top. guid, link: None for the outlet's own, "" for none at all."""
        self._numbered += 1
        link = f"{self.link_root}/{self._numbered}/" if link is None else link
        own = {"wordpress": f"{self.link_root}/?p={self._numbered}", "atom": f"tag:{self.id},2026:{self._numbered}"}
        guid = own.get(self.shape, link) if guid is None else guid
        title = f"Opinion: {title}" if opinion else title
        item = Item(title, lead, body, published, guid, link, opinion)
        self.items.insert(0, item)
        return item

    def edit(self, item: Item, **changes: Any) -> Item:
        """The same entry, worded or addressed otherwise."""
        edited = replace(item, **changes)
        self.items[self.items.index(item)] = edited
        return edited

    def change_guids(self) -> None:
        """As after a move to another system: every guid is new, nothing else is."""
        self.items = [replace(item, guid=f"moved-{item.guid}") for item in self.items]

    async def answer(self, request: web.Request) -> web.Response:
        write, encoding = SHAPES[self.shape]
        body = write(self.title, self.link_root, self.items).encode(encoding, "xmlcharrefreplace")
        etag = f'"{sha256(body).hexdigest()[:20]}"'
        if etag != self._version[0]:
            self._version = (etag, http_date(self.clock()))
            self._given_out.update(self._version)
        known = unchanged(request, *self._version)
        self._count(request, known=known)
        headers = dict(zip(("ETag", "Last-Modified"), self._version, strict=True))
        if known:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, headers=headers | {"Content-Type": CONTENT_TYPES[self.shape]})

    def _count(self, request: web.Request, *, known: bool) -> None:
        sent = [request.headers[name] for name in ("If-None-Match", "If-Modified-Since") if name in request.headers]
        self.tally.polls += 1
        self.tally.conditional += bool(sent)
        self.tally.not_modified += known
        self.tally.made_up += any(validator not in self._given_out for validator in sent)


class FakeFeeds:
    """The feeds on this server."""

    def __init__(self, server: FakeWeb, clock: Clock = wall_clock) -> None:
        self.web = server
        self.feeds: dict[str, FakeFeed] = {}
        self._clock = clock

    def add(
        self,
        name: str,
        shape: Shape = "wordpress",
        title: str = "",
        language: str = "",
        countries: tuple[str, ...] = (),
    ) -> FakeFeed:
        """A new, empty outlet; the server must be up."""
        language = language or ("ru" if shape == "cp1251" else "en")
        url, links = f"{self.web.url}/feeds/{name}", f"https://{name}.invalid"
        feed = FakeFeed(name, shape, title or name.title(), language, countries, url, self._clock, links)
        self.feeds[name] = feed
        self.web.route(feed.path, feed.answer)
        return feed


def sources_toml(
    banks: FakeBanks | None = None, feeds: FakeFeeds | None = None, roads: Sequence[str] = PER_DATE
) -> str:
    """A SOURCES_FILE of these and nothing else. roads: which of the banks' documents, by name."""
    tables = ["replace = true\n"]
    for feed in feeds.feeds.values() if feeds else ():
        row = {"id": feed.id, "title": feed.title, "url": feed.url, "language": feed.language}
        tables.append(_table("feeds", row | {"countries": list(feed.countries)}))
    tables += [_table("rates", {"id": bank, "url": banks.url(bank)}) for bank in roads if banks]
    return "\n".join(tables)


def allow(banks: FakeBanks | None = None, feeds: FakeFeeds | None = None) -> str:
    """The FETCH_ALLOW that goes with it."""
    return ",".join(sorted({fake.web.allow for fake in (banks, feeds) if fake}))


def _table(name: str, row: dict[str, Any]) -> str:
    # A JSON string or list of strings is a TOML one as well.
    return f"[[{name}]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in row.items())
