"""`yamchi doctor`: one line a check, and what to do about it."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from bot.config import DOTENV, HostPort, Settings, dotenv_lines, environment, proxy_for
from bot.errors import ChatRejected, SourceError
from bot.fetch import Fetcher
from bot.mistakes import Finding, mistakes
from bot.models import Catalogue, Feed, RateRoad
from bot.ports import Chat, Clock
from bot.sources import banks
from bot.store import Store

SKEW_BORNE: Final = timedelta(seconds=5)
LEAST_FREE: Final = 100 << 20
"""Bytes of room on the disk."""
CONNECT_SECONDS: Final = 5.0


async def examine(
    settings: Settings,
    catalogue: Catalogue,
    store: Store,
    fetcher: Fetcher,
    clock: Clock,
    chats: Collection[Chat],
    *,
    served: bool,
) -> AsyncIterator[Finding]:
    """Every finding, as soon as it is known. served: a service runs on this database."""
    yield Finding("ok", "settings", f"read; times in {settings.default_timezone}, language {settings.default_language}")
    for finding in mistakes(settings, list(dotenv_lines()), environment().keys(), DOTENV):
        yield finding
    await store.ping()
    beside = "; a service runs on it" if served else ""
    yield Finding("ok", "database", f"{settings.database_name} can be read and written{beside}")
    if settings.keeps_file:
        yield _room(settings)
    if not served:
        yield _port(settings.http_listen)
    for done in asyncio.as_completed([_chat(chat, settings) for chat in chats]):
        yield await done
    dates: list[timedelta] = []
    sources: list[Feed | RateRoad] = [*catalogue.feeds, *catalogue.roads]
    checks = [_source(source, fetcher, clock, dates) for source in sources]
    for done in asyncio.as_completed(checks):
        yield await done
    yield _skew(dates)


def _room(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.database_path.parent).free
    if free < LEAST_FREE:
        return Finding("FAIL", "disk", f"only {free >> 20} MB free in {settings.database_path.parent}; make room")
    return Finding("ok", "disk", f"{free >> 20:,} MB free")


def _port(listen: HostPort) -> Finding:
    host, port = listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except OSError as error:
        why = f"cannot listen on {host}:{port} ({error.strerror}); choose another port or stop what uses it"
        return Finding("FAIL", "http", f"HTTP_LISTEN: {why}")
    return Finding("ok", "http", f"{host}:{port} is free")


async def _chat(chat: Chat, settings: Settings) -> Finding:
    """Whether a platform is there and takes our token."""
    name = f"{chat.platform.upper()}_API_URL"
    address = urlsplit(str(getattr(settings, name.lower())))
    port = address.port or (443 if address.scheme == "https" else 80)
    through = proxy_for(address.scheme)
    if not through:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, writer = await asyncio.open_connection(address.hostname, port)
            writer.close()
        except (OSError, TimeoutError):
            found = f"{address.hostname}:{port} cannot be reached; check the network, {name} or HTTPS_PROXY"
            return Finding("FAIL", chat.platform, found)
    try:
        await chat.check()
    except ChatRejected as error:
        return Finding("FAIL", chat.platform, f"{error}; copy the token again from where you got it")
    return Finding("ok", chat.platform, f"{address.hostname} does not refuse our token")


async def _source(source: Feed | RateRoad, fetcher: Fetcher, clock: Clock, dates: list[timedelta]) -> Finding:
    if not source.url:
        return Finding("ok", source.id, "declared by the issuer, nothing to fetch")
    url = source.url
    if isinstance(source, RateRoad):
        url = url.format(date=clock().astimezone(banks()[source.parser].zone).date())
    try:
        fetched = await fetcher.get(url)
    except SourceError as error:
        return Finding("FAIL", source.id, f"{error}; try the address in a browser, or replace it in SOURCES_FILE")
    if date := fetched.headers.get("date"):
        dates.append(abs(parsedate_to_datetime(date) - clock()))
    return Finding("ok", source.id, f"answered, {len(fetched.body):,} bytes")


def _skew(dates: list[timedelta]) -> Finding:
    if not dates:
        return Finding("warn", "clock", "no server told its time, so ours was not compared")
    skew = min(dates)
    if skew > SKEW_BORNE:
        return Finding("warn", "clock", f"{skew.total_seconds():.0f} s off the servers' time; switch on NTP")
    return Finding("ok", "clock", "agrees with the servers")
