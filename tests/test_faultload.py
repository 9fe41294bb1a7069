"""The fault load in its short form. The long one is a row of `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faultcast import SHORT
from tests.faultload import fault_load
from tests.verdict import judge


def test_everything_goes_wrong_and_nothing_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    lines = judge(fault_load(tmp_path, SHORT), loose=10)
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert not [line for line in lines if not line.held]
