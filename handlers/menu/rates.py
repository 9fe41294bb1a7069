"""/rates: the board of the five currencies, or one of them in any common spelling."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Final

import regex

from bot.board import BASE, FIVE, read_board
from bot.compose import rates as compose
from bot.echo import shown
from bot.errors import Refusal
from bot.locales import N_
from bot.models import Answer, Request
from handlers.menu.desk import Desk
from handlers.menu.registry import command

NAMES: Final = {
    "KZT": ("₸", "тенге", "теңге", "tenge"),
    "KGS": ("⃀", "сом", "сома", "сомов"),
    "UZS": ("сум", "сума", "сумов", "сўм", "sum", "soum", "so'm"),
    "TJS": ("сомони", "сомонӣ", "somoni"),
    "TMT": ("манат", "маната", "манатов", "manat"),
    BASE: ("$", "доллар", "доллара", "долларов", "dollar", "dollars", "бакс"),
}
CODES: Final = {name: code for code, names in NAMES.items() for name in (code.casefold(), *names)}
AMBIGUOUS: Final = "som"
_APOSTROPHES: Final = str.maketrans(dict.fromkeys("’‘ʻʼ`", "'"))
_WORD: Final = regex.compile(r"[\p{L}\p{M}\p{N}']+|[₸⃀$]")
_JOINERS: Final = frozenset({"in", "to", "в", "к"})


@command(group="rates", needs={"rates"})
async def rates(desk: Desk, ask: Request, what: Annotated[str, "KZT | USD/KZT"] = "") -> Answer:
    """The official rates of the five currencies, or of one.

    /rates
    /rates KZT
    """
    code = _currency(what)
    tongue = await desk.tongue(ask.address, ask.language)
    board = await read_board(desk.store, desk.catalogue.roads, desk.clock(), only={code} if code else FIVE)
    message = compose.one(board.quotes[0], tongue) if code else compose.board(board, tongue)
    return Answer(message, compose.board_data(board))


def _currency(what: str) -> str:
    """The currency asked for against the dollar, "" for all. Raises Refusal."""
    words = [word for word in _WORD.findall(what.casefold().translate(_APOSTROPHES)) if word not in _JOINERS]
    codes = [code for word in words for code in _read(word, what)]
    others = [code for code in codes if code != BASE]
    if (what.strip() and not codes) or len(codes) > 2:
        raise _unknown(what)
    if len(others) == 2:
        raise Refusal(
            N_("I show rates against the dollar only, so not {pair}."),
            N_("Try /rates {code}, or /rates for all of them."),
            pair="/".join(codes),
            code=others[0],
        )
    return others[0] if others else ""


def _read(word: str, what: str) -> list[str]:
    """The codes a word stands for: one, or two written together (usdkzt)."""
    if word == AMBIGUOUS:
        raise Refusal(
            N_("“{word}” may be the Kyrgyz som (KGS) or the Uzbek soum (UZS)."),
            N_("Say /rates KGS or /rates UZS."),
            word=word,
        )
    if word in CODES:
        return [CODES[word]]
    if len(word) == 6 and word[:3] in CODES and word[3:] in CODES:
        return [CODES[word[:3]], CODES[word[3:]]]
    raise _unknown(what)


def _unknown(what: str) -> Refusal:
    close = get_close_matches(what.strip().upper(), FIVE, n=1)
    hint = N_("Did you mean /rates {code}?") if close else N_("Try /rates {code}, or /rates for all of them.")
    return Refusal(
        N_("I do not know {what}. I know {known}."),
        hint,
        what=shown(what),
        known=", ".join(FIVE),
        code=close[0] if close else FIVE[0],
    )
