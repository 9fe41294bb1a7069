"""Bytes of a stranger to text. What is declared is often wrong, so the bytes speak first."""

from __future__ import annotations

import codecs
import re
from typing import Final

_WIDE: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED: Final = ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_IN_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([\w.:-]{1,40})["']""")
_IN_HEADER = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_HIGH_PAIRS = re.compile(rb"[\xc0-\xff]{2}")
_HIGH = re.compile(rb"[\x80-\xff]")


def narrow(body: bytes) -> bytes:
    """The same document in a charset in which what is ASCII is one byte, so that tags can be found in it."""
    for mark, encoding in (*_WIDE, *_UNMARKED):
        if body.startswith(mark):
            return body.decode(encoding, "replace").encode("utf-8", "replace")
    return body


def decode(body: bytes, content_type: str = "") -> str:
    """The text of a document: its BOM, else UTF-8 if it is UTF-8, else what it declares, else a guess.

    UTF-8 with a few broken characters is still UTF-8. Never raises; what cannot be read is U+FFFD.
    """
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8"), *_WIDE, *_UNMARKED):
        if body.startswith(mark):
            text = body.decode(encoding, "replace")
            return text.removeprefix("\ufeff")
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    if not broken or broken * 10 < len(_HIGH.findall(body)) - broken:
        return text
    return _declared(body, content_type) or body.decode(_guess(body), "replace")


def _declared(body: bytes, content_type: str) -> str:
    """The document's own word before the server's: it was there when the text was written."""
    in_xml, in_header = _IN_XML.search(body), _IN_HEADER.search(content_type)
    names = [in_xml[1].decode("ascii") if in_xml else "", in_header[1] if in_header else ""]
    for name in filter(None, names):
        try:
            return body.decode(name)
        except (UnicodeError, LookupError, ValueError):
            continue
    return ""


def _guess(body: bytes) -> str:
    """Cyrillic letters stand beside each other; accented Latin ones stand alone."""
    in_pairs = 2 * len(_HIGH_PAIRS.findall(body))
    return "cp1251" if in_pairs * 2 > len(_HIGH.findall(body)) else "cp1252"
