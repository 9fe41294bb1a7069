"""The door to the workspaces that have us, on SQLite; its SQL is in installs.py."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.installs import Installs
from bot.models import Install
from storage import installs
from storage.threads import Crew


class SqliteInstalls(Installs):
    """bot.installs.Installs on SQLite."""

    _writer: Crew
    _readers: Crew

    async def install(self, platform: str, workspace: str) -> Install | None:
        return await self._readers.run(installs.install, platform, workspace)

    async def installs(self, platform: str) -> list[Install]:
        return await self._readers.run(installs.installs, platform)

    async def keep_install(self, install: Install, now: datetime, cured: Collection[str] = ()) -> None:
        await self._writer.run(installs.keep_install, install, now, cured)

    async def renew_install(self, install: Install) -> bool:
        return await self._writer.run(installs.renew_install, install)

    async def drop_install(self, platform: str, workspace: str, now: datetime) -> bool:
        return await self._writer.run(installs.drop_install, platform, workspace, now)
