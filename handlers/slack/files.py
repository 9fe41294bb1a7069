"""Pictures and files: uploaded to Slack and shared, beside the text of their message.

Blocks cannot hold a file that nobody shared yet, and an answer that one person alone sees can hold
none at all. So a file goes into the channel where the app is a member, else to the person who asked.
"""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.chart.draw import Painter
from bot.message import Attachment, File, Message, Picture
from bot.models import Address
from handlers.slack.refusals import NO_RIGHT
from handlers.slack.render import SAMPLE, clean
from handlers.slack.wire import Wire, refused
from handlers.slack.workspaces import Workspaces

SECONDS: Final = 25.0
"""For all of it; whoever asked waits."""
ALTERNATIVE: Final = 1_000
"""Characters for those who cannot see a picture."""
TITLE: Final = 255
NOT_A_MEMBER: Final = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action"})

Place = Literal["", "no right", "here", "person"]
"""Where attachments are now: nowhere, nowhere for want of a right, in the channel, in the person's direct messages."""

log = structlog.get_logger()


def attachments(message: Message) -> list[Attachment]:
    return [block for block in message.blocks if isinstance(block, Picture | File)]


class Files:
    def __init__(self, wire: Wire, workspaces: Workspaces) -> None:
        self._wire = wire
        self._workspaces = workspaces
        self._painter = Painter()

    async def share(self, message: Message, address: Address, user: str = "") -> Place:
        """Put what is attached into the channel, or send it to `user` if we are no member there. Never raises."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._share(message, address, user)
        except Exception as error:  # noqa: BLE001 - the SDK lets through whatever its parser meets
            detail = refused(error).error if isinstance(error, SlackApiError) else str(error)
            log.warning("attachment not sent, its text goes alone", error=type(error).__name__, detail=detail)
            return "no right" if detail == NO_RIGHT else ""

    async def _share(self, message: Message, address: Address, user: str) -> Place:
        workspace, _, channel = address.chat.rpartition("/")
        client, thread = await self._workspaces.client(workspace), address.thread
        place: Place = "here"
        for attached in attachments(message):
            if isinstance(attached, File):
                content = attached.content.encode()
            else:
                content = await self._painter.png(attached, SAMPLE if message.sample else "")
            try:
                await self._upload(client, attached, content, channel, thread)
            except SlackApiError as error:
                if not user or refused(error).error not in NOT_A_MEMBER:
                    raise
                opened = await client.conversations_open(users=user)
                channel, thread, place = str(opened["channel"]["id"]), "", "person"
                await self._upload(client, attached, content, channel, thread)
        return place

    async def _upload(
        self, client: AsyncWebClient, attached: Attachment, content: bytes, channel: str, thread: str
    ) -> None:
        picture = isinstance(attached, Picture)
        ticket = await client.files_getUploadURLExternal(
            filename="chart.png" if isinstance(attached, Picture) else attached.name,
            length=len(content),
            alt_txt=clean(attached.text)[:ALTERNATIVE] if picture else None,
        )
        async with self._wire.session.post(str(ticket["upload_url"]), data=content, allow_redirects=False) as answer:
            answer.raise_for_status()
        title = f"{attached.title}, {attached.span}" if isinstance(attached, Picture) else attached.name
        await client.files_completeUploadExternal(
            files=[{"id": str(ticket["file_id"]), "title": clean(title)[:TITLE]}],
            channel_id=channel,
            thread_ts=thread or None,
        )
