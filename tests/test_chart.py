"""Charts: axes, the SVG, the painted PNG, and the same in characters."""

from __future__ import annotations

import struct
import sys
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chart.axes import MOST_ACROSS, MOST_UP, day_ticks, figure_range, figure_ticks
from bot.chart.draw import NotDrawn, Painter
from bot.chart.svg import HEIGHT, WIDTH, svg
from bot.chart.text import characters
from bot.compose import chart
from bot.locales import tongue
from bot.message import Picture
from bot.models import RateKind
from bot.pairs import RateHistory
from tests.kinds import TODAY, history, kinds

DAYS = st.dates(date(2000, 1, 1), date(2030, 1, 1))
FIGURES = st.decimals("0.00001", "99999", places=5)


def picture(past: RateHistory, language: str = "en") -> Picture:
    block = chart.chart(past, past.days[0][0], tongue(language)).blocks[0]
    assert isinstance(block, Picture)
    return block


def words(document: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(document).iter() if element.tag.endswith("text")]


def stood(*figures: str, kind: RateKind = "official", gap: int = 1) -> RateHistory:
    return history("USD", "KZT", *figures, kind=kind, days=gap)


@given(st.lists(FIGURES, min_size=1, max_size=30))
def test_lines_stand_at_round_figures_inside_the_range(figures: list[Decimal]):
    low, high = figure_range(figures)
    ticks = figure_ticks(low, high)
    assert low < min(figures) <= max(figures) < high
    assert 2 <= len(ticks) <= MOST_UP
    assert ticks == sorted(set(ticks)) and all(low <= tick <= high for tick in ticks)
    assert len({ticks[n + 1] - ticks[n] for n in range(len(ticks) - 1)}) == 1


@given(DAYS, st.integers(1, 4000))
def test_dates_of_an_axis_stand_apart_and_inside(first: date, days: int):
    last = first + timedelta(days=days)
    ticks = day_ticks(first, last)
    assert 1 <= len(ticks) <= MOST_ACROSS
    assert ticks == sorted(set(ticks)) and first <= ticks[0] and ticks[-1] <= last


def test_a_quiet_week_does_not_look_like_a_storm():
    low, high = figure_range([Decimal("87.4500"), Decimal("87.4600")])
    assert high - low > Decimal("0.8")


def test_around_the_line_stand_the_pair_the_span_the_newest_figure_and_whose_it_is():
    shown = words(svg(picture(stood("466.20", "473.25", "465.27", "471.12"))))
    for text in ("1 USD in KZT", "20 Nov – 23 Nov 2026 · +1.06%", "471.12", "23 Nov 2026"):
        assert text in shown
    assert "Official rates: National Bank of Kazakhstan" in shown
    assert "473.25, 21 Nov" in shown and "465.27, 22 Nov" in shown


def test_a_figure_holds_until_the_next_one():
    document = svg(picture(stood("466.20", "473.25")))
    line = next(
        element.attrib["d"] for element in ET.fromstring(document).iter() if element.attrib.get("stroke-width") == "5"
    )
    assert "L" not in line and line.count("H") == 2 and line.count("V") == 1


def test_days_that_are_missing_are_dashed_over():
    assert "stroke-dasharray" not in svg(picture(stood("466.20", "473.25", gap=10)))
    assert "stroke-dasharray" in svg(picture(stood("466.20", "473.25", gap=11)))


def test_a_peg_is_one_line_without_a_change():
    peg = picture(stood("3.5", "3.5", kind="peg", gap=30))
    assert "stroke-dasharray" not in svg(peg)
    assert peg.span == "24 Oct – 23 Nov 2026"


def test_a_tiny_figure_is_shown_for_a_round_sum():
    turned = picture(RateHistory("UZS", "USD", "cbu", "official", ((TODAY, Decimal("0.0000824")),) * 2, ("cbu",)))
    assert (turned.title, turned.last) == ("10,000 UZS in USD", "0.824")
    assert "0.0000824" not in svg(turned) + turned.text


def test_figures_of_a_picture_are_those_stored():
    assert picture(stood("466.20", "87.4500")).points == (("2026-11-22", "466.20"), ("2026-11-23", "87.4500"))


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("official", "Official rates: National Bank of Kazakhstan"),
        ("cross", "Crossed through USD from the official rates of KZT"),
        ("market", "Market rates, not official: nbk"),
        ("peg", "Fixed by the central bank: National Bank of Kazakhstan"),
    ],
)
def test_the_kind_of_the_figures_is_told(kind: RateKind, source: str):
    shown = picture(stood("466.20", "473.25", kind=kind))
    assert shown.source == source
    assert shown.text.endswith(f"{source}.")


def test_a_year_is_marked_by_months_and_ten_years_by_years():
    assert [label for _, label in picture(stood("1", "2", gap=365)).across] == ["Jan 2026", "Apr", "Jul", "Oct"]
    assert [label for _, label in picture(stood("1", "2", gap=3650)).across] == [
        *("2018", "2020", "2022", "2024", "2026")
    ]


def test_what_is_written_cannot_become_markup():
    shown = words(svg(picture(history("<b>", "A&B", "1", "2"))))
    assert "1 <b> in A&B" in shown


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", ["chart", "chart-flat", "chart-cross"])
async def test_a_picture_is_painted_by_a_child_and_never_in_our_own_process(kind: str, language: str):
    block = kinds(language)[kind].blocks[0]
    assert isinstance(block, Picture)
    png = await Painter().png(block, "SAMPLE")
    assert png.startswith(b"\x89PNG") and struct.unpack(">II", png[16:24]) == (WIDTH, HEIGHT)
    assert "resvg_py" not in sys.modules


async def test_what_cannot_be_painted_says_so():
    block = kinds()["chart"].blocks[0]
    assert isinstance(block, Picture)
    with pytest.raises(NotDrawn):
        await Painter().png(block, mark="\x00")


def test_in_characters_nothing_is_wider_than_the_paper():
    for name in ("chart", "chart-flat", "chart-cross"):
        block = kinds("ru")[name].blocks[0]
        assert isinstance(block, Picture)
        for width in (48, 60, 80, 100):
            lines = characters(block, width)
            assert lines and max(map(len, lines)) <= width
    assert characters(block, 47) == []
