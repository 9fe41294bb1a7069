"""The sources: one file a bank, one row of feeds.toml an outlet. Banks are found by folder.

Adding a bank is adding a file that holds one `BANK`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from zoneinfo import ZoneInfo

from bot.models import RateRoad, RateTable


@dataclass(frozen=True, slots=True)
class Window:
    """When a bank publishes, on the bank days of its country and its own clocks.

    opens, closes: between them the next table appears; ahead: it is for the next bank day, not for this one
    """

    opens: time
    closes: time
    ahead: bool


@dataclass(frozen=True, slots=True)
class Bank:
    """Who publishes rates: an issuer of a currency, or somebody who collects them.

    id: names the parser; issues: the ISO code of its own currency, "" for a collector
    country: ISO code, for its bank days; "" where every day is one
    roads: the built-in ones: addresses of its documents, with {date:...} where a day can be asked for
    parse: the document's bytes to a table; raises SourceError for a document that is none
    own_dates: a day without a table is answered with the last one, under that one's date
    peg: quote units per 1 USD, as declared, for a currency that does not float; since: from when
    note: what its terms ask us to say
    """

    id: str
    name: str
    zone: ZoneInfo
    issues: str = ""
    country: str = ""
    own_dates: bool = False
    roads: tuple[RateRoad, ...] = ()
    parse: Callable[[bytes], RateTable] | None = None
    window: Window | None = None
    peg: str = ""
    since: date | None = None
    note: str = ""


@cache
def banks() -> dict[str, Bank]:
    """Every bank in this folder, by id."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.BANK.id: module.BANK for module in modules if hasattr(module, "BANK")}


def issuer_of(code: str) -> Bank | None:
    """The bank whose own currency this is."""
    return next((bank for bank in banks().values() if bank.issues == code), None)
