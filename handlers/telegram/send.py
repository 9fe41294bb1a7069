"""Sends messages to Telegram, and tells what became of each."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import structlog
import telegram
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, TelegramError

from bot.chart.draw import NotDrawn, Painter
from bot.message import Attachment, Message, Picture
from bot.models import Address, Outcome
from bot.ports import Clock, Store
from bot.rules import SHELF_LIFE
from handlers.telegram.render import SAMPLE, Page, callback_data, render
from handlers.telegram.transport import AnswerLost, Flooded, NotSent, ServerFault, Transport

RATE: Final = 25.0
RATE_PAID: Final = 1000.0
BURST: Final = 5
GENERAL_TOPIC: Final = "1"
"""It is spoken to without naming it."""

NOT_SENT_PAUSE: Final = timedelta(seconds=2)
SERVER_PAUSE: Final = timedelta(seconds=5)
REJECTED_PAUSE: Final = timedelta(seconds=30)
"""Our token is refused: that is the operator's to mend, so messages wait."""
BEGUN_KEPT: Final = 1000
PHOTOS_KEPT: Final = 1000
PREVIEW_OFF: Final = {"link_preview_options": {"is_disabled": True}}

_GONE: Final = (
    "bot was blocked by the user",
    "user is deactivated",
    "the group chat was deleted",
    "bot was kicked from",
    "bot is not a member of",
)
_CONTENT: Final = (
    "can't parse entities",
    "message is too long",
    "message text is empty",
    "must be encoded",
    "button",
    "reply markup",
    "wrong http url",
    "entity",
    "entities",
)

log = structlog.get_logger()


class Bucket:
    """Lets `rate` a second through in the order they came, after a rest up to `burst` at once."""

    def __init__(self, rate: float, burst: int) -> None:
        self._gap = 1 / rate
        self._slack = (burst - 1) * self._gap
        self._next = 0.0

    async def take(self) -> None:
        now = asyncio.get_running_loop().time()
        turn = max(self._next, now - self._slack)
        self._next = turn + self._gap
        await asyncio.sleep(max(0.0, turn - now))


class Sender:
    """Everything we say in Telegram goes through one of these."""

    def __init__(self, transport: Transport, store: Store, clock: Clock, *, paid: bool = False) -> None:
        self._transport = transport
        self._store = store
        self._clock = clock
        self._paid = paid
        self._bucket = Bucket(RATE_PAID if paid else RATE, BURST)
        self._begun: OrderedDict[tuple[Address, Message], int] = OrderedDict()
        self._photos: OrderedDict[tuple[Picture, bool], str] = OrderedDict()
        self._painter = Painter()

    async def send(self, address: Address, message: Message) -> Outcome:
        """Push a message, page by page in order. Never raises for what Telegram does.

        One that must wait after its first pages goes on from there the next time.
        """
        pages = render(message, await self._callback_data(address, message))
        if not pages:
            return Outcome("failed", "the message is empty")
        done = self._begun.pop((address, message), 0)
        there, outcome, lost = address, Outcome("sent"), None
        for number, page in enumerate(pages[done:], done):
            if page.attachment:
                there, outcome = await self._attached(there, page, page.attachment, sample=message.sample)
            else:
                there, outcome = await self._page(there, page)
            if outcome.state == "pending" and number and not lost:
                self._remember(address, message, number)
            if outcome.state == "unknown" and not lost:
                lost = outcome
            elif outcome.state != "sent":
                break
        return lost or outcome

    async def reply(self, address: Address, message: Message) -> Outcome:
        """Answer a person: what surely did not arrive is tried again while it is worth it, nothing else."""
        until = self._clock() + SHELF_LIFE["reply"]
        while True:
            outcome = await self.send(address, message)
            again = outcome.retry_at
            if outcome.state != "pending" or again is None or again > until:
                break
            await asyncio.sleep(max(0.0, (again - self._clock()).total_seconds()))
        if outcome.state != "sent":
            log.warning("reply not sent", state=outcome.state, detail=outcome.detail)
        return outcome

    async def turn(self, address: Address, shown: telegram.Message, message: Message) -> bool:
        """Put a message in the place of one shown. False where that cannot be: it is to be sent instead."""
        pages = render(message, await self._callback_data(address, message))
        if shown.text is None or len(pages) != 1 or pages[0].attachment:
            return False
        where = {"chat_id": _chat_id(address.chat), "message_id": shown.message_id}
        await self._bucket.take()
        try:
            await self._transport.call("editMessageText", where | PREVIEW_OFF | _markup(pages[0]))
        except AnswerLost:
            return True
        except TelegramError as error:
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

    async def _attached(
        self, address: Address, page: Page, attachment: Attachment, *, sample: bool
    ) -> tuple[Address, Outcome]:
        """Send a page with what is attached to it, once; where that does not arrive for sure, its figures as text.

        What may be repeated (it never left, a flood, a fault of the server) is left to the next try.
        """
        try:
            if isinstance(attachment, Picture):
                return address, await self._photo(address, page, attachment, sample=sample)
            upload = ("sendDocument", "document", attachment.name, attachment.content.encode())
            return address, _sent(await self._upload(address, _markup(page, "caption"), *upload))
        except (NotSent, ServerFault, Flooded, InvalidToken, Conflict) as error:
            return address, self._outcome(error)
        except (NotDrawn, TelegramError) as error:
            log.warning("attachment not sent, its text goes instead", error=type(error).__name__, detail=str(error))
            return await self._page(address, page.alone())

    async def _photo(self, address: Address, page: Page, picture: Picture, *, sample: bool) -> Outcome:
        """A chart is painted and uploaded once; Telegram has it then, under a name that we repeat."""
        body, known = _markup(page, "caption"), self._photos.get((picture, sample))
        if known:
            try:
                await self._bucket.take()
                return _sent(
                    await self._transport.call("sendPhoto", self._parameters(address) | body | {"photo": known})
                )
            except BadRequest as error:
                if "file" not in error.message.lower():
                    raise
                del self._photos[picture, sample]
        png = await self._painter.png(picture, SAMPLE if sample else "")
        sent = await self._upload(address, body, "sendPhoto", "photo", "chart.png", png)
        sizes = sent.get("photo") if isinstance(sent, dict) else None
        if sizes:
            self._photos[picture, sample] = str(sizes[-1]["file_id"])
            while len(self._photos) > PHOTOS_KEPT:
                self._photos.popitem(last=False)
        return _sent(sent)

    async def _upload(self, address: Address, body: dict[str, Any], method: str, *file: Any) -> Any:
        await self._bucket.take()
        return await self._transport.upload(method, self._parameters(address) | body, *file)

    async def _page(self, address: Address, page: Page) -> tuple[Address, Outcome]:
        """Send a page. Returns where it went, which is elsewhere if the group became a supergroup."""
        try:
            return address, await self._post(address, _markup(page))
        except ChatMigrated as moved:
            there = Address(address.platform, str(moved.new_chat_id))
            outcome = await self._attempt(there, _markup(page))
            return there, replace(outcome, detail=f"migrated to {there.chat} {outcome.detail}".rstrip())
        except BadRequest as error:
            if not _is_content(error):
                return address, self._outcome(error)
            log.error("Telegram refused our markup", description=error.message)
            return address, await self._attempt(address, {"text": page.plain} | _manner(page))
        except TelegramError as error:
            return address, self._outcome(error)

    async def _attempt(self, address: Address, body: dict[str, Any]) -> Outcome:
        try:
            return await self._post(address, body)
        except TelegramError as error:
            return self._outcome(error)

    async def _post(self, address: Address, body: dict[str, Any]) -> Outcome:
        await self._bucket.take()
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

    def _outcome(self, error: TelegramError) -> Outcome:
        """What a failed call means for the message."""
        detail = error.message
        match error:
            case Flooded():
                return Outcome("pending", detail, retry_at=self._clock() + timedelta(seconds=error.seconds))
            case NotSent():
                return Outcome("pending", detail, retry_at=self._clock() + NOT_SENT_PAUSE)
            case ServerFault():
                return Outcome("pending", detail, retry_at=self._clock() + SERVER_PAUSE)
            case AnswerLost():
                return Outcome("unknown", detail)
            case InvalidToken() | Conflict():
                return Outcome("pending", detail, retry_at=self._clock() + REJECTED_PAUSE)
            case Forbidden() if any(text in detail.lower() for text in _GONE):
                return Outcome("dead", detail)
            case _:
                return Outcome("failed", detail)


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
    return body


def _is_content(error: BadRequest) -> bool:
    text = error.message.lower().replace("_", " ")
    return any(part in text for part in _CONTENT)


def _manner(page: Page) -> dict[str, Any]:
    return {"disable_notification": True} if page.silent else {}
