"""What a person sees of a Slack message, and what Slack would refuse of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

_LIVE = re.compile(r"<(?!!date\^)(![a-z]|@[UW]|#[CDG])[^>]*>")
_DATE = re.compile(r"<!date\^(\d+)\^([^|<>]*)\|([^<>]*)>")
_LOUD = re.compile(r"@(channel|here|everyone)\b")
_TAG = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


@dataclass
class Screen:
    """A message as it appears, its buttons beside it. mentions: what would have called people; links: (url, label);
    buttons: command by label; dates: instants, shown to each reader on their own clocks (here as the words that stand
    for them), in seconds since 1970."""

    text: str = ""
    mentions: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)
    dates: list[int] = field(default_factory=list)


def show(message: Json) -> Screen:
    """Blocks if there are any, else the text; mentions are looked for in both."""
    screen = Screen()
    blocks = message.get("blocks") or []
    lines = [_line(block, screen) for block in blocks]
    if "text" in message:
        spare = screen if not blocks else Screen()
        line = _mrkdwn(message["text"], spare, loud=bool(message.get("link_names")))
        screen.mentions += spare.mentions if blocks else []
        lines += [] if blocks else [line]
    screen.text = "\n".join(line for line in lines if line)
    return screen


def _line(block: Json, screen: Screen) -> str:
    kind = block["type"]
    if kind in ("header", "section"):
        parts = ([block["text"]] if "text" in block else []) + block.get("fields", [])
        return "\n".join(_text(part, screen) for part in parts)
    if kind == "context":
        return " · ".join(_text(part, screen) for part in block["elements"])
    if kind == "actions":
        for button in block["elements"]:
            screen.buttons[_text(button["text"], screen)] = button["value"]
    return ""


def _text(part: Json, screen: Screen) -> str:
    if part["type"] == "plain_text":
        return str(part["text"])
    return _mrkdwn(part["text"], screen, loud=not part.get("verbatim", False))


def _mrkdwn(text: str, screen: Screen, *, loud: bool) -> str:
    screen.mentions += [match[0] for match in _LIVE.finditer(text)]
    if loud:
        screen.mentions += [match[0] for match in _LOUD.finditer(text)]

    def link(match: re.Match[str]) -> str:
        label = _unescape(match[2] if match[2] is not None else match[1])
        screen.links.append((_unescape(match[1]), label))
        return label

    def date(match: re.Match[str]) -> str:
        screen.dates.append(int(match[1]))
        return match[3]

    return _unescape(_TAG.sub(link, _DATE.sub(date, text)))


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def refuse(message: Json) -> str:
    """Slack's name for what it would not take, "" if it takes it."""
    blocks, text = message.get("blocks") or [], message.get("text") or ""
    if not blocks and not text.strip():
        return "no_text"
    if len(text) > 40_000:
        return "msg_too_long"
    if len(blocks) > 50 or any(_bad(block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if sum(map(_weight, blocks)) > 12_000 else ""


def _bad(block: Json) -> bool:
    kind = block.get("type")
    if kind == "header":
        return _bad_text(block["text"], 150, plain=True)
    if kind == "section":
        fields = block.get("fields", [])
        bad_fields = len(fields) > 10 or any(_bad_text(part, 2000) for part in fields)
        return (
            bad_fields or (not fields and "text" not in block) or ("text" in block and _bad_text(block["text"], 3000))
        )
    if kind == "context":
        return not 1 <= len(block["elements"]) <= 10 or any(_bad_text(part, 3000) for part in block["elements"])
    if kind == "actions":
        ids = [button["action_id"] for button in block["elements"]]
        return not 1 <= len(ids) <= 25 or len(set(ids)) < len(ids) or any(map(_bad_button, block["elements"]))
    return True


def _bad_button(button: Json) -> bool:
    sizes = len(button["action_id"]) > 255 or not 1 <= _units(button["value"]) <= 2000
    return sizes or _bad_text(button["text"], 75, plain=True)


def _bad_text(part: Json, limit: int, *, plain: bool = False) -> bool:
    text, kind = part.get("text", ""), part.get("type")
    if kind not in ("plain_text", "mrkdwn") or (plain and kind != "plain_text"):
        return True
    known = {"type", "text", "emoji"} if kind == "plain_text" else {"type", "text", "verbatim"}
    return not text.strip() or _units(text) > limit or bool(set(part) - known)


def _weight(block: Json) -> int:
    if block["type"] == "context":
        return sum(_units(part["text"]) for part in block["elements"])
    if block["type"] == "actions":
        return sum(_units(button["text"]["text"]) for button in block["elements"])
    parts = ([block["text"]] if "text" in block else []) + block.get("fields", [])
    return sum(_units(part["text"]) for part in parts)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
