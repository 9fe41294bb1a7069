"""Sums turned from one currency into another, and what arrives of a sum that is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bot.compose.moments import day
from bot.compose.quotes import bold, cost, full_day, inverse_line, names, notes, number, percent, rate_line, small_print
from bot.locales import Tongue
from bot.message import Block, Button, Message, Paragraph, Table
from bot.models import Quote
from bot.money import change, converted, exact_text, money, scaled
from bot.periods import Day, Period


@dataclass(frozen=True, slots=True)
class Transfer:
    """A sum that is sent. fee: in the currency of `fee_code`; arrives: quote units, not rounded."""

    amount: Decimal
    fee: Decimal
    fee_code: str
    arrives: Decimal


def conversion(
    amount: Decimal, quote: Quote, tongue: Tongue, *, on: date | None = None, before: date | None = None
) -> Message:
    """ "100 USD = 47,509.00 KZT", then the rate and where it is from.

    on: the day it was asked for; before: the one before it, where its figure is stored
    """
    buttons = tuple(_buttons(amount, quote, on, before, tongue))
    if quote.rate is None:
        return Message((Paragraph(_missing(quote, tongue)),), buttons)
    blocks: list[Block] = [bold(_equation(amount, quote, quote.rate, tongue))]
    if amount != scaled(quote.rate)[0]:
        blocks.append(Paragraph(rate_line(quote, quote.rate, tongue)))
    blocks.append(Paragraph(inverse_line(quote, tongue)))
    if on:
        blocks.append(Paragraph(tongue.say("In force on {date}.", date=full_day(on, tongue))))
    blocks += [*_warnings(quote, tongue), *(Paragraph(text, small=True) for text in small_print(quote, tongue))]
    return Message(tuple(blocks), buttons)


def conversions(amount: Decimal, quotes: Sequence[Quote], tongue: Tongue, *, on: date | None = None) -> Message:
    """The same sum in several currencies."""
    known = [(quote, quote.rate) for quote in quotes if quote.rate is not None]
    head = f"{number(amount, tongue)} {quotes[0].base} ="
    rows = [(quote.quote, number(money(converted(amount, rate)), tongue)) for quote, rate in known]
    lines = "\n".join(_equation(amount, quote, rate, tongue) for quote, rate in known)
    blocks: list[Block] = [Table(lines, ((head, ""), *rows))] if known else []
    blocks += [Paragraph(_missing(quote, tongue)) for quote in quotes if quote.rate is None]
    if on:
        blocks.append(Paragraph(tongue.say("In force on {date}.", date=full_day(on, tongue))))
    told = {name for quote, _ in known for name in names(quote, tongue).split(", ")}
    blocks += [Paragraph(", ".join(sorted(told)), small=True)] if told else []
    blocks += [Paragraph(text, small=True) for text in dict.fromkeys(t for q, _ in known for t in notes(q, tongue))]
    blocks.append(Paragraph(tongue.say("Official rates, not a bank's or a cash rate."), small=True))
    asked = exact_text(amount)
    when = f" on {on}" if on else ""
    buttons = (Button(quote.quote, f"/convert {asked} {quote.base} in {quote.quote}{when}") for quote, _ in known)
    return Message(tuple(blocks), tuple(buttons))


def sent(transfer: Transfer, quote: Quote, period: Period, tongue: Tongue) -> Message:
    """What arrives today, and would have on the best and the worst day of the period."""
    assert quote.rate is not None
    arrives = f"{number(money(transfer.arrives), tongue)} {quote.quote}"
    amount = f"{number(transfer.amount, tongue)} {quote.base}"
    if transfer.fee:
        fee = f"{number(money(transfer.fee), tongue)} {transfer.fee_code}"
        text = tongue.say("{amount} less a fee of {fee}: {result} arrive", amount=amount, fee=fee, result=arrives)
    else:
        text = tongue.say("{amount}: {result} arrive", amount=amount, result=arrives)
    blocks: list[Block] = [bold(text), Paragraph(rate_line(quote, quote.rate, tongue))]
    blocks += [Paragraph(line) for line in _against(transfer, quote, period, tongue)]
    blocks += [*_warnings(quote, tongue), *(Paragraph(line, small=True) for line in small_print(quote, tongue))]
    drawn = Button(tongue.say("30 days"), f"/chart {quote.base}/{quote.quote} 30d")
    return Message(tuple(blocks), (drawn,) if len(period.days) > 1 else ())


def conversion_data(amount: Decimal, quote: Quote) -> dict[str, str | None]:
    """The conversion for scripts; figures are exact strings, "reason" is there only without a figure.

    {"amount", "base", "quote", "result", "rate", "effective_date", "source", "kind"}: amount in base units,
    result = amount x rate in quote units (not rounded), rate = quote units per 1 base unit.
    """
    rate = quote.rate
    data = {
        "amount": exact_text(amount),
        "base": quote.base,
        "quote": quote.quote,
        "result": None if rate is None else exact_text(converted(amount, rate)),
        "rate": None if rate is None else exact_text(rate),
        "effective_date": quote.effective_date.isoformat() if quote.effective_date else None,
        "source": quote.source or None,
        "kind": quote.kind,
    }
    return data if rate is not None else data | {"reason": quote.reason}


def _equation(amount: Decimal, quote: Quote, rate: Decimal, tongue: Tongue) -> str:
    """For the sum that the rate is quoted for, the figure is the rate as it is said elsewhere."""
    units, _ = scaled(rate)
    result = cost(rate, units) if amount == units else money(converted(amount, rate))
    return f"{number(amount, tongue)} {quote.base} = {number(result, tongue)} {quote.quote}"


def _against(transfer: Transfer, quote: Quote, period: Period, tongue: Tongue) -> Iterator[str]:
    if len(period.days) < 2 or quote.rate is None or period.high.rate == period.low.rate:
        return
    days = (period.until - period.days[0].day).days
    best, worst = (_that_day(transfer, quote, found, period, tongue) for found in (period.high, period.low))
    yield tongue.count(
        "In the last {n} day: at best {best}, at worst {worst}",
        "In the last {n} days: at best {best}, at worst {worst}",
        days,
        best=best,
        worst=worst,
    )
    behind = change(quote.rate, period.high.rate)
    yield tongue.say("Today against the best: {change}", change=percent(behind, tongue))


def _that_day(transfer: Transfer, quote: Quote, found: Day, period: Period, tongue: Tongue) -> str:
    """ "30,902.85 KGS (23 Oct)"."""
    figure = number(money(_arrives(transfer, quote, found.rate)), tongue)
    return f"{figure} {quote.quote} ({day(found.effective_date, tongue, today=period.until)})"


def _arrives(transfer: Transfer, quote: Quote, rate: Decimal) -> Decimal:
    if transfer.fee_code == quote.quote:
        return converted(transfer.amount, rate) - transfer.fee
    return converted(transfer.amount - transfer.fee, rate)


def _warnings(quote: Quote, tongue: Tongue) -> Iterator[Paragraph]:
    if quote.kind == "peg" and quote.effective_date:
        year = quote.effective_date.year
        yield Paragraph(tongue.say("Fixed by the central bank since {year}. Cash trades at other rates.", year=year))
    if quote.stale and quote.effective_date:
        since = full_day(quote.effective_date, tongue)
        yield Paragraph(tongue.say("This figure is stale: as of {date}.", date=since))


def _missing(quote: Quote, tongue: Tongue) -> str:
    pair = f"{quote.base}/{quote.quote}"
    return tongue.say("{currency}: {reason}.", currency=pair, reason=tongue.say(quote.reason))


def _buttons(amount: Decimal, quote: Quote, on: date | None, before: date | None, tongue: Tongue) -> Iterator[Button]:
    asked, when = exact_text(amount), f" on {on}" if on else ""
    yield Button(f"{quote.quote} → {quote.base}", f"/convert {asked} {quote.quote} in {quote.base}{when}")
    if before:
        then = f"/convert {asked} {quote.base} in {quote.quote} on {before}"
        yield Button(full_day(before, tongue), then)
