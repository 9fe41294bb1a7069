"""The one thing that travels to people: blocks of plain text and buttons that say commands.

Every string in here is plain text. Only a chat's renderer writes markup, so only
renderers escape.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Style = Literal["bold", "italic", "code"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a paragraph, in characters (code points): [start, end)."""

    start: int
    end: int
    style: Style


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. `small` is what a reader may skip: sources, dates, hints."""

    text: str
    spans: tuple[Span, ...] = ()
    small: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A title that leads to an https page."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells that line up. The first column is a label, the others are figures.

    text: what the table shows, for those who cannot see it.
    """

    text: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Button:
    """Pressing it is typing `command`."""

    label: str
    command: str


Block = Heading | Paragraph | Link | Table
_TYPES: dict[str, type[Any]] = {"heading": Heading, "paragraph": Paragraph, "link": Link, "table": Table}


@dataclass(frozen=True, slots=True)
class Message:
    """What a person reads. sample: made from the sample edition, and says so."""

    blocks: tuple[Block, ...]
    buttons: tuple[Button, ...] = ()
    sample: bool = False


def to_data(message: Message) -> dict[str, Any]:
    """The message as JSON data: {"blocks": [{"type", "text", ...}], "buttons": [...], "sample"}."""
    return {
        "blocks": [{"type": type(block).__name__.lower(), **asdict(block)} for block in message.blocks],
        "buttons": [asdict(button) for button in message.buttons],
        "sample": message.sample,
    }


def from_data(data: dict[str, Any]) -> Message:
    """The inverse of to_data."""
    return Message(
        tuple(_block(block) for block in data["blocks"]),
        tuple(Button(**button) for button in data["buttons"]),
        data["sample"],
    )


def _block(data: dict[str, Any]) -> Block:
    fields = {name: value for name, value in data.items() if name != "type"}
    if "spans" in fields:
        fields["spans"] = tuple(Span(**span) for span in fields["spans"])
    if "rows" in fields:
        fields["rows"] = tuple(tuple(row) for row in fields["rows"])
    block: Block = _TYPES[data["type"]](**fields)
    return block
