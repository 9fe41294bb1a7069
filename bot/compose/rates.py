"""Rates as a reader meets them: the direct quote first, then what a round sum of the currency costs.

Numbers and dates are written by Babel in the reader's language; currencies are always their ISO codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal

from bot.compose.moments import day
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Message, Paragraph, Span, Table
from bot.models import Board, Quote
from bot.money import change, exact_text, inverse, percent_text, scaled_inverse, significant
from bot.sources import Bank, banks

SEPARATOR = " · "


def board(board: Board, tongue: Tongue) -> Message:
    """The table of the currencies, then what to know about single figures, then sources and dates."""
    buttons = tuple(Button(quote.quote, f"/rates {quote.quote}") for quote in board.quotes)
    if board.as_of is None:
        blocks: list[Block] = [Heading(tongue.say("Official rates"))]
    else:
        blocks = [Heading(tongue.say("Official rates, {date}", date=_full(board.as_of, tongue))), _table(board, tongue)]
    blocks += [Paragraph(text) for quote in board.quotes for text in _remarks(quote, board.as_of, tongue)]
    if board.as_of:
        known = [quote for quote in board.quotes if quote.rate is not None]
        blocks.append(Paragraph(SEPARATOR.join(_inverse(quote, tongue) for quote in known), small=True))
        blocks.append(Paragraph(SEPARATOR.join(_origin(quote, board.as_of, tongue) for quote in known), small=True))
        blocks += [Paragraph(text, small=True) for quote in known for text in _note(quote, tongue)]
        blocks.append(Paragraph(tongue.say("Official rates, not a bank's or a cash rate."), small=True))
    return Message(tuple(blocks), buttons)


def one(quote: Quote, tongue: Tongue) -> Message:
    """One currency, with all that is known of it."""
    buttons = (Button(tongue.say("All rates"), "/rates"),)
    if quote.rate is None:
        return Message(tuple(Paragraph(text) for text in _remarks(quote, None, tongue)), buttons)
    blocks: list[Block] = [_bold(_direct(quote, quote.rate, tongue)), Paragraph(_inverse(quote, tongue))]
    blocks += [Paragraph(text) for text in (_changes(quote, tongue), _peg(quote, tongue)) if text]
    if quote.announced:
        blocks.append(Paragraph(tongue.say("Announced {announced}", announced=_announced(quote, None, tongue))))
    if quote.stale and quote.effective_date:
        since = _full(quote.effective_date, tongue)
        blocks.append(Paragraph(tongue.say("This figure is stale: as of {date}.", date=since)))
    blocks += [Paragraph(text, small=True) for text in _small_print(quote, tongue)]
    return Message(tuple(blocks), buttons)


def announcement(quote: Quote, tongue: Tongue) -> Message:
    """A new fixing, pushed when it is published: "1 USD = 440.77 KZT from 24 Nov, -0.29%"."""
    rate, when, moved = quote.rate, quote.effective_date, quote.day
    if quote.announced:
        rate, when, moved = quote.announced.rate, quote.announced.effective_date, _announced_change(quote)
    assert rate is not None
    assert when
    text = tongue.say("{rate} from {date}", rate=_direct(quote, rate, tongue), date=day(when, tongue))
    if moved is not None:
        text = f"{text}, {percent(moved, tongue)}"
    small = SEPARATOR.join([_name(quote, tongue), *_note(quote, tongue)])
    return Message((_bold(text), Paragraph(small, small=True)), (Button(tongue.say("All rates"), "/rates"),))


def board_data(board: Board) -> dict[str, object]:
    """The board for scripts: {"as_of", "rates": [...]}; figures are exact strings, a missing one says its reason."""
    return {
        "as_of": board.as_of.isoformat() if board.as_of else None,
        "rates": [_quote_data(quote) for quote in board.quotes],
    }


def percent(figure: Decimal, tongue: Tongue) -> str:
    """ "-0.29%", "0.00%", with the language's own decimal mark and space."""
    text = percent_text(figure)
    sign = text[0] if text[0] in "+-" else ""
    suffix: str = tongue.locale.percent_formats[None].suffix[0]
    return sign + number(Decimal(text.removeprefix(sign)), tongue) + suffix


def number(figure: Decimal, tongue: Tongue) -> str:
    """The figure with all its printed places, grouped."""
    exponent = figure.as_tuple().exponent
    places = max(0, -exponent) if isinstance(exponent, int) else 0
    return format_decimal(figure, "#,##0" + "." * bool(places) + "0" * places, locale=tongue.locale)


def _table(board: Board, tongue: Tongue) -> Table:
    rows = [_row(quote, tongue) for quote in board.quotes]
    lines = [
        " ".join((_direct(q, q.rate, tongue), _day(q, tongue))).strip() for q in board.quotes if q.rate is not None
    ]
    return Table("\n".join(lines), (("1 USD =", "", tongue.say("day")), *rows))


def _row(quote: Quote, tongue: Tongue) -> tuple[str, str, str]:
    return quote.quote, "—" if quote.rate is None else number(quote.rate, tongue), _day(quote, tongue)


def _day(quote: Quote, tongue: Tongue) -> str:
    if quote.kind == "peg":
        return tongue.say("fixed")
    return "" if quote.day is None else percent(quote.day, tongue)


def _remarks(quote: Quote, as_of: date | None, tongue: Tongue) -> Iterator[str]:
    """What a reader must know before using the figure."""
    if quote.rate is None:
        yield tongue.say("{currency}: {reason}.", currency=quote.quote, reason=tongue.say(quote.reason))
    elif quote.stale and quote.effective_date:
        since = day(quote.effective_date, tongue, today=as_of)
        yield tongue.say("{currency} is stale: as of {date}", currency=quote.quote, date=since)
    if quote.announced and as_of:
        yield f"{quote.quote} {_announced(quote, as_of, tongue)}"


def _announced(quote: Quote, as_of: date | None, tongue: Tongue) -> str:
    """ "from 24 Nov: 440.77 (-0.29%)"."""
    assert quote.announced
    when = day(quote.announced.effective_date, tongue, today=as_of)
    text = tongue.say("from {date}: {rate}", date=when, rate=number(quote.announced.rate, tongue))
    moved = _announced_change(quote)
    return text if moved is None else f"{text} ({percent(moved, tongue)})"


def _announced_change(quote: Quote) -> Decimal | None:
    """Against the rate in force; where none is, the figure shown is the announced one itself."""
    if quote.announced is None or quote.rate is None or quote.announced.effective_date == quote.effective_date:
        return quote.day
    return change(quote.announced.rate, quote.rate)


def _direct(quote: Quote, rate: Decimal, tongue: Tongue) -> str:
    return f"1 {quote.base} = {number(rate, tongue)} {quote.quote}"


def _inverse(quote: Quote, tongue: Tongue) -> str:
    assert quote.rate is not None
    units, cost = scaled_inverse(quote.rate)
    return f"{number(Decimal(units), tongue)} {quote.quote} = {number(cost, tongue)} {quote.base}"


def _changes(quote: Quote, tongue: Tongue) -> str:
    parts = []
    if quote.day is not None:
        parts.append(tongue.say("{change} in a day", change=percent(quote.day, tongue)))
    if quote.week is not None:
        parts.append(tongue.say("{change} in a week", change=percent(quote.week, tongue)))
    if quote.month is not None:
        parts.append(tongue.say("{change} in a month", change=percent(quote.month, tongue)))
    return SEPARATOR.join(parts)


def _peg(quote: Quote, tongue: Tongue) -> str:
    if quote.kind != "peg" or not quote.effective_date:
        return ""
    return tongue.say(
        "Fixed by the central bank since {year}. Cash trades at other rates.", year=quote.effective_date.year
    )


def _origin(quote: Quote, as_of: date, tongue: Tongue) -> str:
    """ "KZT: National Bank of Kazakhstan, 23 Nov"."""
    assert quote.effective_date
    name, when = _name(quote, tongue), quote.effective_date
    if quote.kind == "peg":
        return tongue.say(
            "{currency}: fixed by the {bank} since {year}", currency=quote.quote, bank=name, year=when.year
        )
    return f"{quote.quote}: {name}, {day(when, tongue, today=as_of)}"


def _small_print(quote: Quote, tongue: Tongue) -> Iterator[str]:
    assert quote.effective_date
    name, when = _name(quote, tongue), _full(quote.effective_date, tongue)
    yield name if quote.kind == "peg" else tongue.say("{bank}, official rate of {date}", bank=name, date=when)
    yield from _note(quote, tongue)
    yield tongue.say("An official rate, not a bank's or a cash rate.")


def _note(quote: Quote, tongue: Tongue) -> Iterator[str]:
    issuer = _issuer(quote)
    if issuer and issuer.note:
        yield tongue.say(issuer.note)


def _name(quote: Quote, tongue: Tongue) -> str:
    issuer = _issuer(quote)
    return tongue.say(issuer.name) if issuer else quote.source


def _issuer(quote: Quote) -> Bank | None:
    """An official figure is the issuer's, whatever road it came by."""
    return next((bank for bank in banks().values() if bank.issues == quote.quote), None)


def _quote_data(quote: Quote) -> dict[str, object]:
    data: dict[str, object] = {
        "base": quote.base,
        "quote": quote.quote,
        "rate": None if quote.rate is None else exact_text(quote.rate),
        "inverse": None if quote.rate is None else exact_text(significant(inverse(quote.rate), 6)),
        "effective_date": quote.effective_date.isoformat() if quote.effective_date else None,
        "announced": _announced_data(quote),
        "source": quote.source or None,
        "kind": quote.kind,
        "stale": quote.stale,
        "change": {
            span: None if figure is None else percent_text(figure)
            for span, figure in (("day", quote.day), ("week", quote.week), ("month", quote.month))
        },
    }
    return data if quote.rate is not None else data | {"reason": quote.reason}


def _announced_data(quote: Quote) -> dict[str, str] | None:
    if quote.announced is None:
        return None
    rate, when = exact_text(quote.announced.rate), quote.announced.effective_date
    return {"rate": rate, "effective_date": when.isoformat()}


def _bold(text: str) -> Paragraph:
    return Paragraph(text, (Span(0, len(text), "bold"),))


def _full(when: date, tongue: Tongue) -> str:
    return format_date(when, "d MMM y", locale=tongue.locale)
