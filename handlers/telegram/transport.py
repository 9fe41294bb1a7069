"""The wire to the Bot API: aiohttp under python-telegram-bot, and its errors told apart.

What a failed call means decides whether it may be repeated:

    NotSent       refused, no such host, no connection in time: the server never saw it
    ServerFault   the Bot API itself says 5xx: it was not carried out
    Flooded       429: not before `seconds` have gone by
    AnswerLost    silence, a broken line, a page from something in front: it may have been done

The token is known in here only. The library above is given a stand-in and addresses without it,
so none of its logs, names and errors can hold it.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from telegram.error import BadRequest, ChatMigrated, Conflict, Forbidden, InvalidToken, NetworkError, TelegramError
from telegram.request import BaseRequest, RequestData
from yarl import URL

STAND_IN: Final = "0:hidden"
CONNECT_SECONDS: Final = 10.0
CALL_SECONDS: Final = 30.0
UPLOAD_SECONDS: Final = 60.0
CLOSE_SECONDS: Final = 5.0
FLOOD_SECONDS: Final = 30.0
"""How long to keep quiet after a 429 that does not say."""

_JSON: Final = {"Content-Type": "application/json"}
_REFUSALS: Final[dict[int, type[TelegramError]]] = {
    400: BadRequest,
    401: InvalidToken,
    403: Forbidden,
    404: InvalidToken,
    409: Conflict,
}


class NotSent(NetworkError):
    """The request never left, or never arrived."""


class AnswerLost(NetworkError):
    """The request may or may not have been carried out."""


class ServerFault(NetworkError):
    """The Bot API could not carry the request out."""


class Flooded(TelegramError):
    """Too many requests. seconds: how long to keep quiet."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Transport(BaseRequest):
    """One session with the Bot API server at `root`.

    seconds: how long a call may take; connections: how many may be open at once
    """

    def __init__(self, root: str, token: str, *, seconds: float = CALL_SECONDS, connections: int = 64) -> None:
        self._base = URL(root) / f"bot{token}"
        self._seconds = seconds
        self._connections = connections
        self._addresses: dict[str, URL] = {}
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        return self._seconds

    async def initialize(self) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, limit_per_host=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=_proxy(self._base),
            )

    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(session.close(), CLOSE_SECONDS)

    async def renew(self) -> None:
        """Drop every connection: one that hangs half open would hang for ever."""
        await self.shutdown()
        await self.initialize()

    async def call(self, method: str, parameters: dict[str, Any], *, seconds: float | None = None) -> Any:
        """Call a method of the Bot API. Returns its result; raises TelegramError, see above."""
        body = {"data": json.dumps(parameters).encode(), "headers": _JSON}
        return _result(*await self._exchange("POST", method, body, seconds or self._seconds))

    async def upload(self, method: str, parameters: dict[str, Any], field: str, name: str, content: bytes) -> Any:
        """Call a method that takes a file, in `field` and under this name. Returns and raises as call() does."""
        form = aiohttp.FormData(
            {key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()}
        )
        form.add_field(field, content, filename=name, content_type="application/octet-stream")
        return _result(*await self._exchange("POST", method, {"data": form}, max(self._seconds, UPLOAD_SECONDS)))

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **timeouts: Any
    ) -> tuple[int, bytes]:
        """For python-telegram-bot. url: "/METHOD"; of its timeouts only read_timeout is heeded."""
        seconds = timeouts.get("read_timeout")
        if not isinstance(seconds, int | float):
            seconds = self._seconds
        if request_data is not None and request_data.contains_files:
            seconds = max(seconds, UPLOAD_SECONDS)
        status, content = await self._exchange(method, url.lstrip("/"), _body(request_data), seconds)
        _result(status, content)
        return 200, content

    async def _exchange(self, verb: str, method: str, body: dict[str, Any], seconds: float) -> tuple[int, bytes]:
        await self.initialize()
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=seconds, connect=min(CONNECT_SECONDS, seconds / 2))
        try:
            async with self._session.request(
                verb, self._address(method), timeout=timeout, allow_redirects=False, **body
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
            raise NotSent(type(error).__name__) from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise AnswerLost(type(error).__name__) from None

    def _address(self, method: str) -> URL:
        known = self._addresses.get(method)
        return known or self._addresses.setdefault(method, self._base / method)


def _proxy(url: URL) -> str | None:
    """The proxy that the environment names for this address. Asked once for a session: aiohttp's own trust_env
    asks a thread twice for every single request."""
    return None if proxy_bypass(url.host or "") else getproxies().get(url.scheme)


def _body(data: RequestData | None) -> dict[str, Any]:
    """The body as aiohttp wants it: JSON, or a form where there are files."""
    if data is None:
        return {}
    if not data.contains_files:
        return {"data": data.json_payload, "headers": _JSON}
    form = aiohttp.FormData(data.json_parameters)
    for name, (filename, content, mime) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return {"data": form}


def _result(status: int, content: bytes) -> Any:
    """The result that an answer holds; raises what it means if it is not a good one."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    if status == 429 or (isinstance(answer, dict) and answer.get("error_code") == 429):
        raise Flooded("too many requests", _retry_after(answer))
    if not isinstance(answer, dict) or not isinstance(answer.get("ok"), bool) or answer["ok"] > ("result" in answer):
        raise AnswerLost(f"status {status}, and no answer of the Bot API")
    if answer["ok"] and "result" in answer and status < 300:
        return answer["result"]
    raise _refusal(answer, status)


def _refusal(answer: dict[str, Any], status: int) -> TelegramError:
    code = answer.get("error_code", status)
    text = str(answer.get("description") or f"status {code}")
    moved = _parameters(answer).get("migrate_to_chat_id")
    if isinstance(moved, int):
        return ChatMigrated(moved)
    if not isinstance(code, int) or code >= 500:
        return ServerFault(text)
    return _REFUSALS.get(code, TelegramError)(text)


def _retry_after(answer: object) -> float:
    seconds = _parameters(answer).get("retry_after")
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else FLOOD_SECONDS


def _parameters(answer: object) -> dict[str, Any]:
    found = answer.get("parameters") if isinstance(answer, dict) else None
    return found if isinstance(found, dict) else {}
