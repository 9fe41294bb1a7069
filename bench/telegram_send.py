"""What it costs to send to Telegram: our transport beside python-telegram-bot's own and aiogram.

    .venv/bin/pip install aiogram              # a peer; without it its line is left out
    .venv/bin/python -m bench.telegram_send

CPU seconds of the client for 1,000 messages, at 1, 30 and 200 in flight: the median of five rounds, the clients
taking turns. Client and server are processes on cores of their own. Goals, at 30 in flight: at most a sixth of
python-telegram-bot's default, at most 1.1 of aiogram's.

Then 1,000 messages a second through the whole sender: claimed, rendered, sent as a paid broadcast, and settled
with a durable commit each.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

ROUNDS = 5
IN_FLIGHT = (1, 30, 200)
MESSAGES = 1000
WARM_UP = 200
SUSTAINED = 20_000
LATENCY = 0.1
"""Seconds that an answer of the server takes while the sender is measured."""
TOKEN = "123456789:AABenchBenchBenchBenchBenchBenchBench"
TEXT = "<b>Digest for Monday</b>\n\n" + "\n".join(f"{n}. <i>A headline of usual length</i>" for n in range(8))

Send = Callable[[], Awaitable[object]]


@contextmanager
def client_of_ptb(url: str) -> Iterator[Send]:
    from telegram import Bot, LinkPreviewOptions
    from telegram.request import HTTPXRequest

    bot = Bot(TOKEN, f"{url}/bot", request=HTTPXRequest(256, 60, 60, 60, 60))
    preview = LinkPreviewOptions(is_disabled=True)
    yield lambda: bot.send_message(7, TEXT, parse_mode="HTML", link_preview_options=preview)


@contextmanager
def client_of_aiogram(url: str) -> Iterator[Send]:
    from aiogram import Bot
    from aiogram.client.session.aiohttp import AiohttpSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.types import LinkPreviewOptions

    bot = Bot(TOKEN, session=AiohttpSession(api=TelegramAPIServer.from_base(url), limit=256))
    preview = LinkPreviewOptions(is_disabled=True)
    yield lambda: bot.send_message(7, TEXT, parse_mode="HTML", link_preview_options=preview)


@contextmanager
def client_of_ours(url: str) -> Iterator[Send]:
    from handlers.telegram.transport import Transport

    transport = Transport(url, TOKEN, connections=256)
    asked = {"text": TEXT, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
    yield lambda: transport.call("sendMessage", {"chat_id": 7} | asked)


CLIENTS = {"python-telegram-bot": client_of_ptb, "aiogram": client_of_aiogram, "ours": client_of_ours}


async def send_all(send: Send, messages: int, in_flight: int) -> None:
    left = iter(range(messages))

    async def one_after_another() -> None:
        for _ in left:
            await send()

    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))


async def measure(name: str, in_flight: int, url: str) -> float:
    """CPU seconds for 1,000 messages."""
    with CLIENTS[name](url) as send:
        await send_all(send, max(WARM_UP, in_flight), in_flight)
        began = time.process_time()
        await send_all(send, MESSAGES, in_flight)
        return (time.process_time() - began) * 1000 / MESSAGES


async def sustain(url: str) -> tuple[int, float, float]:
    """Digests to as many private chats, through the whole sender. Returns how many, seconds, CPU seconds."""
    from bot.deliver import Deliverer
    from bot.message import Heading, Message, Paragraph
    from bot.models import Address, Outgoing
    from handlers.telegram import Telegram
    from storage.sqlite import open_store

    now = datetime.now(UTC)
    message = Message((Heading("Digest"), *(Paragraph(f"{n}. A headline of usual length") for n in range(8))))
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(Path(folder) / "bench.db")
        chat = Telegram(TOKEN, url, store, lambda: datetime.now(UTC), paid=True)
        outgoing = [
            Outgoing("bench", Address("telegram", str(n + 1)), "digest", message, now, now + timedelta(hours=1))
            for n in range(SUSTAINED)
        ]
        await store.enqueue(outgoing, now)
        deliverer = Deliverer(
            store=store,
            chats={"telegram": chat},
            clock=lambda: datetime.now(UTC),
            owner="bench",
            crash=lambda _: None,
        )
        began, cpu = time.perf_counter(), time.process_time()
        life = asyncio.create_task(deliverer.run())
        while (await store.ledger()).states.get("sent", 0) < SUSTAINED:
            await asyncio.sleep(0.2)
        taken = time.perf_counter() - began, time.process_time() - cpu
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await chat.close()
        await store.close()
    return SUSTAINED, *taken


# --- the processes -----------------------------------------------------------


@contextmanager
def mock(seconds: float = 0.0) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "bench.telegram_mock", str(port), str(seconds)]
    process = subprocess.Popen(words, preexec_fn=lambda: pin(1))
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def pin(which: int) -> None:
    """The first core is the client's, the second one the server's; where there is one only, both share it."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[which % len(cores)]})


def figures(*words: str) -> list[float]:
    """What a client in a process of its own prints."""
    command = [sys.executable, "-m", "bench.telegram_send", *words]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=lambda: pin(0))
    return [float(figure) for figure in ended.stdout.split()[-3:]]


def compare() -> None:
    names = [name for name in CLIENTS if name != "aiogram" or importlib.util.find_spec("aiogram")]
    taken: dict[tuple[str, int], list[float]] = {(name, n): [] for n in IN_FLIGHT for name in names}
    with mock() as url:
        for _ in range(ROUNDS):
            for (name, in_flight), seconds in taken.items():
                seconds += figures("client", name, str(in_flight), url)
    print(f"CPU seconds for {MESSAGES:,} messages, median of {ROUNDS} rounds")
    print(f"{'in flight':<22}" + "".join(f"{n:>10}" for n in IN_FLIGHT))
    for name in names:
        print(f"{name:<22}" + "".join(f"{median(taken[name, n]):>10.3f}" for n in IN_FLIGHT))
    for name in names:
        if name != "ours":
            shares = [median(taken["ours", n]) / median(taken[name, n]) for n in IN_FLIGHT]
            print(f"{'ours / ' + name:<22}" + "".join(f"{share:>10.2f}" for share in shares))


def main() -> None:
    compare()
    with mock(LATENCY) as url:
        count, seconds, cpu = figures("sustain", url)
    print(f"{count:,.0f} messages through the whole sender: {count / seconds:,.0f}/s, {cpu / seconds:.0%} of a core")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    match sys.argv[1:]:
        case ["client", name, in_flight, url]:
            print(asyncio.run(measure(name, int(in_flight), url)))
        case ["sustain", url]:
            print(*asyncio.run(sustain(url)))
        case _:
            main()
