"""The child process that paints: SVG on its standard input, PNG on its standard output.

A process of its own, because the library holds the interpreter's lock while it works, and so that
neither its memory nor a fault of its native code stays with us.
"""

from __future__ import annotations

import sys
from pathlib import Path

import resvg_py

FONTS = sorted(str(path) for path in Path(__file__).parent.glob("*.ttf"))


def main() -> None:
    """Paint one picture. Only our own fonts are used: it looks the same everywhere."""
    svg = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=FONTS))


if __name__ == "__main__":
    main()
