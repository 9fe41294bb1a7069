"""/settings: every option by pressing alone, page by page. What a press does, typing its command does too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

from bot import places, topics
from bot.compose import book as compose
from bot.compose import chat as compose_chat
from bot.compose.book import Choice
from bot.compose.orders import OURS
from bot.errors import Refusal
from bot.locales import N_, Tongue, languages, tongue
from bot.message import Block
from bot.models import Answer, ChatSettings, Content, Request
from bot.orders import DAY_CODES, KINDS, order, same_content
from handlers.menu.desk import Desk
from handlers.menu.digest import follow, subscribe, unsubscribe
from handlers.menu.registry import command
from handlers.menu.settings import HERE, language, quiet, timezone

CITIES: Final = 21
"""Zones a page: as many buttons as every chat can show, the way on and back included."""
TOPICS: Final = 18
"""Countries and themes a page."""
PARTS: Final = frozenset({"zone", "language", "quiet", "digest", "topics", "corrections", "followups"})


@command(group="settings", needs={"news", "rates"}, changes=PARTS)
async def settings(
    desk: Desk,
    ask: Request,
    what: Annotated[str, "zone | language | quiet | digest | topics | corrections | followups"] = "",
) -> Answer:
    """What is set for this chat, and all of it to be changed by pressing.

    /settings
    /settings digest
    """
    part, _, rest = what.partition(" ")
    if not part:
        return await _first(desk, ask)
    turn = {
        "zone": _zone,
        "language": _language,
        "quiet": _quiet,
        "digest": _digest,
        "topics": _topics,
        "corrections": _corrections,
        "followups": _follow_ups,
    }
    if part.casefold() not in turn:
        raise Refusal(N_("I cannot read that."), N_("/settings shows what there is."))
    return await turn[part.casefold()](desk, ask, rest)


async def _first(desk: Desk, ask: Request) -> Answer:
    chosen = await desk.settings(ask.address, ask.language, ask.zone)
    held = await desk.store.subscriptions(ask.address)
    name, now = places.own_name(chosen.language), desk.clock()
    alerts = [one for one in await desk.store.alerts(ask.address) if one.watches(now)]
    message = compose_chat.settings(chosen, name, held, alerts, tongue(chosen.language), now)
    return Answer(message, compose_chat.settings_data(chosen, held, alerts, now))


async def _zone(desk: Desk, ask: Request, rest: str) -> Answer:
    """All parts of the world; the cities of one; or one city, which is set."""
    if rest.casefold() == HERE:
        return await timezone(desk, ask, rest)
    region, _, skip = rest.partition(" ")
    region = region.capitalize()
    if rest and region not in places.REGIONS:
        await timezone(desk, ask, rest)
    chosen, speech = await _now(desk, ask)
    if region not in places.REGIONS:
        choices = [
            Choice(speech.say(city), f"zone {zone}", chosen=zone == chosen.zone)
            for city, zone in places.CAPITALS.items()
        ]
        choices += [Choice(speech.say("Where I am"), f"zone {HERE}")] if ask.locates else []
        choices += [Choice(speech.say(name), f"zone {part}") for part, name in places.REGIONS.items()]
        return Answer(compose.zone(chosen.zone, speech, desk.clock(), choices))
    cities = places.zones_of(region, chosen.language)
    first = _number(skip, len(cities)) or 0
    choices = [Choice(city, f"zone {zone}", chosen=zone == chosen.zone) for city, zone in cities[first:][:CITIES]]
    if first + CITIES < len(cities):
        choices.append(Choice(speech.say("Next"), f"zone {region} {first + CITIES}"))
    return Answer(compose.zone(chosen.zone, speech, desk.clock(), choices, back="zone"))


async def _language(desk: Desk, ask: Request, rest: str) -> Answer:
    if rest:
        await language(desk, ask, rest)
    chosen, speech = await _now(desk, ask)
    choices = [
        Choice(places.own_name(code), f"language {code}", chosen=code == chosen.language) for code in languages()
    ]
    return Answer(compose.language(places.own_name(chosen.language), speech, choices))


async def _quiet(desk: Desk, ask: Request, rest: str) -> Answer:
    """The hours at which quiet could begin; those at which it could end; or both, which is set."""
    begins = _number(rest, 24)
    if rest and begins is None:
        await quiet(desk, ask, rest)
    chosen, speech = await _now(desk, ask)
    if begins is not None:
        hours = [f"{(begins + n) % 24:02}:00" for n in range(1, 24)]
        choices = [Choice(hour, f"quiet {begins:02}:00-{hour}") for hour in hours]
        return Answer(compose.quiet_until(f"{begins:02}:00", speech, choices))
    return Answer(compose.quiet(chosen.quiet, speech, [Choice(f"{hour:02}:00", f"quiet {hour}") for hour in range(24)]))


async def _digest(desk: Desk, ask: Request, rest: str) -> Answer:
    """How often; on which day; at which hour; or all of it, which is subscribed to."""
    kind, _, day = rest.casefold().partition(" ")
    set_: tuple[Block, ...] = ()
    if kind and KINDS.get(kind) not in ("daily", "weekdays", "weekly"):
        raise Refusal(N_("I cannot read that."), N_("/settings shows what there is."))
    if kind and (day.count(":") or day.isdigit()):
        set_ = (await subscribe(desk, ask, rest)).message.blocks[:3]
        kind = ""
    chosen, speech = await _now(desk, ask)
    if not kind:
        held = await desk.store.subscriptions(ask.address)
        return Answer(compose.digest(set_, held, speech, chosen.zone, desk.clock()))
    if KINDS[kind] == "weekly" and day not in DAY_CODES:
        return Answer(compose.digest_day(speech, DAY_CODES))
    hours = [Choice(f"{hour:02}:00", f"digest {rest.casefold()} {hour:02}:00") for hour in range(24)]
    return Answer(compose.digest_hour(speech, hours))


async def _topics(desk: Desk, ask: Request, rest: str) -> Answer:
    """Countries and themes to follow as it happens; naming one follows it, or follows it no more."""
    named = [(code, f"country:{code.lower()}") for code in OURS]
    named += [(name, f"topic:{name}") for name in topics.read("themes")]
    first = _number(rest, len(named))
    held = await desk.store.subscriptions(ask.address)
    if rest and first is None:
        wanted = order(f"instant {rest}")[1]
        same = next((one for one in held if one.schedule.kind == "instant" and same_content(one.content, wanted)), None)
        await (unsubscribe(desk, ask, f"id:{same.id}") if same else follow(desk, ask, rest))
        held = await desk.store.subscriptions(ask.address)
        first = next((n for n, (_, key) in enumerate(named) if key == rest.casefold()), 0) // TOPICS * TOPICS
    speech = await desk.tongue(ask.address, ask.language)
    followed = [one.content for one in held if one.schedule.kind == "instant"]
    first = first or 0
    choices = [
        Choice(topics.title(name, speech.code), f"topics {key}", chosen=_is_followed(key, followed))
        for name, key in named[first:][:TOPICS]
    ]
    if first + TOPICS < len(named):
        choices.append(Choice(speech.say("Next"), f"topics {first + TOPICS}"))
    return Answer(compose.topics(speech, choices, back="topics" if first else ""))


async def _corrections(desk: Desk, ask: Request, rest: str) -> Answer:
    """Whether what was sent is edited; "edit" or "leave" sets it."""
    edits = _wish(rest, "edit", "leave")
    chosen, speech = await _now(desk, ask)
    if edits is not None:
        chosen = replace(chosen, edits=edits)
        await desk.store.keep_chat(chosen, [])
    return Answer(compose.corrections(speech, edits=chosen.edits))


async def _follow_ups(desk: Desk, ask: Request, rest: str) -> Answer:
    """Whether a follow-up answers the first message of its story; "answer" or "apart" sets it."""
    threads = _wish(rest, "answer", "apart")
    chosen, speech = await _now(desk, ask)
    if threads is not None:
        chosen = replace(chosen, threads=threads)
        await desk.store.keep_chat(chosen, [])
    return Answer(compose.follow_ups(speech, threads=chosen.threads))


def _wish(word: str, yes: str, no: str) -> bool | None:
    """What is said by one of two words, None for nothing."""
    if word.casefold() not in ("", yes, no):
        raise Refusal(N_("I cannot read that."), N_("/settings shows what there is."))
    return word.casefold() == yes if word else None


def _number(text: str, below: int) -> int | None:
    """Where a page begins, None for what is no such number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 and int(text) < below else None


def _is_followed(key: str, followed: Sequence[Content]) -> bool:
    wanted = order(f"instant {key}")[1]
    return any(same_content(content, wanted) for content in followed)


async def _now(desk: Desk, ask: Request) -> tuple[ChatSettings, Tongue]:
    """What is chosen by now, and the language to say it in."""
    chosen = await desk.settings(ask.address, ask.language, ask.zone)
    return chosen, tongue(chosen.language)
