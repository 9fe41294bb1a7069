"""What every feed document comes down to, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from yarl import URL

from bot import prose
from bot.message import Span

MOST_ENTRIES: Final = 1000
LONGEST_ID: Final = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as read: clean text already, a link of whatever scheme, "" where there is none.

    summary: the outlet's own description; text: the full text, else the summary again
    summary_spans, text_spans: their emphasis; published: None where no date could be read
    """

    guid: str
    link: str
    title: str
    summary: str
    text: str
    published: datetime | None
    categories: tuple[str, ...] = ()
    summary_spans: tuple[Span, ...] = ()
    text_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A document. complete: False if it was cut short, on its way or by us.

    language: two letters, "" where it says nothing; ttl: seconds it asks to be left alone, 0 for nothing
    """

    entries: tuple[Entry, ...]
    complete: bool
    title: str
    language: str = ""
    ttl: float = 0.0


def guid(value: Any) -> str:
    """An entry's own name for itself."""
    return str(value or "").strip()[:LONGEST_ID]


def joined(url: str, link: Any) -> str:
    """A link as seen from the document, whose address is no part of anybody's guid."""
    text = str(link or "").strip()
    try:
        return str(URL(url).join(URL(text))) if text else ""
    except ValueError:
        return ""


def names(found: Iterable[Any]) -> tuple[str, ...]:
    """Categories on one line each, the first few."""
    return tuple(prose.clip(prose.title(name), 100) for name in islice(found, 30) if isinstance(name, str))


def language(text: Any) -> str:
    """ "ru" of "ru-RU" and the like."""
    code = str(text or "").strip().lower()[:2]
    return code if len(code) == 2 and code.isascii() and code.isalpha() else ""


def iso(text: Any) -> datetime | None:
    """An instant of ISO 8601; without a zone it is taken for UTC."""
    try:
        when = datetime.fromisoformat(str(text))
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
