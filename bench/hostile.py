"""What `/rates` and memory suffer while feeds hang, drip, bomb, nest 200,000 tags deep and send 50 MB.

    .venv/bin/python -m bench.hostile

The service polls healthy sources for a while, then the same beside three hostile feeds of each kind, as often as it
may; `/rates` is asked ten times a second throughout. Every site is in a process of its own. Prints figures.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from aiohttp import web

from bench.ingest import stalls
from bench.start import children, resident_mb
from bot.config import Settings
from bot.log import set_up_logs
from bot.models import Address, Feed, Request
from bot.wiring import Core, World, live_core
from handlers import menu
from tests.fakes import faults
from tests.fakes.web import FakeWeb, Handler
from tests.world import open_world

OF_EACH: Final = 3
SECONDS: Final = 30
HEAD: Final = (
    "<?xml version='1.0'?><rss version='2.0'><channel><title>Steppe</title><link>https://steppe.example/</link>"
)
ENTRY: Final = "<item><title>Item {0}</title><link>https://steppe.example/{0}</link><guid>{0}</guid></item>"
LAUGHS: Final = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))


def documents() -> dict[str, bytes]:
    """By kind: a body that has to be unpacked, read or parsed in full to be seen through."""
    whole = "".join(map(ENTRY.format, range(90_000)))
    return {
        "deep": f"{HEAD}<item>{'<b>' * 200_000}</item></channel></rss>".encode(),
        "laughs": HEAD.replace("?><", f"?><!DOCTYPE rss [<!ENTITY l0 'ha'>{LAUGHS}]><", 1).encode()
        + b"<item><title>&l9;</title><link>/</link></item></channel></rss>",
        "50 MB": f"{HEAD}{whole * 6}</channel></rss>".encode().ljust(50_000_000),
        "10 MB": f"{HEAD}{whole}</channel></rss>".encode()[:9_900_000],
        "tags": f"{HEAD}<item><description>{'&lt;p&gt;x ' * 800_000}</description></item></channel></rss>".encode(),
    }


def serve(folder: Path) -> None:
    """The sites, until killed: tells the settings that lead to them, then the hostile feeds' addresses."""
    with ExitStack() as stack:
        world = stack.enter_context(open_world(folder, datetime.now(UTC)))
        for name in ("timesca", "gazeta", "akipress"):
            world.publish(world.outlet(name), f"The news of {name}")
        told = {}
        bodies: dict[str, bytes | faults.Fault] = dict(documents())
        bodies |= {"hang": faults.hang, "drip": dripping, "gzip": faults.gzip_bomb(1000)}
        for kind, body in bodies.items():
            for n in range(OF_EACH):
                site = stack.enter_context(FakeWeb())
                site.route("/feed", partial(answer, body, count()) if isinstance(body, bytes) else nothing)
                if not isinstance(body, bytes):
                    site.fault("/feed", body)
                told[f"{kind} {n}"] = f"{site.url}/feed"
        print(json.dumps([world.env, told]), flush=True)
        sys.stdin.read()


async def answer(body: bytes, polls: Iterator[int], request: web.Request) -> web.Response:
    """Never the same twice, so that it has to be parsed each time."""
    return web.Response(body=body + b"<!-- %d -->" % next(polls), content_type="application/rss+xml")


async def nothing(_: web.Request) -> web.Response:
    return web.Response()


async def dripping(request: web.Request, _: Handler) -> web.StreamResponse:
    stream = web.StreamResponse()
    await stream.prepare(request)
    while True:
        await stream.write(b" " * 100)
        await asyncio.sleep(0.05)


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, dict[str, str], dict[str, str]]]:
    sites = subprocess.Popen(
        [sys.executable, "-m", "bench.hostile", "serve", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert sites.stdout
    try:
        yield sites.pid, *json.loads(sites.stdout.readline())
    finally:
        sites.kill()


async def ask(core: Core, done: asyncio.Event) -> list[float]:
    """Milliseconds of each `/rates`, ten a second."""
    taken = []
    while not done.is_set():
        start = perf_counter()
        said = await menu.answer(core.desk, Request(Address("console", "local"), "/rates"))
        taken.append((perf_counter() - start) * 1000)
        assert not said.error
        await asyncio.sleep(0.1)
    return taken


async def held(pid: int, sites: int, done: asyncio.Event) -> tuple[float, float]:
    """The most megabytes of the main process, and of it with the child that parses."""
    most, with_child = 0.0, 0.0
    while not done.is_set():
        main = resident_mb(pid)
        parser = 0.0
        for child in children(pid):
            if child != sites:
                try:
                    parser += resident_mb(child)
                except (OSError, StopIteration):
                    continue
        most, with_child = max(most, main), max(with_child, main + parser)
        await asyncio.sleep(0.02)
    return most, with_child


async def watch(name: str, core: Core, sites: int) -> tuple[float, float]:
    done = asyncio.Event()
    service = core.service({})
    async with service.ticking(polls=lambda: True):
        tasks = [asyncio.create_task(task) for task in (ask(core, done), stalls(done))]
        memory = asyncio.create_task(held(os.getpid(), sites, done))
        await asyncio.sleep(SECONDS)
        done.set()
        taken, stall = await asyncio.gather(*tasks)
    at = quantiles(taken, n=100)
    print(
        f"{name:10s}/rates p50 {at[49]:.1f} ms, p99 {at[98]:.1f} ms, worst {max(taken):.1f} ms of {len(taken)}", end=""
    )
    main, tree = await memory
    print(f"; longest stall {stall:.1f} ms; at most {main:.0f} MB, {tree:.0f} MB with the child")
    return main, tree


async def run(folder: Path, hostile: dict[str, str], env: dict[str, str], sites: int) -> None:
    settings = Settings(
        database_url=f"sqlite:///{folder / 'yamchi.db'}",
        poll_news_seconds=1,
        poll_rates_seconds=1,
        sources_file=str(folder / "sources.toml"),
        fetch_allow=env["FETCH_ALLOW"] + "," + ",".join(url.split("/")[2] for url in hostile.values()),
    )
    async with live_core(settings, World(lambda: datetime.now(UTC), lambda _: None)) as core:
        before = await watch("healthy", core, sites)
    strangers = tuple(Feed(name, name, url, "en") for name, url in hostile.items())
    async with live_core(settings, World(lambda: datetime.now(UTC), lambda _: None)) as core:
        core.tracker._catalogue = replace(core.catalogue, feeds=core.catalogue.feeds + strangers)
        after = await watch("hostile", core, sites)
        states = await core.store.poll_states()
        for feed in strangers[::OF_EACH]:
            print(
                f"    {feed.id:10s}{states[feed.id].error or states[feed.id].note if feed.id in states else 'not yet'}"
            )
    rise = [then - now for now, then in zip(before, after, strict=True)]
    print(f"memory rises by {rise[0]:.0f} MB, by {rise[1]:.0f} MB with the child (goal 64)")


def main() -> None:
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]))
        return
    set_up_logs("CRITICAL", "console", ())
    with TemporaryDirectory() as name, served(Path(name)) as (sites, env, hostile):
        asyncio.run(run(Path(name), hostile, env, sites))


if __name__ == "__main__":
    main()
