"""A pair over a stretch of days: first, last, lowest, highest, average."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from babel.dates import format_date

from bot.compose.moments import day
from bot.compose.quotes import bold, disclaimer, full_day, names, notes, number, percent
from bot.compose.rates import all_rates
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Message, Paragraph, Table
from bot.models import Quote
from bot.money import exact_text, percent_text, readable, scaled
from bot.periods import Day, Period


def period(period: Period, quote: Quote, tongue: Tongue, today: date, *, month: bool) -> Message:
    """The period, of which at least one day is stored. quote: the figure of its last day; month: it is one."""
    units, _ = scaled(period.low.rate)
    places = len(str(units)) - 1
    head = f"{number(Decimal(units), tongue)} {period.base} ="

    def figure(rate: Decimal) -> str:
        return number(readable(rate.scaleb(places)), tongue)

    def row(name: str, found: Day) -> tuple[str, str, str]:
        return name, figure(found.rate), day(found.effective_date, tongue, today=today)

    average = figure(period.average)
    count = tongue.count("{n} day", "{n} days", len(period.days))
    rows = (
        row(tongue.say("first"), period.days[0]),
        row(tongue.say("last"), period.days[-1]),
        row(tongue.say("lowest"), period.low),
        row(tongue.say("highest"), period.high),
        (tongue.say("average"), average, count),
    )
    said = tongue.say("Average: {rate}", rate=f"{head} {average} {period.quote}")
    lines = "\n".join((said, *(" ".join(cells) for cells in rows[:-1])))
    blocks: list[Block] = [Heading(f"{period.base}/{period.quote}, {_when(period, tongue, month=month)}")]
    blocks += [bold(said)] if month else []
    blocks += [Table(lines, ((head, period.quote, ""), *rows)), *_remarks(period, tongue, today)]
    blocks += [Paragraph(text, small=True) for text in _small_print(quote, tongue)]
    pair = f"{period.base}/{period.quote}"
    return Message(tuple(blocks), (Button(pair, f"/rates {pair}"), all_rates(tongue)))


def period_data(period: Period) -> dict[str, object]:
    """The period for scripts, figures as strings: {"from", "to", "days", "first", "last", "low", "high",
    "average", "change"}; days: how many calendar days are stored; average: over them; change: percent or null."""
    return {
        "from": period.since.isoformat(),
        "to": period.until.isoformat(),
        "days": len(period.days),
        "first": _day_data(period.days[0]),
        "last": _day_data(period.days[-1]),
        "low": _day_data(period.low),
        "high": _day_data(period.high),
        "average": exact_text(period.average),
        "change": None if period.change is None else percent_text(period.change),
    }


def _day_data(found: Day) -> dict[str, str]:
    return {"rate": exact_text(found.rate), "effective_date": found.effective_date.isoformat()}


def _when(period: Period, tongue: Tongue, *, month: bool) -> str:
    if month:
        return format_date(period.since, "LLLL y", locale=tongue.locale)
    return f"{full_day(period.since, tongue)} – {full_day(period.until, tongue)}"


def _remarks(period: Period, tongue: Tongue, today: date) -> list[Paragraph]:
    told = []
    if period.change is not None:
        told.append(tongue.say("{change} from the first to the last", change=percent(period.change, tongue)))
    told.append(
        tongue.count(
            "The average of the rates in force on {n} calendar day.",
            "The average of the rates in force on {n} calendar days.",
            len(period.days),
        )
    )
    if len(period.days) < period.wanted:
        told.append(
            tongue.say(
                "{known} of {days} days are stored: yamchi backfill --days {back} fetches the others.",
                known=len(period.days),
                days=period.wanted,
                back=(today - period.since).days + 1,
            )
        )
    return [Paragraph(text) for text in told]


def _small_print(quote: Quote, tongue: Tongue) -> list[str]:
    name = names(quote, tongue)
    if quote.kind == "cross":
        name = tongue.say("Crossed through the dollar ({banks})", banks=name)
    elif quote.kind == "market":
        name = tongue.say("{bank}, market rates, indicative", bank=name)
    elif quote.kind == "official":
        name = tongue.say("{bank}, official rates", bank=name)
    elif quote.effective_date:
        year = quote.effective_date.year
        name += ". " + tongue.say("Fixed by the central bank since {year}. Cash trades at other rates.", year=year)
    return [name, *notes(quote, tongue), disclaimer(quote, tongue)]
