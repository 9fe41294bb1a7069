from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise

import aiohttp
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.errors import SourceError
from bot.fetch import Fetcher

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """A server on loopback that keeps every request it got."""

    def __init__(self, scheme: str = "http") -> None:
        self.pages: dict[str, Handler] = {}
        self.requests: list[web.Request] = []
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.server = TestServer(app, scheme=scheme)

    def at(self, path: str) -> str:
        return f"{self.server.scheme}://127.0.0.1:{self.server.port}{path}"

    @property
    def address(self) -> tuple[str, int]:
        assert self.server.port is not None
        return "127.0.0.1", self.server.port

    def says(self, path: str, status: int = 200, body: bytes = b"<rss/>", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status, body=body, headers=named)

        self.pages[path] = answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.pages[request.path](request)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.server.start_server()
    yield site
    await site.server.close()


@asynccontextmanager
async def fetching(*allow: tuple[str, int], spacing: float = 0, timeout: float = 20) -> AsyncIterator[Fetcher]:
    agent = "Yamchi/0.1 (+https://yamchi.example)"
    fetcher = Fetcher(agent, frozenset(allow), spacing, lambda: NOW, timeout=timeout)
    yield fetcher
    await fetcher.close()


async def refusal(site: Site, url: str, **options: float) -> SourceError:
    async with fetching(site.address, **options) as fetcher:
        with pytest.raises(SourceError) as caught:
            await fetcher.get(url)
    return caught.value


async def test_a_document_comes_with_its_headers_by_lower_case_name(site: Site):
    site.says("/feed", body=b"<rss>1</rss>", ETag='"a"', X_Many="1")
    async with fetching(site.address) as fetcher:
        got = await fetcher.get(site.at("/feed"))
    assert (got.status, got.body, got.url, got.moved_to) == (200, b"<rss>1</rss>", site.at("/feed"), "")
    assert (got.headers["etag"], got.headers["x-many"]) == ('"a"', "1")


async def test_a_request_is_mannerly(site: Site):
    site.says("/feed", Set_Cookie="id=1; Path=/")
    async with fetching(site.address) as fetcher:
        await fetcher.get(site.at("/feed"))
        await fetcher.get(site.at("/feed"))
    sent = site.requests[-1].headers
    assert sent["User-Agent"] == "Yamchi/0.1 (+https://yamchi.example)"
    assert "application/rss+xml" in sent["Accept"]
    assert {"Cookie", "Referer", "If-None-Match", "If-Modified-Since"}.isdisjoint(sent)


async def test_validators_go_back_byte_for_byte(site: Site):
    site.says("/feed", status=304, body=b"")
    tag, date = 'W/"odd --gzip;x"', "Mon, 23 Nov 2026 9:0:0 GMT+1"
    async with fetching(site.address) as fetcher:
        got = await fetcher.get(site.at("/feed"), etag=tag, last_modified=date)
    assert (got.status, got.body) == (304, b"")
    sent = site.requests[0].headers
    assert (sent["If-None-Match"], sent["If-Modified-Since"]) == (tag, date)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120),
        ("Mon, 23 Nov 2026 10:05:00 GMT", 300),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0),
        ("9" * 400, 86400),
        ("soon", None),
        ("-5", None),
    ],
)
async def test_retry_after_is_understood_in_both_forms(site: Site, retry_after: str, seconds: float | None):
    site.says("/feed", status=429, Retry_After=retry_after)
    error = await refusal(site, site.at("/feed"))
    assert (str(error), error.retry_after, error.gone) == ("HTTP 429", seconds, False)


async def test_refusals_of_a_server_are_named(site: Site):
    site.says("/gone", status=410)
    site.says("/blocked", status=403, cf_mitigated="challenge")
    site.says("/empty", status=204, body=b"")
    assert (await refusal(site, site.at("/gone"))).gone
    assert str(await refusal(site, site.at("/blocked"))) == "HTTP 403, a challenge page: blocked"
    assert str(await refusal(site, site.at("/empty"))) == "HTTP 204"


async def test_permanent_redirects_tell_the_new_address(site: Site):
    site.says("/old", status=301, Location="/older")
    site.says("/older", status=308, Location=site.at("/new#top"))
    site.says("/new")
    async with fetching(site.address) as fetcher:
        got = await fetcher.get(site.at("/old"))
    assert got.moved_to == site.at("/new")
    assert "Referer" not in site.requests[-1].headers


async def test_one_temporary_hop_moves_nothing(site: Site):
    site.says("/old", status=301, Location="/detour")
    site.says("/detour", status=302, Location="/new")
    site.says("/new")
    async with fetching(site.address) as fetcher:
        got = await fetcher.get(site.at("/old"))
    assert (got.status, got.url, got.moved_to) == (200, site.at("/new"), "")


async def test_five_redirects_are_followed_and_no_more(site: Site):
    for n in range(7):
        site.says(f"/{n}", status=302, Location=f"/{n + 1}")
    site.says("/5")
    async with fetching(site.address) as fetcher:
        assert (await fetcher.get(site.at("/0"))).url == site.at("/5")
    site.says("/5", status=302, Location="/6")
    assert str(await refusal(site, site.at("/0"))) == "too many redirects"


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/", "", "javascript:1"])
async def test_a_redirect_leads_to_the_web_or_nowhere(site: Site, location: str):
    site.says("/feed", status=302, Location=location)
    assert str(await refusal(site, site.at("/feed"))) == "redirected to no http address"


async def test_a_certificate_that_nobody_vouches_for_is_refused():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    site = Site("https")
    await site.server.start_server(ssl=context)
    assert str(await refusal(site, site.at("/feed"))) == "an invalid certificate"
    assert site.requests == []
    await site.server.close()


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "ftp://127.0.0.1/", "timesca.com/feed", "http://[::1/", "/a"]
)
async def test_only_web_addresses_are_fetched(site: Site, url: str):
    assert str(await refusal(site, url)) == "not an http address"


PRIVATE_HOSTS = [
    *("127.0.0.1", "localhost", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1"),
    *("0x7f.1", "127.0.0.1.", "①②⑦.⓪.⓪.①", "127。0。0。1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]"),
    *("[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "user:pw@127.0.0.1", "%31%32%37.0.0.1"),
]
"""Spellings of addresses that are not public; whatever they resolve to, our canary is not reached."""


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
async def test_no_spelling_of_a_private_address_is_reached(site: Site, host: str):
    site.says("/feed")
    async with fetching(timeout=5) as fetcher:
        with pytest.raises(SourceError):
            await fetcher.get(f"http://{host}:{site.address[1]}/feed")
    assert not site.requests


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "169.254.169.254", "[::1]"])
async def test_the_refusal_of_a_private_address_says_so(site: Site, host: str):
    async with fetching() as fetcher:
        with pytest.raises(SourceError, match=r"^refused: a private address$"):
            await fetcher.get(f"http://{host}:{site.address[1]}/feed")


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
async def test_a_redirect_to_a_private_address_is_refused(site: Site, host: str):
    async with TestServer(web.Application()) as canary:
        status = (301, 302, 303, 307, 308)[PRIVATE_HOSTS.index(host) % 5]
        site.says("/feed", status=status, Location=f"http://{host}:{canary.port}/")
        error = await refusal(site, site.at("/feed"), timeout=5)
        assert len(site.requests) == 1
        assert canary.handler.requests_count == 0, error


class Rebinding(asyncio.DatagramProtocol):
    """A name server whose every name has one address the first time, and our own the next times."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        end = data.index(0, 12) + 5
        question, kind = data[12:end], data[end - 4 : end - 2]
        found = b""
        if kind == b"\x00\x01":
            here = self.addresses[min(self.asked, len(self.addresses) - 1)]
            self.asked += 1
            found = b"\xc0\x0c" + kind + b"\x00\x01\x00\x00\x00\x00\x00\x04" + socket.inet_aton(here)
        head = data[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if found else b"\x00\x00") + b"\x00\x00\x00\x00"
        self.transport.sendto(head + question + found, sender)  # type: ignore[attr-defined]


async def test_a_name_that_turns_to_a_private_address_after_it_was_looked_up_leads_nowhere(site: Site):
    """The first address is let through (127.0.0.2 stands for the public internet), the second one is ours."""
    site.says("/feed")
    names = Rebinding("127.0.0.2", "127.0.0.1")
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: names, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    public = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.2", site.address[1])
    async with fetching(("127.0.0.2", site.address[1]), timeout=5) as fetcher:
        connector = fetcher._open().connector
        assert isinstance(connector, aiohttp.TCPConnector)
        resolver = aiohttp.AsyncResolver(nameservers=["127.0.0.1"], udp_port=port, timeout=1, tries=1)
        connector._resolver = resolver
        told = []
        for _ in range(4):
            connector.clear_dns_cache()
            with pytest.raises(SourceError) as caught:
                await fetcher.get(f"http://rebinding.example:{site.address[1]}/feed")
            told.append(str(caught.value))
        await resolver.close()
    public.close()
    transport.close()
    assert told == ["the connection broke off", *["refused: a private address"] * 3]
    assert names.asked == 4
    assert not site.requests


async def test_a_proxy_of_the_environment_is_not_asked(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", site.at("/"))
    async with fetching(timeout=2) as fetcher:
        with pytest.raises(SourceError):
            await fetcher.get("http://news.invalid/feed")
    assert not site.requests


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache_Control": "public, max-age=600"}, 600),
        ({"Cache_Control": "max-age=600", "Age": "200"}, 400),
        ({"Cache_Control": "no-cache, max-age=600"}, 0),
        ({"Cache_Control": "max-age=99999999"}, 86400),
        ({"Cache_Control": "s-maxage=600"}, 0),
        ({"Expires": "Mon, 23 Nov 2026 11:00:00 GMT"}, 3600),
        ({"Expires": "0"}, 0),
        ({"Expires": "soon"}, 0),
        ({}, 0),
    ],
)
async def test_for_how_long_an_answer_is_fresh_is_known(site: Site, headers: dict[str, str], seconds: float):
    site.says("/feed", **headers)
    async with fetching(site.address) as fetcher:
        assert (await fetcher.get(site.at("/feed"))).max_age == seconds


@pytest.mark.parametrize(("status", "blocked"), [(401, True), (403, True), (451, True), (404, False), (500, False)])
async def test_being_kept_out_is_told_from_other_failures(site: Site, status: int, blocked: bool):
    site.says("/feed", status=status)
    assert (await refusal(site, site.at("/feed"))).blocked is blocked


async def test_an_allowed_address_may_be_named_by_a_name_that_resolves_to_it(site: Site):
    site.says("/feed")
    async with fetching(site.address) as fetcher:
        assert (await fetcher.get(f"http://localhost:{site.address[1]}/feed")).status == 200


async def test_a_name_that_nobody_has_is_told(site: Site):
    assert str(await refusal(site, "http://nobody.invalid/feed")) in ("no such host", "no name look-up within 5 s")


async def test_a_closed_port_is_told(site: Site):
    address = site.address
    await site.server.close()
    async with fetching(address) as fetcher:
        with pytest.raises(SourceError, match="no connection"):
            await fetcher.get("http://{}:{}/feed".format(*address))


async def test_the_limit_is_on_what_is_unpacked(site: Site):
    site.says("/bomb", body=gzip.compress(bytes(60_000_000)), Content_Encoding="gzip")
    assert str(await refusal(site, site.at("/bomb"))) == "larger than 10 MB"


async def test_a_document_that_says_it_is_too_large_is_not_waited_for(site: Site):
    async def promising(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.content_length = 10_000_001
        await answer.prepare(request)
        await asyncio.sleep(60)
        return answer

    site.pages["/promising"] = promising
    assert str(await refusal(site, site.at("/promising"))) == "larger than 10 MB"


async def test_an_endless_document_is_cut_off_at_the_limit(site: Site):
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(bytes(65536))

    site.pages["/endless"] = endless
    async with fetching(site.address) as fetcher:
        with pytest.raises(SourceError, match="larger than 1 MB"):
            await fetcher.get(site.at("/endless"), limit=1_000_000)


async def test_a_slow_drip_ends_with_the_time_for_the_whole_document(site: Site):
    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"<")
            await asyncio.sleep(0.05)

    site.pages["/drip"] = drip
    assert str(await refusal(site, site.at("/drip"), timeout=0.5)) == "timed out after 0.5 s"


async def test_the_time_is_shared_by_all_hops(site: Site):
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.3)
        return web.Response(status=302, headers={"Location": "/slow"})

    site.pages["/slow"] = slow
    assert str(await refusal(site, site.at("/slow"), timeout=0.8)) == "timed out after 0.8 s"
    assert 1 < len(site.requests) < 5


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
async def test_what_is_no_whole_http_answer_is_a_source_error(said: bytes):
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    async with fetching(address) as fetcher:
        with pytest.raises(SourceError, match=r"broke off|not an HTTP answer"):
            await fetcher.get("http://{}:{}/".format(*address))
    server.close()


async def test_a_host_is_asked_one_at_a_time_with_a_pause_between(site: Site):
    under_way, most, times = 0, 0, []

    async def counted(_: web.Request) -> web.Response:
        nonlocal under_way, most
        times.append(asyncio.get_running_loop().time())
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return web.Response(body=b"<rss/>")

    site.pages["/feed"] = counted
    async with fetching(site.address, spacing=0.1) as fetcher:
        await asyncio.gather(*(fetcher.get(site.at("/feed")) for _ in range(4)))
    assert most == 1
    assert all(later - earlier >= 0.09 for earlier, later in pairwise(times))


async def test_a_host_that_hangs_holds_up_no_other(site: Site):
    other, hung = Site(), asyncio.Event()
    await other.server.start_server()
    other.says("/feed")

    async def hang(_: web.Request) -> web.Response:
        hung.set()
        await asyncio.Event().wait()
        raise AssertionError

    site.pages["/hang"] = hang
    async with fetching(site.address, other.address) as fetcher:
        stuck = asyncio.create_task(fetcher.get(site.at("/hang")))
        await hung.wait()
        assert (await fetcher.get(other.at("/feed"))).status == 200
        assert not stuck.done()
        stuck.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck
        site.says("/feed")
        assert (await fetcher.get(site.at("/feed"))).status == 200
    await other.server.close()


async def test_a_dead_resolver_can_be_given_up_at_once():
    silent = aiohttp.AsyncResolver(nameservers=["192.0.2.53"], timeout=5, tries=4)
    with pytest.raises((TimeoutError, OSError)):
        await asyncio.wait_for(silent.resolve("timesca.com", 443), 0.2)
    await silent.close()
