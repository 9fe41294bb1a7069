"""Currencies as people call them: ISO codes, signs and names, with the endings that our readers' languages add."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import Final

from bot.board import BASE, FIVE
from bot.echo import shown
from bot.errors import Refusal
from bot.locales import N_


def _words(text: str) -> list[str]:
    return text.split()


COLUMNS: Final = (BASE, "EUR", "RUB", "CNY")
"""What the board is shown against."""
OTHERS: Final = frozenset(
    _words(
        "AED AFN AMD AUD AZN BGN BRL BYN CAD CHF CZK DKK GBP GEL HKD HUF IDR ILS INR IRR JPY KRW KWD MDL MNT MXN MYR"
        " NOK NZD PKR PLN RON SAR SEK SGD THB TRY UAH VND XDR ZAR"
    )
)
"""Currencies that the five banks print besides: known by code, and some by name."""

_HARD: Final = " а у ом е ы ов ам ами ах"
_SOFT: Final = "ь я ю ем е и ей ям ями ях"
_LIRA: Final = "а ы е у ой  ам ами ах"
_UZBEK: Final = " ga ni ning dan lik"

_NAMES: Final = {
    "KZT": (("₸ тг тенге теңге теңгеге теңгені теңгенің теңгемен танга tenge tenges teñge tg", ""), ("tenge", _UZBEK)),
    "KGS": (("⃀ сомго сомду сомдун", ""), ("сом", _HARD)),
    "UZS": (
        ("сўм сўмга сӯм сум сумга soum soums sum sums so'mlar", ""),
        ("so'm", _UZBEK),
        ("сум", _HARD),
    ),
    "TJS": (("сомони сомонӣ сомонї somoni somonis сомониро", ""),),
    "TMT": (("manats", ""), ("manat", " dan y"), ("манат", _HARD)),
    "USD": (
        ("$ dollars bucks buck долларға долларды долларга доллары usdt", ""),
        ("dollar", _UZBEK),
        ("доллар", _HARD),
        ("бакс", _HARD),
    ),
    "EUR": (("€ евро еуро euro euros yevro yevroga еврога", ""),),
    "RUB": (
        ("₽ р руб rubles roubles ruble rouble rur рублге рубльге рублга", ""),
        ("рубл", _SOFT),
        ("рубл", " ьга"),
        ("rubl", _UZBEK),
    ),
    "CNY": (("¥ 元 yuans renminbi rmb юан юаньга", ""), ("yuan", _UZBEK), ("юан", _SOFT)),
    "GBP": (("£ pound pounds стерлингов", ""), ("фунт", _HARD)),
    "TRY": (("₺ lira liras", ""), ("лир", _LIRA)),
    "JPY": (("yen йен", ""), ("иен", _LIRA)),
    "INR": (("₹ rupee rupees", ""), ("рупи", "я и ю ей й ям")),
    "KRW": (("₩ won", ""),),
    "GEL": (("₾ лари lari", ""),),
    "AZN": (("₼", ""),),
    "UAH": (("₴", ""), ("гривн", "а ы е у ой ам"), ("гривен", "")),
    "CHF": (("franc francs", ""), ("франк", _HARD)),
}
"""Stems and their endings."""

_AMBIGUOUS: Final = "som"
_SAME: Final = str.maketrans({**dict.fromkeys("’‘ʻʼ`´", "'"), "ё": "е"})


def codes_of(word: str, said: str, command: str) -> list[str]:
    """The codes a word stands for: one, or two written together (usdkzt). Raises Refusal.

    said: all that was typed after /command, for a hint that can be typed as it stands
    """
    plain = fold(word)
    if plain == _AMBIGUOUS:
        raise Refusal(
            N_("“{word}” may be the Kyrgyz som (KGS) or the Uzbek soum (UZS)."),
            N_("Say {kyrgyz} or {uzbek}."),
            word=word,
            kyrgyz=f"/{command} {_instead(said, word, 'KGS')}",
            uzbek=f"/{command} {_instead(said, word, 'UZS')}",
        )
    names = _codes()
    if plain in names:
        return [names[plain]]
    if len(plain) == 6 and plain[:3].upper() in _iso() and plain[3:].upper() in _iso():
        return [plain[:3].upper(), plain[3:].upper()]
    raise unknown(word, command)


def known(word: str) -> bool:
    """Whether a word names a currency, or two."""
    plain = fold(word)
    return plain in _codes() or plain == _AMBIGUOUS or {plain[:3].upper(), plain[3:].upper()} <= _iso()


def unknown(what: str, command: str) -> Refusal:
    """What cannot be read as a currency, with the nearest that can."""
    close = get_close_matches(what.strip().upper(), (*FIVE, *COLUMNS), n=1)
    hint = N_("Did you mean /{command} {example}?") if close else N_("Try /{command} {example}, or /help {command}.")
    example = close[0] if close else FIVE[0]
    return Refusal(
        N_("I do not know {what}. I know {known}."),
        hint,
        what=shown(what),
        known=", ".join((*FIVE, *COLUMNS)),
        command=command,
        example=example if command == "rates" else f"100 {BASE} {example if example != BASE else FIVE[0]}",
    )


def fold(word: str) -> str:
    return word.casefold().translate(_SAME)


def _instead(said: str, word: str, code: str) -> str:
    return shown(" ".join(code if part == word else part for part in said.split()))


@cache
def _iso() -> frozenset[str]:
    return frozenset((*FIVE, *COLUMNS, *OTHERS))


@cache
def _codes() -> dict[str, str]:
    names = {code.casefold(): code for code in _iso()}
    for code, stems in _NAMES.items():
        for stem, endings in stems:
            words = stem.split() if not endings else [stem + ending for ending in endings.split(" ")]
            names |= {fold(name): code for name in words}
    return names
