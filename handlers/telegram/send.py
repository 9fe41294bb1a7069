"""Sends messages to Telegram, and tells what became of each."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, Literal

import structlog
import telegram
from telegram.error import BadRequest, ChatMigrated, Conflict, InvalidToken, TelegramError

from bot.chart.draw import NotDrawn, Painter
from bot.message import Attachment, Message, Picture
from bot.models import Address, Outcome
from bot.pace import Limits, Pace, Rate
from bot.ports import Clock
from bot.rules import SHELF_LIFE
from bot.store import Store
from handlers.telegram.outcome import outcome_of
from handlers.telegram.render import SAMPLE, Page, callback_data, render
from handlers.telegram.transport import AnswerLost, Flooded, NotSent, ServerFault, Transport


def is_group(chat: str) -> bool:
    """Whether several people read there: a group or a channel."""
    return chat.startswith(("-", "@"))


_GROUP: Final = Rate(17 / 60, burst=3, reserve=1)
LIMITS: Final = Limits(
    chat=Rate(1, burst=3, reserve=1),
    group=_GROUP,
    shared=Rate(25, burst=5, reserve=2),
    second=25,
    is_group=is_group,
)
"""Telegram bears about 30 in any second."""
LIMITS_PAID: Final = Limits(
    chat=Rate(1, burst=30, reserve=1),
    group=_GROUP,
    shared=Rate(1000, burst=50, reserve=10),
    in_flight=320,
    is_group=is_group,
)
"""With TELEGRAM_PAID_BROADCAST; groups take 20 a minute whatever one pays."""

GENERAL_TOPIC: Final = "1"
"""It is spoken to without naming it."""

REPLY_PAUSE: Final = timedelta(seconds=2)
"""Before an answer is tried again that did not get through."""
BEGUN_KEPT: Final = 1000
PHOTOS_KEPT: Final = 1000
PREVIEW_OFF: Final = {"link_preview_options": {"is_disabled": True}}

log = structlog.get_logger()


class Unhurried(Flooded):
    """It is we who make it wait, not Telegram."""


Mark = Callable[[Literal["goes", "waits"]], Awaitable[None]]
"""Hears that something of an answer goes out, or that nothing of it has and it waits to be tried again."""


async def unmarked(_: str) -> None:
    """Nobody keeps account of it."""


class Turns:
    """One message's turns with Telegram, one a call. The first one of a push is taken already.

    mark: of an answer
    """

    def __init__(self, pace: Pace, *, reply: bool, mark: Mark = unmarked) -> None:
        self._pace = pace
        self._reply = reply
        self._taken = not reply
        self._mark = mark

    async def take(self, chat: str) -> None:
        """Raises Flooded where it would be long."""
        if self._taken:
            self._taken = False
        elif wait := await self._pace.take(chat, reply=self._reply):
            raise Unhurried("waits for its turn", wait)
        await self._mark("goes")


class Sender:
    """Everything we say in Telegram goes through one of these."""

    def __init__(self, transport: Transport, store: Store, clock: Clock, pace: Pace, *, paid: bool = False) -> None:
        self._transport = transport
        self._store = store
        self._clock = clock
        self._pace = pace
        self._paid = paid
        self._begun: OrderedDict[tuple[Address, Message], int] = OrderedDict()
        self._photos: OrderedDict[tuple[Picture, bool], str] = OrderedDict()
        self._painter = Painter()

    async def send(
        self,
        address: Address,
        message: Message,
        *,
        bare: bool = False,
        turns: Turns | None = None,
        answers: str = "",
    ) -> Outcome:
        """Push a message, page by page in order. Never raises for what Telegram does.

        One that must wait after its first pages goes on from there the next time. bare: without markup
        answers: the message that its first page answers, if it is still there
        """
        pages = render(message, await self._callback_data(address, message))
        if not pages:
            return Outcome("failed", "the message is empty")
        turns = turns or Turns(self._pace, reply=False)
        done = self._begun.pop((address, message), 0) if self._begun else 0
        outcome, lost = Outcome("sent"), None
        for number, page in enumerate(pages[done:], done):
            answered = "" if number else answers
            outcome = await self._page(address, page, turns, bare=bare, sample=message.sample, answers=answered)
            if number and not lost and (outcome.state == "pending" or outcome.cause == "body"):
                there = Address(address.platform, outcome.moved_to) if outcome.moved_to else address
                self._remember(there, message, number)
            if outcome.state == "unknown" and not lost:
                lost = outcome
            elif outcome.state != "sent":
                break
        return lost or outcome

    async def reply(self, address: Address, message: Message, mark: Mark = unmarked) -> Outcome:
        """Answer a person: what surely did not arrive is tried again while it is worth it, nothing else."""
        until, bare = self._clock() + SHELF_LIFE["reply"], False
        while True:
            outcome = await self.send(address, message, bare=bare, turns=Turns(self._pace, reply=True, mark=mark))
            if outcome.moved_to:
                await self._store.move_chat(address, outcome.moved_to)
                address = Address(address.platform, outcome.moved_to)
            elif outcome.cause == "body" and not bare:
                bare = True
            else:
                again = outcome.retry_at or self._clock() + REPLY_PAUSE
                if outcome.state != "pending" or again > until:
                    break
                if (address, message) not in self._begun:
                    await mark("waits")
                await asyncio.sleep(max(0.0, (again - self._clock()).total_seconds()))
        if outcome.state != "sent":
            log.warning("reply not sent", state=outcome.state, detail=outcome.detail)
        return outcome

    async def edit(self, address: Address, message_id: str, message: Message, *, bare: bool = False) -> Outcome:
        """Put a message in the place of one we sent, whose turn it is. Never raises for what Telegram does."""
        pages = render(message, await self._callback_data(address, message))
        if len(pages) != 1 or pages[0].attachment:
            return Outcome("failed", "it has no room in the message that it corrects")
        body = {"text": pages[0].plain} if bare else _markup(replace(pages[0], silent=False))
        where = {"chat_id": _chat_id(address.chat), "message_id": int(message_id)}
        try:
            await self._transport.call("editMessageText", where | PREVIEW_OFF | body)
        except TelegramError as error:
            if "not modified" not in error.message.lower():
                return self._outcome(address, error)
        return Outcome("sent", message_id=message_id)

    async def turn(self, address: Address, shown: telegram.Message, message: Message, mark: Mark = unmarked) -> bool:
        """Put a message in the place of one shown. False where that cannot be: it is to be sent instead."""
        pages = render(message, await self._callback_data(address, message))
        if shown.text is None or len(pages) != 1 or pages[0].attachment or pages[0].locate != "":
            return False
        where = {"chat_id": _chat_id(address.chat), "message_id": shown.message_id}
        try:
            await Turns(self._pace, reply=True, mark=mark).take(address.chat)
            await self._transport.call("editMessageText", where | PREVIEW_OFF | _markup(pages[0]))
        except AnswerLost:
            return True
        except TelegramError as error:
            self._outcome(address, error)
            return "not modified" in error.message.lower()
        return True

    async def _callback_data(self, address: Address, message: Message) -> dict[str, str]:
        """What each button carries; a command too long for one is kept under its token."""
        data = {button.command: callback_data(button.command, address.chat) for button in message.buttons}
        for command, token in data.items():
            if token != command:
                await self._store.keep_token(token, home(address), command, self._clock())
        return data

    def _remember(self, address: Address, message: Message, number: int) -> None:
        self._begun[address, message] = number
        while len(self._begun) > BEGUN_KEPT:
            self._begun.popitem(last=False)

    async def _page(
        self, address: Address, page: Page, turns: Turns, *, bare: bool, sample: bool, answers: str
    ) -> Outcome:
        try:
            if page.attachment:
                return await self._attached(address, page, page.attachment, turns, sample=sample)
            body = {"text": page.plain} | _manner(page) if bare else _markup(page)
            return await self._post(address, body | _answering(answers), turns)
        except TelegramError as error:
            return self._outcome(address, error)

    async def _attached(
        self, address: Address, page: Page, attachment: Attachment, turns: Turns, *, sample: bool
    ) -> Outcome:
        """Send a page with what is attached to it, once; where that does not arrive for sure, its figures as text.

        What may be repeated (it never left, a flood, a fault of the server) is left to the next try.
        """
        try:
            if isinstance(attachment, Picture):
                return await self._photo(address, page, attachment, turns, sample=sample)
            upload = ("sendDocument", "document", attachment.name, attachment.content.encode())
            return _sent(await self._upload(address, _markup(page, "caption"), turns, *upload))
        except (NotSent, ServerFault, Flooded, InvalidToken, Conflict, ChatMigrated):
            raise
        except (NotDrawn, TelegramError) as error:
            log.warning("attachment not sent, its text goes instead", error=type(error).__name__, detail=str(error))
            return await self._post(address, _markup(page.alone()), turns)

    async def _photo(self, address: Address, page: Page, picture: Picture, turns: Turns, *, sample: bool) -> Outcome:
        """A chart is painted and uploaded once; Telegram has it then, under a name that we repeat."""
        body, known = _markup(page, "caption"), self._photos.get((picture, sample))
        if known:
            try:
                await turns.take(address.chat)
                again = self._parameters(address) | body | {"photo": known}
                return _sent(await self._transport.call("sendPhoto", again))
            except BadRequest as error:
                if "file" not in error.message.lower():
                    raise
                self._photos.pop((picture, sample), None)
        png = await self._painter.png(picture, SAMPLE if sample else "")
        sent = await self._upload(address, body, turns, "sendPhoto", "photo", "chart.png", png)
        sizes = sent.get("photo") if isinstance(sent, dict) else None
        if sizes:
            self._photos[picture, sample] = str(sizes[-1]["file_id"])
            while len(self._photos) > PHOTOS_KEPT:
                self._photos.popitem(last=False)
        return _sent(sent)

    async def _upload(self, address: Address, body: dict[str, Any], turns: Turns, method: str, *file: Any) -> Any:
        await turns.take(address.chat)
        return await self._transport.upload(method, self._parameters(address) | body, *file)

    async def _post(self, address: Address, body: dict[str, Any], turns: Turns) -> Outcome:
        await turns.take(address.chat)
        parameters = self._parameters(address) | PREVIEW_OFF | body
        return _sent(await self._transport.call("sendMessage", parameters))

    def _parameters(self, address: Address) -> dict[str, Any]:
        """Where a message goes, whatever it is."""
        parameters: dict[str, Any] = {"chat_id": _chat_id(address.chat)}
        if address.thread and address.thread != GENERAL_TOPIC:
            parameters["message_thread_id"] = int(address.thread)
        if self._paid:
            parameters["allow_paid_broadcast"] = True
        return parameters

    def _outcome(self, address: Address, error: TelegramError) -> Outcome:
        """What a failed call means for the message. A flood is told to the pace."""
        if isinstance(error, Flooded) and not isinstance(error, Unhurried):
            self._pace.flooded(address.chat, error.seconds)
        return outcome_of(error, self._clock())


def home(address: Address) -> Address:
    """The chat itself, whatever the topic: buttons belong to it."""
    return Address(address.platform, address.chat)


def _chat_id(chat: str) -> int | str:
    return chat if chat.startswith("@") else int(chat)


def _sent(result: Any) -> Outcome:
    return Outcome("sent", message_id=str(result.get("message_id", "")) if isinstance(result, dict) else "")


def _markup(page: Page, name: str = "text") -> dict[str, Any]:
    body: dict[str, Any] = {name: page.html, "parse_mode": "HTML"} | _manner(page)
    if page.preview:
        body["link_preview_options"] = {"url": page.preview, "prefer_small_media": True}
    if page.keyboard:
        rows = [[{"text": label, "callback_data": data} for label, data in row] for row in page.keyboard]
        body["reply_markup"] = {"inline_keyboard": rows}
    elif page.locate:
        keys = [[{"text": page.locate, "request_location": True}], [{"text": "/settings"}]]
        body["reply_markup"] = {"keyboard": keys, "resize_keyboard": True, "one_time_keyboard": True}
    elif page.locate is None:
        body["reply_markup"] = {"remove_keyboard": True}
    return body


def _answering(message_id: str) -> dict[str, Any]:
    if not message_id:
        return {}
    return {"reply_parameters": {"message_id": int(message_id), "allow_sending_without_reply": True}}


def _manner(page: Page) -> dict[str, Any]:
    return {"disable_notification": True} if page.silent else {}
