"""Alerts as a reader sets and lists them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.alerts import Step, back_at, holds
from bot.board import BASE, FIVE
from bot.compose.fired import figure, line_text, rate_text, rule, small_print
from bot.compose.moments import Moment, dated, moment
from bot.compose.pages import Page, counted, turning
from bot.compose.quotes import full_day, number, percent
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Message, Paragraph
from bot.models import Alert, Quote, Sight
from bot.money import EXACT, change, exact_text

SEPARATOR = " · "


def set_(alert: Alert, sight: Sight | Quote, tongue: Tongue, zone: str, *, edited: bool) -> Message:
    """Exactly what was set, how far off it is, and what it looks at."""
    head = tongue.say("Alert {id} changed", id=alert.id) if edited else tongue.say("Alert {id} is set", id=alert.id)
    blocks: list[Block] = [Heading(head), Paragraph(described(alert, tongue, zone)), *_now(alert, sight, tongue)]
    buttons = [Button(tongue.say("My alerts"), "/alerts"), Button(tongue.say("End it"), f"/alerts end {alert.id}")]
    if not alert.standing:
        buttons.append(Button(tongue.say("Every time"), f"/alerts standing {alert.id}"))
    return Message(tuple(blocks), tuple(buttons))


def alerts(page: Page[Alert], sights: Sequence[Sight | Quote], tongue: Tongue, zone: str, now: datetime) -> Message:
    """The chat's alerts by number, each with how things stand. sights: of those on the page"""
    if not page.total:
        return Message((Paragraph(tongue.say("No alert is set here.")),), (Button(tongue.say("Set one"), "/alert"),))
    blocks: list[Block] = [Heading(tongue.say("Alerts")), *counted(page, tongue)]
    for alert, sight in zip(page.shown, sights, strict=True):
        blocks.append(Paragraph(f"{alert.id}. {described(alert, tongue, zone)}"))
        blocks.append(_standing(alert, sight, tongue, zone, now))
    ids = [alert.id for alert in page.shown]
    buttons = [Button(tongue.say("End {number}", number=id_), f"/alerts end {id_}") for id_ in ids]
    buttons += [Button(tongue.say("Snooze {id}", id=id_), f"/alerts snooze {id_} 1d") for id_ in ids]
    once = (alert.id for alert in page.shown if not alert.standing)
    buttons += [Button(tongue.say("{id}: every time", id=id_), f"/alerts standing {id_}") for id_ in once]
    return Message(tuple(blocks), (*buttons, *turning(page, "/alerts", tongue)))


def picker(board: Sequence[Quote], tongue: Tongue) -> Message:
    """What one could be told of, with lines near the rates of now filled in."""
    text = tongue.say("I tell you when a rate passes a line of yours, or moves far.")
    examples = tongue.say('Such as /alert KZT > 520, /alert EUR/KZT 2% week, or /alert "middle corridor" for news.')
    buttons = [
        Button(f"{quote.quote} {sign} {number(line, tongue)}", f"/alert {code(quote)} {sign} {exact_text(line)}")
        for quote in board
        if quote.rate is not None and quote.kind != "peg"
        for sign, line in (lines(quote.rate) if len(board) == 1 else lines(quote.rate)[:1])
    ]
    if len(board) == 1:
        moves = ((1, tongue.say("1% in a day")), (2, tongue.say("2% in a week")))
        named = code(board[0])
        buttons += [
            Button(label, f"/alert {named} {size}% {span}")
            for (size, label), span in zip(moves, ("day", "week"), strict=True)
            if board[0].kind != "peg"
        ]
    buttons.append(Button(tongue.say("My alerts"), "/alerts"))
    head = Paragraph(text)
    if len(board) == 1 and board[0].kind == "peg":
        head = Paragraph(pegged(board[0], tongue))
    return Message((head, Paragraph(examples, small=True)), tuple(buttons))


def pegged(quote: Quote, tongue: Tongue) -> str:
    """Why there is nothing to watch."""
    return tongue.say(
        "{pair} is fixed by the central bank: there is nothing to watch.", pair=f"{quote.base}/{quote.quote}"
    )


def ended(alert: Alert, left: int, tongue: Tongue, zone: str) -> Message:
    """What ended, and how many are left."""
    rest = tongue.count("{n} alert is left: /alerts", "{n} alerts are left: /alerts", left)
    blocks = (Heading(tongue.say("Alert {id} ended", id=alert.id)), Paragraph(described(alert, tongue, zone)))
    undo = Button(tongue.say("Undo"), f"/alerts undo {alert.id}")
    return Message((*blocks, Paragraph(rest, small=True)) if left else blocks, (undo,))


def snoozed(alert: Alert, tongue: Tongue, zone: str) -> Message:
    """Until when it is silent."""
    assert alert.snoozed_until
    until = moment(alert.snoozed_until, zone, tongue)
    text = tongue.say("Alert {id} is silent until {moment}.", id=alert.id, moment=until)
    then = tongue.say("If it is past the line then, the next fixing tells you.") if alert.way != "move" else ""
    blocks = (dated(Paragraph(text), until), *((Paragraph(then, small=True),) if then else ()))
    return Message(blocks, (Button(tongue.say("My alerts"), "/alerts"),))


def alert_data(alert: Alert) -> dict[str, object]:
    """An alert for scripts; "level" in quote units per base unit, or in percent for a move of so many "days"."""
    return {
        "id": alert.id,
        "base": alert.base,
        "quote": alert.quote,
        "way": alert.way,
        "level": exact_text(alert.level),
        "days": alert.days,
        "standing": alert.standing,
        "state": alert.state,
        "armed": alert.armed,
        "expires": alert.expires_at.isoformat() if alert.expires_at else None,
        "snoozed_until": alert.snoozed_until.isoformat() if alert.snoozed_until else None,
        "paused": alert.paused_at is not None,
        "paused_until": alert.paused_until.isoformat() if alert.paused_until else None,
    }


def code(quote: Quote) -> str:
    """How the pair is typed: the bare code where the dollar is the base."""
    return quote.quote if quote.base == BASE and quote.quote in FIVE else f"{quote.base}/{quote.quote}"


def lines(rate: Decimal) -> tuple[tuple[str, Decimal], tuple[str, Decimal]]:
    """A line one per cent above a rate and one below, in four digits."""
    step = Decimal(1).scaleb(rate.adjusted() - 3)
    above, below = (EXACT.multiply(rate, Decimal(share)).quantize(step) for share in ("1.01", "0.99"))
    return (">", Decimal(f"{above.normalize():f}")), ("<", Decimal(f"{below.normalize():f}"))


def described(alert: Alert, tongue: Tongue, zone: str) -> str:
    """The rule, whether once or every time, and until when."""
    often = tongue.say("every time") if alert.standing else tongue.say("once")
    parts = [rule(alert, tongue), often]
    if alert.expires_at:
        last = (alert.expires_at - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date()
        parts.append(tongue.say("until {date}", date=full_day(last, tongue)))
    return ", ".join(parts)


def paused(alert: Alert, tongue: Tongue, zone: str) -> str:
    """That its chat is paused, and until when."""
    end = pause_end(alert, tongue, zone)
    return tongue.say("paused until {moment}", moment=end) if end else tongue.say("paused, /resume ends that")


def pause_end(alert: Alert, tongue: Tongue, zone: str) -> Moment | None:
    return moment(alert.paused_until, zone, tongue) if alert.paused_until else None


def _now(alert: Alert, sight: Sight | Quote, tongue: Tongue) -> list[Block]:
    if isinstance(sight, Quote):
        return [Paragraph(tongue.say("No figure of this pair is stored yet; the first one only begins the watch."))]
    step = Step(sight.rate, sight.on, sight.rate, sight.on)
    blocks: list[Block] = [Paragraph(tongue.say("Now: {figure}.", figure=figure(sight.quote, step, tongue)))]
    if holds(alert, sight):
        blocks.append(Paragraph(_holds_already(alert, sight, tongue)))
    return [*blocks, *small_print(sight, step, tongue)]


def _holds_already(alert: Alert, sight: Sight, tongue: Tongue) -> str:
    if alert.way == "move":
        return tongue.say("It has moved so far already: I tell you of the next such move.")
    back = line_text(alert, back_at(alert, sight.tick), tongue)
    if alert.way == "above":
        return tongue.say("It is above already: I tell you when it rises above again, after {back} or less.", back=back)
    return tongue.say("It is below already: I tell you when it falls below again, after {back} or more.", back=back)


def _standing(alert: Alert, sight: Sight | Quote, tongue: Tongue, zone: str, now: datetime) -> Paragraph:
    parts: list[str] = []
    end = pause_end(alert, tongue, zone) if alert.is_paused(now) else None
    until = moment(alert.snoozed_until, zone, tongue) if alert.snoozed_until and alert.snoozed_until > now else None
    last = moment(alert.fired_at, zone, tongue) if alert.fired_at else None
    if isinstance(sight, Sight):
        parts.append(tongue.say("now {rate}", rate=rate_text(alert, sight.rate, tongue)))
        if alert.way != "move" and alert.armed:
            parts.append(tongue.say("{percent} to go", percent=percent(change(alert.level, sight.rate), tongue)))
        if not alert.armed:
            back = line_text(alert, back_at(alert, sight.tick), tongue)
            parts.append(tongue.say("waits until it has been back at {back}", back=back))
    if alert.is_paused(now):
        parts.append(paused(alert, tongue, zone))
    if until:
        parts.append(tongue.say("silent until {moment}", moment=until))
    if last:
        parts.append(tongue.say("told last on {moment}", moment=last))
    return dated(Paragraph(SEPARATOR.join(parts) or tongue.say("no figure yet"), small=True), end, until, last)
