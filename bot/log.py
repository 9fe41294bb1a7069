"""Logs, on standard error: one line an event, in words or JSON, and never a secret in it."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Literal
from urllib.parse import quote

import regex
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN: Final = "[hidden]"
_TOKENS: Final = regex.compile(r"\d{5,}(?::|%3A)[A-Za-z0-9_-]{30,}|xox[a-z]-[A-Za-z0-9-]{8,}|xapp-[A-Za-z0-9-]{8,}")
_NOISY: Final = (
    *("apscheduler", "procrastinate", "psycopg", "aiohttp.access", "asyncio"),
    *("slack_bolt", "slack_sdk", "telegram", "httpx", "httpcore"),
)


class _Redacting(logging.Formatter):
    """Formats with another formatter and hides secrets in the finished line, tracebacks included."""

    def __init__(self, inner: logging.Formatter, secrets: Sequence[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = spellings(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._inner.format(record), self._secrets)


def spellings(secrets: Sequence[str]) -> list[str]:
    """The secrets as they may stand in a text: as they are, in an address, in JSON; the longest first."""
    found = {form for one in secrets if one for form in (one, quote(one, safe=""), json.dumps(one)[1:-1])}
    return sorted(found, key=len, reverse=True)


def redact(text: str, secrets: Sequence[str]) -> str:
    """The text without these secrets, nor anything that looks like a chat token."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return str(_TOKENS.sub(HIDDEN, text))


def set_up_logs(level: str, style: Literal["console", "json"], secrets: Sequence[str]) -> None:
    """One handler on the root for structlog and the standard library alike."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if style == "json"
        else [_one_line, structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting(formatter, secrets))
    logging.raiseExceptions = False  # it would print what could not be logged, as it is
    sys.excepthook = _fell
    threading.excepthook = lambda fell: _fell(fell.exc_type, fell.exc_value, fell.exc_traceback)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel("DEBUG" if level == "DEBUG" else "ERROR")
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Foreign text cannot fake a log line."""
    return {key: value.replace("\n", "\\n") if isinstance(value, str) else value for key, value in event.items()}


def _fell(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """What nobody caught is logged like everything else; the interpreter would print it as it is."""
    if not issubclass(kind, Exception):
        return
    logging.getLogger("yamchi").error("fell", exc_info=(kind, error or kind(), trace))
