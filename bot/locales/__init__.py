"""The languages we speak: one gettext file each, xx.po in this folder.

Adding a language is adding its file; every msgid is the English sentence itself. A file whose
first line begins with "# beta" need not hold every sentence: what is missing comes in English.
"""

from __future__ import annotations

import gettext
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.errors import Refusal

HERE = Path(__file__).parent


def N_(sentence: str) -> str:
    """Marks a sentence for translation where it is written; a Tongue words it later."""
    return sentence


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages there are, English first, then those that are complete."""
    codes = sorted(path.stem for path in HERE.glob("*.po"))
    return tuple(sorted(codes, key=lambda code: (code != "en", is_beta(code))))


@cache
def is_beta(code: str) -> bool:
    """Whether a language is partial, and not read by a native speaker yet."""
    with (HERE / f"{code}.po").open(encoding="utf-8") as source:
        return source.readline().startswith("# beta")


@dataclass(frozen=True)
class Tongue:
    """A language: words sentences, and knows its Babel locale for numbers and dates."""

    code: str
    locale: Locale
    catalogue: gettext.NullTranslations

    def say(self, sentence: str, **fields: object) -> str:
        """The sentence in this language, its {fields} filled in."""
        worded = self.catalogue.gettext(sentence) if sentence else ""
        return worded.format(**fields) if fields else worded

    def count(self, one: str, many: str, n: int, **fields: object) -> str:
        """The plural form for n, with {n} and the other {fields} filled in."""
        return self.catalogue.ngettext(one, many, n).format(n=n, **fields)

    def refusal(self, refusal: Refusal) -> tuple[str, str]:
        """A refusal's sentence and hint."""
        return self.say(refusal.message, **refusal.fields), self.say(refusal.hint, **refusal.fields)


@cache
def tongue(code: str) -> Tongue:
    """The language of this code; English where we do not speak it."""
    if code not in languages():
        code = "en"
    with (HERE / f"{code}.po").open("rb") as source:
        catalogue = read_po(source, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Tongue(code, Locale.parse(code), gettext.GNUTranslations(compiled))
