"""Every option of each command by typing, and every button by pressing, over the wire: none of it is refused."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, deque
from pathlib import Path

import pytest

from handlers.menu.registry import commands
from tests.surface import Surface, open_surface
from tests.tally import Tell

FIRST_CHAT = 2000
ENDS = ("/settings topics", "/pause", "/alerts end", "/sources remove", "/unsubscribe")
"""Pressed last, in this order: what else is on the screen is about what these end."""
NOT_HERE = re.compile(r"This chat has no such |There is no such |No rate of .* is stored for ")
"""Of examples, which name things and days that a new chat in a world of one week has not."""

TURNED = ("message to edit not found", "message is not modified")
"""A page that has turned in place has other buttons by now, its old ones are pressed all the same; and some say what
is shown already."""


def shape(command: str) -> str:
    """What buttons have in common that say the same of something else."""
    command = re.sub(r"(zone|timezone) \w+/[\w/+-]+", r"\1 Place", command)
    return re.sub(r"(country|topic):[\w-]+", r"\1:x", re.sub(r"\d+", "0", command))


class Walk:
    """One person's walk through all that a command leads to.

    shapes: how many of each have been pressed, by all who walk; most: the limit of that
    """

    def __init__(self, surface: Surface, chat: int, shapes: Counter[str], most: int) -> None:
        self.surface, self.chat, self.shapes, self.most = surface, chat, shapes, most
        self.seen: set[str] = set()
        self.waiting: deque[tuple[str, str]] = deque()
        self.pressed = 0

    async def through(self, lines: list[str]) -> None:
        self.surface.fake.open(self.chat)
        for line in lines:
            await self.surface.say(self.chat, line)
            await self.press_all()

    async def press_all(self) -> None:
        self.look()
        while self.waiting:
            button = min(self.waiting, key=lambda one: [one[1].startswith(end) for end in reversed(ENDS)])
            self.waiting.remove(button)
            await self.surface.press(self.chat, button[0], data=button[1])
            self.pressed += 1
            self.look()

    def look(self) -> None:
        """What the newest message offers that was not pressed yet."""
        said = self.surface.fake.messages(self.chat)[-1]
        for label, data in said.buttons.items():
            if data not in self.seen and self.shapes[shape(data)] < self.most:
                self.seen.add(data)
                self.shapes[shape(data)] += 1
                self.waiting.append((label, data))


@pytest.mark.parametrize("most", [1, pytest.param(1000, marks=pytest.mark.chaos)])
async def test_all_there_is_can_be_typed_and_pressed(tmp_path: Path, most: int, tell: Tell):
    async with open_surface(tmp_path) as surface:
        shapes: Counter[str] = Counter()
        walks = [Walk(surface, FIRST_CHAT + n, shapes, most) for n in range(len(commands()))]
        lines = [[f"/{name}", *command.examples] for name, command in commands().items()]
        await asyncio.gather(*(walk.through(own) for walk, own in zip(walks, lines, strict=True)))
        typed = {line for own in lines for line in own}
        refused = [
            (request.text, text)
            for request, answer in surface.asked
            if answer.error and not (NOT_HERE.match(text := answer.message.blocks[0].text) and request.text in typed)
        ]
        assert refused == []
        assert [text for text in surface.fake.rejected if not text.endswith(TURNED)] == []
        assert len(surface.fake.pressed) == sum(walk.pressed for walk in walks)
        tell(f"walk: {sum(map(len, lines))} lines typed, {len(surface.fake.pressed)} buttons pressed, 0 refused")
