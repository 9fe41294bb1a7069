"""The archives of two banks, as their parsers read them."""

from __future__ import annotations

from datetime import date

import pytest

from bot.errors import SourceError
from bot.models import Fixing
from bot.sources.histories import NBKR, NBT, Series, parse_nbkr, parse_nbt
from tests.fakes.histories import nbkr_page, nbt_series

USD = Series("USD", "15")
FRI, SAT = date(2005, 6, 3), date(2005, 6, 4)


def nbkr(page: str, series: Series = USD) -> list[tuple[date, Fixing]]:
    return [(table.effective_date, *table.fixings) for table in parse_nbkr(page.encode(), series)]


def nbt(document: str, code: str = "USD") -> list[tuple[date, Fixing]]:
    return [(table.effective_date, *table.fixings) for table in parse_nbt(document.encode(), Series(code, code))]


def test_a_page_of_the_kyrgyz_archive_gives_a_table_a_date():
    page = nbkr_page("15", 1, [(SAT, "40,9879"), (FRI, "40,9577")])
    assert nbkr(page) == [(SAT, Fixing("USD", "40.9879")), (FRI, Fixing("USD", "40.9577"))]


def test_the_kyrgyz_page_says_the_nominal_in_its_menu():
    assert nbkr(nbkr_page("15", 10, [(FRI, "5,4969")])) == [(FRI, Fixing("USD", "5.4969", 10))]
    assert nbkr(nbkr_page("15", 7, [(FRI, "5,4969")]).replace(">7 ", ">")) == [(FRI, Fixing("USD", "5.4969"))]
    with pytest.raises(SourceError, match="nominal 7"):
        nbkr(nbkr_page("15", 7, [(FRI, "5,4969")]))


def test_a_kyrgyz_page_of_another_currency_is_refused():
    with pytest.raises(SourceError, match="asked for USD"):
        nbkr(nbkr_page("20", 1, [(FRI, "50,1234")]))


def test_a_kyrgyz_page_without_figures_is_an_empty_one_and_any_other_page_is_none():
    assert nbkr(nbkr_page("15", 1, [])) == []
    for page in ("<html><body>Access denied</body></html>", "", "\ufeff{}"):
        with pytest.raises(SourceError, match="not the archive"):
            nbkr(page)
    with pytest.raises(SourceError, match="1 MB"):
        parse_nbkr(b" " * 1_000_001, USD)


@pytest.mark.parametrize("value", ["409879", "0,0000", "", "-1,2", "1e3", "NaN", "٤٠,٩٨٧٩", "40,9879,1"])
def test_a_bad_kyrgyz_figure_is_left_out_and_the_others_stay(value: str):
    assert nbkr(nbkr_page("15", 1, [(SAT, value), (FRI, "40,9577")])) == [(FRI, Fixing("USD", "40.9577"))]
    with pytest.raises(SourceError):
        nbkr(nbkr_page("15", 1, [(SAT, value)])) or pytest.fail("no row was seen at all")


def test_a_date_printed_twice_differently_is_none_and_one_that_does_not_exist_neither():
    twice = nbkr_page("15", 1, [(SAT, "40,1"), (SAT, "40,2"), (FRI, "40,9577")])
    assert [day for day, _ in nbkr(twice)] == [FRI]
    odd = nbkr_page("15", 1, [(SAT, "40,1"), (FRI, "40,9577")]).replace("04.06.2005", "31.06.2005")
    assert [day for day, _ in nbkr(odd)] == [FRI]


def test_a_kyrgyz_page_cut_off_gives_the_rows_that_are_whole():
    page = nbkr_page("15", 1, [(SAT, "40,9879"), (FRI, "40,9577")])
    assert [day for day, _ in nbkr(page[: page.index("40,9577")])] == [SAT]


def test_a_tajik_series_gives_a_table_a_date_newest_first():
    document = nbt_series("UZS", FRI, SAT, [(FRI, "2.7980", 100), (SAT, "2.8010", 100)])
    assert nbt(document, "UZS") == [(SAT, Fixing("UZS", "2.8010", 100)), (FRI, Fixing("UZS", "2.7980", 100))]
    comma = document.replace("2.7980", "2,7980")
    assert nbt(comma, "UZS")[1] == (FRI, Fixing("UZS", "2.7980", 100))


def test_a_tajik_series_without_records_is_empty_and_one_of_another_currency_is_refused():
    assert nbt(nbt_series("USD", FRI, SAT, [])) == []
    with pytest.raises(SourceError, match="asked for USD"):
        nbt(nbt_series("EUR", FRI, SAT, [(FRI, "10.1", 1)]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-20],
        lambda text: "<html><body>Export</body></html>",
        lambda text: text.replace("<ValCurs", "<!DOCTYPE x [<!ENTITY v '1.1'>]><ValCurs"),
        lambda text: text.replace("<Nominal>1</Nominal>", "<Nominal>3</Nominal>"),
        lambda text: text.replace("<Nominal>1</Nominal>", ""),
        lambda text: text.replace("9.3288", "93288"),
        lambda text: text.replace("03.06.2005", "today"),
        lambda text: "",
    ],
)
def test_a_bad_tajik_series_is_refused(spoil):
    with pytest.raises(SourceError):
        nbt(spoil(nbt_series("USD", FRI, FRI, [(FRI, "9.3288", 1)])))


def test_the_addresses_are_those_the_banks_publish():
    nbkr_url = NBKR.url.format(since=FRI, until=SAT, series="15")
    assert nbkr_url.endswith(
        "index1.jsp?item=1562&lang=ENG&valuta_id=15"
        "&beg_day=03&beg_month=06&beg_year=2005&end_day=04&end_month=06&end_year=2005"
    )
    nbt_url = NBT.url.format(since=FRI, until=SAT, series="USD")
    assert nbt_url.endswith("export_xml_dynamic.php?d1=2005-06-03&d2=2005-06-04&cs=USD&export=xml")
