"""`yamchi probe`: what a source really answers, over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.models import Catalogue, Feed, RateRoad
from bot.probe import Probe, chosen
from tests.fakes.faults import html_page, status
from tests.process import run
from tests.test_feed_polls import START, Newsroom, newsroom, row
from tests.world import open_world

LAKE = Feed("lake", "Lake", "https://lake.example/feed/", "en", added=True)
CATALOGUE = Catalogue((Feed("steppe", "Steppe", "https://steppe.example/feed/", "en"),), (RateRoad("nbk", "nbk", ""),))


async def probed(room: Newsroom, feed: Feed) -> str:
    core = room.core
    probe = Probe(core.store, core.fetcher, core.parser, room.clock, 3600)
    return "\n".join([str(answered) async for answered in probe.run([feed])])


async def test_a_feed_tells_what_it_holds_and_how_often_it_will_be_asked(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        outlet = room.outlet()
        async with room.opened(row(outlet)):
            told = await probed(room, row(outlet))
            assert await room.core.store.poll_states() == {}
            await room.poll()
            again = await probed(room, row(outlet))
    lines = told.splitlines()
    assert lines[:2] == ["steppe: ok", f"  {outlet.url}"]
    assert lines[2].startswith("  a feed: Steppe, 5 entries, ")
    assert lines[3] == "  newest 1 hour ago, spanning 4.0 hours"
    assert lines[4].startswith("  asked again after ") and lines[5] == "  never polled"
    assert again.splitlines()[-1] == "  last read 1 second ago"


async def test_what_is_wrong_is_said(tmp_path: Path):
    async with newsroom(tmp_path) as room:
        outlet = room.outlet(entries=0)
        async with room.opened(row(outlet)):
            assert "no dates" in await probed(room, row(outlet))
            outlet.publish("Long ago", "In short.", "", START - timedelta(days=99))
            assert "stale" in await probed(room, row(outlet))
            for fault, text in (
                (html_page(), "an HTML page instead of a feed\n"),
                (status(403), "HTTP 403, it keeps us out"),
                (status(500), "HTTP 500"),
            ):
                room.feeds.web.fault(outlet.path, fault)
                told = await probed(room, row(outlet))
                assert told.splitlines()[0] == "steppe: NOT WELL" and f"  {text}" in told


def test_one_is_chosen_by_its_name_or_any_by_its_address():
    assert [source.id for source in chosen(CATALOGUE, [LAKE], "")] == ["steppe", "lake", "nbk"]
    assert chosen(CATALOGUE, [LAKE], "lake") == [LAKE]
    (any_feed,) = chosen(CATALOGUE, [], "https://sea.example/rss")
    assert any_feed.url == "https://sea.example/rss"
    assert chosen(CATALOGUE, [], "sea.example/rss")[0].url == any_feed.url
    with pytest.raises(SettingsError, match="did you mean steppe"):
        chosen(CATALOGUE, [], "step")


def test_the_command_says_ok_or_not_with_its_exit_code(tmp_path: Path):
    with open_world(tmp_path) as world:
        outlet = world.outlet()
        world.publish(outlet, "A summit", "A road")
        well = run(tmp_path, "probe", "timesca", env=world.env)
        bank = run(tmp_path, "probe", "nbk", env=world.env)
        world.web.fault(outlet.path, status(500))
        ill = run(tmp_path, "probe", "timesca", env=world.env)
        unknown = run(tmp_path, "probe", "timesac", env=world.env)
    assert (well.returncode, bank.returncode, ill.returncode, unknown.returncode) == (0, 0, 1, 2), well.stderr
    assert "2 entries" in well.stdout
    assert "a table of 2026-11-23: 2 rates" in bank.stdout
    assert "did you mean timesca?" in unknown.stderr
