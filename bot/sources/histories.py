"""How two banks give many days at once: a document a currency, from one day to another.

The addresses stand in the catalogue like roads, but only `yamchi backfill` asks them. In a
SOURCES_FILE they are [[rates]] rows of these ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.errors import SourceError
from bot.models import RateRoad, RateTable
from bot.sources.printed import LARGEST, Row, make_table, read_day, read_xml

MOST_DAYS: Final = 5_000

_PRINTED = re.compile(
    r"<!--date-->\s*([0-9.]{8,10})\s*<!--date-->(?:(?!<!--date-->).)*?<!--value-->\s*([^<]{0,24}?)\s*<!--value-->", re.S
)
_SELECT = re.compile(r"""<select\b[^>]*\bname=["']?valuta_id\b.*?</select>""", re.S | re.I)
_SELECTED = re.compile(r"<option\b([^>]*\bselected\b[^>]*)>\s*([0-9]*)", re.I)
_NUMBER = re.compile(r"""\bvalue=["']?([0-9]+)""", re.I)
_DECIMAL = re.compile(r"([0-9]+)[,.]([0-9]+)")


@dataclass(frozen=True, slots=True)
class Series:
    """A currency of a history. number: what the bank calls it; nominal: where the document says none."""

    code: str
    number: str
    nominal: int = 1


@dataclass(frozen=True, slots=True)
class History:
    """A bank's way to give many days of one currency at once.

    id: names it in the catalogue; bank: whose; span: days that one request may cover
    url: with {since:...}, {until:...} and {series}
    parse: the document to a table a date with this currency only; raises SourceError
    """

    id: str
    bank: str
    url: str
    parse: Callable[[bytes, Series], list[RateTable]]
    series: tuple[Series, ...]
    span: int = 365

    @property
    def road(self) -> RateRoad:
        return RateRoad(self.id, self.id, self.url)


def parse_nbkr(body: bytes, series: Series) -> list[RateTable]:
    """A page of the archive of the National Bank of the Kyrgyz Republic: HTML in UTF-8, comma decimals.

    Figures stand between comments, without code or nominal; both are in the page's own menu of
    currencies, where the one asked for is selected. A page without a figure is no error.
    """
    if len(body) > LARGEST:
        raise SourceError("a document of more than 1 MB")
    page = body.decode("utf-8", "replace")
    menu = _SELECT.search(page)
    if menu is None:
        raise SourceError("an HTML page, but not the archive of rates")
    nominal = str(series.nominal)
    if selected := _SELECTED.search(menu[0]):
        number = _NUMBER.search(selected[1])
        if number and number[1] != series.number:
            raise SourceError(f"asked for {series.code}, answered for another currency")
        nominal = selected[2] or nominal
    rows = (Row(series.code, _dotted(value), nominal, on=on) for on, value in _PRINTED.findall(page))
    return _dated("nbkr", "KGS", rows)


def parse_nbt(body: bytes, series: Series) -> list[RateTable]:
    """A dynamic series of the National Bank of Tajikistan: Record after Record, dated DD.MM.YYYY."""
    root = read_xml(body, "ValCurs")
    rows = []
    for item in root.iterfind("Record"):
        code, value, nominal = ((item.findtext(name) or "").strip() for name in ("CharCode", "Value", "Nominal"))
        if code and code != series.code:
            raise SourceError(f"asked for {series.code}, answered for another currency")
        rows.append(Row(series.code, _dotted(value), nominal, on=item.get("Date", "").strip()))
    return _dated("nbt", "TJS", rows)


def _dated(bank: str, quote: str, rows: Iterable[Row]) -> list[RateTable]:
    """A table for each date, newest first; a row that cannot be read is left out with its date.

    Raises SourceError where there are rows and all are bad.
    """
    by_date: dict[date, list[Row]] = {}
    trouble: SourceError | None = None
    for n, row in enumerate(rows):
        if n >= MOST_DAYS:
            raise SourceError("far more rows than there are days")
        try:
            by_date.setdefault(read_day(row.on), []).append(row)
        except SourceError as error:
            trouble = error
    tables = []
    for same_day in by_date.values():
        try:
            tables.append(make_table(bank, quote, same_day))
        except SourceError as error:
            trouble = error
    if trouble and not tables:
        raise trouble
    return sorted(tables, key=lambda table: table.effective_date, reverse=True)


def _dotted(value: str) -> str:
    match = _DECIMAL.fullmatch(value)
    return ".".join(match.groups()) if match else f"{value} without decimals"


NBKR: Final = History(
    id="nbkr_history",
    bank="nbkr",
    url="https://www.nbkr.kg/index1.jsp?item=1562&lang=ENG&valuta_id={series}"
    "&beg_day={since:%d}&beg_month={since:%m}&beg_year={since:%Y}"
    "&end_day={until:%d}&end_month={until:%m}&end_year={until:%Y}",
    parse=parse_nbkr,
    series=tuple(
        Series(code, number)
        for code, number in (
            ("USD", "15"),
            ("EUR", "20"),
            ("RUB", "44"),
            ("CNY", "24"),
            ("KZT", "40"),
            ("UZS", "46"),
            ("TJS", "45"),
            ("TMT", "108"),
        )
    ),
)
NBT: Final = History(
    id="nbt_history",
    bank="nbt",
    url="https://www.nbt.tj/en/kurs/export_xml_dynamic.php?d1={since:%Y-%m-%d}&d2={until:%Y-%m-%d}&cs={series}&export=xml",
    parse=parse_nbt,
    series=tuple(Series(code, code) for code in ("USD", "EUR", "RUB", "CNY", "KZT", "KGS", "UZS", "TMT")),
)
HISTORIES: Final = {history.id: history for history in (NBKR, NBT)}
