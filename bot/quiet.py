"""Quiet hours: what comes by itself waits for their end, or comes without a sound. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.models import ChatSettings, DeliveryKind, Outgoing, Quiet

HUSHED: Final[frozenset[DeliveryKind]] = frozenset({"alert", "article"})
"""A digest's time was chosen, a reply was asked for."""


def quiet_until(quiet: Quiet | None, zone: str, at: datetime) -> datetime | None:
    """When the quiet hours end that `at` falls into; None outside them."""
    if quiet is None:
        return None
    place = ZoneInfo(zone)
    local = at.astimezone(place)
    clock, over_midnight = local.time(), quiet.start > quiet.end
    inside = clock >= quiet.start or clock < quiet.end if over_midnight else quiet.start <= clock < quiet.end
    if not inside:
        return None
    day = local.date() + timedelta(days=1 if over_midnight and clock >= quiet.start else 0)
    ends = (datetime.combine(day, quiet.end, tzinfo=place).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return next((end for end in ends if end > at), None)


def hushed(out: Outgoing, settings: ChatSettings) -> Outgoing:
    """What is to be sent, as the chat's quiet hours have it: its shelf life counts from their end."""
    end = quiet_until(settings.quiet, settings.zone, out.due_at) if out.kind in HUSHED else None
    if end is None or settings.quiet is None:
        return out
    if settings.quiet.hold:
        return replace(out, due_at=end, expires_at=end + (out.expires_at - out.due_at))
    return replace(out, message=replace(out.message, silent=True))
