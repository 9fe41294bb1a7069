"""What a chat is told of its subscriptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot import topics
from bot.compose.moments import coming, dated, moment
from bot.compose.pages import Page, counted, turning
from bot.echo import shown
from bot.locales import N_, Tongue
from bot.message import Block, Button, Heading, Link, Message, Paragraph, Table
from bot.models import Content, Schedule, Subscription
from bot.orders import order_text

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
OURS: Final = ("KZ", "KG", "UZ", "TJ", "TM")
TITLES_SHOWN: Final = 3
BUTTONS_EACH: Final = 3
"""So many subscriptions have their buttons in the list itself; more are opened first."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a subscription would have brought in the time it speaks of: its digest, and how many articles."""

    digest: Message
    articles: int


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an order. was: the one it replaces; tomorrow: today's digest had come already."""

    order: Subscription
    number: int
    was: Subscription | None = None
    tomorrow: bool = False


def subscribed(change: Change, preview: Preview, tongue: Tongue, zone: str, *, first: bool) -> Message:
    """Exactly what was set, on which clocks, when it speaks next, and what would have come today.

    first: the chat had none, so that it sees the whole digest at once
    """
    order, was = change.order, change.was
    edited = was is not None and order_text(was.schedule, was.content) != order_text(order.schedule, order.content)
    head = tongue.say("Subscription changed") if edited else tongue.say("Subscribed")
    blocks: list[Block] = [Heading(head), *_what_was_set(order, tongue, zone, tomorrow=change.tomorrow)]
    blocks += preview.digest.blocks if first else _short(preview, tongue)
    mark = f"id:{order.id}"
    undo = f"/subscribe {order_text(was.schedule, was.content)}" if was and edited else f"/unsubscribe {mark}"
    buttons = (
        *((Button(tongue.say("Undo"), undo),) if edited or was is None else ()),
        Button(tongue.say("Change"), f"/list {mark}"),
        Button(tongue.say("My subscriptions"), "/list"),
    )
    return Message(tuple(blocks), buttons)


def previewed(order: Subscription, preview: Preview, tongue: Tongue, zone: str) -> Message:
    """The same before anything is set."""
    head = Heading(tongue.say("Nothing is set yet. This is what you would get:"))
    blocks = (head, *_what_was_set(order, tongue, zone, tomorrow=False), *_short(preview, tongue))
    return Message(
        blocks, (Button(tongue.say("Subscribe"), f"/subscribe {order_text(order.schedule, order.content)}"),)
    )


def _what_was_set(order: Subscription, tongue: Tongue, zone: str, *, tomorrow: bool) -> Iterator[Block]:
    yield Paragraph(describe(order, tongue))
    if not order.content.empty:
        yield Paragraph(tongue.say("Where nothing is new, nothing comes."), small=True)
    if order.next_due:
        if tomorrow:
            yield Paragraph(tongue.say("Today's digest has come already: the new time begins tomorrow."))
        yield next_digest(order.next_due, tongue, zone)
        yield Paragraph(tongue.say("My clocks here are {zone}; /timezone changes that.", zone=zone), small=True)


def _short(preview: Preview, tongue: Tongue) -> Iterator[Block]:
    """How many stories, and the first titles; the rates where there is no news."""
    count = preview.articles
    board = [block for block in preview.digest.blocks if isinstance(block, Table)]
    if board and not count:
        yield from board
        return
    if not count:
        yield Paragraph(tongue.say("In the last 24 hours nothing of it was new."))
        return
    yield Paragraph(
        tongue.count("The last 24 hours had {n} article for it:", "The last 24 hours had {n} articles for it:", count)
    )
    yield from [block for block in preview.digest.blocks if isinstance(block, Link)][:TITLES_SHOWN]


def orders(page: Page[Subscription], tongue: Tongue, zone: str, now: datetime) -> Message:
    """The chat's subscriptions, numbered as /unsubscribe takes them."""
    if not page.total:
        return no_orders(tongue)
    blocks: list[Block] = [Heading(tongue.say("Subscriptions")), *counted(page, tongue)]
    buttons: list[Button] = []
    for number, order in enumerate(page.shown, page.skipped + 1):
        blocks.append(Paragraph(f"{number}. {describe(order, tongue)}"))
        blocks += _state(order, tongue, zone, now)
        if page.total <= BUTTONS_EACH:
            buttons += _each(order, number, tongue, now)
        else:
            opened = f"/list after:{page.after} id:{order.id}"
            buttons.append(Button(tongue.say("Open {number}", number=number), opened))
    return Message(tuple(blocks), (*buttons, *turning(page, "/list", tongue)))


def one_order(order: Subscription, number: int, after: int, tongue: Tongue, zone: str, now: datetime) -> Message:
    """One subscription, with what can be done with it. after: of the page that the way back leads to"""
    blocks = (Heading(f"{number}. {describe(order, tongue)}"), *_state(order, tongue, zone, now))
    times = ("08:00", "09:00", "12:00", "18:00", "21:00") if order.schedule.kind != "instant" else ()
    here = f"{order.schedule.at:%H:%M}"
    at = [
        Button(time, f"/subscribe {order_text(order.schedule, order.content).replace(here, time, 1)}")
        for time in times
        if time != here
    ]
    back = Button(tongue.say("My subscriptions"), f"/list after:{after}")
    return Message(blocks, (*_each(order, number, tongue, now), *at, back))


def _state(order: Subscription, tongue: Tongue, zone: str, now: datetime) -> Iterator[Block]:
    if order.is_paused(now):
        until = moment(order.paused_until, zone, tongue) if order.paused_until else None
        text = tongue.say("Paused until {until}", until=until) if until else tongue.say("Paused until you resume it")
        yield dated(Paragraph(text, small=True), until)
    if order.next_due:
        yield next_digest(order.next_due, tongue, zone, small=True)


def _each(order: Subscription, number: int, tongue: Tongue, now: datetime) -> Iterator[Button]:
    mark = f"id:{order.id}"
    if order.is_paused(now):
        yield Button(tongue.say("Resume {number}", number=number), f"/resume {mark}")
    else:
        yield Button(tongue.say("Pause {number}", number=number), f"/pause {mark}")
    yield Button(tongue.say("End {number}", number=number), f"/unsubscribe {mark}")
    yield Button(tongue.say("Today's {number}", number=number), f"/digest {mark}")


def which_to_end(subscriptions: Sequence[Subscription], tongue: Tongue) -> Message:
    """The question which of several subscriptions is meant."""
    lines = [f"{number}. {describe(order, tongue)}" for number, order in enumerate(subscriptions, 1)]
    buttons = (
        Button(tongue.say("End {number}", number=number), f"/unsubscribe id:{order.id}")
        for number, order in enumerate(subscriptions, 1)
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
        (Heading(tongue.say("Subscription ended")), Paragraph(describe(gone, tongue)), Paragraph(rest, small=True)),
        (Button(tongue.say("Undo"), f"/subscribe {order_text(gone.schedule, gone.content)}"),),
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


def what_to_follow(tongue: Tongue) -> Message:
    """The answer to /follow without a word."""
    return Message(
        (
            Paragraph(
                tongue.say("Whatever you name comes as it happens: words, a country, a topic, a phrase in quotes.")
            ),
            Paragraph(tongue.say("Such as /follow summit -football"), small=True),
        ),
        tuple(Button(tongue.locale.territories[code], f"/follow country:{code.lower()}") for code in OURS),
    )


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
        "countries": list(order.content.countries),
        "excluded": list(order.content.excluded),
        "sources": list(order.content.sources),
        "topics": list(order.content.topics),
        "opinion": order.content.opinion,
        "empty": order.content.empty,
        "paused": order.paused_at is not None,
        "paused_until": order.paused_until.isoformat() if order.paused_until else None,
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
    wanted = shown(", ".join(_named(content, tongue)), FILTER_SHOWN)
    if wanted and content.rates:
        return tongue.say("news of {wanted}; rates", wanted=wanted)
    if wanted:
        return tongue.say("news of {wanted}", wanted=wanted)
    if content.news and content.rates:
        return tongue.say("news and rates")
    return tongue.say("rates") if content.rates else tongue.say("news")


def _named(content: Content, tongue: Tongue) -> Iterator[str]:
    """What the news are chosen by, each as a reader would say it."""
    yield from (f'"{word}"' if " " in word else word for word in content.words)
    yield from (tongue.locale.territories.get(code, code) for code in content.countries)
    yield from (topics.title(topic, tongue.code) for topic in content.topics)
    yield from content.sources
    yield from (f"-{word}" for word in content.excluded)
    if content.opinion is not None:
        yield tongue.say("opinion only") if content.opinion else tongue.say("no opinion")


def next_digest(due: datetime, tongue: Tongue, zone: str, *, small: bool = False) -> Paragraph:
    """ "Next digest: Tue 24 Nov, 09:00"."""
    when = coming(due, zone, tongue)
    return dated(Paragraph(tongue.say("Next digest: {moment}", moment=when), small=small), when)
