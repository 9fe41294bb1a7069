"""The one HTTP session to Slack, and what is said over it besides pushing."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

TIMEOUT: Final = aiohttp.ClientTimeout(total=10, sock_connect=5)
CLIENTS: Final = 1_000
"""Kept ready; each is cheap to make again."""
PAUSES: Final = (0.5, 2.0)
"""Before an answer that Slack certainly did not take is given again."""


def silent_log(name: str) -> logging.Logger:
    """For the libraries: they log tokens, tickets and whole payloads, so we log what they do."""
    return logging.Logger(name, logging.CRITICAL + 1)  # noqa: LOG001 - apart, so that no level set elsewhere wakes it


def proxy_for(url: str) -> str | None:
    """The proxy for secure connections; the SDK by itself would take it for a loopback, too."""
    return None if proxy_bypass(URL(url).host or "") else getproxies().get("https")


@dataclass(frozen=True, slots=True)
class Refused:
    """What Slack answered instead of yes. error: its name for it, "" where it gave none."""

    status: int
    error: str
    retry_after: float | None = None


def refused(error: SlackApiError) -> Refused:
    """Whatever shape the SDK gave it: its own response, aiohttp's, a body that is no object."""
    response: Any = error.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    name = data.get("error") if isinstance(data, dict) else None
    wait = (getattr(response, "headers", None) or {}).get("Retry-After", "")
    return Refused(status, str(name or ""), float(wait) if str(wait).isdigit() else None)


async def _complaint(reply: aiohttp.ClientResponse) -> str:
    """ "" for a yes; Slack's own word for a no, else the status."""
    try:
        data = json.loads(await reply.content.read(4_096))
    except ValueError:
        data = {}
    name = data.get("error") if isinstance(data, dict) else ""
    return str(name or ("" if reply.status == 200 else f"HTTP {reply.status}"))


class Wire:
    """api_url: the Web API's root, with or without its last slash."""

    def __init__(self, api_url: str) -> None:
        self.root = api_url.rstrip("/") + "/"
        self._session: aiohttp.ClientSession | None = None
        self._clients: dict[str, AsyncWebClient] = {}

    @property
    def session(self) -> aiohttp.ClientSession:
        """Opened where it is first used: it belongs to the running loop."""
        if self._session is None:
            # trust_env would ask a thread for .netrc and for the proxy at every single request
            self._session = aiohttp.ClientSession(timeout=TIMEOUT, proxy=proxy_for(self.root))
        return self._session

    def client(self, token: str = "") -> AsyncWebClient:
        """Speaks with this token; without one for the app itself. Never retries by itself: it would post twice
        what was taken and not answered."""
        if token not in self._clients:
            if len(self._clients) >= CLIENTS:
                self._clients.clear()
            client = AsyncWebClient(
                token or None, base_url=self.root, session=self.session, retry_handlers=[], logger=silent_log("slack")
            )
            client.proxy = None  # the session knows the proxy, and where none is wanted
            self._clients[token] = client
        return self._clients[token]

    async def respond(self, url: str, body: dict[str, Any]) -> str:
        """Answer by response_url. Returns "" or why it was not taken; a lost answer is not repeated."""
        for pause in (*PAUSES, None):
            try:
                async with self.session.post(url, json=body, allow_redirects=False) as reply:
                    error = await _complaint(reply)
                    again = reply.status == 429
            except aiohttp.ClientConnectorError as failure:
                error, again = type(failure).__name__, True
            except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
                return type(failure).__name__
            if pause is None or not again:
                break
            await asyncio.sleep(pause)
        return error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None
        self._clients.clear()
