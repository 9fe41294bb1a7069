"""/rates: the board against any currency, a pair, a day, a month, a span; sums go on to /convert."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Annotated

from bot.amounts import Said
from bot.board import BASE, FIVE, read_board
from bot.compose import periods as compose_periods
from bot.compose import rates as compose
from bot.errors import Refusal
from bot.locales import N_, Tongue
from bot.models import Answer, Board, Quote, Request
from bot.pairs import read_columns, read_pair, read_period
from handlers.menu.convert import convert_said, day_before, hear, not_stored, nothing_floats
from handlers.menu.desk import Desk
from handlers.menu.registry import command

USAGE = "KZT | USD/KZT | 100 usd kzt] [2026-10-31 | 2026-10 | 30d"


@command(group="rates", needs={"rates"})
async def rates(desk: Desk, ask: Request, what: Annotated[str, USAGE] = "") -> Answer:
    """The official rates of the five currencies, of a pair, of a day or a month.

    /rates
    /rates KZT
    /rates EUR
    /rates KGS/KZT
    /rates KZT 2026-10-31
    /rates KZT 2026-10
    /rates KZT 30d
    """
    said, tongue, today = await hear(desk, ask, "rates", what)
    if said.fee is not None:
        raise Refusal(N_("A fee is a matter of /send."), N_("Say /send 30000 RUB KGS fee 1%."))
    if said.amount is not None:
        return await convert_said(desk, said, tongue)
    pair = _pair(said)
    if pair is None:
        return await _board(desk, said, tongue)
    if said.month or said.span:
        return await _period(desk, pair, said, tongue, today)
    quote = await read_pair(desk.store, desk.catalogue.roads, desk.clock(), *pair, said.on)
    if said.on and quote.rate is None:
        raise await not_stored(desk, *pair, said.on, tongue)
    before = await day_before(desk, quote, said.on) if said.on else None
    return Answer(compose.one(quote, tongue, on=said.on, before=before), compose.board_data(Board((quote,))))


def _pair(said: Said) -> tuple[str, str] | None:
    """The pair that is meant, None for a board."""
    if len(said.codes) == 2:
        if said.codes[0] == said.codes[1]:
            raise Refusal(N_("That is twice {code}."), N_("Name two currencies, such as KGS/KZT."), code=said.codes[0])
        return said.codes[0], said.codes[1]
    if said.codes and said.codes[0] in FIVE:
        return BASE, said.codes[0]
    if said.month or said.span:
        raise Refusal(N_("Of which pair?"), N_("Say /rates KZT 30d or /rates EUR/KZT 2026-10."))
    return None


async def _board(desk: Desk, said: Said, tongue: Tongue) -> Answer:
    base = said.codes[0] if said.codes else BASE
    if said.on is None and base == BASE:
        board = await read_board(desk.store, desk.catalogue.roads, desk.clock())
    else:
        board = await read_columns(desk.store, desk.catalogue.roads, desk.clock(), base, said.on)
    if said.on and nothing_floats(board):
        raise await not_stored(desk, base, FIVE[0], said.on, tongue)
    return Answer(compose.board(board, tongue, spans=said.on is None), compose.board_data(board))


async def _period(desk: Desk, pair: tuple[str, str], said: Said, tongue: Tongue, today: date) -> Answer:
    since, until = _bounds(said, today)
    store, roads, now = desk.store, desk.catalogue.roads, desk.clock()
    if since > today:
        raise await not_stored(desk, *pair, since, tongue)
    period = await read_period(store, roads, now, *pair, since, until)
    if not period.days:
        raise await not_stored(desk, *pair, since, tongue)
    shown = await read_pair(store, roads, now, *pair)
    last = period.days[-1]
    since_when = shown.effective_date if shown.kind == "peg" else last.effective_date
    quote = Quote(*pair, period.source, period.kind, last.rate, since_when, issuers=period.issuers)
    message = compose_periods.period(period, quote, tongue, today, month=said.month is not None)
    data = compose.board_data(Board((quote,)))
    return Answer(message, data | {"period": compose_periods.period_data(period)})


def _bounds(said: Said, today: date) -> tuple[date, date]:
    if said.month:
        last = said.month.replace(day=monthrange(said.month.year, said.month.month)[1])
        return said.month, min(last, today)
    return today - timedelta(days=said.span or 0), today
