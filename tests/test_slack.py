from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.compose.moments import Moment, dated
from bot.errors import ChatRejected
from bot.locales import tongue
from bot.message import Button, Heading, Link, Message, Paragraph, Span, Table
from bot.models import Address, Answer, ChatSettings, Outcome, Request, Update
from handlers.menu import parse
from handlers.menu.registry import commands
from handlers.slack import Slack, screens
from handlers.slack.heard import FORM, understand
from handlers.slack.manifest import EVENTS, SCOPES, http_manifest, socket_manifest
from handlers.slack.render import render
from storage.sqlite import SqliteStore
from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.slack_screen import refuse, show
from tests.golden import golden
from tests.kinds import kinds
from tests.slack_chat import NOW, PING, Menu, clock

ENGLISH = tongue("en")
HERE = Address("slack", "T1/C1")
BOARD = Message(
    (
        Heading("Rates"),
        Table("1 USD = 520.15 KZT", (("KZT", "520.15", "+0.4%"), ("UZS", "12,060.5", "0%"))),
        Paragraph("National Bank of Kazakhstan, 23 November 2026", small=True),
    ),
    (Button("News", "/latest"), Button("KZT", "/rates KZT")),
)


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
async def slack(fake: FakeSlack, store: SqliteStore) -> AsyncIterator[Slack]:
    slack = Slack(BOT, APP, fake.api_url, store, clock, admins=(), ping_interval=PING)
    yield slack
    await slack.close()


@asynccontextmanager
async def listening(slack: Slack, ask: Callable[[Request], object]) -> AsyncIterator[None]:
    task = asyncio.create_task(slack.listen(ask))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def as_person(act: Callable[..., Any], *args: object, **named: object) -> Any:
    return await asyncio.to_thread(act, *args, **named)


# --- commands and buttons ----------------------------------------------------


async def test_a_slash_command_is_answered_to_its_caller_alone(fake: FakeSlack, slack: Slack) -> None:
    menu = Menu()
    async with listening(slack, menu):
        reply = await as_person(fake.command, "/rates", "KZT")
    assert reply.text == "heard /rates KZT"
    assert reply.seen.user == "U1"
    asked = menu.asked[0]
    assert (asked.address, asked.user, asked.private) == (HERE, "T1/U1", False)
    assert (asked.zone, asked.language, asked.is_admin) == ("Asia/Almaty", "en", True)
    assert fake.rejected == []
    assert fake.messages("C1") == []


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("/ca", "rates KZT", "/rates KZT"),
        ("/ca", "/rates KZT", "/rates KZT"),
        ("/ca", "", "/help"),
        ("/latest", "", "/latest"),
        ("/latest", "oil &amp; gas", "/latest oil & gas"),
        ("/ca", "sources add <https://example.com/feed|example.com>", "/sources add https://example.com/feed"),
    ],
)
def test_what_was_typed_becomes_a_command_line(name: str, text: str, line: str) -> None:
    payload = {"command": name, "text": text, "team_id": "T1", "channel_id": "C1", "user_id": "U1", "response_url": "x"}
    heard = understand(payload)
    assert heard is not None
    assert heard.text == line


async def test_a_direct_message_is_private(fake: FakeSlack, slack: Slack) -> None:
    menu = Menu()
    async with listening(slack, menu):
        await as_person(fake.command, "/digest", channel="D7")
    assert menu.asked[0].private


async def test_guests_change_nothing_in_a_channel_unless_they_run_the_bot(fake: FakeSlack, store: SqliteStore) -> None:
    guest = {"tz": "Asia/Bishkek", "locale": "ru-RU", "is_restricted": True}
    fake.people |= {"U2": guest, "U3": guest}
    slack, menu = Slack(BOT, APP, fake.api_url, store, clock, admins=("slack:T1/U3",), ping_interval=PING), Menu()
    async with listening(slack, menu):
        await as_person(fake.command, "/rates", user="U2")
        await as_person(fake.command, "/rates", user="U2", channel="D1")
        await as_person(fake.command, "/rates", user="U3")
    await slack.close()
    assert [(asked.is_admin, asked.language) for asked in menu.asked] == [(False, "ru"), (True, "ru"), (True, "ru")]


async def test_the_acknowledgement_waits_for_nobody(fake: FakeSlack, slack: Slack) -> None:
    async with listening(slack, Menu(takes=2)):
        reply = await as_person(fake.command, "/rates")
    assert reply.acked_after < 1
    assert reply.text == "heard /rates"


async def test_people_do_not_wait_for_each_other_but_for_themselves(fake: FakeSlack, slack: Slack) -> None:
    fake.people["U2"] = {}
    done: list[str] = []

    async def ask(request: Request) -> Answer:
        await asyncio.sleep(0.6 if request.text == "/rates slow" else 0)
        done.append(f"{request.user} {request.text}")
        return Answer(BOARD)

    async with listening(slack, ask):
        slow = asyncio.create_task(as_person(fake.command, "/rates", "slow"))
        await asyncio.to_thread(fake.wait_for, lambda: any(name == "users.info" for name, _ in fake.calls))
        await asyncio.gather(as_person(fake.command, "/latest"), as_person(fake.command, "/latest", user="U2"), slow)
    assert done == ["T1/U2 /latest", "T1/U1 /rates slow", "T1/U1 /latest"]


async def test_the_same_envelope_has_one_effect(fake: FakeSlack, slack: Slack) -> None:
    menu = Menu()
    async with listening(slack, menu):
        reply = await as_person(fake.command, "/subscribe", "daily 09:00", times=4)
        await as_person(fake.command, "/rates")
    assert [asked.text for asked in menu.asked] == ["/subscribe daily 09:00", "/rates"]
    assert len(reply.answers) == 1


async def test_a_request_kept_and_not_answered_is_answered_after_a_restart(
    fake: FakeSlack, slack: Slack, store: SqliteStore
) -> None:
    payload = {
        "command": "/subscribe",
        "text": "daily 09:00",
        "team_id": "T1",
        "channel_id": "C1",
        "user_id": "U1",
        "response_url": f"{fake.web.url}/answer/gone?channel=C1&user=U1",
    }
    await store.keep_updates([Update("slack", "E9", json.dumps(payload)), Update("slack", "E8", "[]")], NOW)
    menu = Menu()
    async with listening(slack, menu):
        await as_person(fake.command, "/rates", user="U9")
    assert sorted(asked.text for asked in menu.asked) == ["/rates", "/subscribe daily 09:00"]
    assert await store.waiting_updates("slack", 10) == []


async def test_nothing_is_answered_before_its_effect_is_settled(fake: FakeSlack, store: SqliteStore) -> None:
    points: list[tuple[str, int]] = []
    slack = Slack(
        BOT,
        APP,
        fake.api_url,
        store,
        clock,
        admins=(),
        ping_interval=PING,
        crash=lambda point: points.append((point, sum(len(r.answers) for r in fake._replies.values()))),
    )
    async with listening(slack, Menu()):
        await as_person(fake.command, "/subscribe")
    await slack.close()
    assert points == [("heard", 0), ("taken", 0)]


async def test_a_button_says_its_command_and_next_takes_the_place_of_the_page(fake: FakeSlack, slack: Slack) -> None:
    page = Message((Paragraph("1-6 of 7"),), (Button("Next", "/latest summit before:41"), Button("Rates", "/rates")))
    menu = Menu(page)
    async with listening(slack, menu):
        first = await as_person(fake.command, "/latest", "summit")
        following = await as_person(fake.press, first.seen, "Next")
        rates = await as_person(fake.press, first.seen, "Rates")
    assert [asked.text for asked in menu.asked] == ["/latest summit", "/latest summit before:41", "/rates"]
    assert following.seen.raw["replace_original"] is True
    assert rates.seen.raw["replace_original"] is False
    assert rates.seen.user == "U1"


async def test_a_page_for_one_does_not_replace_a_message_for_all(fake: FakeSlack, slack: Slack) -> None:
    page = Message((Paragraph("1-6 of 7"),), (Button("Next", "/latest before:41"),))
    await slack.send(Address("slack", "T1/C1", "1700000000.000100"), page)
    menu = Menu()
    async with listening(slack, menu):
        reply = await as_person(fake.press, fake.messages("C1")[0], "Next")
    assert reply.seen.raw["replace_original"] is False
    assert reply.seen.raw["thread_ts"] == "1700000000.000100"
    assert menu.asked[0].address.thread == "1700000000.000100"


async def test_a_failure_of_ours_is_answered_with_a_reference(fake: FakeSlack, slack: Slack) -> None:
    async def ask(request: Request) -> Answer:
        raise RuntimeError(request.text)

    async with listening(slack, ask):
        reply = await as_person(fake.command, "/rates")
    assert "Sorry, that did not work (ref " in reply.text
    assert "RuntimeError" not in reply.text


async def test_a_failure_before_the_acknowledgement_is_answered_too(fake: FakeSlack, store: SqliteStore) -> None:
    def crash(point: str) -> None:
        raise OSError(point)

    slack = Slack(BOT, APP, fake.api_url, store, clock, admins=(), ping_interval=PING, crash=crash)
    async with listening(slack, Menu()):
        reply = await as_person(fake.command, "/rates")
    await slack.close()
    assert "Sorry, that did not work" in reply.text


async def test_the_chat_speaks_the_language_it_chose(fake: FakeSlack, slack: Slack, store: SqliteStore) -> None:
    await store.keep_chat(ChatSettings(HERE, "Asia/Almaty", "ru"), ())
    await slack.send(HERE, Message((Paragraph("да"),)))
    assert fake.messages("C1")[0].text == "да"


async def test_a_message_is_edited_in_its_place_and_one_that_is_gone_is_not_sent_anew(
    fake: FakeSlack, slack: Slack
) -> None:
    sent = await slack.send(HERE, Message((Paragraph("before"),)))
    edited = await slack.edit(HERE, sent.message_id, Message((Paragraph("after"),)))
    assert (edited.state, edited.message_id) == ("sent", sent.message_id)
    assert [seen.text for seen in fake.messages("C1")] == ["after"]
    assert (await slack.edit(HERE, "1.0", Message((Paragraph("after"),)))).state == "failed"
    assert len(fake.messages("C1")) == 1


# --- the check ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("bot", "app", "setting"), [("xoxb-wrong", APP, "SLACK_BOT_TOKEN"), (BOT, "xapp-wrong", "SLACK_APP_TOKEN")]
)
async def test_a_bad_token_is_told_by_the_name_of_its_setting(
    fake: FakeSlack, store: SqliteStore, bot: str, app: str, setting: str
) -> None:
    slack = Slack(bot, app, fake.api_url, store, clock, admins=())
    began = time.monotonic()
    with pytest.raises(ChatRejected, match=setting) as caught:
        await slack.check()
    await slack.close()
    assert time.monotonic() - began < 5
    assert "wrong" not in str(caught.value)


async def test_good_tokens_pass_and_a_network_that_fails_says_nothing(fake: FakeSlack, store: SqliteStore) -> None:
    for url in (fake.api_url, fake.api_url.rstrip("/"), "http://127.0.0.1:9/api"):
        slack = Slack(BOT, APP, url, store, clock, admins=())
        await slack.check()
        await slack.close()
    assert sorted(name for name, _ in fake.calls) == ["apps.connections.open"] * 2 + ["auth.test"] * 2


# --- pushing -----------------------------------------------------------------


async def test_a_push_arrives_whole(fake: FakeSlack, slack: Slack) -> None:
    outcome = await slack.send(HERE, BOARD)
    seen = fake.messages("C1")[0]
    assert outcome == Outcome("sent", message_id=seen.ts)
    assert "520.15" in seen.text
    assert seen.buttons == {"News": "/latest", "KZT": "/rates KZT"}
    assert (seen.raw["unfurl_links"], seen.raw["unfurl_media"]) == (False, False)
    assert "1 USD = 520.15 KZT" in seen.raw["text"]


async def test_a_push_that_was_taken_and_not_answered_is_not_repeated(fake: FakeSlack, slack: Slack) -> None:
    fake.lose_answer("chat.postMessage")
    outcome = await slack.send(HERE, BOARD)
    assert outcome.state == "unknown"
    assert len(fake.messages("C1")) == 1


@pytest.mark.parametrize(
    ("error", "state", "cause"),
    [
        ("channel_not_found", "failed", "unwelcome"),
        ("is_archived", "dead", ""),
        ("not_in_channel", "dead", ""),
        ("restricted_action_read_only_channel", "dead", ""),
        ("token_revoked", "pending", "token"),
        ("account_inactive", "pending", "token"),
        ("missing_scope", "failed", "unwelcome"),
        ("service_unavailable", "pending", "fault"),
        ("message_limit_exceeded", "pending", ""),
        ("fatal_error", "unknown", ""),
        ("internal_error", "unknown", ""),
        ("something_new", "failed", ""),
    ],
)
async def test_what_becomes_of_a_refused_push(
    fake: FakeSlack, slack: Slack, error: str, state: str, cause: str
) -> None:
    fake.fail("chat.postMessage", error)
    outcome = await slack.send(HERE, BOARD)
    assert (outcome.state, outcome.detail, outcome.cause) == (state, error, cause)
    assert fake.messages("C1") == []


async def test_a_limit_is_kept_as_long_as_slack_says(fake: FakeSlack, slack: Slack) -> None:
    fake.limit("chat.postMessage", retry_after=7)
    outcome = await slack.send(HERE, BOARD)
    assert (outcome.state, outcome.retry_at) == ("pending", NOW + timedelta(seconds=7))
    assert (await slack.send(Address("slack", "T1/C2"), BOARD)).state == "sent"


async def test_no_server_means_try_again(store: SqliteStore) -> None:
    slack = Slack(BOT, APP, "http://127.0.0.1:9/api/", store, clock, admins=())
    outcome = await slack.send(HERE, BOARD)
    await slack.close()
    assert (outcome.state, outcome.cause) == ("pending", "fault")


async def test_refused_blocks_are_told_and_bare_text_goes(fake: FakeSlack, slack: Slack) -> None:
    fake.fail("chat.postMessage", "invalid_blocks")
    assert await slack.send(HERE, BOARD) == Outcome("failed", "invalid_blocks", cause="body")
    assert (await slack.send(HERE, BOARD, plain=True)).state == "sent"
    seen = fake.messages("C1")[0]
    assert "blocks" not in seen.raw
    assert "1 USD = 520.15 KZT" in seen.text


# --- rendering ---------------------------------------------------------------


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_of_message_looks_as_it_should(kind: str) -> None:
    rendered = render(kinds()[kind], ENGLISH)
    raw = {"text": rendered.text, "blocks": rendered.blocks}
    assert refuse(raw) == ""
    golden(f"slack/{kind}.json", json.dumps(raw, ensure_ascii=False, indent=1) + "\n")


HOSTILE = [
    "<b>bold</b> & <i>more</i>",
    "<!channel> <!here> <@U1> <#C1|general>",
    "\u202egnol\u202c :smile: @channel",
    "👩‍👩‍👧 *star* _line_ `tick` ~gone~",
    "a|b <https://evil.example|click>",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_text_arrives_as_text(title: str) -> None:
    message = Message(
        (
            Heading(title),
            Paragraph(title),
            Paragraph(f"x {title}", (Span(0, 1, "bold"),)),
            Paragraph(title, small=True),
            Link(title, "https://timesca.com/a?b=1&c=2"),
            Table(title, ((title, "1"),)),
        ),
        (Button(title, "/rates"),),
    )
    rendered = render(message, ENGLISH)
    raw = {"text": rendered.text, "blocks": rendered.blocks}
    screen = show(raw)
    assert refuse(raw) == ""
    assert screen.mentions == []
    assert [url for url, _ in screen.links] == ["https://timesca.com/a?b=1&c=2"]
    plain = title.replace("\u202e", "").replace("\u202c", "")
    assert screen.text.count(plain.replace("|", "¦")) + screen.text.count(plain) >= 5
    assert "\u202e" not in json.dumps(raw, ensure_ascii=False)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a.example/" + "x" * 3000, ""])
def test_an_address_slack_cannot_hold_leaves_the_title(url: str) -> None:
    screen = show({"blocks": render(Message((Link("Title", url),)), ENGLISH).blocks})
    assert (screen.text, screen.links) == ("Title", [])


def test_an_instant_is_told_on_each_readers_clocks_and_only_ours_is() -> None:
    told = Moment.of(NOW, "23 Nov, 09:00")
    foreign = f"<!date^0^{{date}}|23 Nov> *{told}|"
    blocks = (
        dated(Heading(f"Paused until {told}"), told),
        dated(Paragraph(f"{foreign} until {told}."), told, None),
        dated(Paragraph(f"Outlet · {told} · Opinion", small=True), told),
        dated(Paragraph(f"\u202e{told}"), told),
        Paragraph("also in Another", small=True),
        Paragraph(foreign, small=True),
    )
    rendered = render(Message(blocks), ENGLISH)
    screen = show({"blocks": rendered.blocks})
    assert refuse({"text": rendered.text, "blocks": rendered.blocks}) == ""
    assert screen.dates == [int(NOW.timestamp())] * 3
    assert screen.mentions == []
    assert f"{foreign} until {told}." in screen.text
    assert "<!date" not in rendered.text


def test_a_table_lines_up() -> None:
    block = render(BOARD, ENGLISH).blocks[1]
    lines = block["text"]["text"].splitlines()
    assert lines == ["```", "KZT    520.15  +0.4%", "UZS  12,060.5     0%", "```"]


def test_the_sample_edition_says_so() -> None:
    rendered = render(Message((Paragraph("x"),), sample=True), ENGLISH)
    assert "SAMPLE" in show({"blocks": rendered.blocks}).text
    assert "SAMPLE" in rendered.text


def test_what_does_not_fit_is_counted() -> None:
    articles = [block for n in range(40) for block in (Link(f"T{n}", f"https://a.example/{n}"), Paragraph("lead"))]
    rendered = render(Message((Heading("News"), *articles), (Button("Next", "/latest"),)), ENGLISH)
    screen = show({"blocks": rendered.blocks})
    assert refuse({"blocks": rendered.blocks}) == ""
    shown = len(screen.links)
    assert 20 <= shown < 40
    assert f"and {40 - shown} more" in screen.text
    assert screen.buttons == {"Next": "/latest"}


def test_a_message_of_nothing_still_says_something() -> None:
    rendered = render(Message((Paragraph(" \u202e "),)), ENGLISH)
    assert refuse({"text": rendered.text, "blocks": rendered.blocks}) == ""


words = st.text(max_size=400) | st.sampled_from(HOSTILE) | st.text("ab &<>\n", max_size=4000).map(lambda t: t * 3)
blocks = st.one_of(
    st.builds(Heading, words),
    st.builds(
        Paragraph,
        words,
        st.lists(
            st.builds(Span, st.integers(0, 50), st.integers(0, 90), st.sampled_from(["bold", "italic", "code"])),
            max_size=3,
        ).map(tuple),
        st.booleans(),
    ),
    st.builds(Link, words, st.text(max_size=30).map("https://a.example/".__add__) | words),
    st.builds(Table, words, st.lists(st.lists(words, max_size=4).map(tuple), max_size=8).map(tuple)),
)
messages = st.builds(
    Message,
    st.lists(blocks, max_size=70).map(tuple),
    st.lists(st.builds(Button, words, words), max_size=30).map(tuple),
    st.booleans(),
)


@settings(max_examples=300, derandomize=True)
@given(messages)
def test_no_message_breaks_a_limit_or_calls_anybody(message: Message) -> None:
    rendered = render(message, ENGLISH)
    raw = {"text": rendered.text, "blocks": rendered.blocks}
    screen = show(raw)
    assert refuse(raw) == ""
    assert len(rendered.text) <= 4000
    assert screen.mentions == []
    links = sum(isinstance(block, Link) for block in message.blocks)
    assert len(screen.links) <= links


# --- the manifest and the log ------------------------------------------------


PUBLIC = "https://bot.example"


@pytest.mark.parametrize("manifest", [json.loads(socket_manifest()), json.loads(http_manifest(PUBLIC))])
def test_the_manifests_follow_the_menu(manifest: dict[str, Any]) -> None:
    features, wanted = manifest["features"], manifest["settings"]
    slashes = {slash["command"]: slash for slash in features["slash_commands"]}
    menu = commands()
    assert set(slashes) == {"/ca", "/rates", "/latest", "/digest", "/subscribe"}
    assert set(slashes["/ca"]["usage_hint"].split(" | ")) == set(menu)
    assert all(slashes[f"/{name}"]["description"] == menu[name].summary for name in menu if f"/{name}" in slashes)
    assert all(slash["should_escape"] for slash in slashes.values())
    assert wanted["interactivity"]["is_enabled"]
    assert features["app_home"]["home_tab_enabled"]
    assert {one["callback_id"] for one in features["shortcuts"]} == {FORM, screens.BOARD}
    assert all(len(one["name"]) <= 24 and len(one["description"]) <= 150 for one in features["shortcuts"])


def test_what_the_code_asks_of_slack_stands_in_the_manifest() -> None:
    rooms = [path.read_text() for path in Path("handlers/slack").glob("*.py") if path.name != "manifest.py"]
    said = "\n".join(rooms)
    needs = {
        "chat_postMessage": "chat:write",
        "users_info": "users:read",
        "conversations_open": "im:write",
        "files_completeUploadExternal": "files:write",
        '"app_mention"': "app_mentions:read",
        '"im"': "im:history",
        "channel_unarchive": "channels:read",
        "group_unarchive": "groups:read",
    }
    asked = {scope for call, scope in needs.items() if call in said}
    assert asked | {"commands", "chat:write.public"} == set(SCOPES)
    handled = {event for event in EVENTS if f'"{event}"' in said}
    assert handled | {"message.im"} == set(EVENTS)


def test_the_manifests_say_by_which_road_slack_comes() -> None:
    socket, http = json.loads(socket_manifest()), json.loads(http_manifest(PUBLIC))
    assert socket["settings"]["socket_mode_enabled"]
    assert "http" not in json.dumps(socket)
    assert not http["settings"]["socket_mode_enabled"]
    pages = {slash["url"] for slash in http["features"]["slash_commands"]}
    pages |= {http["settings"][name]["request_url"] for name in ("event_subscriptions", "interactivity")}
    assert pages == {f"{PUBLIC}/slack/events"}
    assert http["oauth_config"]["redirect_urls"] == [f"{PUBLIC}/slack/oauth_redirect"]


def test_every_command_of_the_manifest_has_help_and_examples_that_parse() -> None:
    for name, command in commands().items():
        assert command.summary, name
        assert command.examples and all(parse(example)[0] == name for example in command.examples), name


async def test_no_secret_reaches_a_log_at_debug(
    fake: FakeSlack, slack: Slack, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.fail("apps.connections.open", "internal_error")
    fake.refuse_link()
    with structlog.testing.capture_logs() as lines:
        await slack.check()
        async with listening(slack, Menu()):
            await as_person(fake.command, "/rates")
            fake.drop("abort")
            await as_person(fake.command, "/rates")
        await slack.send(HERE, BOARD)
    said = repr(lines) + caplog.text + "".join(capsys.readouterr())
    assert lines
    for secret in (BOT, APP, "canary", "/answer/", "ticket"):
        assert secret not in said
