"""A Picture drawn with characters, for a terminal or a pipe: the same steps, axes and words in braille dots."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from plotille import Canvas

from bot.chart.axes import GAP, figure_range
from bot.message import Picture

ROWS: Final = 12
WIDEST: Final = 100
NARROWEST: Final = 48
_UNITS: Final = 10_000
"""From the bottom of the plot to its top."""


def characters(picture: Picture, width: int) -> list[str]:
    """Lines of at most `width` columns; none where the paper is too narrow for a chart."""
    if width < NARROWEST:
        return []
    width = min(width, WIDEST)
    low, high = figure_range([Decimal(figure) for _, figure in picture.points])
    margin = max((len(label) for _, label in picture.up), default=0)
    rows = _canvas(picture, width - margin - 2, low, high)
    labels = {_row(Decimal(place), low, high): label for place, label in picture.up}
    return [
        _apart(picture.title, picture.last, width),
        _apart(picture.span, picture.when, width),
        *(
            f"{labels.get(number, ''):>{margin}} {'┤' if number in labels else '│'}{row}"
            for number, row in enumerate(rows)
        ),
        f"{'':{margin}} └{'─' * (width - margin - 2)}",
        _dates(picture, margin + 2, width),
    ]


def _canvas(picture: Picture, columns: int, low: Decimal, high: Decimal) -> list[str]:
    first, last = _days(picture)
    canvas = Canvas(columns, ROWS, 0, 0, (last - first).days + 1, _UNITS)
    steps = [
        ((date.fromisoformat(day) - first).days, int((Decimal(figure) - low) / (high - low) * _UNITS))
        for day, figure in picture.points
    ]
    for (x, y), (next_x, next_y) in pairwise([*steps, (steps[-1][0] + 1, steps[-1][1])]):
        if next_x - x > GAP.days:
            canvas.line(x, y, x + 1, y)
        else:
            canvas.line(x, y, next_x, y)
            canvas.line(next_x, y, next_x, next_y)
    return [row.rstrip("⠀ ") for row in canvas.plot(linesep="\n").split("\n")]


def _days(picture: Picture) -> tuple[date, date]:
    return date.fromisoformat(picture.points[0][0]), date.fromisoformat(picture.points[-1][0])


def _row(figure: Decimal, low: Decimal, high: Decimal) -> int:
    """Which row from the top a figure stands in."""
    return min(ROWS - 1, int((high - figure) / (high - low) * ROWS))


def _dates(picture: Picture, left: int, width: int) -> str:
    """Labels under their days, as many as stand apart."""
    first, last = _days(picture)
    line = ""
    for place, label in picture.across:
        half_days = (date.fromisoformat(place) - first) // timedelta(hours=12) + 1
        at = left + half_days * (width - left) // (((last - first).days + 1) * 2) - len(label) // 2
        at = max(left, min(at, width - len(label)))
        if not line or at > len(line) + 1:
            line = f"{line:{at}}{label}"
    return line


def _apart(left: str, right: str, width: int) -> str:
    """Both at their edges; the left one alone where there is no room."""
    room = width - len(left)
    return f"{left}{right:>{room}}" if len(right) + 2 <= room else left
