"""The words of the command line, and the exit codes. What stands behind the words is wired in __main__."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from bot.config import Settings, read_settings
from bot.errors import DatabaseError, YamchiError
from bot.log import set_up_logs
from bot.service import ROLES

Work = Callable[[Any], Coroutine[Any, Any, int]]


@dataclass(frozen=True)
class Verbs:
    """What each word does. Every one returns the exit code."""

    start: Callable[[], int]
    chat: Callable[[bool], int]
    ask: Callable[[str, bool, bool], int]
    run: Callable[[frozenset[str]], int]
    doctor: Callable[[], int]
    probe: Callable[[str], int]
    backfill: Callable[[int, list[str]], int]
    backup: Callable[[Path], int]
    restore: Callable[[Path], int]
    manifest: Callable[[str], int]
    migrate_store: Callable[[str, str], int]
    version: str


Sample = Annotated[bool, typer.Option("--sample", help="Use the sample edition: no network, no settings.")]

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Central Asia's news and exchange rates, in your chat.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def call(verbs: Verbs, argv: list[str] | None) -> int:
    """Read the words and do what they say. A usage error is exit code 2."""
    try:
        app(argv if argv is not None else sys.argv[1:], prog_name="yamchi", obj=verbs)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _end(code: int) -> None:
    raise typer.Exit(code)


@app.callback(invoke_without_command=True)
def yamchi(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,  # noqa: FBT002
) -> None:
    """With a token set: the service. Without one: a chat with the bot in this terminal."""
    verbs: Verbs = context.obj
    if version:
        typer.echo(f"yamchi {verbs.version}")
        _end(0)
    if context.invoked_subcommand is None:
        _end(verbs.start())


@app.command()
def chat(context: typer.Context, sample: Sample = False) -> None:  # noqa: FBT002
    """Talk to the bot in this terminal, or through a pipe."""
    _end(context.obj.chat(sample))


@app.command()
def ask(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help='What to ask, such as "/rates KZT".')],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002
    sample: Sample = False,  # noqa: FBT002
) -> None:
    """Ask one thing, print the answer, and exit: 0 answered, 1 an error answer."""
    _end(context.obj.ask(text, as_json, sample))


@app.command()
def run(
    context: typer.Context,
    roles: Annotated[str, typer.Option("--roles", help="Of several processes: some of these.")] = ",".join(ROLES),
) -> None:
    """Run the service: every chat that has a token, the sources, the digests."""
    _end(context.obj.run(_roles(roles)))


def _roles(said: str) -> frozenset[str]:
    roles = frozenset(role.strip() for role in said.split(","))
    if not roles <= set(ROLES):
        raise typer.BadParameter(f"expected some of {', '.join(ROLES)}", param_hint="--roles")
    return roles


@app.command()
def doctor(context: typer.Context) -> None:
    """Check the settings, the database, the tokens and every source."""
    _end(context.obj.doctor())


@app.command()
def probe(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="[ID or URL]", help="Such as timesca; without, all.")] = "",
) -> None:
    """Say what a source really answers: 0 all well, 1 not all. May run beside the service."""
    _end(context.obj.probe(source))


@app.command()
def backfill(
    context: typer.Context,
    banks: Annotated[list[str] | None, typer.Argument(metavar="[BANK]...", help="Such as nbk; without, all.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=10_000, help="How many days back.")] = 400,
) -> None:
    """Fetch the fixings of past days that are not stored yet. May run beside the service, and again."""
    _end(context.obj.backfill(days, banks or []))


@app.command("migrate-store")
def migrate_store(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="FROM", help="sqlite:///PATH")],
    target: Annotated[str, typer.Argument(metavar="TO", help="postgresql://..., an empty database")],
) -> None:
    """Copy the whole store into PostgreSQL and prove it. No service may run meanwhile. May be run again to go on."""
    _end(context.obj.migrate_store(source, target))


@app.command()
def backup(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A new file, or a folder: then the file is named by the time.")],
) -> None:
    """Copy the database to one file, checked. May run beside the service."""
    _end(context.obj.backup(path))


@app.command()
def restore(context: typer.Context, path: Annotated[Path, typer.Argument(help="What `yamchi backup` made.")]) -> None:
    """Put a backup in the database's place; the one before is kept. The service must be stopped."""
    _end(context.obj.restore(path))


class Manifest(StrEnum):
    """What can be generated for a platform."""

    SLACK_SOCKET = "slack-socket"
    SLACK_HTTP = "slack-http"
    BOTFATHER = "botfather"


@app.command()
def manifest(context: typer.Context, what: Annotated[Manifest, typer.Argument(help="For which platform.")]) -> None:
    """Print what Slack or @BotFather wants to be told, made from the menu."""
    _end(context.obj.manifest(what.value))


def perform(work: Work, *, sample: bool = False, serves: Callable[[Settings], bool] = lambda _: False) -> int:
    """Read the settings, run a verb's work on them, and turn what ends it into an exit code.

    work: takes Settings, or None for the sample edition; serves: whether it runs as a service
    0 done, 1 an error answer, 2 settings or usage, 3 the database.
    """
    try:
        settings = None if sample else read_settings()
        _set_up_logs(settings, serves)
        return asyncio.run(work(settings))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:  # noqa: BLE001 - the last of the four places where errors are caught
        return _tell(error)


def _set_up_logs(settings: Settings | None, serves: Callable[[Settings], bool]) -> None:
    """A service logs as it is told; a conversation is not disturbed, unless somebody asks for a level."""
    if settings is None:
        set_up_logs("CRITICAL", "console", ())
        return
    asked = "log_level" in settings.model_fields_set
    level = settings.log_level if asked or serves(settings) else "CRITICAL"
    set_up_logs(level, settings.log_format, settings.secrets)
    if settings.sentry_dsn and serves(settings):
        from bot.reports import send_reports  # noqa: PLC0415 - few want it

        send_reports(settings.sentry_dsn.get_secret_value(), settings.secrets)


def _tell(error: Exception) -> int:
    """One clear line for what is known; a reference into the log for what is not."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, YamchiError):
        typer.echo(f"yamchi: {error}", err=True)
        return 3 if isinstance(error, DatabaseError) else 2
    reference = secrets.token_hex(2)
    structlog.get_logger().error("ended", ref=reference, exc_info=error)
    typer.echo(f"yamchi: that did not work (ref {reference}); LOG_LEVEL=ERROR shows why", err=True)
    return 1
