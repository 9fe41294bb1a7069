"""Every kind of message, in every language, holds what a reader may rely on."""

import re

import pytest

from bot.locales import languages
from bot.message import Heading, Link, Message, Paragraph, Picture, Table, from_data, to_data
from tests.kinds import kinds

NEVER = re.compile(r"-0%|-0[.,]00\s?%|\b0[.,]00008\b|\[caption|&(?:amp|lt|gt|quot|nbsp|#\d+);|Traceback|\{\w*\}")


def texts(message: Message) -> list[str]:
    """Every string of a message."""
    found = [button.label for button in message.buttons]
    for block in message.blocks:
        found += [cell for row in block.rows for cell in row] if isinstance(block, Table) else []
        if isinstance(block, Picture):
            found += [block.title, block.span, block.source, block.last, block.when]
            found += [label for _, label in (*block.marks, *block.across, *block.up)]
        found.append(block.text)
    return found


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", kinds())
def test_no_message_holds_what_nobody_should_see(kind, language):
    assert [text for text in texts(kinds(language)[kind]) if NEVER.search(text)] == []


@pytest.mark.parametrize("kind", kinds())
def test_every_message_survives_storage(kind):
    message = kinds()[kind]
    assert from_data(to_data(message)) == message


@pytest.mark.parametrize("kind", kinds())
def test_every_message_says_something_and_every_button_says_a_command(kind):
    message = kinds()[kind]
    assert message.blocks
    assert all(block.text for block in message.blocks if isinstance(block, Heading | Paragraph | Link))
    assert all(button.command.startswith("/") and button.label for button in message.buttons)
