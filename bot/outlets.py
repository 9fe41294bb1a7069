"""The feeds that a chat sees: everybody's, and those it added for itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.echo import shown
from bot.errors import Refusal
from bot.locales import N_
from bot.models import AddedFeed, Address, Catalogue, Feed


@dataclass(frozen=True, slots=True)
class Outlets:
    """own: added by this chat; hidden: the ids of those that only other chats see."""

    common: tuple[Feed, ...]
    own: tuple[Feed, ...]
    hidden: tuple[str, ...]

    @property
    def feeds(self) -> tuple[Feed, ...]:
        return self.common + self.own

    @property
    def titles(self) -> dict[str, str]:
        """By feed id."""
        return {feed.id: feed.title for feed in self.feeds}

    def check(self, names: Iterable[str]) -> None:
        """Raises Refusal for a source that is none of these."""
        known = [feed.id for feed in self.feeds]
        for name in names:
            if name not in known:
                raise Refusal(
                    N_("I have no source called {name}."),
                    N_("I have: {names}."),
                    name=shown(name),
                    names=", ".join(known) or "-",
                )


def outlets(catalogue: Catalogue, added: Sequence[AddedFeed], address: Address) -> Outlets:
    """What the chat of this address sees; its threads see the same."""
    mine = [one for one in added if (address.platform, address.chat) in one.readers]
    others = [one.feed.id for one in added if one not in mine]
    return Outlets(catalogue.feeds, tuple(one.feed for one in mine), tuple(others))
