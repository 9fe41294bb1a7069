"""What a poll costs whose answer is 304: 1,000 feeds on as many hosts, ours beside the `reader` library.

    .venv/bin/pip install reader sgmllib3k     # the peer; without it only ours is measured
    .venv/bin/python -m bench.poll

The feeds are a process of their own. Prints microseconds of our own CPU, all threads and children included.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from bot.config import Settings
from bot.log import set_up_logs
from bot.models import Catalogue, Feed
from bot.wiring import World, open_core

FEEDS = 1000
ROUNDS = 5
START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SERVER = """
import asyncio

DOCUMENT = (
    b"<rss version='2.0'><channel><title>Steppe</title><link>https://steppe.example/</link><description/>"
    b"<item><title>A road</title><link>https://steppe.example/1</link><guid>1</guid></item></channel></rss>"
)
WHOLE = (
    b"HTTP/1.1 200 OK\\r\\nContent-Type: application/rss+xml\\r\\nETag: \\"1\\"\\r\\n"
    b"Content-Length: %d\\r\\n\\r\\n%s" % (len(DOCUMENT), DOCUMENT)
)
SAME = b"HTTP/1.1 304 Not Modified\\r\\nETag: \\"1\\"\\r\\n\\r\\n"

async def answer(reader, writer):
    try:
        while True:
            asked = await reader.readuntil(b"\\r\\n\\r\\n")
            writer.write(SAME if b"if-none-match" in asked.lower() else WHOLE)
    except (OSError, EOFError):
        writer.close()

async def main():
    server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@contextmanager
def served() -> Iterator[list[str]]:
    """The addresses of the feeds, each on a host of its own."""
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    port = int(server.stdout.readline())
    try:
        yield [f"http://127.1.{n // 250}.{n % 250 + 1}:{port}/feed" for n in range(FEEDS)]
    finally:
        server.kill()


def spent() -> float:
    """Seconds of CPU so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


async def ours(folder: Path, urls: list[str]) -> float:
    """Microseconds a poll."""
    now = START
    feeds = tuple(Feed(f"feed{n}", f"Feed {n}", url, "en") for n, url in enumerate(urls))
    allow = frozenset((url.split("/")[2].split(":")[0], int(url.split(":")[2].split("/")[0])) for url in urls)
    settings = Settings(database_url=f"sqlite:///{folder / 'yamchi.db'}", poll_news_seconds=1)
    async with open_core(settings, Catalogue(feeds, ()), allow, World(lambda: now, lambda _: None)) as core:
        for n in range(ROUNDS + 1):
            if n == 1:
                before, start = spent(), perf_counter()
            await core.tracker._wait(await core.tracker.refresh(["news"], await core.store.poll_states()), 60)
            now += timedelta(hours=1)
        taken = (spent() - before) / ROUNDS / FEEDS * 1e6
        print(f"ours    {taken:8.0f} us of CPU a poll, {ROUNDS * FEEDS / (perf_counter() - start):8.0f} polls a second")
        states = (await core.store.poll_states()).values()
        assert len(states) == FEEDS and all(state.etag and not state.error for state in states)
    return taken


def theirs(folder: Path, urls: list[str]) -> float:
    """Microseconds a poll."""
    warnings.simplefilter("ignore")
    from reader import make_reader

    reader = make_reader(str(folder / "reader.db"))
    for url in urls:
        reader.add_feed(url)
    reader.update_feeds(scheduled=False)
    before, start = spent(), perf_counter()
    for _ in range(2):
        reader.update_feeds(scheduled=False)
    taken = (spent() - before) / 2 / FEEDS * 1e6
    print(f"reader  {taken:8.0f} us of CPU a poll, {2 * FEEDS / (perf_counter() - start):8.0f} polls a second")
    return taken


def main() -> None:
    set_up_logs("ERROR", "console", ())
    with tempfile.TemporaryDirectory() as folder, served() as urls:
        own = asyncio.run(ours(Path(folder), urls))
        try:
            peer = theirs(Path(folder), urls)
        except ImportError:
            print("reader is not installed: .venv/bin/pip install reader sgmllib3k")
            return
        print(f"ours / reader {own / peer:.3f} (goal 0.2), goal for ours 300 us")


if __name__ == "__main__":
    main()
