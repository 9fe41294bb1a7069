"""What people see of us in Slack: buttons of an answer, the channel's line, App Home, the form, mentions, threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest

from bot.catalogue import read_catalogue
from bot.message import Button, Message, Paragraph
from bot.models import SILENCE, Address, Answer, Request
from bot.orders import order, order_text
from handlers import menu
from handlers.menu.desk import Desk
from storage.sqlite import SqliteStore
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_views import screen_of
from tests.slack_chat import NOW, ROADS, Menu, as_person, clock, speaking

HERE = Address("slack", "T1/C1")
ALIYA = {"tz": "Asia/Bishkek", "locale": "en-US", "profile": {"display_name": "Aliya <!channel>"}}

roads = pytest.mark.parametrize("road", ROADS)


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        fake.people["U1"] = ALIYA
        yield fake


@pytest.fixture
def ask(store: SqliteStore) -> Callable[[Request], object]:
    """The real menu, on a store that holds nothing yet."""

    async def find_feed(address: str) -> object:
        raise AssertionError(address)

    desk = Desk(
        store=store,
        clock=clock,
        catalogue=read_catalogue(None),
        zone="Asia/Almaty",
        language="en",
        catch_up=timedelta(hours=6),
        version="1",
        find_feed=find_feed,  # type: ignore[arg-type]
    )
    return partial(menu.answer, desk)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


# --- buttons of an answer --------------------------------------------------------------------------


@roads
async def test_an_answer_can_be_shown_to_the_channel(fake: FakeSlack, store: SqliteStore, road: str) -> None:
    menu = Menu(Message((Paragraph("1-6 of 7"),), (Button("Next", "/latest summit before:41"),)))
    async with speaking(fake, store, menu, road):
        first = await as_person(fake.command, "/latest", "summit")
        shared = await as_person(fake.press, first.seen, "Share to channel")
    assert list(first.seen.buttons) == ["Share to channel", "Subscribe this channel", "Next"]
    assert first.seen.user == "U1"
    assert shared.seen.user == ""
    assert shared.seen.raw["replace_original"] is False
    assert "Shared by Aliya <!channel>" in shared.text
    assert list(shared.seen.buttons) == ["Next"]
    assert [asked.text for asked in menu.asked] == ["/latest summit", "/latest summit"]
    assert fake.mentions == []


@pytest.mark.parametrize(
    ("command", "channel"), [(("/ca", "settings"), "C1"), (("/ca", "help"), "C1"), (("/rates", ""), "D1")]
)
async def test_what_concerns_one_person_has_no_such_buttons(
    fake: FakeSlack, store: SqliteStore, command: tuple[str, str], channel: str
) -> None:
    async with speaking(fake, store, Menu()):
        reply = await as_person(fake.command, *command, channel=channel)
    assert reply.seen.buttons == {}


async def test_a_refusal_is_not_for_sharing(fake: FakeSlack, store: SqliteStore) -> None:
    async def ask(request: Request) -> Answer:
        return Answer(Message((Paragraph("no"),)), error={"message": "no", "hint": ""})

    async with speaking(fake, store, ask):
        assert (await as_person(fake.command, "/rates", "nonsense")).seen.buttons == {}


# --- subscribing a channel -------------------------------------------------------------------------


@roads
async def test_a_subscription_is_told_to_the_channel_once_and_by_whom(
    fake: FakeSlack, store: SqliteStore, ask: object, road: str
) -> None:
    async with speaking(fake, store, ask, road):
        reply = await as_person(fake.command, "/subscribe", "weekdays 08:30 country:kz")
    assert "Monday to Friday at 08:30: news of Kazakhstan" in reply.text
    assert "Asia/Bishkek" in reply.text
    assert reply.seen.user == "U1"
    (line,) = fake.messages("C1")
    assert line.text == (
        "Aliya <!channel> subscribed this channel. Monday to Friday at 08:30: news of Kazakhstan\n"
        "Clocks of this channel: Asia/Bishkek"
    )
    assert fake.mentions == []
    (held,) = await store.subscriptions(HERE)
    assert (held.created_by, f"{held.schedule.at:%H:%M}") == ("T1/U1", "08:30")
    assert (await store.chat(HERE)).zone == "Asia/Bishkek"  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "text"), [("/subscribe", "preview daily 09:00"), ("/subscribe", "daily 99:99"),
                                            ("/ca", "follow"), ("/ca", "list")])  # fmt: skip
async def test_what_sets_nothing_is_told_to_nobody(
    fake: FakeSlack, store: SqliteStore, ask: object, name: str, text: str
) -> None:
    async with speaking(fake, store, ask):
        await as_person(fake.command, name, text)
    assert fake.posted == []


async def test_direct_messages_need_no_line(fake: FakeSlack, store: SqliteStore, ask: object) -> None:
    async with speaking(fake, store, ask):
        await as_person(fake.command, "/subscribe", "daily 09:00", channel="D1")
    assert fake.posted == []
    assert len(await store.subscriptions(Address("slack", "T1/D1"))) == 1


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found"])
@roads
async def test_a_channel_without_us_tells_how_to_invite_and_tries_again(
    fake: FakeSlack, store: SqliteStore, ask: object, error: str, road: str
) -> None:
    async with speaking(fake, store, ask, road):
        fake.fail("chat.postMessage", error)
        first = await as_person(fake.command, "/subscribe", "daily 09:00 summit")
        assert first.text.startswith("I cannot post in this channel yet. Type /invite @Yamchi here")
        again = await as_person(fake.press, first.seen, "Try again")
    assert "I cannot post" not in again.text
    assert len(fake.messages("C1")) == 1
    assert len(await store.subscriptions(HERE)) == 1


async def test_a_workspace_that_keeps_us_out_is_named_as_the_reason(
    fake: FakeSlack, store: SqliteStore, ask: object
) -> None:
    async with speaking(fake, store, ask):
        fake.fail("chat.postMessage", "restricted_action")
        reply = await as_person(fake.command, "/subscribe", "daily 09:00")
    assert reply.text.startswith("This workspace does not let me post here (restricted_action).")
    assert "Try again" not in reply.seen.buttons


async def test_a_right_that_we_lack_leads_to_where_we_are_installed(
    fake: FakeSlack, store: SqliteStore, ask: object
) -> None:
    async with speaking(fake, store, ask):
        fake.fail("chat.postMessage", "missing_scope")
        reply = await as_person(fake.command, "/subscribe", "daily 09:00")
    assert reply.text.startswith("I lack a right that I need for it.")
    assert reply.seen.screen.links[0] == ("https://api.slack.com/apps", "Install again")
    assert len(await store.subscriptions(HERE)) == 1


async def test_trouble_of_slacks_is_no_fault_of_the_channel(fake: FakeSlack, store: SqliteStore, ask: object) -> None:
    async with speaking(fake, store, ask):
        fake.fail("chat.postMessage", "service_unavailable")
        reply = await as_person(fake.command, "/subscribe", "daily 09:00")
    assert reply.text.startswith("Subscribed")
    assert len(await store.subscriptions(HERE)) == 1


# --- the form --------------------------------------------------------------------------------------


@roads
async def test_the_form_subscribes_the_channel_one_chooses(
    fake: FakeSlack, store: SqliteStore, ask: object, road: str
) -> None:
    fake.member.add("C7")
    async with speaking(fake, store, ask, road):
        fake_menu = await as_person(fake.command, "/latest", "uranium country:kz since:2d")
        await as_person(fake.press, fake_menu.seen, "Subscribe this channel", answers=0)
        await until(lambda: fake.views.windows)
        reply = await as_person(fake.submit, channel="C7", when="weekly fri", at="18:30", what="both")
    view = fake.views.newest
    assert view["blocks"][0]["element"]["initial_conversation"] == "C1"
    assert "Weekly on Friday at 18:30: news of uranium, Kazakhstan; rates" in reply.text
    assert len(fake.messages("C7")) == 1
    assert len(await store.subscriptions(Address("slack", "T1/C7"))) == 1
    assert await store.subscriptions(HERE) == []
    assert fake.rejected == []


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ({}, "daily 09:00"),
        ({"what": "news"}, "daily 09:00 news"),
        ({"what": "rates"}, "daily 09:00 rates"),
        ({"what": "rates", "words": "ignored"}, "daily 09:00 rates"),
        ({"what": "news", "words": "summit"}, "daily 09:00 summit"),
        ({"words": 'rail -"football'}, 'daily 09:00 rail -"football rates'),
        ({"when": "weekdays", "at": "07:15"}, "weekdays 07:15"),
        ({"when": "instant", "what": "news", "words": "country:uz"}, "instant country:uz"),
    ],
)
async def test_the_form_says_what_one_would_type(
    fake: FakeSlack, store: SqliteStore, chosen: dict[str, str], line: str
) -> None:
    menu = Menu()
    async with speaking(fake, store, menu):
        await as_person(fake.shortcut, "subscribe")
        await until(lambda: fake.views.windows)
        await as_person(fake.submit, **chosen)
    assert [asked.text for asked in menu.asked] == [f"/subscribe {line}"]
    assert menu.asked[0].address == HERE


def test_all_schedules_of_the_form_are_understood() -> None:
    for schedule in ("daily 09:00", "weekdays 09:00", "weekly mon 09:00", "weekly fri 09:00", "instant"):
        assert order_text(*order(schedule)) == schedule


async def test_a_form_that_is_late_is_no_disaster(fake: FakeSlack, store: SqliteStore) -> None:
    async with speaking(fake, store, Menu()):
        fake.views.triggers.clear()
        fake.fail("views.open", "expired_trigger_id")
        await as_person(fake.shortcut, "subscribe")
        assert (await as_person(fake.command, "/rates")).text == "heard /rates"
    assert fake.views.windows == {}


@roads
async def test_the_shortcut_shows_the_rates_in_a_window_at_once(fake: FakeSlack, store: SqliteStore, road: str) -> None:
    menu = Menu(Message((Paragraph("1 USD = 520.15 KZT"),), (Button("All", "/rates"),)), takes=3.5)
    async with speaking(fake, store, menu, road):
        await as_person(fake.shortcut, "board")
        await until(lambda: fake.views.windows)
        assert "One moment" in screen_of(fake.views.newest).text
        await until(lambda: "520.15" in screen_of(fake.views.newest).text)
    assert screen_of(fake.views.newest).buttons == {}
    assert [asked.text for asked in menu.asked] == ["/rates"]


# --- App Home --------------------------------------------------------------------------------------


def opened(user: str = "U1", tab: str = "home") -> dict[str, str]:
    return {"type": "app_home_opened", "user": user, "channel": "D1", "tab": tab}


@roads
async def test_app_home_shows_the_board_subscriptions_and_settings(
    fake: FakeSlack, store: SqliteStore, ask: object, road: str
) -> None:
    async with speaking(fake, store, ask, road):
        await as_person(fake.happen, opened())
        await until(lambda: fake.views.homes)
        before = screen_of(fake.views.homes["U1"])
        assert "Nothing comes by itself here yet." in before.text
        assert "Time zone: Asia/Bishkek" in before.text
        assert {"Subscribe a channel", "Daily digest at 09:00", "Language"} <= set(before.buttons)
        await as_person(fake.press_home, "Daily digest at 09:00")
        await until(lambda: fake.views.published == 2)
    after = screen_of(fake.views.homes["U1"])
    assert "Daily at 09:00: news and rates" in after.text
    assert len(await store.subscriptions(Address("slack", "T1/D1"))) == 1
    assert fake.messages("D1")[0].text.startswith("Subscribed")
    assert fake.rejected == []


@roads
async def test_app_home_shows_what_one_set_in_channels_and_nothing_of_others(
    fake: FakeSlack, store: SqliteStore, ask: object, road: str
) -> None:
    fake.names |= {"C1": "energy", "C2": "desk"}
    async with speaking(fake, store, ask, road):
        await as_person(fake.command, "/subscribe", "weekdays 08:30 country:kz")
        await as_person(fake.command, "/ca", "follow walnuts", channel="C2")
        await as_person(fake.command, "/subscribe", "daily 11:11", user="U2", channel="C2")
        await as_person(fake.happen, opened())
        await as_person(fake.happen, {**opened("U3"), "channel": "D3"})
        await until(lambda: len(fake.views.homes) == 2)
    mine, another = (screen_of(fake.views.homes[user]).text for user in ("U1", "U3"))
    assert "Channels you subscribed" in mine
    assert "#energy: Monday to Friday at 08:30: news of Kazakhstan" in mine
    assert "#desk: As it happens: news of walnuts" in mine
    assert "11:11" not in mine and "Channels you subscribed" not in another


async def test_app_home_opens_the_form(fake: FakeSlack, store: SqliteStore, ask: object) -> None:
    async with speaking(fake, store, ask):
        await as_person(fake.happen, opened(tab="messages"))
        await as_person(fake.happen, opened())
        await until(lambda: fake.views.homes)
        await as_person(fake.press_home, "Subscribe a channel")
        await until(lambda: fake.views.windows)
        reply = await as_person(fake.submit)
    assert reply.text.startswith("Subscribed")
    assert fake.views.published == 1


@pytest.mark.parametrize("channel", ["C1", "D1"])
async def test_help_tells_how_commands_are_said_in_slack(
    fake: FakeSlack, store: SqliteStore, ask: object, channel: str
) -> None:
    async with speaking(fake, store, ask):
        reply = await as_person(fake.command, "/ca", "help", channel=channel)
    hint = (
        "Here, say /ca before a command, as in /ca chart KZT 30d. /rates, /latest, /digest, /subscribe work alone, too."
    )
    assert reply.text.endswith(hint)


# --- words -----------------------------------------------------------------------------------------


@roads
async def test_a_mention_is_answered_in_its_thread(fake: FakeSlack, store: SqliteStore, road: str) -> None:
    menu = Menu()
    async with speaking(fake, store, menu, road):
        ts = await as_person(fake.say, "<@UBOT> rates &lt;KZT&gt;")
        await until(lambda: fake.posted)
        await as_person(fake.say, "and <@UBOT|yamchi> latest", thread="1699.1", user="U1")
        await until(lambda: len(fake.posted) == 2)
    assert [asked.text for asked in menu.asked] == ["/rates <KZT>", "/and latest"]
    assert [asked.address for asked in menu.asked] == [HERE, Address("slack", "T1/C1", "1699.1")]
    assert [seen.raw["thread_ts"] for seen in fake.posted] == [ts, "1699.1"]
    assert not menu.asked[0].private


@roads
async def test_direct_messages_are_commands_with_or_without_a_slash(
    fake: FakeSlack, store: SqliteStore, road: str
) -> None:
    menu = Menu()
    async with speaking(fake, store, menu, road):
        await as_person(fake.say, "rates kzt", channel="D1")
        await as_person(fake.say, "/latest", channel="D1", thread="1699.2")
        await as_person(fake.say, "mine", channel="D1", bot_id="BBOT")
        await as_person(fake.say, "edited", channel="D1", subtype="message_changed")
        await as_person(fake.say, "<@UBOT>", channel="D1")
        await until(lambda: len(fake.posted) == 3)
    assert [asked.text for asked in menu.asked] == ["/rates kzt", "/latest", "/help"]
    assert all(asked.private and asked.is_admin for asked in menu.asked)
    assert [seen.raw.get("thread_ts") for seen in fake.posted] == [None, "1699.2", None]


@roads
async def test_silence_is_kept_in_the_channel_in_private_at_home_and_in_a_window(
    fake: FakeSlack, store: SqliteStore, road: str
) -> None:
    menu = Menu(SILENCE.message)
    async with speaking(fake, store, menu, road):
        await as_person(fake.command, "/rates", answers=0)
        await as_person(fake.say, "rates kzt", channel="D1")
        await as_person(fake.happen, opened())
        await as_person(fake.shortcut, "board")
        await until(lambda: len(menu.asked) == 6)
        await until(lambda: fake.views.windows)
    assert (fake.posted, fake.views.homes) == ([], {})
    assert "One moment" in screen_of(fake.views.newest).text
    assert fake.rejected == []


# --- what happens to us ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "back"),
    [
        ({"type": "member_joined_channel", "user": "UBOT", "channel": "C1"}, True),
        ({"type": "member_joined_channel", "user": "U5", "channel": "C1"}, False),
        ({"type": "channel_unarchive", "user": "U5", "channel": "C1"}, True),
        ({"type": "group_unarchive", "user": "U5", "channel": "C1"}, True),
        ({"type": "member_joined_channel", "user": "UBOT", "channel": "C2"}, False),
    ],
)
@roads
async def test_a_paused_channel_goes_on_when_we_are_let_in_again(
    fake: FakeSlack, store: SqliteStore, road: str, event: dict[str, str], back: bool
) -> None:
    await store.pause(HERE, "not_in_channel", NOW)
    async with speaking(fake, store, Menu(), road):
        await as_person(fake.happen, event)
        async with asyncio.timeout(10):
            while not await settled(store):
                await asyncio.sleep(0.01)
    assert await store.revive(HERE) != back


async def settled(store: SqliteStore) -> bool:
    from storage.values import one

    return not await store._readers.run(one, "SELECT count(*) FROM inbox WHERE state = 'new'")


@pytest.mark.parametrize("kind", ["channel_archive", "group_archive", "channel_deleted"])
async def test_an_archived_channel_is_paused_before_anything_is_sent(
    fake: FakeSlack, store: SqliteStore, kind: str
) -> None:
    async with speaking(fake, store, Menu()):
        await as_person(fake.happen, {"type": kind, "channel": "C1", "user": "U5"})
        async with asyncio.timeout(10):
            while not await settled(store):
                await asyncio.sleep(0.01)
    assert await store.revive(HERE)


@pytest.mark.parametrize("mixed", [False, True])
async def test_the_same_event_comes_four_times_and_acts_once(fake: FakeSlack, store: SqliteStore, mixed: bool) -> None:
    menu = Menu()
    event = {"type": "app_mention", "channel": "C1", "user": "U1", "text": "<@UBOT> rates", "ts": "1699.3"}
    async with speaking(fake, store, menu, "http"):
        await as_person(fake.happen, event, times=2 if mixed else 4, event_id="Ev1")
        await until(lambda: fake.posted)
    fake.courier = None
    async with speaking(fake, store, menu, "socket"):
        if mixed:
            await as_person(fake.happen, event, times=2, event_id="Ev1")
        await as_person(fake.command, "/latest")
    assert [asked.text for asked in menu.asked] == ["/rates", "/latest"]
    assert len(fake.posted) == 1
