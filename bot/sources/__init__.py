"""The sources: one file a bank, one row of feeds.toml an outlet. Banks are found by folder.

Adding a bank is adding a file that holds one `BANK`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

from bot.models import RateTable


@dataclass(frozen=True, slots=True)
class Bank:
    """An issuer of a currency.

    id: names the parser and the built-in road; issues: the ISO code of its own currency
    url: what it publishes, with {date:...} where a day can be asked for, "" for a peg
    parse: the document's bytes to a table; raises SourceError for a document that is none
    peg: quote units per 1 USD, as declared, for a currency that does not float; since: from when
    note: what its terms ask us to say
    """

    id: str
    name: str
    issues: str
    zone: ZoneInfo
    url: str = ""
    parse: Callable[[bytes], RateTable] | None = None
    peg: str = ""
    since: date | None = None
    note: str = ""


@cache
def banks() -> dict[str, Bank]:
    """Every bank in this folder, by id."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.BANK.id: module.BANK for module in modules if hasattr(module, "BANK")}
