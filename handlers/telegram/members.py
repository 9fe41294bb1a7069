"""What becomes of the chats: we are let in or thrown out, blocked or muted; a group becomes a supergroup."""

from __future__ import annotations

from typing import Any, Final

import structlog
from telegram import Chat, ChatMember, Message

from bot.models import Address
from bot.ports import Clock
from bot.store import Store
from handlers.telegram.poll import PLATFORM

SHUT_OUT: Final = "we were blocked or thrown out"
LEFT: Final = "we are not in it any more"

log = structlog.get_logger()


class Members:
    """Tells the store which chats can be spoken to, as soon as Telegram tells us."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def changed(self, told: dict[str, Any]) -> None:
        """Our own place in a chat is another one now. told: a raw ChatMemberUpdated, as the library does not
        read one that lacks any of twenty rights. Raises KeyError or TypeError if it is none."""
        chat, us = told["chat"], told["new_chat_member"]
        address = Address(PLATFORM, str(int(chat["id"])))
        reason = silenced(str(chat["type"]), us)
        if reason:
            await self._store.pause(address, reason, self._clock())
        else:
            await self._store.revive(address)
        log.info("our place in a chat changed", status=us["status"], paused=reason)

    async def moved(self, message: Message) -> None:
        """A group has another number now. Both the old and the new one say so; the second time nothing is left."""
        here, old, new = message.chat.id, message.migrate_from_chat_id, message.migrate_to_chat_id
        await self._store.move_chat(Address(PLATFORM, str(old or here)), str(new or here))


def silenced(kind: str, us: dict[str, Any]) -> str:
    """Why we can say nothing in a chat of this kind where this is our place, "" if we can."""
    status = us["status"]
    if status == ChatMember.BANNED:
        return SHUT_OUT
    if status == ChatMember.LEFT or (status == ChatMember.RESTRICTED and us.get("is_member") is False):
        return LEFT
    if status == ChatMember.RESTRICTED and us.get("can_send_messages") is False:
        return "we may not send messages"
    if kind == Chat.CHANNEL and not (status == ChatMember.ADMINISTRATOR and us.get("can_post_messages")):
        return "we may not post in the channel"
    return ""
