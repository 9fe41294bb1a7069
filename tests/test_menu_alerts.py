"""/alert, /alerts and /why, said as a person says them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.alertlines import Wish, wish
from bot.errors import Refusal
from bot.locales import tongue
from bot.message import Message, Paragraph
from bot.models import Address, Alert, Answer, Content, Outcome, Outgoing, Request, Schedule, Subscription
from handlers import menu
from handlers.menu.desk import Desk
from storage.sqlite import SqliteStore
from tests.fixings import NOON, desk_of, keep_week
from tests.stores import new_store

HERE, THERE = Address("telegram", "42"), Address("telegram", "43")
TODAY = date(2026, 11, 23)


@dataclass
class Chat:
    desk: Desk
    store: SqliteStore

    async def say(self, text: str, **changes: object) -> Answer:
        return await menu.answer(self.desk, replace(Request(HERE, text, user="7"), **changes))  # type: ignore[arg-type]

    async def alerts(self) -> list[Alert]:
        return await self.store.alerts(HERE)


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[Chat]:
    store = await new_store(tmp_path / "yamchi.db")
    await keep_week(store)
    yield Chat(desk_of(store), store)
    await store.close()


def said(answer: Answer) -> list[str]:
    return [block.text for block in answer.message.blocks]


def buttons(answer: Answer) -> list[str]:
    return [button.command for button in answer.message.buttons]


# --- what is typed -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KZT > 520", Wish(codes=("KZT",), way="above", level=Decimal(520))),
        ("KZT<500", Wish(codes=("KZT",), way="below", level=Decimal(500))),
        ("kzt >= 520.5", Wish(codes=("KZT",), way="above", level=Decimal("520.5"))),
        ("USD/UZS below 12000", Wish(codes=("USD", "UZS"), way="below", level=Decimal(12000))),
        ("usdkzt over 1 000,50", Wish(codes=("USD", "KZT"), way="above", level=Decimal("1000.50"))),
        ("UZS above 12k", Wish(codes=("UZS",), way="above", level=Decimal(12000))),
        ("KZT 1% day", Wish(codes=("KZT",), way="move", level=Decimal(1), days=1)),
        ("KZT 1%", Wish(codes=("KZT",), way="move", level=Decimal(1), days=1)),
        ("EUR/KZT 2.5 % week", Wish(codes=("EUR", "KZT"), way="move", level=Decimal("2.5"), days=7)),
        ("1% day KZT", Wish(codes=("KZT",), way="move", level=Decimal(1), days=1)),
        ("тенге выше 520,5", Wish(codes=("KZT",), way="above", level=Decimal("520.5"))),
        ("доллар к суму ниже 12 000", Wish(codes=("USD", "UZS"), way="below", level=Decimal(12000))),
        ("курс тенге 1,5% за неделю", Wish(codes=("KZT",), way="move", level=Decimal("1.5"), days=7)),
        ("KZT 1 процент в день", Wish(codes=("KZT",), way="move", level=Decimal(1), days=1)),
        ("1 euro > 600 tenge", Wish(codes=("EUR", "KZT"), way="above", level=Decimal(600))),
        ("10,000 UZS < 0.83 USD", Wish(codes=("UZS", "USD"), way="below", level=Decimal("0.000083"))),
        ("KZT 520", Wish(codes=("KZT",), level=Decimal(520))),
        ("KZT", Wish(codes=("KZT",))),
        ("EUR/KZT", Wish(codes=("EUR", "KZT"))),
        ("KZT > 520 once", Wish(codes=("KZT",), way="above", level=Decimal(520), standing=False)),
        ("KZT > 520 каждый раз", Wish(codes=("KZT",), way="above", level=Decimal(520), standing=True)),
        (
            "KZT > 520 until 2026-12-31 standing",
            Wish(codes=("KZT",), way="above", level=Decimal(520), standing=True, until=date(2026, 12, 31)),
        ),
        ("KZT > 520 до 31.12.2026", Wish(codes=("KZT",), way="above", level=Decimal(520), until=date(2026, 12, 31))),
        ('"middle corridor"', Wish(words='"middle corridor"')),
        ("«средний коридор»", Wish(words="«средний коридор»")),
        ("middle corridor", Wish(words="middle corridor")),
        ("dispute over water", Wish(words="dispute over water")),
        ("tenge devaluation", Wish(words="tenge devaluation")),
        ("gold 2026", Wish(words="gold 2026")),
        ("water 5%", Wish(words="water 5%")),
    ],
)
def test_what_is_typed_is_understood(text: str, expected: Wish):
    assert wish(text, TODAY) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("520", "An alert on which currency?", "Say /alert KZT > 520, or /alert for a choice."),
        ("> 520", "An alert on which currency?", "Say /alert KZT > 520, or /alert for a choice."),
        ("som > 87", "“som” may be", "Say /alert KGS > 87 or /alert UZS > 87."),
        ("KZT > 520 please", "I cannot read KZT > 520 please as an alert.", "Say /alert KZT > 520, /alert"),
        ("KZT > -5", "I cannot read", "Say /alert"),
        ("KZT > 500 < 520", "I cannot read", "Say /alert"),
        ("KZT 1% 2%", "I cannot read", "Say /alert"),
        ("KZT 1% day week", "I cannot read", "Say /alert"),
        ("KZT > 520 30d", "I cannot read", "Say /alert"),
        ("KZT/KZT > 5", "That is twice KZT.", "Name two"),
        ("KZT 0%", "A move of 0% cannot be watched.", "Say a percentage"),
        ("KZT 101% day", "A move of 101% cannot be watched.", "Say a percentage"),
        ("KZT > 520 until 2026-11-22", "2026-11-22 has passed already.", "Say a day to come."),
        ("KZT > 520 until 2026-13-01", "There is no such day", "Say it as"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_way_out(text: str, message: str, hint: str):
    with pytest.raises(Refusal) as caught:
        wish(text, TODAY)
    sentence, way_out = tongue("en").refusal(caught.value)
    assert sentence.startswith(message) and way_out.startswith(hint)


# --- /alert ------------------------------------------------------------------


async def test_an_alert_that_is_set_says_what_it_watches_and_how_things_stand(chat: Chat):
    answer = await chat.say("/alert KZT > 520")
    assert said(answer) == [
        "Alert 1 is set",
        "USD/KZT above 520, once",
        "Now: 1 USD = 470.00 KZT from 24 Nov.",
        "National Bank of Kazakhstan, official rate of 24 Nov 2026",
        "An official rate, not a bank's or a cash rate.",
    ]
    assert buttons(answer) == ["/alerts", "/alerts end 1", "/alerts standing 1"]
    assert answer.data == {
        "id": 1,
        "base": "USD",
        "quote": "KZT",
        "way": "above",
        "level": "520",
        "days": 0,
        "standing": False,
        "state": "active",
        "armed": True,
        "expires": None,
        "snoozed_until": None,
        "paused": False,
        "paused_until": None,
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("/alert KZT > 460", "It is above already: I tell you when it rises above again, after 457.7 or less."),
        ("/alert KZT < 480", "It is below already: I tell you when it falls below again, after 482.4 or more."),
        ("/alert KZT 0.4% day", "It has moved so far already: I tell you of the next such move."),
    ],
)
async def test_what_is_so_already_is_said_and_waits(chat: Chat, text: str, line: str):
    assert line in said(await chat.say(text))
    (alert,) = await chat.alerts()
    assert alert.armed == ("%" in text)
    assert (alert.told_on, alert.told_rate) == (date(2026, 11, 24), Decimal("470.00"))


async def test_a_line_without_a_sign_is_on_the_side_it_lies(chat: Chat):
    await chat.say("/alert KZT 480")
    await chat.say("/alert KZT 450")
    assert [alert.way for alert in await chat.alerts()] == ["above", "below"]


async def test_the_same_again_changes_the_one_that_is_there(chat: Chat):
    await chat.say("/alert KZT > 520")
    answer = await chat.say("/alert USD/KZT above 520.0 standing until 2026-12-31")
    assert said(answer)[:2] == ["Alert 1 changed", "USD/KZT above 520, every time, until 31 Dec 2026"]
    (alert,) = await chat.alerts()
    assert alert.standing and alert.expires_at == datetime(2026, 12, 31, 19, tzinfo=UTC)


async def test_nothing_named_gives_lines_near_the_rates_of_now(chat: Chat):
    assert buttons(await chat.say("/alert")) == [
        "/alert KZT > 477",
        "/alert KGS > 88.32",
        "/alert UZS > 12270",
        "/alert TJS > 9.422",
        "/alerts",
    ]
    assert buttons(await chat.say("/alert KZT")) == [
        "/alert KZT > 477",
        "/alert KZT < 467.6",
        "/alert KZT 1% day",
        "/alert KZT 2% week",
        "/alerts",
    ]
    assert "/alert EUR/KGS > 102.4" in buttons(await chat.say("/alert EUR"))
    assert said(await chat.say("/alert TMT"))[0] == "USD/TMT is fixed by the central bank: there is nothing to watch."
    assert await chat.alerts() == []


async def test_every_button_of_the_picker_sets_an_alert(chat: Chat):
    for text in ("/alert", "/alert KZT", "/alert EUR/KZT", "/alert UZS/USD", "/alert EUR"):
        for command in buttons(await chat.say(text)):
            assert (await chat.say(command)).error is None
    assert len(await chat.alerts()) == 19


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("/alert TMT > 4", "USD/TMT is fixed by the central bank: there is nothing to watch."),
        ("/alert EUR > 500", "EUR against which currency?"),
        ("/alert KGS/UZS 0.001% day", "KGS/UZS moves in steps of that size: it would be noise."),
        ("/alert GBP/KZT 600", "Above it or below?"),
    ],
)
async def test_what_cannot_be_watched_is_refused(chat: Chat, text: str, refusal: str):
    answer = await chat.say(text)
    assert answer.error and answer.error["message"] == refusal and answer.error["hint"]
    assert await chat.alerts() == []


async def test_a_pair_without_a_figure_may_be_watched_all_the_same(chat: Chat):
    answer = await chat.say("/alert GBP/KZT > 600")
    assert said(answer)[2] == "No figure of this pair is stored yet; the first one only begins the watch."


async def test_words_become_a_search_that_speaks_as_it_happens(chat: Chat):
    answer = await chat.say("/alert middle corridor")
    assert said(answer)[0] == "Subscribed"
    (order,) = await chat.store.subscriptions(HERE)
    assert order.schedule.kind == "instant" and "corridor" in " ".join(order.content.words)


async def test_a_chat_has_twenty_alerts_at_most_and_only_its_admins_set_them(chat: Chat):
    for n in range(20):
        await chat.say(f"/alert KZT > {500 + n}")
    refused = await chat.say("/alert KZT > 520")
    assert refused.error and refused.error["message"].startswith("This chat has 20 alerts")
    assert (await chat.say("/alert KZT > 519 standing")).error is None
    for text in ("/alert KZT > 530", "/alerts end 1", "/alerts snooze 1"):
        assert (await chat.say(text, private=False, is_admin=False)).error
    assert (await chat.say("/alerts", private=False, is_admin=False)).error is None


async def test_a_chat_whose_language_is_russian_types_and_reads_it(chat: Chat):
    answer = await chat.say("/alert тенге выше 520,5", language="ru")
    assert said(answer)[:2] == ["Оповещение 1 включено", "USD/KZT выше 520,5, один раз"]
    settings = await chat.store.chat(HERE)
    assert settings and settings.language == "ru"


# --- /alerts -----------------------------------------------------------------


async def test_the_list_says_how_far_off_each_is(chat: Chat):
    assert buttons(await chat.say("/alerts")) == ["/alert"]
    for text in ("KZT > 520", "KZT > 460 standing", "KGS/KZT 2% week"):
        await chat.say(f"/alert {text}")
    answer = await chat.say("/alerts")
    assert said(answer)[1:7] == [
        "1. USD/KZT above 520, once",
        "now 470.00 · +10.64% to go",
        "2. USD/KZT above 460, every time",
        "now 470.00 · waits until it has been back at 457.7",
        "3. KGS/KZT moves by 2% in a week, every time",
        "now 5.39957",
    ]
    assert buttons(answer) == [
        *(f"/alerts end {n}" for n in (1, 2, 3)),
        *(f"/alerts snooze {n} 1d" for n in (1, 2, 3)),
        "/alerts standing 1",
    ]


async def test_an_alert_is_snoozed_kept_for_good_and_ended(chat: Chat):
    await chat.say("/alert KZT > 520")
    await chat.say("/alerts snooze 1 12h")
    await chat.say("/alerts standing 1")
    (alert,) = await chat.alerts()
    assert alert.snoozed_until == NOON + timedelta(hours=12) and alert.standing
    assert "silent until 24 Nov, 00:00" in said(await chat.say("/alerts"))[2]
    assert said(await chat.say("/alerts end 1"))[0] == "Alert 1 ended"
    assert (await chat.say("/alerts end 1")).error
    assert said(await chat.say("/alerts")) == ["No alert is set here."]


async def test_an_end_is_undone_as_it_was(chat: Chat):
    await chat.say("/alert KZT > 520 standing until 2026-12-01")
    await chat.say("/alerts snooze 1 2d")
    before = await chat.alerts()
    ended = await chat.say("/alerts end 1")
    assert buttons(ended) == ["/alerts undo 1"]
    for _ in range(2):
        assert said(await chat.say("/alerts undo 1"))[0] == "Alert 1 is set"
        assert await chat.alerts() == before
    await chat.say("/alerts end 1")
    chat.desk = replace(chat.desk, clock=lambda: NOON + timedelta(days=9))
    assert (await chat.say("/alerts undo 1")).error
    assert (await chat.say("/alerts undo 2")).error


async def test_no_end_and_undo_makes_more_than_twenty(chat: Chat):
    for n in range(21):
        await chat.say(f"/alert KZT > {500 + n}")
        await chat.say("/alerts end 1")
    refused = await chat.say("/alerts undo 1")
    assert refused.error and refused.error["message"].startswith("This chat has 20 alerts")
    assert (await chat.say("/alerts standing 1")).error
    assert buttons(await chat.say("/alerts"))[-1] == "/alerts after:7"
    last = await chat.say("/alerts after:19")
    assert said(last)[:2] == ["Alerts", "19-20 of 20"]
    assert buttons(last)[-1] == "/alerts after:0"


async def test_one_that_fired_once_watches_on_when_asked_to(chat: Chat):
    await chat.say("/alert KZT > 460 until 2026-12-01")
    (alert,) = await chat.alerts()
    await chat.store.set_alert(replace(alert, state="fired", fired_at=NOON))
    await chat.say("/alerts standing 1")
    (again,) = await chat.alerts()
    assert (again.state, again.standing, again.armed, again.expires_at) == ("active", True, False, None)


@pytest.mark.parametrize(
    "text",
    ["/alerts foo", "/alerts end", "/alerts end 9", "/alerts end 1 2d", "/alerts snooze 1 0d", "/alerts snooze 1 999w"],
)
async def test_what_cannot_be_done_is_refused(chat: Chat, text: str):
    await chat.say("/alert KZT > 520")
    answer = await chat.say(text)
    assert answer.error and answer.error["hint"]
    assert [alert.state for alert in await chat.alerts()] == ["active"]


async def test_nobody_touches_the_alerts_of_another_chat(chat: Chat):
    await chat.say("/alert KZT > 520")
    for text in ("/alerts end 1", "/alerts snooze 1", "/why a1"):
        assert (await chat.say(text, address=THERE)).error
    assert [alert.state for alert in await chat.alerts()] == ["active"]


# --- a pause -----------------------------------------------------------------


async def test_a_pause_silences_alerts_and_a_resume_ends_it(chat: Chat):
    for text in ("KZT > 520", "KZT < 400", "KGS > 99"):
        await chat.say(f"/alert {text}")
    await chat.say("/alerts end 3")
    before = await chat.alerts()
    assert said(await chat.say("/pause 2d")) == ["Paused until 25 Nov, 12:00", "2 alerts: /alerts"]
    assert [one.paused_until for one in await chat.alerts()] == [NOON + timedelta(days=2)] * 2 + [None]
    assert "paused until 25 Nov, 12:00" in said(await chat.say("/alerts"))[2]
    assert "Paused until 25 Nov, 12:00." in said(await chat.say("/why a1"))
    settings = await chat.say("/settings")
    assert "2 alerts: /alerts" in said(settings)[1]
    assert buttons(settings)[-1] == "/resume"
    assert said(await chat.say("/pause")) == ["Paused", "2 alerts: /alerts", "/resume goes on."]
    assert "paused, /resume ends that" in said(await chat.say("/alerts"))[2]
    assert said(await chat.say("/resume")) == ["Resumed", "2 alerts: /alerts"]
    assert await chat.alerts() == before
    assert said(await chat.say("/resume")) == ["Nothing is paused here."]


async def test_one_subscription_is_paused_and_resumed_without_the_alerts(chat: Chat):
    await chat.say("/alert KZT > 520")
    await chat.say("/subscribe daily 09:00")
    await chat.say("/pause 1")
    assert not (await chat.alerts())[0].paused_at
    await chat.say("/pause")
    await chat.say("/resume 1 skip")
    assert (await chat.alerts())[0].paused_at


# --- /why --------------------------------------------------------------------


def out(event: str, text: str, **changes: object) -> Outgoing:
    row = Outgoing(event, HERE, "alert", Message((Paragraph(text),)), NOON, NOON + timedelta(minutes=15))
    return replace(row, **changes)  # type: ignore[arg-type]


async def test_why_explains_the_latest_messages_one_and_an_alert(chat: Chat):
    assert said(await chat.say("/why")) == ["Nothing has come here by itself in the last two weeks."]
    await chat.say("/alert KZT > 460 standing")
    figures = {"rate": "470.00", "on": "2026-11-24", "before": "472.31", "before_on": "2026-11-23", "tick": "0.01"}
    why = {"alert": "1", **figures}
    withheld = out("alert:1:2026-11-24:step", "1 USD = 470", state="withheld", reason="The alert was snoozed.", why=why)
    rows = [out("alert:1:2026-11-23", "1 USD = 472.31", why=why), withheld, out("fixing:KZT:2026-11-24", "A fixing")]
    await chat.store.keep_tables(None, [], rows, NOON)
    (delivery, *_) = await chat.store.claim("me", ["telegram"], NOON, NOON, 1)
    await chat.store.settle(delivery, Outcome("sent"), NOON + timedelta(minutes=5))
    listed = await chat.say("/why")
    assert said(listed)[1:] == [
        "3. A fixing",
        "It waits to be sent.",
        "2. 1 USD = 470",
        "23 Nov, 12:00 · Not sent. The alert was snoozed.",
        "1. 1 USD = 472.31",
        "Sent on 23 Nov, 12:05.",
    ]
    assert buttons(listed) == ["/why 3", "/why 2", "/why 1"]
    assert said(await chat.say("/why 1")) == [
        "1 USD = 472.31",
        "Sent on 23 Nov, 12:05.",
        "It came 5 minutes late.",
        "Alert 1: USD/KZT above 460.",
        "470.00 of 24 Nov beside 472.31 of 23 Nov: -0.49%.",
        "One step of its last printed digit is 0.01.",
    ]
    assert said(await chat.say("/why 3"))[-1] == "A new fixing: this chat follows the rates as they happen."
    assert said(await chat.say("/why a1"))[1:5] == [
        "USD/KZT above 460, every time",
        "470.00 of 24 Nov beside 472.31 of 23 Nov: -0.49%.",
        "It is past the line: it fires again once it has been back at 457.7.",
        "Held figures, pegs and a move of one step of the last digit never fire it.",
    ]
    assert buttons(await chat.say("/why alert 1")) == ["/why 2", "/why 1"]


async def test_why_names_the_subscription_and_the_words_that_matched(chat: Chat):
    content = Content(("water", "gas"), ("KZ",))
    order = await chat.store.subscribe(Subscription(0, HERE, Schedule("instant"), content, NOON))
    why = {"subscription": str(order.id), "words": "water", "countries": "KZ"}
    rows = [out("a:1", "Water", kind="article", why=why), out(f"digest:{order.id}:2026-11-23", "News", kind="digest")]
    await chat.store.keep_tables(None, [], rows, NOON)
    assert said(await chat.say("/why 1"))[2:] == [
        "It came by this subscription: As it happens: news of water, gas, Kazakhstan; rates.",
        "These of its words are in it: water.",
        "It is news of Kazakhstan.",
    ]
    assert said(await chat.say("/why 2"))[-1].startswith("It came by this subscription: ")
    await chat.store.unsubscribe(HERE, [order.id])
    assert said(await chat.say("/why 1"))[-1] == "It came by a subscription that is no more."


@pytest.mark.parametrize("text", ["/why 1", "/why a1", "/why me", "/why 9999999999999999999999", "/why -1"])
async def test_why_knows_nothing_of_what_did_not_come_here(chat: Chat, text: str):
    await chat.store.keep_tables(None, [], [replace(out("e", "theirs"), address=THERE)], NOON)
    answer = await chat.say(text)
    assert answer.error and answer.error["hint"]
    assert "theirs" not in str(said(await chat.say("/why")))
