"""Every document there is a road for, as it is printed: today's, the one before, and what can go wrong with one.

Dates are judged where they are in the service: in a look over the road's own address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.models import Fixing, RateRoad, RateTable
from bot.money import per_unit
from bot.sources import banks
from bot.sources.look import look

SOURCES = Path(__file__).parent / "sources"
DAY = timedelta(days=1)
HTML = b'\n<!DOCTYPE html>\n<html lang="en"><head><title>Gateway</title></head><body>Come back later</body></html>'
DTD = b'<!DOCTYPE r [<!ENTITY v "475.09">]>'
ROADS = {road.id: road for bank in banks().values() for road in bank.roads if road.url}
NOT_NUMBERS = [
    "NaN",
    "Infinity",
    "1e3",
    "5,39256E-05",
    "1_000.5",
    "٤٧٥,٠٩",
    "४७५.०९",
    "-475.09",
    "0",
    "0,0000",
    "",
    "4" * 13,
]
NOT_NOMINALS = ["7", "0", "", "-1", "1.0", "1e2", "٠١", "250"]


@dataclass(frozen=True)
class Format:
    """A document in the folder of samples, and where in it things stand.

    pair, figure, nominal: of the row that tests spoil, "figure" as its bytes stand there
    row: that row's bytes, from its first to its last, to be printed again; dated: the date's bytes
    before: what to change for the document of the fixing before; the figure it has then
    """

    road: str
    file: str
    on: date
    dated: bytes
    write: Callable[[date], str]
    pair: tuple[str, str]
    value: str
    figure: bytes
    row: tuple[bytes, bytes]
    before: str
    nominal: bytes = b""
    rows: int = 0
    kind: str = "official"

    @property
    def body(self) -> bytes:
        return (SOURCES / self.file).read_bytes()

    @property
    def is_xml(self) -> bool:
        return self.file.endswith(".xml")

    @property
    def comma(self) -> bool:
        return b"," in self.figure

    def dated_as(self, day: date | str, figure: str = "") -> bytes:
        """The document of another day, with another figure."""
        text = day if isinstance(day, str) else self.write(day)
        encoding = "cp1251" if b"windows-1251" in self.body[:60] else "utf-8"
        body = self.body.replace(self.dated, text.encode(encoding, "xmlcharrefreplace"))
        return body.replace(self.figure, self.spelt(figure)) if figure else body

    def spelt(self, figure: str) -> bytes:
        """A figure in the place of the one that stands there, with whatever stands around it."""
        printed = figure.replace(".", ",") if self.comma else figure
        return self.figure.replace(self.value_bytes, printed.encode("ascii", "xmlcharrefreplace"))

    @property
    def value_bytes(self) -> bytes:
        return self.value.replace(".", ",").encode() if self.comma else self.value.encode()

    @property
    def whole_row(self) -> bytes:
        start = self.body.rindex(self.row[0], 0, self.body.index(self.figure) + len(self.figure))
        return self.body[start : self.body.index(self.row[1], self.body.index(self.figure)) + len(self.row[1])]

    def again(self, figure: str) -> bytes:
        """The document with its row printed once more, with this figure."""
        twice = self.whole_row.replace(self.figure, self.spelt(figure))
        comma = b"" if self.is_xml else b","
        return self.body.replace(self.whole_row, self.whole_row + comma + twice)

    def parse(self, body: bytes) -> RateTable:
        parse = banks()[ROADS[self.road].parser].parse
        assert parse is not None
        return parse(body)

    def row_of(self, table: RateTable) -> Fixing | None:
        return table.fixing(*self.pair)


def dotted(day: date) -> str:
    return f"{day:%d.%m.%Y}"


NBK = Format(
    "nbk", "nbk_get_rates.xml", date(2026, 4, 2), b"02.04.2026", dotted, ("USD", "KZT"), "475.09",
    b"<description>475.09<", (b"<item>", b"</item>"), "478.77", b"<quant>1000<", 7,
)  # fmt: skip
NBK_ALL = Format(
    "nbk_all", "nbk_rates_all.xml", date(2026, 4, 3), b"03.04.2026", dotted, ("USD", "KZT"), "472.31",
    b"<description>472.31<", (b"<item>", b"</item>"), "475.09", b"<quant>100<", 3,
)  # fmt: skip
NBKR = Format(
    "nbkr", "nbkr_daily.xml", date(2026, 5, 24), b"24.05.2026", dotted, ("EUR", "KGS"), "101.5076",
    b"<Value>101,5076<", (b"<Currency ", b"</Currency>"), "101.3110", b"<Nominal>1<", 5,
)  # fmt: skip
NBKR_WEEKLY = Format(
    "nbkr_weekly", "nbkr_weekly.xml", date(2026, 5, 23), b"23.05.2026", dotted, ("TJS", "KGS"), "9.3650",
    b"<Value>9,3650<", (b"<Currency ", b"</Currency>"), "9.3581", b"<Nominal>100<", 5,
)  # fmt: skip
CBU = Format(
    "cbu", "cbu_date.json", date(2026, 4, 2), b"02.04.2026", dotted, ("USD", "UZS"), "12142.10",
    b'"Rate":"12142.10"', (b'{"id"', b"}"), "12194.21", b'"Nominal":"10"', 5,
)  # fmt: skip
CBU_LATEST = replace(CBU, road="cbu_latest")
NBT = Format(
    "nbt", "nbt_date.xml", date(2026, 5, 20), b"2026-05-20", date.isoformat, ("USD", "TJS"), "9.3288",
    b"<Value>9.3288<", (b"<Valute ", b"</Valute>"), "9.3371", b"<Nominal>100<", 6,
)  # fmt: skip
CBT = Format(
    "cbt_xml", "cbt_file.xml", date(2026, 5, 22), b"22.05.2026", dotted, ("EUR", "TMT"), "4.0712",
    b"<rate_tmt>4.0712<", (b"<rate ", b"</rate>"), "4.0597", b"<multiplier>10000<", 9, "peg",
)  # fmt: skip
CBR = Format(
    "cbr", "cbr_daily.xml", date(2026, 4, 25), b"25.04.2026", dotted, ("USD", "RUB"), "75.5273",
    b"<Value>75,5273<", (b"<Valute ", b"</Valute>"), "75.6004", b"<Nominal>100<", 9,
)  # fmt: skip
FRANKFURTER = Format(
    "frankfurter_nbk", "frankfurter_nbk.json", date(2026, 4, 2), b"2026-04-02", date.isoformat, ("USD", "KZT"),
    "475.09", b'"rate":475.09', (b"{", b"}"), "478.77", rows=1,
)  # fmt: skip
CURRENCY_API = Format(
    "currency_api", "currency_api_usd.json", date(2026, 9, 29), b"2026-09-29", date.isoformat, ("USD", "KGS"),
    "87.45712429", b'"kgs":87.45712429', (b'"kgs"', b"429"), "87.4568503", rows=7, kind="market",
)  # fmt: skip
PAGES = replace(CURRENCY_API, road="currency_api_pages")
FORMATS = [NBK, NBK_ALL, NBKR, NBKR_WEEKLY, CBU, CBU_LATEST, NBT, CBT, CBR, FRANKFURTER, CURRENCY_API, PAGES]
XML = [form for form in FORMATS if form.is_xml]
JSON = [form for form in FORMATS if not form.is_xml]
WITH_NOMINALS = [form for form in FORMATS if form.nominal]
MANY_ROWS = [form for form in FORMATS if form.rows > 1]
PER_DATE = [form for form in FORMATS if "{date" in ROADS[form.road].url]
LATEST = [form for form in FORMATS if form not in PER_DATE]


def each(forms: list[Format]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("form", forms, ids=lambda form: form.road)


def refused(form: Format, body: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        form.parse(body)
    return str(caught.value)


async def seen(form: Format, body: bytes, today: date | None = None) -> list[RateTable]:
    """What a look makes of a road that always answers with this document."""
    road: RateRoad = ROADS[form.road]

    async def get(url: str) -> bytes:
        return body

    async def parse(document: bytes) -> RateTable:
        return form.parse(document)

    async def keep(table: RateTable) -> None: ...

    bank = banks()[road.parser]
    noon = datetime.combine(today or form.on, time(12), bank.zone)
    return await look(bank, road, get, parse, noon, [], keep)


# --- as printed ------------------------------------------------------------------


def test_every_road_of_the_catalogue_has_its_document_here():
    roads = {form.road for form in FORMATS}
    assert roads == set(ROADS) - {"frankfurter_nbkr", "frankfurter_cbu", "frankfurter_nbt"}


@each(FORMATS)
def test_the_current_document_is_read_as_printed(form: Format):
    table = form.parse(form.body)
    row = form.row_of(table)
    assert row and (row.value, row.nominal) == (form.value, 1)
    assert (table.effective_date, len(table.fixings), table.kind) == (form.on, form.rows, form.kind)
    assert table.problems == ()


@each(FORMATS)
def test_the_previous_document_is_another_fixing(form: Format):
    table = form.parse(form.dated_as(form.on - DAY, form.before))
    row = form.row_of(table)
    assert row and row.value == form.before
    assert (table.effective_date, len(table.fixings)) == (form.on - DAY, form.rows)


@each(FORMATS)
async def test_a_look_takes_the_document_under_its_roads_name(form: Format):
    tables = await seen(form, form.body)
    assert {(table.source, table.effective_date) for table in tables} == {(form.road, form.on)}


# --- documents that are none -----------------------------------------------------


@each(FORMATS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_truncated_document_is_refused_whole(form: Format, share: float):
    assert "cut off" in refused(form, form.body.rstrip()[: int(len(form.body.rstrip()) * share)])


@each(FORMATS)
def test_a_web_page_with_status_200_is_named(form: Format):
    assert refused(form, HTML) == f"an HTML page instead of {'XML' if form.is_xml else 'JSON'}"


@each(FORMATS)
@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf", b" \r\n\t"])
def test_an_empty_document_is_refused(form: Format, body: bytes):
    assert refused(form, body) == "an empty document"


@each(FORMATS)
def test_the_other_form_is_refused(form: Format):
    other = b'{"code":500,"message":"Which day?"}' if form.is_xml else NBK.body
    assert refused(form, other) == ("JSON instead of XML" if form.is_xml else "XML instead of JSON")


@each(JSON)
@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b'"rates"', b'{"status":404,"message":"not found"}', b"[[]]"])
def test_json_that_is_something_else_is_refused(form: Format, body: bytes):
    assert "rate" in refused(form, body) or "object" in refused(form, body)


@each(FORMATS)
def test_bytes_in_another_encoding_are_refused_or_leave_figures_alone(form: Format):
    wrong = "Курс".encode("utf-8" if b"windows-1251" in form.body[:60] else "cp1251")
    place = b"</" if form.is_xml else b'":'
    body = form.body.replace(place, wrong + place, 1) if not form.is_xml else form.body.replace(
        form.row[0], b"<note>" + wrong + b"</note>" + form.row[0], 1
    )  # fmt: skip
    if b"windows-1251" in form.body[:60]:
        assert form.parse(body) == form.parse(form.body)
    else:
        assert "not in UTF-8" in refused(form, body)


@each(XML)
def test_sixteen_bit_bytes_under_an_eight_bit_name_are_refused(form: Format):
    assert refused(form, form.body.decode("latin-1").encode("utf-16"))


@each(XML)
@pytest.mark.parametrize("dtd", [DTD, b'<!DOCTYPE r SYSTEM "file:///etc/hostname">'])
def test_a_dtd_is_refused_whatever_it_holds(form: Format, dtd: bytes):
    head, end, rest = form.body.partition(b"?>")
    assert refused(form, head + end + dtd + rest) == "XML with a DTD, which no bank needs"


# --- dates -----------------------------------------------------------------------


@each(FORMATS)
@pytest.mark.parametrize("text", ["31.02.2026", "soon", "٠٢.٠٤.٢٠٢٦", "2026-13-01", "1.4.2026", ""])
def test_a_date_that_is_none_is_refused(form: Format, text: str):
    assert "date" in refused(form, form.dated_as(text))


@each(FORMATS)
async def test_a_date_in_the_far_future_is_not_believed(form: Format):
    far = form.on + 400 * DAY
    with pytest.raises(SourceError, match=r"too far ahead|answered with"):
        await seen(form, form.dated_as(far))


@each(LATEST)
@pytest.mark.parametrize("ahead", [4, 5])
async def test_a_latest_document_may_be_four_days_ahead(form: Format, ahead: int):
    body = form.dated_as(form.on + ahead * DAY)
    if ahead == 4:
        assert [table.effective_date for table in await seen(form, body)] == [form.on + ahead * DAY]
    else:
        with pytest.raises(SourceError, match="too far ahead"):
            await seen(form, body)


@each([form for form in PER_DATE if not banks()[ROADS[form.road].parser].own_dates])
async def test_a_document_of_another_day_than_asked_is_discarded(form: Format):
    with pytest.raises(SourceError, match=f"asked for {form.on}, answered with {form.on - 30 * DAY}"):
        await seen(form, form.dated_as(form.on - 30 * DAY))


async def test_the_bank_of_russia_answers_a_weekend_with_saturday_and_is_believed():
    for today in (CBR.on, CBR.on + DAY, CBR.on + 2 * DAY):
        assert [table.effective_date for table in await seen(CBR, CBR.body, today)] == [CBR.on]
    with pytest.raises(SourceError, match="answered with"):
        await seen(CBR, CBR.dated_as(CBR.on + 9 * DAY), CBR.on)


@each([CBT, NBK, NBK_ALL, CBU, CBR, NBT])
def test_dates_are_read_in_both_spellings(form: Format):
    other = form.on.isoformat() if form.write is dotted else dotted(form.on)
    assert form.parse(form.dated_as(other)) == form.parse(form.body)


# --- rows ------------------------------------------------------------------------


@each(FORMATS)
@pytest.mark.parametrize("figure", NOT_NUMBERS)
def test_a_figure_that_is_no_plain_number_is_no_rate_and_costs_nothing_else(form: Format, figure: str):
    printed = f'"{figure}"' if form in (FRANKFURTER, CURRENCY_API, PAGES) else figure
    body = form.body.replace(form.figure, form.spelt(printed))
    if form.rows == 1:
        assert "no rate that can be read (USD: value" in refused(form, body)
        return
    table = form.parse(body)
    assert form.row_of(table) is None
    assert (len(table.fixings), len(table.problems)) == (form.rows - 1, 1)
    assert table.problems[0].startswith(tuple(f"{code}: value" for code in form.pair))


@each([FRANKFURTER, CURRENCY_API, PAGES])
@pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity", "1e3", "4.7509E2", "null", "true", "[1]", "{}"])
def test_a_json_number_that_is_not_plain_is_never_read(form: Format, figure: str):
    body = form.body.replace(form.figure, form.spelt(figure))
    try:
        table = form.parse(body)
    except SourceError as error:
        assert "value" in str(error) or "broken" in str(error)
    else:
        assert form.row_of(table) is None and len(table.problems) == 1


@each([form for form in FORMATS if form.comma])
def test_a_lost_comma_is_no_rate(form: Format):
    lost = form.value.replace(".", "")
    table = form.parse(form.body.replace(form.figure, form.spelt(lost)))
    assert form.row_of(table) is None
    assert table.problems == (f"{form.pair[0]}: value {lost} without decimals"[: len(form.pair[0]) + 9 + 24],)


@each(WITH_NOMINALS)
@pytest.mark.parametrize("nominal", NOT_NOMINALS)
def test_a_nominal_that_is_no_power_of_ten_costs_its_row(form: Format, nominal: str):
    number = bytes(byte for byte in form.nominal if chr(byte).isdigit())
    spelt = form.nominal.replace(number, nominal.encode("ascii", "xmlcharrefreplace"))
    table = form.parse(form.body.replace(form.nominal, spelt, 1))
    assert (len(table.fixings), len(table.problems)) == (form.rows - 1, 1)
    assert ": nominal " in table.problems[0]


@pytest.mark.parametrize(
    ("form", "code", "small", "large"),
    [
        (NBK, "IRR", (b"0.4<", b"<quant>1000<"), (b"4<", b"<quant>10000<")),
        (NBT, "UZS", (b"0.0777<", b"<Nominal>100<"), (b"0.7770<", b"<Nominal>1000<")),
        (NBKR_WEEKLY, "BYR", (b"0,4329<", b"<Nominal>100<"), (b"4,3290<", b"<Nominal>1000<")),
        (CBU, "VND", (b'"4.61"', b'"Nominal":"10"'), (b'"46.10"', b'"Nominal":"100"')),
        (CBT, "IRR", (b"0.0265<", b"<multiplier>10000<"), (b"0.265<", b"<multiplier>100000<")),
        (CBR, "IRR", (b"53,9256<", b"<Nominal>1000000<"), (b"5,39256<", b"<Nominal>100000<")),
    ],
    ids=lambda value: value.road if isinstance(value, Format) else None,
)
def test_a_nominal_that_grows_with_its_figure_leaves_the_rate_as_it_was(form: Format, code, small, large):
    body = form.body
    for was, now in zip(small, large, strict=True):
        assert body.count(was) == 1
        body = body.replace(was, now)
    quote = form.pair[1]
    grown, before = form.parse(body).fixing(code, quote), form.parse(form.body).fixing(code, quote)
    assert grown and before and grown.nominal != before.nominal
    assert per_unit(grown) == per_unit(before)


@each(FORMATS)
def test_duplicates_that_agree_are_one_row(form: Format):
    assert form.parse(form.again(form.value)) == form.parse(form.body)


@each(FORMATS)
def test_duplicates_in_conflict_are_named_and_neither_is_taken(form: Format):
    body = form.again(form.before)
    if form.rows == 1:
        assert refused(form, body) == "no rate that can be read (USD: printed twice, differently)"
        return
    table = form.parse(body)
    assert form.row_of(table) is None
    assert (len(table.fixings), len(table.problems)) == (form.rows - 1, 1)
    assert "printed twice" in table.problems[0]


@each(MANY_ROWS)
def test_a_bad_row_is_named_and_the_good_ones_stay(form: Format):
    bare = form in (CURRENCY_API, PAGES)
    spoilt = form.parse(form.body.replace(form.figure, form.spelt('"soon"' if bare else "soon")))
    whole = form.parse(form.body)
    assert spoilt.fixings == tuple(row for row in whole.fixings if whole.pair(row) != form.pair)
    assert len(spoilt.problems) == 1 and "soon" in spoilt.problems[0]


@each([CBT, CBR, FRANKFURTER, CURRENCY_API])
@given(data=st.data())
def test_a_damaged_document_is_a_table_or_a_source_error_and_nothing_else(form: Format, data: st.DataObject):
    body = form.body
    at, gone = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(0, 40))
    try:
        table = form.parse(body[:at] + data.draw(st.binary(max_size=8)) + body[at + gone :])
    except SourceError as error:
        assert 0 < len(str(error)) < 120
    else:
        assert all(per_unit(row) > 0 for row in table.fixings)


# --- what is particular ----------------------------------------------------------


def test_the_bank_of_russia_is_read_by_value_and_nominal_never_by_vunitrate():
    table = CBR.parse(CBR.body)
    rials = table.fixing("IRR")
    assert rials and (rials.value, rials.nominal) == ("53.9256", 1_000_000)
    soum = table.fixing("UZS")
    assert soum and per_unit(soum) == Decimal("0.00628322")
    without = b"".join(part.partition(b"</VunitRate>")[2] or part for part in CBR.body.split(b"<VunitRate>"))
    assert b"VunitRate" not in without
    assert CBR.parse(without) == table
    assert CBR.parse(CBR.body.replace(b"<VunitRate>75,5273<", b"<VunitRate>1,0000<")) == table


def test_the_manats_file_is_read_by_rate_tmt_never_by_rate_usd():
    table = CBT.parse(CBT.body)
    assert table.fixing("USD") == Fixing("USD", "3.5")
    assert table.fixing("UZS") == Fixing("UZS", "0.2915", 1000)
    assert table.quote == "TMT"
    assert CBT.parse(CBT.body.replace(b"<rate_usd>12005<", b"<rate_usd>999<")) == table
    only_usd = CBT.body.replace(b"<rate_tmt>3.5</rate_tmt>", b"")
    assert CBT.parse(only_usd).problems == ("USD: value missing",)


def test_a_manat_that_left_its_peg_is_kept_as_printed():
    row = CBT.parse(CBT.body.replace(b"<rate_tmt>3.5<", b"<rate_tmt>19.5<")).fixing("USD")
    assert row == Fixing("USD", "19.5")


def test_the_market_file_gives_seven_currencies_in_dollars_and_no_manat():
    table = CURRENCY_API.parse(CURRENCY_API.body)
    assert {row.base for row in table.fixings} == {"USD"}
    assert {row.quote for row in table.fixings} == {"KZT", "KGS", "UZS", "TJS", "RUB", "EUR", "CNY"}
    assert table.quote == ""
    missing = CURRENCY_API.body.replace(b'"kgs":87.45712429,', b"")
    assert len(CURRENCY_API.parse(missing).fixings) == 6


@pytest.mark.parametrize("body", [b'{"date":"2026-09-29","eur":{"kgs":99.1}}', b'{"date":"2026-09-29","usd":[1]}'])
def test_a_market_file_of_another_base_is_refused(body: bytes):
    assert refused(CURRENCY_API, body) == "JSON, but not of dollar rates"


def test_a_market_file_of_none_of_our_currencies_is_refused():
    assert refused(CURRENCY_API, b'{"date":"2026-09-29","usd":{"aed":3.67}}') == "no rate that can be read"


@pytest.mark.parametrize(
    ("road", "quote", "rate"),
    [("nbk", "KZT", "475.09"), ("nbkr", "KGS", "87.45"), ("cbu", "UZS", "12142.1"), ("nbt", "TJS", "9.3288")],
)
def test_frankfurter_keeps_each_banks_own_digits(road: str, quote: str, rate: str):
    address = ROADS[f"frankfurter_{road}"].url
    assert address == f"https://api.frankfurter.dev/v2/rates?base=USD&quotes={quote}&providers={road.upper()}"
    table = FRANKFURTER.parse(f'[{{"date":"2026-04-02","base":"USD","quote":"{quote}","rate":{rate}}}]'.encode())
    assert table.fixing("USD", quote) in (Fixing("USD", rate), Fixing("USD", rate, quote=quote))
    assert table.kind == "official"


@pytest.mark.parametrize(
    ("road", "address"),
    [
        ("nbk_all", "https://nationalbank.kz/rss/rates_all.xml"),
        ("nbkr_weekly", "https://www.nbkr.kg/XML/weekly.xml"),
        ("cbu_latest", "https://cbu.uz/en/arkhiv-kursov-valyut/json/"),
        ("cbt_xml", "https://cbt.tm/kurs/2026/05042026.xml"),
        ("cbr", "https://www.cbr.ru/scripts/XML_daily.asp?date_req=05/04/2026"),
        (
            "currency_api",
            "https://cdn.jsdelivr.net/npm/@fawazahmed0/currency-api@2026.4.5/v1/currencies/usd.min.json",
        ),
        ("currency_api_pages", "https://2026-04-05.currency-api.pages.dev/v1/currencies/usd.min.json"),
    ],
)
def test_a_road_spells_its_day_as_its_source_does(road: str, address: str):
    assert ROADS[road].url.format(date=date(2026, 4, 5)) == address
