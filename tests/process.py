"""The real program as a process, for tests that talk to it as a person would."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import structlog

from bot.__main__ import main

ROOT = Path(__file__).parent.parent
QUIET = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
LAUNCH = [sys.executable, "-m", "tests.launcher"]


@dataclass(frozen=True)
class Called:
    returncode: int
    stdout: str
    stderr: str


def run(
    folder: Path, *words: str, said: str | None = "", env: Mapping[str, str] | None = None, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run `yamchi WORDS` in this folder to its end; `said` is piped in."""
    return subprocess.run(
        [*LAUNCH, *words],
        input=said,
        cwd=folder,
        env={**QUIET, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def call(folder: Path, *words: str, env: Mapping[str, str] | None = None, now: datetime | None = None) -> Called:
    """`yamchi WORDS` in this process: as `run`, but without the second that a start takes."""
    out, err = io.StringIO(), io.StringIO()
    root = logging.getLogger()
    handlers, level, hooks = root.handlers[:], root.level, (sys.excepthook, threading.excepthook)
    started = datetime.now(UTC)
    with (
        contextlib.chdir(folder),
        mock.patch.dict(os.environ, {**QUIET, **(env or {})}, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(list(words), clock=lambda: (now or started) + (datetime.now(UTC) - started))
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
            sys.excepthook, threading.excepthook = hooks
            logging.raiseExceptions = True
            structlog.reset_defaults()
    return Called(code, out.getvalue(), err.getvalue())


class Running:
    """`yamchi WORDS` while it runs; its output is collected line by line."""

    def __init__(
        self, folder: Path, *words: str, env: Mapping[str, str] | None = None, stdin: int | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [*LAUNCH, *words],
            cwd=folder,
            env={**QUIET, **(env or {})},
            stdin=stdin if stdin is not None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=self._collect, args=(self.process.stdout, self.out), daemon=True),
            threading.Thread(target=self._collect, args=(self.process.stderr, self.err), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _collect(stream: object, lines: list[str]) -> None:
        lines.extend(stream)  # type: ignore[call-overload]

    def say(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_for(self, what: Callable[[str], bool] | str, timeout: float = 30) -> str:
        """Wait until standard output holds (or satisfies) this. Returns all of it."""
        seen = (lambda text: what in text) if isinstance(what, str) else what
        return self._wait(self.out, seen, what, timeout)

    def wait_for_log(self, what: str, timeout: float = 30) -> str:
        return self._wait(self.err, lambda text: what in text, what, timeout)

    def _wait(self, lines: list[str], seen: Callable[[str], bool], what: object, timeout: float) -> str:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            text = "".join(lines)
            if seen(text):
                return text
            time.sleep(0.02)
        raise AssertionError(f"waited for {what!r}\n--- out\n{''.join(self.out)}\n--- err\n{''.join(self.err)}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self, timeout: float = 15) -> int:
        self.process.terminate()
        return self.process.wait(timeout)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
