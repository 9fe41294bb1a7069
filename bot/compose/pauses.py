"""What a chat is told of pauses, and of the time they missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.compose.moments import dated, moment
from bot.compose.orders import describe, next_digest
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Message, Paragraph
from bot.models import Subscription


def paused(changed: Sequence[Subscription], alerts: int, until: datetime | None, tongue: Tongue, zone: str) -> Message:
    """What is silent from now on, and until when. alerts: how many of them are"""
    end = moment(until, zone, tongue) if until else None
    if end:
        head = tongue.say("Paused until {until}", until=end)
        hint = tongue.say("The first digest after that holds what came meanwhile.") if changed else ""
    else:
        head, hint = tongue.say("Paused"), tongue.say("/resume goes on.")
    lines = [Paragraph(describe(order, tongue)) for order in changed]
    if alerts:
        lines.append(Paragraph(tongue.count("{n} alert: /alerts", "{n} alerts: /alerts", alerts)))
    which = f" id:{changed[0].id}" if len(changed) == 1 and not alerts else ""
    return Message(
        (dated(Heading(head), end), *lines, *([Paragraph(hint, small=True)] if hint else ())),
        (Button(tongue.say("Resume"), f"/resume{which}"),),
    )


def ask_missed(which: str, missed: Sequence[Subscription], tongue: Tongue, zone: str) -> Message:
    """The question what to do with the time that was missed. which: as /resume takes it, "" for all."""
    since = moment(min(order.paused_at for order in missed if order.paused_at), zone, tongue)
    text = tongue.say("Paused since {moment}. Shall I tell what you missed?", moment=since)
    lines = [Paragraph(describe(order, tongue)) for order in missed]
    command = f"/resume {which}".rstrip()
    return Message(
        (dated(Heading(text), since), *lines),
        (
            Button(tongue.say("Catch up once"), f"{command} catchup"),
            Button(tongue.say("Skip it"), f"{command} skip"),
        ),
    )


def resumed(orders: Sequence[Subscription], alerts: int, told: Sequence[Message], tongue: Tongue, zone: str) -> Message:
    """They speak again, and so do so many alerts. told: what they would have told meanwhile, where that is wanted."""
    blocks: list[Block] = [Heading(tongue.say("Resumed"))]
    for order in orders:
        blocks.append(Paragraph(describe(order, tongue)))
        if order.next_due:
            blocks.append(next_digest(order.next_due, tongue, zone, small=True))
    if alerts:
        blocks.append(Paragraph(tongue.count("{n} alert: /alerts", "{n} alerts: /alerts", alerts)))
    for message in told:
        blocks += message.blocks
    return Message(tuple(blocks), (Button(tongue.say("My subscriptions"), "/list"),))


def nothing_paused(tongue: Tongue) -> Message:
    return Message(
        (Paragraph(tongue.say("Nothing is paused here.")),), (Button(tongue.say("My subscriptions"), "/list"),)
    )
