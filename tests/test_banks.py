from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.models import Fixing, RateTable
from bot.money import per_unit, printed_change
from bot.sources import banks, cbt, cbu, nbk, nbkr, nbt

SOURCES = Path(__file__).parent / "sources"
NBK = (SOURCES / "nbk_get_rates.xml").read_bytes()
NBK_ALL = (SOURCES / "nbk_rates_all.xml").read_bytes()
NBKR = (SOURCES / "nbkr_daily.xml").read_bytes()
NBKR_WEEKLY = (SOURCES / "nbkr_weekly.xml").read_bytes()
CBU = (SOURCES / "cbu_date.json").read_bytes()
NBT = (SOURCES / "nbt_date.xml").read_bytes()
HTML = b"\n<!DOCTYPE html>\n<html><head><title>502</title></head><body>Come back later</body></html>"
XML_BANKS = [(nbk, NBK), (nbk, NBK_ALL), (nbkr, NBKR), (nbkr, NBKR_WEEKLY), (nbt, NBT)]
ALL = [*XML_BANKS, (cbu, CBU)]


def dollar(table: RateTable) -> Fixing:
    fixing = table.fixing("USD")
    assert fixing
    return fixing


def refused(bank, body: bytes) -> str:
    with pytest.raises(SourceError) as caught:
        bank.parse(body)
    return str(caught.value)


# --- the formats ---------------------------------------------------------------


def test_issuers_and_collectors_are_found_in_their_folder():
    issuers = {bank.issues: bank.id for bank in banks().values() if bank.issues}
    assert issuers == {"KZT": "nbk", "KGS": "nbkr", "UZS": "cbu", "TJS": "nbt", "TMT": "cbt", "RUB": "cbr"}
    assert banks().keys() - issuers.values() == {"frankfurter", "currency_api"}


@pytest.mark.parametrize(
    ("bank", "url"),
    [
        (nbk, "https://nationalbank.kz/rss/get_rates.cfm?fdate=02.04.2026"),
        (nbkr, "https://www.nbkr.kg/XML/daily.xml"),
        (cbu, "https://cbu.uz/en/arkhiv-kursov-valyut/json/all/2026-04-02/"),
        (nbt, "https://www.nbt.tj/en/kurs/export_xml.php?date=2026-04-02&export=xmlout"),
        (cbt, ""),
    ],
)
def test_a_bank_is_asked_for_a_day_in_its_own_spelling(bank, url):
    assert bank.BANK.roads[0].url.format(date=date(2026, 4, 2)) == url


@pytest.mark.parametrize(
    ("bank", "body", "source", "quote", "day", "usd", "rows"),
    [
        (nbk, NBK, "nbk", "KZT", date(2026, 4, 2), Fixing("USD", "475.09", 1, "-3.68"), 7),
        (nbk, NBK_ALL, "nbk", "KZT", date(2026, 4, 3), Fixing("USD", "472.31", 1, "-2.78"), 3),
        (nbkr, NBKR, "nbkr", "KGS", date(2026, 5, 24), Fixing("USD", "87.4500"), 5),
        (nbkr, NBKR_WEEKLY, "nbkr", "KGS", date(2026, 5, 23), None, 5),
        (cbu, CBU, "cbu", "UZS", date(2026, 4, 2), Fixing("USD", "12142.10", 1, "-52.11"), 5),
        (nbt, NBT, "nbt", "TJS", date(2026, 5, 20), Fixing("USD", "9.3288"), 6),
    ],
)
def test_every_format_is_read_as_printed(bank, body, source, quote, day, usd, rows):
    table = bank.parse(body)
    assert (table.source, table.quote, table.effective_date) == (source, quote, day)
    assert table.fixing("USD") == usd
    assert len(table.fixings) == rows
    assert table.problems == ()
    assert table.kind == "official"


def test_a_nominal_divides_the_figure_exactly():
    assert per_unit(nbk.parse(NBK).fixing("UZS")) == Decimal("0.0391")
    assert per_unit(nbk.parse(NBK).fixing("IRR")) == Decimal("0.0004")
    assert per_unit(nbkr.parse(NBKR_WEEKLY).fixing("BYR")) == Decimal("0.004329")
    assert per_unit(nbt.parse(NBT).fixing("UZS")) == Decimal("0.000777")
    assert per_unit(cbu.parse(CBU).fixing("VND")) == Decimal("0.461")


def test_a_nominal_that_grows_leaves_the_rate_as_it_was():
    grown = NBK.replace(b"<description>0.4<", b"<description>4<").replace(b"<quant>1000<", b"<quant>10000<")
    assert per_unit(nbk.parse(grown).fixing("IRR")) == per_unit(nbk.parse(NBK).fixing("IRR"))


def test_the_rouble_goes_by_its_letters_not_by_its_old_number():
    assert nbt.parse(NBT).fixing("RUB") == Fixing("RUB", "0.1309")


def test_printed_changes_are_kept_where_there_are_any():
    assert nbk.parse(NBK).fixing("IRR").change == ""
    assert cbu.parse(CBU).fixing("VND").change == "0"
    assert round(printed_change(dollar(nbk.parse(NBK))), 3) == Decimal("-0.769")
    assert printed_change(dollar(nbkr.parse(NBKR))) is None


def test_a_nonsense_change_costs_only_the_change():
    assert dollar(nbk.parse(NBK.replace(b"-3.68", b"lower"))) == Fixing("USD", "475.09")


def test_the_manat_is_a_peg_that_nobody_is_asked_for():
    bank = cbt.BANK
    assert (bank.peg, bank.since, bank.roads[0].url) == ("3.5", date(2015, 1, 1), "")


def test_every_bank_lives_in_its_own_zone():
    assert {b.id: b.zone for b in banks().values()} == {
        "nbk": ZoneInfo("Asia/Almaty"),
        "nbkr": ZoneInfo("Asia/Bishkek"),
        "cbu": ZoneInfo("Asia/Tashkent"),
        "nbt": ZoneInfo("Asia/Dushanbe"),
        "cbt": ZoneInfo("Asia/Ashgabat"),
        "cbr": ZoneInfo("Europe/Moscow"),
        "frankfurter": ZoneInfo("UTC"),
        "currency_api": ZoneInfo("UTC"),
    }


@pytest.mark.parametrize(
    ("bank", "body", "printed", "older"),
    [
        (nbk, NBK_ALL, b"03.04.2026", b"03.04.26"),
        (nbk, NBK, b"02.04.2026", b"02.04.26"),
        (nbt, NBT, b"2026-05-20", b"20.05.2026"),
        (cbu, CBU, b"02.04.2026", b"2026-04-02"),
    ],
)
def test_older_and_other_date_forms_are_read_too(bank, body, printed, older):
    assert bank.parse(body.replace(printed, older)).effective_date == bank.parse(body).effective_date


# --- bytes ---------------------------------------------------------------------


@pytest.mark.parametrize(("bank", "body"), ALL)
def test_a_byte_order_mark_and_a_leading_newline_are_no_trouble(bank, body):
    assert bank.parse(b"\xef\xbb\xbf" + body) == bank.parse(body)
    assert bank.parse(b"\r\n\n" + body) == bank.parse(body)


@pytest.mark.parametrize(("bank", "body"), ALL)
def test_line_ends_do_not_matter(bank, body):
    plain = body.replace(b"\r\n", b"\n")
    assert bank.parse(plain) == bank.parse(plain.replace(b"\n", b"\r\n")) == bank.parse(body)


def test_names_in_windows_1251_leave_figures_alone():
    with_name = NBKR.replace(b"<Nominal>", "<Name>Доллар</Name><Nominal>".encode("cp1251"), 1)
    assert nbkr.parse(with_name) == nbkr.parse(NBKR)
    mislabelled = NBKR.replace(b"<Nominal>", "<Name>Доллар</Name><Nominal>".encode(), 1)
    assert nbkr.parse(mislabelled) == nbkr.parse(NBKR)


def test_1251_bytes_in_what_calls_itself_utf_8_are_refused():
    body = NBK.decode().encode("cp1251")
    assert refused(nbk, body) == "XML that is not in UTF-8 as it says"
    assert refused(cbu, CBU.replace(b"Euro", "Евро".encode("cp1251"))) == "JSON that is not in UTF-8"


def test_an_encoding_nobody_knows_is_refused():
    assert refused(nbkr, NBKR.replace(b"windows-1251", b"windows-9999")) == "XML in an encoding nobody knows"


# --- documents that are none ---------------------------------------------------


@pytest.mark.parametrize(("bank", "body"), XML_BANKS)
def test_an_html_page_with_status_200_is_named(bank, body):
    assert refused(bank, HTML) == "an HTML page instead of XML"
    assert refused(bank, b'<?xml version="1.0"?>\n<html xmlns="x"><body/></html>') == "an HTML page instead of XML"


def test_a_json_bank_names_what_it_got_instead():
    assert refused(cbu, HTML) == "an HTML page instead of JSON"
    assert refused(cbu, NBK) == "XML instead of JSON"
    assert refused(cbu, b'{"error": "no"}') == "JSON, but not a list of rates"
    assert refused(cbu, b"[]") == "a document without rates"
    assert refused(cbu, b"[" * 100_000) == "JSON that is cut off or broken"


def test_the_kazakh_bank_without_a_date_answers_json():
    assert refused(nbk, b'{"code":500,"message":"Which day?"}') == "JSON instead of XML"


def test_a_day_without_figures_is_no_table():
    body = "<rates><date>02.04.2026</date><info>нет сведений</info></rates>".encode()
    assert refused(nbk, body) == "no rate that can be read"


@pytest.mark.parametrize(("bank", "body"), ALL)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_document_that_is_cut_off_is_refused(bank, body, share):
    assert "cut off" in refused(bank, body[: int(len(body) * share)])


@pytest.mark.parametrize(("bank", "body"), ALL)
def test_nothing_at_all_is_refused(bank, body):
    assert refused(bank, b"") == refused(bank, b"\xef\xbb\xbf \r\n") == "an empty document"


@pytest.mark.parametrize(("bank", "body"), ALL)
def test_more_than_a_megabyte_is_refused(bank, body):
    assert refused(bank, body + b" " * 1_000_000) == "a document of more than 1 MB"


@pytest.mark.parametrize(("bank", "body"), XML_BANKS)
@pytest.mark.parametrize(
    "dtd",
    [
        b'<!DOCTYPE r [<!ENTITY v "478.77">]>',
        b'<!DOCTYPE r SYSTEM "file:///etc/hostname">',
        b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>',
    ],
)
def test_a_dtd_is_refused_whatever_it_holds(bank, body, dtd):
    head, end, rest = body.partition(b"?>")
    assert refused(bank, head + end + dtd + rest) == "XML with a DTD, which no bank needs"


def test_the_document_of_another_bank_is_refused():
    assert refused(nbk, NBT) == "XML, but not of rates: <ValCurs>"
    assert refused(nbkr, NBK) == "XML, but not of rates: <rates>"


@pytest.mark.parametrize(
    ("bank", "body", "printed"),
    [(nbk, NBK, b"02.04.2026"), (nbkr, NBKR, b"24.05.2026"), (nbt, NBT, b"2026-05-20"), (cbu, CBU, b"02.04.2026")],
)
@pytest.mark.parametrize("text", ["31.02.2026", "soon", "٠٢.٠٤.٢٠٢٦", "1.4.2026", "00.00.0000"])
def test_a_date_that_is_none_is_refused(bank, body, printed, text):
    encoding = "cp1251" if bank is nbkr else "utf-8"
    broken = body.replace(printed, text.encode(encoding, "xmlcharrefreplace"))
    assert "date" in refused(bank, broken)


@pytest.mark.parametrize(
    ("bank", "body", "gone"),
    [(nbkr, NBKR, b' Date="24.05.2026"'), (nbt, NBT, b' Date="2026-05-20"'), (nbk, NBK, b"<date>02.04.2026</date>")],
)
def test_a_document_without_a_date_is_refused(bank, body, gone):
    assert "date" in refused(bank, body.replace(gone, b""))


def test_a_document_with_more_rows_than_the_world_has_currencies_is_refused():
    body = b"[" + b",".join([b'{"Ccy":"USD"}'] * 1_001) + b"]"
    assert refused(cbu, body) == "far more rows than there are currencies"


# --- bad rows ------------------------------------------------------------------

NUMBERS = [
    "NaN",
    "Infinity",
    "1e3",
    "1_000.5",
    "٤٧٥",
    "-475.09",
    "+475.09",
    "0",
    "0.00",
    "",
    "1 000.5",
    "475.",
    "4" * 13,
]


@pytest.mark.parametrize("value", NUMBERS)
def test_a_value_that_is_no_plain_number_costs_its_row_only(value):
    table = nbk.parse(NBK.replace(b"475.09", value.encode()))
    assert table.fixing("USD") is None
    assert len(table.fixings) == 6
    assert table.problems == (f"USD: value {value[:24] or 'missing'}",)


@pytest.mark.parametrize("value", [f'"{number}"' for number in NUMBERS] + ["NaN", "1e3", "null", "true", "{}", "[1]"])
def test_a_json_value_that_is_no_plain_number_is_never_read(value):
    body = CBU.replace(b'"12142.10"', value.encode())
    if value == "NaN":
        assert refused(cbu, body) == "JSON that is cut off or broken"
        return
    table = cbu.parse(body)
    assert table.fixing("USD") is None
    assert len(table.fixings) == 4
    assert len(table.problems) == 1


def test_a_json_number_is_read_by_its_letters():
    for printed in ("12142.10", "12142"):
        assert dollar(cbu.parse(CBU.replace(b'"12142.10"', printed.encode()))).value == printed


@pytest.mark.parametrize("nominal", ["7", "0", "", "-1", "1.0", "1e2", "٠", "1" + "0" * 12])
def test_a_nominal_that_is_no_power_of_ten_costs_its_row(nominal):
    table = nbk.parse(NBK.replace(b"<quant>1000<", f"<quant>{nominal}<".encode()))
    assert table.fixing("IRR") is None
    assert table.problems == (f"IRR: nominal {nominal[:24] or 'missing'}",)
    assert dollar(table).value == "475.09"


def test_a_lost_comma_costs_its_row():
    table = nbkr.parse(NBKR.replace(b"87,4500", b"874500"))
    assert table.fixing("USD") is None
    assert table.problems == ("USD: value 874500 without decimals",)
    assert len(table.fixings) == 4


def test_a_currency_printed_twice_differently_is_none():
    first, end, rest = NBK.partition(b"</item>")
    double = b"<item><title>USD</title><description>478.77</description><quant>1</quant></item>"
    table = nbk.parse(first + end + double + rest)
    assert table.fixing("USD") is None
    assert table.problems == ("USD: printed twice, differently",)
    assert len(table.fixings) == 6


def test_a_currency_printed_twice_alike_is_one():
    start = NBKR.index(b"<Currency ")
    end = NBKR.index(b"</Currency>") + len(b"</Currency>")
    assert nbkr.parse(NBKR[:end] + NBKR[start:end] + NBKR[end:]) == nbkr.parse(NBKR)


def test_a_row_of_another_day_is_left_out():
    table = nbk.parse(NBK_ALL.replace(b"03.04.2026", b"02.04.2026", 1))
    assert table.effective_date == date(2026, 4, 3)
    assert table.problems == ("EUR: dated 02.04.2026",)


def test_a_code_that_is_none_is_shown_short_and_printable():
    table = nbk.parse(NBK.replace(b"<title>USD<", "<title>\u202eUSDollars of America<".encode()))
    assert table.problems == ("?USDollars of America: no currency code",)


def test_a_document_without_one_good_row_names_the_first_trouble():
    body = (
        b'<ValCurs Date="2026-05-20"><Valute ID="840"><CharCode>USD</CharCode><Nominal>1</Nominal></Valute></ValCurs>'
    )
    assert refused(nbt, body) == "no rate that can be read (USD: value missing)"


def test_problems_are_not_listed_without_end():
    rows = b"".join(b"<item><title>A%02d</title></item>" % n for n in range(90))
    table = nbk.parse(NBK.replace(b"</rates>", rows + b"</rates>"))
    assert len(table.problems) == 20
    assert len(table.fixings) == 7


@pytest.mark.parametrize(("bank", "body"), ALL)
@given(data=st.data())
def test_a_damaged_document_is_a_table_or_a_source_error_and_nothing_else(bank, body, data):
    at = data.draw(st.integers(0, len(body) - 1))
    junk = data.draw(st.binary(max_size=8))
    gone = data.draw(st.integers(0, 40))
    try:
        table = bank.parse(body[:at] + junk + body[at + gone :])
    except SourceError as error:
        assert 0 < len(str(error)) < 100
    else:
        assert all(per_unit(fixing) > 0 for fixing in table.fixings)


@pytest.mark.parametrize("bank", [nbk, nbkr, cbu, nbt])
@given(body=st.binary(max_size=200))
@example(body=b"\xff\xfe<\x00r\x00/\x00>\x00")
@example(body=b"<rates>" * 20)
def test_noise_is_a_source_error(bank, body):
    with pytest.raises(SourceError):
        bank.parse(body)
