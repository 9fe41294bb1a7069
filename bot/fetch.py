"""The one guarded HTTP client every source uses.

Where it may go is bot/guard.py's to say, at every socket it opens.
"""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from weakref import WeakValueDictionary

import aiohttp
from yarl import URL

from bot.errors import SourceError
from bot.guard import Guard, LookUpError, PrivateAddressError, Resolver
from bot.ports import Clock

HOPS: Final = 5
AT_ONCE: Final = 100
"""So many requests under way."""
LARGE: Final = 300_000
LARGE_AT_ONCE: Final = 1
"""So many documents of more than LARGE bytes held at a time, from reading until they are parsed."""
CONNECT_SECONDS: Final = 8.0
LONGEST_WAIT: Final = 86400.0
"""No Retry-After silences a source for longer than a day."""

_PERMANENT: Final = frozenset({301, 308})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ANSWERS: Final = _REDIRECTS | {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}
_SHUT_OUT: Final = frozenset({401, 403, 406, 451})
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})")
_ACCEPT: Final = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9,"
    " application/json;q=0.8, */*;q=0.5"
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: status 200, or 304 with an empty body.

    headers: by lower-case name; url: where it came from in the end
    moved_to: the same if every hop on the way was permanent, else ""
    max_age: seconds for which the server calls it fresh
    place: a large document's, given back when nobody holds the document any more
    """

    status: int
    body: bytes
    headers: dict[str, str]
    url: str
    moved_to: str
    max_age: float = 0.0
    place: object = None


class Fetcher:
    """Fetches documents, one at a time from a host:port and `spacing` seconds apart.

    allow: the only (address, port) pairs that may be reached although they are not public
    timeout: seconds for a document in all, its redirects included, waiting for its turn not
    """

    def __init__(
        self,
        user_agent: str,
        allow: frozenset[tuple[str, int]],
        spacing: float,
        clock: Clock,
        *,
        timeout: float = 20.0,
    ) -> None:
        self._user_agent = user_agent
        self._allow = allow
        self._spacing = spacing
        self._clock = clock
        self._timeout = timeout
        self._turns: WeakValueDictionary[tuple[str | None, int | None], asyncio.Lock] = WeakValueDictionary()
        # no semaphore: where hundreds wait, Python 3.11's walks past all that it has woken for each that may go
        self._lines: asyncio.Queue[None] = asyncio.Queue()
        for _ in range(AT_ONCE):
            self._lines.put_nowait(None)
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._session: aiohttp.ClientSession | None = None
        self._resolver: Resolver | None = None

    async def get(self, url: str, *, etag: str = "", last_modified: str = "", limit: int = 10_000_000) -> Fetched:
        """The document at `url`, at most `limit` bytes once unpacked.

        etag, last_modified: sent back byte for byte as they came.
        Raises SourceError for every other answer than 200 and 304, and for none.
        """
        validators = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        headers = {name: value for name, value in validators.items() if value}
        here, permanent, left = _source_address(url), True, self._timeout
        for hop in range(HOPS + 1):
            moved_to = str(here.with_fragment(None)) if hop and permanent else ""
            got, taken = await self._in_turn(here, headers, limit, left, moved_to)
            if got.status not in _REDIRECTS:
                return got
            left -= taken
            permanent = permanent and got.status in _PERMANENT
            here = _web_address(got.headers.get("location", ""), here)
        raise SourceError("too many redirects")

    async def close(self) -> None:
        """Let go of every connection."""
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def _in_turn(
        self, url: URL, headers: dict[str, str], limit: int, seconds: float, moved_to: str
    ) -> tuple[Fetched, float]:
        """One request at a time a host; the next one `spacing` seconds after this one's end. And what it took."""
        loop = asyncio.get_running_loop()
        turn = self._turns.setdefault((url.host, url.port), asyncio.Lock())
        await turn.acquire()
        try:
            await self._lines.get()
            try:
                started = loop.time()
                got = await self._hop(url, headers, limit, seconds, moved_to)
                return got, loop.time() - started
            finally:
                self._lines.put_nowait(None)
        finally:
            loop.call_later(self._spacing, turn.release)

    async def _hop(self, url: URL, headers: dict[str, str], limit: int, seconds: float, moved_to: str) -> Fetched:
        try:
            async with (
                asyncio.timeout(max(seconds, 0.001)) as patience,
                self._open().get(url, headers=headers, allow_redirects=False) as answer,
            ):
                self._refuse(answer)
                body, place = (
                    await self._read(answer, limit, patience) if answer.status == HTTPStatus.OK else (b"", None)
                )
                said = _joined(answer)
                return Fetched(answer.status, body, said, str(url), moved_to, self._fresh_for(said), place)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SourceError(self._reason(error)) from None

    async def _read(
        self, answer: aiohttp.ClientResponse, limit: int, patience: asyncio.Timeout
    ) -> tuple[bytes, _Place | None]:
        """The body, unpacked, and its place if it is large; the limit is on what it unpacks to."""
        now = asyncio.get_running_loop().time
        body, place = io.BytesIO(), None
        if (answer.content_length or 0) > limit:
            raise SourceError(f"larger than {limit / 1_000_000:g} MB")
        async for piece in answer.content.iter_any():
            body.write(piece)
            if body.tell() > limit:
                raise SourceError(f"larger than {limit / 1_000_000:g} MB")
            if place is None and body.tell() > LARGE:
                ends, waiting = patience.when() or now(), now()
                patience.reschedule(None)
                await self._large.acquire()
                place = _Place(self._large)
                patience.reschedule(ends + now() - waiting)
        return body.getvalue(), place  # not a copy, as nothing is written any more

    def _refuse(self, answer: aiohttp.ClientResponse) -> None:
        if answer.status in _ANSWERS:
            return
        challenge = answer.headers.get("cf-mitigated", "") == "challenge"
        text = f"HTTP {answer.status}" + (", a challenge page: blocked" if challenge else "")
        wait = self._seconds(answer.headers.get("retry-after", ""))
        raise SourceError(
            text,
            retry_after=wait,
            gone=answer.status == HTTPStatus.GONE,
            absent=answer.status == HTTPStatus.NOT_FOUND,
            blocked=challenge or answer.status in _SHUT_OUT,
        )

    def _seconds(self, retry_after: str) -> float | None:
        """Retry-After, a number of seconds or an HTTP date, as seconds from now."""
        text = retry_after.strip()
        if not text:
            return None
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), LONGEST_WAIT)
        try:
            when = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        return min(max((when - self._clock()).total_seconds(), 0.0), LONGEST_WAIT)

    def _fresh_for(self, headers: dict[str, str]) -> float:
        """Seconds for which an answer may be taken as the newest: its max-age, else its Expires, less its age."""
        control, age = headers.get("cache-control", "").lower(), headers.get("age", "").strip()
        if "no-cache" in control or "no-store" in control:
            return 0.0
        given = _MAX_AGE.search(control)
        fresh = float(given[1]) if given else self._seconds(headers.get("expires", "")) or 0.0
        return min(max(fresh - (float(age[:9]) if given and age.isdecimal() else 0.0), 0.0), LONGEST_WAIT)

    def _reason(self, error: Exception) -> str:
        """What to tell of a failure; never its own text, which may quote the address."""
        cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
        if isinstance(cause, PrivateAddressError) or isinstance(error, aiohttp.ClientConnectorDNSError):
            return str(cause.strerror) if isinstance(cause, (PrivateAddressError, LookUpError)) else "no such host"
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return f"timed out after {min(CONNECT_SECONDS, self._timeout):g} s"
        if isinstance(error, TimeoutError):
            return f"timed out after {self._timeout:g} s"
        known: tuple[tuple[type[Exception], str], ...] = (
            (aiohttp.ClientConnectorCertificateError, "an invalid certificate"),
            (aiohttp.ClientSSLError, "no secure connection"),
            (aiohttp.ClientConnectorError, "no connection"),
            (aiohttp.ClientResponseError, "not an HTTP answer"),
            (ValueError, "not an http address"),
        )
        return next((text for kind, text in known if isinstance(error, kind)), "the connection broke off")

    def _open(self) -> aiohttp.ClientSession:
        """The session; made inside the running loop, with the first request."""
        if self._session is None:
            self._resolver = Resolver()
            self._session = aiohttp.ClientSession(
                # no limit of its own: where hundreds wait it shuffles them all for each that may go
                connector=aiohttp.TCPConnector(resolver=self._resolver, socket_factory=Guard(self._allow), limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self._user_agent, "Accept": _ACCEPT},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            )
        return self._session


class _Place:
    """One of the few for large documents: whoever holds the document holds this."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places

    def __del__(self) -> None:
        self._places.release()


def _web_address(text: str, base: URL | None = None) -> URL:
    """`text`, as seen from `base`, if it is an http or https address."""
    try:
        url = base.join(URL(text)) if base else URL(text)
    except ValueError:
        url = URL()
    if not text or url.scheme not in ("http", "https") or not url.host:
        raise SourceError("redirected to no http address" if base else "not an http address")
    return url


@lru_cache(maxsize=2048)
def _source_address(text: str) -> URL:
    """Read once: the same few are asked for time and again."""
    return _web_address(text)


def _joined(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Headers by lower-case name, repeated ones joined."""
    joined: dict[str, str] = {}
    for spelling, value in answer.headers.items():
        name = spelling.lower()
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
