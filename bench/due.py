"""Digests that fall due among a million subscriptions, beside one APScheduler job each.

    .venv/bin/python -m bench.due [SUBSCRIPTIONS, 1000000]

Prints what a tick costs when nothing is due, what finding the due costs beside a scan for them, how many rows a second
are selected, enqueued and planned anew in the busiest minute, and what memory grows by.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from bot.announce import Announcer
from bot.due import next_due
from bot.models import Catalogue, Content, Schedule
from storage.chats import content_text
from storage.sqlite import SqliteStore, open_store
from storage.values import instant, micros

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)
CITIES = "Almaty Bishkek Tashkent Dushanbe Ashgabat Tokyo Kolkata Dubai Yerevan Baku Tbilisi Karachi Kabul Omsk"
ZONES = [*(f"Asia/{city}" for city in CITIES.split()), "Europe/Berlin", "America/New_York"]
CONTENTS = [Content(), Content(rates=False), *(Content((word,)) for word in ("water", "gas", "rail", "summit"))]
CHUNK = 50_000
DAY = 86_400_000_000
CHAT = "INSERT INTO chats (platform, chat, zone, language) VALUES (?, ?, ?, ?)"
ORDER = """
    INSERT INTO subscriptions (platform, chat, thread, edition, created_at, created_by, previous_due, next_due)
    VALUES (?, ?, '', ?, 0, '', ?, ?)"""
EDITION = "INSERT INTO editions VALUES (?, 'daily', ?, 0, ?, ?, ?, '')"


def megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def fill(path: Path, count: int) -> None:
    """Half of them at nine, the others at any minute; straight into the tables."""
    chance = random.Random(1)
    db = sqlite3.connect(path)
    editions: dict[tuple[str, ...], int] = {}
    planned: dict[tuple[time, str], int] = {}
    for first in range(0, count, CHUNK):
        chats, orders = [], []
        for n in range(first, min(first + CHUNK, count)):
            zone = ZONES[0] if chance.random() < 0.4 else chance.choice(ZONES)
            at = time(9) if chance.random() < 0.5 else time(chance.randrange(24), chance.randrange(60))
            if (at, zone) not in planned:
                planned[at, zone] = micros(next_due(Schedule("daily", at), zone, MIDNIGHT) or MIDNIGHT)
            due, language = planned[at, zone], chance.choice(("en", "ru"))
            asked = at.isoformat(), content_text(chance.choice(CONTENTS)), zone, language
            edition = editions.setdefault(asked, len(editions) + 1)
            chats.append(("telegram", str(n), zone, language))
            orders.append(("telegram", str(n), edition, due - DAY, due))
        with db:
            db.executemany(CHAT, chats)
            db.executemany(ORDER, orders)
    with db:
        db.executemany(EDITION, [(number, *asked) for asked, number in editions.items()])
    db.close()


def minutes(path: Path) -> tuple[datetime, datetime]:
    """The first instant at which any are due, and that at which most are."""
    db = sqlite3.connect(path)
    counted = "SELECT next_due, count(*) AS n FROM subscriptions GROUP BY 1 ORDER BY "
    first, most = (db.execute(counted + order).fetchone()[0] for order in ("1", "n DESC"))
    db.close()
    return instant(first), instant(most)


def scan(path: Path, now: datetime) -> tuple[int, float]:
    """How many are due, and the milliseconds it takes to look at every row for that."""
    db = sqlite3.connect(path)
    start = perf_counter()
    every = "SELECT count(*) FROM subscriptions NOT INDEXED WHERE next_due <= ?"
    (due,) = db.execute(every, (micros(now),)).fetchone()
    taken = perf_counter() - start
    db.close()
    return due, taken * 1000


def look(path: Path, now: datetime) -> tuple[float, int]:
    """The milliseconds in which the index gives the due, and how many they are."""
    db = sqlite3.connect(path)
    taken = []
    for _ in range(5):
        start = perf_counter()
        selected = "SELECT id, edition, previous_due FROM subscriptions WHERE next_due <= ? ORDER BY next_due, id"
        found = db.execute(selected, (micros(now),)).fetchall()
        taken.append((perf_counter() - start) * 1000)
    db.close()
    return median(taken), len(found)


async def tick(announcer: Announcer, now: datetime, runs: int = 1) -> tuple[int, float]:
    """How many digests it enqueued, and the milliseconds a tick took."""
    taken = []
    count = 0
    for _ in range(runs):
        start = perf_counter()
        count += await announcer.due(now)
        taken.append((perf_counter() - start) * 1000)
    return count, median(taken)


async def find(store: SqliteStore, now: datetime) -> float:
    taken = []
    for _ in range(5):
        start = perf_counter()
        await store.due_editions(now, 10_000)
        taken.append((perf_counter() - start) * 1000)
    return median(taken)


async def ours(path: Path, count: int) -> None:
    store = await open_store(path)
    fill(path, count)
    announcer = Announcer(store, Catalogue((), ()), "Asia/Almaty", "en", timedelta(hours=24))
    start = perf_counter()
    await announcer.due(MIDNIGHT)
    print(f"every plan checked once at the start: {perf_counter() - start:.1f} s")
    before = megabytes()
    _, nothing = await tick(announcer, MIDNIGHT, 200)
    print(f"nothing due among {count:,}: a tick takes {nothing:.3f} ms")
    first, busiest = minutes(path)
    due, scanned = scan(path, first)
    found = await find(store, first)
    indexed, _ = look(path, first)
    print(f"{due:,} due: selected in {indexed:.2f} ms, by a scan in {scanned:.0f} ms: {scanned / indexed:,.0f}x")
    print(f"{due:,} due: grouped into editions in {found:.2f} ms, {scanned / found:,.0f}x as quick as that scan")
    sent, taken = await tick(announcer, busiest - timedelta(minutes=1))
    print(f"{sent:,} of earlier minutes, selected, enqueued and planned anew: {sent / taken * 1000:,.0f} rows/s")
    _, scanned = scan(path, busiest)
    for day in range(2):
        await tick(announcer, busiest + timedelta(days=day, minutes=-1))
        sent, taken = await tick(announcer, busiest + timedelta(days=day))
        when = ("the first time ever", "a day later")[day]
        print(f"{sent:,} of the busiest minute, {when}, in {taken:,.0f} ms: {sent / taken * 1000:,.0f} rows/s")
    print(f"memory grew by {megabytes() - before:.0f} MB")
    await store.close()


def peer(count: int) -> None:
    """One CronTrigger job for each subscription, in memory."""
    chance = random.Random(1)
    before, start = megabytes(), perf_counter()
    scheduler = AsyncIOScheduler(timezone="UTC")
    scheduler.start(paused=True)
    for _ in range(count):
        scheduler.add_job(print, CronTrigger(hour=chance.randrange(24), timezone=chance.choice(ZONES)))
    taken = perf_counter() - start
    print(f"APScheduler, {count:,} jobs: {megabytes() - before:.0f} MB, {taken:.1f} s at every start")
    scheduler.shutdown(wait=False)


async def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        await ours(Path(folder) / "yamchi.db", count)
    for jobs in (10_000, 100_000):
        if jobs <= count:
            peer(jobs)


if __name__ == "__main__":
    asyncio.run(main())
