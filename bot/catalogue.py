"""The catalogue: the built-in outlets and banks, and what SOURCES_FILE makes of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.errors import SettingsError
from bot.models import Catalogue, Feed, RateRoad
from bot.sources import banks
from bot.sources.histories import HISTORIES

Source = TypeVar("Source", bound=Feed | RateRoad)

BUILT_IN: Final = Path(__file__).parent / "sources" / "feeds.toml"


def _address(text: str) -> str:
    if not re.match(r"https?://[^\s/]+", text):
        raise ValueError
    return text


def _dated_address(text: str) -> str:
    try:
        day = date(2026, 1, 1)
        _address(text.format(date=day, since=day, until=day, series=""))
    except (KeyError, IndexError, AttributeError, TypeError):
        raise ValueError from None
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
_ID_EXPECTED: Final = "a short name of a-z, 0-9, - and _"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _FeedRow(_Row):
    id: Id = Field(description=_ID_EXPECTED)
    url: Annotated[str, AfterValidator(_address)] = Field(description="an http or https address")
    title: Text = Field("", description="a text of at most 100 characters")
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = Field("en", description='a code such as "en"')
    spare: Annotated[str, AfterValidator(_address)] = Field("", description="an http or https address")
    countries: list[Country] = Field([], description='a list of codes such as ["KZ", "UZ"]')


class _RateRow(_Row):
    id: Id = Field(description=_ID_EXPECTED)
    url: Annotated[str, AfterValidator(_dated_address)] = Field(
        description="an http or https address, where it asks for a day with {date:%d.%m.%Y} or the like"
    )
    parser: Id = Field("", description=_ID_EXPECTED)
    priority: int | None = Field(None, description="a whole number")


class _File(_Row):
    replace: bool = Field(False, description="true or false")
    feeds: list[_FeedRow] = Field([], description="[[feeds]] tables")
    rates: list[_RateRow] = Field([], description="[[rates]] tables")


def read_catalogue(path: Path | None) -> Catalogue:
    """The built-in catalogue, extended or replaced by the TOML file at `path` if there is one.

    A row with the id of a built-in one takes its place, and is read as that one where it does not
    say otherwise; a declared peg needs no source and is always there. Raises SettingsError naming
    file and line.
    """
    built_in = _built_in()
    namesakes = {road.id: road for road in built_in.roads}
    if path is None:
        return built_in
    text = _text_of(path)
    file = _parsed(path.name, text)
    if file.replace:
        built_in = Catalogue((), tuple(road for road in built_in.roads if not road.url), ())
    _check(path.name, text, file, built_in, namesakes)
    roads = [_road(row, namesakes) for row in file.rates]
    return Catalogue(
        _merged(built_in.feeds, _feeds(file)),
        _merged(built_in.roads, (road for road in roads if road.parser not in HISTORIES)),
        _merged(built_in.histories, (road for road in roads if road.parser in HISTORIES)),
    )


def _built_in() -> Catalogue:
    file = _parsed(BUILT_IN.name, BUILT_IN.read_text("utf-8"))
    roads = tuple(road for bank in banks().values() for road in bank.roads)
    return Catalogue(_feeds(file), roads, tuple(history.road for history in HISTORIES.values()))


def _feeds(file: _File) -> tuple[Feed, ...]:
    return tuple(
        Feed(row.id, row.title or row.id, row.url, row.language, tuple(row.countries), row.spare) for row in file.feeds
    )


def _road(row: _RateRow, namesakes: Mapping[str, RateRoad]) -> RateRoad:
    own = RateRoad(row.id, row.parser or row.id, row.url, row.priority or 0)
    namesake = namesakes.get(row.id)
    if namesake is None or row.parser not in ("", namesake.parser):
        return own
    return replace(namesake, url=row.url, priority=namesake.priority if row.priority is None else row.priority)


def _merged(built_in: Sequence[Source], own: Iterable[Source]) -> tuple[Source, ...]:
    """The built-in ones in their order, each one's namesake in its place, then the others."""
    return tuple({source.id: source for source in (*built_in, *own)}.values())


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise SettingsError(f"SOURCES_FILE: cannot read {path.name}: {reason}") from None


def _parsed(name: str, text: str) -> _File:
    try:
        return _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error), re.DOTALL)
        reason, line = (found[1], found[2]) if found else (str(error), None)
        raise _error(name, int(line or text.count("\n") + 1), f"{reason[:1].lower()}{reason[1:]}") from None
    except ValidationError as error:
        found_first = error.errors()[0]
        where = found_first["loc"][:3]
        raise _error(name, _line(text, where), _complaint(found_first["type"], where)) from None


def _complaint(kind: str, where: Sequence[int | str]) -> str:
    """What is wrong at (key,) or (table, n, key) of the file, and what is expected there."""
    rows: dict[str, type[_Row]] = {"feeds": _FeedRow, "rates": _RateRow}
    row = rows[str(where[0])] if len(where) > 2 else _File
    key = str(where[2] if len(where) > 2 else where[0])
    if kind == "extra_forbidden":
        return f"unknown key '{key}'{_suggestion(key, row.model_fields)}"
    if kind == "missing":
        return f"{key} is missing; expected {row.model_fields[key].description}"
    return f"{key}: expected {row.model_fields[key].description}"


def _suggestion(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = get_close_matches(word, names, 1)
    return f"; did you mean '{near[0]}'?" if near else f"; expected one of {', '.join(names)}"


def _check(name: str, text: str, file: _File, built_in: Catalogue, namesakes: Mapping[str, RateRoad]) -> None:
    """Every parser is there, and every id names one source only."""
    parsers = [*(bank.id for bank in banks().values() if bank.parse), *HISTORIES]
    for n, row in enumerate(file.rates):
        if (parser := _road(row, namesakes).parser) not in parsers:
            line = _line(text, ("rates", n, "parser" if row.parser else "id"))
            raise _error(name, line, f"unknown parser '{parser}'{_suggestion(parser, parsers)}")
        if parser not in HISTORIES and ("{since" in row.url or "{until" in row.url):
            raise _error(name, _line(text, ("rates", n, "url")), f"url: {_RateRow.model_fields['url'].description}")
    taken = {"feeds": {road.id for road in built_in.roads}, "rates": {feed.id for feed in built_in.feeds}}
    rows = [("feeds", n, row.id) for n, row in enumerate(file.feeds)]
    rows += [("rates", n, row.id) for n, row in enumerate(file.rates)]
    for table, n, source in rows:
        if source in taken[table]:
            raise _error(name, _line(text, (table, n, "id")), f"duplicate id '{source}'")
        taken["feeds"].add(source)
        taken["rates"].add(source)


def _line(text: str, where: Sequence[int | str]) -> int:
    """The line of a key of the n-th [[table]], else of that table, else of the file."""
    start, end = 0, len(text)
    if len(where) > 1:
        heads = list(re.finditer(rf"^[ \t]*\[\[\s*{where[0]}\s*\]\]", text, re.MULTILINE))
        head = heads[int(where[1])] if int(where[1]) < len(heads) else None
        start = head.end() if head else 0
        following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, start)
        end = following.start() if head and following else len(text)
    key = re.compile(rf"""^[ \t]*\[*\s*["']?{re.escape(str(where[-1]))}["']?\s*[=\]]""", re.MULTILINE)
    found = key.search(text, start, end)
    return text.count("\n", 0, found.end() if found else start) + 1


def _error(name: str, line: int, text: str) -> SettingsError:
    return SettingsError(f"{name} line {line}: {text}")
