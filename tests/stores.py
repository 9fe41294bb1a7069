"""A new store in a few milliseconds."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from storage.opening import open_writer
from storage.sqlite import SqliteStore, open_store


async def new_store(path: Path) -> SqliteStore:
    """open_store on a file that has all its tables already and nothing in them.

    Making the tables takes longer than most tests do; the tests of that (tests/test_sqlite.py) call open_store.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_empty())
    return await open_store(path)


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "yamchi.db"
        open_writer(path).close()
        return path.read_bytes()
