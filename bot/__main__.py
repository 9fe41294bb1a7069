"""The command line: what each verb of `yamchi` does, on the rooms that bot/wiring.py joins."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Collection, Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from bot import cli
from bot.config import POSTGRESQL, Settings, read_supervisor
from bot.errors import SettingsError
from bot.health import http_server
from bot.message import to_data
from bot.models import Address, Request
from bot.notify import notified
from bot.ports import Clock, CrashHook, Page
from bot.service import ROLES, Service, stop_signal
from bot.wiring import VERSION, Core, World, in_use, live_core, open_chats, pass_over, sample_core
from handlers import menu
from handlers.console import Console, print_message
from storage import backup
from storage.choice import SQLITE, chosen_engine, chosen_lock
from storage.lock import ServiceLock

HERE: Final = Address("console", "local")
FIRST_LIGHT_SECONDS: Final = 5.0
ASK_SECONDS: Final = 9.0
FIRST_ANSWER_SECONDS: Final = 2.0


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
    async with service.beating(), service.ticking(polls=lambda: not core.lock.held_elsewhere()):
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


async def _run(settings: Settings, world: World, roles: Collection[str] = ROLES) -> int:
    """The service, until a signal ends it. Several may share a PostgreSQL database."""
    if settings.half_set and not settings.telegram_bot_token:
        raise SettingsError(settings.half_set)
    taken = in_use(settings.database_name)
    if settings.keeps_file:
        if set(roles) != set(ROLES):
            raise SettingsError("--roles: several processes need a PostgreSQL database; see DATABASE_URL")
        if chosen_lock(settings.database_url).held_elsewhere():  # before a large database is read through
            raise taken
    if settings.open_webhook:
        raise SettingsError(settings.open_webhook)
    async with live_core(settings, world) as core:
        if settings.keeps_file and not core.lock.acquire():
            raise taken
        chats = open_chats(settings, core)
        if "web" not in roles:
            del chats["console"]
        engine = chosen_engine(settings.database_url, core.store, chats, world.clock)
        service = core.service(chats, engine)
        refresh = partial(core.tracker.first_answers, seconds=FIRST_ANSWER_SECONDS)
        desk = replace(core.desk, refresh=refresh, health=service.ready)
        stop = stop_signal()
        try:
            rejected = await service.check_chats()
            if rejected and len(rejected) == sum(name != "console" for name in chats):
                raise SettingsError("; ".join(map(str, rejected)))
            if "send" in roles:
                await service.deliverer.settle_lapsed(alone=True)
            pages = {}
            if "web" in roles:
                pages = {path: page for chat in chats.values() for path, page in chat.pages().items()}
            pages["/metrics"] = _metrics(core, service, roles)
            server = http_server(settings.http_listen, roles, service.alive, service.ready, pages)
            async with engine, server, notified(read_supervisor(), service.alive):
                await service.serve(partial(menu.answer, desk), stop, roles)
        finally:
            await asyncio.gather(*(chat.close() for chat in chats.values()))
            core.lock.release()
            core.poll_lock.release()
    return 0


def _metrics(core: Core, service: Service, roles: Collection[str]) -> Page:
    from bot.metrics import Metrics  # noqa: PLC0415

    catalogue = core.catalogue
    sources = {feed.id for feed in catalogue.feeds} | {road.id for road in catalogue.roads}
    return Metrics(core.store, service.ready, service.restarts, sources, core.world.clock, VERSION, roles).page


async def _start(settings: Settings, world: World) -> int:
    """With a token: the service. Without: the console chat."""
    if settings.has_chat:
        return await _run(settings, world)
    return await _chat(settings, world)


async def _doctor(settings: Settings, world: World) -> int:
    from bot.doctor import examine  # noqa: PLC0415

    failed = False
    async with live_core(settings, world) as core:
        chats = {name: chat for name, chat in open_chats(settings, core).items() if name != "console"}
        served = core.lock.held_elsewhere()
        try:
            checks = examine(
                settings, core.catalogue, core.store, core.fetcher, world.clock, chats.values(), served=served
            )
            async for finding in checks:
                print(finding)  # noqa: T201
                failed |= finding.verdict == "FAIL"
        finally:
            await asyncio.gather(*(chat.close() for chat in chats.values()))
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


async def _migrate_store(_: Settings | None, source: str, target: str) -> int:
    from bot.progress import counting  # noqa: PLC0415
    from storage.postgres.copying import copy_store  # noqa: PLC0415

    if not source.startswith(SQLITE) or not target.startswith(POSTGRESQL):
        raise SettingsError("migrate-store: expected sqlite:///PATH and postgresql://USER:PASSWORD@HOST/DATABASE")
    with counting() as show:
        copied = copy_store(Path(source.removeprefix(SQLITE)), target, show)
    for table in copied:
        print(table)  # noqa: T201
    print("All of it is there, row for row. Set DATABASE_URL to the new one.")  # noqa: T201
    return 0


async def _backup(settings: Settings, world: World, target: Path) -> int:
    made, size = await asyncio.to_thread(backup.back_up, settings.database_path, target, world.clock())
    print(f"{made}: {size:,} bytes, read through and whole")  # noqa: T201
    return 0


async def _restore(settings: Settings, world: World, source: Path) -> int:
    """Digests that fell due before now are passed over, as what waits is: it may have been sent since the backup."""
    path, now = settings.database_path, world.clock()
    lock = ServiceLock(path)
    if not lock.acquire():
        raise in_use(settings.database_name)
    try:
        made, aside = await asyncio.to_thread(backup.prepare, path, source, now)
        try:
            aside += await pass_over(settings, made, now)
            before = await asyncio.to_thread(backup.put_in_place, path, made, now, world.crash)
        finally:
            backup.discard(made)
    finally:
        lock.release()
    print(f"{path} is {source} now")  # noqa: T201
    if before:
        print(f"what was there before is {before}; delete it when all is well")  # noqa: T201
    if aside:
        print(f"{aside} messages are not sent, as they may have been since the backup; /why tells")  # noqa: T201
    return 0


def _manifest(what: str) -> int:
    from handlers.slack.manifest import http_manifest, socket_manifest  # noqa: PLC0415
    from handlers.telegram.manifest import botfather  # noqa: PLC0415

    if what == cli.Manifest.SLACK_HTTP:
        return cli.perform(partial(_http_manifest, http_manifest))
    print((botfather if what == cli.Manifest.BOTFATHER else socket_manifest)())  # noqa: T201
    return 0


async def _http_manifest(make: Callable[[str], str], settings: Settings | None) -> int:
    assert settings
    print(make(settings.public_url))  # noqa: T201
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
        run=lambda roles: cli.perform(partial(_run, world=world, roles=roles), serves=lambda _: True),
        doctor=lambda: cli.perform(partial(_doctor, world=world)),
        probe=lambda name: cli.perform(partial(_probe, world=world, name=name)),
        backfill=lambda days, only: cli.perform(partial(_backfill, world=world, days=days, only=only)),
        backup=lambda target: cli.perform(partial(_backup, world=world, target=target)),
        restore=lambda source: cli.perform(partial(_restore, world=world, source=source)),
        manifest=_manifest,
        migrate_store=lambda source, target: cli.perform(partial(_migrate_store, source=source, target=target)),
        version=VERSION,
    )
    return cli.call(verbs, argv)


if __name__ == "__main__":
    sys.exit(main())
