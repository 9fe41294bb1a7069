"""The one thing that travels to people: blocks of plain text and buttons that say commands.

Every string in here is plain text. Only a chat's renderer writes markup, so only
renderers escape.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Style = Literal["bold", "italic", "code"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a paragraph, in characters (code points): [start, end)."""

    start: int
    end: int
    style: Style


@dataclass(frozen=True, slots=True)
class Instant:
    """A stretch of a text (see Span) that tells an instant on the chat's clocks. at: ISO 8601; a platform that
    knows the clocks of each reader may show it on those."""

    start: int
    end: int
    at: str


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    instants: tuple[Instant, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. `small` is what a reader may skip: sources, dates, hints; `quoted` holds somebody else's
    words: no mention, link or command in them may come alive.
    """

    text: str
    spans: tuple[Span, ...] = ()
    small: bool = False
    quoted: bool = False
    instants: tuple[Instant, ...] = ()


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


Notes = tuple[tuple[str, str], ...]
"""Places on an axis and what is written there: (a date or an exact figure, its label)."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart of figures by date, drawn by each chat as it can.

    text: the figures it shows, for those who cannot see it, for notifications and logs
    title, span, source, last, when: written around it: what, from when to when, whose, the newest figure, its date
    points: (ISO date, exact figure), oldest first; each figure holds until the next one
    marks: places in `points` that are labelled; across, up: the labels of the axes
    """

    text: str
    title: str
    span: str
    source: str
    last: str
    when: str
    points: tuple[tuple[str, str], ...]
    marks: tuple[tuple[int, str], ...]
    across: Notes
    up: Notes


@dataclass(frozen=True, slots=True)
class File:
    """A text file to keep. text: what it is; content: in UTF-8 when it is sent."""

    text: str
    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Button:
    """Pressing it is typing `command`."""

    label: str
    command: str


Attachment = Picture | File
"""What goes up to a chat by itself, beside the text."""

Block = Heading | Paragraph | Link | Table | Picture | File
_TYPES: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in get_args(Block)}


@dataclass(frozen=True, slots=True)
class Message:
    """What a person reads.

    sample: made from the sample edition, and says so; silent: rings nowhere, where a chat can do that
    locate: of an answer without buttons: the label of a key by which people tell where they are, where a chat has
        one; None takes it away again
    """

    blocks: tuple[Block, ...]
    buttons: tuple[Button, ...] = ()
    sample: bool = False
    silent: bool = False
    locate: str | None = ""


def to_data(message: Message) -> dict[str, Any]:
    """The message as JSON data: {"blocks": [{"type", "text", ...}], "buttons": [...], "sample"}, and "silent" and
    "locate" where it has them; in a block "instants" if it tells any."""
    data: dict[str, Any] = {
        "blocks": [_block_data(block) for block in message.blocks],
        "buttons": [asdict(button) for button in message.buttons],
        "sample": message.sample,
    }
    if message.silent:
        data["silent"] = True
    if message.locate != "":
        data["locate"] = message.locate
    return data


def from_data(data: dict[str, Any]) -> Message:
    """The inverse of to_data."""
    return Message(
        tuple(_block(block) for block in data["blocks"]),
        tuple(Button(**button) for button in data["buttons"]),
        data["sample"],
        data.get("silent", False),
        data.get("locate", ""),
    )


def _block_data(block: Block) -> dict[str, Any]:
    data = {"type": type(block).__name__.lower(), **asdict(block)}
    return {name: value for name, value in data.items() if value or name != "instants"}


def _block(data: dict[str, Any]) -> Block:
    fields = {name: value for name, value in data.items() if name != "type"}
    if "spans" in fields:
        fields["spans"] = tuple(Span(**span) for span in fields["spans"])
    if "instants" in fields:
        fields["instants"] = tuple(Instant(**instant) for instant in fields["instants"])
    for name in ("rows", "points", "marks", "across", "up"):
        if name in fields:
            fields[name] = tuple(tuple(row) for row in fields[name])
    block: Block = _TYPES[data["type"]](**fields)
    return block
