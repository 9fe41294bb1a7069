"""Copies a store from SQLite's file into a PostgreSQL database, and proves that all of it came over.

Rows go in the order of their keys, some thousands to a transaction, so that what is there already says where to go on.
Until the copy has been proved a mark lies in the new database, and nothing but the next try will open it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from psycopg import Connection
from sqlite_utils import Database

from bot.errors import DatabaseError
from bot.models import Article
from bot.wanted import reading
from storage.lock import ServiceLock
from storage.opening import open_writer
from storage.postgres.connection import Postgres, told
from storage.postgres.index import LEARN
from storage.postgres.lock import PostgresLock
from storage.postgres.opening import COPYING, prepare
from storage.postgres.words import vector
from storage.values import EPOCH, one, packed, plain

AT_ONCE: Final = 5_000
LEFT: Final = ("article_", "search_reach", "sqlite_", "_sqlite_")
"""What begins so is SQLite's own, but for article_keys; the index is made anew."""
MARK: Final = f"CREATE TABLE {COPYING} (begun BOOLEAN)"

NUMBERED: Final = """
    SELECT table_name::text FROM information_schema.columns
    WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name NOT LIKE 'procrastinate%'"""

Show = Callable[[str, int, int], None]
"""Told of each step: the table, how many of its rows are done, and how many there are."""


@dataclass(frozen=True)
class Copied:
    """A table that is the same on both sides. sum: of all its rows, in the order of their keys"""

    table: str
    rows: int
    sum: str

    def __str__(self) -> str:
        return f"{self.table:<16}{self.rows:>12,} rows  {self.sum}"


@dataclass(frozen=True)
class _Table:
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    def select(self, where: str = "") -> str:
        columns, key = _listed(self.columns), _listed(self.key)
        return f"SELECT {columns} FROM {self.name} {where} ORDER BY {key}"

    def after(self) -> str:
        return f"WHERE ({_listed(self.key)}) > ({', '.join('?' * len(self.key))})"


def copy_store(path: Path, url: str, show: Show, at_once: int = AT_ONCE) -> list[Copied]:
    """Copy the store in the file at `path` into the database at `url`, or go on with it. Returns what was proved.

    at_once: rows in a transaction

    Raises DatabaseError where either is in use, the database holds something of its own, or the two differ in the end.
    """
    if not path.exists():
        raise DatabaseError(f"{path} does not exist")
    here, there = ServiceLock(path), PostgresLock(url)
    try:
        if not here.acquire() or there.held_elsewhere() or not there.acquire():
            raise DatabaseError("one of the two is in use by `yamchi run`; stop that one first")
        source, target = open_writer(path), Postgres(url)
        try:
            return _copy(source, target.conn.link, cast("Database", target), show, at_once)
        finally:
            source.close()
            target.close()
    except psycopg.Error as error:
        raise told(error) from None
    finally:
        there.release()
        here.release()


def _copy(
    source: Database, link: Connection[tuple[Any, ...]], target: Database, show: Show, at_once: int
) -> list[Copied]:
    tables = _tables(source)
    with link.transaction():
        prepare(target)
        _begin(target, tables)
    for table in tables:
        _copy_table(source, link, target, table, show, at_once)
    with link.transaction():
        for (name,) in target.conn.execute(NUMBERED).fetchall():
            _go_on_counting(source, target, name)
    proved = [_proved(source, link, table) for table in tables]
    if one(target, "SELECT count(*) FROM article_words") != one(source, "SELECT count(*) FROM articles"):
        raise _differ("the index of articles")
    link.execute(f"DROP TABLE {COPYING}")
    link.execute("ANALYZE")
    return proved


def _tables(source: Database) -> list[_Table]:
    """Those that are referred to come first, the lanes also as a row of the outbox looks its shard up there."""
    names = [name for name in source.table_names() if name == "article_keys" or not name.startswith(LEFT)]
    names.sort(key=lambda name: (name != "lanes", len(source.table(name).foreign_keys)))
    return [_table(source, name) for name in names]


def _table(source: Database, name: str) -> _Table:
    columns = source.table(name).columns
    key = tuple(column.name for column in sorted(columns, key=lambda column: column.is_pk) if column.is_pk)
    return _Table(name, tuple(column.name for column in columns), key)


def _begin(target: Database, tables: Sequence[_Table]) -> None:
    """Mark a new database, or know one again that is marked."""
    if one(target, "SELECT to_regclass(?)", COPYING):
        return
    for table in tables:
        if table.name != "pulse" and one(target, f"SELECT EXISTS (SELECT FROM {table.name})"):
            raise DatabaseError(f"the database holds {table.name} already; nothing was changed. Expected an empty one.")
    target.conn.execute("DELETE FROM pulse")
    target.conn.execute(MARK)


def _copy_table(
    source: Database, link: Connection[tuple[Any, ...]], target: Database, table: _Table, show: Show, at_once: int
) -> None:
    total = int(one(source, f"SELECT count(*) FROM {table.name}"))
    done = int(one(target, f"SELECT count(*) FROM {table.name}"))
    last = link.execute(_last(table)).fetchone() if done else None
    rows = source.conn.execute(table.select(table.after() if last else ""), last or ())
    show(table.name, done, total)
    while chunk := rows.fetchmany(at_once):
        with link.transaction():
            _put(link, f"COPY {table.name} ({_listed(table.columns)}) FROM STDIN", chunk)
            if table.name == "articles":
                _put(link, "COPY article_words FROM STDIN", _indexed(table.columns, chunk))
                target.conn.execute(LEARN, (packed([row[table.columns.index("id")] for row in chunk]),))
        done += len(chunk)
        show(table.name, done, total)


def _last(table: _Table) -> str:
    backwards = ", ".join(f"{_listed([name])} DESC" for name in table.key)
    return f"SELECT {_listed(table.key)} FROM {table.name} ORDER BY {backwards} LIMIT 1"


def _put(link: Connection[tuple[Any, ...]], copy: str, rows: Iterable[Sequence[object]]) -> None:
    with link.cursor() as cursor, cursor.copy(cast("Any", copy)) as copying:
        for row in rows:
            copying.write_row(row)


def _indexed(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[tuple[object, ...]]:
    for row in (dict(zip(columns, values, strict=True)) for values in rows):
        texts = {name: row[name] for name in ("language", "title", "lead", "text")}
        yield row["id"], plain(vector(row, reading(Article("", "", "", published=EPOCH, **texts))))


def _go_on_counting(source: Database, target: Database, name: str) -> None:
    """No number is given twice, nor one that was given before and dropped."""
    given = one(source, "SELECT seq FROM sqlite_sequence WHERE name = ?", name) or 0
    most = max(int(given), int(one(source, f"SELECT max(id) FROM {name}") or 0))
    if most:
        one(target, "SELECT setval(pg_get_serial_sequence(?, 'id'), ?)", name, most)


def _proved(source: Database, link: Connection[tuple[Any, ...]], table: _Table) -> Copied:
    here = _sum(table.name, source.conn.execute(table.select()))
    with link.transaction(), link.cursor("rows") as cursor:
        cursor.itersize = AT_ONCE
        there = _sum(table.name, cursor.execute(table.select()))
    if here != there:
        raise _differ(table.name)
    return here


def _sum(name: str, rows: Iterable[Sequence[object]]) -> Copied:
    digest, count = blake2b(digest_size=16), 0
    for row in rows:
        digest.update(repr(tuple(row)).replace("\\x00", "\ufffd").encode("utf-8", "replace"))
        count += 1
    return Copied(name, count, digest.hexdigest())


def _differ(what: str) -> DatabaseError:
    return DatabaseError(
        f"{what}: the copy differs. The old store was changed meanwhile; empty the new database and start again"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
