"""A Picture as SVG, 1200 by 675: type is twice as large as on a page, for it is read on a phone.

Figures stand as steps: a rate holds until the next one. Where some are missing the line is dashed.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from bot.chart.axes import GAP, figure_range
from bot.message import Picture

WIDTH: Final = 1200
HEIGHT: Final = 675
EDGE: Final = 48
TOP: Final = 196
BOTTOM: Final = 558
"""The plot stands between these heights."""

INK: Final = "#14213d"
QUIET: Final = "#5b6577"
FAINT: Final = "#e3e7ee"
LINE: Final = "#1d5fd1"

TITLE: Final = 52
TEXT: Final = 32
SMALL: Final = 27

_HALO: Final = ' stroke="#fff" stroke-width="8" stroke-linejoin="round" paint-order="stroke"'
_DAY: Final = timedelta(days=1)
_TENTH: Final = Decimal("0.1")
_CHARACTER: Final = Decimal("0.6")
"""Of the size: the width of an average character."""


@dataclass(frozen=True, slots=True)
class _Plot:
    """From dates and figures to places on the paper."""

    left: Decimal
    first: date
    days: int
    low: Decimal
    high: Decimal

    def x(self, day: date) -> Decimal:
        """Where a day begins."""
        return (self.left + (WIDTH - EDGE - self.left) * (day - self.first).days / self.days).quantize(_TENTH)

    def noon(self, day: date) -> Decimal:
        """The middle of a day."""
        return (self.x(day) + self.x(day + _DAY)) / 2

    def within(self, x: Decimal, label: str) -> Decimal:
        """Where a label's middle stands, as near to x as the paper allows."""
        half = _width(label, TEXT) / 2
        return min(max(x, self.left + half), WIDTH - EDGE - half)

    def y(self, figure: Decimal) -> Decimal:
        return (BOTTOM - (BOTTOM - TOP) * (figure - self.low) / (self.high - self.low)).quantize(_TENTH)


def svg(picture: Picture, mark: str = "") -> str:
    """The document. mark: written across the plot."""
    points = [(date.fromisoformat(day), Decimal(figure)) for day, figure in picture.points]
    plot = _plot(picture, points)
    parts = [*_frame(picture, plot, mark), *_lines(points, plot), *_marks(picture, points, plot)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="Inter">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *parts, "</svg>"])


def _plot(picture: Picture, points: list[tuple[date, Decimal]]) -> _Plot:
    """The last figure holds for its day, so the paper ends a day later."""
    first, last = points[0][0], points[-1][0]
    room = max((_width(label, TEXT) for _, label in picture.up), default=Decimal(0))
    low, high = figure_range([figure for _, figure in points])
    return _Plot(EDGE + room + 20, first, (last - first).days + 1, low, high)


def _frame(picture: Picture, plot: _Plot, mark: str) -> Iterator[str]:
    """What stands around the line: the words above and below, the axes."""
    right = WIDTH - EDGE
    yield _text(picture.title, EDGE, 88, TITLE, INK, weight=600)
    yield _text(picture.span, EDGE, 138, TEXT, QUIET)
    yield _text(picture.last, right, 88, TITLE, LINE, weight=600, anchor="end")
    yield _text(picture.when, right, 138, TEXT, QUIET, anchor="end")
    size = min(SMALL, int((right - EDGE) / (len(picture.source) * _CHARACTER)))
    yield _text(picture.source, EDGE, HEIGHT - 26, size, QUIET)
    for place, label in picture.up:
        y = plot.y(Decimal(place))
        yield f'<path d="M{plot.left} {y}H{right}" stroke="{FAINT}" stroke-width="2"/>'
        yield _text(label, plot.left - 20, y + TEXT * Decimal("0.36"), TEXT, QUIET, anchor="end")
    for place, label in picture.across:
        x = plot.within(plot.noon(date.fromisoformat(place)), label)
        yield _text(label, x, BOTTOM + 46, TEXT, QUIET, anchor="middle")
    if mark:
        x, y = (plot.left + right) / 2, Decimal(TOP + BOTTOM) / 2 + 50
        yield _text(mark, x, y, 150, FAINT, weight=600, anchor="middle")


def _lines(points: list[tuple[date, Decimal]], plot: _Plot) -> Iterator[str]:
    """The steps, and dashes over what is missing."""
    day, figure = points[0]
    steps, dashes = f"M{plot.x(day)} {plot.y(figure)}", ""
    for (day, figure), (next_day, next_figure) in pairwise(points):
        if next_day - day <= GAP:
            steps += f"H{plot.x(next_day)}V{plot.y(next_figure)}"
        else:
            until = plot.x(day + _DAY)
            steps += f"H{until}M{plot.x(next_day)} {plot.y(next_figure)}"
            dashes += f"M{until} {plot.y(figure)}L{plot.x(next_day)} {plot.y(next_figure)}"
    day, figure = points[-1]
    end = plot.x(day + _DAY)
    joined = 'fill="none" stroke-linejoin="round" stroke-linecap="round"'
    if dashes:
        yield f'<path d="{dashes}" {joined} stroke="{QUIET}" stroke-width="3" stroke-dasharray="4 10"/>'
    yield f'<path d="{steps}H{end}" {joined} stroke="{LINE}" stroke-width="5"/>'
    yield f'<circle cx="{end}" cy="{plot.y(figure)}" r="10" fill="{LINE}"/>'


def _marks(picture: Picture, points: list[tuple[date, Decimal]], plot: _Plot) -> Iterator[str]:
    """Labelled points: above the line in its upper half, below it in its lower one."""
    middle = (plot.low + plot.high) / 2
    for place, label in picture.marks:
        day, figure = points[place]
        x, y, at = plot.noon(day), plot.y(figure), plot.within(plot.noon(day), label)
        if place < len(points) - 1:  # the last one has its dot already
            yield f'<circle cx="{x:.1f}" cy="{y}" r="7" fill="#fff" stroke="{INK}" stroke-width="4"/>'
        beside = y - 24 if figure >= middle else y + 24 + TEXT * Decimal("0.73")
        yield _text(label, at, beside, TEXT, INK, 600, "middle", _HALO)


def _text(
    text: str,
    x: Decimal | int,
    y: Decimal | int,
    size: int,
    fill: str,
    weight: int = 400,
    anchor: str = "start",
    halo: str = "",
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{size}" font-weight="{weight}" fill="{fill}"{halo}>{html.escape(text)}</text>'


def _width(text: str, size: int) -> Decimal:
    return len(text) * size * _CHARACTER
