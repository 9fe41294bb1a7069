"""Whose token speaks in which workspace."""

from __future__ import annotations

from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack.wire import Wire


class NotInstalled(Exception):
    """This workspace does not have us, or has us no more."""


class Workspaces(Protocol):
    """A workspace is named by its team's id; one that has us through its whole organisation, by that one's."""

    async def client(self, workspace: str) -> AsyncWebClient:
        """The client that speaks there. Raises NotInstalled; and DatabaseError if nobody can tell."""

    async def renew(self, workspace: str) -> bool:
        """Its token has expired: whether there is a new one now."""

    async def refused(self, workspace: str, why: str) -> bool:
        """Slack refuses its token. Whether that is the end of this workspace, and not of us all."""


class OneWorkspace:
    """A token from the settings speaks wherever we are spoken to."""

    def __init__(self, wire: Wire, token: str) -> None:
        self._wire = wire
        self._token = token

    async def client(self, workspace: str) -> AsyncWebClient:
        return self._wire.client(self._token)

    async def renew(self, workspace: str) -> bool:
        return False

    async def refused(self, workspace: str, why: str) -> bool:
        return False
