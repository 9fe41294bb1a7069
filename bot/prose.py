"""HTML of strangers to plain text and its emphasis, read once: paragraphs, leads, clipping.

Everything here takes time in proportion to the text, whatever the text. That is why the tags
are found by expressions of our own: html.parser tries an unfinished tag again and again, and
100 kB of them cost it a quarter of a minute. Only the names of tags matter to plain text.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import regex

from bot.message import Span, Style
from bot.shortcodes import without_shortcodes

LONGEST_INPUT: Final = 400_000
"""Characters of HTML that are looked at; an article has a tenth of it."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCKS: Final = _names(
    "address article aside blockquote center dd details div dl dt fieldset figure footer h1 h2 h3 h4 h5 h6 header hr"
    " li main nav ol p pre section summary table tbody tr ul"
)
_DROPPED: Final = _names(
    "applet audio button canvas figcaption form head iframe math noscript object script select style svg template"
    " textarea title video"
)
_STYLES: Final[tuple[Style, ...]] = ("bold", "italic", "code")
_EMPHASIS: Final = {"b": 0, "strong": 0, "i": 1, "em": 1, "code": 2, "tt": 2}
_MARKS: Final = re.compile("([\ufdd0-\ufdef])")
"""Noncharacters that stand for the edges of emphasis while a text is read: U+FDD0 and up where one
begins, U+FDE0 and up where it ends. A stranger's own are dropped, and no entity yields one."""
MOST_SPANS: Final = 32
_CELLS: Final = frozenset({"td", "th"})

_OPENING = re.compile(r"<(?=[a-zA-Z/!?])")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[|<[!?][^>]*(?:>|\Z)", re.DOTALL)
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)(?:[^>=]++|=\s*+(?:"[^"]*+"|'[^']*+')?)*+>""")
_BROKEN_TAG = re.compile(r"<(/?)([a-zA-Z]?[^\s/>]*)[^>]*(?:>|\Z)")
_ESCAPED = re.compile(
    r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,31}\d{0,2});"
    r"|</?(?:a|b|br|div|em|figure|h[1-6]|i|img|li|ol|p|script|span|strong|style|sub|sup|u|ul)\b[^<>]*>"
)

_UNSEEN = regex.compile(
    r"[[\p{Cc}\p{Cs}\p{Cf}]--[\u200d]]+"
    r"|(?<![\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f])\u200d+|\u200d+(?!\p{Extended_Pictographic})",
    regex.VERSION1,
)
_PILED_MARKS = regex.compile(r"(\p{M}{8})\p{M}+")
_CUT = re.compile(r"\s*[\[(]\s?(?:…|\.{3})\s?[\])]\s*$")
_TAIL = re.compile(
    r"(?:^|(?<=[.!?…»”\"\s]))\s*(?:"
    r"The post .{1,400}? (?:appeared first|first appeared) on .{1,200}"
    r"|(?:Сообщение|Запись) .{1,400}? (?:впервые появил|появил\w+ сначала на ).{1,200}"
    r"|(?:Read|Show) more(?: on this topic)?|Continue reading.{0,300}|Read the (?:full|whole) (?:article|story).{0,200}"
    r"|Читать (?:далее|дальше|полностью)|Подробнее|Толығырақ|Batafsil"
    r")\s*(?:…|\.{3}|»|→|>+|›|\.|:)?\s*$"
)

_SENTENCE_END = re.compile(r"(\S+?[.!?…]+[\"»”’')\]]*)(?:\s+(?=[^\s\w]*[A-ZЁА-Я\u0400-\u042fÀ-Þ0-9])|$)")
_ABBREVIATIONS: Final = _names(
    "adm apr aug bros capt co col corp dec dr e.g eds etc feb fig gen gov hon i.e inc jan jr jul jun lt ltd mar mr mrs"
    " ms mt no nov oct prof rep rev sen sep sept sgt sr st vs"
    " в в.в г гг гр д долл др е им кв коп куб млн млрд напр обл пл пос пр просп р р-н руб с св см сом ст стр т тыс ул"
    " чел"
)


@dataclass(frozen=True, slots=True)
class Prose:
    """Clean text, and what of it the outlet stressed: in order, none over another, none empty."""

    text: str
    spans: tuple[Span, ...] = ()


def read(markup: str) -> Prose:
    """The plain text of HTML or of text: paragraphs apart by a blank line, nothing left to interpret.

    Shortcodes, scripts, captions, links, invisible and direction-turning characters and "read more"
    tails are gone, entities are decoded, the text is NFC.
    """
    prose = _read(markup[:LONGEST_INPUT])
    if _ESCAPED.search(prose.text):  # no reader wants to see it as it stands
        prose = _read(prose.text.replace("\n\n", "<p>"))
    return prose


def clean(markup: str) -> str:
    """The text of `read` alone."""
    return read(markup).text


def title(markup: str) -> str:
    """The same on one line."""
    return " ".join(clean(markup).split())


def lead(text: str, limit: int = 280) -> str:
    """The first two sentences of clean text on one line, at most `limit` characters."""
    start = " ".join(text[: limit * 8].split())
    ends = (found.end(1) for found in _SENTENCE_END.finditer(start) if not _abbreviated(found[1]))
    return clip(start[: next(islice(ends, 1, None), None)], limit)


def emphasis(prose: Prose, lead: str) -> tuple[Span, ...]:
    """The spans of a text as they stand in its lead; emphasis on all of it says nothing."""
    end = len(lead) - lead.endswith("…")
    found = [
        (_on_one_line(prose.text, s.start), min(_on_one_line(prose.text, s.end), end), s.style) for s in prose.spans
    ]
    return tuple(Span(*span) for span in found if span[0] < span[1] and span[1] - span[0] < end)


def _on_one_line(text: str, place: int) -> int:
    return place - text.count("\n\n", 0, place)


def clip(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words if there are any, never inside what is seen as one character."""
    if len(text) <= limit:
        return text
    end = max(text.rfind(" ", 0, limit), 0)  # nothing that is seen as one goes on with a space
    for cluster in regex.finditer(r"\X", text, pos=end, endpos=limit + 64):
        if cluster.end() > limit - 1:
            break
        end = cluster.end()
    space = text.rfind(" ", end // 2, end + 1)
    return text[: space if space > 0 else end].rstrip(' ,;:.-–—(«“"') + "…"


def _abbreviated(word: str) -> bool:
    bare = word.lstrip("(\"«“‘'").removesuffix(".")
    if not word.endswith(".") or bare.endswith("."):
        return False
    initials = all(len(part) == 1 and part.isalpha() for part in bare.split("."))
    return initials or bare.lower() in _ABBREVIATIONS


def _read(markup: str) -> Prose:
    """One reading: shortcodes, tags, entities, in this order."""
    markup = without_shortcodes(_MARKS.sub("", markup))
    paragraphs = [tidy for part in _paragraphs(markup) if (tidy := _tidy(part)).text]
    last = ""
    while paragraphs and not (last := _TAIL.sub("", _CUT.sub("…", paragraphs[-1].text[-1200:]))):
        paragraphs.pop()
    if paragraphs:
        paragraphs[-1] = Prose((paragraphs[-1].text[:-1200] + last).rstrip(), paragraphs[-1].spans)
    return _joined(paragraphs)


def _joined(paragraphs: Iterable[Prose]) -> Prose:
    """Paragraphs as one text; of a paragraph that lost its tail the spans end with it."""
    texts: list[str] = []
    spans: list[Span] = []
    at = 0
    for paragraph in paragraphs:
        inside = [(s.start, min(s.end, len(paragraph.text)), s.style) for s in paragraph.spans]
        spans += [Span(at + start, at + end, style) for start, end, style in inside if start < end]
        texts.append(paragraph.text)
        at += len(paragraph.text) + 2
    return Prose("\n\n".join(texts), tuple(spans[:MOST_SPANS]))


def _tidy(marked: str) -> Prose:
    """A paragraph on one line, NFC, without what cannot be seen. Piles of marks are thinned out first:
    putting them in order takes quadratic time."""
    text, spans = _unmarked(" ".join(html.unescape(marked).split()))
    if text.isascii() and text.isprintable():  # most English is tidy by now
        return Prose(text, spans)
    seen = _UNSEEN.sub("", text)
    tidy = " ".join(unicodedata.normalize("NFC", _PILED_MARKS.sub(r"\1", seen)).split())
    return Prose(tidy, spans if tidy == text else ())


def _unmarked(marked: str) -> tuple[str, tuple[Span, ...]]:
    """A line without its marks, and what stood between them."""
    runs: list[str] = []
    spans: list[Span] = []
    opened: dict[int, int] = {}
    length, spaced = 0, True
    for n, run in enumerate(_MARKS.split(marked)):
        if n % 2:
            kind = ord(run) - 0xFDD0
            if kind < 16:
                opened.setdefault(kind, length)
            elif (start := opened.pop(kind - 16, None)) is not None:
                spans.append(Span(start, length, _STYLES[kind - 16]))
        elif kept := run.lstrip(" ") if spaced else run:
            runs.append(kept)
            length += len(kept)
            spaced = kept.endswith(" ")
    text = "".join(runs)
    return text.rstrip(" "), tuple(_apart(text, spans))


def _apart(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Spans in order without spaces at their edges; where one is in another, the outer one."""
    reached = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        stressed = text[span.start : span.end]
        start = span.start + len(stressed) - len(stressed.lstrip(" "))
        end = span.start + len(stressed.rstrip(" "))
        if reached <= start < end:
            yield Span(start, end, span.style)
            reached = end


def _paragraphs(markup: str) -> Iterator[str]:
    """The text of each paragraph, still with its entities."""
    parts: list[str] = []
    for piece in _pieces(markup):
        broken = bool(parts) and parts[-1] == "\n"
        if piece == "\n\n" or (piece == "\n" and broken):
            yield "".join(parts)
            parts = []
        elif piece.strip() or not broken:  # two line breaks are a paragraph's end, spaces between them or not
            parts.append(piece)
    yield "".join(parts)


def _pieces(markup: str) -> Iterator[str]:
    """Stretches of text, "\n" for a line break, "\n\n" for the edge of a block."""
    at, whole, endless = 0, True, set[str]()
    while found := _OPENING.search(markup, at):
        start = found.start()
        if start > at:
            yield markup[at:start].replace("]]>", "")
        if comment := _COMMENT.match(markup, start):
            at = comment.end()
            continue
        tag = _TAG.match(markup, start) if whole else None
        whole = tag is not None  # after an unfinished tag quotes mean nothing: no second search to the end
        tag = tag or _BROKEN_TAG.match(markup, start)
        assert tag is not None
        at, name = tag.end(), tag[2].lower()
        yield _meaning(name, closes=bool(tag[1]))
        if name in _DROPPED and not tag[1] and name not in endless:
            at = _after_end_tag(markup, name, at) or at
            endless.update({name} if at == tag.end() else ())
    yield markup[at:].replace("]]>", "")


def _meaning(name: str, *, closes: bool) -> str:
    if name in _EMPHASIS:
        return chr((0xFDE0 if closes else 0xFDD0) + _EMPHASIS[name])
    if name in _BLOCKS or name in _DROPPED:
        return "\n\n"
    if name == "br":
        return "\n"
    return " " if name in _CELLS else ""


def _after_end_tag(markup: str, name: str, at: int) -> int:
    """Where the text goes on after </name>, 0 if it never ends."""
    found = re.compile(rf"</{name}\b[^>]*(?:>|\Z)", re.IGNORECASE).search(markup, at)
    return found.end() if found else 0
