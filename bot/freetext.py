"""Words without a command, as people write to somebody who understands: which command they stand for."""

from __future__ import annotations

from datetime import date

import regex

from bot.amounts import read
from bot.currencies import known
from bot.echo import one_line
from bot.errors import Refusal


def stands_for(text: str, today: date) -> str:
    """ "/rates 100 usd kzt", "/alert KZT > 520", "/latest саммит"."""
    said = one_line(text)
    if _about_money(said, today):
        return f"/alert {said}" if regex.search(r"[<>≤≥]", said) else f"/rates {said}"
    return f"/latest {said}"


def _about_money(said: str, today: date) -> bool:
    """It names a currency and nothing but what goes with one; a misspelt sum is told what is wrong with it."""
    try:
        return bool(read(said, "rates", today).codes)
    except Refusal:
        named = any(known(word) for word in regex.findall(r"[\p{L}'’ʻʼ]+|\p{Sc}", said))
        return named and (" " not in said or regex.search(r"\d", said) is not None)
