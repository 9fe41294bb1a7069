"""The menu: everything one can say, the same in every chat.

A new file in this folder is found by itself; its commands are on the menu.
"""

from __future__ import annotations

import importlib
import pkgutil
import secrets
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

import regex
import structlog

from bot.allowance import REFILL, Verdict
from bot.compose import about as compose
from bot.echo import one_line, shown
from bot.errors import Refusal
from bot.freetext import stands_for
from bot.locales import N_, Tongue, tongue
from bot.models import SILENCE, Answer, Request
from handlers.menu.desk import Desk
from handlers.menu.registry import Command, commands, find

LONGEST_REQUEST: Final = 4096
"""Characters; no chat we speak in sends more in one message."""

LINKED: Final = frozenset(
    {"alert", "chart", "convert", "digest", "follow", "help", "language", "latest", "rates", "send", "story"}
    | {"subscribe", "timezone"}
)
"""What a link to us (`?start=alert_KZT_520`) may say: nothing that ends or removes what somebody has."""

_PAGE: Final = regex.compile(r"/settings\b|/rates \S|/latest\b.*\bbefore:\d|/(list|alerts)\b.*\bafter:\d")

log = structlog.get_logger()


def load() -> None:
    """Put the commands of every file in this folder on the menu."""
    for found in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{found.name}")


async def answer(desk: Desk, ask: Request) -> Answer:
    """What we answer to a command line, with or without its slash. Never raises for what was said.

    A refusal and a failure of ours are answers too, with Answer.error set. Whoever asks too fast is told so
    once, and then gets SILENCE.
    """
    try:
        verdict = _judged(desk, ask)
        if verdict == "silence" or (verdict == "notice" and ask.aside):
            return SILENCE
        answered = await _too_fast(desk, ask) if verdict == "notice" else await _answer(desk, ask)
    except Exception:
        reference = secrets.token_hex(2)
        log.exception("request failed", reference=reference, chat=str(ask.address))
        answered = _error(*compose.sorry(reference, tongue(ask.language or desk.language)))
    return replace(answered, message=replace(answered.message, sample=desk.sample))


def parse(text: str) -> tuple[str, str]:
    """("rates", "KZT") of "/Rates@OurBot KZT"; the name is in lower case, "help" where there is none."""
    first, _, rest = one_line(text).partition(" ")
    name = first.removeprefix("/").partition("@")[0].casefold() or "help"
    linked, _, words = rest.replace("_", " ").partition(" ")
    if name == "start" and linked.casefold() in LINKED:
        return linked.casefold(), words
    return name, rest


def is_page(text: str) -> bool:
    """Whether the answer to this button belongs in the place of the message it was pressed under."""
    return _PAGE.match(text) is not None


def _judged(desk: Desk, ask: Request) -> Verdict:
    """Operators and the terminal may ask as fast as they like; who is not named is his chat."""
    who = f"{ask.address.platform}:{ask.user or ask.address.chat}"
    if desk.allowance is None or ask.address.platform == "console" or who in desk.admins:
        return "answer"
    return desk.allowance.judge(f"{who} {ask.aside}")


async def _too_fast(desk: Desk, ask: Request) -> Answer:
    return _error(*compose.too_fast(REFILL.seconds, await _tongue(desk, ask)))


async def _answer(desk: Desk, ask: Request) -> Answer:
    await desk.store.revive(ask.address)  # whoever speaks can be spoken to
    try:
        if len(ask.text) > LONGEST_REQUEST:
            raise Refusal(
                N_("That is too long for me: {count} characters."),
                N_("At most {most} will do."),
                count=len(ask.text),
                most=LONGEST_REQUEST,
            )
        name, rest = parse(ask.text)
        found = find(name)
        if found is None and ask.private and not one_line(ask.text).startswith("/") and not _near(name):
            name, rest = parse(stands_for(ask.text, desk.clock().date()))
            found = find(name)
        return await (_run(found, rest, desk, ask) if found else _unknown(name, desk, ask))
    except Refusal as refusal:
        return _error(*(await _tongue(desk, ask)).refusal(refusal))


async def _run(command: Command, rest: str, desk: Desk, ask: Request) -> Answer:
    if command.alters(rest) and not ask.is_admin:
        raise Refusal(
            N_("Only an admin of this chat can change its settings."), N_("In a private chat with me you can.")
        )
    if desk.refresh and command.needs:
        await desk.refresh(command.needs)
    arguments = (rest,) if command.takes and rest else ()
    return await command.run(desk, ask, *arguments)


async def _unknown(name: str, desk: Desk, ask: Request) -> Answer:
    near = _near(name, 0.6)
    nearest = f"/{near}" if near else ""
    slash = "/" if one_line(ask.text).startswith("/") else ""
    sentence, hint = compose.unknown(shown(f"{slash}{name}"), nearest, await _tongue(desk, ask))
    return _error(sentence, hint, nearest=nearest)


def _near(name: str, cutoff: float = 0.8) -> str:
    """The command that this may be a slip of the finger for, "" for none."""
    return next(iter(get_close_matches(name, list(commands()), 1, cutoff=cutoff)), "")


async def _tongue(desk: Desk, ask: Request) -> Tongue:
    return await desk.tongue(ask.address, ask.language)


def _error(message: str, hint: str, *, nearest: str = "") -> Answer:
    return Answer(compose.refusal(message, hint, nearest=nearest), error={"message": message, "hint": hint})


load()
