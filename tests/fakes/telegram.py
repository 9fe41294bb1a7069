"""A Bot API server on loopback, and the people who talk to the bot through it.

    with FakeTelegram() as telegram:            # TELEGRAM_API_URL=telegram.url
        telegram.say(7, "/rates")               # a person writes
        telegram.wait_for(7, 1)                 # the bot has answered
        telegram.press(7, "Next")
        telegram.fails("sendMessage", status(502, "<html>"), reset)   # the next two calls, in turn
        telegram.refuse(8, 403, "Forbidden: bot was blocked by the user")

It keeps Telegram's rules: offsets, one poller at a time, HTML and its limits, topics, keyboards.
What it refused for breaking them is in `rejected`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.fakes.telegram_server import BOT, BotApi, Refused, Said, person, refused
from tests.fakes.web import Fault, Handler

ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}


def refusal(code: int, description: str, **parameters: Any) -> Fault:
    """A Bot API error, as JSON."""

    async def fault(_: web.Request, __: Handler) -> web.StreamResponse:
        return refused(Refused(code, description, **parameters))

    return fault


class FakeTelegram(BotApi):
    """See the module."""

    def open(self, chat: int, kind: str = "private", topics: set[int] | None = None, username: str = "") -> None:
        """A chat the bot may write to."""
        name = {"first_name": "Aliya"} if kind == "private" else {"title": "Traders"}
        self._chats[chat] = {"id": chat, "type": kind, **name, **({"username": username} if username else {})}
        self._topics.setdefault(chat, set()).update(topics or set())

    def say(
        self,
        chat: int,
        text: str,
        *,
        user_id: int | None = None,
        chat_type: str = "",
        thread: int | None = None,
        language: str = "en",
        forward: bool = False,
        edited: bool = False,
        anonymous: bool = False,
    ) -> int:
        """A person writes. Returns the update's number."""
        if chat not in self._chats or chat_type:
            self.open(chat, chat_type or ("private" if chat > 0 else "supergroup"))
        message = self._message(chat, text, thread)
        message["from"] = ANONYMOUS if anonymous else person(user_id or abs(chat), language)
        if anonymous:
            message["sender_chat"] = self._chats[chat]
        if forward:
            message["forward_origin"] = {"type": "user", "date": message["date"], "sender_user": person(99, "en")}
        if edited:
            message["edit_date"] = message["date"]
        return self.push({"edited_message" if edited else "message": message})

    def press(
        self, chat: int, label: str = "", *, user_id: int | None = None, data: str = "", language: str = "en"
    ) -> int:
        """A person presses the newest button of this label, or a forged one with this data."""
        said = next((s for s in reversed(self.messages(chat)) if label in s.buttons), None)
        assert said is not None or data, f"no button {label!r} in {[list(s.buttons) for s in self.messages(chat)]}"
        message = self._message(chat, said.text if said else "…", said.thread if said else None)
        message["from"] = BOT
        if said is not None:
            message["message_id"] = said.id
            message |= {"caption": message.pop("text")} if said.file else {}
        query = {"from": person(user_id or abs(chat), language), "message": message, "chat_instance": "42"}
        data = data or (said.buttons[label] if said else "")
        return self.push({"callback_query": {"id": str(next(self._message_ids)), "data": data, **query}})

    def share(self, chat: int, latitude: float, longitude: float, *, user_id: int | None = None) -> int:
        """A person sends where they are. In private they press the key for it, which must be there."""
        if chat > 0:
            marked = [
                said.markup for said in self.messages(chat) if said.markup.keys() & {"keyboard", "remove_keyboard"}
            ]
            keys = [key for row in marked[-1].get("keyboard", []) for key in row] if marked else []
            assert any(key.get("request_location") for key in keys), f"no key that sends a place: {marked}"
        message = self._message(chat, "", None) | {"from": person(user_id or abs(chat), "en")}
        message["location"] = {"latitude": latitude, "longitude": longitude}
        del message["text"]
        return self.push({"message": message})

    def us(self, chat: int, status: str, was: str = "member", **rights: bool) -> int:
        """Our own place in a chat changes: member, administrator, restricted, left or kicked."""
        if chat not in self._chats:
            self.open(chat, "private" if chat > 0 else "supergroup")
        old, new = ({"status": place, "user": BOT} for place in (was, status))
        change = {"from": person(abs(chat), "en"), "date": 1, "old_chat_member": old, "new_chat_member": new | rights}
        return self.push({"my_chat_member": {"chat": self._chats[chat], **change}})

    def migrate(self, old: int, new: int) -> None:
        """A group becomes a supergroup: both say so."""
        for chat, said in ((old, {"migrate_to_chat_id": new}), (new, {"migrate_from_chat_id": old})):
            self.open(chat, "group" if chat == old else "supergroup")
            message = self._message(chat, "", None) | {"from": person(99, "en"), **said}
            del message["text"]
            self.push({"message": message})

    def post(self, chat: int, text: str) -> int:
        """Somebody writes in a channel, as the channel."""
        message = self._message(chat, text, None) | {"sender_chat": self._chats[chat]}
        return self.push({"channel_post": message})

    def type_inline(self, user_id: int, text: str, language: str = "en") -> list[dict[str, Any]]:
        """A person types after the bot's name somewhere. Returns what is offered (from another thread: to_thread)."""
        number = str(next(self._message_ids))
        query = {"id": number, "from": person(user_id, language), "query": text, "offset": ""}
        self.push({"inline_query": query})
        deadline = time.monotonic() + 30
        while number not in self.offered:
            assert time.monotonic() < deadline, f"nothing offered for {text!r}: {self.rejected}"
            time.sleep(0.02)
        return self.offered[number]

    def push(self, update: dict[str, Any]) -> int:
        """Any update at all, numbered."""
        number = next(self._update_ids)
        self._updates.append({"update_id": number, **update})
        return number

    def poison(self) -> int:
        """An update that lacks what every update of its kind has."""
        return self.push({"message": {"text": "/rates", "chat": {"type": "private"}}})

    def repeat_batch(self) -> None:
        """Deliver the last batch once more, as if it had never been confirmed."""
        self._updates[:0] = self._batch

    def member(self, chat: int, user: int, status: str) -> None:
        """creator, administrator, member, left or kicked."""
        self._members[chat, user] = status

    def forget(self, chat: int) -> None:
        """The person clears the chat: what the bot wrote is there no more."""
        self._said.pop(chat, None)

    def messages(self, chat: int) -> list[Said]:
        """What the bot wrote in a chat, in order."""
        return list(self._said.get(chat, []))

    def wait_for(self, chat: int, what: int | Callable[[Said], bool] = 1, timeout: float = 30) -> list[Said]:
        """Wait until there are so many messages, or one like this. Returns all (from another thread: to_thread)."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            said = self.messages(chat)
            if len(said) >= what if isinstance(what, int) else any(what(s) for s in said):
                return said
            time.sleep(0.02)
        raise AssertionError(f"waited for {what} in {chat}: {[s.text for s in self.messages(chat)]} {self.rejected}")

    # --- faults

    def fails(self, method: str, *faults: Fault) -> None:
        """The next calls of a method go wrong, one fault each."""
        waiting = list(faults)

        async def next_fault(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await waiting.pop(0)(request, handler)

        self.fault(f"/bot{self.token}/{method}", next_fault, times=len(faults))

    def refuse(self, chat: int, code: int, description: str, **parameters: Any) -> None:
        """Every message to this chat is refused so. code 0: no longer."""
        self._refusals[chat] = Refused(code, description, **parameters)
