"""The Telegram chat against a Bot API on loopback: what people say, what is pushed, what goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import structlog
from aiohttp import web
from telegram import Bot, InputFile

from bot.errors import ChatRejected
from bot.locales import languages
from bot.message import Heading, Link, Message, Paragraph
from bot.models import Address, Answer, ChatSettings, Outcome, Request, Update
from handlers.telegram import Telegram
from handlers.telegram.transport import STAND_IN, AnswerLost, NotSent, Transport
from storage.sqlite import SqliteStore
from tests.fakes.faults import hang, html_page, reset, reset_after, status, truncated
from tests.fakes.telegram import FakeTelegram, refusal
from tests.fakes.telegram_server import TOKEN
from tests.fakes.web import FakeWeb, Fault
from tests.telegram_chat import LONG, PACE, FullDisk, Menu, clock, heard, listening, plain, until

GROUP = -1005


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram() as fake:
        yield fake


@pytest.fixture
async def chat(fake: FakeTelegram, store: SqliteStore) -> AsyncIterator[Telegram]:
    """A chat that only sends."""
    fake.open(7)
    chat = Telegram(TOKEN, fake.url, store, clock)
    yield chat
    await chat.close()


# --- people ------------------------------------------------------------------


async def test_a_person_is_answered_and_a_button_says_its_command(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    async with listening(fake, store, menu):
        fake.say(7, "/convert KZT", language="ru-RU")
        assert await heard(fake, 7) == ["you said /convert KZT"]
        fake.press(7, "Again")
        fake.press(7, "Long")
        assert (await heard(fake, 7, 3))[1:] == ["you said /convert KZT", f"you said {LONG}"]
    assert menu.asked[0] == Request(Address("telegram", "7"), "/convert KZT", user="7", language="ru", locates=True)
    assert len(fake.pressed) == 2
    assert not fake.rejected


async def test_free_text_is_heard_in_private_and_not_in_groups(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    async with listening(fake, store, menu):
        fake.say(GROUP, "good morning")
        fake.say(GROUP, "/rates@SomeOtherBot")
        fake.say(GROUP, "/roll 6")
        fake.say(GROUP, "/rates KZT", forward=True)
        fake.say(GROUP, "/rates KZT", edited=True)
        fake.say(GROUP, "/rates@yamchitestbot\nKZT")
        fake.say(GROUP, "/rates UZS", thread=5)
        fake.say(7, "usd kzt")
        await heard(fake, 7)
        await until(lambda: len(menu.asked) == 3)
    in_group = [(ask.address, ask.text, ask.private) for ask in menu.asked if ask.address.chat != "7"]
    assert in_group == [
        (Address("telegram", str(GROUP)), "/rates\nKZT", False),
        (Address("telegram", str(GROUP), "5"), "/rates UZS", False),
    ]
    assert [ask.text for ask in menu.asked if ask.private] == ["usd kzt"]


async def test_only_admins_of_a_group_may_change_its_settings(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    fake.open(GROUP, "supergroup")
    fake.member(GROUP, 1, "creator")
    fake.member(GROUP, 2, "administrator")
    async with listening(fake, store, menu):
        for user in (1, 2, 3, 3, 900):
            fake.say(GROUP, "/subscribe daily 09:00", user_id=user)
        fake.say(GROUP, "/subscribe daily 09:00", anonymous=True)
        fake.say(GROUP, "/rates", user_id=1)
        await heard(fake, GROUP, 7)
    assert [(ask.user, ask.is_admin) for ask in menu.asked] == [
        ("1", True),
        ("2", True),
        ("3", False),
        ("3", False),
        ("900", True),
        ("", True),
        ("1", False),
    ]
    assert fake.calls["getChatMember"] == 3


async def test_rights_that_cannot_be_learnt_are_none(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    fake.member(GROUP, 1, "creator")
    fake.fails("getChatMember", status(502))
    async with listening(fake, store, menu):
        fake.say(GROUP, "/subscribe daily 09:00", user_id=1)
        fake.say(GROUP, "/subscribe daily 09:00", user_id=1)
        await heard(fake, GROUP, 2)
    assert [ask.is_admin for ask in menu.asked] == [False, True]


async def test_forged_and_stale_buttons_are_answered_and_do_nothing(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    async with listening(fake, store, menu):
        fake.say(7, "/rates")
        await heard(fake, 7)
        token = fake.messages(7)[0].buttons["Long"]
        fake.say(8, "/rates")
        await heard(fake, 8)
        for data in (token, "t:nothing", "drop table"):
            fake.press(9, data=data) if data != token else fake.open(9)
        fake.press(9, data=token, language="ru")
        fake.push({"callback_query": {"id": "1", "from": {"id": 9, "is_bot": False, "first_name": "A"},
                                      "chat_instance": "1", "data": "/rates", "inline_message_id": "x"}})  # fmt: skip
        await until(lambda: len(fake.pressed) == 4)
    assert [ask.text for ask in menu.asked] == ["/rates", "/rates"]
    assert all(answer.get("text") for answer in fake.pressed)


async def test_the_command_menu_follows_the_registry_in_every_language(fake: FakeTelegram, store: SqliteStore):
    async with listening(fake, store, Menu()):
        await until(lambda: fake.calls["setMyCommands"] == 4 * len(languages()))
    scopes = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators"}
    assert {scope for scope, _ in fake.menus} == scopes
    in_group = {entry["command"] for entry in fake.menus["all_group_chats", ""]}
    everywhere = {entry["command"] for entry in fake.menus["default", "ru"]}
    assert in_group < everywhere
    assert "rates" in in_group
    assert "subscribe" in everywhere - in_group


# --- polling -----------------------------------------------------------------

TROUBLES: dict[str, tuple[Fault, ...]] = {
    "401": (refusal(401, "Unauthorized"),),
    "404": (refusal(404, "Not Found"),),
    "409": (refusal(409, "Conflict: can't use getUpdates method while webhook is active"),),
    "429": (refusal(429, "Too Many Requests: retry after 1", retry_after=1),),
    "502": (status(502, "<html>Bad Gateway</html>"),),
    "500": (refusal(500, "Internal Server Error: restart"),),
    "no JSON": (html_page(),),
    "not ok": (status(200, '{"ok": false}', content_type="application/json"),),
    "no list": (status(200, '{"ok": true, "result": [{}, 5]}', content_type="application/json"),),
    "reset": (reset,),
    "truncated": (truncated,),
    "hung": (hang,),
    "all in a row": (refusal(404, "Not Found"), refusal(401, "Unauthorized"), status(502), html_page(), reset),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_polling_outlives_trouble(fake: FakeTelegram, store: SqliteStore, trouble: str):
    menu = Menu()
    fake.say(7, "/rates before")
    async with listening(fake, store, menu) as chat:
        await heard(fake, 7)
        fake.fails("getUpdates", *TROUBLES[trouble])
        fake.say(7, "/rates after")
        assert await heard(fake, 7, 2) == ["you said /rates before", "you said /rates after"]
        await until(lambda: chat.health().ok)
    assert len(menu.asked) == 2


async def test_the_start_outlives_trouble_too(fake: FakeTelegram, store: SqliteStore):
    fake.fails("getMe", refusal(401, "Unauthorized"), status(502), reset)
    fake.fails("deleteWebhook", status(502))
    fake.fails("setMyCommands", status(502))
    fake.say(7, "/rates")
    async with listening(fake, store, Menu()) as chat:
        assert not chat.health().ok
        assert await heard(fake, 7) == ["you said /rates"]
        await until(lambda: fake.calls["setMyCommands"] == 4 * len(languages()) + 1)


async def test_a_poison_update_is_put_aside_and_blocks_nobody(fake: FakeTelegram, store: SqliteStore):
    async with listening(fake, store, Menu()):
        fake.poison()
        fake.push({"message": {"message_id": 1}})
        fake.push({"message": "nonsense", "callback_query": [1]})
        fake.push({})
        fake.say(7, "/rates \ud83d")
        assert await heard(fake, 7) == ["you said /rates ?"]
    assert await store.waiting_updates("telegram", 10) == []


async def test_a_repeated_batch_is_handled_once(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    async with listening(fake, store, menu):
        fake.say(7, "/rates one")
        await heard(fake, 7)
        fake.repeat_batch()
        fake.say(7, "/rates two")
        await heard(fake, 7, 2)
    assert [ask.text for ask in menu.asked] == ["/rates one", "/rates two"]


async def test_many_updates_keep_their_order_in_each_chat(fake: FakeTelegram, store: SqliteStore):
    menu = Menu()
    for number in range(120):
        fake.say(1 + number % 20, f"/rates {number}")
    async with listening(fake, store, menu):
        await until(lambda: len(menu.asked) == 120)
        await heard(fake, 20, 6)
    for chat in range(1, 21):
        numbers = [int(ask.text.split()[1]) for ask in menu.asked if ask.address.chat == str(chat)]
        assert numbers == sorted(numbers)
        assert len(numbers) == 6


async def test_one_slow_chat_holds_up_no_other(fake: FakeTelegram, store: SqliteStore):
    menu, free = Menu(), asyncio.Event()

    async def ask(request: Request) -> Answer:
        if request.address.chat == "7":
            await free.wait()
        return await menu(request)

    async with listening(fake, store, ask):  # type: ignore[arg-type]
        fake.say(7, "/rates slow")
        fake.say(8, "/rates quick")
        assert await heard(fake, 8) == ["you said /rates quick"]
        assert fake.messages(7) == []
        free.set()
        await heard(fake, 7)


async def test_an_update_is_confirmed_only_after_it_is_kept(fake: FakeTelegram, store: SqliteStore):
    class KilledError(Exception):
        pass

    def crash(point: str) -> None:
        if point == "update-kept":
            raise KilledError

    fake.say(7, "/rates")
    menu = Menu()
    async with listening(fake, store, menu, crash):
        await until(lambda: fake.calls["getUpdates"] >= 1)
        await asyncio.sleep(0.1)
    offsets = [json.loads(seen.body).get("offset") for seen in fake.asked(f"/bot{TOKEN}/getUpdates")]
    assert offsets == [None]
    async with listening(fake, store, menu):
        await heard(fake, 7)
    assert len(fake.messages(7)) == 1


async def test_a_command_whose_answer_was_on_its_way_is_not_repeated(fake: FakeTelegram, store: SqliteStore):
    class Killed(BaseException):
        pass

    def crash(point: str) -> None:
        if point == "update-taken":
            raise Killed

    fake.say(7, "/rates one")
    menu = Menu()
    with pytest.raises(BaseExceptionGroup):
        chat = Telegram(TOKEN, fake.url, store, clock, crash=crash, pace=PACE)
        try:
            await chat.listen(menu)
        finally:
            await chat.close()
    fake.say(7, "/rates two")
    async with listening(fake, store, menu):
        assert await heard(fake, 7) == ["you said /rates two"]
    assert [ask.text for ask in menu.asked] == ["/rates one", "/rates two"]


@pytest.mark.parametrize(("said", "answer"), [("/rates", "you said /rates"), ("/pause", "It is done")])
async def test_an_answer_that_waits_when_we_die_is_given_afterwards(
    fake: FakeTelegram, store: SqliteStore, said: str, answer: str
):
    fake.fails("sendMessage", refusal(429, "Too Many Requests: retry after 50", retry_after=50))
    menu = Menu()

    async def ask(request: Request) -> Answer:
        if said == "/pause":
            await store.settle_update("telegram", request.update, "acted")
        return await menu(request)

    fake.say(7, said)
    async with listening(fake, store, ask):  # type: ignore[arg-type]
        await until(lambda: fake.calls["sendMessage"] == 1)
        await asyncio.sleep(0.1)
    async with listening(fake, store, ask):  # type: ignore[arg-type]
        [given] = await heard(fake, 7)
    assert answer in given
    assert len(fake.messages(7)) == 1


async def test_what_was_kept_before_a_kill_is_answered_after_it(fake: FakeTelegram, store: SqliteStore):
    fake.say(7, "/rates")
    raw = json.dumps(fake._updates.pop())
    await store.keep_updates([Update("telegram", "1000", raw)], clock())
    async with listening(fake, store, Menu()):
        assert await heard(fake, 7) == ["you said /rates"]


async def test_a_store_that_cannot_write_for_a_while_loses_nothing(fake: FakeTelegram, store: SqliteStore):
    menu, disk = Menu(), FullDisk(store)
    fake.say(7, "/rates")
    async with listening(fake, disk, menu):  # type: ignore[arg-type]
        assert await heard(fake, 7) == ["you said /rates"]
        await until(lambda: "keep_updates" not in disk.failing)
        fake.say(7, "/rates KZT")
        assert (await heard(fake, 7, 2))[1:] == ["you said /rates KZT"]
        await until(lambda: not disk.failing)
    assert len(fake.messages(7)) == 2


async def test_a_reply_that_was_not_sent_is_sent_again_and_a_lost_one_is_not(fake: FakeTelegram, store: SqliteStore):
    async with listening(fake, store, Menu()):
        fake.fails("sendMessage", refusal(429, "Too Many Requests: retry after 1", retry_after=1))
        fake.say(7, "/rates one")
        assert await heard(fake, 7) == ["you said /rates one"]
        fake.fails("sendMessage", reset_after)
        fake.say(7, "/rates two")
        fake.say(7, "/rates three")
        assert (await heard(fake, 7, 3))[1:] == ["you said /rates two", "you said /rates three"]
    assert len(fake.messages(7)) == 3


# --- sending -----------------------------------------------------------------

HERE = Address("telegram", "7")

OUTCOMES: dict[str, tuple[Fault, str, str]] = {
    "blocked": (refusal(403, "Forbidden: bot was blocked by the user"), "dead", ""),
    "deactivated": (refusal(403, "Forbidden: user is deactivated"), "dead", ""),
    "kicked": (refusal(403, "Forbidden: bot was kicked from the supergroup chat"), "dead", ""),
    "no member": (refusal(403, "Forbidden: bot is not a member of the channel chat"), "dead", ""),
    "deleted": (refusal(403, "Forbidden: the group chat was deleted"), "dead", ""),
    "never started": (refusal(403, "Forbidden: bot can't initiate conversation with a user"), "failed", "unwelcome"),
    "a proxy's 403": (status(403, "<html>blocked by policy</html>"), "unknown", ""),
    "no such chat": (refusal(400, "Bad Request: chat not found"), "failed", "unwelcome"),
    "no such topic": (refusal(400, "Bad Request: message thread not found"), "dead", "topic"),
    "closed topic": (refusal(400, "Bad Request: TOPIC_CLOSED"), "dead", "topic"),
    "no rights": (
        refusal(400, "Bad Request: not enough rights to send text messages to the chat"),
        "failed",
        "unwelcome",
    ),
    "private chat not found": (refusal(400, "Bad Request: private chat not found"), "failed", "unwelcome"),
    "another bot": (refusal(403, "Forbidden: bot can't send messages to bots"), "failed", "unwelcome"),
    "no admin": (
        refusal(400, "Bad Request: need administrator rights in the channel chat"),
        "failed",
        "unwelcome",
    ),
    "muted": (refusal(400, "Bad Request: CHAT_WRITE_FORBIDDEN"), "failed", "unwelcome"),
    "restricted": (refusal(400, "Bad Request: CHAT_RESTRICTED"), "failed", "unwelcome"),
    "private channel": (refusal(400, "Bad Request: CHANNEL_PRIVATE"), "failed", "unwelcome"),
    "user gone": (refusal(400, "Bad Request: USER_IS_DELETED"), "failed", "unwelcome"),
    "nobody": (refusal(400, "Bad Request: PEER_ID_INVALID"), "failed", "unwelcome"),
    "deleted topic": (refusal(400, "Bad Request: TOPIC_DELETED"), "dead", "topic"),
    "markup": (refusal(400, "Bad Request: can't parse entities: Unclosed start tag"), "failed", "body"),
    "too long": (refusal(400, "Bad Request: message is too long"), "failed", "body"),
    "empty": (refusal(400, "Bad Request: message text is empty"), "failed", "body"),
    "button": (refusal(400, "Bad Request: BUTTON_DATA_INVALID"), "failed", "body"),
    "link": (refusal(400, "Bad Request: wrong HTTP URL specified"), "failed", "body"),
    "something new": (refusal(400, "Bad Request: STARS_REQUIRED"), "failed", ""),
    "flood": (refusal(429, "Too Many Requests: retry after 5", retry_after=5), "pending", "flood"),
    "flood of a front": (status(429, "<html>"), "pending", "flood"),
    "server": (refusal(500, "Internal Server Error"), "pending", "fault"),
    "gateway": (status(502, "<html>Bad Gateway</html>"), "unknown", ""),
    "gateway timeout": (status(504, "<html>"), "unknown", ""),
    "reset": (reset, "unknown", ""),
    "reset after": (reset_after, "unknown", ""),
    "truncated": (truncated, "unknown", ""),
    "no JSON": (html_page(), "unknown", ""),
    "no JSON of the front": (status(413, "<html>Request Entity Too Large</html>"), "unknown", ""),
    "half a body": (status(200, '{"ok": true}', content_type="application/json"), "unknown", ""),
    "our token": (refusal(401, "Unauthorized"), "pending", "token"),
    "no such bot": (refusal(404, "Not Found"), "pending", "token"),
    "another of us": (refusal(409, "Conflict: terminated by other getUpdates request"), "pending", "token"),
}


@pytest.mark.parametrize("trouble", OUTCOMES)
async def test_what_becomes_of_a_send(fake: FakeTelegram, chat: Telegram, trouble: str):
    fault, state, cause = OUTCOMES[trouble]
    fake.fails("sendMessage", fault)
    outcome = await chat.send(HERE, plain("hello"))
    assert (outcome.state, outcome.cause) == (state, cause)
    assert (outcome.retry_at is not None) == (cause == "flood")
    assert TOKEN not in repr(outcome)
    assert fake.calls["sendMessage"] == 1


async def test_a_message_that_arrives_has_its_number_and_no_preview(fake: FakeTelegram, chat: Telegram):
    outcome = await chat.send(HERE, Message((Heading("Hello <you>"),)))
    assert outcome == Outcome("sent", message_id=str(fake.messages(7)[0].id))
    assert fake.messages(7)[0].text == "Hello <you>"
    sent = json.loads(fake.asked(f"/bot{TOKEN}/sendMessage")[0].body)
    assert sent["link_preview_options"] == {"is_disabled": True}
    await chat.send(HERE, Message((Link("Rail", "https://a.example/"), Paragraph("It runs."))))
    sent = json.loads(fake.asked(f"/bot{TOKEN}/sendMessage")[1].body)
    assert sent["link_preview_options"] == {"url": "https://a.example/", "prefer_small_media": True}


async def test_a_flood_waits_as_long_as_it_is_told_or_half_a_minute(fake: FakeTelegram, chat: Telegram):
    for fault, seconds in ((refusal(429, "Too Many Requests", retry_after=3600), 3600), (refusal(429, "Too many"), 30)):
        fake.fails("sendMessage", fault)
        outcome = await chat.send(HERE, plain("hello"))
        assert outcome.retry_at is not None
        assert seconds - 10 < (outcome.retry_at - clock()).total_seconds() <= seconds


async def test_nobody_listening_means_not_sent(fake: FakeTelegram, store: SqliteStore):
    chat = Telegram(TOKEN, "http://127.0.0.1:1", store, clock)
    outcome = await chat.send(HERE, plain("hello"))
    await chat.close()
    assert outcome.state == "pending"


async def test_a_name_that_cannot_be_resolved_means_not_sent(store: SqliteStore):
    chat = Telegram(TOKEN, "http://bot-api.invalid", store, clock)
    outcome = await chat.send(HERE, plain("hello"))
    await chat.close()
    assert (outcome.state, outcome.cause) == ("pending", "fault")


async def test_silence_is_told_from_a_closed_door(fake: FakeTelegram):
    fake.fails("getMe", hang)
    for url, error in ((fake.url, AnswerLost), ("http://127.0.0.1:1", NotSent)):
        transport = Transport(url, TOKEN, seconds=0.3)
        with pytest.raises(error):
            await transport.call("getMe", {})
        await transport.shutdown()


async def test_refused_markup_is_told_and_bare_words_go(fake: FakeTelegram, chat: Telegram):
    refused = refusal(400, "Bad Request: can't parse entities: Unsupported start tag")
    fake.fails("sendMessage", refused)
    outcome = await chat.send(HERE, Message((Heading("a < b"),)))
    assert (outcome.state, outcome.cause) == ("failed", "body")
    assert (await chat.send(HERE, Message((Heading("a < b"),)), plain=True)).state == "sent"
    assert [said.html for said in fake.messages(7)] == ["a < b"]


async def test_a_group_that_became_a_supergroup_is_told_and_its_message_is_not_lost(fake: FakeTelegram, chat: Telegram):
    fake.open(-5, "group")
    fake.open(GROUP, "supergroup")
    moved = "Bad Request: group chat was upgraded to a supergroup chat"
    fake.refuse(-5, 400, moved, migrate_to_chat_id=GROUP)
    message = plain("x" * 3000, "y" * 3000)
    outcome = await chat.send(Address("telegram", "-5"), message)
    assert (outcome.state, outcome.moved_to) == ("pending", str(GROUP))
    assert (await chat.send(Address("telegram", str(GROUP)), message)).state == "sent"
    assert [said.text[0] for said in fake.messages(GROUP)] == ["x", "y"]


async def test_topics_are_named_and_the_general_one_is_not(fake: FakeTelegram, chat: Telegram):
    fake.open(GROUP, "supergroup", topics={5})
    assert (await chat.send(Address("telegram", str(GROUP), "5"), plain("a"))).state == "sent"
    assert (await chat.send(Address("telegram", str(GROUP), "1"), plain("b"))).state == "sent"
    assert [said.thread for said in fake.messages(GROUP)] == [5, None]


async def test_pages_go_in_order_and_go_on_where_they_had_to_stop(fake: FakeTelegram, chat: Telegram):
    message = plain(*(letter * 3000 for letter in "abc"))

    async def fine(request: web.Request, handler: Callable[[web.Request], object]) -> web.StreamResponse:
        return await handler(request)  # type: ignore[misc,no-any-return]

    fake.fails("sendMessage", fine, refusal(429, "Too Many Requests", retry_after=1))
    assert (await chat.send(HERE, message)).state == "pending"
    assert (await chat.send(HERE, message)).state == "sent"
    assert (await chat.send(HERE, message)).state == "sent"
    assert [said.text[0] for said in fake.messages(7)] == list("abcabc")


async def test_a_lost_page_does_not_keep_back_the_next(fake: FakeTelegram, chat: Telegram):
    fake.fails("sendMessage", reset_after)
    assert (await chat.send(HERE, plain("a" * 3000, "b" * 3000))).state == "unknown"
    assert [said.text[0] for said in fake.messages(7)] == ["a", "b"]


async def test_nothing_to_say_is_not_said(fake: FakeTelegram, chat: Telegram):
    assert (await chat.send(HERE, Message(()))).state == "failed"
    assert fake.calls["sendMessage"] == 0


async def test_a_paid_broadcast_says_so(fake: FakeTelegram, store: SqliteStore):
    fake.open(7)
    chat = Telegram(TOKEN, fake.url, store, clock, paid=True)
    await chat.send(HERE, plain("x"))
    await chat.close()
    assert json.loads(fake.asked(f"/bot{TOKEN}/sendMessage")[0].body)["allow_paid_broadcast"] is True


# --- chats that come and go --------------------------------------------------


async def test_a_group_that_says_it_became_another_keeps_its_settings(fake: FakeTelegram, store: SqliteStore):
    await store.keep_chat(ChatSettings(Address("telegram", "-5"), "Asia/Tashkent", "ru"), [])
    fake.open(-5, "group")
    moved = {"message_id": 1, "date": 1, "chat": {"id": -5, "type": "group", "title": "Traders"}}
    async with listening(fake, store, Menu()):
        fake.push({"message": moved | {"migrate_to_chat_id": GROUP}})
        async with asyncio.timeout(30):
            while await store.chat(Address("telegram", str(GROUP))) is None:
                await asyncio.sleep(0.02)
    assert await store.chat(Address("telegram", "-5")) is None


async def test_a_reply_follows_a_group_that_became_another(fake: FakeTelegram, store: SqliteStore):
    fake.open(GROUP, "supergroup")
    moved = "Bad Request: group chat was upgraded to a supergroup chat"
    fake.refuse(-5, 400, moved, migrate_to_chat_id=GROUP)
    async with listening(fake, store, Menu()):
        fake.say(-5, "/rates@YamchiTestBot", chat_type="group")
        assert await heard(fake, GROUP) == ["you said /rates"]


async def test_a_flood_of_a_call_that_is_no_chats_is_meant_for_all(fake: FakeTelegram, store: SqliteStore):
    fake.fails("answerCallbackQuery", refusal(429, "Too Many Requests", retry_after=40))
    async with listening(fake, store, Menu()) as chat:
        fake.say(7, "/rates")
        await heard(fake, 7)
        fake.press(7, "Again")
        await until(lambda: chat.pace.held > 30)


# --- the token ---------------------------------------------------------------


async def test_a_refused_token_is_told_and_a_network_that_fails_is_not(fake: FakeTelegram, store: SqliteStore):
    refused = Telegram("1:wrong", fake.url, store, clock)
    with pytest.raises(ChatRejected, match="TELEGRAM_BOT_TOKEN"):
        await refused.check()
    await refused.close()
    fake.fails("getMe", status(404, "<html>a portal</html>"), status(502))
    for url in (fake.url, fake.url, fake.url, "http://127.0.0.1:1"):
        chat = Telegram(TOKEN, url, store, clock)
        await chat.check()
        await chat.close()


async def test_the_token_is_in_no_log_and_no_name(
    fake: FakeTelegram, store: SqliteStore, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logs:
        fake.fails("getMe", refusal(404, "Not Found"), status(502), reset)
        fake.fails("getUpdates", refusal(401, "Unauthorized"), reset, html_page(), hang)
        fake.fails("sendMessage", status(502), refusal(400, "Bad Request: can't parse entities"))
        async with listening(fake, store, Menu()) as chat:
            for number in range(3):
                fake.say(7, f"/rates {number}")
            await heard(fake, 7, 2)
            names = [repr(chat), repr(vars(chat)), str(chat.health())]
        refused = Telegram("987654:AAwrong-canary", fake.url, store, clock)
        with pytest.raises(ChatRejected) as caught:
            await refused.check()
        await refused.close()
    output = capsys.readouterr()
    everything = "\n".join([caplog.text, str(logs), *names, repr(caught.value), output.out, output.err])
    assert "getUpdates" in everything
    assert TOKEN not in everything
    assert "canary" not in everything


async def test_files_go_up_as_a_form():
    async def take(_: web.Request) -> web.StreamResponse:
        sent = {"message_id": 1, "date": 0, "chat": {"id": 7, "type": "private"}}
        return web.json_response({"ok": True, "result": sent})

    async with FakeWeb() as server:
        server.route(f"/bot{TOKEN}/sendDocument", take)
        transport = Transport(server.url, TOKEN)
        bot = Bot(STAND_IN, lambda _: "", lambda _: "", request=transport, get_updates_request=transport)
        await bot.send_document(7, InputFile(b"a,b\n1,2\n", filename="rates.csv"), caption="Rates")
        await transport.shutdown()
    [seen] = server.requests
    assert seen.headers["Content-Type"].startswith("multipart/form-data")
    assert b'name="document"; filename="rates.csv"' in seen.body
    assert b"a,b\n1,2\n" in seen.body
    assert b"Rates" in seen.body
