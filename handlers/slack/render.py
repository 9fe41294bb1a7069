"""Message to Block Kit: the only place of this room that writes markup.

Foreign text goes into plain_text objects, where nothing is live; mrkdwn is written for links,
tables, styled paragraphs and what tells an instant only, with & < > as entities, so that no mention
survives. What does not fit is cut between blocks and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import regex
from rich.cells import cell_len

from bot.locales import Tongue
from bot.message import Block, Heading, Instant, Link, Message, Paragraph, Span, Table

Json = dict[str, Any]

BLOCKS: Final = 50
SECTION: Final = 2_900
"""Slack takes 3,000 characters in a text object."""
HEADER: Final = 150
BUTTONS: Final = 25
"""Of one row of buttons; what is beyond is left out, for anyone can type its command."""
LABEL: Final = 75
VALUE: Final = 2_000
URL: Final = 2_000
TOTAL: Final = 10_500
"""Over all blocks together; Slack refuses somewhere above 11,000, undocumented."""
TEXT: Final = 4_000
SAMPLE: Final = "SAMPLE"
NOTE: Final = 100
"""Kept free for the line that counts what was left out."""

_UNSEEN: Final = regex.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_CLOCKS: Final = "{date_short_pretty} {time}"
"""How Slack words an instant, on each reader's clocks and in their language."""
_MARKS: Final = {"bold": "*", "italic": "_", "code": "`"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What Slack is given. text: for notifications and screen readers, at most TEXT characters."""

    text: str
    blocks: list[Json]


@dataclass(frozen=True, slots=True)
class Extra:
    """A button that only Slack has. action: what pressing it means, one of a kind in a message"""

    label: str
    action: str
    value: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A Slack block and what it weighs. links, units: how many of ours it stands for."""

    block: Json
    size: int
    links: int = 0
    units: int = 0


def render(message: Message, speak: Tongue, extras: Sequence[Extra] = ()) -> Rendered:
    """The message within every budget of Slack's, in blocks and as text."""
    said = [Extra(button.label, f"say:{n}", button.command) for n, button in enumerate(message.buttons)]
    row = _buttons([*extras, *said])
    head = [_context(SAMPLE)] if message.sample else []
    room = TOTAL - NOTE - sum(part.size for part in (*head, *row))
    kept, left = _fit(list(_parts(message.blocks)), BLOCKS - 1 - len(head) - len(row), room)
    note = [_context(_more(left, speak))] if left else []
    return Rendered(plain_text(message, speak), [part.block for part in (*head, *kept, *note, *row)])


def plain_text(message: Message, speak: Tongue, limit: int = TEXT) -> str:
    """The message without blocks, escaped, cut between lines and counted if over `limit`."""
    parts = [
        _Part({"text": line}, _size(line) + 1, links=int(isinstance(block, Link)), units=1)
        for block in message.blocks
        for line in [escape(clean(_words(block)))]
        if line
    ]
    kept, left = _fit(parts, len(parts), limit - NOTE)
    lines = [part.block["text"] for part in kept]
    if message.sample:
        lines.insert(0, SAMPLE)
    if left:
        lines.append(escape(_more(left, speak)))
    return "\n".join(lines) or "…"


def escape(text: str) -> str:
    """For mrkdwn and for text: these three are all that Slack gives a meaning to."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def clean(text: str) -> str:
    """Without control characters, bidirectional overrides and stray surrogates."""
    return str(_UNSEEN.sub("", text)).strip()


def _words(block: Block) -> str:
    match block:
        case Link(text, url):
            return f"{text}\n{url}"
        case Table(text, rows):
            return text or "\n".join("  ".join(row) for row in rows)
        case _:
            return block.text


def _fit(parts: list[_Part], blocks: int, room: int) -> tuple[list[_Part], list[_Part]]:
    """As many leading parts as fit, and those that are left out."""
    for place, part in enumerate(parts):
        room -= part.size
        if place >= blocks or room < 0:
            return parts[:place], parts[place:]
    return parts, []


def _more(left: Iterable[_Part], speak: Tongue) -> str:
    left = list(left)
    n = sum(part.links for part in left) or sum(part.units for part in left) or 1
    return speak.count("and {n} more", "and {n} more", n)


def _parts(blocks: Iterable[Block]) -> Iterator[_Part]:
    small: list[Paragraph] = []
    for block in blocks:
        if isinstance(block, Paragraph) and block.small:
            small += [block] if clean(block.text) else []
            continue
        yield from _contexts(small)
        small = []
        yield from _part(block)
    yield from _contexts(small)


def _contexts(small: list[Paragraph]) -> Iterator[_Part]:
    """Neighbouring small print shares a block, a line each."""
    if any(line.instants for line in small) and _fits(marked := "\n".join(_styled(line) for line in small)):
        yield _context(marked, mrkdwn=True)
        return
    for piece in _pieces("\n".join(clean(line.text) for line in small), SECTION):
        yield _context(piece)


def _part(block: Block) -> Iterator[_Part]:
    match block:
        case Heading(text, instants) if instants and _fits(styled := f"*{_styled(block)}*"):
            yield _section(styled)
        case Heading(text) if 0 < _size(clean(text)) <= HEADER:
            yield _Part({"type": "header", "text": _plain(clean(text))}, _size(clean(text)), units=1)
        case Link():
            yield _section(_link(block), links=1)
        case Table(_, rows):
            lines = "\n".join(_aligned(rows))
            for piece in _pieces(lines, SECTION - 10, escaped=True):
                yield _section(f"```\n{escape(piece)}\n```")
        case Paragraph() if (block.spans or block.instants) and clean(block.text) and _fits(styled := _styled(block)):
            yield _section(styled)
        case _:
            for piece in _pieces(clean(block.text), SECTION):
                yield _Part({"type": "section", "text": _plain(piece)}, _size(piece), units=1)


def _link(link: Link) -> str:
    """A title that leads somewhere; the bare title if the address is not one Slack can hold."""
    label = clean(link.text).replace("|", "¦").replace("\n", " ") or clean(link.url)
    label = escape(next(iter(_pieces(label, SECTION - URL - 10, escaped=True)), "…"))
    url = regex.sub(r"[\s<>|]", "", clean(link.url)).replace("&", "&amp;")
    if not url.startswith(("https://", "http://")) or _size(url) > URL:
        return label
    return f"<{url}|{label}>"


def _styled(block: Heading | Paragraph) -> str:
    """Its text with its spans and instants; a stretch that mrkdwn could not mark stays as it is."""
    text, out, done = block.text, "", 0
    if text != clean(text):
        return escape(clean(text))
    parts: list[Span | Instant] = list(block.instants)
    if isinstance(block, Paragraph) and not block.small:
        parts += block.spans
    for part in sorted(parts, key=lambda part: part.start):
        inner = text[part.start : part.end]
        if part.start < done or not inner or inner != inner.strip() or "\n" in inner:
            continue
        if isinstance(part, Instant):
            marked = _instant(inner, part.at)
        else:
            mark = _MARKS[part.style]
            marked = "" if mark in inner else mark + escape(inner) + mark
        if marked:
            out += escape(text[done : part.start]) + marked
            done = part.end
    return out + escape(text[done:])


def _instant(words: str, at: str) -> str:
    """On each reader's clocks; the words are for where Slack cannot."""
    seconds = int(datetime.fromisoformat(at).timestamp())
    return f"<!date^{seconds}^{_CLOCKS}|{escape(words).replace('|', '¦')}>"


def _aligned(rows: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    """The first column to the left, figures to the right, by the width a screen gives them."""
    cells = [[clean(cell).replace("\n", " ").replace("`", "'") for cell in row] for row in rows]
    columns = max((len(row) for row in cells), default=0)
    widths = [max((cell_len(row[n]) for row in cells if n < len(row)), default=0) for n in range(columns)]
    for row in cells:
        gaps = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join(gap + cell if n else cell + gap for n, (cell, gap) in enumerate(zip(row, gaps, strict=True)))


def _buttons(buttons: Sequence[Extra]) -> list[_Part]:
    """One row, or none. A command that Slack cannot hold whole has no button."""
    elements: list[Json] = []
    size = 0
    for button in buttons[:BUTTONS]:
        label = next(iter(_pieces(clean(button.label), LABEL)), "")
        size += _size(label) + _size(button.value)
        if label and 0 < _size(button.value) <= VALUE and size <= TOTAL // 3:
            elements.append(
                {"type": "button", "action_id": button.action, "text": _plain(label), "value": button.value}
            )
    return [_Part({"type": "actions", "elements": elements}, size)] if elements else []


def _context(text: str, *, mrkdwn: bool = False) -> _Part:
    element = _mrkdwn(text) if mrkdwn else _plain(text)
    return _Part({"type": "context", "elements": [element]}, _size(text), units=text.count("\n") + 1)


def _section(mrkdwn: str, links: int = 0) -> _Part:
    return _Part({"type": "section", "text": _mrkdwn(mrkdwn)}, _size(mrkdwn), links, units=1)


def _mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}


def _fits(text: str) -> bool:
    return _size(text) <= SECTION


def _size(text: str) -> int:
    """UTF-16 units: the longest way Slack could count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _pieces(text: str, room: int, *, escaped: bool = False) -> Iterator[str]:
    """Stretches of at most `room`, broken at a line's end, a blank, or between graphemes."""
    while text:
        end = _reach(text, room, escaped=escaped)
        if end < len(text):
            blank = max(text.rfind("\n", 0, end), 0) or max(text.rfind(" ", 0, end), 0)
            end = blank or end
        piece = text[:end].strip("\n") if escaped else text[:end].strip()
        if piece.strip():
            yield piece
        text = text[end:] if escaped else text[end:].lstrip()


def _reach(text: str, room: int, *, escaped: bool) -> int:
    if _size(escape(text) if escaped else text) <= room:
        return len(text)
    for grapheme in regex.finditer(r"\X", text):
        room -= _size(escape(grapheme[0]) if escaped else grapheme[0])
        if room < 0:
            return grapheme.start() or max(1, room // 2 + len(grapheme[0]) // 2)
    return len(text)
