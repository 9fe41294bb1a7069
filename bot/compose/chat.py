"""What a chat is told of its own settings and subscriptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_gmt

from bot.compose.moments import clock, coming
from bot.echo import shown
from bot.locales import N_, Tongue
from bot.message import Block, Button, Heading, Message, Paragraph
from bot.models import Content, Schedule, Subscription

FILTER_SHOWN = 80
WEEKLY: Final = (
    N_("Weekly on Monday at {time}"),
    N_("Weekly on Tuesday at {time}"),
    N_("Weekly on Wednesday at {time}"),
    N_("Weekly on Thursday at {time}"),
    N_("Weekly on Friday at {time}"),
    N_("Weekly on Saturday at {time}"),
    N_("Weekly on Sunday at {time}"),
)
"""From Monday; whole sentences, for other languages decline their days."""


def subscribed(order: Subscription, tongue: Tongue, zone: str, *, edited: bool, tomorrow: bool) -> Message:
    """Exactly what was set, on which clocks, and when it speaks next.

    edited: an order for the same was there and has changed; tomorrow: today's digest had come already
    """
    head = tongue.say("Subscription changed") if edited else tongue.say("Subscribed")
    blocks: list[Block] = [Heading(head), Paragraph(describe(order, tongue))]
    if order.next_due:
        if tomorrow:
            blocks.append(Paragraph(tongue.say("Today's digest has come already: the new time begins tomorrow.")))
        blocks.append(Paragraph(_next_digest(order.next_due, tongue, zone)))
        blocks.append(
            Paragraph(tongue.say("My clocks here are {zone}; /timezone changes that.", zone=zone), small=True)
        )
    return Message(tuple(blocks), (Button(tongue.say("My subscriptions"), "/list"),))


def orders(subscriptions: Sequence[Subscription], tongue: Tongue, zone: str) -> Message:
    """The chat's subscriptions, numbered as /unsubscribe takes them."""
    if not subscriptions:
        return no_orders(tongue)
    blocks: list[Block] = [Heading(tongue.say("Subscriptions"))]
    for number, order in enumerate(subscriptions, 1):
        blocks.append(Paragraph(f"{number}. {describe(order, tongue)}"))
        if order.next_due:
            blocks.append(Paragraph(_next_digest(order.next_due, tongue, zone), small=True))
    blocks.append(Paragraph(tongue.say("/unsubscribe 1 ends the first one."), small=True))
    return Message(tuple(blocks))


def which_to_end(subscriptions: Sequence[Subscription], tongue: Tongue) -> Message:
    """The question which of several subscriptions is meant."""
    lines = [f"{number}. {describe(order, tongue)}" for number, order in enumerate(subscriptions, 1)]
    buttons = (
        Button(tongue.say("End {number}", number=number), f"/unsubscribe {number}")
        for number in range(1, len(subscriptions) + 1)
    )
    return Message((Heading(tongue.say("Which one shall end?")), *map(Paragraph, lines)), tuple(buttons))


def unsubscribed(gone: Subscription, left: int, tongue: Tongue) -> Message:
    """What ended, and how many subscriptions are left."""
    rest = (
        tongue.count("{n} subscription is left: /list", "{n} subscriptions are left: /list", left)
        if left
        else tongue.say("Nothing is left that comes by itself.")
    )
    return Message(
        (Heading(tongue.say("Subscription ended")), Paragraph(describe(gone, tongue)), Paragraph(rest, small=True))
    )


def no_orders(tongue: Tongue) -> Message:
    """The answer to /list and /unsubscribe where nothing comes by itself."""
    return Message(
        (
            Paragraph(tongue.say("Nothing comes by itself here yet.")),
            Paragraph(tongue.say("A digest every morning is one press away."), small=True),
        ),
        (Button(tongue.say("Daily digest at 09:00"), "/subscribe daily 09:00"),),
    )


def timezone(
    zone: str, tongue: Tongue, now: datetime, *, asked: bool, capitals: Mapping[str, str], moved: Sequence[Subscription]
) -> Message:
    """The chat's clocks. asked: only shown, not set; moved: subscriptions whose next digest moved along."""
    local = now.astimezone(ZoneInfo(zone))
    offset = get_timezone_gmt(local, locale=tongue.locale)
    head = tongue.say("Time zone: {zone}", zone=zone) if asked else tongue.say("Time zone set: {zone}", zone=zone)
    blocks: list[Block] = [
        Heading(head),
        Paragraph(tongue.say("It is {time} here now ({offset}).", time=clock(local, tongue), offset=offset)),
    ]
    coming_next = min((order.next_due for order in moved if order.next_due), default=None)
    if coming_next:
        blocks.append(Paragraph(_next_digest(coming_next, tongue, zone)))
    if asked:
        blocks.append(Paragraph(tongue.say("Press a city, or say one: /timezone London"), small=True))
    buttons = (Button(tongue.say(city), f"/timezone {name}") for city, name in capitals.items() if asked)
    return Message(tuple(blocks), tuple(buttons))


def language(tongue: Tongue, own_names: Mapping[str, str], *, asked: bool) -> Message:
    """The chat's language. own_names: what each language calls itself, by code."""
    name = own_names[tongue.code]
    head = tongue.say("Language: {name}", name=name) if asked else tongue.say("From now on: {name}", name=name)
    buttons = (Button(own, f"/language {code}") for code, own in own_names.items() if asked)
    return Message((Heading(head),), tuple(buttons))


def describe(order: Subscription, tongue: Tongue) -> str:
    """ "Daily at 09:00: news and rates"."""
    when, what = _when(order.schedule, tongue), _what(order.content, tongue)
    return tongue.say("{when}: {what}", when=when, what=what)


def order_data(order: Subscription, number: int, zone: str) -> dict[str, object]:
    """A subscription for scripts: what it holds, when it speaks ("at" on the clocks of "zone", "next" ISO 8601)."""
    timed = order.schedule.kind != "instant"
    return {
        "number": number,
        "kind": order.schedule.kind,
        "at": f"{order.schedule.at:%H:%M}" if timed else None,
        "weekday": order.schedule.weekday if order.schedule.kind == "weekly" else None,
        "zone": zone,
        "words": list(order.content.words),
        "excluded": list(order.content.excluded),
        "countries": list(order.content.countries),
        "news": order.content.news,
        "rates": order.content.rates,
        "next": order.next_due.isoformat() if order.next_due else None,
    }


def _when(schedule: Schedule, tongue: Tongue) -> str:
    time = f"{schedule.at:%H:%M}"
    if schedule.kind == "instant":
        return tongue.say("As it happens")
    if schedule.kind == "daily":
        return tongue.say("Daily at {time}", time=time)
    if schedule.kind == "weekdays":
        return tongue.say("Monday to Friday at {time}", time=time)
    return tongue.say(WEEKLY[schedule.weekday], time=time)


def _what(content: Content, tongue: Tongue) -> str:
    names = (tongue.locale.territories.get(code, code) for code in content.countries)
    words = (f'"{word}"' if " " in word else word for word in content.words)
    wanted = shown(", ".join([*words, *names, *(f"-{word}" for word in content.excluded)]), FILTER_SHOWN)
    if wanted and content.rates:
        return tongue.say("news of {wanted}; rates", wanted=wanted)
    if wanted:
        return tongue.say("news of {wanted}", wanted=wanted)
    if content.news and content.rates:
        return tongue.say("news and rates")
    return tongue.say("rates") if content.rates else tongue.say("news")


def _next_digest(due: datetime, tongue: Tongue, zone: str) -> str:
    return tongue.say("Next digest: {moment}", moment=coming(due, zone, tongue))
