"""What people type after /pause, /resume and /quiet, read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import regex

from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_
from bot.models import Quiet

LONGEST_PAUSE: Final = timedelta(days=366)
OFF: Final = frozenset({"off", "no", "выкл", "нет"})
HOLD: Final = frozenset({"hold", "ждать"})
SILENT: Final = frozenset({"silent", "тихо"})
UNTIL: Final = frozenset({"until", "till", "до"})

_SPAN: Final = regex.compile(r"(\d{1,3})([hdwчдн])")
_HOURS: Final = {"h": 1, "ч": 1, "d": 24, "д": 24, "w": 168, "н": 168}
_HOURS_OF_DAY: Final = regex.compile(
    r"(\d{1,2})(?:[:.](\d{2}))? ?(?:-|–|—|to|до) ?(\d{1,2})(?:[:.](\d{2}))?(?: (\p{L}+))?"
)


@dataclass(frozen=True, slots=True)
class Break:
    """which: a subscription's number or mark as typed, "" for all; until: None for until it is resumed."""

    which: str
    until: datetime | None


def read_pause(text: str, now: datetime) -> Break:
    """What /pause is told: [N] [2h | 2d | until 2026-12-01]. now: on the chat's clocks."""
    parts = one_line(text).casefold().split()
    which = parts.pop(0) if parts and (parts[0].isdecimal() or parts[0].startswith("id:")) else ""
    parts = [part for part in parts if part not in UNTIL]
    if not parts:
        return Break(which, None)
    until = _until(parts[0], now) if len(parts) == 1 else None
    if until is None or not now < until <= now + LONGEST_PAUSE:
        raise Refusal(
            N_("I cannot read {text}."), N_("Say /pause 2h, /pause 2d or /pause until 2026-12-01."), text=shown(text)
        )
    return Break(which, until.astimezone(UTC))


def _until(text: str, now: datetime) -> datetime | None:
    span = _SPAN.fullmatch(text)
    if span:
        return now + timedelta(hours=int(span[1]) * _HOURS[span[2]])
    try:
        return datetime.combine(date.fromisoformat(text), time(0), now.tzinfo)
    except ValueError:
        return None


def read_quiet(text: str) -> Quiet | None:
    """What /quiet is told: 22:00-07:00 [hold | silent], or off (None)."""
    plain = one_line(text).casefold()
    if plain in OFF:
        return None
    match = _HOURS_OF_DAY.fullmatch(plain)
    manner = (match[5] or "hold") if match else ""
    if match and manner in HOLD | SILENT:
        start, end = _clock(match[1], match[2]), _clock(match[3], match[4])
        if start and end and start != end:
            return Quiet(start, end, hold=manner in HOLD)
    raise Refusal(
        N_("I cannot read the quiet hours {text}."),
        N_("Say /quiet 22:00-07:00, /quiet 22:00-07:00 silent or /quiet off."),
        text=shown(text),
    )


def _clock(hour: str, minute: str | None) -> time | None:
    try:
        return time(int(hour), int(minute or 0))
    except ValueError:
        return None
