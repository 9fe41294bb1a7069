"""Rates as a reader meets them: the direct quote first, then what a round sum of the currency costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from bot.board import BASE
from bot.compose.moments import day
from bot.compose.quotes import (
    bold,
    cost,
    full_day,
    inverse_line,
    names,
    notes,
    number,
    percent,
    rate_line,
    small_print,
)
from bot.currencies import COLUMNS
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Message, Paragraph, Table
from bot.models import Board, Quote
from bot.money import (
    change,
    exact_text,
    inverse,
    percent_text,
    scaled,
    settled,
    significant,
)

SEPARATOR = " · "


def board(board: Board, tongue: Tongue, *, spans: bool = False) -> Message:
    """The table of the currencies, then what to know about single figures, then sources and dates.

    spans: with the changes of the week and the month
    """
    blocks: list[Block] = [Heading(tongue.say("Official rates"))]
    if board.as_of:
        if any(quote.rate is not None and quote.kind != "peg" for quote in board.quotes):
            blocks = [Heading(tongue.say("Official rates, {date}", date=full_day(board.as_of, tongue)))]
        blocks.append(figures(board, tongue))
        blocks += _spans(board, tongue) if spans else ()
    blocks += [
        Paragraph(text) for quote in board.quotes for text in _remarks(quote, board.as_of, tongue, _board_units(board))
    ]
    if board.as_of:
        known = [quote for quote in board.quotes if quote.rate is not None]
        blocks.append(Paragraph(SEPARATOR.join(inverse_line(quote, tongue) for quote in known), small=True))
        blocks.append(Paragraph(SEPARATOR.join(_origin(quote, board.as_of, tongue) for quote in known), small=True))
        told = dict.fromkeys(text for quote in known for text in notes(quote, tongue))
        blocks += [Paragraph(text, small=True) for text in told]
        blocks.append(Paragraph(tongue.say("Official rates, not a bank's or a cash rate."), small=True))
    return Message(tuple(blocks), tuple(_board_buttons(board)))


def one(quote: Quote, tongue: Tongue, *, on: date | None = None, before: date | None = None) -> Message:
    """One pair, with all that is known of it.

    on: the day it was asked for; before: the one before it, where its figure is stored
    """
    if quote.rate is None:
        return Message(tuple(Paragraph(text) for text in _remarks(quote, None, tongue)), (all_rates(tongue),))
    blocks: list[Block] = [bold(rate_line(quote, quote.rate, tongue)), Paragraph(inverse_line(quote, tongue))]
    if on:
        blocks.append(Paragraph(tongue.say("In force on {date}.", date=full_day(on, tongue))))
    blocks += [Paragraph(text) for text in (_changes(quote, tongue), _peg(quote, tongue)) if text]
    if quote.announced:
        announced = _announced(quote, None, tongue, scaled(quote.rate)[0])
        blocks.append(Paragraph(tongue.say("Announced {announced}", announced=announced)))
    if quote.held:
        blocks.append(Paragraph(_held(quote, tongue)))
    if quote.stale and quote.effective_date:
        since = full_day(quote.effective_date, tongue)
        blocks.append(Paragraph(tongue.say("This figure is stale: as of {date}.", date=since)))
    blocks += [Paragraph(text, small=True) for text in small_print(quote, tongue)]
    return Message(tuple(blocks), _one_buttons(quote, tongue, on, before))


def all_rates(tongue: Tongue) -> Button:
    """From one page of rates back to the board, which is that of the dollar."""
    return Button(tongue.say("All rates"), f"/rates {BASE}")


def board_data(board: Board) -> dict[str, object]:
    """The board for scripts: {"as_of", "rates": [...]}; figures are exact strings, a missing one says its reason."""
    return {
        "as_of": board.as_of.isoformat() if board.as_of else None,
        "rates": [_quote_data(quote) for quote in board.quotes],
    }


def _board_units(board: Board) -> int:
    """For how many units of the base the board is: enough for every figure to say something."""
    return max((scaled(quote.rate)[0] for quote in board.quotes if quote.rate is not None), default=1)


def figures(board: Board, tongue: Tongue) -> Table:
    """The five currencies, each with its change of a day."""
    units = _board_units(board)
    head = f"{number(Decimal(units), tongue)} {board.quotes[0].base} ="
    lines = [
        " ".join((rate_line(q, q.rate, tongue), _day(q, tongue))).strip() for q in board.quotes if q.rate is not None
    ]
    rows = [(q.quote, _cost(q, units, tongue), _day(q, tongue)) for q in board.quotes]
    return Table("\n".join(lines), ((head, "", tongue.say("day")), *rows))


def _cost(quote: Quote, units: int, tongue: Tongue) -> str:
    if quote.rate is None:
        return "—"
    return number(cost(quote.rate, units), tongue)


def _spans(board: Board, tongue: Tongue) -> Iterator[Table]:
    """The changes of the week and the month, where any is known."""
    moved = [quote for quote in board.quotes if quote.week is not None or quote.month is not None]
    if moved:
        cells = [(q.quote, *("—" if p is None else percent(p, tongue) for p in (q.week, q.month))) for q in moved]
        lines = "\n".join(f"{quote.quote}: {_changes(quote, tongue)}" for quote in moved)
        yield Table(lines, (("", tongue.say("week"), tongue.say("month")), *cells))


def _board_buttons(board: Board) -> Iterator[Button]:
    base = board.quotes[0].base
    for quote in board.quotes:
        yield Button(quote.quote, f"/rates {quote.quote}" if base == BASE else f"/rates {base}/{quote.quote}")
    for code in COLUMNS:
        if code != base:
            yield Button(code, f"/rates {code}")


def _one_buttons(quote: Quote, tongue: Tongue, on: date | None, before: date | None) -> tuple[Button, ...]:
    pair, swapped = f"{quote.base}/{quote.quote}", f"{quote.quote}/{quote.base}"
    if on:
        return (
            *((Button(full_day(before, tongue), f"/rates {pair} {before}"),) if before else ()),
            Button(tongue.say("Today"), f"/rates {pair}"),
            all_rates(tongue),
        )
    return (
        all_rates(tongue),
        Button(swapped, f"/rates {swapped}"),
        Button(tongue.say("30 days"), f"/rates {pair} 30d"),
    )


def _day(quote: Quote, tongue: Tongue) -> str:
    if quote.kind == "peg":
        return tongue.say("fixed")
    return "" if quote.day is None else percent(quote.day, tongue)


def _remarks(quote: Quote, as_of: date | None, tongue: Tongue, units: int = 1) -> Iterator[str]:
    """What a reader must know before using the figure."""
    if quote.rate is None:
        yield tongue.say("{currency}: {reason}.", currency=quote.quote, reason=tongue.say(quote.reason))
    elif quote.stale and quote.effective_date:
        since = day(quote.effective_date, tongue, today=as_of)
        yield tongue.say("{currency} is stale: as of {date}", currency=quote.quote, date=since)
    if quote.announced and as_of:
        yield f"{quote.quote} {_announced(quote, as_of, tongue, units)}"
    if quote.held and as_of:
        yield _held(quote, tongue)


def _held(quote: Quote, tongue: Tongue) -> str:
    """What the bank printed and we do not believe yet."""
    assert quote.held
    return tongue.say(
        "{pair}: {rate} printed for {date} looks like a slip and is held until it is confirmed.",
        pair=f"{quote.base}/{quote.quote}",
        rate=number(quote.held.rate, tongue),
        date=day(quote.held.effective_date, tongue),
    )


def _announced(quote: Quote, as_of: date | None, tongue: Tongue, units: int) -> str:
    """ "from 24 Nov: 440.77 (-0.29%)"."""
    assert quote.announced
    when = day(quote.announced.effective_date, tongue, today=as_of)
    text = tongue.say("from {date}: {rate}", date=when, rate=number(cost(quote.announced.rate, units), tongue))
    moved = _announced_change(quote)
    return text if moved is None else f"{text} ({percent(moved, tongue)})"


def _announced_change(quote: Quote) -> Decimal | None:
    """Against the rate in force; where none is, the figure shown is the announced one itself."""
    if quote.announced is None or quote.rate is None or quote.announced.effective_date == quote.effective_date:
        return quote.day
    return change(quote.announced.rate, quote.rate)


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
    name, when = names(quote, tongue), day(quote.effective_date, tongue, today=as_of)
    if quote.kind == "peg":
        year = quote.effective_date.year
        return tongue.say("{currency}: fixed by the {bank} since {year}", currency=quote.quote, bank=name, year=year)
    if quote.kind == "cross":
        return tongue.say("{currency}: cross ({banks}), {date}", currency=quote.quote, banks=name, date=when)
    if quote.kind == "market":
        return tongue.say("{currency}: market ({bank}), {date}", currency=quote.quote, bank=name, date=when)
    return f"{quote.quote}: {name}, {when}"


def _quote_data(quote: Quote) -> dict[str, object]:
    data: dict[str, object] = {
        "base": quote.base,
        "quote": quote.quote,
        "rate": None if quote.rate is None else exact_text(quote.rate),
        "inverse": None if quote.rate is None else exact_text(significant(settled(inverse(quote.rate)), 6)),
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
