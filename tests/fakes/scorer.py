"""Scores whoever polls feeds, by the list that publishers complain with; see `Scorer.findings`.

with ScoredWeb(clock) as web:       # a FakeWeb that offers cookies and writes down every exchange
    ...
    assert Scorer(web.exchanges).findings() == []
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.fakes.web import Clock, FakeWeb

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SLACK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it. together: requests under way at that moment on this host."""

    now: datetime
    path: str
    query: str
    sent: CIMultiDictProxy[str]
    status: int
    given: Mapping[str, str]
    together: int

    @property
    def conditional(self) -> bool:
        return "If-None-Match" in self.sent or "If-Modified-Since" in self.sent


class ScoredWeb(FakeWeb):
    """A FakeWeb on a clock of the test's."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []
        self._now = clock
        self._under_way = 0

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self._under_way += 1
        together = self._under_way
        try:
            answer = await super()._answer(request)
        finally:
            self._under_way -= 1
        answer.headers["Set-Cookie"] = "reader=1; Path=/"
        given = {name: answer.headers[name] for name in answer.headers}
        query = request.query_string
        self.exchanges.append(
            Exchange(self._now(), request.path, query, request.headers, answer.status, given, together)
        )
        return answer


@dataclass
class Scorer:
    """short: paths of feeds whose window asks for a shorter interval, with that interval."""

    exchanges: Sequence[Exchange]
    short: Mapping[str, timedelta] = field(default_factory=dict)

    def findings(self) -> list[str]:
        """One sentence for each fault; none for a poller with manners."""
        by_path: defaultdict[str, list[Exchange]] = defaultdict(list)
        for exchange in self.exchanges:
            by_path[exchange.path].append(exchange)
        found = [*self._of_each()]
        for path, exchanges in by_path.items():
            found += [f"{path}: {text}" for text in (*self._validators(exchanges), *self._pace(path, exchanges))]
        return found

    def conditional_ratio(self) -> float:
        """Of the requests after the first for each path."""
        later = [one for n, one in enumerate(self.exchanges) if one.path in {e.path for e in self.exchanges[:n]}]
        return sum(one.conditional for one in later) / len(later) if later else 1.0

    def _of_each(self) -> Iterator[str]:
        for one in self.exchanges:
            if "Cookie" in one.sent:
                yield f"{one.path}: a cookie was sent back"
            if "Referer" in one.sent:
                yield f"{one.path}: a needless referrer"
            if one.query:
                yield f"{one.path}: a needless query, {one.query}"
            if not re.search(r"\+https?://", one.sent.get("User-Agent", "")):
                yield f"{one.path}: a User-Agent that tells no address"
            if one.together > 1:
                yield f"{one.path}: {one.together} requests at once on one host"

    def _validators(self, exchanges: Sequence[Exchange]) -> Iterator[str]:
        given: dict[str, list[str]] = {"ETag": [], "Last-Modified": []}
        unconditional = datetime.min.replace(tzinfo=exchanges[0].now.tzinfo)
        for one in exchanges:
            for theirs, ours in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
                sent = one.sent.get(theirs)
                if sent is not None and sent not in given[ours]:
                    yield f"{theirs} made up: {sent}"
                elif sent is not None and sent != given[ours][-1]:
                    yield f"{theirs} out of sequence: {sent}"
            if not one.conditional:
                if any(given.values()) and one.now - unconditional < DAY:
                    yield f"unconditional again at {one.now:%H:%M}"
                unconditional = one.now
            if one.status in (200, 304):
                for name, values in given.items():
                    values += [one.given[name]] if name in one.given else []

    def _pace(self, path: str, exchanges: Sequence[Exchange]) -> Iterator[str]:
        least = self.short.get(path, HOUR)
        for before, after in pairwise(exchanges):
            waited = after.now - before.now
            if before.status not in (301, 308) and waited + SLACK < max(least, _asked_to_wait(before)):
                yield f"asked again after {waited}, {before.status} at {before.now:%H:%M}"


def _asked_to_wait(one: Exchange) -> timedelta:
    """What the answer asked for: Retry-After of an error, max-age of a document."""
    retry, control = one.given.get("Retry-After", ""), one.given.get("Cache-Control", "")
    if retry.isdigit():
        return timedelta(seconds=int(retry))
    if retry:
        return parsedate_to_datetime(retry) - one.now
    fresh = re.search(r"max-age=(\d+)", control)
    return timedelta(seconds=int(fresh[1])) if fresh else timedelta(0)
