"""What people and feeds typed, made safe to repeat: no control or bidi characters, not too long."""

from __future__ import annotations

import unicodedata
from typing import Final

import regex

from bot.prose import clip

MOST_SHOWN: Final = 40

_UNSEEN: Final = regex.compile(r"[\p{Cc}\p{Cs}\p{Bidi_Control}--[\n]]", flags=regex.V1)
_SPACES: Final = str.maketrans("\t\r", "  ")


def visible(text: str, instead: str = "") -> str:
    """The text without what a terminal or a chat would obey instead of showing; line breaks stay."""
    return str(_UNSEEN.sub(instead, text.translate(_SPACES)))


def one_line(text: str) -> str:
    """A command line as typed: NFKC, visible, single spaces, trimmed."""
    return " ".join(visible(unicodedata.normalize("NFKC", text)).split())


def shown(text: str, limit: int = MOST_SHOWN) -> str:
    """At most `limit` characters of what was typed, for repeating it."""
    return clip(one_line(text), limit)
