"""What Slack tells of a person: zone, language, and whether they are a guest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.errors import DatabaseError
from bot.ports import Clock
from handlers.slack.wire import refused
from handlers.slack.workspaces import NotInstalled, Workspaces

KEEP: Final = timedelta(hours=1)
MOST: Final = 10_000
WAIT_SECONDS: Final = 2.0
LONGEST_NAME: Final = 80

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Person:
    """zone: an IANA name; language: a code such as "ru"; name: as others see it; "" where Slack does not tell."""

    zone: str = ""
    language: str = ""
    guest: bool = False
    name: str = ""


class People:
    """Looks people up, and the names of channels, and remembers them for an hour."""

    def __init__(self, workspaces: Workspaces, clock: Clock) -> None:
        self._workspaces = workspaces
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[Person, datetime]] = {}
        self._channels: dict[tuple[str, str], tuple[str, datetime]] = {}

    async def find(self, workspace: str, user: str) -> Person:
        """Never raises, and never holds an answer up for long: then nothing is known of them."""
        person, until = self._known.get((workspace, user), (None, self._clock()))
        if person is not None and until > self._clock():
            return person
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                client = await self._workspaces.client(workspace)
                answer = await client.users_info(user=user, include_locale=True)
                person = _person(answer["user"])
        except SlackApiError as error:
            log.warning("a person cannot be looked up", error=refused(error).error)
            person = Person()
        except (aiohttp.ClientError, TimeoutError, NotInstalled, DatabaseError):
            return Person()
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[workspace, user] = (person, self._clock() + KEEP)
        return person

    async def channel(self, workspace: str, channel: str) -> str:
        """ "#general"; "#" and its id where Slack does not tell. Never raises, as find."""
        name, until = self._channels.get((workspace, channel), ("", self._clock()))
        if name and until > self._clock():
            return name
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                answer = await (await self._workspaces.client(workspace)).conversations_info(channel=channel)
                name = f"#{str(answer['channel']['name'])[:LONGEST_NAME]}"
        except (SlackApiError, KeyError, TypeError):  # one that hides, or has no name
            name = f"#{channel}"
        except (aiohttp.ClientError, TimeoutError, NotInstalled, DatabaseError):
            return f"#{channel}"
        if len(self._channels) >= MOST:
            self._channels.clear()
        self._channels[workspace, channel] = (name, self._clock() + KEEP)
        return name


def _person(user: Any) -> Person:
    if not isinstance(user, dict):
        return Person()
    language = str(user.get("locale") or "").replace("_", "-").partition("-")[0].lower()
    guest = any(user.get(kind) is True for kind in ("is_restricted", "is_ultra_restricted", "is_stranger"))
    profile = user.get("profile")
    names = profile if isinstance(profile, dict) else {}
    name = names.get("display_name") or names.get("real_name") or user.get("real_name") or ""
    return Person(_zone(str(user.get("tz") or "")), language, guest, str(name)[:LONGEST_NAME])


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key if name else ""
    except (ValueError, OSError):
        return ""
