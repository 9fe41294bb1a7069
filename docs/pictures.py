"""Pictures of every kind of message in Telegram, at a phone's width, from the golden files.

    PYTHONPATH=. .venv/bin/python docs/pictures.py [CHROMIUM]

Writes docs/telegram/NAME.png, a few kinds on each. CHROMIUM: the browser's program (`apt-get install chromium`).
What is drawn is the markup of tests/golden/telegram as a browser shows it, and the charts of tests/kinds.py.
"""

from __future__ import annotations

import asyncio
import base64
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from pathlib import Path

from bot.chart.draw import Painter
from bot.message import Picture
from tests.kinds import kinds

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "tests" / "golden" / "telegram"
MESSAGES = kinds("en")
WIDTH, EACH = 390, 6
BUTTON = re.compile(r"\[([^\[\]]+?) -> [^\[\]]*\]")
STYLE = f"""
section {{ display: flow-root }}
body {{ margin: 0; padding: 10px; width: {WIDTH - 20}px; background: #9bb8a8; font: 16px/1.35 Roboto, sans-serif }}
h1 {{ margin: 14px 0 4px; font: 11px monospace; color: #234 }}
.text {{ max-width: 340px; padding: 8px 12px; border-radius: 14px; background: #fff; white-space: pre-wrap;
  overflow-wrap: anywhere; box-sizing: border-box }}
pre {{ margin: 0; padding: 4px 0; font: 14px/1.35 "Roboto Mono", "DejaVu Sans Mono", monospace; white-space: pre }}
code {{ font: 14px "DejaVu Sans Mono", monospace }} a {{ color: #2a7ab8; text-decoration: none }}
.picture {{ width: 340px; border-radius: 14px 14px 0 0; overflow: hidden }}
.picture img {{ display: block; width: 340px }}
.row {{ display: flex; gap: 4px; width: 340px; margin-top: 4px }}
.row span {{ flex: 1; padding: 8px 4px; border-radius: 8px; background: #5d7f6dcc; color: #fff; text-align: center;
  font-size: 14px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }}
"""


HEAD = f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>"
MEASURE = """<script>document.title =
  [...document.querySelectorAll("section")].map(one => Math.ceil(one.getBoundingClientRect().height)).join(" ")
</script>"""


def pages(text: str, charts: Iterator[bytes]) -> Iterator[str]:
    """A golden file's pages as HTML bubbles with their keyboards. charts: PNG files, those it attaches in order"""
    for page in text.split("=====\n"):
        rows, lines = [], []
        for line in page.rstrip("\n").split("\n"):
            found = BUTTON.findall(line) if line.startswith("[") else []
            (rows.append(found) if found else lines.append(line))
        picture = f'<div class="picture">{_image(next(charts))}</div>' if lines[0] == "[picture]" else ""
        shown = "\n".join(lines[1:] if lines[0] in ("[picture]", "[file]") else lines)
        shown = shown.replace("</pre>\n", "</pre>")  # a block ends its line by itself
        keys = "".join(
            f"<div class=row>{''.join(f'<span>{escape(label)}</span>' for label in row)}</div>" for row in rows
        )
        yield f'{picture}<div class="text">{shown}</div>{keys}'


def sheets(names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """(name of the picture, kinds on it): kinds of one family together, a few on each."""
    for family, members in groupby(sorted(names), key=lambda name: name.partition("-")[0]):
        some = list(members)
        for start in range(0, len(some), EACH):
            yield f"{family}{start // EACH + 1 if len(some) > EACH else ''}", some[start : start + EACH]


def draw(chromium: str) -> None:
    (HERE / "telegram").mkdir(exist_ok=True)
    bodies = {name: "".join(map(_kind, kinds)) for name, kinds in sheets(path.stem for path in GOLDEN.glob("*.txt"))}
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(HEAD + "".join(f"<section>{body}</section>" for body in bodies.values()) + MEASURE, "utf-8")
        measured = _run(chromium, f"--window-size={WIDTH},800", "--dump-dom", page.as_uri())
        heights = [int(height) for height in re.findall(r"<title>([\d ]+)</title>", measured)[0].split()]
        for (name, body), height in zip(bodies.items(), heights, strict=True):
            page.write_text(HEAD + body, "utf-8")
            target = HERE / "telegram" / f"{name}.png"
            _run(chromium, f"--window-size={WIDTH},{height + 40}", f"--screenshot={target}", page.as_uri())


def _image(png: bytes) -> str:
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _kind(name: str) -> str:
    charts = (asyncio.run(Painter().png(block)) for block in MESSAGES[name].blocks if isinstance(block, Picture))
    return f"<h1>{name}</h1>{''.join(pages((GOLDEN / f'{name}.txt').read_text('utf-8'), charts))}"


def _run(chromium: str, *options: str) -> str:
    manner = ("--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=1")
    done = subprocess.run([chromium, *manner, *options], check=True, capture_output=True, timeout=120)
    return done.stdout.decode()


if __name__ == "__main__":
    draw(sys.argv[1] if len(sys.argv) > 1 else "chromium")
