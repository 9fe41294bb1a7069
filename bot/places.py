"""Names of zones, countries and languages as people type them, in every language we speak."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import available_timezones

import regex
from babel import Locale
from babel.dates import get_timezone_location

from bot.echo import shown
from bot.errors import Refusal
from bot.locales import N_, is_beta, languages, tongue

CAPITALS: Final = {
    N_("Almaty"): "Asia/Almaty",
    N_("Bishkek"): "Asia/Bishkek",
    N_("Tashkent"): "Asia/Tashkent",
    N_("Dushanbe"): "Asia/Dushanbe",
    N_("Ashgabat"): "Asia/Ashgabat",
}
"""One city a country for those who would rather press than type."""

TOWNS: Final = {
    "astana": "Asia/Almaty",
    "астана": "Asia/Almaty",
    "shymkent": "Asia/Almaty",
    "шымкент": "Asia/Almaty",
    "osh": "Asia/Bishkek",
    "ош": "Asia/Bishkek",
    "khujand": "Asia/Dushanbe",
    "худжанд": "Asia/Dushanbe",
}
"""Cities of the region after which no zone is named."""

REGIONS: Final = {
    "Asia": N_("Asia"),
    "Europe": N_("Europe"),
    "Africa": N_("Africa"),
    "America": N_("America"),
    "Australia": N_("Australia"),
    "Pacific": N_("Pacific Ocean"),
    "Atlantic": N_("Atlantic Ocean"),
    "Indian": N_("Indian Ocean"),
    "Antarctica": N_("Antarctica"),
    "Arctic": N_("Arctic"),
}
"""How zones are named, and what each part of the world is called."""

BETA: Final = " (beta)"

_OFFSET: Final = regex.compile(r"(?:utc|gmt)? ?([+-]) ?0?(\d{1,2})(?::?00)?")


@cache
def known_zones() -> frozenset[str]:
    """IANA names of all zones. Kept, as finding them walks through folders for a hundredth of a second."""
    return frozenset(available_timezones())


def zone(text: str) -> str:
    """The IANA name of a zone, a city or an offset such as "UTC+5". Raises Refusal with the nearest."""
    wanted = _fold(text)
    found = _offset(text) or _zones().get(wanted)
    if found:
        return found
    near = get_close_matches(wanted, _zones(), 1, cutoff=0.6)
    if near:
        raise Refusal(
            N_("I do not know the time zone {text}. Did you mean {nearest}?"),
            N_("Say /timezone {nearest}, or another city such as Tashkent."),
            text=shown(text),
            nearest=_zones()[near[0]],
        )
    raise Refusal(
        N_("I do not know the time zone {text}."),
        N_("Name a city or a zone: /timezone Bishkek, /timezone Europe/London."),
        text=shown(text),
    )


@cache
def zones_of(region: str, code: str) -> tuple[tuple[str, str], ...]:
    """(city, zone) of every country's zones in a part of the world, in the order of their names in this language."""
    table = files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8")
    names = {line.split("\t")[2] for line in table.splitlines() if line and not line.startswith("#")}
    ours = [name for name in names if name.startswith(f"{region}/")]
    return tuple(sorted((get_timezone_location(name, code, return_city=True), name) for name in ours))


def country(text: str) -> str:
    """The two-letter code of a country given by code or name. Raises Refusal."""
    code = text.upper()
    if len(code) == 2 and code in Locale.parse("en").territories:
        return code
    found = _countries().get(_fold(text))
    if found:
        return found
    raise Refusal(
        N_("I do not know the country {text}."),
        N_("Use its two letters, such as country:kz, or its name."),
        text=shown(text),
    )


def language(text: str) -> str:
    """The code of a language we speak, given by code or name. Raises Refusal."""
    named = {_fold(name): code for code in languages() for name in _names_of(code)}
    found = named.get(_fold(text))
    if found:
        return found
    raise Refusal(
        N_("I do not speak {text}."),
        N_("I speak: {languages}."),
        text=shown(text),
        languages=", ".join(f"{own_name(code)} (/language {code})" for code in languages()),
    )


def own_name(code: str) -> str:
    """What a language calls itself: "English", "Русский", "Тоҷикӣ (beta)"."""
    name = Locale.parse(code).get_language_name(code) or code
    return name[:1].upper() + name[1:] + (BETA if is_beta(code) else "")


def _names_of(code: str) -> Iterable[str]:
    spoken = (Locale.parse(code).get_language_name(other) for other in languages())
    return (code, *(name for name in spoken if name))


@cache
def _zones() -> dict[str, str]:
    """Folded names of zones and of their cities."""
    names = sorted(name for name in known_zones() if "/" in name or name in ("UTC", "GMT"))
    cities: dict[str, str] = {}
    for name in (name for name in names if not name.startswith("Etc/")):
        own = _fold(name.rpartition("/")[2])
        # an old spelling of a zone shares its city with the zone of today
        today = own == _city(name, "en")
        for city in (own, *(_city(name, code) for code in languages() if not is_beta(code))):
            if today or city not in cities:
                cities[city] = name
    capitals = {_fold(tongue(code).say(city)): name for code in languages() for city, name in CAPITALS.items()}
    return cities | capitals | TOWNS | {_fold(name): name for name in names}


def _city(zone: str, code: str) -> str:
    return _fold(get_timezone_location(zone, code, return_city=True))


def _offset(text: str) -> str | None:
    match = _OFFSET.fullmatch(_fold(text, dash="-"))
    if not match:
        return None
    # the names of these zones count westward
    name = f"Etc/GMT{'-' if match[1] == '+' else '+'}{int(match[2])}"
    return name if name in known_zones() else None


@cache
def _countries() -> dict[str, str]:
    territories = ((code, name) for spoken in languages() for code, name in Locale.parse(spoken).territories.items())
    return {"кыргызстан": "KG"} | {_fold(name): code for code, name in territories if len(code) == 2}


def _fold(text: str, *, dash: str = " ") -> str:
    plain = text.casefold().replace("ё", "е").replace("_", " ").replace("-", dash)
    return " ".join(plain.split())
