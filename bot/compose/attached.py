"""What is said beside a picture or a file, where a chat cannot simply show it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.locales import Tongue
from bot.message import Block, File, Message, Paragraph, Picture


def elsewhere(tongue: Tongue) -> Block:
    """The attachment went to the person, as this chat cannot take it."""
    return Paragraph(tongue.say("You have it as a file in your direct messages with me."), small=True)


def lost(message: Message, tongue: Tongue) -> Iterator[Block]:
    """What takes the place of attachments that could not be sent: a picture's figures are in its text already."""
    for block in message.blocks:
        if isinstance(block, Picture):
            yield Paragraph(tongue.say("The picture could not be sent; these are its figures."), small=True)
        elif isinstance(block, File):
            yield Paragraph(tongue.say("The file could not be sent; this is what it holds."), small=True)
            yield Paragraph(block.content)
