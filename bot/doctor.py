"""`yamchi doctor`: one line a check, and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

from bot.config import Settings
from bot.errors import SourceError
from bot.fetch import Fetcher
from bot.models import Catalogue, Feed, RateRoad
from bot.ports import Clock, Store
from bot.sources import banks

Verdict = Literal["ok", "warn", "FAIL"]
SKEW_BORNE: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """verdict, what was looked at, what was found and what to do."""

    verdict: Verdict
    what: str
    found: str

    def __str__(self) -> str:
        return f"{self.verdict:<5} {self.what:<20} {self.found}"


async def examine(
    settings: Settings, catalogue: Catalogue, store: Store, fetcher: Fetcher, clock: Clock
) -> AsyncIterator[Finding]:
    """Every finding, as soon as it is known."""
    yield Finding("ok", "settings", f"read; times in {settings.default_timezone}, language {settings.default_language}")
    await store.ping()
    yield Finding("ok", "database", f"{settings.database_name} can be read and written")
    for finding in _tokens(settings):
        yield finding
    dates: list[timedelta] = []
    sources: list[Feed | RateRoad] = [*catalogue.feeds, *catalogue.roads]
    checks = [_source(source, fetcher, clock, dates) for source in sources]
    for done in asyncio.as_completed(checks):
        yield await done
    yield _skew(dates)


def _tokens(settings: Settings) -> list[Finding]:
    telegram, bot, app = settings.telegram_bot_token, settings.slack_bot_token, settings.slack_app_token
    half = [Finding("warn", "slack", f"off: {settings.half_set}")] if settings.half_set else []
    hook = [Finding("FAIL", "telegram", settings.open_webhook)] if settings.open_webhook else []
    return [
        *half,
        *hook,
        _token("telegram", "TELEGRAM_BOT_TOKEN", telegram.get_secret_value() if telegram else "", _telegram_shape),
        _token("slack", "SLACK_BOT_TOKEN", bot.get_secret_value() if bot else "", lambda t: t.startswith("xoxb-")),
        _token("slack", "SLACK_APP_TOKEN", app.get_secret_value() if app else "", lambda t: t.startswith("xapp-")),
    ]


def _telegram_shape(token: str) -> bool:
    number, _, rest = token.partition(":")
    return number.isdigit() and len(rest) >= 30


def _token(chat: str, name: str, token: str, shaped: Callable[[str], bool]) -> Finding:
    if not token:
        return Finding("ok", chat, f"off: {name} is not set")
    if not shaped(token):
        return Finding("warn", chat, f"{name} does not look like such a token; copy it again from where you got it")
    return Finding("ok", chat, f"{name} is set")


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
