"""Telegram's own reading of HTML: what is left to see, and its entities. Refuses what Telegram refuses."""

from __future__ import annotations

import html
import re
from typing import Any

NAMES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "a": "text_link", "code": "code", "pre": "pre", "blockquote": "blockquote",
}  # fmt: skip
PIECE = re.compile(r"<(/?)([^\s<>/]*)([^<>]*)>|&(#\d+|#[xX][0-9a-fA-F]+|lt|gt|amp|quot);|(<)|([^<&]+|&)")
HREF = re.compile(r'href="([^"]*)"|href=\'([^\']*)\'|href=(\S+)')


class Unparsable(ValueError):
    """Says it as Telegram does."""


def units(text: str) -> int:
    """UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read_html(markup: str) -> tuple[str, list[dict[str, Any]]]:
    """(text, entities) as a message would hold them: offsets in UTF-16 units, blanks at the ends gone."""
    text, entities = "", []
    open_tags: list[tuple[str, int, str]] = []
    for found in PIECE.finditer(markup):
        closing, name, rest, entity, stray, plain = found.groups()
        at = len(markup[: found.start()].encode())
        if stray:
            raise Unparsable(f"can't parse entities: Unclosed start tag at byte offset {at}")
        if plain:
            text += plain
        elif entity:
            text += html.unescape(found[0])
        elif closing:
            entities += _close(open_tags, name.lower(), units(text), at)
        else:
            open_tags.append((_known(name.lower(), rest, at), units(text), rest))
    if open_tags:
        raise Unparsable(f"can't parse entities: Can't find end tag corresponding to start tag \"{open_tags[-1][0]}\"")
    return _trim(text, entities)


def _known(name: str, rest: str, at: int) -> str:
    if name == "span" and "tg-spoiler" in rest:
        return "tg-spoiler"
    if name not in NAMES:
        raise Unparsable(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {at}')
    return name


def _close(open_tags: list[tuple[str, int, str]], name: str, end: int, at: int) -> list[dict[str, Any]]:
    if not open_tags:
        raise Unparsable(f"can't parse entities: Unexpected end tag at byte offset {at}")
    opened, start, rest = open_tags.pop()
    if name not in (opened, "", "span" if opened == "tg-spoiler" else ""):
        expected = f'expected "</{opened}>", found "</{name}>"'
        raise Unparsable(f"can't parse entities: Unmatched end tag at byte offset {at}, {expected}")
    if end == start:
        return []
    entity: dict[str, Any] = {"type": NAMES[opened], "offset": start, "length": end - start}
    if opened == "a":
        href = HREF.search(rest)
        url = html.unescape(next(filter(None, href.groups()), "")) if href else ""
        if not re.match(r"(https?|tg|mailto|ton):", url):
            return []
        entity["url"] = url
    return [entity]


def _trim(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    lead = units(text) - units(text.lstrip())
    text = text.strip()
    whole = units(text)
    for entity in entities:
        start = max(entity["offset"] - lead, 0)
        entity["length"] = min(entity["offset"] - lead + entity["length"], whole) - start
        entity["offset"] = start
    kept = [entity for entity in entities if entity["length"] > 0]
    return text, sorted(kept, key=lambda entity: (entity["offset"], -entity["length"]))[:100]
