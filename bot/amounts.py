"""Sums of money, currencies, dates and spans as people type them, in any order that makes sense.

One rule decides what could be read in two ways: a single comma with three digits after it groups
("1,000" is a thousand) unless the reader's language writes its decimals with one; a single dot is
always the decimal mark. Whoever is answered sees the sum again in clear.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import regex

from bot.currencies import codes_of, fold, known, unknown
from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_

MOST_DIGITS: Final = 15
LONGEST_SPAN: Final = 4000
"""Days: eleven years, as far as a history reaches."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS: Final = _words(
    "in to into on at for from of the is as us в во к ко на за из от и по это сша курс сколько будет"
)
FEE_WORDS: Final = _words("fee fees commission комиссия комиссии комиссией комиссию")
_POWERS: Final = {
    3: "k к тыс тысяча тысячи тысяч thousand ming минг мың миң ҳазор хазор",
    6: "m м mln mio млн миллион миллиона миллионов million millions",
    9: "b bn mlrd млрд миллиард миллиарда миллиардов billion billions",
}
MULTIPLIERS: Final = {word: power for power, words in _POWERS.items() for word in words.split()}
_DAYS: Final = {"d": 1, "д": 1, "w": 7, "н": 7, "mo": 30, "мес": 30, "y": 365, "г": 365}
_RELATIVE: Final = {"today": 0, "сегодня": 0, "yesterday": 1, "вчера": 1}

_GROUPS: Final = " '’ʼ‘"
_TOKEN: Final = regex.compile(
    r"""
    (?P<day>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}\.[0-9]{1,2}\.(?:[0-9]{4}|[0-9]{2}))(?![0-9])
    |(?P<month>[0-9]{4}-[0-9]{2})(?![0-9])
    |(?P<span>[0-9]{1,5}\ ?(?:d|days?|д|дн|дней|дня|день|w|weeks?|н|нед|недел[ьяию]|mo|months?|мес|месяц(?:а|ев)?|y|years?|г|год|года|лет))(?![\p{L}'])
    |(?P<number>(?:(?<![\w)])[-−–+]\ ?)?(?:[0-9]+(?:[ '’ʼ‘][0-9]{3}(?![0-9]))*(?:[.,][0-9]+)*|(?<![\w])[.,][0-9]+))
    |(?P<percent>%)
    |(?P<word>[\p{L}][\p{L}\p{M}'’ʻʼ‘`´]*)
    |(?P<sign>\p{Sc}|元)
    |(?P<space>\s+)
    |(?P<strange>\p{N})
    |(?P<mark>.)
    """,  # noqa: E501 - a list of words reads worse when broken
    regex.VERBOSE | regex.IGNORECASE,
)
_UNIT: Final = regex.compile(r"([0-9]+) ?(mo|мес|[dдwнyг]|лет)", regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What was typed after a command, read.

    amount: None where none was named; codes: currencies in the order named
    on: a date; month: the first day of a month; span: days
    fee: of the amount, in percent if `percent`, else in fee_code's units ("" where none was named)
    """

    amount: Decimal | None = None
    codes: tuple[str, ...] = ()
    on: date | None = None
    month: date | None = None
    span: int | None = None
    fee: Decimal | None = None
    percent: bool = False
    fee_code: str = ""


@dataclass(slots=True)
class _Found:
    """What stands in a stretch of text, by kind, in order."""

    amounts: list[Decimal] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    dates: list[date] = field(default_factory=list)
    months: list[date] = field(default_factory=list)
    spans: list[int] = field(default_factory=list)
    percent: bool = False

    @property
    def times(self) -> int:
        return len(self.dates) + len(self.months) + len(self.spans)


def read(text: str, command: str, today: date, *, decimal_comma: bool = False) -> Said:
    """What was typed after /command. Raises Refusal for what cannot be meant.

    decimal_comma: the reader's language writes decimals with a comma
    """
    said = one_line(text)
    main, after = _apart(said)
    found, fee = (_read(part or "", said, command, today, decimal_comma) for part in (main, after))
    if found.percent and len(found.amounts) == 2 and after is None:
        found.percent, fee.percent, fee.amounts = False, True, [found.amounts.pop()]
    times = [*found.dates, *fee.dates], [*found.months, *fee.months], [*found.spans, *fee.spans]
    too_many = max(len(found.amounts), len(fee.amounts), len(fee.codes), found.times + fee.times) > 1
    nothing = said and not (found.amounts or found.codes or found.times)
    if too_many or nothing or len(found.codes) > 2 or found.percent or (after is not None and not fee.amounts):
        raise unknown(said, command)
    return Said(
        amount=_positive(found.amounts[0]) if found.amounts else None,
        codes=tuple(found.codes),
        on=next(iter(times[0]), None),
        month=next(iter(times[1]), None),
        span=next(iter(times[2]), None),
        fee=next(iter(fee.amounts), None),
        percent=fee.percent,
        fee_code=next(iter(fee.codes), ""),
    )


def number(text: str, *, decimal_comma: bool = False) -> Decimal | None:
    """A figure as typed or printed, its places kept; None for what is none.

    Spaces and apostrophes group. Of commas and dots together the last is the decimal mark. One kind
    several times groups. For one alone see above.
    """
    whole = text.replace("\xa0", " ").replace("\u202f", " ").replace("\u2009", " ")
    match = regex.fullmatch(r"([-−–+]?) ?([0-9 '’ʼ‘.,]+)", whole.strip())
    if not match:
        return None
    digits, mark = match[2], max(match[2].rfind(","), match[2].rfind("."))
    if mark >= 0 and not _decimal(digits, mark, decimal_comma=decimal_comma):
        mark = -1
    head, tail = (digits[:mark], digits[mark + 1 :]) if mark >= 0 else (digits, "")
    groups = regex.split(rf"[{_GROUPS},.]", head)
    if len({c for c in head if not c.isdigit()}) > 1 or not (tail.isdigit() or mark < 0):
        return None
    if len(groups) > 1 and not (1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])):
        return None
    sign = "-" if match[1] in ("-", "−", "–") else ""
    plain = "".join(groups)
    return Decimal(f"{sign}{plain or '0'}{'.' if tail else ''}{tail}") if plain or tail else None


def _decimal(digits: str, at: int, *, decimal_comma: bool) -> bool:
    """Whether the last comma or dot is the decimal mark."""
    mark, head, tail = digits[at], digits[:at], digits[at + 1 :]
    if mark in head:
        return False
    if mark == "." or decimal_comma or not head.isdigit():
        return True
    return not (len(tail) == 3 and len(head) <= 3 and head[0] != "0")


def _apart(said: str) -> tuple[str, str | None]:
    """What stands before the word fee, and after it; None where nobody says it."""
    words = said.split()
    at = next((n for n, word in enumerate(words) if word.casefold().strip(":,.=") in FEE_WORDS), None)
    return (said, None) if at is None else (" ".join(words[:at]), " ".join(words[at + 1 :]))


def _read(text: str, said: str, command: str, today: date, decimal_comma: bool) -> _Found:  # noqa: FBT001
    found = _Found()
    for kind, token, before in _tokens(text):
        if kind == "day":
            found.dates.append(_day(token))
        elif kind == "month":
            found.months.append(_month(token))
        elif kind == "span":
            found.spans.append(_span(token))
        elif kind == "number":
            found.amounts.append(_amount(token, decimal_comma=decimal_comma))
        elif kind == "percent":
            found.percent = bool(found.amounts)
        elif kind == "strange":
            raise unknown(said, command)
        elif fold(token) in _RELATIVE:
            found.dates.append(today - timedelta(days=_RELATIVE[fold(token)]))
        else:
            power, name = _multiplier(token, before)
            if power:
                found.amounts[-1] = found.amounts[-1].scaleb(power)
            if name and fold(name) not in FILLERS:
                found.codes += codes_of(name, said, command)
    return found


def _tokens(text: str) -> Iterator[tuple[str, str, str]]:
    """(kind, text, what stands before it: "number", "number " or "")."""
    before = ""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind in ("space", "mark"):
            before = "number " if kind == "space" and before == "number" else ""
            continue
        yield kind, match[0], before
        before = "number" if kind == "number" else ""


def _multiplier(word: str, before: str) -> tuple[int, str]:
    """The power of ten a word after a figure means, and what is left of the word."""
    plain = fold(word)
    if not before:
        return 0, word
    if plain in MULTIPLIERS and not (plain == "к" and before.endswith(" ")):
        return MULTIPLIERS[plain], ""
    if before == "number" and plain[:1] in "kк" and known(word[1:]) and not known(word):
        return 3, word[1:]
    return 0, word


def _amount(token: str, *, decimal_comma: bool) -> Decimal:
    found = number(token, decimal_comma=decimal_comma)
    if found is None:
        raise Refusal(
            N_("I cannot read the number {text}."), N_("Write it plainly, such as 1000.50."), text=shown(token)
        )
    return found


def _positive(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise Refusal(N_("The amount must be more than zero."), N_("Say it such as 100 USD KZT."))
    if len(f"{amount:f}".replace(".", "").lstrip("0")) > MOST_DIGITS:
        raise Refusal(N_("An amount has at most {most} digits."), N_("A smaller one will do."), most=MOST_DIGITS)
    return Decimal(f"{amount:f}")


def _day(token: str) -> date:
    parts = [int(part) for part in regex.split(r"[-.]", token)]
    year, month, day = parts if "-" in token else reversed(parts)
    try:
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        raise _no_such_day(token) from None


def _month(token: str) -> date:
    try:
        return date.fromisoformat(f"{token}-01")
    except ValueError:
        raise _no_such_day(token) from None


def _no_such_day(token: str) -> Refusal:
    return Refusal(
        N_("There is no such day as {text}."),
        N_("Say it as 2026-10-31 or 31.10.2026, a month as 2026-10."),
        text=shown(token),
    )


def _span(token: str) -> int:
    match = _UNIT.match(token)
    assert match
    days = int(match[1]) * _DAYS.get(match[2].casefold(), 365)
    if not 1 <= days <= LONGEST_SPAN:
        raise Refusal(N_("A span has 1 to {most} days."), N_("Such as 30d."), most=LONGEST_SPAN)
    return days
