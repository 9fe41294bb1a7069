"""The lock of the one service that may run on a database."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import IO, Final

from bot.errors import DatabaseError

TRIES: Final = 5
PAUSE_SECONDS: Final = 0.02


class ServiceLock:
    """flock on PATH.lock: free again the moment its holder ends, however it ends.

    path: the database's. The lock file itself stays, since removing it would let two hold it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._file: IO[bytes] | None = None

    def acquire(self) -> bool:
        """Take the lock, or say False if another process holds it; one that only looks has let go in no time.

        Raises DatabaseError where the file cannot be written.
        """
        for turn in range(TRIES if self._file is None else 0):
            time.sleep(PAUSE_SECONDS if turn else 0)
            self._file = self._locked(fcntl.LOCK_EX)
            if self._file is not None:
                break
        return self._file is not None

    def kept(self) -> bool:
        return self._file is not None

    def held_elsewhere(self) -> bool:
        """Whether another process holds it just now."""
        if self._file is not None or not self._path.exists():
            return False
        probe = self._locked(fcntl.LOCK_SH)
        if probe is None:
            return True
        probe.close()
        return False

    def release(self) -> None:
        """Let go of it, if it is held."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _locked(self, how: int) -> IO[bytes] | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("ab")
        except OSError as error:
            raise DatabaseError(f"{self._path} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file
