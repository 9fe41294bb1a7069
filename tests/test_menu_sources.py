"""/sources: feeds that a chat adds for itself, over real HTTP, and who sees them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.models import Address, Answer, Feed, Request
from bot.sources.discovery import outlines, write_opml
from handlers import menu
from handlers.menu.sources import MOST_A_DAY, MOST_FEEDS
from tests.fakes.faults import html_page, status
from tests.test_feed_polls import HOUR, READER, START, Newsroom, newsroom, row

OTHER = Address("telegram", "8")
PAGE = '<html><head><link rel="alternate" type="application/rss+xml" href="/feeds/lake"></head><body>News</body></html>'


async def say(room: Newsroom, text: str, address: Address = READER, **more: object) -> Answer:
    desk = replace(room.core.desk, refresh=None)
    return await menu.answer(desk, Request(address, text, **{"user": "1", "is_admin": True} | more))


def told(answer: Answer) -> str:
    return "\n".join(block.text for block in answer.message.blocks)


@pytest.fixture
async def room(tmp_path: Path):
    """One outlet of the catalogue; "lake" is nobody's yet."""
    async with newsroom(tmp_path) as room:
        steppe = room.outlet()
        room.outlet("lake", entries=4)
        async with room.opened(row(steppe)):
            yield room


def lake(room: Newsroom) -> str:
    return room.feeds.feeds["lake"].url


async def test_a_feed_is_added_polled_and_pushed_to_this_chat_alone(room: Newsroom):
    await room.poll()
    answer = await say(room, f"/sources add {lake(room)}")
    assert told(answer) == "Lake\nAdded. Only this chat sees it. It has 4 articles now.\nNewest: lake story 3"
    await room.poll()
    room.feeds.feeds["lake"].publish("The lake rises", "By a metre.", "", room.now)
    await room.poll(2 * HOUR)
    assert room.heard[3:] == ["lake story 1", "lake story 2", "lake story 3", "The lake rises"]
    mine, theirs = await say(room, "/latest rises"), await say(room, "/latest rises", OTHER)
    assert [one["title"] for one in mine.data["articles"]] == ["The lake rises"]
    assert theirs.data["total"] == 0
    assert "The lake rises" in told(await say(room, "/digest"))
    assert "lake" not in told(await say(room, "/digest", OTHER))
    assert "Added by this chat" in told(await say(room, "/sources"))
    assert "Lake" not in told(await say(room, "/sources", OTHER))


async def test_its_buttons_show_and_remove_it(room: Newsroom):
    show, remove = (await say(room, f"/sources add {lake(room)}")).message.buttons
    await room.poll()
    assert (await say(room, show.command)).data["total"] == 4
    assert "no source called" in (await say(room, show.command, OTHER)).error["message"]
    asked = await say(room, remove.command)
    assert told(asked) == "Remove Lake? Its articles are forgotten unless another chat reads it."
    yes, keep = asked.message.buttons
    assert keep.command == "/sources"
    assert told(await say(room, yes.command)) == "Lake is removed from this chat's sources."
    assert (await say(room, "/latest lake")).data["total"] == 0
    assert (await room.core.store.poll_states()).keys() == {"steppe"}
    assert (await say(room, remove.command)).error


async def test_a_feed_of_two_chats_stays_until_both_have_removed_it(room: Newsroom):
    remove = (await say(room, f"/sources add {lake(room)}")).message.buttons[1].command + " yes"
    await say(room, f"/sources add {lake(room)}?utm_source=x", OTHER)
    assert len(await room.core.store.added_feeds()) == 1
    await say(room, remove)
    assert len(await room.core.store.added_feeds()) == 1
    await say(room, remove, OTHER)
    assert await room.core.store.added_feeds() == []


async def test_a_page_leads_to_its_feed(room: Newsroom):
    room.feeds.web.fault("/about", status(200, PAGE))
    assert told(await say(room, f"/sources add {room.feeds.web.url}/about")).startswith("Lake\nAdded.")


async def test_what_is_no_feed_is_told_with_what_to_send(room: Newsroom):
    room.feeds.web.fault("/", html_page())
    answer = await say(room, f"/sources add {room.feeds.web.url}/about")
    assert answer.error["message"].endswith("an HTML page instead of a feed, and no feed behind it.")
    assert answer.error["hint"] == "Send the address of a feed (RSS, Atom), or of a page that has one."
    for address in ("127.0.0.1:9", "http://[::1]/", "file:///etc/passwd", "http://2130706433/"):
        refused = await say(room, f"/sources add {address}")
        assert refused.error and not await room.core.store.added_feeds()


async def test_a_source_that_is_there_already_is_told(room: Newsroom):
    steppe = room.feeds.feeds["steppe"].url
    assert "Steppe is among the sources already." in told(await say(room, f"/sources add {steppe}?utm_source=x"))
    await say(room, f"/sources add {lake(room)}")
    assert "Lake is among the sources already." in told(await say(room, f"/sources add {lake(room)}"))


async def test_anybody_reads_and_only_an_admin_changes(room: Newsroom):
    refused = await say(room, f"/sources add {lake(room)}", is_admin=False)
    assert refused.error["message"] == "Only an admin of this chat can change its settings."
    assert not (await say(room, "/sources", is_admin=False)).error


async def test_there_is_a_limit_for_a_chat_and_for_a_person(room: Newsroom):
    for n in range(MOST_FEEDS):
        outlet = room.outlet(f"outlet{n}", entries=1)
        answer = await say(room, f"/sources add {outlet.url}", user=str(n // 5))
        assert not answer.error, answer.error
    assert "20 sources, and that is the most" in (await say(room, f"/sources add {lake(room)}")).error["message"]
    for n in range(MOST_A_DAY - 5):
        await say(room, f"/sources add {room.feeds.feeds[f'outlet{n}'].url}", OTHER, user="0")
    assert (
        f"added {MOST_A_DAY} sources today"
        in (await say(room, f"/sources add {lake(room)}", OTHER, user="0")).error["message"]
    )


async def test_a_list_adds_no_more_than_a_day_has(room: Newsroom):
    feeds = [Feed(f"f{n}", f"F{n}", f"https://f{n}.example/feed", "en") for n in range(12)]
    room.feeds.web.fault("/list.opml", status(200, write_opml(feeds, "List", START), content_type="text/x-opml"))
    await say(room, f"/sources add {lake(room)}")
    answer = told(await say(room, f"/sources add {room.feeds.web.url}/list.opml"))
    assert answer.startswith("Added 9 sources. Only this chat sees them.")
    assert answer.endswith("3 more would be too many.")


async def test_sources_go_out_as_opml_and_come_in_again(room: Newsroom):
    await say(room, f"/sources add {lake(room)}")
    (file,) = (await say(room, "/export sources")).message.blocks
    assert [outline.title for outline in outlines(file.content.encode())] == ["Steppe", "Lake"]
    room.feeds.web.fault("/", status(200, file.content, content_type="text/x-opml"))
    answer = await say(room, f"/sources add {room.feeds.web.url}/list.opml", OTHER)
    assert told(answer) == "Lake\nAdded. Only this chat sees it. It has 0 articles now."


async def test_a_strangers_feed_takes_no_article_from_the_others(room: Newsroom):
    """It names the outlet's own articles under other words; the outlet's stay as they were, and go to all."""
    await room.core.store.subscribe(replace((await room.core.store.subscriptions(READER))[0], id=0, address=OTHER))
    own = room.feeds.feeds["steppe"].publish("The true title", "As it was.", "", START)
    room.feeds.feeds["lake"].publish("A false title", "As it was not.", "", START, guid=own.guid, link=own.link)
    await say(room, f"/sources add {lake(room)}")
    await room.core.tracker.refreshed(["news"], 5)
    await room.poll()
    found = await say(room, "/latest title", OTHER)
    assert [one["title"] for one in found.data["articles"]] == ["The true title"]
    assert room.heard.count("The true title") + room.heard.count("A false title") == 2  # once for each chat


async def test_what_ails_a_source_is_told(room: Newsroom):
    room.feeds.feeds["steppe"].publish("", "Nobody knows what about.", "", START)
    await room.poll()
    assert "Answering, but not well\nSteppe: 1 entry without a title or a web link" in told(await say(room, "/sources"))
    room.feeds.web.fault(room.feeds.feeds["steppe"].path, status(410))
    for _ in range(40):
        await room.poll(HOUR)
    assert "Steppe: HTTP 410; gone for good, asked no more; last answer" in told(await say(room, "/sources"))
