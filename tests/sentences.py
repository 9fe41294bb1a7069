"""Every sentence a person reads, found in the code; `make messages` writes the missing ones into the .po files.

Sentences are the literal arguments of Tongue.say, Tongue.count and N_, and the summaries of commands.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import handlers.menu  # noqa: F401 - puts the commands on the menu
from bot.locales import HERE, is_beta, languages
from handlers.menu.registry import commands

ROOT = Path(__file__).parent.parent
KEYWORDS = {"say": None, "count": (1, 2), "N_": None}
VERSION = "1"
SINCE = datetime(2026, 11, 23, tzinfo=UTC)
FIELD = re.compile(r"\{[^{}]*\}")


def sentences() -> Catalog:
    """All of them, with the files they stand in."""
    found = Catalog()
    for room in ("bot", "handlers"):
        for file, _, sentence, _, _ in extract_from_dir(ROOT / room, keywords=KEYWORDS, comment_tags=()):
            found.add(sentence, locations=[(f"{room}/{file}", 0)])
    for command in commands().values():
        found.add(command.summary, locations=[("handlers/menu", 0)])
    return found


def read(language: str) -> Catalog:
    with (HERE / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def update() -> None:
    """Bring every .po file up to date; what is new stands untranslated, but for English; a beta keeps what it has."""
    for language in languages():
        catalogue = read(language)
        catalogue.update(sentences(), no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        if is_beta(language):
            _keep_translated(catalogue)
        for message in catalogue:
            if language == "en" and message.id:
                message.string = message.id
        _sign(catalogue)
        with (HERE / f"{language}.po").open("wb") as file:
            write_po(file, catalogue, width=120, sort_output=True, omit_header=False, include_lineno=False)


def _keep_translated(catalogue: Catalog) -> None:
    for message in list(catalogue):
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(strings):
            catalogue.delete(message.id)


def _sign(catalogue: Catalog) -> None:
    """A header that names us, and is the same every time."""
    catalogue.project, catalogue.version = "Yamchi", VERSION
    catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = "Yamchi engineers"
    catalogue.creation_date = catalogue.revision_date = SINCE


if __name__ == "__main__":
    update()
