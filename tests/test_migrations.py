"""A database of every released schema comes up to date with all that is in it.

tests/databases/schema-NNN.db.gz is a database as the schema of number NNN left it, with a little of everything.
Whoever adds a migration adds the file of the schema before it: `.venv/bin/python -m tests.test_migrations`
writes that of the schema in force.
"""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import storage.schema
from bot.message import Message, Paragraph
from bot.models import (
    Address,
    Alert,
    Article,
    ChatSettings,
    Content,
    Feed,
    Fixing,
    NewsQuery,
    Outcome,
    Outgoing,
    PollState,
    RateTable,
    Schedule,
    Subscription,
    Update,
)
from storage.sqlite import open_store

DATABASES = Path(__file__).parent / "databases"
FILES = sorted(DATABASES.glob("schema-*.db.gz"))
NUMBERS = sorted(
    int(file.stem.removeprefix("m").split("_")[0]) for file in Path(storage.schema.__file__).parent.glob("m*.py")
)
NUMBERS[0] = 9  # what the first file made
HERE = Address("telegram", "42")
MADE = datetime(2025, 11, 24, 16, 0, tzinfo=UTC)
NOW = MADE + timedelta(minutes=1)


@pytest.fixture(params=FILES, ids=lambda file: file.name.removesuffix(".db.gz"))
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "yamchi.db"
    path.write_bytes(gzip.decompress(request.param.read_bytes()))
    return path


def test_there_is_a_database_of_every_schema_that_can_be_in_the_field():
    there = {int(file.name.removeprefix("schema-").removesuffix(".db.gz")) for file in FILES}
    assert set(NUMBERS[:-1]) <= there


def number(path: Path) -> int:
    """Of a database's schema."""
    with closing(sqlite3.connect(path)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM _sqlite_migrations")]
    return max(int(name[1:4]) for name in names)


def tables(path: Path) -> set[tuple[str, str, str]]:
    """What there is and how it was made, but for layout and comments."""
    with closing(sqlite3.connect(path)) as db:
        made = db.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        return {(kind, name, " ".join(sql.split())) for kind, name, sql in made.fetchall()}


async def test_it_has_the_tables_of_a_new_one(older: Path, tmp_path: Path, request: pytest.FixtureRequest):
    assert number(older) == int(request.node.callspec.id.removeprefix("schema-"))
    for path in (older, tmp_path / "new.db"):
        await (await open_store(path)).close()
    assert number(older) == NUMBERS[-1]
    assert tables(older) == tables(tmp_path / "new.db")


async def test_nothing_that_is_in_it_is_lost(older: Path):
    of = number(older)
    store = await open_store(older)
    for word, title in (
        ("summit", "Summit in Tashkent agrees on water"),
        ("саммит", "Саммит в Ташкенте договорился о воде"),
    ):
        assert title in [found.title for found in (await store.find_news(NewsQuery((word,)), 6)).articles]
    state = (await store.poll_states())["timesca"]
    assert (state.etag, state.last_ok_at, state.items) == ('"e"', MADE, 2)
    found = await store.tables("nbk", date(2025, 11, 30) + timedelta(days=365), 9)
    assert [(table.effective_date.day, table.fixing("USD").value) for table in found] == [
        (23, "475.09"),
        (20, "478.77"),
    ]
    settings = await store.chat(HERE)
    assert settings is not None and (settings.zone, settings.language) == ("Asia/Bishkek", "ru")
    held = await store.subscriptions(HERE)
    assert [(one.id, one.schedule.kind, one.content.words, one.content.countries) for one in held] == [
        (1, "daily", ("summit",), ("UZ",)),
        (2, "instant", ("summit",), ("UZ",)),
    ]
    assert [one.feed.id for one in await store.added_feeds()] == ["lake"]
    (edition,) = await store.due_editions(NOW, 9)
    assert (edition.zone, edition.language, edition.feeds) == ("Asia/Bishkek", "ru", "lake")
    assert [(one.base, one.quote, one.level) for one in await store.alerts(HERE)] == (
        [("USD", "KZT", Decimal(520))] if of >= 14 else []
    )
    assert [update.key for update in await store.waiting_updates("telegram", 9)] == ["5"]
    assert await store.token_command("t:abc", HERE) == "/latest summit"
    await store.close()


async def test_what_waits_in_it_is_sent_once_and_what_was_sent_is_not(older: Path):
    store = await open_store(older)
    (waits,) = await store.claim("me", {"telegram"}, NOW, NOW + timedelta(minutes=2), 9)
    assert (waits.event, waits.message) == ("digest:1:2026-11-23", Message((Paragraph("a digest"),)))
    assert await store.settle(waits, Outcome("sent"), NOW)
    assert (await store.ledger()).states == {"sent": 2}
    await store.close()


async def test_an_older_schema_is_only_brought_up_to_date_once(older: Path):
    await (await open_store(older)).close()
    before = older.read_bytes()
    await (await open_store(older)).close()
    assert older.read_bytes() == before


async def make(path: Path) -> None:
    """A little of everything, through the store in force."""
    store = await open_store(path)
    await store.keep_chat(ChatSettings(HERE, "Asia/Bishkek", "ru"), [])
    await store.add_feed(Feed("lake", "The Lake", "https://lake.example/feed", "en"), HERE, "7", MADE)
    titles = (("en", "Summit in Tashkent agrees on water"), ("ru", "Саммит в Ташкенте договорился о воде"))
    articles = [
        Article(
            "timesca",
            f"g{n}",
            f"https://news.example/{n}",
            title,
            "In short.",
            "At length.",
            MADE,
            language=language,
            countries=("UZ",),
        )
        for n, (language, title) in enumerate(titles)
    ]
    poll = PollState("timesca", MADE, '"e"', last_ok_at=MADE, items=2)
    await store.keep_news(poll, [(one, [one.guid]) for one in articles], {}, [], MADE)
    days = ((date(2026, 11, 20), "478.77"), (date(2026, 11, 23), "475.09"))
    tables = [RateTable("nbk", "KZT", day, (Fixing("USD", value),)) for day, value in days]
    await store.keep_tables(PollState("nbk"), tables, [], MADE)
    content = Content(words=("summit",), countries=("UZ",))
    for schedule, due in ((Schedule("daily"), MADE), (Schedule("instant"), None)):
        await store.subscribe(Subscription(0, HERE, schedule, content, MADE, "7", next_due=due))
    await store.set_alert(Alert(0, HERE, "USD", "KZT", "above", Decimal(520), MADE, created_by="7"))
    years = MADE + timedelta(days=36500)
    events = [f"digest:1:2026-11-{day}" for day in (22, 23)]
    await store.enqueue(
        [Outgoing(one, HERE, "digest", Message((Paragraph("a digest"),)), MADE, years) for one in events], MADE
    )
    (first,) = await store.claim("me", {"telegram"}, MADE, NOW, 1)
    await store.settle(first, Outcome("sent"), MADE)
    await store.keep_updates([Update("telegram", "5", "{}")], MADE)
    await store.keep_token("t:abc", HERE, "/latest summit", MADE)
    await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(make(Path(folder) / "yamchi.db"))
        whole = (Path(folder) / "yamchi.db").read_bytes()
    file = DATABASES / f"schema-{NUMBERS[-1]:03}.db.gz"
    file.write_bytes(gzip.compress(whole, 9, mtime=0))
    print(file)
