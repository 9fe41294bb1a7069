"""Messages in Telegram as a browser shows their markup: bubbles with their keyboards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

WIDTH = 390
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


def shown(golden: str, charts: Iterator[str]) -> str:
    """A golden file as HTML. charts: as HTML, those it attaches in order"""
    return "".join(pages(golden, charts))


def pages(text: str, charts: Iterator[str]) -> Iterator[str]:
    """A golden file's pages as HTML bubbles with their keyboards."""
    for page in text.split("=====\n"):
        rows, lines = [], []
        for line in page.rstrip("\n").split("\n"):
            found = BUTTON.findall(line) if line.startswith("[") else []
            (rows.append(found) if found else lines.append(line))
        picture = f'<div class="picture">{next(charts)}</div>' if lines[0] == "[picture]" else ""
        shown = "\n".join(lines[1:] if lines[0] in ("[picture]", "[file]") else lines)
        shown = shown.replace("</pre>\n", "</pre>")  # a block ends its line by itself
        keys = "".join(
            f"<div class=row>{''.join(f'<span>{escape(label)}</span>' for label in row)}</div>" for row in rows
        )
        yield f'{picture}<div class="text">{shown}</div>{keys}'
