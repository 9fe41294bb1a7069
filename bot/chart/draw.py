"""From a Picture to a PNG file, off the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from bot import child
from bot.chart.svg import svg
from bot.errors import YamchiError
from bot.message import Picture

AT_ONCE: Final = 2
SECONDS: Final = 10.0
PAINT: Final = Path(__file__).with_name("paint.py")
_PNG: Final = b"\x89PNG"


class NotDrawn(YamchiError):
    """A picture that could not be painted: its text has to do."""


class Painter:
    """Paints at most AT_ONCE pictures at a time. Nothing is loaded, and no process runs, but while it paints."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def png(self, picture: Picture, mark: str = "") -> bytes:
        """The picture as a PNG file. mark: written across it where its figures are not to be taken at face value.

        Raises NotDrawn.
        """
        document = svg(picture, mark).encode()
        async with self._turns:
            try:
                async with asyncio.timeout(SECONDS):
                    painted = await child.output(str(PAINT), given=document)
            except (TimeoutError, OSError) as error:
                raise NotDrawn(f"the painter failed ({type(error).__name__})") from None
        if not painted.startswith(_PNG):
            raise NotDrawn("the painter painted nothing")
        return painted
