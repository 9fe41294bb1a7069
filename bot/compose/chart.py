"""A pair's history as a picture and as a file: what is written around a chart, and what it says in words."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from babel.dates import format_date

from bot.chart.axes import GAP, day_ticks, figure_range, figure_ticks
from bot.compose.moments import day
from bot.compose.quotes import full_day, number, percent
from bot.locales import N_, Tongue
from bot.message import Block, Button, File, Message, Notes, Paragraph, Picture
from bot.money import change, exact_text, readable, scaled, settled
from bot.pairs import RateHistory
from bot.sources import Bank, banks

SPANS: Final = (("30d", N_("30 days")), ("90d", N_("90 days")), ("1y", N_("1 year")))
HEADER: Final = ("date", "base", "quote", "rate", "kind", "source")


def chart(history: RateHistory, since: date, tongue: Tongue) -> Message:
    """The chart of a history of two days or more. since: from when it was asked for."""
    pair = f"{history.base}/{history.quote}"
    blocks: list[Block] = [_picture(history, tongue)]
    first = history.days[0][0]
    if first - since > GAP:
        blocks.append(
            Paragraph(tongue.say("Nothing is stored of the days before {date}.", date=full_day(first, tongue)))
        )
    if history.kind == "cross":
        blocks.append(Paragraph(_names(history, tongue), small=True))
    blocks += [Paragraph(tongue.say(bank.note), small=True) for bank in _issuers(history) if bank.note]
    spans = [Button(tongue.say(label), f"/chart {pair} {span}") for span, label in SPANS]
    return Message(tuple(blocks), (*spans, Button("CSV", f"/export rates {pair} {since}..{history.days[-1][0]}")))


def export(history: RateHistory, tongue: Tongue) -> Message:
    """A history of one day or more as a CSV file, each figure as it is stored."""
    page = io.StringIO()
    rows = csv.writer(page, lineterminator="\n")
    rows.writerow(HEADER)
    for when, figure in history.days:
        rate = exact_text(settled(figure))
        rows.writerow((when.isoformat(), history.base, history.quote, rate, history.kind, history.source))
    first, last = history.days[0][0], history.days[-1][0]
    text = tongue.count(
        "{pair}, {span}: {n} day. {source}.",
        "{pair}, {span}: {n} days. {source}.",
        len(history.days),
        pair=f"{history.base}/{history.quote}",
        span=_span(first, last, tongue),
        source=_source(history, tongue),
    )
    return Message((File(text, f"{history.base}-{history.quote}_{first}_{last}.csv", page.getvalue()),))


def _picture(history: RateHistory, tongue: Tongue) -> Picture:
    units, points = _scaled(_every_day(history.days) if history.kind == "peg" else history.days)
    figures = [figure for _, figure in points]
    (first, began), (last, newest) = points[0], points[-1]
    span = _span(first, last, tongue)
    if history.kind != "peg":
        span = f"{span} · {percent(change(newest, began), tongue)}"
    return Picture(
        text=f"{_text(history, units, points, tongue)} {_source(history, tongue)}.",
        title=tongue.say("{unit} in {currency}", unit=_unit(history, units, tongue), currency=history.quote),
        span=span,
        source=_source(history, tongue),
        last=_shown(newest, tongue),
        when=full_day(last, tongue),
        points=tuple((when.isoformat(), exact_text(figure)) for when, figure in points),
        marks=tuple(
            (place, f"{_shown(figures[place], tongue)}, {_on(points, place, tongue)}") for place in _extremes(figures)
        ),
        across=_across(first, last, tongue),
        up=_up(figures, tongue),
    )


def _text(history: RateHistory, units: int, points: Sequence[tuple[date, Decimal]], tongue: Tongue) -> str:
    """What the picture shows, in words."""
    figures = [figure for _, figure in points]
    unit, quote = _unit(history, units, tongue), history.quote
    newest = tongue.say(
        "{unit} = {rate} {currency} on {date}",
        unit=unit,
        rate=_shown(figures[-1], tongue),
        currency=quote,
        date=full_day(points[-1][0], tongue),
    )
    extremes = _extremes(figures)
    if not extremes:
        return tongue.say(
            "{newest}, unchanged since {first_date}.", newest=newest, first_date=full_day(points[0][0], tongue)
        )
    high, low = extremes
    return tongue.say(
        "{newest}. It was {first} on {first_date}: {change}. Highest {high} ({high_date}), lowest {low} ({low_date}).",
        newest=newest,
        first=_shown(figures[0], tongue),
        first_date=full_day(points[0][0], tongue),
        change=percent(change(figures[-1], figures[0]), tongue),
        high=_shown(figures[high], tongue),
        high_date=_on(points, high, tongue),
        low=_shown(figures[low], tongue),
        low_date=_on(points, low, tongue),
    )


def _every_day(days: Sequence[tuple[date, Decimal]]) -> list[tuple[date, Decimal]]:
    """A peg holds between the days it is told of, however far they are apart."""
    (first, figure), (last, _) = days[0], days[-1]
    return [(first + timedelta(days=n), figure) for n in range((last - first).days + 1)]


def _scaled(days: Sequence[tuple[date, Decimal]]) -> tuple[int, list[tuple[date, Decimal]]]:
    """(n, what n units of the base cost), for a power of ten n that makes every figure readable."""
    units, _ = scaled(min(figure for _, figure in days))
    return units, [(when, settled(figure.scaleb(len(str(units)) - 1))) for when, figure in days]


def _extremes(figures: Sequence[Decimal]) -> tuple[int, ...]:
    """Places of the highest and the lowest figure, where they first stood; none if all are the same."""
    high, low = max(figures), min(figures)
    return () if high == low else (figures.index(high), figures.index(low))


def _across(first: date, last: date, tongue: Tongue) -> Notes:
    ticks = day_ticks(first, last)
    if any(tick.day > 1 for tick in ticks):
        return tuple((tick.isoformat(), day(tick, tongue)) for tick in ticks)
    years = all(tick.month == 1 for tick in ticks)
    return tuple(
        (tick.isoformat(), format_date(tick, "y" if years else "LLL y" if tick.month == 1 else "LLL", tongue.locale))
        for tick in ticks
    )


def _up(figures: Sequence[Decimal], tongue: Tongue) -> Notes:
    return tuple((exact_text(tick), number(tick, tongue)) for tick in figure_ticks(*figure_range(figures)))


def _unit(history: RateHistory, units: int, tongue: Tongue) -> str:
    return f"{number(Decimal(units), tongue)} {history.base}"


def _shown(figure: Decimal, tongue: Tongue) -> str:
    return number(readable(figure), tongue)


def _source(history: RateHistory, tongue: Tongue) -> str:
    """Who says so, and what kind of figure it is."""
    names = _names(history, tongue)
    match history.kind:
        case "official":
            return tongue.say("Official rates: {bank}", bank=names)
        case "cross":
            codes = ", ".join(dict.fromkeys(bank.issues for bank in _issuers(history)))
            return tongue.say("Crossed through USD from the official rates of {currencies}", currencies=codes)
        case "peg":
            return tongue.say("Fixed by the central bank: {bank}", bank=names)
        case _:
            return tongue.say("Market rates, not official: {source}", source=history.source)


def _names(history: RateHistory, tongue: Tongue) -> str:
    return ", ".join(dict.fromkeys(tongue.say(bank.name) for bank in _issuers(history))) or history.source


def _issuers(history: RateHistory) -> list[Bank]:
    return [banks()[issuer] for issuer in history.issuers]


def _span(first: date, last: date, tongue: Tongue) -> str:
    """ "25 Oct – 23 Nov 2026"."""
    return f"{day(first, tongue, today=last)} – {full_day(last, tongue)}"


def _on(points: Sequence[tuple[date, Decimal]], place: int, tongue: Tongue) -> str:
    """The date of a point, with the year where the chart has several."""
    return day(points[place][0], tongue, today=points[-1][0])
