"""What is said in a channel of many people, and on the screens of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot.compose.orders import describe
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Link, Message, Paragraph
from bot.models import Subscription


class FormWords(NamedTuple):
    """The words of the form that subscribes a channel."""

    title: str
    submit: str
    cancel: str
    where: str
    when: str
    daily: str
    weekdays: str
    monday: str
    friday: str
    instant: str
    at: str
    what: str
    both: str
    news: str
    rates: str
    words: str
    example: str


def form(tongue: Tongue) -> FormWords:
    say = tongue.say
    return FormWords(
        title=say("Subscribe a channel"),
        submit=say("Subscribe"),
        cancel=say("Cancel"),
        where=say("Channel"),
        when=say("How often"),
        daily=say("Every day"),
        weekdays=say("Monday to Friday"),
        monday=say("Mondays"),
        friday=say("Fridays"),
        instant=say("As it happens"),
        at=say("At, on the channel's clocks"),
        what=say("What"),
        both=say("News and rates"),
        news=say("News"),
        rates=say("Rates"),
        words=say("Only news of"),
        example=say('country:kz "middle corridor" -football'),
    )


def subscribed_by(who: str, order: Subscription, zone: str, tongue: Tongue) -> Message:
    """Once, for everybody in the channel: who set what. who: a name, "" where it is not known"""
    what = describe(order, tongue)
    said = (
        tongue.say("{who} subscribed this channel. {what}", who=who, what=what)
        if who
        else tongue.say("This channel is subscribed. {what}", what=what)
    )
    blocks: list[Block] = [Paragraph(said)]
    if order.next_due:
        blocks.append(Paragraph(tongue.say("Clocks of this channel: {zone}", zone=zone), small=True))
    return Message(tuple(blocks), (Button(tongue.say("Subscriptions"), "/list"),))


def invite_me(again: str, tongue: Tongue) -> Message:
    """I am no member here. again: the command line to press when I am"""
    text = tongue.say("I cannot post in this channel yet. Type /invite @Yamchi here, then press Try again.")
    return Message((Paragraph(text),), (Button(tongue.say("Try again"), again),))


def kept_out(reason: str, tongue: Tongue) -> Message:
    """The workspace does not let me post here. reason: Slack's own word"""
    text = tongue.say("This workspace does not let me post here ({reason}). Its admins can change that.", reason=reason)
    return Message((Paragraph(text),))


def paused(channel: str, reason: str, tongue: Tongue) -> Message:
    """To whoever subscribed a channel that cannot be posted to. channel, reason: in the platform's own words"""
    hint = tongue.say("The subscription is kept. Type /invite @Yamchi there, or say /ca status, and it goes on.")
    return Message((_not_posted(channel, reason, tongue), Paragraph(hint)))


def unentitled(channel: str, reason: str, page: str, tongue: Tongue) -> Message:
    """The same where it is a right that we lack in the workspace. page: where we are installed anew"""
    return Message((_not_posted(channel, reason, tongue), *install_again(page, tongue)))


def install_again(page: str, tongue: Tongue) -> tuple[Block, ...]:
    """How we get a right that we lack. page: the address where we are installed"""
    hint = tongue.say("I lack a right that I need for it. Install me again, and it works; nothing you set is lost.")
    return Paragraph(hint), Link(tongue.say("Install again"), page)


def _not_posted(channel: str, reason: str, tongue: Tongue) -> Block:
    text = tongue.say(
        "I could not post what you subscribed to in {channel} ({reason}).", channel=channel, reason=reason
    )
    return Paragraph(text)


def managed(orders: Sequence[tuple[str, Subscription]], more: int, tongue: Tongue) -> Message:
    """What a person set in channels. orders: each with its channel's name; more: how many are not shown"""
    blocks = [Paragraph(f"{name}: {describe(order, tongue)}") for name, order in orders]
    if more:
        blocks.append(Paragraph(tongue.count("and {n} more", "and {n} more", more), small=True))
    hint = tongue.say("/ca list in a channel changes what it gets.")
    return Message((Heading(tongue.say("Channels you subscribed")), *blocks, Paragraph(hint, small=True)))


def shared_by(who: str, tongue: Tongue) -> Block:
    """Below an answer that somebody shows to all."""
    return Paragraph(tongue.say("Shared by {who}", who=who), small=True)


def umbrella(alone: Sequence[str], tongue: Tongue) -> Block:
    """How commands are said where names collide. alone: those that are commands by themselves"""
    names = ", ".join(f"/{name}" for name in alone)
    hint = tongue.say("Here, say /ca before a command, as in /ca chart KZT 30d. {names} work alone, too.", names=names)
    return Paragraph(hint, small=True)


def share(tongue: Tongue) -> str:
    return tongue.say("Share to channel")


def subscribe_here(tongue: Tongue) -> str:
    return tongue.say("Subscribe this channel")


def wait(tongue: Tongue) -> Message:
    return Message((Paragraph(tongue.say("One moment ...")),))
