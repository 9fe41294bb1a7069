"""The pages of /settings: what is chosen, what could be, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.compose.chat import beta_note, corrections_line, follow_ups_line, now_here, quiet_line
from bot.compose.orders import describe, next_digest
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Message, Paragraph
from bot.models import Quiet, Subscription

CHOSEN = "✓ "


@dataclass(frozen=True, slots=True)
class Choice:
    """A button of a page. words: what /settings is told by it."""

    label: str
    words: str
    chosen: bool = False


def zone(name: str, tongue: Tongue, now: datetime, choices: Sequence[Choice], back: str = "") -> Message:
    """The chat's clocks, and cities or parts of the world to choose from."""
    blocks = (
        Heading(tongue.say("Time zone: {zone}", zone=name)),
        now_here(name, tongue, now),
        Paragraph(tongue.say("Press a city, or say one: /timezone London"), small=True),
    )
    return _page(blocks, choices, tongue, back)


def language(own_name: str, tongue: Tongue, choices: Sequence[Choice]) -> Message:
    """The chat's language, and those there are."""
    return _page((Heading(tongue.say("Language: {name}", name=own_name)), *beta_note(tongue)), choices, tongue)


def quiet(hours: Quiet | None, tongue: Tongue, choices: Sequence[Choice]) -> Message:
    """The chat's quiet hours, and when they could begin."""
    blocks = (Heading(quiet_line(hours, tongue)), Paragraph(tongue.say("When shall they begin?")))
    other: list[Choice] = []
    if hours:
        span = f"{hours.start:%H:%M}-{hours.end:%H:%M}"
        label = tongue.say("Come without a sound") if hours.hold else tongue.say("Let all wait")
        other = [
            Choice(label, f"quiet {span} {'silent' if hours.hold else 'hold'}"),
            Choice(tongue.say("No quiet hours"), "quiet off"),
        ]
    return _page(blocks, [*other, *choices], tongue)


def quiet_until(start: str, tongue: Tongue, choices: Sequence[Choice]) -> Message:
    """They begin at `start`: when they could end."""
    return _page((Heading(tongue.say("Quiet from {start} until ...", start=start)),), choices, tongue, "quiet")


def corrections(tongue: Tongue, *, edits: bool) -> Message:
    """What becomes of a message whose news or rate is corrected later."""
    text = tongue.say(
        "When an article is corrected or a bank revises a rate, I can correct the message I sent."
        " Nothing rings, and nothing comes twice."
    )
    choices = [
        Choice(tongue.say("Correct what was sent"), "corrections edit", chosen=edits),
        Choice(tongue.say("Leave it as it is"), "corrections leave", chosen=not edits),
    ]
    return _page((Heading(corrections_line(tongue, edits=edits)), Paragraph(text)), choices, tongue)


def follow_ups(tongue: Tongue, *, threads: bool) -> Message:
    """Where what follows up a story goes."""
    text = tongue.say(
        "More on a story that I sent as it happened can answer the first message: the story stays together."
    )
    choices = [
        Choice(tongue.say("Answer the first message"), "followups answer", chosen=threads),
        Choice(tongue.say("Each on its own"), "followups apart", chosen=not threads),
    ]
    return _page((Heading(follow_ups_line(tongue, threads=threads)), Paragraph(text)), choices, tongue)


def digest(told: Iterable[Block], held: Sequence[Subscription], tongue: Tongue, zone: str, now: datetime) -> Message:
    """What comes by itself, and how often a digest could. told: what was just set."""
    blocks: list[Block] = [*told]
    if not blocks:
        blocks.append(Heading(tongue.say("Digest")))
        for order in held:
            blocks.append(Paragraph(describe(order, tongue)))
            if order.next_due and not order.is_paused(now):
                blocks.append(next_digest(order.next_due, tongue, zone, small=True))
        blocks.append(Paragraph(tongue.say("How often shall it come?")))
    choices = [
        Choice(tongue.say("Every day"), "digest daily"),
        Choice(tongue.say("Monday to Friday"), "digest weekdays"),
        Choice(tongue.say("Once a week"), "digest weekly"),
    ]
    return _page(blocks, choices, tongue, also=(Button(tongue.say("My subscriptions"), "/list"),))


def digest_day(tongue: Tongue, days: Sequence[str]) -> Message:
    """On which day a weekly digest could come. days: their codes, from Monday."""
    names = tongue.locale.days["stand-alone"]["wide"]
    choices = [Choice(names[number].capitalize(), f"digest weekly {code}") for number, code in enumerate(days)]
    return _page((Heading(tongue.say("On which day?")),), choices, tongue, "digest")


def digest_hour(tongue: Tongue, choices: Sequence[Choice]) -> Message:
    """At which hour a digest could come."""
    return _page((Heading(tongue.say("At what time?")),), choices, tongue, "digest")


def topics(tongue: Tongue, choices: Sequence[Choice], back: str = "") -> Message:
    """What could be followed; what is followed is marked."""
    blocks = (
        Heading(tongue.say("News as it happens")),
        Paragraph(tongue.say("Press what you want to follow; press it again to follow it no more.")),
        Paragraph(tongue.say("Anything else: /follow and your words"), small=True),
    )
    return _page(blocks, choices, tongue, back)


def _page(
    blocks: Sequence[Block], choices: Sequence[Choice], tongue: Tongue, back: str = "", also: Sequence[Button] = ()
) -> Message:
    buttons = [Button(f"{CHOSEN if one.chosen else ''}{one.label}", f"/settings {one.words}") for one in choices]
    home = Button(tongue.say("Back"), f"/settings {back}".rstrip())
    return Message(tuple(blocks), (*buttons, *also, home))
