"""The command line and the wiring: the only module that knows every room."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import structlog

from bot import cli
from bot.adding import Finder
from bot.announce import Announcer
from bot.catalogue import read_catalogue
from bot.config import HostPort, Settings, resolve_allowed
from bot.deliver import IN_FLIGHT, IN_FLIGHT_PAID, Deliverer
from bot.errors import DatabaseError, SettingsError
from bot.fetch import Fetcher
from bot.health import health_page
from bot.memory import collect_seldom, give_large_blocks_back
from bot.message import to_data
from bot.models import Address, Catalogue, Request
from bot.parsing import Parser
from bot.ports import Chat, Clock, CrashHook
from bot.sample import SampleEdition
from bot.service import Service, stop_signal
from bot.track import Tracker
from handlers import menu
from handlers.console import Console, print_message
from handlers.menu.desk import Desk
from storage.lock import ServiceLock
from storage.sqlite import SqliteStore, open_store

VERSION: Final = version("yamchi")
HERE: Final = Address("console", "local")
FIRST_LIGHT_SECONDS: Final = 5.0
ASK_SECONDS: Final = 9.0
FIRST_ANSWER_SECONDS: Final = 2.0
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
    store: SqliteStore
    lock: ServiceLock
    catalogue: Catalogue
    fetcher: Fetcher
    parser: Parser
    tracker: Tracker
    announcer: Announcer
    desk: Desk
    world: World

    def service(self, chats: dict[str, Chat]) -> Service:
        paid = self.settings.telegram_paid_broadcast
        deliverer = Deliverer(
            store=self.store,
            chats=chats,
            clock=self.world.clock,
            owner=secrets.token_hex(4),
            crash=self.world.crash,
            in_flight=IN_FLIGHT_PAID if paid else IN_FLIGHT,
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
        )


@asynccontextmanager
async def open_core(
    settings: Settings, catalogue: Catalogue, allow: frozenset[HostPort], world: World, *, sample: bool = False
) -> AsyncIterator[Core]:
    """Open the store and everything that works on it; close it all at the end."""
    give_large_blocks_back()
    collect_seldom()
    store = await open_store(settings.database_path, retention_days=settings.retention_days)
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
                find_feed=Finder(fetcher, parser).find,
            )
            lock = ServiceLock(settings.database_path)
            try:
                yield Core(settings, store, lock, catalogue, fetcher, parser, tracker, announcer, desk, world)
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


async def _chat(settings: Settings | None, world: World) -> int:
    """The console chat; without settings, or without a source to reach, on the sample edition."""
    if settings is not None:
        async with live_core(settings, world) as core:
            if core.lock.held_elsewhere() or await core.tracker.first_light(FIRST_LIGHT_SECONDS):
                return await _converse(core)
        print("No source can be reached, and nothing is stored yet. This is the sample edition:\n")  # noqa: T201
    async with sample_core(world) as core:
        return await _converse(core)


async def _converse(core: Core) -> int:
    console = Console(sys.stdin, sys.stdout, when_silent="/digest")
    service = core.service({console.platform: console})
    desk = replace(core.desk, refresh=_refresh(core), health=service.ready)
    async with service.ticking(polls=lambda: not core.lock.held_elsewhere()):
        deliver = asyncio.create_task(service.deliver())
        await service.listen(console, partial(menu.answer, desk))
        deliver.cancel()
        await asyncio.gather(deliver, return_exceptions=True)
    return 0


def _refresh(core: Core) -> Callable[[frozenset[str]], Coroutine[Any, Any, None]]:
    async def refresh(needs: frozenset[str]) -> None:
        if not core.lock.held_elsewhere():
            await core.tracker.refreshed(needs, ASK_SECONDS)

    return refresh


async def _ask(settings: Settings | None, world: World, text: str, *, as_json: bool) -> int:
    async with live_core(settings, world) if settings else sample_core(world) as core:
        answer = await menu.answer(replace(core.desk, refresh=_refresh(core)), Request(HERE, text))
    if as_json:
        body = {"error": answer.error} if answer.error else {"message": to_data(answer.message), "data": answer.data}
        print(json.dumps(body, ensure_ascii=sys.stdout.encoding.casefold() != "utf-8"))  # noqa: T201
    else:
        print_message(answer.message, sys.stderr if answer.error else sys.stdout)
    return 1 if answer.error else 0


async def _run(settings: Settings, world: World) -> int:
    """The service, until a signal ends it."""
    if settings.half_set and not settings.telegram_bot_token:
        raise SettingsError(settings.half_set)
    taken = DatabaseError(f"{settings.database_path} is in use by another `yamchi run`; stop that one first")
    if ServiceLock(settings.database_path).held_elsewhere():  # before a large database is read through
        raise taken
    async with live_core(settings, world) as core:
        if not core.lock.acquire():
            raise taken
        chats = _chats(settings, core)
        service = core.service(chats)
        refresh = partial(core.tracker.first_answers, seconds=FIRST_ANSWER_SECONDS)
        desk = replace(core.desk, refresh=refresh, health=service.ready)
        stop = stop_signal()
        try:
            rejected = await service.check_chats()
            if rejected and len(rejected) == sum(name != "console" for name in chats):
                raise SettingsError("; ".join(map(str, rejected)))
            await service.deliverer.settle_lapsed(alone=True)
            async with health_page(settings.http_listen, service.alive, service.ready):
                await service.serve(partial(menu.answer, desk), stop)
        finally:
            await asyncio.gather(*(chat.close() for chat in chats.values()))
            core.lock.release()
    return 0


def _chats(settings: Settings, core: Core) -> dict[str, Chat]:
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
            paid=settings.telegram_paid_broadcast,
            crash=core.world.crash,
        )
    if settings.half_set:
        structlog.get_logger().error("Slack stays off", reason=settings.half_set)
    if settings.slack_bot_token and settings.slack_app_token:
        from handlers.slack import Slack  # noqa: PLC0415

        chats["slack"] = Slack(
            settings.slack_bot_token.get_secret_value(),
            settings.slack_app_token.get_secret_value(),
            settings.slack_api_url,
            core.store,
            core.world.clock,
            admins=settings.admins,
            crash=core.world.crash,
        )
    return chats


async def _start(settings: Settings, world: World) -> int:
    """With a token: the service. Without: the console chat."""
    if settings.has_chat:
        return await _run(settings, world)
    return await _chat(settings, world)


async def _doctor(settings: Settings, world: World) -> int:
    from bot.doctor import examine  # noqa: PLC0415

    catalogue = read_catalogue(settings.sources_file)
    failed = False
    async with live_core(settings, world) as core:
        async for finding in examine(settings, catalogue, core.store, core.fetcher, world.clock):
            print(finding)  # noqa: T201
            failed |= finding.verdict == "FAIL"
    return 1 if failed else 0


async def _probe(settings: Settings, world: World, name: str) -> int:
    from bot.probe import Probe, chosen  # noqa: PLC0415

    well = True
    async with live_core(settings, world) as core:
        added = [one.feed for one in await core.store.added_feeds()]
        probe = Probe(core.store, core.fetcher, core.parser, world.clock, settings.poll_news_seconds)
        async for answered in probe.run(chosen(core.catalogue, added, name)):
            print(answered)  # noqa: T201
            well &= answered.ok
    return 0 if well else 1


async def _backfill(settings: Settings, world: World, days: int, only: list[str]) -> int:
    """1 if every bank failed, 0 if anything was got or nothing was missing."""
    from bot.backfill import Backfill, plans  # noqa: PLC0415
    from bot.progress import progress  # noqa: PLC0415

    async with live_core(settings, world) as core:
        chosen = plans(core.catalogue, only)
        with progress() as show:
            backfill = Backfill(core.store, core.fetcher, core.parser, world.clock, days, show)
            tallies = await backfill.run(chosen)
    for tally in tallies:
        print(tally)  # noqa: T201
    return 1 if tallies and all(tally.in_vain for tally in tallies) else 0


def _manifest(what: str) -> int:
    if what == cli.Manifest.BOTFATHER:
        from handlers.telegram.manifest import botfather as manifest  # noqa: PLC0415
    else:
        from handlers.slack.manifest import socket_manifest as manifest  # noqa: PLC0415
    print(manifest())  # noqa: T201
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


def main(argv: list[str] | None = None, clock: Clock = _now, crash: CrashHook = lambda _: None) -> int:
    """`yamchi`: see bot/cli.py for the words. Returns the exit code."""
    world = World(clock, crash)
    verbs = cli.Verbs(
        start=lambda: cli.perform(partial(_start, world=world), serves=lambda settings: settings.has_chat),
        chat=lambda sample: cli.perform(partial(_chat, world=world), sample=sample),
        ask=lambda text, as_json, sample: cli.perform(
            partial(_ask, world=world, text=text, as_json=as_json), sample=sample
        ),
        run=lambda: cli.perform(partial(_run, world=world), serves=lambda _: True),
        doctor=lambda: cli.perform(partial(_doctor, world=world)),
        probe=lambda name: cli.perform(partial(_probe, world=world, name=name)),
        backfill=lambda days, only: cli.perform(partial(_backfill, world=world, days=days, only=only)),
        manifest=_manifest,
        version=VERSION,
    )
    return cli.call(verbs, argv)


if __name__ == "__main__":
    sys.exit(main())
