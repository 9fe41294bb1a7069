"""What is said of any one quote: its figure for a round sum, whose it is, of which day and kind.

Numbers and dates are written by Babel in the reader's language; currencies are always their ISO codes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal

from bot.locales import Tongue
from bot.message import Paragraph, Span
from bot.models import Quote
from bot.money import EXACT, inverse, percent_text, readable, scaled, scaled_inverse, significant
from bot.sources import Bank, banks, issuer_of


def rate_line(quote: Quote, rate: Decimal, tongue: Tongue) -> str:
    """ "1 USD = 475.09 KZT", "10,000 UZS = 0.84831 USD"."""
    units, _ = scaled(rate)
    return f"{number(Decimal(units), tongue)} {quote.base} = {number(cost(rate, units), tongue)} {quote.quote}"


def cost(rate: Decimal, units: int) -> Decimal:
    """What so many units of the base cost, as shown. units: a power of ten."""
    exact = rate.scaleb(len(str(units)) - 1, EXACT)
    shown = readable(exact)
    return significant(exact, 5) if shown != exact and exact < 1 else shown


def inverse_line(quote: Quote, tongue: Tongue) -> str:
    """The other direction, for a round sum."""
    assert quote.rate is not None
    other = inverse(quote.rate)
    units, price = scaled_inverse(quote.rate) if quote.rate >= 1 else (scaled(other)[0], cost(other, scaled(other)[0]))
    return f"{number(Decimal(units), tongue)} {quote.quote} = {number(price, tongue)} {quote.base}"


def small_print(quote: Quote, tongue: Tongue) -> Iterator[str]:
    """Whose figure it is, of which day and kind, and what it is not."""
    assert quote.effective_date
    name, when = names(quote, tongue), full_day(quote.effective_date, tongue)
    if quote.kind == "peg":
        yield name
    elif quote.kind == "cross":
        yield tongue.say("Crossed through the dollar ({banks}), rate of {date}", banks=name, date=when)
    elif quote.kind == "market":
        yield tongue.say("{bank}, market rate of {date}, indicative", bank=name, date=when)
    else:
        yield tongue.say("{bank}, official rate of {date}", bank=name, date=when)
    yield from notes(quote, tongue)
    yield disclaimer(quote, tongue)


def disclaimer(quote: Quote, tongue: Tongue) -> str:
    if quote.kind == "market":
        return tongue.say("A market rate, not an official one, a bank's or a cash rate.")
    if quote.kind == "cross":
        return tongue.say("A cross of official rates, not a bank's or a cash rate.")
    return tongue.say("An official rate, not a bank's or a cash rate.")


def names(quote: Quote, tongue: Tongue) -> str:
    """The banks whose figures it is made of."""
    found = [tongue.say(bank.name) for bank in _banks(quote)]
    return ", ".join(found) or quote.source


def notes(quote: Quote, tongue: Tongue) -> list[str]:
    """What the terms of the banks ask us to say."""
    return [tongue.say(bank.note) for bank in _banks(quote) if bank.note]


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


def bold(text: str) -> Paragraph:
    return Paragraph(text, (Span(0, len(text), "bold"),))


def full_day(when: date, tongue: Tongue) -> str:
    """ "23 Nov 2026"."""
    return format_date(when, "d MMM y", locale=tongue.locale)


def _banks(quote: Quote) -> list[Bank]:
    """An official figure is the issuer's, whatever road it came by; a market one is of whoever collects it."""
    if quote.issuers:
        return [banks()[issuer] for issuer in quote.issuers]
    if quote.kind == "market":
        used = quote.source.split("+")
        return [bank for bank in banks().values() if any(road.id in used for road in bank.roads)]
    issuers = (issuer_of(quote.quote), issuer_of(quote.base))
    return [issuer for issuer in issuers if issuer][:1]
