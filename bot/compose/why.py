"""/why: why something was sent here, or was not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from bot.alerts import Step, back_at, last_step
from bot.compose.alerts import described, pause_end, paused
from bot.compose.fired import beside, line_text, rate_text, rule, short
from bot.compose.moments import Moment, dated, day, moment
from bot.compose.orders import describe
from bot.compose.quotes import bold, percent
from bot.echo import shown
from bot.locales import N_, Tongue
from bot.message import Block, Button, Heading, Message, Paragraph
from bot.models import Alert, DeliveryState, Quote, Record, Sight, Subscription
from bot.whys import subscription_of

FIRST_WORDS: Final = 60
SEPARATOR: Final = " · "
LATE: Final = timedelta(minutes=1)
"""What is sent within it is on time."""

STATES: Final[dict[DeliveryState, str]] = {
    "pending": N_("It waits to be sent."),
    "inflight": N_("It is on its way."),
    "sent": N_("Sent on {moment}."),
    "unknown": N_("Handed over on {moment}; nobody answered whether it arrived."),
    "failed": N_("The chat would not take it on {moment}: {detail}."),
    "dead": N_("The chat could not be reached any more on {moment}."),
    "expired": N_("Not sent: it would have come too late to be of use."),
    "withheld": N_("Not sent. {detail}"),
}
NOTED: Final = {
    "bundle": N_("It waits for a bundle: more than six articles came within the hour."),
    "restored": N_("The database was restored from a backup, and this may have been sent before that."),
    "nothing new": N_("There was nothing new, and this subscription keeps silent then."),
}
"""What is noted in a word, by that word."""


def latest(records: Sequence[Record], tongue: Tongue, zone: str) -> Message:
    """The newest messages to this chat, each with what became of it, and a button that explains it."""
    if not records:
        return Message((Paragraph(tongue.say("Nothing has come here by itself in the last two weeks.")),))
    blocks: list[Block] = [Heading(tongue.say("What came here by itself, or was held back"))]
    for record in records:
        blocks.append(Paragraph(f"{record.id}. {_first_words(record)}"))
        blocks.append(_became(record, tongue, zone, small=True))
    return Message(tuple(blocks), _buttons(records, tongue))


def one(record: Record, alert: Alert | None, order: Subscription | None, tongue: Tongue, zone: str) -> Message:
    """All that is known of one message. alert, order: what it came of, None if it is no more."""
    lines = [*_lateness(record, tongue)]
    if "alert" in record.why:
        lines += _of_alert(record, alert, tongue)
    elif subscription_of(record):
        lines += _of_subscription(record, order, tongue)
    elif record.event.startswith("fixing:"):
        lines.append(tongue.say("A new fixing: this chat follows the rates as they happen."))
    elif record.event.startswith("broadcast:"):
        lines.append(tongue.say("Whoever runs this bot wrote it, to every chat."))
    elif record.event.startswith(("operators:", "held:")):
        lines.append(tongue.say("It is for the operators, and this chat is one of theirs."))
    buttons = (Button(tongue.say("All of that alert"), f"/why a{alert.id}"),) if alert else ()
    return Message((bold(_first_words(record)), _became(record, tongue, zone), *map(Paragraph, lines)), buttons)


def of_alert(alert: Alert, sight: Sight | Quote, records: Sequence[Record], tongue: Tongue, zone: str) -> Message:
    """What would fire an alert now, and what it told or withheld lately."""
    blocks: list[Block] = [Heading(tongue.say("Alert {id}", id=alert.id)), Paragraph(described(alert, tongue, zone))]
    until = moment(alert.snoozed_until, zone, tongue) if alert.snoozed_until else None
    blocks += [
        dated(Paragraph(line), pause_end(alert, tongue, zone), until)
        for line in _would_fire(alert, sight, until, tongue, zone)
    ]
    blocks.append(
        Paragraph(tongue.say("Held figures, pegs and a move of one step of the last digit never fire it."), small=True)
    )
    for record in records:
        blocks.append(Paragraph(f"{record.id}. {_first_words(record)}"))
        blocks.append(_became(record, tongue, zone, small=True))
    return Message(tuple(blocks), _buttons(records, tongue))


def _would_fire(alert: Alert, sight: Sight | Quote, until: Moment | None, tongue: Tongue, zone: str) -> Iterator[str]:
    if alert.state != "active":
        yield (
            tongue.say("It is over.") if alert.state == "ended" else tongue.say("It was meant for once, and has fired.")
        )
        return
    if isinstance(sight, Quote):
        yield tongue.say("No figure of this pair is stored yet; the first one only begins the watch.")
        return
    step = last_step(alert, sight)
    if step:
        yield _compared(alert, step, tongue)
    if alert.way == "move":
        yield tongue.say(
            "It fires when that change comes to {size} either way.", size=percent(alert.level, tongue).lstrip("+")
        )
    elif alert.armed:
        yield tongue.say("It fires at the first fixing past {line}.", line=rate_text(alert, alert.level, tongue))
    else:
        back = line_text(alert, back_at(alert, sight.tick), tongue)
        yield tongue.say("It is past the line: it fires again once it has been back at {back}.", back=back)
    if alert.paused_at:
        text = paused(alert, tongue, zone)
        yield f"{text[:1].upper()}{text[1:]}."
    if until:
        yield tongue.say("Snoozed until {moment}.", moment=until)


def _became(record: Record, tongue: Tongue, zone: str, *, small: bool = False) -> Paragraph:
    when = moment(record.settled_at or record.due_at, zone, tongue)
    if record.state != "withheld":
        text = tongue.say(STATES[record.state], moment=when, detail=shown(record.detail))
    elif record.detail.startswith("in bundle:"):
        text = SEPARATOR.join((when, tongue.say("It went in a bundle with others.")))
    else:
        detail = tongue.say(NOTED.get(record.detail, record.detail))
        text = SEPARATOR.join((when, tongue.say(STATES["withheld"], detail=detail)))
    return dated(Paragraph(text, small=small), when)


def _lateness(record: Record, tongue: Tongue) -> Iterator[str]:
    if record.state == "sent" and record.settled_at and (late := record.settled_at - record.due_at) > LATE:
        minutes = int(late.total_seconds() // 60)
        yield tongue.count("It came {n} minute late.", "It came {n} minutes late.", minutes)


def _of_alert(record: Record, alert: Alert | None, tongue: Tongue) -> Iterator[str]:
    why = record.why
    if alert is None:
        yield tongue.say("Alert {id}, which is no more.", id=why["alert"])
        return
    yield tongue.say("Alert {id}: {rule}.", id=alert.id, rule=rule(alert, tongue))
    dates = date.fromisoformat(why["on"]), date.fromisoformat(why["before_on"])
    step = Step(Decimal(why["rate"]), dates[0], Decimal(why["before"]), dates[1])
    yield _compared(alert, step, tongue)
    if tick := Decimal(why["tick"]):
        step_text = beside(short(tick, 2), step.rate, tongue)
        yield tongue.say("One step of its last printed digit is {step}.", step=step_text)


def _compared(alert: Alert, step: Step, tongue: Tongue) -> str:
    return tongue.say(
        "{rate} of {date} beside {before} of {before_date}: {change}.",
        rate=rate_text(alert, step.rate, tongue),
        date=day(step.on, tongue),
        before=rate_text(alert, step.before, tongue),
        before_date=day(step.before_on, tongue),
        change=percent(step.change, tongue),
    )


def _of_subscription(record: Record, order: Subscription | None, tongue: Tongue) -> Iterator[str]:
    if order is None:
        yield tongue.say("It came by a subscription that is no more.")
        return
    yield tongue.say("It came by this subscription: {order}.", order=describe(order, tongue))
    if found := record.why.get("words"):
        yield tongue.say("These of its words are in it: {words}.", words=found)
    codes = [code for code in record.why.get("countries", "").split(",") if code]
    if codes:
        names = ", ".join(tongue.locale.territories.get(code, code) for code in codes)
        yield tongue.say("It is news of {countries}.", countries=names)


def _first_words(record: Record) -> str:
    texts = (block.text for block in record.message.blocks)
    return shown(next((text for text in texts if text), ""), FIRST_WORDS)


def _buttons(records: Sequence[Record], tongue: Tongue) -> tuple[Button, ...]:
    return tuple(Button(tongue.say("Why {id}", id=record.id), f"/why {record.id}") for record in records)
