"""A real PostgreSQL for the tests: a server of their own in a temporary folder, and a database.

Every process of `pytest -n` starts one, at its first test that needs it; it listens on loopback and on a socket in its
folder, and is stopped when the process ends.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path

import psycopg

from tests.ports import held_port

OLDEST = 15
USER = "yamchi"
IN_HASTE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""For tests that nothing survives of."""
SETTINGS = ("shared_buffers=64MB", "max_connections=100", "jit=off", "timezone=Pacific/Apia", "autovacuum=off")
"""A zone of its own, so that whatever depends on the server's is found out."""


class Server:
    """One cluster in `folder`. durable: commits reach the disk, as an operator's do."""

    def __init__(self, folder: Path, port: int, *, durable: bool) -> None:
        self.folder = folder
        self.port = port
        self._programs = programs()
        self._settings = (*SETTINGS, *(() if durable else IN_HASTE))
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._run("initdb", "-D", self._data, "-U", USER, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns once it answers."""
        options = [f"-c{setting}" for setting in (*self._settings, f"port={self.port}", "listen_addresses=127.0.0.1")]
        command = [self._programs / "postgres", "-D", self._data, f"-k{self.folder}", *options]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log, **_unprivileged())
        while True:
            with suppress(psycopg.OperationalError), self.connect("postgres"):
                return
            if self._process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: at once, connections are cut; SIGQUIT: as if it had crashed."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(database), autocommit=True)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a new database without tables, dropped at the end."""
        name = f"test{next(self._numbers)}"
        with self.connect("postgres") as admin:
            admin.execute(f"CREATE DATABASE {name}")
        yield self.url(name)
        with self.connect("postgres") as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **_unprivileged())


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server]:
    """A server of the caller's own, to stop and start."""
    with tempfile.TemporaryDirectory(prefix="yamchi-pg-") as name, held_port() as port:
        folder = Path(name)
        if os.getuid() == 0:
            os.chown(folder, *_who())
        made = Server(folder, port, durable=durable)
        made.start()
        try:
            yield made
        finally:
            made.stop()


@cache
def shared() -> Server:
    """The one that this process's tests share."""
    opened = server()
    made = opened.__enter__()
    atexit.register(opened.__exit__, None, None, None)
    return made


@cache
def programs() -> Path:
    """The folder of the newest PostgreSQL's programs. Raises LookupError where none is new enough."""
    versions = {int(path.name): path / "bin" for path in Path("/usr/lib/postgresql").glob("[1-9][0-9]")}
    if found := shutil.which("initdb"):
        told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        versions[int(told.split()[2].split(".")[0])] = Path(found).resolve().parent
    new = {version: path for version, path in versions.items() if version >= OLDEST and (path / "postgres").exists()}
    if not new:
        raise LookupError(f"no PostgreSQL {OLDEST} or newer is installed")
    return new[max(new)]


def _who() -> tuple[int, int]:
    """PostgreSQL refuses to run as root."""
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise LookupError("no unprivileged user")


def _unprivileged() -> dict[str, object]:
    if os.getuid():
        return {}
    user, group = _who()
    return {"user": user, "group": group, "extra_groups": []}
