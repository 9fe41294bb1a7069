"""Reports of what failed, to a Sentry of the operator's choice. Off unless SENTRY_DSN is set."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from bot.errors import SettingsError
from bot.log import redact, spellings

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

OURS_ALONE: Final = ("server_name", "user", "request", "breadcrumbs", "modules")
"""Parts of a report that tell of the machine or of people, and help nobody."""


def send_reports(dsn: str, secrets: Sequence[str]) -> None:
    """From now on every error in the log is reported, without secrets, variables or anything of people.

    Raises SettingsError where the library is missing or the DSN is none.
    """
    try:
        import sentry_sdk  # noqa: PLC0415
        from sentry_sdk.utils import BadDsn  # noqa: PLC0415
    except ImportError:
        raise SettingsError("SENTRY_DSN: sentry-sdk is not installed; pip install sentry-sdk, or unset it") from None
    forms = spellings(secrets)

    def clean(event: Event, _: Hint) -> Event | None:
        kept = {name: part for name, part in event.items() if name not in OURS_ALONE}
        cleaned: Any = json.loads(redact(json.dumps(kept, default=str), forms))
        return cleaned  # type: ignore[no-any-return]

    try:
        sentry_sdk.init(
            dsn,
            release=f"yamchi@{version('yamchi')}",
            before_send=clean,
            default_integrations=False,
            include_local_variables=False,
            include_source_context=False,
            max_breadcrumbs=0,
        )
    except BadDsn:
        raise SettingsError("SENTRY_DSN: expected a DSN, https://key@host/project") from None
    logging.getLogger().addHandler(_Reporter(sentry_sdk))


class _Reporter(logging.Handler):
    """The log's errors to Sentry: the exception where there is one, else the name of the event."""

    def __init__(self, sentry: Any) -> None:
        super().__init__("ERROR")
        self._sentry = sentry

    def emit(self, record: logging.LogRecord) -> None:
        said: dict[str, Any] = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        told, error = said.get("event", ""), _exception(record.exc_info or said.get("exc_info"))
        with self._sentry.new_scope() as scope:
            scope.set_tag("logger", record.name)
            scope.set_tag("event", str(told)[:200])
            if error is not None:
                scope.capture_exception(error)
            else:
                scope.capture_message(str(told), level="error")


def _exception(info: Any) -> BaseException | None:
    """Of what logging calls exc_info: an exception, its triple, or True for the one in hand."""
    found = sys.exc_info() if info is True else info
    return found[1] if isinstance(found, tuple) else found or None
