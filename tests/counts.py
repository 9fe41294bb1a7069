"""How much a test does: a little in `make test`, all of it in `make chaos`."""

from __future__ import annotations

import pytest


def full(short: object, long: object) -> list[object]:
    """For parametrize: a count in `make test`, and one in `make chaos`."""
    return [short, pytest.param(long, marks=pytest.mark.chaos)]
