"""Whose token speaks in which workspace."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from slack_sdk.web.async_client import AsyncWebClient

from bot.models import Cause
from handlers.slack.wire import Wire

APPS_PAGE: Final = "https://api.slack.com/apps"
"""Where the maker of an app installs it into a workspace."""


class NotInstalled(Exception):
    """This workspace does not have us, or has us no more."""


class Workspaces(Protocol):
    """A workspace is named by its team's id; one that has us through its whole organisation, by that one's."""

    @property
    def install_page(self) -> str:
        """Where a workspace gets us, with all the rights we need."""

    async def client(self, workspace: str) -> AsyncWebClient:
        """The client that speaks there. Raises NotInstalled; and DatabaseError if nobody can tell."""

    async def installer(self, workspace: str) -> str:
        """Slack's id of who installed us there, "" where it is not known. Raises DatabaseError."""

    async def installed(self) -> tuple[str, str]:
        """Waits until a workspace gets us, or gets us again. Returns it, and who installed us."""

    async def renew(self, workspace: str, spent: str = "") -> bool:
        """Its token is ending, or was refused as expired (`spent`): whether there is another one now."""

    async def refused(self, workspace: str, why: str) -> Cause:
        """Slack refuses its token: "workspace" if that is the end of it there, "token" if it is our only one,
        "fault" if it may pass."""

    async def gone(self, workspace: str) -> bool:
        """It has us no more. False if its token is not ours to forget."""

    async def keep_fresh(self) -> None:
        """Whatever must be looked after, until cancelled."""


class OneWorkspace:
    """A token from the settings speaks wherever we are spoken to."""

    def __init__(self, wire: Wire, token: str) -> None:
        self._wire = wire
        self._token = token

    install_page = APPS_PAGE

    async def client(self, _: str) -> AsyncWebClient:
        return self._wire.client(self._token)

    async def installer(self, _: str) -> str:
        return ""

    async def installed(self) -> tuple[str, str]:
        await asyncio.Event().wait()
        raise AssertionError

    async def renew(self, _: str, __: str = "") -> bool:
        return False

    async def refused(self, _: str, __: str) -> Cause:
        return "token"

    async def gone(self, _: str) -> bool:
        return False

    async def keep_fresh(self) -> None:
        """Nothing to look after."""
