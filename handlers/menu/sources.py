"""The sources: how they fare, and those a chat adds for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

from bot.adding import Found
from bot.compose import sources as compose
from bot.compose.faults import fault
from bot.compose.sources import SourceLine
from bot.echo import shown
from bot.errors import Refusal, SourceError
from bot.locales import N_, Tongue
from bot.message import Message
from bot.models import Answer, Catalogue, Feed, PollState, RateRoad, Request
from bot.outlets import Outlets
from bot.rules import GONE_FOR_GOOD
from bot.sources import banks
from bot.sources.feeds import canonical
from handlers.menu.desk import Desk
from handlers.menu.registry import command

MOST_FEEDS: Final = 20
"""Added by one chat; MOST_A_DAY by one person, in whatever chats."""
MOST_A_DAY: Final = 10
DAY: Final = timedelta(days=1)
SURE: Final = frozenset({"yes", "да"})


@command(group="news", needs={"news", "rates"}, changes=frozenset({"add", "remove"}))
async def sources(desk: Desk, ask: Request, what: Annotated[str, "add URL | remove ID"] = "") -> Answer:
    """Every source, when it last answered and what is wrong with it.

    /sources
    /sources add timesca.com
    """
    verb, _, rest = what.partition(" ")
    if verb.casefold() == "add" and rest:
        return await _add(desk, ask, rest.split()[0])
    if verb.casefold() == "remove" and rest:
        name, *sure = rest.casefold().split()
        return await _remove(desk, ask, name, sure=bool(SURE & set(sure)))
    if what:
        raise Refusal(
            N_("I cannot read that."), N_("Say /sources, /sources add and an address, or /sources remove and a name.")
        )
    lines, now = (
        source_lines(desk.catalogue, await desk.outlets(ask.address), await desk.store.poll_states()),
        desk.clock(),
    )
    speech = await desk.tongue(ask.address, ask.language)
    return Answer(compose.sources(lines, speech, now), compose.sources_data(lines, now))


def source_lines(catalogue: Catalogue, seen: Outlets, states: dict[str, PollState]) -> list[SourceLine]:
    """The sources that a chat sees with what is known of each: banks first, then outlets, then its own."""
    roads = [_line(_road_line(road), states.get(road.id)) for road in catalogue.roads]
    feeds = [
        _line(SourceLine(feed.id, "news", feed.title, feed.url, own=feed.added), states.get(feed.id))
        for feed in seen.feeds
    ]
    return roads + feeds


async def _add(desk: Desk, ask: Request, address: str) -> Answer:
    seen, speech = await desk.outlets(ask.address), await desk.tongue(ask.address, ask.language)
    left = await _room(desk, ask, seen)
    try:
        found = await desk.find_feed(address)
    except SourceError as error:
        raise Refusal(
            N_("I can make nothing of {address}: {error}."),
            N_("Send the address of a feed (RSS, Atom), or of a page that has one."),
            address=shown(address),
            error=fault(str(error), speech),
        ) from None
    fresh = [one for one in found if not _namesake(one.feed, seen.feeds)]
    if not fresh:
        same = _namesake(found[0].feed, seen.feeds) if found else None
        return Answer(compose.already(same, speech) if same else compose.empty_list(speech))
    for one in fresh[:left]:
        await desk.store.add_feed(one.feed, ask.address, ask.user, desk.clock())
    return Answer(_told(fresh[:left], len(fresh) - left, speech))


def _told(added: Sequence[Found], left_out: int, speech: Tongue) -> Message:
    if len(added) == 1 and left_out <= 0:
        return compose.added(added[0].feed, added[0].items, added[0].newest, speech)
    return compose.added_list([one.feed for one in added], max(left_out, 0), speech)


async def _room(desk: Desk, ask: Request, seen: Outlets) -> int:
    """How many feeds more this chat and this person may add. Raises Refusal for none."""
    if len(seen.own) >= MOST_FEEDS:
        raise Refusal(
            N_("This chat has added {most} sources, and that is the most."),
            N_("/sources shows them; /sources remove and a name makes room."),
            most=MOST_FEEDS,
        )
    today = await desk.store.feeds_added_by(ask.address.platform, ask.user, desk.clock() - DAY)
    if today >= MOST_A_DAY:
        raise Refusal(N_("You have added {most} sources today."), N_("Tomorrow you can add more."), most=MOST_A_DAY)
    return min(MOST_FEEDS - len(seen.own), MOST_A_DAY - today)


async def _remove(desk: Desk, ask: Request, name: str, *, sure: bool) -> Answer:
    seen, speech = await desk.outlets(ask.address), await desk.tongue(ask.address, ask.language)
    feed = next((feed for feed in seen.own if name in (feed.id, feed.url.casefold())), None)
    if feed is None:
        own = ", ".join(feed.id for feed in seen.own)
        raise Refusal(
            N_("This chat has added no source called {name}."),
            N_("It has added: {names}.") if own else N_("It has added none so far."),
            name=shown(name),
            names=own,
        )
    if not sure:
        return Answer(compose.remove(feed, speech))
    await desk.store.remove_feed(feed.id, ask.address)
    return Answer(compose.removed(feed, speech))


def _namesake(feed: Feed, known: Sequence[Feed]) -> Feed | None:
    """The feed that is there already under this address, however it is spelt."""
    return next((other for other in known if canonical(other.url) == canonical(feed.url)), None)


def _line(line: SourceLine, state: PollState | None) -> SourceLine:
    if state is None or state.url not in ("", line.url):
        return line
    known = replace(line, last_ok=state.last_ok_at, error=state.error, items=state.items, note=state.note)
    return replace(known, stopped=state.gone >= GONE_FOR_GOOD)


def _road_line(road: RateRoad) -> SourceLine:
    document = "" if road.id == road.parser else road.id
    return SourceLine(road.id, "rates", _bank(road.parser), road.url, document=document, spare=road.priority > 0)


def _bank(parser: str) -> str:
    bank = banks().get(parser)
    return bank.name if bank else parser
