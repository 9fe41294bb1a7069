"""/alert and /alerts: being told when a rate passes a line or moves far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import regex

from bot.alertlines import Wish, wish
from bot.alerts import since_set, smallest_move
from bot.board import BASE, FIVE, read_board
from bot.compose import alerts as compose
from bot.compose.pages import page_of
from bot.compose.quotes import percent
from bot.errors import Refusal
from bot.locales import N_, Tongue, tongue
from bot.models import Alert, AlertWay, Answer, ChatSettings, Quote, Request, Sight
from bot.money import significant
from bot.pairs import read_columns, read_pair
from bot.query import turned
from bot.sights import read_sight
from handlers.menu.desk import Desk
from handlers.menu.digest import subscribe
from handlers.menu.registry import command

MOST_ALERTS: Final = 20
"""In one chat."""
LONGEST_SNOOZE: Final = timedelta(days=365)
USAGE: Final = (
    'KZT > 520 | USD/UZS below 12000 | EUR/KZT 2% week | "middle corridor"] [until 2026-12-31] [once | standing'
)
_SPAN: Final = regex.compile(r"([0-9]{1,3}) ?(h|d|w|ч|д|н)\p{L}*", regex.IGNORECASE)
_UNITS: Final = {"h": 1, "ч": 1, "d": 24, "д": 24, "w": 168, "н": 168}
_VERBS: Final = frozenset({"end", "undo", "snooze", "standing", "once"})
_WAKING: Final = frozenset({"undo", "standing", "once"})
"""What makes one that is over watch again."""


@command(group="digest", needs={"rates"}, changes=True)
async def alert(desk: Desk, ask: Request, what: Annotated[str, USAGE] = "") -> Answer:
    """Be told when an official rate passes a line of yours, or moves far.

    /alert KZT > 520
    /alert USD/UZS below 12000
    /alert EUR/KZT 2% week
    /alert "middle corridor"
    """
    settings = await _settled(desk, ask)
    speech = tongue(settings.language)
    comma = speech.locale.number_symbols["latn"]["decimal"] == ","
    today = desk.clock().astimezone(ZoneInfo(settings.zone)).date()
    asked = wish(what, today, decimal_comma=comma) if what else Wish()
    if asked.words:
        return await subscribe(desk, ask, f"instant {asked.words}")
    if asked.level is None:
        return Answer(compose.picker(await _offered(desk, asked.codes), speech))
    pair = _pair(asked, what)
    sight = await read_sight(desk.store, desk.catalogue.roads, desk.clock(), *pair)
    wanted = _checked(asked, pair, sight, settings, desk.clock(), speech)
    held = [one for one in await desk.store.alerts(ask.address) if one.watches(desk.clock())]
    same = next((one for one in held if _order(one) == _order(wanted)), None)
    if same is None:
        _check_room(held)
    wanted = replace(wanted, id=same.id, level=same.level) if same else replace(wanted, created_by=ask.user)
    kept = await desk.store.set_alert(since_set(wanted, sight) if isinstance(sight, Sight) else wanted)
    return Answer(compose.set_(kept, sight, speech, settings.zone, edited=same is not None), compose.alert_data(kept))


@command(group="digest", needs={"rates"}, changes=_VERBS)
async def alerts(
    desk: Desk, ask: Request, what: Annotated[str, "end NUMBER | snooze NUMBER 2d | standing NUMBER | once NUMBER"] = ""
) -> Answer:
    """The alerts of this chat: how far off each is; end one, silence it, or keep it for good.

    /alerts
    /alerts snooze 3 2d
    /alerts end 3
    """
    settings, now = await desk.settings(ask.address, ask.language, ask.zone), desk.clock()
    speech = tongue(settings.language)
    kept = await desk.store.alerts(ask.address)
    active = [one for one in kept if one.watches(now)]
    words, after = turned(what.casefold())
    if not words:
        page = page_of(active, after)
        stands = [await read_sight(desk.store, desk.catalogue.roads, now, one.base, one.quote) for one in page.shown]
        message = compose.alerts(page, stands, speech, settings.zone, now)
        return Answer(message, [compose.alert_data(one) for one in active])
    verb, _, rest = words.partition(" ")
    number, _, span = rest.partition(" ")
    one = next((one for one in kept if str(one.id) == number.strip("#. ")), None)
    if verb not in _VERBS or (span and verb != "snooze"):
        raise Refusal(
            N_("I cannot read that."), N_("Say /alerts, /alerts end 3, /alerts snooze 3 2d or /alerts standing 3.")
        )
    if one is None or not (one in active or verb in _WAKING):
        raise _unknown()
    if one not in active:
        _check_room(active)
    return await _change(desk, one, verb, span, settings, len(active))


async def _change(desk: Desk, one: Alert, verb: str, span: str, settings: ChatSettings, active: int) -> Answer:
    speech, now = tongue(settings.language), desk.clock()
    if verb == "end":
        gone = await desk.store.set_alert(replace(one, state="ended"))
        return Answer(compose.ended(gone, active - 1, speech, settings.zone), compose.alert_data(gone))
    if verb == "snooze":
        silent = await desk.store.set_alert(replace(one, snoozed_until=now + _span(span or "1d")))
        return Answer(compose.snoozed(silent, speech, settings.zone), compose.alert_data(silent))
    sight = await read_sight(desk.store, desk.catalogue.roads, now, one.base, one.quote)
    if verb == "undo":
        back = replace(one, state="active") if one.state == "ended" else one
        if not back.watches(now):
            raise _unknown()
        await desk.store.set_alert(back)
        return Answer(compose.set_(back, sight, speech, settings.zone, edited=False), compose.alert_data(back))
    changed = replace(one, standing=verb == "standing")
    if not one.watches(now):
        changed = replace(changed, state="active", expires_at=None, snoozed_until=None, paused_at=None)
        changed = since_set(changed, sight) if isinstance(sight, Sight) else changed
    kept = await desk.store.set_alert(changed)
    return Answer(compose.set_(kept, sight, speech, settings.zone, edited=True), compose.alert_data(kept))


def _unknown() -> Refusal:
    return Refusal(N_("This chat has no such alert."), N_("/alerts shows them with their numbers."))


def _check_room(active: Sequence[Alert]) -> None:
    """Raises Refusal where a chat can have no more alerts."""
    if len(active) >= MOST_ALERTS:
        raise Refusal(
            N_("This chat has {most} alerts, and that is the most."),
            N_("/alerts shows them and ends those you need no more."),
            most=MOST_ALERTS,
        )


def _checked(
    asked: Wish, pair: tuple[str, str], sight: Sight | Quote, settings: ChatSettings, now: datetime, speech: Tongue
) -> Alert:
    """The alert that is meant. Raises Refusal where there is nothing to watch."""
    name = "/".join(pair)
    if isinstance(sight, Quote) and sight.kind == "peg":
        raise Refusal(
            N_("{pair} is fixed by the central bank: there is nothing to watch."),
            N_("/alert shows what there is."),
            pair=name,
        )
    if isinstance(sight, Quote) and sight.rate is not None:
        raise Refusal(
            N_("Of {pair} I know only a market rate, and alerts watch official ones."),
            N_("/alert shows what there is."),
            pair=name,
        )
    if isinstance(sight, Sight) and asked.way == "move" and _level(asked) < (least := smallest_move(sight)):
        raise Refusal(
            N_("{pair} moves in steps of that size: it would be noise."),
            N_("From {least} on I can watch it."),
            pair=name,
            least=percent(significant(least, 2), speech).lstrip("+"),
        )
    ends = None
    if asked.until:
        ends = datetime.combine(asked.until + timedelta(days=1), time(), ZoneInfo(settings.zone)).astimezone(UTC)
    way = asked.way or _side(_level(asked), sight)
    standing = way == "move" if asked.standing is None else asked.standing
    return Alert(0, settings.address, *pair, way, _level(asked), now, asked.days, standing=standing, expires_at=ends)


def _level(asked: Wish) -> Decimal:
    assert asked.level is not None
    return asked.level


def _side(level: Decimal, sight: Sight | Quote) -> AlertWay:
    """The side a line is on, where nobody said."""
    if isinstance(sight, Quote):
        raise Refusal(N_("Above it or below?"), N_("Say /alert KZT > 520 or /alert KZT < 500."))
    return "above" if level >= sight.rate else "below"


def _pair(asked: Wish, what: str) -> tuple[str, str]:
    if len(asked.codes) == 2:
        return asked.codes[0], asked.codes[1]
    if asked.codes[0] in FIVE:
        return BASE, asked.codes[0]
    raise Refusal(
        N_("{code} against which currency?"), N_("Name both, such as /alert {code}/KZT 1% day."), code=asked.codes[0]
    )


async def _offered(desk: Desk, codes: tuple[str, ...]) -> list[Quote]:
    """The quotes to choose a line of."""
    store, roads, now = desk.store, desk.catalogue.roads, desk.clock()
    if len(codes) == 2:
        return [await read_pair(store, roads, now, codes[0], codes[1])]
    if codes and codes[0] in FIVE:
        return [await read_pair(store, roads, now, BASE, codes[0])]
    whole = not codes or codes[0] == BASE
    board = await (read_board(store, roads, now) if whole else read_columns(store, roads, now, codes[0]))
    return list(board.quotes)


async def _settled(desk: Desk, ask: Request) -> ChatSettings:
    """The chat's settings, kept from now on: an alert is pushed where no platform gives hints."""
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    if await desk.store.chat(ask.address) is None:
        await desk.store.keep_chat(settings, [])
    return settings


def _order(one: Alert) -> tuple[str, str, AlertWay, Decimal, int]:
    return one.base, one.quote, one.way, one.level, one.days


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    span = timedelta(hours=int(match[1]) * _UNITS[match[2].casefold()]) if match else timedelta(0)
    if not timedelta(0) < span <= LONGEST_SNOOZE:
        raise Refusal(N_("For how long?"), N_("Say 12h, 2d or 1w, such as /alerts snooze 3 2d."))
    return span
