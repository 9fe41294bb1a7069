"""What a power cut leaves of the database: the commits that were acknowledged, and nothing half done.

Between two commits every byte that was written is also synced (PRAGMA synchronous=2; see
tests/test_sqlite.py). A cut in the middle of the next one may leave any part of what that one
writes, in sectors of 512 bytes, in any order, as rubbish or not at all; the rest stays.
"""

from __future__ import annotations

import random
import sqlite3
from bisect import bisect
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.message import Message, Paragraph
from bot.models import Address, Outgoing
from storage.sqlite import SqliteStore, open_store
from storage.values import one
from tests.tally import Tell

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SECTOR = 512
CHATS = 3


@dataclass(frozen=True)
class Disk:
    """The bytes of the database and of its log."""

    database: bytes
    log: bytes

    @classmethod
    def of(cls, path: Path) -> Disk:
        return cls(path.read_bytes(), log_of(path).read_bytes())

    def put(self, path: Path) -> None:
        path.write_bytes(self.database)
        log_of(path).write_bytes(self.log)


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def sectors(data: bytes) -> list[bytes]:
    return [data[at : at + SECTOR] for at in range(0, len(data), SECTOR)]


def same_until(one_: bytes, other: bytes) -> int:
    """Where two texts part."""
    return bisect(range(min(len(one_), len(other))), 0, key=lambda at: one_[: at + 1] != other[: at + 1])


def mixed(before: bytes, after: bytes, became: Callable[[bytes, bytes], bytes]) -> bytes:
    """`after`, with every sector that changed as became(old, new) says; a new one was zeroes before.

    What stands in a sector before the first byte that changed stays (SQLite counts on that, and calls
    it powersafe overwrite).
    """

    def told(old: bytes, new: bytes) -> bytes:
        kept = same_until(old, new)
        return new[:kept] + became(old[kept:], new[kept:])

    olds = sectors(before.ljust(len(after), b"\0")[: len(after)])
    return b"".join(told(old, new) for old, new in zip(olds, sectors(after), strict=True))


Cut = Callable[[random.Random, Disk, Disk], Disk]


def truncated(dice: random.Random, before: Disk, after: Disk) -> Disk:
    """The log ends somewhere in what was just written; where it is written over, that goes on no further."""
    upto = dice.randrange(same_until(before.log, after.log), len(after.log))
    return Disk(before.database, after.log[:upto] + before.log[upto:])


def partial(dice: random.Random, before: Disk, after: Disk) -> Disk:
    """Some sectors of the log arrived, some did not."""
    share = dice.random()
    return Disk(before.database, mixed(before.log, after.log, lambda old, new: new if dice.random() < share else old))


def garbled(dice: random.Random, before: Disk, after: Disk) -> Disk:
    """Some sectors of the log became rubbish."""
    share = dice.choice([0.05, 0.5, 1.0])
    log = mixed(before.log, after.log, lambda _, new: dice.randbytes(len(new)) if dice.random() < share else new)
    return Disk(before.database, log)


def zeroed(dice: random.Random, before: Disk, after: Disk) -> Disk:
    """The log has its new length, but what was to be there are zeroes."""
    share = dice.choice([0.05, 0.5, 1.0])
    log = mixed(before.log, after.log, lambda _, new: bytes(len(new)) if dice.random() < share else new)
    return Disk(before.database, log)


def folding(dice: random.Random, before: Disk, after: Disk) -> Disk:
    """The log is whole; folding it back into the database was under way."""
    share = dice.random()
    whole = mixed(before.database, after.database, lambda old, new: new if dice.random() < share else old)
    return Disk(whole, after.log)


CUTS: list[Cut] = [truncated, partial, garbled, zeroed]


def digests(number: int, dice: random.Random) -> list[Outgoing]:
    """One commit: the same event for a few chats, of a few pages or many."""
    message = Message((Paragraph(f"{number} " + "x" * dice.choice([100, 5_000, 60_000])),))
    until = NOW + timedelta(hours=6)
    addresses = [Address("telegram", str(chat)) for chat in range(CHATS)]
    return [Outgoing(str(number), address, "digest", message, NOW, until) for address in addresses]


async def commit(store: SqliteStore, number: int, dice: random.Random) -> None:
    assert await store.enqueue(digests(number, dice), NOW) == CHATS


async def survived(path: Path) -> int:
    """How many commits are in this image, opened as the program does: an unbroken row from the first, each whole."""
    store = await open_store(path)
    try:
        await store.ping()
        assert await store._writer.run(one, "PRAGMA integrity_check") == "ok"
    finally:
        await store.close()
    with closing(sqlite3.connect(path)) as db:
        found = Counter(int(event) for (event,) in db.execute("SELECT event FROM outbox"))
    assert found == dict.fromkeys(range(1, len(found) + 1), CHATS)
    return len(found)


@pytest.mark.parametrize("images", [30, pytest.param(300, marks=pytest.mark.chaos)])
async def test_a_power_cut_leaves_every_acknowledged_commit_and_no_half_one(tmp_path: Path, images: int, tell: Tell):
    dice = random.Random(20261123)
    store = await open_store(tmp_path / "yamchi.db")
    assert await store._writer.run(one, "PRAGMA synchronous") == 2
    await store._writer.run(one, "PRAGMA wal_autocheckpoint = 100")  # pages: so that folding is often cut, too
    number, opened, with_the_last = 0, Counter[str](), 0
    while opened.total() < images:
        for _ in range(dice.randrange(1, 12)):
            number += 1
            await commit(store, number, dice)
        before = Disk.of(tmp_path / "yamchi.db")
        number += 1
        await commit(store, number, dice)
        after = Disk.of(tmp_path / "yamchi.db")
        folded = before.database != after.database
        for cut in dice.sample(CUTS, 2) + [folding] * folded:
            image = tmp_path / f"{cut.__name__}-{opened.total()}.db"
            cut(dice, before, after).put(image)
            there = await survived(image)
            assert number - 1 <= there <= number, f"{cut.__name__}: {there} commits, {number - 1} were acknowledged"
            assert cut is not folding or there == number
            opened[cut.__name__] += 1
            with_the_last += there == number
            image.unlink()
    await store.close()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(opened.items()))
    tell(
        f"power cut: {opened.total()} images ({kinds}) after {number} commits: acknowledged and lost 0, half 0, "
        f"damaged 0; the commit under way was there in {with_the_last}"
    )


async def test_a_disk_that_loses_what_it_said_was_synced_would_be_noticed(tmp_path: Path):
    dice = random.Random(1)
    store = await open_store(tmp_path / "yamchi.db")
    await commit(store, 1, dice)
    before = Disk.of(tmp_path / "yamchi.db")
    for number in (2, 3):
        await commit(store, number, dice)
    after = Disk.of(tmp_path / "yamchi.db")
    await store.close()
    Disk(after.database, after.log[: len(before.log)]).put(tmp_path / "image.db")
    assert await survived(tmp_path / "image.db") == 1
