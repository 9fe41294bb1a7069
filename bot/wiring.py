"""The composition root: opens the rooms of one process and joins them."""

from __future__ import annotations

import asyncio
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

import structlog

from bot.adding import Finder
from bot.allowance import Allowance
from bot.announce import Announcer
from bot.catalogue import read_catalogue
from bot.compose import delivery as compose_delivery
from bot.config import HostPort, Settings, resolve_allowed, revealed
from bot.deliver import Deliverer
from bot.errors import DatabaseError
from bot.fetch import Fetcher
from bot.lead import Lead
from bot.memory import collect_seldom, give_large_blocks_back
from bot.models import Address, Catalogue
from bot.parsing import Parser
from bot.ports import Chat, Clock, CrashHook
from bot.sample import SampleEdition
from bot.schedule import Engine, OneProcess
from bot.service import Service
from bot.store import Lock, Store
from bot.track import Tracker
from handlers.console import Console
from handlers.menu.desk import Desk
from storage.backup import back_up
from storage.choice import chosen_locks, open_chosen
from storage.sqlite import open_store

VERSION: Final = version("yamchi")
LONGEST_TICK_SECONDS: Final = 5.0


@dataclass(frozen=True)
class World:
    """What tests replace: the time, and a hook called at the points where a crash would hurt."""

    clock: Clock
    crash: CrashHook


@dataclass(frozen=True)
class Core:
    """The rooms of one process, joined."""

    settings: Settings
    store: Store
    lock: Lock
    poll_lock: Lock
    catalogue: Catalogue
    fetcher: Fetcher
    parser: Parser
    tracker: Tracker
    announcer: Announcer
    desk: Desk
    world: World

    def service(self, chats: dict[str, Chat], engine: Engine | None = None) -> Service:
        """engine: None for one that is alone"""
        deliverer = Deliverer(
            store=self.store,
            chats=chats,
            clock=self.world.clock,
            owner=secrets.token_hex(4),
            crash=self.world.crash,
            notify=lambda cause, trouble: self.announcer.tell(
                self.world.clock, cause, partial(compose_delivery.stopped, trouble)
            ),
        )
        quickest = min(self.settings.poll_news_seconds, self.settings.poll_rates_seconds)
        return Service(
            store=self.store,
            tracker=self.tracker,
            announcer=self.announcer,
            deliverer=deliverer,
            chats=chats,
            clock=self.world.clock,
            tick_seconds=min(LONGEST_TICK_SECONDS, max(0.5, quickest / 2)),
            engine=engine or OneProcess(),
        )


@asynccontextmanager
async def open_core(
    settings: Settings, catalogue: Catalogue, allow: frozenset[HostPort], world: World, *, sample: bool = False
) -> AsyncIterator[Core]:
    """Open the store and everything that works on it; close it all at the end."""
    give_large_blocks_back()
    collect_seldom()
    store = await open_chosen(settings.database_url, retention_days=settings.retention_days)
    agent = f"yamchi/{VERSION} (+{settings.public_url})"
    fetcher = Fetcher(agent, allow, min(2.0, settings.poll_news_seconds / 1800), world.clock)
    parser = Parser()
    catch_up = timedelta(hours=settings.digest_catch_up_hours)
    operators = tuple(Address.parse(admin) for admin in settings.admins)
    announcer = Announcer(
        store, catalogue, settings.default_timezone, settings.default_language, catch_up, sample, operators
    )
    try:
        async with asyncio.TaskGroup() as group:
            tracker = Tracker(
                store=store,
                catalogue=catalogue,
                fetcher=fetcher,
                parser=parser,
                announcer=announcer,
                clock=world.clock,
                news_seconds=settings.poll_news_seconds,
                rates_seconds=settings.poll_rates_seconds,
                group=group,
                crash=world.crash,
            )
            desk = Desk(
                store=store,
                clock=world.clock,
                catalogue=catalogue,
                zone=settings.default_timezone,
                language=settings.default_language,
                catch_up=catch_up,
                version=VERSION,
                sample=sample,
                admins=frozenset(settings.admins),
                retention_days=settings.retention_days,
                back_up=partial(back_up_beside, settings.database_path, world.clock) if settings.keeps_file else None,
                allowance=Allowance(world.clock),
                find_feed=Finder(fetcher, parser).find,
            )
            lock, polls = chosen_locks(settings.database_url)
            try:
                yield Core(settings, store, lock, polls, catalogue, fetcher, parser, tracker, announcer, desk, world)
            finally:
                await tracker.close()
    finally:
        await parser.close()
        await fetcher.close()
        await store.close()


@asynccontextmanager
async def live_core(settings: Settings, world: World) -> AsyncIterator[Core]:
    """On the real sources, or those of SOURCES_FILE."""
    catalogue = read_catalogue(settings.sources_file)
    async with open_core(settings, catalogue, resolve_allowed(settings.fetch_allow), world) as core:
        yield core


@asynccontextmanager
async def sample_core(world: World) -> AsyncIterator[Core]:
    """On the sample edition, in a database that goes away with it; no setting of ours counts."""
    with tempfile.TemporaryDirectory(prefix="yamchi-sample-") as folder:
        async with SampleEdition(world.clock) as sample:
            settings = Settings.model_construct(database_url=f"sqlite:///{folder}/sample.db", poll_news_seconds=60)
            async with open_core(settings, sample.catalogue, sample.allow, world, sample=True) as core:
                yield core


async def back_up_beside(database: Path, clock: Clock) -> tuple[Path, int]:
    """A backup in the folder `backups` beside the database."""
    folder = database.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    return await asyncio.to_thread(back_up, database, folder, clock())


def in_use(database: str) -> DatabaseError:
    """Why a service, or whoever needs the database for himself, does not start."""
    return DatabaseError(f"{database} is in use by another `yamchi run`; stop that one first")


async def pass_over(settings: Settings, database: Path, now: datetime) -> int:
    """Note every digest of a database that fell due before now as too late. Returns how many."""
    catalogue = read_catalogue(settings.sources_file)
    store = await open_store(database, retention_days=settings.retention_days)
    try:
        zone, language = settings.default_timezone, settings.default_language
        return await Announcer(store, catalogue, zone, language, catch_up=timedelta(0)).due(now)
    finally:
        await store.close()


def open_chats(settings: Settings, core: Core) -> dict[str, Chat]:
    """The console, and every chat that has its token; their libraries are loaded only then."""
    chats: dict[str, Chat] = {"console": Console(sys.stdin, sys.stdout)}
    if settings.telegram_bot_token:
        from handlers.telegram import Telegram  # noqa: PLC0415

        chats["telegram"] = Telegram(
            settings.telegram_bot_token.get_secret_value(),
            settings.telegram_api_url,
            core.store,
            core.world.clock,
            admins=settings.admins,
            tell=partial(core.announcer.tell, core.world.clock),
            hook=settings.telegram_webhook,
            paid=settings.telegram_paid_broadcast,
            crash=core.world.crash,
            alone=Lead(core.poll_lock),
        )
    if settings.half_set:
        structlog.get_logger().error("Slack stays off", reason=settings.half_set)
    elif settings.wants_slack:
        chats["slack"] = _slack(settings, core)
    return chats


def _slack(settings: Settings, core: Core) -> Chat:
    from handlers.slack import Credentials, Slack  # noqa: PLC0415

    credentials = None
    if settings.slack_client_id:
        public = settings.public_url if "public_url" in settings.model_fields_set else ""
        secret, key = revealed(settings.slack_client_secret), revealed(settings.secret_key)
        credentials = Credentials(settings.slack_client_id, secret, public, key)
    if settings.slack_app_token and settings.slack_signing_secret:
        structlog.get_logger().warning("Slack comes by Socket Mode", unused="SLACK_SIGNING_SECRET")
    return Slack(
        revealed(settings.slack_bot_token),
        revealed(settings.slack_app_token),
        settings.slack_api_url,
        core.store,
        core.world.clock,
        admins=settings.admins,
        signing_secret=revealed(settings.slack_signing_secret),
        app=credentials,
        crash=core.world.crash,
    )
