"""Mistakes in settings that can be read but cannot be meant. Pure but for a look at the file's rights."""

from __future__ import annotations

import re
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from bot.config import Settings

Verdict = Literal["ok", "warn", "FAIL"]
PREFIXES: Final = (
    "TELEGRAM",
    "SLACK",
    "POLL",
    "DIGEST",
    "FETCH",
    "SOURCES",
    "LOG",
    "HTTP",
    "DEFAULT",
    "DATABASE",
    "ADMIN",
    "SECRET",
)
"""What a name begins with that is probably meant for us."""
NOT_OURS: Final = frozenset({"HTTP_PROXY", "HTTPS_PROXY"})


@dataclass(frozen=True, slots=True)
class Finding:
    """verdict, what was looked at, what was found and what to do."""

    verdict: Verdict
    what: str
    found: str

    def __str__(self) -> str:
        return f"{self.verdict:<5} {self.what:<20} {self.found}"


def mistakes(
    settings: Settings, written: Sequence[tuple[int, str, str]], names: Collection[str], dotenv: Path
) -> Iterator[Finding]:
    """written: (line, NAME, value) of .env; names: of the whole environment, .env's included."""
    yield from _names(written)
    yield from _rights(dotenv, written)
    for name in sorted(names):
        secret = name.removesuffix("_FILE")
        if name != secret and secret in names and secret.lower() in Settings.model_fields:
            yield Finding("warn", "settings", f"{secret} and {name} are both set, and {secret} counts; delete one")
    yield from _tokens(settings)
    yield from _addresses(settings)


def _names(written: Sequence[tuple[int, str, str]]) -> Iterator[Finding]:
    known = {name.upper() for name in Settings.model_fields}
    allowed = known | {f"{name}_FILE" for name in known} | NOT_OURS
    times = Counter(name for _, name, _ in written)
    for line, name, _ in written:
        near = get_close_matches(name, sorted(known), 1, cutoff=0.75)
        if name not in allowed and (near or name.startswith(PREFIXES)):
            meant = f"; did you mean {near[0]}?" if near else "; .env.example lists those that are"
            yield Finding("FAIL", "settings", f".env line {line}: {name} is no setting of ours{meant}")
        if times.pop(name, 1) > 1:
            yield Finding("warn", "settings", f".env line {line}: {name} is set again further down, which counts")


def _rights(dotenv: Path, written: Sequence[tuple[int, str, str]]) -> Iterator[Finding]:
    secret = {name.upper() for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    if secret & {name for _, name, _ in written} and stat.S_IMODE(dotenv.stat().st_mode) & 0o077:
        yield Finding("warn", "settings", f"{dotenv} holds secrets and others may read it; chmod 600 {dotenv}")


def _tokens(settings: Settings) -> Iterator[Finding]:
    shapes: Mapping[str, tuple[str, Callable[[str], bool]]] = {
        "telegram_bot_token": ("telegram", _telegram_shape),
        "slack_bot_token": ("slack", lambda token: token.startswith("xoxb-")),
        "slack_app_token": ("slack", lambda token: token.startswith("xapp-")),
        "slack_signing_secret": ("slack", _slack_shape),
        "slack_client_secret": ("slack", _slack_shape),
    }
    for name, (chat, shaped) in shapes.items():
        secret = getattr(settings, name)
        if secret is None:
            if name.endswith("_token"):
                yield Finding("ok", chat, f"off: {name.upper()} is not set")
        elif not shaped(secret.get_secret_value()):
            text = f"{name.upper()} does not look like such a token; copy it again from where you got it"
            yield Finding("warn", chat, text)
        else:
            yield Finding("ok", chat, f"{name.upper()} is set")
    if settings.half_set:
        yield Finding("FAIL", "slack", settings.half_set)
    elif settings.slack_client_id and not settings.secret_key:
        found = "SECRET_KEY is not set, so the workspaces' tokens are stored open; set it to a long random text"
        yield Finding("warn", "slack", found)
    if settings.open_webhook:
        yield Finding("FAIL", "telegram", settings.open_webhook)
    if settings.has_chat and not settings.admins:
        yield Finding("warn", "admins", "ADMINS is not set, so nobody hears of trouble; set it to your own id")


def _addresses(settings: Settings) -> Iterator[Finding]:
    hook = settings.telegram_webhook_url
    if hook and urlsplit(hook).scheme != "https":
        yield Finding("FAIL", "telegram", "TELEGRAM_WEBHOOK_URL: Telegram comes by https; put a TLS proxy before us")
    if hook and urlsplit(hook).path.rstrip("/") != "/telegram/webhook":
        yield Finding("warn", "telegram", "TELEGRAM_WEBHOOK_URL: we answer at /telegram/webhook; let it end so")
    if "/bot" in urlsplit(settings.telegram_api_url).path:
        yield Finding("FAIL", "telegram", "TELEGRAM_API_URL: expected the server's root; leave out /bot and the token")
    if not urlsplit(settings.slack_api_url).path.rstrip("/").endswith("/api"):
        yield Finding("FAIL", "slack", "SLACK_API_URL: expected an address that ends in /api/")
    if not _is_local(settings.http_listen[0]):
        found = "HTTP_LISTEN: others can reach /readyz there; listen on 127.0.0.1 behind a proxy, or close the port"
        yield Finding("warn", "http", found)


def _telegram_shape(token: str) -> bool:
    number, _, rest = token.partition(":")
    return number.isdigit() and len(rest) >= 30


def _slack_shape(secret: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{32}", secret) is not None


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
