"""Telegram from outside, as a person uses it: by typing and by pressing, over the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from bot.allowance import Allowance
from bot.models import SILENCE, Address, Quiet, Schedule
from handlers.menu.registry import commands
from tests.fakes.telegram_server import Said, person
from tests.surface import CHANNEL, FORUM, GROUP, OTHER, PERSON, Surface, open_surface


@pytest.fixture
async def surface(tmp_path: Path) -> AsyncIterator[Surface]:
    async with open_surface(tmp_path) as surface:
        yield surface
    assert surface.fake.rejected == []


DAYS = [f"{day} Nov 2026" for day in (22, 21, 20, 19)]


def labels(said: Said | None) -> list[str]:
    assert said is not None
    return list(said.buttons)


# --- the welcome -------------------------------------------------------------


async def test_the_welcome_has_the_board_three_stories_four_buttons_and_five_capitals(surface: Surface):
    said = await surface.say(PERSON, "/start", language="ru-RU")
    assert said is not None
    assert "KZT" in said.text and "TMT" in said.text
    assert [entity["type"] for entity in said.entities].count("text_link") == 3
    assert "Язык: Русский" in said.text
    assert "Asia/Almaty" in said.text
    assert list(said.buttons.values())[:4] == ["/subscribe daily 09:00", "/rates", "/latest", "/language"]
    assert len(said.buttons) == 9
    for label in list(said.buttons):
        assert (await surface.press(PERSON, label)) is not None
    assert [one.schedule for one in await surface.subscriptions(PERSON)] == [Schedule("daily", time(9))]


@pytest.mark.parametrize(
    ("payload", "heard", "kept"),
    [
        ("alert_KZT_520", "Alert 1 is set", 1),
        ("rates_KZT", "472.31 KZT", 0),
        ("latest_summit", "News: summit", 0),
        ("subscribe_daily_9", "Daily at 09:00", 0),
        ("unsubscribe_1", "News of Central Asia", 0),
        ("forget", "News of Central Asia", 0),
        ("x" * 64, "News of Central Asia", 0),
    ],
)
async def test_a_link_leads_to_what_it_says_and_ends_nothing(surface: Surface, payload: str, heard: str, kept: int):
    said = await surface.say(PERSON, f"/start {payload}")
    assert said is not None
    assert heard in said.text
    assert len(await surface.store.alerts(Address("telegram", str(PERSON)))) == kept


async def test_a_link_into_a_group_is_an_admins_there(surface: Surface):
    surface.fake.member(GROUP, 1, "creator")
    for user, kept in ((2, 0), (1, 1)):
        await surface.say(GROUP, "/start@YamchiTestBot subscribe_daily_9", user_id=user)
        assert len(await surface.subscriptions(GROUP)) == kept


# --- words without a command -------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("100 usd kzt", "47,231.00 KZT"),
        ("тенге", "472.31 KZT"),
        ("курс доллара", "Official rates"),
        ("summit", "News: summit"),
        ("саммит", "News: саммит"),
        ("KZT > 520", "Alert 1 is set"),
        ("som", "may be the Kyrgyz som"),
        ("raets KZT", "Did you mean /rates"),
    ],
)
async def test_free_text_in_private(surface: Surface, text: str, line: str):
    said = await surface.say(PERSON, text)
    assert said is not None
    assert line in said.text


async def test_free_text_in_a_group_is_nobodys_business(surface: Surface):
    assert await surface.say(GROUP, "100 usd kzt") is None
    assert surface.asked == []


# --- pages -------------------------------------------------------------------


async def test_pages_of_news_turn_in_place(surface: Surface):
    first = await surface.say(PERSON, "/latest summit")
    assert first is not None and "1-6 of 7" in first.text
    second = await surface.press(PERSON, "Next")
    assert second is not None and "7 of 7" in second.text
    assert second.id == first.id
    back = await surface.press(PERSON, "First page")
    assert back is not None and (back.id, back.text) == (first.id, first.text)
    assert len(surface.fake.messages(PERSON)) == 1
    assert len(surface.fake.pressed) == 2


async def test_rates_subscriptions_and_alerts_turn_in_place(surface: Surface):
    for n in range(1, 8):
        await surface.say(PERSON, f"/follow word{n}")
        await surface.say(PERSON, f"/alert KZT > {500 + n}")
    presses = {
        "/rates": "KGS|KGS/USD|30 days|KGS/USD|All rates|EUR|KZT|All rates",
        "/rates KZT 2026-11-23": "22 Nov 2026|Today|All rates",
        "/list": "Next|Open 7|My subscriptions|First page|Open 2|My subscriptions",
        "/alerts": "Next|First page",
    }
    for line, labels in presses.items():
        first = await surface.say(PERSON, line)
        assert first is not None
        shown = {first.text}
        for label in labels.split("|"):
            said = await surface.press(PERSON, label)
            assert said is not None and said.id == first.id, label
            shown.add(said.text)
        assert len(shown) > 1


async def test_a_page_that_is_refused_stays_and_the_refusal_comes_below(surface: Surface):
    for n in range(1, 8):
        await surface.say(PERSON, f"/follow word{n}")
    listed = await surface.say(PERSON, "/list")
    assert listed is not None
    surface.fake._said[PERSON] = [listed]
    await surface.store.unsubscribe(Address("telegram", str(PERSON)), [2])
    refused = await surface.press(PERSON, "Open 2")
    assert refused is not None and "There is no such subscription." in refused.text
    assert surface.fake.messages(PERSON)[0] == listed


async def test_no_day_is_offered_of_which_nothing_is_stored(surface: Surface):
    """From day to day back to the first one there is, by pressing alone."""
    for line in ("/rates KZT 2026-11-23", "/convert 100 usd in kzt"):
        said, days = await surface.say(PERSON, line), []
        while said is not None and (back := [label for label in said.buttons if label.endswith(" Nov 2026")]):
            days += back
            said = await surface.press(PERSON, back[0])
        assert days == DAYS
    assert [request.text for request, answer in surface.asked if answer.error] == []


async def test_half_a_character_that_was_said_is_exported_as_a_question_mark(surface: Surface):
    await surface.say(PERSON, "half \ud83d a character")
    said = await surface.say(PERSON, "/export")
    assert said is not None and said.file is not None
    assert "half ? a character" in said.file[1].decode()


async def test_what_ends_an_alert_comes_below_and_is_undone_by_a_press(surface: Surface):
    await surface.say(PERSON, "/alert KZT > 520")
    listed = await surface.say(PERSON, "/alerts")
    ended = await surface.press(PERSON, "End 1")
    assert listed is not None and ended is not None and ended.id > listed.id
    said = await surface.press(PERSON, "Undo")
    assert said is not None and "Alert 1 is set" in said.text
    assert [one.state for one in await surface.store.alerts(Address("telegram", str(PERSON)))] == ["active"]


async def test_a_page_that_cannot_be_turned_comes_below(surface: Surface):
    first = await surface.say(PERSON, "/latest summit")
    assert first is not None
    surface.fake._said[PERSON] = []
    number = surface.fake.press(PERSON, data="/latest summit before:2")
    await surface.settled(number)
    assert len(surface.fake.messages(PERSON)) == 1
    assert "editMessageText: Bad Request: message to edit not found" in surface.fake.rejected.pop()


async def test_every_setting_is_reached_by_pressing_alone(surface: Surface):
    """From /settings on, in one message: digest, topics, zone, language, quiet hours."""
    first = await surface.say(PERSON, "/settings")
    assert first is not None
    presses = """Digest|Once a week|Friday|18:00|Back|Digest|Every day|07:00|Back|News as it happens|Kazakhstan|Water
        Next|Agriculture|Back|✓ Kazakhstan|Back|Time zone|Tashkent|Europe|Next|London|Back
        Quiet hours|22:00|06:00|Come without a sound|Back|Language|Русский|Назад"""
    for label in presses.replace("\n", "|").split("|"):
        said = await surface.press(PERSON, label.strip())
        assert said is not None and said.id == first.id, label
    assert len(surface.fake.messages(PERSON)) == 1
    held = await surface.subscriptions(PERSON)
    assert [one.schedule for one in held if one.schedule.kind != "instant"] == [
        Schedule("weekly", time(18), 4),
        Schedule("daily", time(7)),
    ]
    assert {one.content.topics or one.content.countries for one in held if one.schedule.kind == "instant"} == {
        ("water",),
        ("agriculture",),
    }
    chosen = await surface.store.chat(Address("telegram", str(PERSON)))
    assert chosen is not None
    assert (chosen.zone, chosen.language) == ("Europe/London", "ru")
    assert chosen.quiet == Quiet(time(22), time(6), hold=False)


async def test_the_time_zone_of_where_one_is(surface: Surface):
    """From the page of zones: a key asks for the place, the zone of the place is said, the key is gone."""
    await surface.say(PERSON, "/subscribe daily 09:00")
    page = await surface.say(PERSON, "/settings zone")
    asked = await surface.press(PERSON, "Where I am")
    assert page is not None and asked is not None and asked.id > page.id
    assert asked.markup["one_time_keyboard"]
    said = await surface.share(PERSON, 40.51, 72.80)
    assert said is not None
    assert "Time zone set: Asia/Bishkek" in said.text and "Next digest: Tue 24 Nov, 09:00" in said.text
    assert said.markup == {"remove_keyboard": True}
    chosen = await surface.store.chat(Address("telegram", str(PERSON)))
    assert chosen is not None and chosen.zone == "Asia/Bishkek"


async def test_a_place_shared_in_a_group_or_for_a_channel_sets_nothing(surface: Surface):
    surface.fake.member(GROUP, 1, "creator")
    surface.fake.member(CHANNEL, PERSON, "creator")
    said = await surface.say(GROUP, "/settings zone", user_id=1)
    assert "Where I am" not in labels(said)
    assert await surface.share(GROUP, 40.51, 72.80, user_id=1) is not None
    assert len(surface.asked) == 1
    said = await surface.say(GROUP, "/timezone here", user_id=1)
    assert said is not None and "I cannot see here where you are." in said.text
    assert "Where I am" not in labels(await surface.say(PERSON, "/settings @prices_kz zone"))
    assert surface.rows("SELECT * FROM chats") == []


async def test_every_zone_of_every_country_is_on_some_page(surface: Surface):
    await surface.say(PERSON, "/settings zone")
    offered: set[str] = set()
    for part in ("Asia", "Europe", "Africa", "America", "Australia", "Pacific", "Atlantic", "Indian"):
        said = await surface.say(PERSON, f"/settings zone {part}")
        while True:
            assert said is not None
            offered |= {data.removeprefix("/settings zone ") for data in said.buttons.values()}
            if "Next" not in said.buttons:
                break
            said = await surface.press(PERSON, "Next")
    assert {"Asia/Almaty", "Europe/Paris", "America/Argentina/Buenos_Aires", "Pacific/Apia"} <= offered
    assert len(offered) > 400


# --- inline ------------------------------------------------------------------


async def test_inline_a_rate_a_sum_and_news(surface: Surface):
    (rate,) = await surface.type_inline(PERSON, "KZT")
    assert "472.31 KZT" in rate["shown"]
    (sum_,) = await surface.type_inline(PERSON, "100 usd kzt")
    assert "47,231.00 KZT" in sum_["title"]
    news = await surface.type_inline(PERSON, "summit")
    assert [one["title"] for one in news] == [f"A summit, part {n}" for n in range(7, 1, -1)]
    assert all(one["entities"][0]["type"] == "text_link" for one in news)
    assert len(await surface.type_inline(PERSON, "")) == 7
    assert await surface.type_inline(PERSON, "no such word at all") == []


@pytest.mark.parametrize("line", ["/subscribe daily 09:00", "subscribe daily 09:00", "/start alert_KZT_520", "KZT > 9",
                                  "/sources remove x", "/settings quiet off", "/forget_me"])  # fmt: skip
async def test_inline_changes_nothing(surface: Surface, line: str):
    before = surface.rows("SELECT count(*) FROM subscriptions UNION ALL SELECT count(*) FROM alerts")
    await surface.type_inline(PERSON, line)
    assert surface.rows("SELECT count(*) FROM subscriptions UNION ALL SELECT count(*) FROM alerts") == before
    assert surface.rows("SELECT count(*) FROM chats") == [(0,)]


async def test_whoever_is_passed_over_gets_nothing_in_any_place(surface: Surface):
    """In the chat, under a button that turns a page, about a channel, and inline."""
    surface.fake.member(CHANNEL, PERSON, "creator")
    await surface.say(PERSON, "/latest summit")
    allowance = Allowance(surface.clock)
    for aside in ("", "inline"):
        while allowance.judge(f"telegram:{PERSON} {aside}") != "notice":
            pass
    surface.desk = replace(surface.desk, allowance=allowance)
    before = [(said.id, said.text) for said in surface.fake.messages(PERSON)]
    await surface.press(PERSON, "Next")
    await surface.say(PERSON, "/rates")
    await surface.say(PERSON, "/list @prices_kz")
    surface.fake.push({"inline_query": {"id": "1", "from": person(PERSON, "en"), "query": "KZT", "offset": ""}})
    await surface.type_inline(OTHER, "KZT")
    async with asyncio.timeout(20):
        while len(surface.asked) < 6:
            await asyncio.sleep(0.02)
    assert [answer is SILENCE for _, answer in surface.asked].count(True) == 4
    assert [(said.id, said.text) for said in surface.fake.messages(PERSON)] == before
    assert len(surface.fake.offered) == 1
    assert surface.fake.rejected == []


# --- channels and topics -----------------------------------------------------


async def test_a_channel_is_steered_from_a_private_chat(surface: Surface):
    surface.fake.member(CHANNEL, PERSON, "creator")
    said = await surface.say(PERSON, "/subscribe @prices_kz daily 09:00")
    assert said is not None and said.text.startswith("For @prices_kz:")
    (held,) = await surface.subscriptions(CHANNEL)
    assert held.schedule == Schedule("daily", time(9))
    assert await surface.subscriptions(PERSON) == []
    said = await surface.press(PERSON, "Undo")
    assert said is not None and "Subscription ended" in said.text
    assert await surface.subscriptions(CHANNEL) == []
    await surface.press(PERSON, "Undo")
    assert len(await surface.subscriptions(CHANNEL)) == 1
    said = await surface.say(PERSON, "/settings @prices_kz")
    assert said is not None
    await surface.press(PERSON, "Language")
    await surface.press(PERSON, "Русский")
    chosen = await surface.store.chat(Address("telegram", str(CHANNEL)))
    assert chosen is not None and chosen.language == "ru"
    assert surface.fake.messages(CHANNEL) == []


async def test_only_its_admins_steer_a_channel_and_only_where_we_may_post(surface: Surface):
    said = await surface.say(OTHER, "/subscribe @prices_kz daily 09:00")
    assert said is not None and "Only an admin of @prices_kz" in said.text
    surface.fake.open(-1008, "channel", username="closed_one")
    surface.fake.member(-1008, OTHER, "creator")
    for channel in ("@closed_one", "@nobody_knows"):
        said = await surface.say(OTHER, f"/subscribe {channel} daily 09:00")
        assert said is not None and f"I cannot write in {channel}." in said.text
    said = await surface.say(OTHER, "/latest @prices_kz")
    assert said is not None and "News: @prices_kz" in said.text
    assert surface.rows("SELECT * FROM subscriptions") == []
    surface.fake.rejected.clear()


async def test_a_topic_has_subscriptions_of_its_own_and_the_general_one_no_number(surface: Surface):
    surface.fake.member(FORUM, 1, "creator")
    await surface.say(FORUM, "/subscribe daily 09:00", user_id=1, thread=5)
    await surface.say(FORUM, "/subscribe weekly mon 10:00", user_id=1)
    assert len(await surface.store.subscriptions(Address("telegram", str(FORUM), "5"))) == 1
    assert len(await surface.subscriptions(FORUM)) == 1
    said = await surface.say(FORUM, "/status", user_id=2, thread=5)
    assert said is not None and "Chat: -1006" in said.text and "Topic: 5" in said.text
    assert said.thread == 5
    said = await surface.say(FORUM, "/status", user_id=2)
    assert said is not None and "Topic" not in said.text and said.thread is None


# --- every command -----------------------------------------------------------


@pytest.mark.parametrize("name", commands())
async def test_every_command_and_every_example_is_answered(surface: Surface, name: str):
    await surface.say(PERSON, "/subscribe daily 09:00")
    await surface.say(PERSON, "/alert KZT > 520")
    for line in (f"/{name}", *commands()[name].examples):
        before = len(surface.asked)
        said = await surface.say(PERSON, line)
        assert said is not None
        assert len(surface.asked) == before + 1
        assert "Sorry, that did not work" not in said.text
