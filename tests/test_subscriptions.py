"""Subscriptions as people set, silence, look at and end them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from bot.message import Link, Table
from bot.models import Address, PollState, Quiet
from tests.kinds import NOW, article
from tests.test_menu import HERE, Office, commands_of, fill, office, said

__all__ = ["office"]
DAY = timedelta(days=1)


async def late_news(office: Office, title: str = "A late summit") -> None:
    new = [(article(1, id=0, title=title, published=office.clock.now), [title])]
    await office.store.keep_news(PollState("timesca"), new, {}, [], office.clock.now)


# --- set ---------------------------------------------------------------------


async def test_the_first_subscription_answers_with_the_digest_at_once_and_later_ones_in_short(office):
    await fill(office)
    first = await office.say("/subscribe daily 09:00 news")
    assert len([block for block in first.message.blocks if isinstance(block, Link)]) == 7
    second = await office.say("/subscribe weekly mon 09:00 summit")
    assert "The last 24 hours had 7 articles for it:" in said(second)
    assert len([block for block in second.message.blocks if isinstance(block, Link)]) == 3
    assert "nothing of it was new" in said(await office.say("/subscribe instant unicorn"))
    rates = await office.say("/subscribe daily 18:00 rates")
    assert [type(block) for block in rates.message.blocks].count(Table) == 1


async def test_a_preview_sets_nothing_and_its_button_does(office):
    await fill(office)
    answer = await office.say('/subscribe preview daily 18:00 "summit, part" -unicorn')
    assert "Nothing is set yet" in said(answer)
    assert "Next digest: Mon 23 Nov, 18:00" in said(answer)
    assert (await office.held(), await office.store.chat(HERE)) == ([], None)
    await office.say(commands_of(answer)[0])
    [held] = await office.held()
    assert (held.content.words, held.content.excluded) == (("summit, part",), ("unicorn",))


async def test_undo_ends_what_is_new_and_brings_back_what_was_changed(office):
    added = await office.say("/subscribe daily 09:00")
    changed = await office.say("/subscribe daily 18:00 empty:no")
    assert commands_of(changed)[0] == "/subscribe daily 09:00"
    await office.say(commands_of(changed)[0])
    [held] = await office.held()
    assert (held.schedule.at, held.content.empty) == (time(9), True)
    await office.say(commands_of(added)[0])
    assert await office.held() == []


async def test_undo_of_an_end_subscribes_again(office):
    await office.say("/subscribe daily 09:00 gas country:kz -sport")
    [before] = await office.held()
    ended = await office.say("/unsubscribe 1")
    await office.say(commands_of(ended)[0])
    [after] = await office.held()
    assert (after.schedule, after.content) == (before.schedule, before.content)


async def test_a_button_means_its_subscription_whatever_its_number_has_become(office):
    for word in ("one", "two", "three"):
        await office.say(f"/subscribe daily {word}")
    listed = await office.say("/list")
    end_third = commands_of(listed)[7]
    await office.say("/unsubscribe 1")
    await office.say(end_third)
    assert [one.content.words for one in await office.held()] == [("two",)]
    assert (await office.say(end_third)).error


async def test_more_than_a_few_are_opened_one_by_one(office):
    for n in range(4):
        await office.say(f"/subscribe daily 09:00 word{n}")
    listed = await office.say("/list")
    assert commands_of(listed) == [f"/list after:0 id:{n}" for n in range(1, 5)]
    opened = await office.say("/list after:0 id:2")
    assert [row["number"] for row in opened.data] == [2]
    assert commands_of(opened)[-1] == "/list after:0"
    at_noon = next(command for command in commands_of(opened) if "12:00" in command)
    await office.say(at_noon)
    assert [one.schedule.at.hour for one in await office.held()] == [9, 12, 9, 9]


async def test_a_long_list_is_turned_page_by_page_and_stays_where_it_is_when_others_end(office):
    for n in range(1, 10):
        await office.say(f"/subscribe daily 09:00 word{n}")
    listed = await office.say("/list")
    assert said(listed).splitlines()[:2] == ["Subscriptions", "1-6 of 9"]
    assert commands_of(listed)[-1] == "/list after:6"
    await office.say("/unsubscribe 1")
    second = await office.say(commands_of(listed)[-1])
    assert "6-8 of 8" in said(second) and "6. Daily at 09:00: news of word7" in said(second)
    assert commands_of(second) == ["/list after:6 id:7", "/list after:6 id:8", "/list after:6 id:9", "/list after:0"]
    assert commands_of(await office.say("/list after:6 id:8"))[-1] == "/list after:6"
    for number in ("7", "8", "9"):
        await office.say(f"/unsubscribe id:{number}")
    assert "1. Daily" in said(await office.say("/list after:6"))


async def test_the_days_preview_of_one_subscription_moves_nothing(office):
    await fill(office)
    await office.say("/subscribe daily 09:00 unicorn")
    await office.say("/subscribe instant summit")
    before = await office.held()
    assert "A summit" not in said(await office.say("/digest 1"))
    assert "A summit, part 7" in said(await office.say("/digest 2"))
    assert await office.held() == before


async def test_follow_is_an_instant_subscription_and_knows_countries_and_topics(office):
    for what in ("Kazakhstan", "вода", "казахстан -спорт", '"middle corridor"', "summit"):
        await office.say(f"/follow {what}")
    held = await office.held()
    assert {one.schedule.kind for one in held} == {"instant"}
    assert [(one.content.countries, one.content.words) for one in held] == [
        (("KZ",), ()),
        ((), ()),
        ((), ("казахстан",)),
        ((), ("middle corridor",)),
        ((), ("summit",)),
    ]
    assert held[1].content.topics == ("water",)
    assert "/follow country:kz" in commands_of(await office.say("/follow"))


async def test_a_source_that_is_none_is_refused(office):
    assert "timesca" in (await office.say("/subscribe daily source:bbc")).error["hint"]
    assert await office.held() == []


# --- silence -----------------------------------------------------------------


async def test_a_pause_without_an_end_has_no_next_digest(office):
    await office.say("/subscribe daily 09:00")
    answer = await office.say("/pause")
    [held] = await office.held()
    assert (held.next_due, held.paused_at, held.paused_until) == (None, NOW, None)
    assert commands_of(answer) == ["/resume id:1"]
    assert "Paused until you resume it" in said(await office.say("/list"))


async def test_a_pause_with_an_end_begins_after_it_and_holds_what_came_meanwhile(office):
    await office.say("/subscribe daily 09:00")
    await office.say("/subscribe daily 09:00 gas")
    await office.say("/pause 1 5d")
    first, second = await office.held()
    assert first.next_due == datetime(2026, 11, 29, 4, tzinfo=UTC)
    assert (second.paused_at, second.next_due) == (None, datetime(2026, 11, 24, 4, tzinfo=UTC))
    assert first.previous_due is None
    assert "Nothing is paused" not in said(await office.say("/resume 1"))
    assert "Nothing is paused" in said(await office.say("/resume 2"))


async def test_resume_asks_what_to_do_with_what_was_missed(office):
    await fill(office)
    await office.say("/subscribe daily 09:00 news")
    await office.say("/pause")
    office.clock.now += 3 * DAY
    await late_news(office)
    asked = await office.say("/resume")
    assert commands_of(asked) == ["/resume catchup", "/resume skip"]
    assert (await office.held())[0].paused_at
    told = await office.say("/resume catchup")
    assert "A late summit" in said(told)
    assert "A summit, part" not in said(told)
    [held] = await office.held()
    assert (held.paused_at, held.previous_due) == (None, office.clock.now)
    assert held.next_due == datetime(2026, 11, 27, 4, tzinfo=UTC)


async def test_what_was_missed_can_be_skipped(office):
    await office.say("/subscribe daily 09:00 news")
    await office.say("/pause 1")
    office.clock.now += 2 * DAY
    await late_news(office)
    assert "A late summit" not in said(await office.say("/resume 1 skip"))
    [held] = await office.held()
    assert held.previous_due == office.clock.now


async def test_a_short_pause_that_missed_nothing_just_ends(office):
    await office.say("/subscribe daily 09:00")
    await office.say("/pause 3h")
    assert "Resumed" in said(await office.say("/resume"))
    [held] = await office.held()
    assert (held.paused_at, held.previous_due, held.next_due) == (None, None, datetime(2026, 11, 24, 4, tzinfo=UTC))


async def test_a_new_zone_moves_the_digests_of_all_topics_and_wakes_none(office):
    topic = Address("telegram", "42", "9")
    await office.say("/subscribe daily 09:00")
    await office.say("/subscribe daily 09:00", address=topic)
    await office.say("/pause")
    await office.say("/timezone London")
    assert (await office.held())[0].next_due is None
    assert (await office.store.subscriptions(topic))[0].next_due == datetime(2026, 11, 23, 9, tzinfo=UTC)


async def test_quiet_hours_are_kept_for_the_chat_and_shown(office):
    assert commands_of(await office.say("/quiet"))[0].startswith("/quiet 22:00-07:00")
    await office.say("/quiet 22:00-07:00")
    assert (await office.store.chat(HERE)).quiet == Quiet(time(22), time(7))
    await office.say("/language ru")
    assert (await office.store.chat(HERE)).quiet == Quiet(time(22), time(7))
    await office.say("/quiet 23:00-06:30 silent")
    await office.say("/language en")
    answer = await office.say("/settings")
    assert "Quiet hours: 23:00-06:30, without a sound" in said(answer)
    assert answer.data["quiet"] == {"from": "23:00", "until": "06:30", "hold": False}
    await office.say("/quiet off")
    assert (await office.store.chat(HERE)).quiet is None


async def test_settings_tell_what_is_paused(office):
    await office.say("/subscribe daily 09:00")
    await office.say("/subscribe instant gas")
    await office.say("/pause 2 until 2026-12-01")
    answer = await office.say("/settings")
    assert "2 subscriptions: /list" in said(answer)
    assert "Paused until 1 Dec, 00:00: As it happens: news of gas" in said(answer)
    assert (answer.data["subscriptions"], answer.data["paused"]) == (2, 1)


async def test_only_an_admin_silences_a_group(office):
    await office.say("/subscribe daily 09:00")
    before = await office.held()
    for text in ("/pause", "/resume skip", "/quiet off", "/follow gas"):
        assert (await office.say(text, is_admin=False, private=False)).error
    assert await office.held() == before
