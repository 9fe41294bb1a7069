"""The door to the workspaces that have us, each with a token of its own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from bot.models import Install


class Installs(Protocol):
    """A part of the Store (bot/store.py): one method is one transaction here, too."""

    async def install(self, platform: str, workspace: str) -> Install | None:
        """The workspace of this id, if it has us."""

    async def installs(self, platform: str) -> list[Install]:
        """All workspaces that have us."""

    async def keep_install(self, install: Install, now: datetime, cured: Collection[str] = ()) -> None:
        """It has us, or has us again: then its chats go on as they were, those too that were paused for a reason
        that is cured by it."""

    async def renew_install(self, install: Install) -> bool:
        """Its token is another one now. False if it has us no more; then nothing is kept."""

    async def drop_install(self, platform: str, workspace: str, now: datetime) -> bool:
        """It has us no more: its token is forgotten, every chat of it paused, and what waits for them is dead.
        Settings and subscriptions stay for a month. False if it did not have us."""
