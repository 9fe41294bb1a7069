"""What is kept of a chat, and an end to it."""

from __future__ import annotations

from typing import Annotated

from bot.compose import privacy as compose
from bot.errors import Refusal
from bot.locales import N_
from bot.models import Answer, Request
from handlers.menu.desk import Desk
from handlers.menu.registry import command


@command(group="about")
async def privacy(desk: Desk, ask: Request) -> Answer:
    """What I keep of this chat, and for how long.

    /privacy
    """
    return Answer(compose.privacy(desk.retention_days, await desk.tongue(ask.address, ask.language)))


@command(group="settings", changes=True)
async def forget_me(desk: Desk, ask: Request, sure: Annotated[str, "yes"] = "") -> Answer:
    """Delete all I keep of this chat. Asks first.

    /forget_me
    """
    tongue = await desk.tongue(ask.address, ask.language)
    if not sure:
        return Answer(compose.asked_to_forget(tongue, private=ask.private))
    if sure.casefold() != "yes":
        raise Refusal(N_("I cannot read that."), N_("/forget_me asks first; /forget_me yes deletes everything."))
    await desk.store.forget(ask.address, ask.user, ask.update)
    return Answer(compose.forgotten(tongue))
