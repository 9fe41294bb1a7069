"""The tables, as they came to be: sqlite-utils' own migrations, one file a change, in the order of the files' numbers.

A migration that has been released is never edited; a change is a new file after the others. It is found
by being there. Instants are microseconds since 1970 UTC (storage/values.py), dates are ISO text.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

from sqlite_utils.migrations import Migrations

APPLICATION_ID: Final = 0x59616D63
"""Stands in the file's header: "Yamc"."""

migrations: Final = Migrations("yamchi")

for _found in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_found}")
