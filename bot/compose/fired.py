"""An alert that fires: the figure, whose it is, the rule, how far it came, and the headlines beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.alerts import Correction, Fire, Step
from bot.compose.moments import day
from bot.compose.news import byline
from bot.compose.quotes import bold, cost, disclaimer, full_day, names, notes, number, percent, rate_line
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Link, Message, Paragraph
from bot.models import Alert, Article, Quote, Sight
from bot.money import change, readable, scaled, significant


@dataclass(frozen=True, slots=True)
class Facts:
    """What every alert says that fires by the same figure: the figure, what it was, whose it is, the headlines."""

    figure: Paragraph
    was: str
    rest: tuple[Block, ...]


def facts(
    step: Step, sight: Sight, headlines: Sequence[Article], tongue: Tongue, zone: str, outlets: Mapping[str, str]
) -> Facts:
    rest = small_print(sight, step, tongue)
    if headlines:
        rest.append(Heading(tongue.say("In the news of these two days")))
    for article in headlines:
        outlet = outlets.get(article.source, article.source)
        rest += [Link(article.title, article.url), byline(article, outlet, tongue, zone)]
    return Facts(bold(figure(sight.quote, step, tongue)), _was(step, tongue), tuple(rest))


def fired(fire: Fire, shared: Facts, tongue: Tongue) -> Message:
    """ "1 USD = 521.30 KZT from 24 Nov", the rule, how far it came, and the headlines beside it."""
    because = Paragraph(_because(fire.alert, fire.step, shared.was, tongue))
    return Message((shared.figure, because, *shared.rest), _fired_buttons(fire.alert, tongue))


def corrected(correction: Correction, sight: Sight, tongue: Tongue) -> Message:
    """The bank has replaced a figure that an alert told of, and what that means for the alert."""
    alert, step = correction.alert, correction.step
    line = figure(sight.quote, step, tongue)
    was = beside(correction.was, step.rate, tongue)
    text = tongue.say("Corrected by the bank: {line}. It was {before}.", line=line, before=was)
    if correction.holds:
        then = tongue.say("Alert {id} ({rule}) holds all the same.", id=alert.id, rule=rule(alert, tongue))
    else:
        then = tongue.say(
            "So alert {id} ({rule}) was a false one; I go on watching.", id=alert.id, rule=rule(alert, tongue)
        )
    return Message((bold(text), Paragraph(then), *small_print(sight, step, tongue)), _fired_buttons(alert, tongue))


def withheld(alert: Alert, step: Step, quote: Quote, tongue: Tongue) -> Message:
    """What an alert would have told."""
    return Message(
        (Paragraph(figure(quote, step, tongue)), Paragraph(_because(alert, step, _was(step, tongue), tongue)))
    )


def rule(alert: Alert, tongue: Tongue) -> str:
    """ "USD/KZT above 520", "EUR/KZT moves by 2% in a week", "10,000 UZS above 0.83 USD"."""
    pair, level = f"{alert.base}/{alert.quote}", number(alert.level, tongue)
    if alert.way != "move" and (units := scaled(alert.level)[0]) > 1:
        pair = f"{number(Decimal(units), tongue)} {alert.base}"
        level = f"{number(cost(alert.level, units), tongue)} {alert.quote}"
    if alert.way == "above":
        return tongue.say("{pair} above {level}", pair=pair, level=level)
    if alert.way == "below":
        return tongue.say("{pair} below {level}", pair=pair, level=level)
    size = level + tongue.locale.percent_formats[None].suffix[0]
    if alert.days == 1:
        return tongue.say("{pair} moves by {size} in a day", pair=pair, size=size)
    return tongue.say("{pair} moves by {size} in a week", pair=pair, size=size)


def rate_text(alert: Alert, rate: Decimal, tongue: Tongue) -> str:
    """ "521.30", or "10,000 UZS = 0.83 USD" where one unit is worth too little to read."""
    if scaled(rate)[0] == 1:
        return number(readable(rate), tongue)
    return rate_line(Quote(alert.base, alert.quote, "", "official"), rate, tongue)


def line_text(alert: Alert, line: Decimal, tongue: Tongue) -> str:
    """A reckoned line, in six digits at most."""
    return rate_text(alert, short(line, 6), tongue)


def short(figure: Decimal, digits: int) -> Decimal:
    """In so many digits at most, without zeros at the end."""
    return Decimal(f"{significant(figure, digits).normalize():f}")


def beside(rate: Decimal, shown: Decimal, tongue: Tongue) -> str:
    """A figure for as many units as the one it stands beside."""
    units = scaled(shown)[0]
    return number(cost(rate, units), tongue)


def small_print(sight: Sight, step: Step, tongue: Tongue) -> list[Block]:
    """Whose figure, of which day and kind, and what it is not."""
    quote, when = sight.quote, full_day(step.on, tongue)
    if quote.kind == "cross":
        whose = tongue.say(
            "Crossed through the dollar ({banks}), rate of {date}", banks=names(quote, tongue), date=when
        )
    else:
        whose = tongue.say("{bank}, official rate of {date}", bank=names(quote, tongue), date=when)
    return [Paragraph(text, small=True) for text in (whose, *notes(quote, tongue), disclaimer(quote, tongue))]


def figure(quote: Quote, step: Step, tongue: Tongue) -> str:
    """ "1 USD = 521.30 KZT from 24 Nov"."""
    return tongue.say("{rate} from {date}", rate=rate_line(quote, step.rate, tongue), date=day(step.on, tongue))


def _was(step: Step, tongue: Tongue) -> str:
    """ "It was 518.90 on 23 Nov: +0.46%"."""
    return tongue.say(
        "It was {before} on {date}: {change}",
        before=beside(step.before, step.rate, tongue),
        date=day(step.before_on, tongue),
        change=percent(step.change, tongue),
    )


def _because(alert: Alert, step: Step, was: str, tongue: Tongue) -> str:
    """ "Alert 3: USD/KZT above 520. It was 518.90 on 23 Nov: +0.46%, 0.25% past the line."."""
    said = tongue.say("Alert {id}: {rule}. {was}", id=alert.id, rule=rule(alert, tongue), was=was)
    if alert.way == "move":
        return f"{said}."
    past = percent(abs(change(step.rate, alert.level)), tongue).lstrip("+")
    return f"{said}, " + tongue.say("{percent} past the line.", percent=past)


def _fired_buttons(alert: Alert, tongue: Tongue) -> tuple[Button, ...]:
    if alert.standing:
        first = Button(tongue.say("Snooze a day"), f"/alerts snooze {alert.id} 1d")
    else:
        first = Button(tongue.say("Watch on"), f"/alerts standing {alert.id}")
    chart = Button(tongue.say("Chart"), f"/chart {alert.base}/{alert.quote} 30d")
    return first, chart, Button(tongue.say("Why"), f"/why a{alert.id}")
