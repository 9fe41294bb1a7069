"""WordPress's and its plugins' [codes], taken out of a text by name."""

from __future__ import annotations

import re
from typing import Final

_BRACKETS = re.compile(r"&#(?:(91|x5b)|93|x5d);", re.IGNORECASE)
_SHORTCODE = re.compile(
    r"\[\[([^\[\]]*)\]\]"
    r"|\[(/?)((?:av_|cs_|et_pb_|fusion_|nectar_|su_|td_|vc_|wpb_)\w+|accordion|ads?|adrotate|advanced_iframe|audio"
    r"|button|caption|columns?|contact-form(?:-7)?|divider|dropcap|embed|gallery|googlemaps|highlight|iframe|instagram"
    r"|playlist|pullquote|row|soundcloud|spacer|tabs?|toggle|tweet|twitter|video|vimeo|wp_caption|youtube)"
    r"(?![\w-])[^\[\]]*\]"
)
_HOLLOW: Final = frozenset(
    (
        *("adrotate", "ads", "ad", "advanced_iframe", "audio", "caption", "contact-form", "contact-form-7", "embed"),
        *("gallery", "googlemaps", "iframe", "instagram", "playlist", "soundcloud", "tweet", "twitter", "video"),
        *("vimeo", "wp_caption", "youtube"),
    )
)
"""Shortcodes whose content is no part of the text either."""


def without_shortcodes(markup: str) -> str:
    """WordPress's and its plugins' [codes] by name; [sic] and [2025] are text, [[x]] is how one writes [x]."""
    markup = _BRACKETS.sub(lambda found: "[" if found[1] else "]", markup)
    parts: list[str] = []
    at, endless = 0, set[str]()
    for found in _SHORTCODE.finditer(markup):
        if found.start() < at:
            continue
        parts.append(markup[at : found.start()])
        at, name = found.end(), found[3]
        if name is None:
            parts.append(f"[{found[1]}]")
        elif name in _HOLLOW and not found[2] and name not in endless:
            end = markup.find(f"[/{name}]", at)
            at = end + len(name) + 3 if end >= 0 else at
            endless.update({name} if end < 0 else ())
    return "".join([*parts, markup[at:]])
