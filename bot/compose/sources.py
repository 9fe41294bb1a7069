"""How our sources fare, and the state of the whole as a chat sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.compose.moments import age, coming, moment
from bot.echo import shown
from bot.locales import N_, Tongue
from bot.message import Block, Heading, Message, Paragraph, Table
from bot.models import Address, Health

ERROR_SHOWN = 120
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


def sources(lines: Sequence[SourceLine], tongue: Tongue, now: datetime) -> Message:
    """Every source: those that answer with the age of their last answer, then those that do not."""
    titles = {"rates": tongue.say("Rates"), "news": tongue.say("News")}
    blocks: list[Block] = [Heading(tongue.say("Sources"))]
    for kind, title in titles.items():
        rows = tuple(_row(line, tongue, now) for line in lines if line.kind == kind and not line.error)
        if rows:
            blocks.append(
                Table(f"{title}\n" + "\n".join(", ".join(filter(None, row)) for row in rows), ((title, "", ""), *rows))
            )
    failing = [line for line in lines if line.error]
    if failing:
        blocks.append(Heading(tongue.say("Not answering")))
        blocks += [Paragraph(_failure(line, tongue, now)) for line in failing]
    return Message(tuple(blocks))


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
    coming_next = coming(status.next_digest, status.zone, tongue) if status.next_digest else nothing
    facts = [
        (tongue.say("Version"), status.version),
        (tongue.say("Next digest"), coming_next),
        (tongue.say("Last delivery"), _delivery(status, tongue) or nothing),
        (tongue.say("Time zone"), status.zone),
        (tongue.say("Chat"), status.address.chat),
        (tongue.say("Topic"), status.address.thread),
        (tongue.say("Rates"), _freshness("rates", status.lines, tongue, now)),
        (tongue.say("News"), _freshness("news", status.lines, tongue, now)),
    ]
    text = "\n".join(f"{label}: {fact}" for label, fact in facts if fact)
    ailing = [f"{name}: {health.detail}" for name, health in status.health.items() if not health.ok]
    return Message((Heading(tongue.say("Status")), Paragraph(text), *map(Paragraph, ailing)))


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


def _failure(line: SourceLine, tongue: Tongue, now: datetime) -> str:
    error = shown(line.error, ERROR_SHOWN)
    if line.last_ok is None:
        return tongue.say("{title}: {error}", title=_title(line, tongue), error=error)
    answered = age(now - line.last_ok, tongue)
    return tongue.say("{title}: {error}; last answer {age}", title=_title(line, tongue), error=error, age=answered)


def _freshness(kind: str, lines: Sequence[SourceLine], tongue: Tongue, now: datetime) -> str:
    asked = [line for line in lines if line.kind == kind and line.url and not line.spare]
    well = [line.last_ok for line in asked if line.last_ok and not line.error]
    oldest: timedelta = now - min(well, default=now)
    if not well:
        return tongue.say("{well} of {all} answer", well=len(well), all=len(asked))
    return tongue.say("{well} of {all} answer, oldest {age}", well=len(well), all=len(asked), age=age(oldest, tongue))


def _delivery(status: Status, tongue: Tongue) -> str:
    if status.last is None:
        return ""
    at, _, state = status.last
    return f"{moment(at, status.zone, tongue)}, {tongue.say(SETTLED.get(state, state))}"
