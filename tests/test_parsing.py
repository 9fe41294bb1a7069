from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from time import sleep

import pytest

from bot.errors import SourceError
from bot.parsing import Parser

FILES = Path(__file__).parent / "sources"
URL = "https://courier.example/feed/"
SMALL = b"<rss><channel><title>T</title><item><title>One</title><link>/1</link></item></channel></rss>"
DEEP = b"<rss><channel>" + b"<a>" * 400_000 + b"</channel></rss>"

LONG = b"<rss><channel>%s</channel></rss>" % b"".join(
    b"<item><title>%d</title><description>%s</description></item>" % (n, b"word " * 2000) for n in range(300)
)


@pytest.fixture
async def parser() -> AsyncIterator[Parser]:
    parser = Parser()
    yield parser
    await parser.close()


async def test_a_feed_is_parsed_in_the_child(parser: Parser):
    parsed = await parser.feed((FILES / "feed-wordpress.xml").read_bytes(), {"content-type": "text/xml"}, URL)
    assert (parsed.title, len(parsed.entries), parsed.complete) == ("The Steppe Courier", 3, True)
    assert parsed.entries[0].published is not None
    assert parsed.entries[0].published.utcoffset() is not None


async def test_a_banks_document_is_read_by_its_own_parser(parser: Parser):
    table = await parser.table("nbk", (FILES / "nbk_get_rates.xml").read_bytes())
    assert (table.quote, table.kind) == ("KZT", "official")
    assert isinstance(table.effective_date, date)
    assert table.fixing("USD") is not None


async def test_a_refusal_comes_back_as_itself(parser: Parser):
    with pytest.raises(SourceError, match="an HTML page instead of a feed"):
        await parser.feed(b"<html></html>", {}, URL)
    with pytest.raises(SourceError):
        await parser.table("nbk", b"<html></html>")


async def test_a_fault_of_a_parser_is_told_without_its_words(parser: Parser):
    with pytest.raises(SourceError, match=r"^cannot be parsed$"):
        await parser.table("no such bank", b"")
    assert (await parser.feed(SMALL, {}, URL)).entries[0].title == "One"


async def test_a_document_that_costs_too_much_is_killed_and_the_next_one_parses(parser: Parser):
    hostile = asyncio.create_task(parser.feed(DEEP, {}, URL))
    behind = asyncio.create_task(parser.feed(SMALL, {}, URL))
    with pytest.raises(SourceError, match="took too much time or memory to parse"):
        await hostile
    assert (await behind).entries[0].link == "https://courier.example/1"


async def test_a_document_whose_child_died_is_let_go_of_at_once(parser: Parser):
    gc.disable()
    try:
        body = b" " * 80_000_000  # the child dies as it reads it
        before = sys.getrefcount(body)
        with pytest.raises(SourceError, match="cannot be parsed"):
            await parser.feed(body, {}, URL)
        assert sys.getrefcount(body) == before
    finally:
        gc.enable()


async def test_a_document_that_is_given_up_leaves_nothing_behind(parser: Parser):
    await parser.feed(SMALL, {}, URL)  # the child is there: this document takes it half a second and more
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(parser.feed(DEEP, {}, URL), 0.1)
    assert (await parser.feed(SMALL, {}, URL)).title == "T"


async def test_a_long_reply_that_is_given_up_half_read_holds_up_nobody(parser: Parser):
    await parser.feed(SMALL, {}, URL)
    child = parser._child
    assert child is not None
    assert child.stdout is not None
    given_up = asyncio.create_task(parser.feed(LONG, {}, URL))
    while len(child.stdout._buffer) < 1 << 18:  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    sleep(0.2)  # the child fills the pipe meanwhile: more than asyncio's reader takes when nobody asks it for any
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(given_up, 10)
    assert (await asyncio.wait_for(parser.feed(SMALL, {}, URL), 60)).title == "T"


async def test_a_child_that_died_meanwhile_costs_at_most_one_document(parser: Parser):
    await parser.feed(SMALL, {}, URL)
    child = parser._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    assert (await parser.feed(SMALL, {}, URL)).title == "T"


async def test_large_documents_go_through_whole(parser: Parser):
    parsed = await parser.feed(LONG, {}, URL)
    assert len(parsed.entries) == 300
    assert len(parsed.entries[-1].text) == 9999


async def test_the_child_gets_nothing_of_our_environment(parser: Parser, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "1:canary")
    await parser.feed(SMALL, {}, URL)
    assert parser._child is not None
    environment = Path(f"/proc/{parser._child.pid}/environ")
    if not environment.exists():
        pytest.skip("no /proc here")
    assert b"canary" not in environment.read_bytes()


async def test_an_idle_child_is_let_go_and_a_new_one_takes_the_next_document():
    parser = Parser(idle=0.01)
    await parser.feed(SMALL, {}, URL)
    child = parser._child
    assert child is not None
    assert await asyncio.wait_for(child.wait(), 10) == 0
    assert (await parser.feed(SMALL, {}, URL)).title == "T"
    await parser.close()


async def test_closing_ends_the_child():
    parser = Parser()
    await parser.close()
    await parser.feed(SMALL, {}, URL)
    child = parser._child
    await parser.close()
    assert child is not None
    assert child.returncode is not None
