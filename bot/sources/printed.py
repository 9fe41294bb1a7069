"""Reading what a bank prints, trusting none of it.

XML and JSON come in as bytes, figures are plain ASCII digits. A row that cannot be read becomes a
problem by name and the others stay; a document that is none is a SourceError.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Final, NoReturn
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.parsers.expat import errors as expat

from bot.errors import SourceError
from bot.models import Fixing, RateTable

LARGEST: Final = 1_000_000
"""Bytes of a document; the largest real one has 26,000."""
MOST_ROWS: Final = 1_000
MOST_PROBLEMS: Final = 20

_VALUE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_CHANGE = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?")
_DECIMAL = re.compile(r"([0-9]+)[,.]([0-9]+)")
_NOMINAL = re.compile(r"10{0,11}")
_CODE = re.compile(r"[A-Z]{3}")
_DAY_FIRST = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4}|[0-9]{2})")
_YEAR_FIRST = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_BOM = b"\xef\xbb\xbf"

_CUT_OFF = frozenset(
    expat.codes[text]
    for text in (
        expat.XML_ERROR_NO_ELEMENTS,
        expat.XML_ERROR_UNCLOSED_TOKEN,
        expat.XML_ERROR_PARTIAL_CHAR,
        expat.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it stands in the document: texts, none of them checked.

    on: the row's own date, "" where only the document has one.
    """

    code: str
    value: str
    nominal: str
    change: str = ""
    on: str = ""


class _Builder(TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> NoReturn:
        # Entities live in DTDs: expat would expand a small one silently.
        raise SourceError("XML with a DTD, which no bank needs")


def read_xml(body: bytes, *roots: str) -> Element:
    """The root element, which is one of `roots`. Raises SourceError."""
    body = _plain(body, "XML")
    parser = XMLParser(target=_Builder())  # noqa: S314 - the builder refuses every DTD
    try:
        parser.feed(body)
        root: Element = parser.close()
    except ParseError as error:
        raise SourceError(_trouble(error, body)) from None
    except (LookupError, ValueError):
        raise SourceError("XML in an encoding nobody knows") from None
    if root.tag not in roots:
        raise SourceError(f"XML, but not of rates: <{_shown(root.tag)}>")
    return root


def read_json(body: bytes) -> list[dict[str, str]]:
    """An array of objects; numbers stay the text they are, what is no text is "". Raises SourceError."""
    data = _loaded(body)
    if not isinstance(data, list):
        raise SourceError("JSON, but not a list of rates")
    rows = (row if isinstance(row, dict) else {} for row in data)
    return [{key: value for key, value in row.items() if isinstance(value, str)} for row in rows]


def read_object(body: bytes) -> dict[str, object]:
    """An object; numbers stay the text they are. Raises SourceError."""
    data = _loaded(body)
    if not isinstance(data, dict):
        raise SourceError("JSON, but not an object")
    return data


def dotted(figure: str) -> str:
    """A figure with a decimal comma, as one with a dot. One without decimals has lost its comma: no rate."""
    match = _DECIMAL.fullmatch(figure)
    return ".".join(match.groups()) if match else f"{figure} without decimals"


def read_day(text: str) -> date:
    """DD.MM.YYYY, DD.MM.YY (of this century) or YYYY-MM-DD. Raises SourceError."""
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year = map(int, match.groups())
        year += 2000 if year < 100 else 0
    elif match := _YEAR_FIRST.fullmatch(text):
        year, month, day = map(int, match.groups())
    else:
        raise SourceError(f"no date that can be read: {_shown(text)}")
    try:
        return date(year, month, day)
    except ValueError:
        raise SourceError(f"no such date: {_shown(text)}") from None


def make_table(source: str, quote: str, rows: Iterable[Row], on: str = "") -> RateTable:
    """The table of these rows. on: the document's date, "" where every row has its own.

    Raises SourceError if no row is good.
    """
    listed = list(islice(rows, MOST_ROWS + 1))
    if len(listed) > MOST_ROWS:
        raise SourceError("far more rows than there are currencies")
    dated = on or _common_date(listed)
    fixings, problems = _sort(listed, dated)
    if not fixings:
        raise SourceError("no rate that can be read" + (f" ({problems[0]})" if problems else ""))
    return RateTable(source, quote, read_day(dated), tuple(fixings), problems=tuple(problems[:MOST_PROBLEMS]))


def make_market_table(source: str, base: str, rows: Iterable[Row], on: str) -> RateTable:
    """The table of a collector: each row's code is the quote currency of `base`. Raises SourceError."""
    table = make_table(source, "", rows, on)
    fixings = tuple(Fixing(base, row.value, row.nominal, quote=row.base) for row in table.fixings)
    return replace(table, kind="market", fixings=fixings)


def _common_date(rows: Sequence[Row]) -> str:
    if not rows:
        raise SourceError("a document without rates")
    return Counter(row.on for row in rows).most_common(1)[0][0]


def _sort(rows: Sequence[Row], dated: str) -> tuple[list[Fixing], list[str]]:
    """Good rows, and the others by name. A currency printed twice, differently, is none."""
    good: dict[str, Fixing] = {}
    problems: dict[str, str] = {}
    for row in rows:
        name = _shown(row.code) or "a row without a code"
        if problem := _problem(row, dated):
            problems[name] = f"{name}: {problem}"
            continue
        change = row.change if _CHANGE.fullmatch(row.change) else ""
        fixing = Fixing(row.code, row.value, int(row.nominal), change)
        if good.setdefault(row.code, fixing) != fixing:
            problems[name] = f"{name}: printed twice, differently"
    # A code that also stands in a bad row is left out: nobody can say which row is meant.
    return [fixing for code, fixing in good.items() if code not in problems], list(problems.values())


def _problem(row: Row, dated: str) -> str:
    if not _CODE.fullmatch(row.code):
        return "no currency code"
    if row.on and row.on != dated:
        return f"dated {_shown(row.on)}"
    if not _NOMINAL.fullmatch(row.nominal):
        return f"nominal {_shown(row.nominal) or 'missing'}"
    if not _VALUE.fullmatch(row.value) or not row.value.strip("0."):
        return f"value {_shown(row.value) or 'missing'}"
    return ""


def _plain(body: bytes, form: str) -> bytes:
    """The body without a byte-order mark and leading space, if it can be of this form at all."""
    if len(body) > LARGEST:
        raise SourceError("a document of more than 1 MB")
    body = body.removeprefix(_BOM).lstrip()
    head = body[:1024].lower()
    if not body:
        raise SourceError("an empty document")
    if b"<html" in head or head.startswith(b"<!doctype html"):
        raise SourceError(f"an HTML page instead of {form}")
    if form == "XML" and head[:1] in (b"{", b"["):
        raise SourceError("JSON instead of XML")
    if form == "JSON" and head[:1] == b"<":
        raise SourceError("XML instead of JSON")
    return body


def _loaded(body: bytes) -> object:
    body = _plain(body, "JSON")
    try:
        data: object = json.loads(
            body, parse_float=str, parse_int=str, parse_constant=_no_constant, object_pairs_hook=_object
        )
    except UnicodeDecodeError:
        raise SourceError("JSON that is not in UTF-8") from None
    except (ValueError, RecursionError):
        raise SourceError("JSON that is cut off or broken") from None
    return data


def _trouble(error: ParseError, body: bytes) -> str:
    if error.code in _CUT_OFF:
        return "XML that is cut off"
    if b"encoding" not in body[:100] or b"utf-8" in body[:100].lower():
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            return "XML that is not in UTF-8 as it says"
    return "broken XML"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A key that stands twice, differently, has no value: json alone would take the last one."""
    data: dict[str, object] = {}
    for key, value in pairs:
        if data.setdefault(key, value) != value:
            data[key] = "printed twice"
    return data


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _shown(text: str) -> str:
    """A text from outside, short and printable, fit for a report."""
    return "".join(c if c.isprintable() else "?" for c in text[:24])
