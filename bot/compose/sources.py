"""How our sources fare, and the state of the whole as a chat sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.compose.faults import fault
from bot.compose.moments import age, coming, dated, moment
from bot.echo import shown
from bot.locales import N_, Tongue
from bot.message import Block, Button, File, Heading, Link, Message, Paragraph, Table
from bot.models import Address, Feed, Health
from bot.prose import clip
from bot.sources.discovery import write_opml

ERROR_SHOWN = 120
BUTTONS_SHOWN = 6
SETTLED = {
    "sent": N_("sent"),
    "unknown": N_("sent, but the answer was lost"),
    "failed": N_("refused"),
    "dead": N_("the chat was gone"),
    "expired": N_("too late to send"),
}


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source and how it fares. url: "" for a peg, which nobody needs to ask for.

    error: of the last poll, "" when it went well; items: in the last good document
    document: which of its bank's, "" for the first; spare: asked only when those before it fail
    note: what was wrong with a document that could be read; own: added by this chat; stopped: gone for good
    """

    id: str
    kind: Literal["news", "rates"]
    title: str
    url: str
    last_ok: datetime | None = None
    error: str = ""
    items: int = 0
    document: str = ""
    spare: bool = False
    note: str = ""
    own: bool = False
    stopped: bool = False


def sources(lines: Sequence[SourceLine], tongue: Tongue, now: datetime) -> Message:
    """Every source: those that answer with the age of their last answer, then those that do not."""
    groups = {
        tongue.say("Rates"): [line for line in lines if line.kind == "rates"],
        tongue.say("News"): [line for line in lines if line.kind == "news" and not line.own],
        tongue.say("Added by this chat"): [line for line in lines if line.own],
    }
    blocks: list[Block] = [Heading(tongue.say("Sources"))]
    for title, group in groups.items():
        if rows := tuple(_row(line, tongue, now) for line in group if not line.error):
            blocks.append(
                Table(f"{title}\n" + "\n".join(", ".join(filter(None, row)) for row in rows), ((title, "", ""), *rows))
            )
    failing = [line for line in lines if line.error]
    if failing:
        blocks.append(Heading(tongue.say("Not answering")))
        blocks += [Paragraph(failure(line, tongue, now)) for line in failing]
    if faulty := [line for line in lines if line.note and not line.error]:
        blocks.append(Heading(tongue.say("Answering, but not well")))
        blocks += [Paragraph(flaw(line, tongue)) for line in faulty]
    own = [line for line in lines if line.own][:BUTTONS_SHOWN]
    return Message(tuple(blocks), tuple(_remove(line.id, line.title, tongue) for line in own))


def added(feed: Feed, items: int | None, newest: str, tongue: Tongue) -> Message:
    """A feed that this chat reads from now on. newest: the title of its newest article, "" if it tells no dates."""
    count = tongue.count("It has {n} article now.", "It has {n} articles now.", items or 0)
    blocks: list[Block] = [
        Link(feed.title, feed.url),
        Paragraph(tongue.say("Added. Only this chat sees it. {count}", count=count)),
    ]
    if newest:
        blocks.append(Paragraph(tongue.say("Newest: {title}", title=newest), small=True, quoted=True))
    show = Button(tongue.say("Its articles"), f"/latest source:{feed.id}")
    return Message(tuple(blocks), (show, _remove(feed.id, feed.title, tongue)))


def added_list(feeds: Sequence[Feed], left_out: int, tongue: Tongue) -> Message:
    """The feeds of a list that this chat reads from now on."""
    told = tongue.count(
        "Added {n} source. Only this chat sees it.", "Added {n} sources. Only this chat sees them.", len(feeds)
    )
    blocks: list[Block] = [Paragraph(told), *(Link(feed.title, feed.url) for feed in feeds)]
    if left_out:
        blocks.append(Paragraph(tongue.count("{n} more would be too many.", "{n} more would be too many.", left_out)))
    return Message(tuple(blocks), (Button(tongue.say("Sources"), "/sources"),))


def already(feed: Feed, tongue: Tongue) -> Message:
    """This chat reads that feed already."""
    show = Button(tongue.say("Its articles"), f"/latest source:{feed.id}")
    return Message(
        (
            Paragraph(tongue.say("{title} is among the sources already.", title=feed.title), quoted=True),
            Link(feed.title, feed.url),
        ),
        (show,),
    )


def empty_list(tongue: Tongue) -> Message:
    """A list of feeds that names none."""
    return Message((Paragraph(tongue.say("That list names no feeds.")),))


def remove(feed: Feed, tongue: Tongue) -> Message:
    """Asks before a feed is removed: its articles cannot be had back."""
    question = tongue.say("Remove {title}? Its articles are forgotten unless another chat reads it.", title=feed.title)
    yes = Button(tongue.say("Remove"), f"/sources remove {feed.id} yes")
    return Message((Paragraph(question, quoted=True),), (yes, Button(tongue.say("Keep"), "/sources")))


def removed(feed: Feed, tongue: Tongue) -> Message:
    """A feed that this chat reads no more."""
    again = Button(tongue.say("Add it again"), f"/sources add {feed.url}")
    told = tongue.say("{title} is removed from this chat's sources.", title=feed.title)
    return Message((Paragraph(told, quoted=True),), (again,))


def exported(feeds: Sequence[Feed], tongue: Tongue, now: datetime) -> Message:
    """The feeds as a file that every feed reader takes."""
    text = tongue.count(
        "{n} source as OPML, for any feed reader.", "{n} sources as OPML, for any feed reader.", len(feeds)
    )
    return Message((File(text, "yamchi-sources.opml", write_opml(feeds, "Yamchi", now)),))


def _remove(name: str, title: str, tongue: Tongue) -> Button:
    return Button(tongue.say("Remove {title}", title=clip(title, 24)), f"/sources remove {name}")


def failure(line: SourceLine, tongue: Tongue, now: datetime) -> str:
    """What is wrong with a source that does not answer."""
    error = shown(fault(line.error, tongue), ERROR_SHOWN)
    if line.stopped:
        error = tongue.say("{error}; gone for good, asked no more", error=error)
    if line.last_ok is None:
        return tongue.say("{title}: {error}", title=_title(line, tongue), error=error)
    answered = age(now - line.last_ok, tongue)
    return tongue.say("{title}: {error}; last answer {age}", title=_title(line, tongue), error=error, age=answered)


def flaw(line: SourceLine, tongue: Tongue) -> str:
    """What is wrong with a source that answers."""
    return f"{_title(line, tongue)}: {shown(fault(line.note, tongue), ERROR_SHOWN)}"


def sources_data(lines: Sequence[SourceLine], now: datetime) -> list[dict[str, object]]:
    """The same for scripts: [{"id", "kind", "url", "age_s", "last_ok", "error", "items"}], ages in seconds."""
    return [
        {
            "id": line.id,
            "kind": line.kind,
            "url": line.url,
            "age_s": round((now - line.last_ok).total_seconds()) if line.last_ok else None,
            "last_ok": line.last_ok.isoformat() if line.last_ok else None,
            "error": line.error or None,
            "items": line.items,
        }
        for line in lines
    ]


@dataclass(frozen=True, slots=True)
class Status:
    """What /status tells. last: (instant, kind, state) of the newest delivery to this chat."""

    version: str
    address: Address
    zone: str
    next_digest: datetime | None
    last: tuple[datetime, str, str] | None
    lines: Sequence[SourceLine]
    health: Mapping[str, Health]


def status(status: Status, tongue: Tongue, now: datetime) -> Message:
    """The state of the bot as this chat sees it."""
    nothing = tongue.say("none")
    coming_next = coming(status.next_digest, status.zone, tongue) if status.next_digest else None
    at, _, state = status.last or (None, "", "")
    last, became = moment(at, status.zone, tongue) if at else None, tongue.say(SETTLED.get(state, state))
    facts = [
        (tongue.say("Version"), status.version),
        (tongue.say("Next digest"), coming_next or nothing),
        (tongue.say("Last delivery"), f"{last}, {became}" if last else nothing),
        (tongue.say("Time zone"), status.zone),
        (tongue.say("Chat"), status.address.chat),
        (tongue.say("Topic"), status.address.thread),
        (tongue.say("Rates"), _freshness("rates", status.lines, tongue, now)),
        (tongue.say("News"), _freshness("news", status.lines, tongue, now)),
    ]
    text = "\n".join(f"{label}: {fact}" for label, fact in facts if fact)
    told = dated(Paragraph(text), coming_next, last)
    ailing = [f"{name}: {health.detail}" for name, health in status.health.items() if not health.ok]
    return Message((Heading(tongue.say("Status")), told, *map(Paragraph, ailing)))


def status_data(status: Status, now: datetime) -> dict[str, object]:
    """The same for scripts; instants in ISO 8601."""
    last = None
    if status.last:
        at, kind, state = status.last
        last = {"at": at.isoformat(), "kind": kind, "state": state}
    return {
        "version": status.version,
        "chat": status.address.chat,
        "thread": status.address.thread,
        "zone": status.zone,
        "next_digest": status.next_digest.isoformat() if status.next_digest else None,
        "last_delivery": last,
        "sources": sources_data(status.lines, now),
    }


def _row(line: SourceLine, tongue: Tongue, now: datetime) -> tuple[str, str, str]:
    if not line.url:
        return _title(line, tongue), tongue.say("fixed"), ""
    if line.last_ok is None:
        return _title(line, tongue), tongue.say("not needed so far") if line.spare else tongue.say("not asked yet"), ""
    items = tongue.count("{n} item", "{n} items", line.items)
    return _title(line, tongue), age(now - line.last_ok, tongue), items


def _title(line: SourceLine, tongue: Tongue) -> str:
    """A bank's name in the reader's language, with the document if it has several; an outlet's is its own."""
    title = tongue.say(line.title) if line.kind == "rates" else line.title
    return f"{title} ({line.document})" if line.document else title


def _freshness(kind: str, lines: Sequence[SourceLine], tongue: Tongue, now: datetime) -> str:
    asked = [line for line in lines if line.kind == kind and line.url and not line.spare]
    well = [line.last_ok for line in asked if line.last_ok and not line.error]
    oldest: timedelta = now - min(well, default=now)
    if not well:
        return tongue.say("{well} of {all} answer", well=len(well), all=len(asked))
    return tongue.say("{well} of {all} answer, oldest {age}", well=len(well), all=len(asked), age=age(oldest, tongue))
