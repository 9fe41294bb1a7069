"""App Home and windows, as Slack would take them."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

from .slack_screen import Screen, refuse, show

Json = dict[str, Any]
TRIGGER_LIVES = 3.0


@dataclass
class Views:
    """homes: App Home by user; windows: by id, those that are open; triggers: when each was given out"""

    homes: dict[str, Json] = field(default_factory=dict)
    windows: dict[str, Json] = field(default_factory=dict)
    triggers: dict[str, float] = field(default_factory=dict)
    published: int = 0
    _counter: Any = field(default_factory=lambda: itertools.count(1))

    def trigger(self) -> str:
        given = f"{next(self._counter)}.trigger"
        self.triggers[given] = time.monotonic()
        return given

    def carry_out(self, method: str, args: Json) -> Json:
        view = args["view"] if isinstance(args["view"], dict) else json.loads(args["view"])
        if error := bad_view(view):
            return {"ok": False, "error": error}
        if method == "views.publish":
            self.homes[args["user_id"]] = view
            self.published += 1
            return {"ok": True, "view": {"id": f"VH{args['user_id']}"}}
        if method == "views.update":
            if args["view_id"] not in self.windows:
                return {"ok": False, "error": "not_found"}
            self.windows[args["view_id"]] = view
            return {"ok": True, "view": {"id": args["view_id"]}}
        given = self.triggers.pop(args["trigger_id"], None)
        if given is None or time.monotonic() - given > TRIGGER_LIVES:
            return {"ok": False, "error": "expired_trigger_id" if given else "exchanged_trigger_id"}
        number = f"V{next(self._counter)}"
        self.windows[number] = view
        return {"ok": True, "view": {"id": number}}

    @property
    def newest(self) -> Json:
        return next(reversed(self.windows.values()))


def screen_of(view: Json) -> Screen:
    return show({"blocks": [block for block in view["blocks"] if block["type"] not in ("input", "divider")]})


def bad_view(view: Json) -> str:
    blocks = view["blocks"]
    if len(blocks) > 100 or (view["type"] == "modal" and not 1 <= len(view["title"]["text"]) <= 24):
        return "invalid_arguments"
    if len(json.dumps(view)) > 250_000:
        return "view_too_large"
    inputs = [block for block in blocks if block["type"] == "input"]
    if inputs and (view["type"] != "modal" or "submit" not in view):
        return "invalid_arguments"
    plain = [block for block in blocks if block["type"] not in ("input", "divider")]
    for start in range(0, len(plain), 10):
        if error := refuse({"blocks": plain[start : start + 10]}):
            return error
    return ""
