"""What Slack sends us, understood: a slash command or a pressed button, as a command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.models import Address
from handlers.menu import is_page
from handlers.slack.manifest import UMBRELLA

_LINK: Final = re.compile(r"<(https?://[^|<>\s]+)(?:\|[^<>]*)?>")


@dataclass(frozen=True, slots=True)
class Heard:
    """A person's words and where the answer goes.

    user: Slack's id, without its workspace
    replace: the answer takes the place of the message whose button was pressed
    """

    address: Address
    user: str
    text: str
    private: bool
    response_url: str
    replace: bool = False


def understand(payload: Mapping[str, Any]) -> Heard | None:
    """None for what is no word to us. Raises ValueError for a payload out of shape."""
    try:
        if "command" in payload:
            return _slash(payload)
        return _press(payload) if payload.get("type") == "block_actions" else None
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"a payload without its {error}") from error


def _slash(payload: Mapping[str, Any]) -> Heard:
    team = payload.get("team_id") or payload["enterprise_id"]
    name, words = payload["command"].removeprefix("/"), _unescaped(payload.get("text") or "")
    line = words.removeprefix("/") or "help" if name == UMBRELLA else f"{name} {words}".strip()
    channel = payload["channel_id"]
    return Heard(
        address=Address("slack", f"{team}/{channel}"),
        user=payload["user_id"],
        text=f"/{line}",
        private=channel.startswith("D"),
        response_url=payload["response_url"],
    )


def _press(payload: Mapping[str, Any]) -> Heard:
    channel, place = payload["channel"]["id"], payload.get("container") or {}
    thread = place.get("thread_ts") or (payload.get("message") or {}).get("thread_ts") or ""
    text = payload["actions"][0]["value"]
    # A page for one must not take the place of a message for all.
    replace = is_page(text) and place.get("is_ephemeral", True)
    team = (payload.get("team") or payload["enterprise"])["id"]
    return Heard(
        address=Address("slack", f"{team}/{channel}", thread),
        user=payload["user"]["id"],
        text=text,
        private=channel.startswith("D"),
        response_url=payload["response_url"],
        replace=replace,
    )


def _unescaped(text: str) -> str:
    """As it was typed: Slack writes links as <url|label> and three characters as entities."""
    bare = _LINK.sub(r"\1", text)
    return bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
