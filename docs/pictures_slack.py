"""Messages in Slack as a browser shows their blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape

WIDTH = 480
STYLE = f"""
section {{ display: flow-root }}
body {{ margin: 0; padding: 10px; width: {WIDTH - 20}px; background: #fff; color: #1d1c1d;
  font: 15px/1.46 Lato, sans-serif }}
h1 {{ margin: 14px 0 4px; font: 11px monospace; color: #667 }}
.said {{ padding: 4px 0 4px 44px; position: relative; overflow-wrap: anywhere }}
.said::before {{ content: ""; position: absolute; left: 0; top: 6px; width: 34px; height: 34px;
  border-radius: 6px; background: #1f6f6b }}
.name {{ font-weight: 900 }} .name small {{ font: 11px sans-serif; color: #616061; background: #eee; padding: 0 3px }}
.header {{ font-size: 18px; font-weight: 900; margin: 6px 0 2px }}
.section {{ white-space: pre-wrap; margin: 4px 0 }}
.context {{ white-space: pre-wrap; font-size: 12.5px; color: #616061; margin: 0 0 6px }}
pre {{ margin: 4px 0; padding: 8px; border: 1px solid #ddd; border-radius: 4px; background: #f8f8f8;
  font: 12px/1.5 "Roboto Mono", "DejaVu Sans Mono", monospace; white-space: pre; overflow: hidden }}
code {{ font: 12px "DejaVu Sans Mono", monospace; color: #e01e5a }} a {{ color: #1264a3; text-decoration: none }}
.actions {{ display: flex; flex-wrap: wrap; gap: 8px; margin: 6px 0 }}
.actions span {{ padding: 4px 12px; border: 1px solid #bbb; border-radius: 4px; font-weight: 700; font-size: 14px }}
.actions .primary {{ background: #007a5a; color: #fff }} .actions .danger {{ background: #e01e5a; color: #fff }}
img {{ display: block; width: 360px; border-radius: 8px; border: 1px solid #ddd }}
"""
MARKUP = (
    (re.compile(r"<!date\^\d+\^[^|>]*\|([^>]*)>"), r"\1"),
    (re.compile(r"<(https?://[^|>]+)\|([^>]*)>"), r"<a>\2</a>"),
    (re.compile(r"<(https?://[^|>]+)>"), r"<a>\1</a>"),
    (re.compile(r"<@(\w+)>"), r"<a>@\1</a>"),
    (re.compile(r"```\n?(.*?)```", re.DOTALL), r"<pre>\1</pre>"),
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    (re.compile(r"(?<!\w)\*(\S(?:[^*\n]*\S)?)\*(?!\w)"), r"<b>\1</b>"),
    (re.compile(r"(?<!\w)_(\S(?:[^_\n]*\S)?)_(?!\w)"), r"<i>\1</i>"),
)


def shown(golden: str, charts: Iterator[str]) -> str:
    """A golden file as HTML. charts: as HTML, those that go up with it"""
    told = json.loads(golden)
    messages = told if isinstance(told, list) else [told]
    return "".join(_message(one) for one in messages) + "".join(f"<div class=said>{chart}</div>" for chart in charts)


def _message(message: dict) -> str:
    blocks = "".join(_block(block) for block in message.get("blocks", [])) or _text(message["text"], marked=True)
    return f"<div class=said><div class=name>Yamchi <small>APP</small></div>{blocks}</div>"


def _block(block: dict) -> str:
    kind = block["type"]
    if kind == "actions":
        inside = "".join(
            f"<span class='{one.get('style', '')}'>{_text(one['text']['text'])}</span>" for one in block["elements"]
        )
    elif kind == "context":
        inside = " ".join(_text(one["text"], marked=one["type"] == "mrkdwn") for one in block["elements"])
    else:
        inside = _text(block["text"]["text"], marked=block["text"]["type"] == "mrkdwn")
    return f"<div class={kind}>{inside}</div>"


def _text(text: str, *, marked: bool = False) -> str:
    if not marked:
        return escape(text)
    for found, becomes in MARKUP:
        text = found.sub(becomes, text)
    return text
