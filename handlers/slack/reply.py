"""Answering: once, by response_url where there is one, else into the channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.compose import attached, channel
from bot.locales import Tongue
from bot.message import Block, Message
from handlers.slack.files import Files, attachments
from handlers.slack.heard import Heard
from handlers.slack.refusals import OUR_FAULT
from handlers.slack.render import Extra, plain_text, render
from handlers.slack.send import Sender
from handlers.slack.wire import Wire

log = structlog.get_logger()


class Replies:
    """install_page: where we are installed anew"""

    def __init__(self, wire: Wire, files: Files, sender: Sender, install_page: str) -> None:
        self._wire = wire
        self._files = files
        self._sender = sender
        self.install_page = install_page

    async def give(self, heard: Heard, message: Message, speak: Tongue, extras: Sequence[Extra] = ()) -> None:
        """Never raises for what Slack does. extras: buttons of this room beside the message's own"""
        if not heard.response_url:
            address = replace(heard.address, thread=heard.thread)
            outcome = await self._sender.say(address, message, speak)
            if outcome.state != "sent":
                log.warning("an answer was not taken", error=outcome.detail)
            return
        if attachments(message):
            message = await self._share(heard, message, speak)
        rendered = render(message, speak, extras)
        body: dict[str, Any] = {
            "response_type": "in_channel" if heard.aloud else "ephemeral",
            "replace_original": heard.replace,
            "unfurl_links": False,
            "unfurl_media": False,
            "text": rendered.text,
        }
        if heard.address.thread:
            body["thread_ts"] = heard.address.thread
        error = await self._wire.respond(heard.response_url, {**body, "blocks": rendered.blocks})
        if error in OUR_FAULT:
            log.error("Slack refused our blocks", error=error)
            error = await self._wire.respond(heard.response_url, {**body, "text": plain_text(message, speak)})
        if error:
            log.warning("an answer was not taken", error=error)

    async def _share(self, heard: Heard, message: Message, speak: Tongue) -> Message:
        """Send what is attached. Returns the message with what is to be said of that."""
        place = await self._files.share(message, heard.address, heard.user)
        more: list[Block] = [attached.elsewhere(speak)] if place == "person" else []
        if place in ("", "no right"):
            more += attached.lost(message, speak)
        if place == "no right":
            more += channel.install_again(self.install_page, speak)
        return replace(message, blocks=(*message.blocks, *more))
