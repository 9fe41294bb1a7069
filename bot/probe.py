"""`yamchi probe`: what a source really answers just now. Writes nothing, so it may run beside the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Final

from bot import rules
from bot.compose.moments import age
from bot.errors import SettingsError, SourceError
from bot.fetch import Fetched, Fetcher
from bot.locales import tongue
from bot.models import Catalogue, Feed, PollState, RateRoad
from bot.parsing import Parser
from bot.ports import Clock
from bot.sources import banks, feeds
from bot.store import Store

STALE: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Answered:
    """One source. facts: lines of plain English."""

    name: str
    ok: bool
    facts: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"{self.name}: {'ok' if self.ok else 'NOT WELL'}", *(f"  {fact}" for fact in self.facts)])


@dataclass(frozen=True)
class Probe:
    """Asks sources as a poll would, without its validators.

    interval: seconds between two polls of a feed, unless the feed itself says otherwise
    """

    store: Store
    fetcher: Fetcher
    parser: Parser
    clock: Clock
    interval: float

    async def run(self, sources: Sequence[Feed | RateRoad]) -> AsyncIterator[Answered]:
        """Each source, as soon as it has answered."""
        states = await self.store.poll_states()
        for done in asyncio.as_completed([self._ask(source, states.get(source.id)) for source in sources]):
            yield await done

    async def _ask(self, source: Feed | RateRoad, state: PollState | None) -> Answered:
        if not source.url:
            return Answered(source.id, ok=True, facts=("declared by the issuer, nothing to fetch",))
        url = source.url
        if isinstance(source, RateRoad):
            url = url.format(date=self.clock().astimezone(banks()[source.parser].zone).date())
        try:
            fetched = await self.fetcher.get(url)
            read = self._feed(source, fetched) if isinstance(source, Feed) else self._table(source, fetched)
            ok, facts = await read
        except SourceError as error:
            ok, facts = (
                False,
                [f"{error}{', it keeps us out' if error.blocked and str(error).startswith('HTTP') else ''}"],
            )
        return Answered(source.id, ok, (url, *facts, *_stored(state, self.clock())))

    async def _feed(self, feed: Feed, fetched: Fetched) -> tuple[bool, list[str]]:
        parsed = await self.parser.feed(fetched.body, fetched.headers, fetched.url)
        now = self.clock()
        articles = feeds.articles(feed, parsed, now)
        dated = [entry.published for entry in parsed.entries if entry.published]
        count = f"{len(parsed.entries)} {'entry' if len(parsed.entries) == 1 else 'entries'}"
        facts = [f"a feed: {parsed.title or 'no title'}, {count}, {len(fetched.body):,} bytes"]
        facts += [f"moved for good to {fetched.moved_to}"] if fetched.moved_to else []
        if dated:
            span = (max(dated) - min(dated)).total_seconds() / 3600
            facts.append(f"newest {_ago(max(dated), now)}, spanning {span:.1f} hours")
        state = rules.read_well(
            PollState(feed.id, window=rules.window(articles), ttl=parsed.ttl), self.interval, fetched.max_age, now
        )
        assert state.next_poll_at
        facts.append(f"asked again after {(state.next_poll_at - now).total_seconds() / 60:.0f} min")
        faults = [
            "" if parsed.complete else "cut short",
            "" if dated else "no dates",
            "stale" if dated and now - max(dated) > STALE else "",
            "" if articles else "no entry has a title and a web link",
        ]
        facts += [fault for fault in faults if fault]
        if not (fetched.headers.get("etag") or fetched.headers.get("last-modified")):
            facts.append("no validators: it is sent whole every time")
        return not any(faults), facts

    async def _table(self, road: RateRoad, fetched: Fetched) -> tuple[bool, list[str]]:
        table = await self.parser.table(road.parser, fetched.body)
        facts = [f"a table of {table.effective_date}: {len(table.fixings)} rates, {len(fetched.body):,} bytes"]
        return bool(table.fixings), [*facts, *table.problems]


def chosen(catalogue: Catalogue, added: Sequence[Feed], name: str) -> list[Feed | RateRoad]:
    """The sources of this name: all for "", one by its id, or any address as a feed. Raises SettingsError."""
    known: list[Feed | RateRoad] = [*catalogue.feeds, *added, *catalogue.roads]
    if not name:
        return known
    if "://" in name or "." in name:  # no name has a dot
        return [Feed(name, name, name if "://" in name else f"https://{name}", "en")]
    found = [source for source in known if source.id == name]
    if not found:
        near = get_close_matches(name, [source.id for source in known], 1)
        raise SettingsError(f"no source is called {name}" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def _stored(state: PollState | None, now: datetime) -> list[str]:
    """What the last poll left behind."""
    if state is None:
        return ["never polled"]
    told = f"last read {_ago(state.last_ok_at, now)}" if state.last_ok_at else "never read well"
    return [f"{told}; {state.error}" if state.error else told]


def _ago(when: datetime, now: datetime) -> str:
    return age(now - when, tongue("en"))
