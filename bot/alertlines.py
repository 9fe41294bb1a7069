"""What people type after /alert, read: a pair with a line or a move, or words to look for in the news."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

import regex

from bot.amounts import FILLERS, MULTIPLIERS, Said, number, read
from bot.currencies import codes_of, fold, known
from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_
from bot.models import AlertWay
from bot.money import EXACT

MOST_PERCENT: Final = Decimal(100)
COMMAND: Final = "alert"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WAYS: Final[dict[str, AlertWay]] = {
    **dict.fromkeys(_words("> >= => ≥ above over exceeds выше больше дороже свыше"), "above"),
    **dict.fromkeys(_words("< <= =< ≤ below under beneath ниже меньше дешевле"), "below"),
}
_DAYS: Final = {
    **dict.fromkeys(_words("day daily d 1d 24h день дня сутки суток сут д 1д"), 1),
    **dict.fromkeys(_words("week weekly w 7d 1w неделю неделя недели неделе нед н 7д"), 7),
}
_OFTEN: Final = regex.compile(
    r"\b(?:(?P<once>once|однажды|разово|однократно|один раз)"
    r"|(?P<standing>standing|always|every ?time|постоянно|всегда|каждый раз))\b",
    regex.IGNORECASE,
)
_PERCENT: Final = regex.compile(
    r"(?P<size>[0-9][0-9 '’.,]*|[.,][0-9]+) ?(?:%|percent\b|процент\p{L}*|п\.п\.)", regex.IGNORECASE
)
_UNTIL: Final = regex.compile(
    r"\b(?:until|till|до|по):? ?"
    r"(?P<day>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}\.[0-9]{1,2}\.(?:[0-9]{4}|[0-9]{2}))(?![0-9])",
    regex.IGNORECASE,
)
_SIGNS: Final = regex.compile(r"([<>]=?|=[<>]|[≥≤/])")
_QUOTED: Final = regex.compile(r"[\"«“„].*")
_FIGURE: Final = regex.compile(r"[-+]?[0-9.,'’]*[0-9][0-9.,'’]*\p{L}*")


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for.

    words: to look for in the news, where it is no rate; then nothing else is said
    codes: one or two currencies in the order named; way: None where only a figure was named, or nothing
    level: a rate, or the percent of a move in so many `days`
    standing: None where nobody said; until: the last day
    """

    words: str = ""
    codes: tuple[str, ...] = ()
    way: AlertWay | None = None
    level: Decimal | None = None
    days: int = 0
    standing: bool | None = None
    until: date | None = None


def wish(text: str, today: date, *, decimal_comma: bool = False) -> Wish:
    """What was typed after /alert. Raises Refusal for a rate that cannot be meant.

    decimal_comma: the reader's language writes decimals with a comma
    """
    said = one_line(text)
    if _QUOTED.match(said):
        return Wish(words=said)
    rest, until = _until(said, today)
    rest, size = _percent(rest, decimal_comma=decimal_comma)
    often = _OFTEN.search(rest)
    parts = _SIGNS.sub(r" \1 ", _OFTEN.sub(" ", rest)).split()
    ways = [_WAYS[fold(part)] for part in parts if fold(part) in _WAYS]
    days = [_DAYS[fold(part)] for part in parts if fold(part) in _DAYS] if size is not None else []
    named = set(_WAYS) | (set(_DAYS) if size is not None else set()) | {"/"}
    left = [part for part in parts if fold(part) not in named]
    if not _is_rate(left, ways, size, parts):
        return Wish(words=said)
    figures = _figures(left, said, today, decimal_comma=decimal_comma)
    if len(ways) + (size is not None) > 1 or len(days) > 1 or (size is not None and figures.amount is not None):
        raise _unread(said)
    return Wish(
        codes=figures.codes,
        way="move" if size is not None else ways[0] if ways else None,
        level=figures.amount if size is None else size,
        days=(days or [1])[0] if size is not None else 0,
        standing=bool(often["standing"]) if often else None,
        until=until,
    )


def _is_rate(left: list[str], ways: list[AlertWay], size: Decimal | None, parts: list[str]) -> bool:
    """Whether a rate is meant, and not words of the news: a currency alone, or with a figure or a sign."""
    words = [part for part in left if not _FIGURE.fullmatch(part) and fold(part) not in FILLERS | MULTIPLIERS.keys()]
    money = [word for word in words if known(word)]
    figure = size is not None or len(words) < len(left)
    sign = any(part[0] in "<>≥≤=" for part in parts)
    if not money:
        return (sign or size is not None or bool(left)) and figure and not words
    return len(money) == len(words) or sign or size is not None or (bool(ways) and figure)


def _figures(left: list[str], said: str, today: date, *, decimal_comma: bool) -> Said:
    """The currencies and the line: "KZT 520", "1 EUR 600 KZT", "10,000 UZS 0.83 USD"."""
    for part in left:
        if regex.fullmatch(r"\p{L}[\p{L}'’ʻʼ]*", part) and fold(part) not in FILLERS | MULTIPLIERS.keys():
            if not known(part):
                raise _unread(said)
            codes_of(part, said, COMMAND)
    first = next((n for n, part in enumerate(left) if known(part)), 0)
    units, rest = left[:first], left[first:]
    try:
        if not all(any(_FIGURE.fullmatch(part) for part in side) for side in (units, rest)):
            units, rest = [], left
        many = read(" ".join(units), COMMAND, today, decimal_comma=decimal_comma).amount or Decimal(1)
        figures = read(" ".join(rest), COMMAND, today, decimal_comma=decimal_comma)
    except Refusal:
        raise _unread(said) from None
    if figures.on or figures.month or figures.span or figures.fee:
        raise _unread(said)
    if not figures.codes:
        raise Refusal(N_("An alert on which currency?"), N_("Say /alert KZT > 520, or /alert for a choice."))
    if len(figures.codes) == 2 and figures.codes[0] == figures.codes[1]:
        raise Refusal(N_("That is twice {code}."), N_("Name two currencies, such as KGS/KZT."), code=figures.codes[0])
    if figures.amount is None or many == 1:
        return figures
    return replace(figures, amount=EXACT.divide(figures.amount, many))


def _until(said: str, today: date) -> tuple[str, date | None]:
    match = _UNTIL.search(said)
    if not match:
        return said, None
    last = read(match["day"], COMMAND, today).on
    if last is None or last < today:
        raise Refusal(N_("{text} has passed already."), N_("Say a day to come."), text=match["day"])
    return f"{said[: match.start()]} {said[match.end() :]}", last


def _percent(said: str, *, decimal_comma: bool) -> tuple[str, Decimal | None]:
    match = _PERCENT.search(said)
    if not match:
        return said, None
    size = number(match["size"].strip(), decimal_comma=decimal_comma)
    if size is None or not 0 < size <= MOST_PERCENT:
        raise Refusal(
            N_("A move of {text} cannot be watched."), N_("Say a percentage such as 1% or 0.5%."), text=shown(match[0])
        )
    return f"{said[: match.start()]} {said[match.end() :]}", size


def _unread(said: str) -> Refusal:
    return Refusal(
        N_("I cannot read {text} as an alert."),
        N_('Say /alert KZT > 520, /alert EUR/KZT 2% week, or /alert "middle corridor" for news.'),
        text=shown(said),
    )
