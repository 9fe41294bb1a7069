"""What ails a source, as it is noted in the store in short English phrases, in the reader's language."""

from __future__ import annotations

import re
from typing import Final

from bot.locales import N_, Tongue

PHRASES: Final = frozenset(
    {
        N_("a challenge page: blocked"),
        N_("an HTML page instead of a feed"),
        N_("not a feed"),
        N_("an empty document"),
        N_("cut short"),
        N_("no entries"),
        N_("{n} entry without a title or a web link"),
        N_("{n} entries without a title or a web link"),
        N_("took too much time or memory to parse"),
        N_("cannot be parsed"),
        N_("larger than {n} MB"),
        N_("an entry larger than {n} MB"),
        N_("timed out after {n} s"),
        N_("no answer within {n} s"),
        N_("no name look-up within {n} s"),
        N_("no such host"),
        N_("no connection"),
        N_("no secure connection"),
        N_("an invalid certificate"),
        N_("not an HTTP answer"),
        N_("the connection broke off"),
        N_("too many redirects"),
        N_("redirected to no http address"),
        N_("not an http address"),
        N_("refused: a private address"),
        N_("and no feed behind it"),
    }
)
"""{n} stands for the figure in a phrase. What is not here, such as "HTTP 403", reads the same in every language."""

_FIGURE = re.compile(r"\d+(?:\.\d+)?")


def fault(text: str, tongue: Tongue) -> str:
    """Phrases with commas between them, each in the reader's language where it is known."""
    return ", ".join(_phrase(part, tongue) for part in text.split(", "))


def _phrase(text: str, tongue: Tongue) -> str:
    figure = _FIGURE.search(text)
    form = _FIGURE.sub("{n}", text, count=1)
    return tongue.say(form, n=figure[0] if figure else "") if form in PHRASES else text
