"""/export: all that is kept of a chat, figures, or sources, as a file."""

from __future__ import annotations

from typing import Annotated

from bot.compose import chart as compose
from bot.compose import privacy
from bot.compose import sources as compose_sources
from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.locales import N_
from bot.models import Answer, Request
from bot.orders import RATES_WORDS
from handlers.menu.chart import history_of, read_asked, too_few
from handlers.menu.desk import Desk
from handlers.menu.registry import command


@command(group="rates", needs={"rates"})
async def export(
    desk: Desk, ask: Request, what: Annotated[str, "rates [KZT | USD/KZT] [90d | 1y] | sources"] = ""
) -> Answer:
    """All I keep of this chat as a file; or rates as CSV, exactly as stored; or the sources as OPML.

    /export
    /export rates KZT 90d
    /export sources
    """
    tongue = await desk.tongue(ask.address, ask.language)
    first, _, rest = one_line(what).partition(" ")
    if not first:
        kept = await desk.store.all_kept(ask.address, ask.user, updates=ask.private)
        return Answer(privacy.exported(kept, ask.address, desk.clock(), tongue))
    if first.casefold() == "sources":
        return Answer(compose_sources.exported((await desk.outlets(ask.address)).feeds, tongue, desk.clock()))
    if first.casefold() not in RATES_WORDS:
        raise Refusal(
            N_("I cannot export {what}."), N_("Try /export rates KZT 90d, or /export sources."), what=shown(first)
        )
    asked = await read_asked(desk, ask, rest, "export rates")
    history = await history_of(desk, asked)
    if not history.days:
        raise await too_few(desk, asked)
    return Answer(compose.export(history, tongue))
