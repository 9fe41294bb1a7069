"""Who may do what in Telegram, and how soon a change of rights tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.telegram_server import BOT
from tests.surface import CHANNEL, FORUM, GROUP, OTHER, PERSON, Surface, open_surface

ORDER = "/subscribe daily 09:00"


@pytest.fixture
async def surface(tmp_path: Path) -> AsyncIterator[Surface]:
    async with open_surface(tmp_path) as surface:
        yield surface
    assert surface.fake.rejected == []


@pytest.mark.parametrize(
    ("status", "may"),
    [("creator", True), ("administrator", True), ("member", False), ("restricted", False), ("left", False)],
)
async def test_in_a_group_its_admins_change_and_everybody_reads(surface: Surface, status: str, may: bool):
    surface.fake.member(GROUP, 1, status)
    said = await surface.say(GROUP, "/rates KZT", user_id=1)
    assert said is not None and "472.31" in said.text
    said = await surface.say(GROUP, ORDER, user_id=1)
    assert said is not None
    assert ("Only an admin of this chat" in said.text) is not may
    assert len(await surface.subscriptions(GROUP)) == may
    await surface.press(GROUP, data="/unsubscribe 1", user_id=2)
    assert len(await surface.subscriptions(GROUP)) == may


async def test_an_anonymous_admin_changes_and_a_linked_channel_does_not(surface: Surface):
    await surface.say(GROUP, ORDER, anonymous=True)
    assert len(await surface.subscriptions(GROUP)) == 1
    message = surface.fake._message(GROUP, "/unsubscribe 1", None) | {
        "from": {"id": 136817688, "is_bot": True, "first_name": "Channel"},
        "sender_chat": {"id": CHANNEL, "type": "channel", "title": "Prices"},
    }
    await surface.settled(surface.fake.push({"message": message}))
    assert len(await surface.subscriptions(GROUP)) == 1


async def test_a_demoted_admin_has_no_rights_a_minute_later_and_a_promoted_one_has(surface: Surface):
    surface.fake.member(GROUP, 1, "administrator")
    await surface.say(GROUP, ORDER, user_id=1)
    await surface.say(GROUP, ORDER, user_id=2)
    surface.fake.member(GROUP, 1, "member")
    surface.fake.member(GROUP, 2, "administrator")
    surface.clock.on(seconds=59)
    await surface.say(GROUP, "/subscribe weekly mon 10:00", user_id=1)
    assert len(await surface.subscriptions(GROUP)) == 2
    surface.clock.on(seconds=1)
    await surface.say(GROUP, "/unsubscribe 1", user_id=1)
    assert len(await surface.subscriptions(GROUP)) == 2
    await surface.say(GROUP, "/unsubscribe 1", user_id=2)
    assert len(await surface.subscriptions(GROUP)) == 1


async def test_a_demoted_admin_of_a_channel_steers_it_no_more(surface: Surface):
    surface.fake.member(CHANNEL, PERSON, "administrator")
    await surface.say(PERSON, "/subscribe @prices_kz daily 09:00")
    surface.fake.member(CHANNEL, PERSON, "member")
    surface.clock.on(seconds=60)
    for line in ("/unsubscribe @prices_kz 1", "/list @prices_kz", "/settings @prices_kz quiet off"):
        said = await surface.say(PERSON, line)
        assert said is not None and "Only an admin of @prices_kz" in said.text
    assert len(await surface.subscriptions(CHANNEL)) == 1


async def test_a_channel_we_may_no_longer_post_in_takes_no_orders(surface: Surface):
    surface.fake.member(CHANNEL, PERSON, "creator")
    surface.fake.member(CHANNEL, BOT["id"], "member")
    said = await surface.say(PERSON, "/subscribe @prices_kz daily 09:00")
    assert said is not None and "Make me an admin there" in said.text
    assert await surface.subscriptions(CHANNEL) == []


async def test_a_channel_post_orders_nothing(surface: Surface):
    for text in (ORDER, "/rates", "/start"):
        await surface.settled(surface.fake.post(CHANNEL, text))
    assert surface.asked == []
    assert surface.fake.messages(CHANNEL) == []


async def test_nobody_presses_in_somebody_elses_chat(surface: Surface):
    """Neither what a button there says, nor what is kept under it, nor with the borrowed button in their own."""
    await surface.say(PERSON, ORDER)
    offered = await surface.say(PERSON, "/subscribe preview weekly mon 10:00 " + " ".join(f"word{n}" for n in range(9)))
    assert offered is not None
    (token,) = offered.buttons.values()
    assert token.startswith("t:")
    for chat, data in ((PERSON, token), (PERSON, "/unsubscribe 1"), (PERSON, "/settings quiet off"), (OTHER, token)):
        await surface.press(chat, data=data, user_id=OTHER)
        assert "no longer works" in surface.fake.pressed[-1]["text"]
    assert [one.schedule.kind for one in await surface.subscriptions(PERSON)] == ["daily"]
    assert await surface.subscriptions(OTHER) == []
    await surface.press(PERSON, "Subscribe")
    assert [one.schedule.kind for one in await surface.subscriptions(PERSON)] == ["daily", "weekly"]


async def test_a_borrowed_button_of_a_groups_admin_gives_nobody_rights(surface: Surface):
    surface.fake.member(GROUP, 1, "creator")
    offered = await surface.say(
        GROUP, "/subscribe preview weekly mon 10:00 " + " ".join(f"word{n}" for n in range(9)), user_id=1
    )
    assert offered is not None
    for user, kept in ((2, 0), (1, 1)):
        await surface.press(GROUP, "Subscribe", user_id=user)
        assert len(await surface.subscriptions(GROUP)) == kept


async def test_a_button_in_a_topic_is_the_pressers_and_the_topics(surface: Surface):
    surface.fake.member(FORUM, 1, "creator")
    await surface.say(FORUM, ORDER, user_id=1, thread=5)
    assert len(surface.rows("SELECT * FROM subscriptions WHERE thread = '5'")) == 1
    await surface.press(FORUM, "Undo", user_id=2)
    assert len(surface.rows("SELECT * FROM subscriptions WHERE thread = '5'")) == 1
    await surface.press(FORUM, "Undo", user_id=1)
    assert surface.rows("SELECT * FROM subscriptions") == []


async def test_an_operator_is_an_admin_everywhere(surface: Surface):
    await surface.say(GROUP, ORDER, user_id=900)
    assert len(await surface.subscriptions(GROUP)) == 1
