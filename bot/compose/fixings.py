"""What is pushed about fixings: announcements, corrections, and what the operators must know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from bot.compose.moments import day
from bot.compose.quotes import bold, names, notes, number, percent, rate_line
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Message, Paragraph
from bot.models import Hold, Quote, StoredFixing
from bot.money import change, per_unit

SEPARATOR = " · "


def announcement(quote: Quote, tongue: Tongue) -> Message:
    """A new fixing, pushed when it is published: "1 USD = 440.77 KZT from 24 Nov, -0.29%"."""
    rate, when, moved = quote.rate, quote.effective_date, quote.day
    if quote.announced:
        rate, when = quote.announced.rate, quote.announced.effective_date
        moved = quote.day if when == quote.effective_date or quote.rate is None else change(rate, quote.rate)
    assert rate is not None
    assert when
    text = tongue.say("{rate} from {date}", rate=rate_line(quote, rate, tongue), date=day(when, tongue))
    if moved is not None:
        text = f"{text}, {percent(moved, tongue)}"
    return Message((bold(text), _small(quote, tongue)), _buttons(tongue))


def correction(quote: Quote, rate: Decimal, before: Decimal, on: date, tongue: Tongue) -> Message:
    """The bank has replaced a figure that was pushed: "Corrected by the bank: 1 USD = 441.10 KZT from 24 Nov"."""
    line = tongue.say("{rate} from {date}", rate=rate_line(quote, rate, tongue), date=day(on, tongue))
    text = tongue.say("Corrected by the bank: {line}. It was {before}.", line=line, before=number(before, tongue))
    return Message((bold(text), _small(quote, tongue)), _buttons(tongue))


def held(road: str, base: str, quote: str, new: Decimal, old: Decimal | None, on: date, tongue: Tongue) -> Message:
    """For the operators: a figure was not put in force. old: the one that is, None for the declared peg."""
    text = tongue.say(
        "{road} prints {pair} {new} for {date} after {old}. I hold it until another source agrees.",
        road=road,
        pair=f"{base}/{quote}",
        new=number(new, tongue),
        old=tongue.say("the declared peg") if old is None else number(old, tongue),
        date=day(on, tongue),
    )
    return Message((Paragraph(text),), (Button(tongue.say("Held figures"), "/admin held"),))


def overdue(road: str, newest: date, count: int, tongue: Tongue) -> Message:
    """For the operators: a bank has missed two publications or more."""
    text = tongue.say(
        "{road} has published nothing since the table of {date}: {count} are missing. See /sources.",
        road=road,
        date=day(newest, tongue),
        count=count,
    )
    return Message((Paragraph(text),), (Button(tongue.say("Sources"), "/sources"),))


def holds(found: Sequence[tuple[Hold, StoredFixing | None]], tongue: Tongue) -> Message:
    """The figures held, each beside the one in force."""
    if not found:
        return Message((Paragraph(tongue.say("No figure is held.")),))
    blocks: list[Block] = [Heading(tongue.say("Held figures")), *(Paragraph(_hold(*pair, tongue)) for pair in found)]
    buttons = tuple(Button(tongue.say("Release {id}", id=hold.id), f"/admin release {hold.id}") for hold, _ in found)
    return Message(tuple(blocks), buttons)


def released(hold: Hold, tongue: Tongue) -> Message:
    """One of them is in force now."""
    row = hold.fixing
    line = f"{row.source}: {row.printed.base}/{row.printed.quote} {number(per_unit(row.printed), tongue)}"
    text = tongue.say("Released: {line}, {date}.", line=line, date=day(row.effective_date, tongue))
    return Message((Paragraph(text),))


def _hold(hold: Hold, in_force: StoredFixing | None, tongue: Tongue) -> str:
    row = hold.fixing
    line = f"{row.source} {row.printed.base}/{row.printed.quote} {number(per_unit(row.printed), tongue)}"
    when = day(row.effective_date, tongue)
    if in_force is None:
        return f"{hold.id}: {line}, {when}"
    old = number(per_unit(in_force.printed), tongue)
    before = tongue.say("in force: {rate} of {date}", rate=old, date=day(in_force.effective_date, tongue))
    return f"{hold.id}: {line}, {when} ({before})"


def _small(quote: Quote, tongue: Tongue) -> Paragraph:
    return Paragraph(SEPARATOR.join([names(quote, tongue), *notes(quote, tongue)]), small=True)


def _buttons(tongue: Tongue) -> tuple[Button, ...]:
    return (Button(tongue.say("All rates"), "/rates"),)
