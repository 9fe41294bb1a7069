"""What a chat is told of its own settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_gmt

from bot.compose.moments import clock, dated, moment
from bot.compose.orders import describe, next_digest
from bot.locales import N_, Tongue, is_beta
from bot.message import Block, Button, Heading, Message, Paragraph
from bot.models import Alert, ChatSettings, Quiet, Subscription


def timezone(zone: str, tongue: Tongue, now: datetime, capitals: Mapping[str, str], *, locates: bool) -> Message:
    """The chat's clocks. locates: whoever asks can tell where they are."""
    hint = Paragraph(tongue.say("Press a city, or say one: /timezone London"), small=True)
    buttons = [Button(tongue.say(city), f"/timezone {name}") for city, name in capitals.items()]
    if locates:
        buttons.append(Button(tongue.say("Where I am"), "/timezone here"))
    return Message(
        (Heading(tongue.say("Time zone: {zone}", zone=zone)), now_here(zone, tongue, now), hint), tuple(buttons)
    )


def timezone_set(zone: str, tongue: Tongue, now: datetime, moved: Sequence[Subscription], *, located: bool) -> Message:
    """From now on. moved: subscriptions whose next digest moved along; located: it was told by a place"""
    blocks: list[Block] = [Heading(tongue.say("Time zone set: {zone}", zone=zone)), now_here(zone, tongue, now)]
    coming_next = min((order.next_due for order in moved if order.next_due), default=None)
    if coming_next:
        blocks.append(next_digest(coming_next, tongue, zone))
    return Message(tuple(blocks), locate=None if located else "")


def locate(tongue: Tongue) -> Message:
    """The request to tell where one is."""
    text = tongue.say("Press the key below and send me where you are: I set the time zone of that place.")
    return Message((Paragraph(text),), locate=tongue.say("Send where I am"))


def now_here(zone: str, tongue: Tongue, now: datetime) -> Paragraph:
    """What the clocks of a zone say."""
    local = now.astimezone(ZoneInfo(zone))
    offset = get_timezone_gmt(local, locale=tongue.locale)
    return Paragraph(tongue.say("It is {time} here now ({offset}).", time=clock(local, tongue), offset=offset))


def language(tongue: Tongue, own_names: Mapping[str, str], *, asked: bool) -> Message:
    """The chat's language. own_names: what each language calls itself, by code."""
    name = own_names[tongue.code]
    head = tongue.say("Language: {name}", name=name) if asked else tongue.say("From now on: {name}", name=name)
    buttons = (Button(own, f"/language {code}") for code, own in own_names.items() if asked)
    return Message((Heading(head), *beta_note(tongue)), tuple(buttons))


def beta_note(tongue: Tongue) -> tuple[Paragraph, ...]:
    """What to know of a language that no native speaker has read."""
    text = N_("This language is a beta: no native speaker has read it yet, and what is missing comes in English.")
    return (Paragraph(tongue.say(text), small=True),) if is_beta(tongue.code) else ()


def quiet(hours: Quiet | None, zone: str, tongue: Tongue, *, asked: bool) -> Message:
    """The chat's quiet hours. asked: only shown, not set."""
    blocks: list[Block] = [Heading(quiet_line(hours, tongue))]
    if hours and hours.hold:
        blocks.append(Paragraph(tongue.say("Alerts and articles wait until they end; digests come at their time.")))
    elif hours:
        text = tongue.say("Alerts and articles come without a sound in Telegram; elsewhere I cannot do that.")
        blocks.append(Paragraph(text))
    blocks.append(Paragraph(tongue.say("My clocks here are {zone}; /timezone changes that.", zone=zone), small=True))
    return Message(tuple(blocks), tuple(_quiet_buttons(hours, tongue)) if asked else ())


def quiet_line(hours: Quiet | None, tongue: Tongue) -> str:
    """Which hours they are, and what becomes of what would come in them."""
    if hours is None:
        return tongue.say("Quiet hours: none")
    span = f"{hours.start:%H:%M}-{hours.end:%H:%M}"
    if hours.hold:
        return tongue.say("Quiet hours: {span}, all waits", span=span)
    return tongue.say("Quiet hours: {span}, without a sound", span=span)


def corrections_line(tongue: Tongue, *, edits: bool) -> str:
    """What becomes of what was sent when it is corrected."""
    if edits:
        return tongue.say("Corrections: in the message that was sent")
    return tongue.say("Corrections: of rates, in a new message")


def follow_ups_line(tongue: Tongue, *, threads: bool) -> str:
    """Where what follows up a story goes."""
    if threads:
        return tongue.say("Follow-ups: as answers to the first message of their story")
    return tongue.say("Follow-ups: each on its own")


def _quiet_buttons(hours: Quiet | None, tongue: Tongue) -> list[Button]:
    span = f"{hours.start:%H:%M}-{hours.end:%H:%M}" if hours else "22:00-07:00"
    buttons = [] if hours and hours.hold else [Button(tongue.say("{span}, wait", span=span), f"/quiet {span} hold")]
    if not hours or hours.hold:
        buttons.append(Button(tongue.say("{span}, no sound", span=span), f"/quiet {span} silent"))
    return [*buttons, Button(tongue.say("No quiet hours"), "/quiet off")] if hours else buttons


def settings(
    chosen: ChatSettings,
    own_name: str,
    held: Sequence[Subscription],
    alerts: Sequence[Alert],
    tongue: Tongue,
    now: datetime,
) -> Message:
    """All that a chat has chosen. own_name: of its language; held: its subscriptions; alerts: those that watch"""
    local = now.astimezone(ZoneInfo(chosen.zone))
    paused = [order for order in held if order.is_paused(now)]
    facts = (
        tongue.say("Time zone: {zone}, now {time}", zone=chosen.zone, time=clock(local, tongue)),
        tongue.say("Language: {name}", name=own_name),
        quiet_line(chosen.quiet, tongue),
        corrections_line(tongue, edits=chosen.edits),
        follow_ups_line(tongue, threads=chosen.threads),
        tongue.count("{n} subscription: /list", "{n} subscriptions: /list", len(held))
        if held
        else tongue.say("Nothing comes by itself here yet."),
        *([tongue.count("{n} alert: /alerts", "{n} alerts: /alerts", len(alerts))] if alerts else ()),
    )
    blocks: list[Block] = [
        Heading(tongue.say("Settings of this chat")),
        Paragraph("\n".join(facts)),
        *(_paused_line(order, tongue, chosen.zone) for order in paused),
    ]
    buttons = [
        Button(tongue.say("Digest"), "/settings digest"),
        Button(tongue.say("News as it happens"), "/settings topics"),
        Button(tongue.say("Time zone"), "/settings zone"),
        Button(tongue.say("Language"), "/settings language"),
        Button(tongue.say("Quiet hours"), "/settings quiet"),
        Button(tongue.say("Corrections"), "/settings corrections"),
        Button(tongue.say("Follow-ups"), "/settings followups"),
        Button(tongue.say("My subscriptions"), "/list"),
    ]
    if paused or any(alert.is_paused(now) for alert in alerts):
        buttons.append(Button(tongue.say("Resume"), "/resume"))
    elif held or alerts:
        buttons.append(Button(tongue.say("Pause"), "/pause"))
    return Message(tuple(blocks), tuple(buttons))


def settings_data(
    chosen: ChatSettings, held: Sequence[Subscription], alerts: Sequence[Alert], now: datetime
) -> dict[str, object]:
    """The settings for scripts."""
    quiet = chosen.quiet
    return {
        "zone": chosen.zone,
        "language": chosen.language,
        "quiet": {"from": f"{quiet.start:%H:%M}", "until": f"{quiet.end:%H:%M}", "hold": quiet.hold} if quiet else None,
        "corrections": "edit" if chosen.edits else "leave",
        "followups": "answer" if chosen.threads else "apart",
        "subscriptions": len(held),
        "alerts": len(alerts),
        "paused": sum(order.is_paused(now) for order in held),
    }


def _paused_line(order: Subscription, tongue: Tongue, zone: str) -> Paragraph:
    what = describe(order, tongue)
    if order.paused_until is None:
        return Paragraph(tongue.say("Paused: {what}", what=what), small=True)
    until = moment(order.paused_until, zone, tongue)
    return dated(Paragraph(tongue.say("Paused until {until}: {what}", until=until, what=what), small=True), until)
