"""A newsroom and the five banks at the wire, and the settings that lead the program to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.fakes.banks import FakeBanks
from tests.fakes.feeds import FakeFeed, FakeFeeds, allow, sources_toml
from tests.fakes.web import FakeWeb

BEFORE_NINE = datetime(2026, 11, 23, 3, 59, 50, tzinfo=UTC)
"""Ten seconds to nine on a Monday morning in Almaty."""

FIGURES = {
    "nbk": [("478.77", 1), ("475.09", 1)],
    "nbkr": [("87.4500", 1), ("87.4600", 1)],
    "cbu": [("12142.10", 1), ("12149.84", 1)],
    "nbt": [("9.3371", 1), ("9.3288", 1)],
}


@dataclass
class World:
    """What the program can reach. `env` is all it needs to know."""

    web: FakeWeb
    banks: FakeBanks
    feeds: FakeFeeds
    env: dict[str, str]
    folder: Path
    now: datetime

    def outlet(self, name: str = "timesca", **more: object) -> FakeFeed:
        feed = self.feeds.add(name, **more)
        self.settle()
        return feed

    def settle(self) -> None:
        """Write the SOURCES_FILE anew."""
        (self.folder / "sources.toml").write_text(sources_toml(self.banks, self.feeds))

    def publish(self, feed: FakeFeed, *titles: str, minutes: int = 30) -> None:
        """Articles of so many minutes ago and older, the first one newest."""
        for n, title in reversed(list(enumerate(titles))):
            when = self.now - timedelta(minutes=minutes + n)
            feed.publish(title, f"{title}, in short.", f"<p>{title}, at length.</p>", when)


@contextmanager
def open_world(folder: Path, now: datetime = BEFORE_NINE) -> Iterator[World]:
    """Four banks with a fixing of today and of the working day before; outlets are added by the test."""
    started = datetime.now(UTC)

    def clock() -> datetime:
        return now + (datetime.now(UTC) - started)

    with FakeWeb() as web:
        banks, feeds = FakeBanks(web, clock), FakeFeeds(web, clock)
        today = now.astimezone(UTC).date()
        for bank, (before, current) in FIGURES.items():
            banks.set(bank, today - timedelta(days=3), {"USD": before, "EUR": ("500.00", 1)})
            banks.set(bank, today, {"USD": current, "EUR": ("501.00", 1)})
        env = {
            "YAMCHI_TEST_NOW": now.isoformat(),
            "SOURCES_FILE": "sources.toml",
            "FETCH_ALLOW": allow(banks, feeds),
            "POLL_NEWS_SECONDS": "1",
            "POLL_RATES_SECONDS": "1",
            "HTTP_LISTEN": "127.0.0.1:0",
        }
        world = World(web, banks, feeds, env, folder, now)
        world.settle()
        yield world


def day(text: str) -> date:
    return date.fromisoformat(text)
