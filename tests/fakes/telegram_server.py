"""The Bot API server itself: what it remembers, what it answers, what it refuses. See tests/fakes/telegram.py."""

from __future__ import annotations

import asyncio
import json
import re
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from aiohttp import web

from tests.fakes.telegram_html import Unparsable, read_html, units
from tests.fakes.web import FakeWeb, wall_clock

TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFake-_x"
BOT = {"id": 123456789, "is_bot": True, "first_name": "Yamchi", "username": "YamchiTestBot"}
SENDABLE = {
    "chat_id", "text", "parse_mode", "link_preview_options", "reply_markup", "message_thread_id",
    "allow_paid_broadcast", "message_id", "reply_parameters",
}  # fmt: skip
FILES = {"sendPhoto": ("photo", 10 << 20), "sendDocument": ("document", 50 << 20)}
"""By method: the field of the file and how many bytes it may have."""
RIGHTS = (
    "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
    "can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories",
    "can_edit_stories", "can_delete_stories",
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What the bot sent. text: as people see it; entities: Telegram's, in UTF-16 units; moment: monotonic.

    file: its name and bytes, None where there is none; photo: shown as a picture; answers: the message it answers
    """

    id: int
    text: str
    html: str
    entities: list[dict[str, Any]]
    buttons: dict[str, str]
    thread: int | None
    instant: datetime
    moment: float
    markup: dict[str, Any]
    file: tuple[str, bytes] | None = None
    photo: bool = False
    answers: int | None = None


class Refused(Exception):
    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


class BotApi(FakeWeb):
    """token: the only one it knows; rejected: what it refused for breaking its rules; calls: by method.

    hook: what setWebhook was asked, {} while there is none
    """

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.token = token
        self.rejected: list[str] = []
        self.pressed: list[dict[str, Any]] = []
        self.offered: dict[str, list[dict[str, Any]]] = {}
        self.menus: dict[tuple[str, str], list[dict[str, str]]] = {}
        self.hook: dict[str, Any] = {}
        self._updates: list[dict[str, Any]] = []
        self._batch: list[dict[str, Any]] = []
        self._chats: dict[int, dict[str, Any]] = {}
        self._topics: dict[int, set[int]] = {}
        self._said: dict[int, list[Said]] = {}
        self._files: dict[str, tuple[str, bytes]] = {}
        self._refusals: dict[int, Refused] = {}
        self._members: dict[tuple[int, int], str] = {}
        self._update_ids, self._message_ids, self._poller = count(1000), count(1), 0
        self.route(f"/bot{token}/", self._method)
        self.route("/", _unknown_token)

    @property
    def calls(self) -> Counter[str]:
        """How often each method was called, faults included."""
        return Counter(seen.path.rpartition("/")[2] for seen in list(self.requests))

    async def _method(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        body = await _parameters(request)
        handler: dict[str, Callable[[dict[str, Any]], Any]] = {
            "getMe": lambda _: BOT,
            "deleteWebhook": self._delete_hook,
            "setWebhook": self._set_hook,
            "getWebhookInfo": lambda _: {"url": "", "pending_update_count": len(self._updates), **self.hook},
            "sendMessage": self._send,
            "editMessageText": self._edit,
            "answerCallbackQuery": self._answer_press,
            "setMyCommands": self._set_commands,
            "getChatMember": self._get_member,
            "getChat": lambda asked: self._known(asked),
            "answerInlineQuery": self._answer_inline,
        }
        try:
            if name == "getUpdates":
                return _fine(await self._get_updates(body))
            if name in FILES:
                return _fine(self._send_file(name, body))
            if name not in handler:
                raise Refused(404, "Not Found: method not found")
            return _fine(handler[name](body))
        except Refused as error:
            if error.code == 400:
                self.rejected.append(f"{name}: {error.description}")
            return refused(error)

    def _set_hook(self, asked: dict[str, Any]) -> bool:
        if not asked["url"].startswith("https://"):
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", asked.get("secret_token", "")):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        self.hook = asked
        return True

    def _delete_hook(self, _: dict[str, Any]) -> bool:
        self.hook = {}
        return True

    async def _get_updates(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        if self.hook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        self._poller += 1
        mine, until = self._poller, time.monotonic() + min(float(asked.get("timeout", 0)), 50)
        offset = int(asked.get("offset", 0))
        self._updates[:] = [update for update in self._updates if update["update_id"] >= offset]
        while not self._updates and time.monotonic() < until:
            await asyncio.sleep(0.02)
            if mine != self._poller:
                raise Refused(409, "Conflict: terminated by other getUpdates request")
        self._batch = self._updates[: int(asked.get("limit", 100))]
        return list(self._batch)

    def _send_file(self, method: str, asked: dict[str, Any]) -> dict[str, Any]:
        field, most = FILES[method]
        sent = asked.pop(field, None)
        if isinstance(sent, str) and sent.startswith("file"):
            if sent not in self._files:
                raise Refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
            sent = self._files[sent]
        if not isinstance(sent, tuple):
            raise Refused(400, f"Bad Request: there is no {field} in the request")
        if not (content := sent[1]):
            raise Refused(400, "Bad Request: file must be non-empty")
        if len(content) > most:
            raise Refused(413, "Request Entity Too Large")
        if field == "photo":
            _see(content)
        name = f"file{len(self._files)}"
        self._files[name] = sent
        message = self._send({"text": asked.pop("caption", ""), **asked}, 1024, sent, field == "photo")
        size = {"file_id": name, "file_unique_id": name, "width": 90, "height": 90}
        return message | ({"photo": [size]} if field == "photo" else {})

    def _send(
        self,
        asked: dict[str, Any],
        most: int = 4096,
        file: tuple[str, bytes] | None = None,
        photo: bool = False,
    ) -> dict[str, Any]:
        chat = self._known(asked)
        self._may(chat["id"])
        text, entities, buttons = self._content(asked, most, empty=bool(file))
        thread = asked.get("message_thread_id")
        if thread is not None and thread not in self._topics[chat["id"]]:
            raise Refused(400, "Bad Request: message thread not found")
        answered = asked.get("reply_parameters") or {"allow_sending_without_reply": True}
        if not answered.get("allow_sending_without_reply") and not self._answered(chat["id"], asked):
            raise Refused(400, "Bad Request: message to be replied not found")
        message = self._message(chat["id"], text, thread)
        self._keep(chat["id"], message["message_id"], asked, (text, entities, buttons), file, photo)
        return message

    def _keep(
        self,
        chat: int,
        number: int,
        asked: dict[str, Any],
        content: tuple[str, list[Any], dict[str, str]],
        file: tuple[str, bytes] | None = None,
        photo: bool = False,
    ) -> None:
        text, entities, buttons = content
        thread, markup = asked.get("message_thread_id"), asked.get("reply_markup") or {}
        when = wall_clock(), time.monotonic()
        answers = self._answered(chat, asked)
        said = Said(number, text, asked["text"], entities, buttons, thread, *when, markup, file, photo, answers)
        self._said.setdefault(chat, []).append(said)

    def _answered(self, chat: int, asked: dict[str, Any]) -> int | None:
        number = (asked.get("reply_parameters") or {}).get("message_id")
        return next((said.id for said in self._said.get(chat, []) if said.id == number), None)

    def _edit(self, asked: dict[str, Any]) -> dict[str, Any]:
        chat = self._known(asked)
        found = [said for said in self._said.get(chat["id"], []) if said.id == asked.get("message_id")]
        if not found:
            raise Refused(400, "Bad Request: message to edit not found")
        content = self._content(asked)
        if (content[0], content[1], content[2]) == (found[0].text, found[0].entities, found[0].buttons):
            raise Refused(400, "Bad Request: message is not modified")
        place = self._said[chat["id"]].index(found[0])
        self._keep(chat["id"], found[0].id, asked, content)
        self._said[chat["id"]][place] = self._said[chat["id"]].pop()
        return self._message(chat["id"], content[0], found[0].thread)

    def _content(
        self, asked: dict[str, Any], most: int = 4096, *, empty: bool = False
    ) -> tuple[str, list[dict[str, Any]], dict[str, str]]:
        if unknown := set(asked) - SENDABLE:
            raise Refused(400, f"Bad Request: unknown parameters {sorted(unknown)}")
        text, entities = str(asked.get("text", "")).strip(), []
        try:
            if asked.get("parse_mode") == "HTML":
                text, entities = read_html(asked["text"])
        except Unparsable as error:
            raise Refused(400, f"Bad Request: {error}") from None
        if not text and not empty:
            raise Refused(400, "Bad Request: message text is empty")
        if units(text) > most:
            text_is = "message is too long" if most == 4096 else "message caption is too long"
            raise Refused(400, f"Bad Request: {text_is}")
        markup = asked.get("reply_markup") or {}
        if markup.keys() & {"keyboard", "remove_keyboard"}:
            self._check_keys(markup, asked)
        return text, entities, _buttons(markup)

    def _check_keys(self, markup: dict[str, Any], asked: dict[str, Any]) -> None:
        """Keys in the place of a keyboard: not in an edit; a place is asked for in private only."""
        keys = [key for row in markup.get("keyboard", []) for key in row]
        if "message_id" in asked:
            raise Refused(400, "Bad Request: inline keyboard expected")
        if not all(key.get("text") for key in keys) or (not keys and markup.get("remove_keyboard") is not True):
            raise Refused(400, "Bad Request: keyboard button text must be non-empty")
        if any("request_location" in key for key in keys) and self._known(asked)["type"] != "private":
            raise Refused(400, "Bad Request: location can be requested in private chats only")

    def _answer_press(self, asked: dict[str, Any]) -> bool:
        if len(str(asked.get("text", ""))) > 200:
            raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
        self.pressed.append(asked)
        return True

    def _set_commands(self, asked: dict[str, Any]) -> bool:
        for entry in asked["commands"]:
            if not (1 <= len(entry["command"]) <= 32 and 1 <= len(entry["description"]) <= 256):
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
        self.menus[asked.get("scope", {}).get("type", "default"), asked.get("language_code", "")] = asked["commands"]
        return True

    def _answer_inline(self, asked: dict[str, Any]) -> bool:
        results = asked["results"]
        if len(results) > 50 or len({one["id"] for one in results}) < len(results):
            raise Refused(400, "Bad Request: RESULT_ID_DUPLICATE")
        for one in results:
            if not 1 <= len(one["id"].encode()) <= 64:
                raise Refused(400, "Bad Request: RESULT_ID_INVALID")
            if one["type"] == "article" and not one.get("title"):
                raise Refused(400, "Bad Request: can't parse inline query result: title must be non-empty")
            content = one["input_message_content"]
            sent = {"text": content["message_text"], "parse_mode": content.get("parse_mode")}
            one["shown"], one["entities"], _ = self._content(sent)
        if not 1 <= len(asked.get("button", {}).get("start_parameter", "x")) <= 64:
            raise Refused(400, "Bad Request: START_PARAM_INVALID")
        self.offered[str(asked["inline_query_id"])] = results
        return True

    def _get_member(self, asked: dict[str, Any]) -> dict[str, Any]:
        chat, user = self._known(asked)["id"], int(asked["user_id"])
        status = self._members.get((chat, user), "member")
        rights = dict.fromkeys(RIGHTS, False) if status == "administrator" else {}
        if status == "administrator" and self._chats[chat]["type"] == "channel":
            rights["can_post_messages"] = True
        return {"status": status, "user": person(user, "en"), **rights}

    def _known(self, asked: dict[str, Any]) -> dict[str, Any]:
        said = asked.get("chat_id", 0)
        if isinstance(said, str) and said.startswith("@"):
            named = (one for one in self._chats.values() if f"@{one.get('username', '')}".lower() == said.lower())
            chat = next(named, None)
        else:
            chat = self._chats.get(int(said))
        if chat is None:
            raise Refused(400, "Bad Request: chat not found")
        return chat

    def _may(self, chat: int) -> None:
        refused = self._refusals.get(chat)
        if refused is not None and refused.code:
            raise refused

    def _message(self, chat: int, text: str, thread: int | None) -> dict[str, Any]:
        where = {"message_thread_id": thread, "is_topic_message": True} if thread else {}
        number, now = next(self._message_ids), int(wall_clock().timestamp())
        return {"message_id": number, "date": now, "chat": self._chats[chat], "text": text, **where}


def person(user: int, language: str) -> dict[str, Any]:
    return {"id": user, "is_bot": False, "first_name": "Aliya", "language_code": language}


def _see(content: bytes) -> None:
    """Refuses what Telegram cannot show as a photo."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        raise Refused(400, "Bad Request: IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", content[16:24])
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise Refused(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")


def _buttons(markup: Any) -> dict[str, str]:
    """Labels and what they carry. Refuses what Telegram refuses of a keyboard."""
    rows = (markup or {}).get("inline_keyboard", [])
    found = {}
    for button in (button for row in rows for button in row):
        if not button.get("text"):
            raise Refused(400, "Bad Request: inline keyboard button text must be non-empty")
        if not 1 <= len(str(button.get("callback_data", "")).encode()) <= 64:
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        found[button["text"]] = button["callback_data"]
    return found


async def _parameters(request: web.Request) -> dict[str, Any]:
    """JSON or a form; values that are JSON texts are read as such where Telegram does."""
    if request.content_type == "multipart/form-data":
        body = _parts(await request.read(), request.headers["Content-Type"])
    else:
        body = dict(await (request.json if request.content_type == "application/json" else request.post)())
    nested = (
        "results",
        "button",
        "reply_markup",
        "commands",
        "scope",
        "link_preview_options",
        "chat_id",
        "user_id",
        "message_thread_id",
    )
    for name in nested:
        if isinstance(body.get(name), str):
            body[name] = body[name] if body[name].startswith("@") else json.loads(body[name])
    return body


def _parts(body: bytes, content_type: str) -> dict[str, Any]:
    """Fields by name; a file is its name and bytes."""
    boundary = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
    found: dict[str, Any] = {}
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        names = dict(re.findall(r'\b(name|filename)="([^"]*)"', head.decode()))
        value = content.removesuffix(b"\r\n")
        found[names["name"]] = (names["filename"], value) if "filename" in names else value.decode()
    return found


async def _unknown_token(_: web.Request) -> web.StreamResponse:
    return refused(Refused(401, "Unauthorized"))


def _fine(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def refused(error: Refused) -> web.Response:
    body = {"ok": False, "error_code": error.code, "description": error.description}
    return web.json_response(body | ({"parameters": error.parameters} if error.parameters else {}), status=error.code)
