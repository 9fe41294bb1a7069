"""What the bot says of itself and of its commands, and how it says no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.compose.quotes import full_day
from bot.compose.rates import figures
from bot.locales import N_, Tongue
from bot.message import Block, Button, Heading, Message, Paragraph, Span
from bot.models import Board, ChatSettings

GROUPS: Final = {
    "rates": N_("Rates"),
    "news": N_("News"),
    "digest": N_("Digest and subscriptions"),
    "settings": N_("Settings"),
    "about": N_("About"),
}
"""The groups of commands in the order people read them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as /help tells it. summary: the English sentence; examples: command lines."""

    name: str
    group: str
    summary: str
    usage: str
    examples: tuple[str, ...]


def start(
    chosen: ChatSettings,
    own_name: str,
    board: Board,
    stories: Sequence[Block],
    capitals: Mapping[str, str],
    tongue: Tongue,
) -> Message:
    """The welcome: today's board and the newest stories, which language and clocks we go by, what to press first.

    own_name: of the language; stories: as blocks; capitals: zones by city
    """
    blocks: list[Block] = [
        Heading("Yamchi"),
        Paragraph(tongue.say("News of Central Asia and the official rates of its five currencies, in this chat.")),
        Paragraph(tongue.say("I speak {language} here; /language changes that.", language=own_name), small=True),
        Paragraph(tongue.say("My clocks here are {zone}; /timezone changes that.", zone=chosen.zone), small=True),
    ]
    if board.as_of:
        blocks.append(Heading(tongue.say("Official rates, {date}", date=full_day(board.as_of, tongue))))
        blocks.append(figures(board, tongue))
    return Message(
        (*blocks, *stories),
        (
            Button(tongue.say("Daily digest at 09:00"), "/subscribe daily 09:00"),
            Button(tongue.say("Rates"), "/rates"),
            Button(tongue.say("Latest news"), "/latest"),
            Button(tongue.say("Language"), "/language"),
            *(Button(tongue.say(city), f"/timezone {zone}") for city, zone in capitals.items()),
        ),
    )


def help_all(entries: Sequence[Entry], tongue: Tongue) -> Message:
    """Every command, by group. Unknown groups come last, under their own name."""
    groups = [*GROUPS, *sorted({entry.group for entry in entries} - set(GROUPS))]
    blocks: list[Block] = [Heading(tongue.say("What I understand"))]
    for group in groups:
        lines = [f"/{entry.name} - {tongue.say(entry.summary)}" for entry in entries if entry.group == group]
        if lines:
            blocks += [Heading(tongue.say(GROUPS.get(group, group))), Paragraph("\n".join(lines))]
    blocks.append(Paragraph(tongue.say("/help rates tells more of one command."), small=True))
    return Message(tuple(blocks))


def help_one(entry: Entry, tongue: Tongue) -> Message:
    """One command: what it does, how it is written, examples to press."""
    usage = f"/{entry.name} {entry.usage}".rstrip()
    return Message(
        (
            Heading(f"/{entry.name}"),
            Paragraph(tongue.say(entry.summary)),
            Paragraph(usage, (Span(0, len(usage), "code"),)),
        ),
        tuple(Button(example, example) for example in entry.examples),
    )


def version(version: str, tongue: Tongue) -> Message:
    """Which build this is."""
    return Message((Paragraph(tongue.say("Yamchi {version}", version=version)),))


def refusal(message: str, hint: str, *, nearest: str = "") -> Message:
    """A request that cannot be done as said, in the reader's language already. nearest: a command to press."""
    blocks = (Paragraph(message), *((Paragraph(hint, small=True),) if hint else ()))
    return Message(blocks, (Button(nearest, nearest),) if nearest else ())


def unknown(typed: str, nearest: str, tongue: Tongue) -> tuple[str, str]:
    """The sentence and the hint for a command that is none. typed: fit to repeat; nearest: "" for none."""
    hint = tongue.say("/help lists everything.")
    if nearest:
        return tongue.say("I do not know {typed}. Did you mean {nearest}?", typed=typed, nearest=nearest), hint
    return tongue.say("I do not know {typed}.", typed=typed), hint


def restarted(typed: str, tongue: Tongue) -> Message:
    """A command took effect, and we died before we could answer it."""
    text = tongue.say("I was restarted before I could answer {typed}. It is done.", typed=typed)
    return Message((Paragraph(text),))


def too_fast(seconds: int, tongue: Tongue) -> tuple[str, str]:
    """The sentence and the hint for whoever asks too fast, told once."""
    return (
        tongue.say("You ask faster than I may answer."),
        tongue.say("For a minute I answer one request in {seconds} seconds and pass over the others.", seconds=seconds),
    )


def sorry(reference: str, tongue: Tongue) -> tuple[str, str]:
    """The sentence and the hint for a failure of ours. reference: as in the log."""
    return (
        tongue.say("Sorry, that did not work (ref {reference}).", reference=reference),
        tongue.say("Try again in a minute. If it stays so, tell the operator this reference."),
    )
