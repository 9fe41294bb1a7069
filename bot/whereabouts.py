"""From a place on the globe to the clocks that go there."""

from __future__ import annotations

import asyncio
from typing import Final

import regex

from bot import child
from bot.errors import Refusal
from bot.locales import N_
from bot.places import known_zones

SECONDS: Final = 10.0
LOOK_UP: Final = "from sys import stdin; from tzfpy import get_tz; print(get_tz(*map(float, stdin.read().split())))"
"""In a child process: the map of all zones takes 33 MB, for good."""
_POINT: Final = regex.compile(r"([-+]?\d{1,2}(?:\.\d{1,9})?) ?, ?([-+]?\d{1,3}(?:\.\d{1,9})?)")


def point_of(text: str) -> tuple[float, float] | None:
    """(43.24, 76.89) of "43.24, 76.89": degrees of latitude and longitude, None for what is no place."""
    match = _POINT.fullmatch(text.strip())
    point = (float(match[1]), float(match[2])) if match else None
    return point if point and abs(point[0]) <= 90 and abs(point[1]) <= 180 else None


async def zone_at(latitude: float, longitude: float) -> str:
    """The IANA name of the zone there. Raises Refusal."""
    try:
        async with asyncio.timeout(SECONDS):
            found = (await child.output("-c", LOOK_UP, given=f"{longitude} {latitude}".encode())).decode().strip()
    except (TimeoutError, OSError):
        found = ""
    if found not in known_zones():
        raise Refusal(
            N_("I cannot tell which clocks go there."),
            N_("Name a city or a zone: /timezone Bishkek, /timezone Europe/London."),
        )
    return found
