"""Pictures of every kind of message, as each chat shows it, from the golden files.

    PYTHONPATH=. .venv/bin/python docs/pictures.py [CHROMIUM]

Writes docs/PLATFORM/NAME.png, a few kinds on each. CHROMIUM: the browser's program (`apt-get install chromium`).
What is drawn is the markup of tests/golden as a browser shows it, and the charts of tests/kinds.py.
"""

from __future__ import annotations

import asyncio
import base64
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from types import ModuleType

import pictures_slack
import pictures_telegram

from bot.chart.draw import Painter
from bot.message import Picture
from tests.kinds import kinds

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests" / "golden"
MESSAGES = kinds("en")
PLATFORMS = {"telegram": pictures_telegram, "slack": pictures_slack}
EACH = 6
MEASURE = """<script>document.title =
  [...document.querySelectorAll("section")].map(one => Math.ceil(one.getBoundingClientRect().height)).join(" ")
</script>"""


def sheets(names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """(name of the picture, kinds on it): kinds of one family together, a few on each."""
    for family, members in groupby(sorted(names), key=lambda name: name.partition("-")[0]):
        some = list(members)
        for start in range(0, len(some), EACH):
            yield f"{family}{start // EACH + 1 if len(some) > EACH else ''}", some[start : start + EACH]


def draw(platform: str, drawn: ModuleType, chromium: str) -> None:
    """Write docs/PLATFORM/*.png. drawn: has WIDTH, STYLE and shown()"""
    folder, width = HERE / platform, drawn.WIDTH
    folder.mkdir(exist_ok=True)
    files = {path.stem: path.read_text("utf-8") for path in (GOLDEN / platform).iterdir()}
    head = f"<!doctype html><meta charset=utf-8><style>{drawn.STYLE}</style>"
    bodies = {
        sheet: "".join(f"<h1>{name}</h1>{drawn.shown(files[name], charts(name))}" for name in some)
        for sheet, some in sheets(files)
    }
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "page.html"
        page.write_text(head + "".join(f"<section>{body}</section>" for body in bodies.values()) + MEASURE, "utf-8")
        measured = _run(chromium, f"--window-size={width},800", "--dump-dom", page.as_uri())
        heights = [int(height) for height in re.findall(r"<title>([\d ]+)</title>", measured)[0].split()]
        for (name, body), height in zip(bodies.items(), heights, strict=True):
            page.write_text(head + body, "utf-8")
            size = f"--window-size={width},{height + 40}"
            _run(chromium, size, f"--screenshot={folder / f'{name}.png'}", page.as_uri())


def charts(name: str) -> Iterator[str]:
    """The charts of a kind of message as HTML, in order."""
    found = (block for block in MESSAGES[name].blocks if isinstance(block, Picture))
    pngs = (asyncio.run(Painter().png(one)) for one in found)
    return (f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}">' for png in pngs)


def _run(chromium: str, *options: str) -> str:
    manner = ("--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=1")
    done = subprocess.run([chromium, *manner, *options], check=True, capture_output=True, timeout=120)
    return done.stdout.decode()


if __name__ == "__main__":
    for platform, drawn in PLATFORMS.items():
        draw(platform, drawn, sys.argv[1] if len(sys.argv) > 1 else "chromium")
