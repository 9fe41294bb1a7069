"""A long list, page by page: what stands on one, and the buttons that turn it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from bot.compose.moments import number
from bot.locales import Tongue
from bot.message import Button, Paragraph

PAGE: Final = 6


class Numbered(Protocol):
    @property
    def id(self) -> int: ...


One = TypeVar("One", bound=Numbered)


@dataclass(frozen=True, slots=True)
class Page(Generic[One]):
    """shown: what stands on it; skipped: what comes before it. after: by which it is found again, 0 for the first."""

    shown: Sequence[One]
    skipped: int
    total: int
    after: int


def page_of(found: Sequence[One], after: int) -> Page[One]:
    """The page that begins behind the id `after`: it stays where it is when others end. found: by their ids.

    Where nothing comes behind it any more it is the last one.
    """
    skipped = sum(one.id <= after for one in found)
    if skipped >= len(found):
        skipped = max(0, len(found) - 1) // PAGE * PAGE
    return Page(found[skipped:][:PAGE], skipped, len(found), found[skipped - 1].id if skipped else 0)


def span(skipped: int, count: int, total: str, tongue: Tongue) -> str:
    """ "1-6 of 7", "7 of 7", "1-6 of 1,000+". total: as a reader writes it."""
    first, last = number(skipped + 1, tongue), number(skipped + count, tongue)
    return tongue.say("{shown} of {total}", shown=first if count == 1 else f"{first}-{last}", total=total)


def counted(page: Page[One], tongue: Tongue) -> tuple[Paragraph, ...]:
    """Which part of the list this is, where it is not the whole."""
    if len(page.shown) == page.total:
        return ()
    return (Paragraph(span(page.skipped, len(page.shown), number(page.total, tongue), tongue), small=True),)


def turning(page: Page[One], command: str, tongue: Tongue) -> tuple[Button, ...]:
    """To the next page, and from any but the first back to that one."""
    first = (Button(tongue.say("First page"), f"{command} after:0"),) if page.skipped else ()
    if page.skipped + len(page.shown) >= page.total:
        return first
    return (Button(tongue.say("Next"), f"{command} after:{page.shown[-1].id}"), *first)
