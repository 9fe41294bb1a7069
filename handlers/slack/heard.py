"""What Slack sends us, understood: a slash command, a button, a mention, a direct message, as a command line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.models import Address
from handlers.menu import is_page
from handlers.slack.manifest import UMBRELLA

Json = dict[str, Any]

SHARE: Final = "share"
"""The action of a button whose answer is for the whole channel."""
FORM: Final = "subscribe"
"""The form that subscribes a channel: its name, and the action of a button and the shortcut that open it."""
CHANNEL_FIELD: Final = "channel"

_LINK: Final = re.compile(r"<(https?://[^|<>\s]+)(?:\|[^<>]*)?>")
_MENTION: Final = re.compile(r"<@[A-Z0-9]+(?:\|[^<>]*)?>")


@dataclass(frozen=True, slots=True)
class Heard:
    """A person's words and where the answer goes.

    user: Slack's id, without its workspace
    response_url: where the answer is taken; "": it is posted to the channel, in `thread`
    replace: the answer takes the place of the message whose button was pressed
    aloud: the answer is for everybody there
    home: it was said on App Home, which may be another one after it
    """

    address: Address
    user: str
    text: str
    private: bool
    response_url: str = ""
    thread: str = ""
    replace: bool = False
    aloud: bool = False
    home: bool = False


def understand(payload: Mapping[str, Any]) -> Heard | None:
    """None for what is no word to us. Raises ValueError for a payload out of shape."""
    try:
        if "command" in payload:
            return _slash(payload)
        if payload.get("type") == "event_callback":
            return _spoken(payload)
        if payload.get("type") == "view_submission":
            return _submitted(payload) if payload["view"]["callback_id"] == FORM else None
        if payload.get("type") != "block_actions":
            return None
        return _press(payload) if payload.get("channel") else _pressed_at_home(payload)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"a payload without its {error}") from error


def workspace(payload: Mapping[str, Any]) -> str:
    """Whose token answers: the team's, or that of the organisation which has us as a whole."""
    where = (payload.get("authorizations") or [payload])[0]
    team = where.get("team_id") or (where.get("team") or {}).get("id")
    enterprise = where.get("enterprise_id") or (where.get("enterprise") or {}).get("id")
    whole = str(where.get("is_enterprise_install")).lower() == "true"
    return str(enterprise if enterprise and (whole or not team) else team or payload["team_id"])


def _slash(payload: Mapping[str, Any]) -> Heard:
    name, words = payload["command"].removeprefix("/"), _unescaped(payload.get("text") or "")
    line = words.removeprefix("/") or "help" if name == UMBRELLA else f"{name} {words}".strip()
    channel = payload["channel_id"]
    return Heard(
        address=Address("slack", f"{workspace(payload)}/{channel}"),
        user=payload["user_id"],
        text=f"/{line}",
        private=channel.startswith("D"),
        response_url=payload["response_url"],
    )


def _press(payload: Mapping[str, Any]) -> Heard:
    channel, place = payload["channel"]["id"], payload.get("container") or {}
    thread = place.get("thread_ts") or (payload.get("message") or {}).get("thread_ts") or ""
    action = payload["actions"][0]
    # A page for one must not take the place of a message for all.
    replace = is_page(action["value"]) and place.get("is_ephemeral", True)
    return Heard(
        address=Address("slack", f"{workspace(payload)}/{channel}", thread),
        user=payload["user"]["id"],
        text=action["value"],
        private=channel.startswith("D"),
        response_url=payload["response_url"],
        replace=replace,
        aloud=action.get("action_id") == SHARE,
    )


def _pressed_at_home(payload: Mapping[str, Any]) -> Heard:
    """App Home is the direct messages' front page: the answer comes among them."""
    return Heard(
        address=Address("slack", f"{workspace(payload)}/{payload['view']['private_metadata']}"),
        user=payload["user"]["id"],
        text=payload["actions"][0]["value"],
        private=True,
        aloud=True,
        home=True,
    )


def _submitted(payload: Mapping[str, Any]) -> Heard:
    """The form, as the command that one would have typed in that channel."""
    fields = payload["view"]["state"]["values"]
    channel = fields["where"][CHANNEL_FIELD]["selected_conversation"]
    schedule = fields["when"]["choice"]["selected_option"]["value"]
    words = (fields["words"]["words"]["value"] or "").strip()
    what = {"both": f"{words} rates" if words else "", "news": words or "news", "rates": "rates"}
    at = "" if schedule == "instant" else fields["at"]["at"]["selected_time"] or ""
    parts = ("/subscribe", schedule, at, what[fields["what"]["choice"]["selected_option"]["value"]])
    return Heard(
        address=Address("slack", f"{workspace(payload)}/{channel}"),
        user=payload["user"]["id"],
        text=" ".join(" ".join(parts).split()),
        private=channel.startswith("D"),
        response_url=payload["response_urls"][0]["response_url"],
    )


def _spoken(payload: Mapping[str, Any]) -> Heard | None:
    """Words typed to us: in a direct message, or after our name in a channel. Threads take no slash commands."""
    event = payload["event"]
    direct = event["type"] == "message" and event.get("channel_type") == "im"
    if not (direct or event["type"] == "app_mention") or event.get("subtype") or event.get("bot_id"):
        return None
    channel, thread = event["channel"], event.get("thread_ts") or ""
    words = _unescaped(_MENTION.sub(" ", event.get("text") or "")).removeprefix("/")
    return Heard(
        address=Address("slack", f"{workspace(payload)}/{channel}", thread),
        user=event["user"],
        text=f"/{' '.join(words.split()) or 'help'}",
        private=direct,
        thread=thread if direct else thread or event["ts"],
        aloud=True,
    )


def _unescaped(text: str) -> str:
    """As it was typed: Slack writes links as <url|label> and three characters as entities."""
    bare = _LINK.sub(r"\1", text)
    return bare.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
