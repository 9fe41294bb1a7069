"""A Message as Telegram shows it: pages of HTML, and a keyboard under the last one.

Telegram counts UTF-16 units of what is left after the markup is read, so every piece is kept
both ways: as markup and as the plain text it becomes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import regex

from bot.message import Attachment, Block, Button, File, Heading, Link, Message, Paragraph, Picture, Span, Table

TEXT_UNITS: Final = 4096
CAPTION_UNITS: Final = 1024
TEXT_ENTITIES: Final = 100
CALLBACK_BYTES: Final = 64
ROW_BUTTONS: Final = 3
ROW_CHARACTERS: Final = 36
TABLE_COLUMNS: Final = 34
SAMPLE: Final = "SAMPLE"
RENDERED_KEPT: Final = 64

_UNSENDABLE = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
# What Telegram would make a mention, a tag, a command or a link of by itself; each sign gives way to one as long
# that looks like it, and is read as it (NFKC) by whoever copies it into a command.
_LIVE = regex.compile(
    r"[@\#](?=\w)|\$(?=[A-Z])|(?<![\w/])/(?=\w)|:(?=//)|(?<=\w)\.(?=\p{L}{2})|(?<=\d)\.(?=\d{1,3}\.\d{1,3}\.\d)"
)
_LOOKALIKE: Final = str.maketrans("@#$:./", "＠＃＄：․／")
_TAGS: Final = {"bold": "b", "italic": "i", "code": "code"}

Keyboard = tuple[tuple[tuple[str, str], ...], ...]
"""Rows of (label, callback data)."""


@dataclass(frozen=True, slots=True)
class Page:
    """One Telegram message. plain: the same without markup, links spelled out, for when the markup is refused.

    attachment: what the text is the caption of; where it cannot be sent, the text goes alone, and that of a file
    has its content
    preview: the page that is shown below the text, "" for none
    locate: as in Message, where there is no keyboard
    """

    html: str
    plain: str
    keyboard: Keyboard = ()
    attachment: Attachment | None = None
    silent: bool = False
    preview: str = ""
    locate: str | None = ""

    def alone(self) -> Page:
        """The page without its attachment."""
        if not isinstance(self.attachment, File):
            return replace(self, attachment=None)
        content = _fit_lines(_sendable(self.attachment.content), TEXT_UNITS - units(self.plain) - 1)
        markup = f"{self.html}\n<pre>{_escape(content)}</pre>"
        return replace(self, html=markup, plain=f"{self.plain}\n{content}", attachment=None)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block on the page. units: UTF-16 length after the markup is read."""

    html: str
    plain: str
    units: int
    entities: int
    gap: str = "\n"
    attachment: Attachment | None = None


def render(message: Message, data: Mapping[str, str]) -> list[Page]:
    """The message as pages, none if there is nothing to read. data: callback data by command."""
    pages = list(_pages(message))
    if pages and message.buttons:
        pages[-1] = replace(pages[-1], keyboard=keyboard(message.buttons, data))
    elif pages:
        pages[-1] = replace(pages[-1], locate=message.locate)
    return pages


@lru_cache(maxsize=RENDERED_KEPT)
def _pages(message: Message) -> tuple[Page, ...]:
    """Without buttons, as those differ from chat to chat: one rendering serves all that get the message."""
    mark = _piece(SAMPLE, f"<b>{SAMPLE}</b>", entities=1) if message.sample else None
    pages = [_page(pieces) for pieces in _paged(_pieces(message.blocks, mark), mark)]
    if len(pages) == 1 and not pages[0].attachment:
        pages[0] = replace(pages[0], preview=_preview(message))
    return tuple(replace(page, silent=True) if message.silent else page for page in pages)


def _preview(message: Message) -> str:
    """The address of the one article a message is about: it begins with it, and leads nowhere else."""
    links = [block for block in message.blocks if isinstance(block, Link)]
    alone = len(links) == 1 and message.blocks[0] is links[0] and links[0].url.startswith("https://")
    return _sendable(links[0].url) if alone else ""


def callback_data(command: str, chat: str) -> str:
    """The command itself if a button can hold it, else "t:" and a token of this command in this chat."""
    if len(command.encode()) <= CALLBACK_BYTES:
        return command
    digest = hashlib.sha256(f"{chat}\n{command}".encode()).digest()
    return "t:" + base64.urlsafe_b64encode(digest[:18]).decode()


def keyboard(buttons: Iterable[Button], data: Mapping[str, str]) -> Keyboard:
    """Buttons in rows of up to three, fewer where labels are long: all of a row are as wide as each other."""
    rows: list[list[tuple[str, str]]] = []
    for button in buttons:
        label = _sendable(button.label) or button.command
        row = rows[-1] if rows else []
        widest = max(_width(text) for text in (label, *(text for text, _ in row)))
        if not row or len(row) >= ROW_BUTTONS or widest * (len(row) + 1) > ROW_CHARACTERS:
            row = []
            rows.append(row)
        row.append((label, data[button.command]))
    return tuple(tuple(row) for row in rows)


def units(text: str) -> int:
    """How long Telegram says a text is: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clip(text: str, limit: int) -> str:
    """At most `limit` UTF-16 units, never cut inside what is seen as one character."""
    if units(text) <= limit:
        return text
    room, end = limit - 1, 0
    for cluster in regex.finditer(r"\X", text):
        room -= units(cluster[0])
        if room < 0:
            break
        end = cluster.end()
    return text[:end].rstrip() + "…"


# --- pages -------------------------------------------------------------------


def _paged(pieces: Iterable[_Piece], mark: _Piece | None) -> Iterator[list[_Piece]]:
    """Pieces put together as long as they fit a page. What is attached begins one."""
    page = [mark] if mark else []
    fresh = len(page)
    for piece in pieces:
        if len(page) > fresh and (piece.attachment or not _fits([*page, piece])):
            yield page
            page = page[:fresh]
        page.append(piece)
    if len(page) > fresh:
        yield page


def _fits(pieces: list[_Piece]) -> bool:
    length = sum(piece.units + len(piece.gap) for piece in pieces)
    limit = CAPTION_UNITS if any(piece.attachment for piece in pieces) else TEXT_UNITS
    return length <= limit and sum(piece.entities for piece in pieces) <= TEXT_ENTITIES


def _page(pieces: list[_Piece]) -> Page:
    markup = "".join(piece.gap + piece.html for piece in pieces).strip("\n")
    plain = "".join(piece.gap + piece.plain for piece in pieces).strip("\n")
    attachment = next((piece.attachment for piece in pieces if piece.attachment), None)
    return Page(markup, clip(plain, CAPTION_UNITS if attachment else TEXT_UNITS), attachment=attachment)


def _pieces(blocks: Iterable[Block], mark: _Piece | None) -> Iterator[_Piece]:
    used = (mark.units + len(mark.gap) if mark else 0) + len("\n\n")
    before: Block | None = None
    entry = False  # what follows a link tells of it
    for block in blocks:
        fresh = isinstance(block, Heading | Link) or (not entry and _begins(before, block))
        limit = CAPTION_UNITS if isinstance(block, Picture | File) else TEXT_UNITS
        piece = _block(block, limit - used, "\n\n" if fresh else "\n")
        if piece is not None:
            entry = isinstance(block, Link) or (entry and isinstance(block, Paragraph))
            before = block
            yield piece


def _begins(before: Block | None, block: Block) -> bool:
    """Whether an empty line goes before a block: a new paragraph after something else to read."""
    return isinstance(block, Paragraph) and not block.small and isinstance(before, Paragraph | Table | Picture)


# --- blocks ------------------------------------------------------------------


def _block(block: Block, room: int, gap: str) -> _Piece | None:
    """A block that fits `room`, clipped if it must be; None if there is nothing to see."""
    if isinstance(block, Table):
        text = _fit_lines(_table(block), room)
        return _piece(text, f"<pre>{_escape(text)}</pre>", entities=1, gap=gap) if text.strip() else None
    if isinstance(block, Paragraph) and block.quoted:
        block = replace(block, text=_LIVE.sub(lambda found: found[0].translate(_LOOKALIKE), block.text))
    text = clip(_sendable(block.text).rstrip("\n"), room)
    if isinstance(block, Picture | File):
        return replace(_piece(text, _escape(text), entities=0, gap=gap), attachment=block)
    if not text.strip():
        return None
    if isinstance(block, Heading):
        return _piece(text, f"<b>{_escape(text)}</b>", entities=1, gap=gap)
    if isinstance(block, Link):
        return _link(text, block.url, gap)
    if block.small and not block.spans:
        return _piece(text, f"<i>{_escape(text)}</i>", entities=1, gap=gap)
    markup, entities = _styled(block, text)
    return _piece(text, markup, entities=entities, gap=gap)


def _piece(text: str, markup: str, *, entities: int, gap: str = "\n", plain: str = "") -> _Piece:
    return _Piece(markup, plain or text, units(text), entities, gap)


def _link(text: str, url: str, gap: str) -> _Piece:
    if not url.startswith(("https://", "http://")):
        return _piece(text, _escape(text), entities=0, gap=gap)
    markup = f'<a href="{html.escape(_sendable(url), quote=True)}">{_escape(text)}</a>'
    return _piece(text, markup, entities=1, gap=gap, plain=f"{text}\n{_sendable(url)}")


def _styled(block: Paragraph, text: str) -> tuple[str, int]:
    """A paragraph's markup and its number of tags. Spans count characters of the text as it was."""
    parts, done, entities = [], 0, 0
    for span in _apart(block, text):
        tag = _TAGS[span.style]
        parts += [_escape(text[done : span.start]), f"<{tag}>{_escape(text[span.start : span.end])}</{tag}>"]
        done, entities = span.end, entities + 1
    return "".join([*parts, _escape(text[done:])]), entities


def _apart(block: Paragraph, text: str) -> Iterator[Span]:
    """Spans in order, none over another, none beyond the text; none at all where the text lost characters."""
    if not block.text.startswith(text.rstrip("…")):
        return
    done = 0
    for span in sorted(block.spans, key=lambda span: span.start)[:TEXT_ENTITIES]:
        end = min(span.end, len(text))
        if done <= span.start < end:
            yield Span(span.start, end, span.style)
            done = end


def _table(table: Table) -> str:
    """Columns that line up, labels left and figures right; too wide for a phone: figures under the label."""
    rows = [[_sendable(cell).replace("\n", " ") for cell in row] for row in table.rows]
    count = max((len(row) for row in rows), default=0)
    padded = [row + [""] * (count - len(row)) for row in rows if row]
    widths = [max(_width(row[column]) for row in padded) for column in range(count)]
    for between in ("  ", " "):
        if sum(widths) + len(between) * (count - 1) <= TABLE_COLUMNS:
            return "\n".join(_line(row, widths, between) for row in padded)
    return "\n".join(f"{row[0]}\n  {' '.join(filter(None, row[1:]))}".rstrip() for row in padded)


def _line(row: list[str], widths: list[int], between: str) -> str:
    cells = [row[0] + " " * (widths[0] - _width(row[0]))]
    cells += [" " * (width - _width(cell)) + cell for cell, width in zip(row[1:], widths[1:], strict=True)]
    return between.join(cells).rstrip()


def _fit_lines(text: str, room: int) -> str:
    """As many whole lines as fit."""
    lines = text.split("\n")
    while len(lines) > 1 and units("\n".join(lines)) > room:
        lines = [*lines[:-2], "…"] if lines[-1] == "…" else [*lines[:-1], "…"]
    return clip("\n".join(lines), room)


def _width(text: str) -> int:
    """Columns of a monospaced font."""
    seen = (char for char in text if not unicodedata.combining(char))
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in seen)


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _sendable(text: str) -> str:
    """Without what cannot be sent: control characters and halves of a surrogate pair."""
    return str(_UNSENDABLE.sub("", text))
