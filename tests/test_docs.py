"""The documents are true where that can be checked: links, settings, commands, tests named as proof."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot import cli
from bot.config import Settings
from handlers.menu import parse
from handlers.menu.registry import commands, find

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    assert [one for one in targets if not one.startswith("https://") and not (page.parent / one).exists()] == []


def test_the_operators_guide_names_every_setting():
    text = (ROOT / "docs" / "operate.md").read_text()
    assert {name.upper() for name in Settings.model_fields} - set(re.findall(r"[A-Z][A-Z_]+", text)) == set()


def test_the_users_guide_names_every_command_and_no_other():
    said = re.findall(r"`(/[a-z_]+)", (ROOT / "docs" / "use.md").read_text())
    named = {parse(line)[0] for line in said} - {"ca"}
    assert set(commands()) - named == set()
    assert [name for name in named if find(name) is None] == []


def test_every_verb_of_the_command_line_is_told():
    text = (ROOT / "README.md").read_text()
    verbs = {command.name or command.callback.__name__ for command in cli.app.registered_commands}
    assert {verb for verb in verbs if f"`{verb}" not in text and f"yamchi {verb}" not in text} == set()


def test_what_is_named_as_proof_exists():
    text = (ROOT / "docs" / "reliability.md").read_text()
    assert [name for name in re.findall(r"`(tests/[a-z_]+\.py)`", text) if not (ROOT / name).is_file()] == []


def test_they_can_be_read_in_ten_minutes():
    words = sum(len((ROOT / "docs" / name).read_text().split()) for name in ("use.md", "operate.md", "privacy.md"))
    assert words < 2400
