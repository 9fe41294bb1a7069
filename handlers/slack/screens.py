"""What Slack shows of us beside messages: App Home, the form that subscribes a channel, today's board in a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from bot.compose import channel as compose
from bot.compose.channel import FormWords
from bot.locales import Tongue
from bot.message import Message
from handlers.slack.heard import CHANNEL_FIELD, FORM, Json, workspace
from handlers.slack.render import Extra, clean, render

BOARD: Final = "board"
"""The shortcut that shows the rates."""
HOME_BLOCKS: Final = 100
TITLE: Final = 24
QUERY: Final = 500
"""Characters of a search that the form takes over."""

Screen = Literal["home", "form", "board"]


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants to see a screen.

    channel: for "home" their direct messages with us, else where they are ("" nowhere); words: for the form
    """

    screen: Screen
    workspace: str
    user: str
    trigger: str = ""
    channel: str = ""
    words: str = ""


def wished(payload: Mapping[str, Any]) -> Wish | None:
    """None where nobody wants a screen. Raises ValueError for a payload out of shape."""
    try:
        return _wished(payload)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"a payload without its {error}") from error


def _wished(payload: Mapping[str, Any]) -> Wish | None:
    kind = payload.get("type")
    if kind == "event_callback" and payload["event"]["type"] == "app_home_opened":
        event = payload["event"]
        home = event.get("tab", "home") == "home"
        return Wish("home", workspace(payload), event["user"], channel=event["channel"]) if home else None
    if kind == "shortcut":
        screen: Screen = "form" if payload["callback_id"] == FORM else "board"
        return Wish(screen, workspace(payload), payload["user"]["id"], payload["trigger_id"])
    if kind == "block_actions" and payload["actions"][0].get("action_id") == FORM:
        channel = (payload.get("channel") or {}).get("id") or ""
        words = payload["actions"][0].get("value", "").removeprefix(FORM).strip()
        return Wish("form", workspace(payload), payload["user"]["id"], payload["trigger_id"], channel, words)
    return None


def home(parts: Sequence[Message], channel: str, speak: Tongue) -> Json:
    """App Home, of several messages. channel: where its buttons are answered"""
    blocks: list[Json] = []
    for part in parts:
        blocks += [*render(part, speak).blocks, {"type": "divider"}]
    form = {"type": "button", "action_id": FORM, "text": _plain(compose.form(speak).title, 75), "value": FORM}
    kept = blocks[: HOME_BLOCKS - 1]
    return {"type": "home", "private_metadata": channel, "blocks": [*kept, {"type": "actions", "elements": [form]}]}


def window(message: Message, speak: Tongue) -> Json:
    """A message in a window of its own. There it has no buttons: they would lead nowhere."""
    blocks = render(replace(message, buttons=()), speak).blocks
    return {"type": "modal", "title": _plain("Yamchi", TITLE), "blocks": blocks}


def form(channel: str, words: str, speak: Tongue) -> Json:
    """channel: chosen already, "" for the one where the person is; words: what the news are chosen by"""
    text = compose.form(speak)
    place: Json = {
        "type": "conversations_select",
        "action_id": CHANNEL_FIELD,
        "response_url_enabled": True,
        "filter": {"include": ["public", "private", "im"]},
        **({"initial_conversation": channel} if channel else {"default_to_current_conversation": True}),
    }
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": _plain(text.title, TITLE),
        "submit": _plain(text.submit, TITLE),
        "close": _plain(text.cancel, TITLE),
        "blocks": [
            _input("where", text.where, place),
            _input("when", text.when, _select(_schedules(text))),
            _input("at", text.at, {"type": "timepicker", "action_id": "at", "initial_time": "09:00"}),
            _input("what", text.what, _select((("both", text.both), ("news", text.news), ("rates", text.rates)))),
            _input("words", text.words, _words(text, words), optional=True),
        ],
    }


def _schedules(text: FormWords) -> tuple[tuple[str, str], ...]:
    return (
        ("daily", text.daily),
        ("weekdays", text.weekdays),
        ("weekly mon", text.monday),
        ("weekly fri", text.friday),
        ("instant", text.instant),
    )


def _words(text: FormWords, words: str) -> Json:
    field: Json = {"type": "plain_text_input", "action_id": "words", "max_length": QUERY}
    initial = {"initial_value": clean(words)[:QUERY]} if clean(words) else {}
    return {**field, "placeholder": _plain(text.example, 150), **initial}


def _select(options: Sequence[tuple[str, str]]) -> Json:
    made = [{"text": _plain(label, 75), "value": value} for value, label in options]
    return {"type": "static_select", "action_id": "choice", "options": made, "initial_option": made[0]}


def _input(block: str, label: str, element: Json, *, optional: bool = False) -> Json:
    return {"type": "input", "block_id": block, "label": _plain(label, 2_000), "element": element, "optional": optional}


def _plain(text: str, limit: int) -> Json:
    return {"type": "plain_text", "text": text[:limit], "emoji": False}


def form_button(words: str, speak: Tongue) -> Extra:
    """Opens the form for the channel it stands in."""
    return Extra(compose.subscribe_here(speak), FORM, f"{FORM} {words}".strip())
