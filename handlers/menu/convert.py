"""/convert and /send: sums at the official rates, today's or those of a date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from bot.amounts import Said, read
from bot.board import BASE, FIVE
from bot.compose import convert as compose
from bot.compose.convert import Transfer
from bot.compose.quotes import full_day
from bot.errors import Refusal
from bot.locales import N_, Tongue
from bot.models import Answer, Board, Quote, Request
from bot.money import converted
from bot.pairs import read_columns, read_history, read_pair, read_period
from handlers.menu.desk import Desk
from handlers.menu.registry import command

COMPARED: Final = timedelta(days=30)
SENT: Final = "30000 RUB KGS fee 1%"
HUNDRED: Final = Decimal(100)
EARLIEST: Final = date(1990, 1, 1)
"""Before any of these currencies was there."""


@command(group="rates", needs={"rates"})
async def convert(desk: Desk, ask: Request, what: Annotated[str, "100 usd in kzt] [on DATE"] = "") -> Answer:
    """A sum in another currency at the official rate.

    /convert 100 usd in kzt
    /convert 1 000,50 eur in kgs on 2026-10-31
    """
    said, tongue, _ = await hear(desk, ask, "convert", what)
    if said.fee is not None:
        raise Refusal(N_("A fee is a matter of /send."), N_("Say /send 30000 RUB KGS fee 1%."))
    return await convert_said(desk, said, tongue)


@command(group="rates", needs={"rates"})
async def send(desk: Desk, ask: Request, what: Annotated[str, "30000 RUB KGS] [fee 1%"] = "") -> Answer:
    """What arrives of a sum sent, and how today compares with the last 30 days.

    /send 30000 RUB KGS fee 1%
    /send 500 usd kgs fee 5
    """
    said, tongue, today = await hear(desk, ask, "send", what or SENT)
    base, target = _both(said)
    if said.on or said.month or said.span:
        raise Refusal(N_("/send is about today."), N_("For another day: /convert 100 usd in kzt on 2026-10-31."))
    store, roads, now = desk.store, desk.catalogue.roads, desk.clock()
    quote = await read_pair(store, roads, now, base, target)
    amount = said.amount or HUNDRED
    if quote.rate is None:
        return Answer(compose.conversion(amount, quote, tongue))
    transfer = _transfer(said, amount, base, target, quote.rate)
    period = await read_period(store, roads, now, base, target, today - COMPARED, today)
    return Answer(compose.sent(transfer, quote, period, tongue))


async def hear(desk: Desk, ask: Request, command: str, what: str) -> tuple[Said, Tongue, date]:
    """What was said after /command, the language to answer in, and today on the asker's clocks."""
    settings = await desk.settings(ask.address, ask.language, ask.zone)
    tongue = await desk.tongue(ask.address, ask.language)
    today = desk.clock().astimezone(ZoneInfo(settings.zone)).date()
    comma = tongue.locale.number_symbols["latn"]["decimal"] == ","
    return read(what, command, today, decimal_comma=comma), tongue, today


async def convert_said(desk: Desk, said: Said, tongue: Tongue) -> Answer:
    """A sum in the currency named after it; one of the five alone goes to dollars, any other to all five."""
    if said.month or said.span:
        raise Refusal(
            N_("A sum is converted at the rate of one day."), N_("Say /convert 100 usd in kzt on 2026-10-31.")
        )
    amount = HUNDRED if said.amount is None else said.amount
    codes = said.codes or (BASE,)
    if said.amount is not None and not said.codes:
        raise Refusal(N_("{amount} of which currency?"), N_("Say /convert 100 usd in kzt."), amount=f"{amount:f}")
    now, roads = desk.clock(), desk.catalogue.roads
    if len(codes) == 1 and codes[0] not in FIVE:
        board = await read_columns(desk.store, roads, now, codes[0], said.on)
        if said.on and nothing_floats(board):
            raise await not_stored(desk, codes[0], FIVE[0], said.on, tongue)
        data = [compose.conversion_data(amount, quote) for quote in board.quotes]
        return Answer(compose.conversions(amount, board.quotes, tongue, on=said.on), data)
    base, target = _both(replace(said, codes=(*codes, BASE)[:2]))
    quote = await read_pair(desk.store, roads, now, base, target, said.on)
    if said.on and quote.rate is None:
        raise await not_stored(desk, base, target, said.on, tongue)
    before = await day_before(desk, quote, said.on)
    return Answer(
        compose.conversion(amount, quote, tongue, on=said.on, before=before), compose.conversion_data(amount, quote)
    )


async def day_before(desk: Desk, quote: Quote, on: date | None) -> date | None:
    """The day before that of a figure, None where none is stored of it."""
    since = on or quote.effective_date
    if since is None:
        return None
    before = since - timedelta(days=1)
    then = await read_pair(desk.store, desk.catalogue.roads, desk.clock(), quote.base, quote.quote, before)
    return before if then.rate is not None else None


async def not_stored(desk: Desk, base: str, quote: str, on: date, tongue: Tongue) -> Refusal:
    """Why there is no figure of that day, and what there is."""
    now = desk.clock()
    pair, today = f"{base}/{quote}", now.date()
    if on > today:
        return Refusal(
            N_("The rate of {pair} for {date} is not known yet."),
            N_("Banks announce it a day ahead: /rates {pair}."),
            pair=pair,
            date=full_day(on, tongue),
        )
    days = (await read_history(desk.store, desk.catalogue.roads, now, base, quote, EARLIEST, today)).days
    fetch = (today - on).days + 1
    if not days:
        return Refusal(
            N_("No rate of {pair} is stored."),
            N_("yamchi backfill --days {days} fetches the history."),
            pair=pair,
            days=fetch,
        )
    return Refusal(
        N_("No rate of {pair} is stored for {date}. Stored are dates from {first} to {last}."),
        N_("yamchi backfill --days {days} fetches the history."),
        pair=pair,
        date=full_day(on, tongue),
        first=full_day(days[0][0], tongue),
        last=full_day(days[-1][0], tongue),
        days=fetch,
    )


def nothing_floats(board: Board) -> bool:
    """Whether a board holds no figure but a peg, which is in force on every day."""
    return all(quote.rate is None or quote.kind == "peg" for quote in board.quotes)


def _both(said: Said) -> tuple[str, str]:
    if len(said.codes) < 2:
        raise Refusal(N_("From which currency into which?"), N_("Name both, such as 30000 RUB KGS."))
    if said.codes[0] == said.codes[1]:
        raise Refusal(N_("That is twice {code}."), N_("Name two currencies, such as KGS/KZT."), code=said.codes[0])
    return said.codes[0], said.codes[1]


def _transfer(said: Said, amount: Decimal, base: str, target: str, rate: Decimal) -> Transfer:
    fee = said.fee or Decimal(0)
    code = base if said.percent else said.fee_code or base
    if code not in (base, target):
        raise Refusal(
            N_("The fee is in {fee}, the sum goes from {base} to {quote}."),
            N_("Say the fee in {base} or {quote}, or in percent."),
            fee=code,
            base=base,
            quote=target,
        )
    if said.percent:
        fee = amount * fee / HUNDRED
    arrives = converted(amount - fee, rate) if code == base else converted(amount, rate) - fee
    if fee < 0 or arrives <= 0:
        raise Refusal(N_("Such a fee leaves nothing to send."), N_("Say /send 30000 RUB KGS fee 1%."))
    return Transfer(amount, fee, code, arrives)
