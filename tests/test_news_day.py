"""A day of nine feeds: edits, new guids, outages, a redirect; each article is told once, and the poller has manners."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp

from tests.fakes.faults import html_page, redirect, status
from tests.fakes.feeds import FakeFeed, FakeFeeds
from tests.fakes.scorer import ScoredWeb, Scorer
from tests.fakes.web import http_date
from tests.test_feed_polls import HOUR, START, Newsroom, row

SHAPES = ("wordpress", "teaser", "cp1251", "atom", "wordpress", "teaser", "atom", "wordpress", "teaser")
MINUTE = timedelta(minutes=1)
RESTART = 13
TROUBLES = {
    4: status(500),
    6: html_page(),
    10: status(502, "<html>Bad gateway</html>"),
    14: status(429, retry_after=7200),
}


class Day:
    """What the outlets do, hour by hour."""

    def __init__(self, room: Newsroom, web: ScoredWeb) -> None:
        self.room, self.web = room, web
        self.feeds = [room.feeds.add(f"outlet{n}", shape) for n, shape in enumerate(SHAPES)]
        self.told: list[str] = []
        for n, feed in enumerate(self.feeds):
            for m in range(8):
                title = f"Old matter {m} of outlet {n}"
                feed.publish(title, "In short.", f"<p>At length {m}.</p>", START - timedelta(hours=20 - 2 * m))
                self.told += [title] if m >= 5 else []  # the first look tells three

    def publish(self, feed: FakeFeed, hour: int) -> None:
        title = f"Matter of {feed.id} at {hour}"
        feed.publish(title, f"It happened {hour}.", f"<p>It happened {hour}. At length.</p>", self.room.now - MINUTE)
        self.told.append(title)

    def hour(self, hour: int) -> None:
        """Something new somewhere, and one of the day's troubles."""
        _, edits, guids, dead, moved, emptied, shuffled, undated, patient = self.feeds
        for n, feed in enumerate(self.feeds[1:], 1):
            if hour % 9 == n:
                self.publish(feed, hour)
        if hour in (5, 11):
            edits.edit(edits.items[0], title=f"{edits.items[0].title}, corrected", lead=f"Otherwise {hour}.")
        if hour in (6, 15):
            guids.change_guids()
        if hour == 7:
            shuffled.items.reverse()
            self.kept, emptied.items = emptied.items, []
        if hour == 9:
            emptied.items = self.kept
            undated.publish("From the future", "Soon.", "", self.room.now + timedelta(days=30))
            self.told.append("From the future")
        if hour in TROUBLES:
            self.web.fault(dead.path, TROUBLES[hour])
        if hour == 18:
            self.web.mend(dead.path)
        if hour == 8:
            self.web.route("/moved", moved.answer)
            self.web.fault(moved.path, redirect(f"{self.web.url}/moved", 301))
        if hour == 16:
            self.web.mend(moved.path)
            self.web.fault("/moved", status(404))
        if hour == 12:
            self.web.fault(patient.path, status(503, retry_after=http_date(self.room.now + 3 * HOUR)), times=1)


async def test_each_article_is_told_once_whatever_becomes_of_it(tmp_path: Path):
    room: Newsroom
    with ScoredWeb(lambda: room.now) as web:
        room = Newsroom(FakeFeeds(web, lambda: room.now), tmp_path)
        day = Day(room, web)
        rows = [row(feed) for feed in day.feeds]
        hours = iter(range(24))
        for until in (RESTART, 24):
            async with room.opened(*rows):
                for hour in hours:
                    day.hour(hour)
                    for _ in range(12):
                        await room.poll(5 * MINUTE)
                    if hour == until - 1:
                        break
        for _ in range(8):  # what is still to be asked
            async with room.opened(*rows):
                await room.poll(6 * HOUR)
                events = await room.events()
    assert sorted(events) == sorted(day.told)
    quiet = Scorer([one for one in web.exchanges if one.path == day.feeds[0].path])
    assert len(quiet.exchanges) >= 20
    assert quiet.conditional_ratio() >= 0.95
    there = {"/moved": day.feeds[4].path}
    found = Scorer([replace(one, path=there.get(one.path, one.path)) for one in web.exchanges]).findings()
    assert not found, "\n".join(found)


async def test_a_careless_poller_is_found_out(tmp_path: Path):
    now = START
    with ScoredWeb(lambda: now) as web:
        feed = FakeFeeds(web, lambda: now).add("steppe")
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            for headers in (
                {},
                {"Referer": "https://reader.example/"},
                {"If-Modified-Since": http_date(now), "If-None-Match": "1"},
                {"User-Agent": "reader (+https://reader.example)"},
            ):
                await session.get(f"{feed.url}?now=1", headers=headers)
                now += timedelta(minutes=7)
    told = " ".join(Scorer(web.exchanges).findings())
    for fault in (
        "a cookie was sent back",
        "a needless referrer",
        "a needless query",
        "tells no address",
        "If-None-Match made up: 1",
        "unconditional again",
        "asked again after 0:07:00",
    ):
        assert fault in told
    assert Scorer(web.exchanges).conditional_ratio() == 1 / 3
