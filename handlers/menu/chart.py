"""/chart: a pair over time as a picture."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import regex

from bot.amounts import LONGEST_SPAN, read
from bot.board import BASE, FIVE
from bot.compose import about
from bot.compose import chart as compose
from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_
from bot.models import Answer, Request
from bot.pairs import RateHistory, read_history
from bot.sources import banks
from handlers.menu.desk import Desk
from handlers.menu.registry import command

DAYS: Final = 30
"""Of a chart if nobody says."""
_RANGE: Final = regex.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ?(?:\.\.|…|–|—) ?([0-9]{4}-[0-9]{2}-[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Asked:
    """A pair and the days, both included, of which its history is wanted."""

    base: str
    quote: str
    since: date
    until: date


@command(group="rates", needs={"rates"})
async def chart(
    desk: Desk, ask: Request, what: Annotated[str, "KZT | USD/KZT] [30d | 90d | 1y | 2026-10-01..2026-10-31"] = ""
) -> Answer:
    """A chart of a pair, 30 days if you do not say.

    /chart KZT 30d
    /chart RUB/KZT 1y
    """
    asked = await read_asked(desk, ask, what, "chart")
    history, tongue = await history_of(desk, asked), await desk.tongue(ask.address, ask.language)
    if len(history.days) < 2:
        refusal = await too_few(desk, asked)
        if what:
            raise refusal
        return Answer(about.refusal(*tongue.refusal(refusal)))  # nothing was asked wrongly
    return Answer(compose.chart(history, asked.since, tongue))


async def read_asked(desk: Desk, ask: Request, what: str, name: str) -> Asked:
    """What was typed after /`name`. Raises Refusal."""
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    now, line = desk.clock(), one_line(what)
    match = _RANGE.search(line)
    rest = line.replace(match[0], " ") if match else line
    said = read(rest, name, now.astimezone(ZoneInfo(settings.zone)).date())
    base, quote = _pair(said.codes)
    issuer = next((bank for bank in banks().values() if bank.issues in (base, quote)), None)
    today = now.astimezone(issuer.zone if issuer else ZoneInfo(settings.zone)).date()
    if match:
        since, until = _days(match)
    elif said.month:
        since, until = said.month, said.month.replace(day=monthrange(said.month.year, said.month.month)[1])
    else:
        since, until = said.on or today - timedelta(days=said.span or DAYS), today
    until = min(until, today)
    if since >= until or (until - since).days > LONGEST_SPAN:
        raise Refusal(
            N_("{since} to {until} are no days I could show."),
            N_("Say it from the earlier to the later, such as {example}, or 30d, 90d, 1y."),
            since=since,
            until=until,
            example=f"{today - timedelta(days=DAYS)}..{today}",
        )
    return Asked(base, quote, since, until)


async def history_of(desk: Desk, asked: Asked) -> RateHistory:
    """The pair's history on the days asked for."""
    roads, now = desk.catalogue.roads, desk.clock()
    return await read_history(desk.store, roads, now, asked.base, asked.quote, asked.since, asked.until)


async def too_few(desk: Desk, asked: Asked) -> Refusal:
    """What is stored of a pair, and how to get more."""
    now = desk.clock()
    known = await read_history(
        desk.store, desk.catalogue.roads, now, asked.base, asked.quote, date.min, now.date() + timedelta(days=1)
    )
    more = N_("yamchi backfill --days {days} fetches the history.")
    pair, days = f"{asked.base}/{asked.quote}", (now.date() - asked.since).days + 1
    if not known.days:
        return Refusal(N_("No figures of {pair} are stored."), more, pair=pair, days=days)
    return Refusal(
        N_("Too few figures of {pair} are stored from {since} to {until}. In all I have {count}: {first} to {last}."),
        more,
        pair=pair,
        since=asked.since,
        until=asked.until,
        count=len(known.days),
        first=known.days[0][0],
        last=known.days[-1][0],
        days=days,
    )


def _pair(codes: tuple[str, ...]) -> tuple[str, str]:
    """One currency is shown against the dollar, the dollar itself against the first of the five."""
    if len(codes) == 2 and codes[0] != codes[1]:
        return codes[0], codes[1]
    only = codes[0] if codes else BASE
    return BASE, FIVE[0] if only == BASE else only


def _days(match: regex.Match[str]) -> tuple[date, date]:
    try:
        return date.fromisoformat(match[1]), date.fromisoformat(match[2])
    except ValueError:
        raise Refusal(
            N_("There is no such day as {text}."),
            N_("Say it as 2026-10-31 or 31.10.2026, a month as 2026-10."),
            text=shown(match[0]),
        ) from None
