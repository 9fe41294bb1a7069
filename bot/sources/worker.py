"""The child process that parses: `python -m bot.sources.worker`, spoken to by bot/parsing.py.

In: frames of a Job and its document; out: a frame with a Reply for each. A frame is its length
in four bytes, then its bytes. The process ends with its input, or by SIGPROF when a document
costs more than CPU_SECONDS.
"""

from __future__ import annotations

import resource
import signal
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Final, Literal

from pydantic import TypeAdapter

from bot.errors import SourceError
from bot.models import RateTable
from bot.sources import banks
from bot.sources.discovery import Outline, feeds_of, outlines
from bot.sources.document import parse
from bot.sources.entries import ParsedFeed
from bot.sources.histories import HISTORIES, Series

CPU_SECONDS: Final = 2
MEMORY_BYTES: Final = 60 << 20
TOO_DEAR: Final = "took too much time or memory to parse"
"""Which of the two it takes first depends on the machine."""
LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Job:
    """What the next frame holds: a table of `bank`, many of `history`, else what `read` says.

    read: a feed, a web page that may name feeds, or a list of feeds
    series: the currency that was asked for of the history
    """

    read: Literal["feed", "page", "list"] = "feed"
    bank: str = ""
    history: str = ""
    series: Series | None = None
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a document held, or the SourceError it led to."""

    feed: ParsedFeed | None = None
    table: RateTable | None = None
    tables: list[RateTable] | None = None
    links: tuple[str, ...] = ()
    outlines: tuple[Outline, ...] = ()
    error: str = ""
    blocked: bool = False


JOBS: Final = TypeAdapter(Job)
REPLIES: Final = TypeAdapter(Reply)


def main() -> None:
    """Answer every job until there are no more."""
    with suppress(OSError, ValueError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    calls, answers = sys.stdin.buffer, sys.stdout.buffer
    while (job := _frame(calls)) and (document := _frame(calls)) is not None:
        held = [document]
        del document
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        reply = REPLIES.dump_json(_reply(JOBS.validate_json(job), held))
        signal.setitimer(signal.ITIMER_PROF, 0)
        answers.write(LENGTH.pack(len(reply)))
        answers.write(reply)
        answers.flush()
        del reply  # megabytes, maybe, that the next document needs


def _reply(job: Job, held: list[bytes]) -> Reply:
    """held: the document, which is taken out: whoever reads it can then let go of it."""
    try:
        if job.series:
            return Reply(tables=HISTORIES[job.history].parse(held.pop(), job.series))
        if job.read == "page":
            return Reply(links=feeds_of(held.pop(), job.headers, job.url))
        if job.read == "list":
            return Reply(outlines=outlines(held.pop()))
        if not job.bank:
            return Reply(feed=parse(held.pop(), job.headers, job.url))
        read = banks()[job.bank].parse
        assert read is not None
        return Reply(table=read(held.pop()))
    except SourceError as error:
        return Reply(error=str(error), blocked=error.blocked)
    except MemoryError:
        pass  # there is none for an answer either, until what the document became is let go of
    except Exception:  # noqa: BLE001 - a stranger's document found a hole in a parser
        return Reply(error="cannot be parsed")
    return Reply(error=TOO_DEAR)


def _frame(stream: BinaryIO) -> bytes | None:
    """The next frame, None at the end."""
    head = stream.read(LENGTH.size)
    return stream.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


if __name__ == "__main__":
    main()
