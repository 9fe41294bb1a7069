"""What a command has at hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.adding import Find
from bot.allowance import Allowance
from bot.locales import Tongue, tongue
from bot.models import Address, Catalogue, ChatSettings, Health
from bot.outlets import Outlets, outlets
from bot.places import known_zones
from bot.ports import Clock
from bot.store import Store


@dataclass(frozen=True)
class Desk:
    """Everything commands work with. One per process; nothing of a request is kept in it.

    refresh: looks at the sources of these kinds ("rates", "news") if the store holds nothing
        fresh of them, within seconds; a service polls on its own and waits for first answers only
    find_feed: looks behind an address that somebody wants to add
    back_up: writes the whole database into a new file; says which, and its bytes
    retention_days: how long articles are kept
    allowance: keeps those back who ask too fast
    health: the state of each part of the service, by name
    version: of this build; admins: operators, as "telegram:123" or "slack:T1/U2"
    """

    store: Store
    clock: Clock
    catalogue: Catalogue
    zone: str
    language: str
    catch_up: timedelta
    version: str
    find_feed: Find
    sample: bool = False
    admins: frozenset[str] = frozenset()
    retention_days: int = 90
    back_up: Callable[[], Awaitable[tuple[Path, int]]] | None = None
    allowance: Allowance | None = None
    refresh: Callable[[frozenset[str]], Awaitable[None]] | None = None
    health: Callable[[], Mapping[str, Health]] = field(default=dict)

    async def settings(self, address: Address, language: str = "", zone: str = "") -> ChatSettings:
        """What this chat chose, else what the platform tells of the person, else the defaults."""
        chosen = await self.store.chat(address)
        return chosen or ChatSettings(
            address,
            zone if zone in known_zones() else self.zone,
            tongue(language).code if language else self.language,
        )

    async def outlets(self, address: Address) -> Outlets:
        """The feeds this chat sees."""
        return outlets(self.catalogue, await self.store.added_feeds(), address)

    async def tongue(self, address: Address, language: str = "") -> Tongue:
        return tongue((await self.settings(address, language)).language)
