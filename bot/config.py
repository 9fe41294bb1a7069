"""Settings, read once at start from the environment and from .env in the working directory.

A secret may also stand in a file: NAME_FILE holds its path. An empty or malformed value in
.env is a SettingsError that names its line and says what is expected.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies
from zoneinfo import ZoneInfo, available_timezones

from dotenv.parser import parse_stream
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import DatabaseError, SettingsError
from bot.locales import languages
from bot.switches import SLACK, missing_for_slack

DOTENV = Path(".env")

ADMIN = {"telegram": re.compile(r"[0-9]+"), "slack": re.compile(r"[A-Z0-9]+/[A-Z0-9]+")}
"""People by their number: a user name can become somebody else's."""
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

SHORTEST_KEY = 32

POSTGRESQL = "postgresql://"

HostPort = tuple[str, int]


def host_port(text: str) -> HostPort:
    """ "127.0.0.1:8080" or "[::1]:80" as (host, port)."""
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) < 65536:
        raise ValueError("expected host:port")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError("expected [address]:port")
    return host.strip("[]"), int(port)


def _list(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _hosts(value: object) -> object:
    parts = _list(value)
    return tuple(host_port(part) for part in parts) if isinstance(parts, tuple) else value


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("expected an IANA time zone")
    ZoneInfo(value)
    return value


def _language(value: str) -> str:
    if value not in languages():
        raise ValueError("expected a language we speak")
    return value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("expected an http address")
    return value.rstrip("/")


def _database(value: str) -> str:
    if value.startswith("sqlite:///") and value != "sqlite:///":
        return value
    if not value.startswith(POSTGRESQL) or not urlsplit(value).path.strip("/"):
        raise ValueError("expected sqlite:///PATH or postgresql://...")
    return value


def _admin(value: tuple[str, ...]) -> tuple[str, ...]:
    for admin in value:
        platform, _, who = admin.partition(":")
        if platform not in ADMIN or not ADMIN[platform].fullmatch(who):
            raise ValueError("expected platform:id; names change hands")
    return value


def _webhook_secret(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("expected what Telegram takes as a secret")
    return value


def _secret_key(value: SecretStr | None) -> SecretStr | None:
    if value is not None and len(value.get_secret_value()) < SHORTEST_KEY:
        raise ValueError("expected a longer key")
    return value


Url = Annotated[str, AfterValidator(_url)]


class Settings(BaseSettings):
    """Names are those of the environment, in lower case. `expected` is told when a value is wrong."""

    model_config = SettingsConfigDict(env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    database_url: Annotated[str, AfterValidator(_database)] = Field(
        "sqlite:///data/yamchi.db",
        description="sqlite:///PATH, relative to the working directory, or postgresql://USER:PASSWORD@HOST/DATABASE",
    )
    telegram_bot_token: SecretStr | None = Field(None, description="a bot token from @BotFather")
    telegram_api_url: Url = Field("https://api.telegram.org", description="an http or https address, the server's root")
    telegram_webhook_url: Url | None = Field(None, description="the https address at which Telegram reaches us")
    telegram_webhook_secret: Annotated[SecretStr | None, AfterValidator(_webhook_secret)] = Field(
        None, description="1 to 256 letters, digits, _ and -"
    )
    telegram_paid_broadcast: bool = Field(False, description="true or false")
    slack_bot_token: SecretStr | None = Field(None, description="a bot token, xoxb-...")
    slack_app_token: SecretStr | None = Field(None, description="an app-level token, xapp-...")
    slack_signing_secret: SecretStr | None = Field(None, description="the app's signing secret")
    slack_client_id: str | None = Field(None, description="the app's client id, such as 123.456")
    slack_client_secret: SecretStr | None = Field(None, description="the app's client secret")
    secret_key: Annotated[SecretStr | None, AfterValidator(_secret_key)] = Field(
        None, description=f"a random text of {SHORTEST_KEY} characters or more"
    )
    slack_api_url: Url = Field("https://slack.com/api", description="an http or https address ending in /api/")
    sources_file: Path | None = Field(None, description="the path of a TOML file")
    fetch_allow: Annotated[tuple[HostPort, ...], NoDecode, BeforeValidator(_hosts)] = Field(
        (), description="host:port, separated by commas ([::1]:80 for IPv6)"
    )
    poll_news_seconds: int = Field(3600, ge=1, le=86400, description="a whole number of seconds, 1 to 86400")
    poll_rates_seconds: int = Field(900, ge=1, le=86400, description="a whole number of seconds, 1 to 86400")
    digest_catch_up_hours: int = Field(6, ge=0, le=24, description="a whole number of hours, 0 to 24")
    retention_days: int = Field(90, ge=7, le=3650, description="a whole number of days, 7 to 3650")
    http_listen: Annotated[HostPort, NoDecode, BeforeValidator(lambda v: host_port(v) if isinstance(v, str) else v)] = (
        Field(("127.0.0.1", 8080), description="host:port, such as 127.0.0.1:8080")
    )
    public_url: Url = Field("https://yamchi.example", description="an http or https address")
    admins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list), AfterValidator(_admin)] = Field(
        (), description="telegram:NUMBER or slack:TEAM/USER, by id, separated by commas"
    )
    default_timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "Asia/Almaty", description="an IANA time zone, such as Asia/Tashkent"
    )
    default_language: Annotated[str, AfterValidator(_language)] = Field(
        "en", description="a language code: " + ", ".join(languages())
    )
    sentry_dsn: SecretStr | None = Field(None, description="a DSN, https://key@host/project")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: Literal["console", "json"] = Field("console", description="console or json")

    @property
    def keeps_file(self) -> bool:
        """Whether the store is a file of ours."""
        return not self.database_url.startswith(POSTGRESQL)

    @property
    def database_path(self) -> Path:
        """That file. Raises DatabaseError where there is none."""
        if not self.keeps_file:
            raise DatabaseError("this is for SQLite's file; PostgreSQL is backed up and restored by pg_dump and psql")
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def database_name(self) -> str:
        """The database as it may be shown: without its password."""
        if self.keeps_file:
            return str(self.database_path)
        parts = urlsplit(self.database_url)
        return f"{POSTGRESQL}{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def has_chat(self) -> bool:
        """Whether a token turns on a chat beside the console."""
        return bool(self.telegram_bot_token) or self.wants_slack

    @property
    def wants_slack(self) -> bool:
        """Whether anything is set that only Slack needs."""
        return any(getattr(self, name.lower()) for name in SLACK)

    @property
    def half_set(self) -> str:
        """What keeps Slack off although somebody meant to turn it on, "" if nothing does."""
        return missing_for_slack({name for name in SLACK if getattr(self, name.lower())})

    @property
    def telegram_webhook(self) -> tuple[str, str] | None:
        """The webhook's address and its secret; None: updates are polled for."""
        if self.telegram_webhook_url is None or self.telegram_webhook_secret is None:
            return None
        return self.telegram_webhook_url, self.telegram_webhook_secret.get_secret_value()

    @property
    def open_webhook(self) -> str:
        """What is wrong with a webhook that anybody could write to, "" if there is none."""
        if self.telegram_webhook_url is None or self.telegram_webhook_secret is not None:
            return ""
        expected = type(self).model_fields["telegram_webhook_secret"].description
        return f"TELEGRAM_WEBHOOK_SECRET: not set, and TELEGRAM_WEBHOOK_URL needs it; expected {expected}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every configured secret, for the log's redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        held = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        return tuple(filter(None, (*held, urlsplit(self.database_url).password)))

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *args: PydanticBaseSettingsSource, **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        named = ("init_settings", "env_settings", "dotenv_settings")
        return (*(sources[name] for name in named if name in sources), *args[:3], _SecretFiles(settings_cls))


def revealed(secret: SecretStr | None) -> str:
    """ "" where it is not set."""
    return secret.get_secret_value() if secret else ""


class _SecretFiles(PydanticBaseSettingsSource):
    """NAME_FILE beside NAME: the path of a file that holds the secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = environment().get(f"{field_name.upper()}_FILE", "")
        return (_read_secret(field_name, path) if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        secret = {name: f for name, f in fields if f.annotation == SecretStr | None or name == "database_url"}
        found = {name: self.get_field_value(field, name)[0] for name, field in secret.items()}
        return {name: value for name, value in found.items() if value is not None}


def _read_secret(name: str, path: str) -> str:
    try:
        value = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise SettingsError(f"{name.upper()}_FILE: cannot read {path}: {reason}") from None
    if not value:
        raise SettingsError(f"{name.upper()}_FILE: {path} is empty")
    return value


@dataclass(frozen=True)
class Supervisor:
    """What started us and wants to be told how we fare: systemd, or nobody.

    address: of its socket, "" for none; watchdog_seconds: how often it wants to hear from us at least, 0 for never
    """

    address: str
    watchdog_seconds: float


def read_supervisor() -> Supervisor:
    address = os.environ.get("NOTIFY_SOCKET", "")
    span, of = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    meant = span.isdigit() and of in ("", str(os.getpid()))
    return Supervisor("\0" + address[1:] if address.startswith("@") else address, int(span) / 1e6 if meant else 0.0)


def proxy_for(scheme: str) -> str:
    """The proxy that chats go through, "" for none."""
    return getproxies().get(scheme, "")


def environment() -> dict[str, str]:
    """Names and values of the environment, and of .env where they are not there; empty ones are left out."""
    lines = {key: value for _, key, value in dotenv_lines() if value}
    return {**lines, **{key: value for key, value in os.environ.items() if value}}


def dotenv_lines() -> Iterator[tuple[int, str, str]]:
    """(line, NAME, value) of .env; a line that is no NAME=value is a SettingsError."""
    if not DOTENV.is_file():
        return
    try:
        bindings = list(parse_stream(DOTENV.open(encoding="utf-8")))
    except UnicodeDecodeError:
        raise SettingsError(".env: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(f".env: cannot be read: {error.strerror}") from None
    for binding in bindings:
        text = binding.original.string
        line = binding.original.line + len(text) - len(text.lstrip("\n"))
        if binding.error or (binding.key and binding.value is None):
            raise SettingsError(f".env line {line}: expected NAME=value")
        if binding.key:
            yield line, binding.key.upper(), (binding.value or "").strip()


def read_settings(**overrides: Any) -> Settings:
    """The settings in force. Raises SettingsError: which name, which line, what is expected."""
    lines: dict[str, int] = {}
    for line, name, value in dotenv_lines():
        lines[name] = line
        field = Settings.model_fields.get(name.lower())
        if field is not None and not value:
            raise SettingsError(f".env line {line}: {name} is empty; expected {field.description}, or no such line")
    try:
        return Settings(_env_file=DOTENV, **overrides)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0]).upper()
        where = f".env line {lines[name]}: " if name in lines and name not in os.environ else ""
        expected = Settings.model_fields[name.lower()].description
        raise SettingsError(f"{where}{name}: expected {expected}") from None


def resolve_allowed(allowed: tuple[HostPort, ...]) -> frozenset[HostPort]:
    """FETCH_ALLOW with its names resolved to addresses: exactly those may be reached."""
    found: set[HostPort] = set()
    for host, port in allowed:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise SettingsError(f"FETCH_ALLOW: {host} has no address; expected a host that resolves") from None
        found.update((str(answer[4][0]), port) for answer in answers)
    return frozenset(found)
