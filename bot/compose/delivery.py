"""How sending fares, for the operators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from bot.compose.moments import age, dated, moment, number, span
from bot.echo import shown
from bot.locales import N_, Tongue
from bot.message import Block, Heading, Message, Paragraph
from bot.models import Health, OutboxReport

STATES: Final = {
    "pending": N_("waiting"),
    "inflight": N_("on their way"),
    "sent": N_("sent"),
    "unknown": N_("answer lost"),
    "withheld": N_("withheld"),
    "expired": N_("too late"),
    "failed": N_("refused"),
    "dead": N_("chat gone"),
}
"""The states of outbox rows, in the order they are told."""


def stopped(trouble: str, tongue: Tongue) -> Message:
    """Nothing can be sent on a platform. trouble: which, and why, in English as in the log."""
    return Message(
        (
            Paragraph(tongue.say("Sending has stopped. {trouble}.", trouble=trouble)),
            Paragraph(tongue.say("No chat loses its subscriptions by it; what waits goes out later."), small=True),
        )
    )


def standing(report: OutboxReport, health: Mapping[str, Health], zone: str, tongue: Tongue, now: datetime) -> Message:
    """/admin status: what waits, since when, what is held back, which chats are paused, how late we are."""
    lines = [tongue.say("Outbox of two weeks: {states}", states=_counts(report.states, tongue))]
    if report.oldest_pending:
        lines.append(tongue.say("The oldest that waits was due {ago}.", ago=age(now - report.oldest_pending, tongue)))
    if report.late:
        half, most = (span(late, tongue) for late in report.late)
        late = tongue.say("Lateness of the last day: half at most {half}, 95 % at most {most}.", half=half, most=most)
        lines.append(late)
    until = {name: moment(at, zone, tongue) for name, (at, _) in report.held.items()}
    holds = [
        tongue.say("{name}: nothing until {when} ({reason})", name=name, when=until[name], reason=why)
        for name, (_, why) in report.held.items()
    ]
    if report.held_chats:
        holds.append(tongue.say("Chats that asked us to wait: {count}", count=report.held_chats))
    dead = [f"{shown(reason)}: {count}" for reason, count in report.dead.items()]
    ill = [f"{name}: {one.detail}" for name, one in health.items() if not one.ok]
    blocks: list[Block] = [Heading(tongue.say("How sending fares")), Paragraph("\n".join(lines))]
    for title, found in (
        (tongue.say("Held"), holds),
        (tongue.say("Paused chats"), dead),
        (tongue.say("In trouble"), ill),
    ):
        blocks += [Heading(title), dated(Paragraph("\n".join(found)), *until.values())] if found else []
    if not ill:
        blocks.append(Paragraph(tongue.say("Every part of the service is well."), small=True))
    return Message(tuple(blocks))


def standing_data(report: OutboxReport, health: Mapping[str, Health], now: datetime) -> dict[str, object]:
    """The same for scripts; times in seconds."""
    return {
        "states": report.states,
        "oldest_pending_s": _seconds(now - report.oldest_pending) if report.oldest_pending else None,
        "late_s": {"p50": _seconds(report.late[0]), "p95": _seconds(report.late[1])} if report.late else None,
        "held": {name: {"until": until.isoformat(), "reason": why} for name, (until, why) in report.held.items()},
        "held_chats": report.held_chats,
        "paused": report.dead,
        "health": {name: {"ok": one.ok, "detail": one.detail} for name, one in health.items()},
    }


def _counts(states: Mapping[str, int], tongue: Tongue) -> str:
    named = [f"{tongue.say(STATES[state])} {number(states[state], tongue)}" for state in STATES if states.get(state)]
    return ", ".join(named) or tongue.say("nothing yet")


def _seconds(span: timedelta) -> float:
    return round(span.total_seconds(), 1)
