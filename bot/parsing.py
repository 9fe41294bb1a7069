"""Parsing at arm's length: one child process that may be killed without anybody else noticing."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Final

from bot.errors import SourceError
from bot.models import RateTable
from bot.sources.discovery import Outline
from bot.sources.entries import ParsedFeed
from bot.sources.histories import Series
from bot.sources.worker import JOBS, LENGTH, REPLIES, TOO_DEAR, Job, Reply

WALL_SECONDS: Final = 60.0  # for a child that gets no CPU: the child itself sees to CPU_SECONDS
PIECE: Final = 1 << 18
HOME: Final = Path(__file__).parents[1]


class Parser:
    """Documents to models, one document at a time. The child is started when it is needed,
    started anew after a document that it did not survive, and let go when none comes for `idle` seconds.
    """

    def __init__(self, idle: float = 15.0) -> None:
        self._idle = idle
        self._turn = asyncio.Lock()
        self._child: Process | None = None
        self._rest: asyncio.TimerHandle | None = None

    async def feed(self, body: bytes, headers: dict[str, str], url: str) -> ParsedFeed:
        """The entries of a feed document. Raises SourceError for a document that is none or costs too much."""
        reply = await self._ask(Job(headers=headers, url=url), body)
        assert reply.feed is not None
        return reply.feed

    async def links(self, body: bytes, headers: dict[str, str], url: str) -> tuple[str, ...]:
        """The feeds that a web page names, at most five. Raises SourceError for one that costs too much."""
        return (await self._ask(Job("page", headers=headers, url=url), body)).links

    async def outlines(self, body: bytes) -> tuple[Outline, ...]:
        """The feeds of an OPML document. Raises SourceError as `feed` does."""
        return (await self._ask(Job("list"), body)).outlines

    async def table(self, bank: str, body: bytes) -> RateTable:
        """A bank's document as its own parser reads it. Raises SourceError as above."""
        reply = await self._ask(Job(bank=bank), body)
        assert reply.table is not None
        return reply.table

    async def history(self, history: str, series: Series, body: bytes) -> list[RateTable]:
        """A history's document: a table a date, newest first, maybe none. Raises SourceError as above."""
        reply = await self._ask(Job(history=history, series=series), body)
        assert reply.tables is not None
        return reply.tables

    async def close(self) -> None:
        """End the child, if there is one. No document may be under way."""
        self._keep()
        if self._child is not None:
            await self._end()

    async def _ask(self, job: Job, body: bytes) -> Reply:
        async with self._turn:
            self._keep()
            if self._child is None or self._child.returncode is not None:
                self._child = await _start()
            try:
                async with asyncio.timeout(WALL_SECONDS):
                    reply = await _exchange(self._child, job, body)
            except TimeoutError:
                await self._end()
                raise SourceError(TOO_DEAR) from None
            except (OSError, EOFError) as error:
                error.__traceback__ = None  # asyncio (3.11) keeps it in a circle with our frames, and they the body
                too_long = await self._end(patience=1) == -signal.SIGPROF
                raise SourceError(TOO_DEAR if too_long else "cannot be parsed") from None
            except BaseException:  # given up half-way: what the child says next belongs to nobody
                await self._end()
                raise
            self._rest = asyncio.get_running_loop().call_later(self._idle, self._let_go)
        if reply.error:
            raise SourceError(reply.error, blocked=reply.blocked)
        return reply

    def _keep(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _let_go(self) -> None:
        """Its input ends, so it ends."""
        child, self._child = self._child, None
        if child is not None and child.stdin is not None:
            child.stdin.close()

    async def _end(self, patience: float = 0) -> int:
        """The child's end, by our hand if need be. Returns its exit code, or minus the signal it died of.

        patience: seconds given to a child that seems to be dying by itself; a signal sent at that
        moment would make asyncio miss what it died of
        """
        child, self._child = self._child, None
        assert child is not None and child.stdout is not None
        with suppress(TimeoutError):
            return await asyncio.wait_for(child.wait(), patience)
        with suppress(ProcessLookupError):
            child.kill()
        await child.stdout.read()  # asyncio (3.11) sees the end of a child only where nothing is left unread
        return await child.wait()


async def _start() -> Process:
    """A child with nothing of our environment, and out of reach of the terminal's Ctrl-C."""
    try:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.sources.worker"),
            cwd=HOME,
            env={"PYTHONUTF8": "1"},
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
        )
    except OSError:
        raise SourceError("cannot be parsed: no process can be started") from None


async def _exchange(child: Process, job: Job, body: bytes) -> Reply:
    assert child.stdin is not None and child.stdout is not None
    for frame in (JOBS.dump_json(job), body):
        child.stdin.write(LENGTH.pack(len(frame)))
        for at in range(0, len(frame), PIECE):  # asyncio copies what the pipe does not take at once
            child.stdin.write(frame[at : at + PIECE])
            await child.stdin.drain()
    (length,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
    return REPLIES.validate_json(await child.stdout.readexactly(length))
