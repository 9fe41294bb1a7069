"""Many workspaces: how one gets us, whose token speaks where, and what is left when it removes us."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlite_utils import Database

from bot.message import Link, Message, Paragraph
from bot.models import UNINSTALLED, Address, ChatSettings, Content, Outgoing, Schedule, Subscription
from handlers.slack import Credentials, Slack
from handlers.slack.installs import AHEAD
from storage.schema import migrations
from storage.sqlite import SqliteStore
from tests.fakes.slack import BOT, FakeSlack
from tests.fakes.slack_oauth import CLIENT_ID, CLIENT_SECRET
from tests.slack_chat import ROADS, Menu, as_person, fetch, install, speaking

HELLO = Message((Paragraph("salem"),))
KEY = "a-key-of-the-operators-own-choosing"


def credentials(**more: str) -> Credentials:
    return Credentials(CLIENT_ID, CLIENT_SECRET, "https://bot.example", **more)


def wall_clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def many(fake: FakeSlack, store: SqliteStore, road: str = "http", menu: Any = None, **more: Any) -> Any:
    named = {"token": "", "app": credentials(), "now": wall_clock, **more}
    return speaking(fake, store, menu or Menu(), road, **named)


def tokens_used(fake: FakeSlack, method: str) -> set[str]:
    return {fake.team_of(token) for name, token in fake.called_with if name == method}


# --- how a workspace gets us -----------------------------------------------------------------------


@pytest.mark.parametrize("road", ROADS)
async def test_a_workspace_installs_us_and_is_spoken_to_with_its_own_token(
    fake: FakeSlack, store: SqliteStore, road: str
) -> None:
    async with many(fake, store, road) as slack:
        assert (await slack.send(Address("slack", "T2/C9"), HELLO)).detail == UNINSTALLED
        assert fake.calls == [] or {name for name, _ in fake.calls} == {"apps.connections.open"}
        assert await install(fake, "T2") == 200
        fake.homes["C9"] = "T2"
        assert (await slack.send(Address("slack", "T2/C9"), HELLO)).state == "sent"
        reply = await as_person(fake.command, "/rates", team_id="T2")
    assert reply.text == "heard /rates"
    assert tokens_used(fake, "chat.postMessage") == tokens_used(fake, "users.info") == {"T2"}


@pytest.mark.parametrize("road", ROADS)
async def test_whoever_installs_us_is_welcomed_in_their_direct_messages_each_time(
    fake: FakeSlack, store: SqliteStore, road: str
) -> None:
    menu = Menu()
    fake.people["U9"] = {"tz": "Asia/Tashkent", "locale": "ru-RU"}
    async with many(fake, store, road, menu=menu):
        for times in (1, 2):
            assert await install(fake, "T2", user="U9") == 200
            await as_person(fake.wait_for, lambda times=times: len(fake.messages("DU9")) == times)
    assert fake.messages("DU9")[0].text.startswith("heard /start\nЗдесь перед командой пишут /ca")
    asked = menu.asked[0]
    assert (asked.address.chat, asked.user, asked.text, asked.private) == ("T2/DU9", "T2/U9", "/start", True)
    assert (asked.zone, asked.language) == ("Asia/Tashkent", "ru")
    assert tokens_used(fake, "chat.postMessage") == {"T2"}


async def test_an_installation_stands_though_nobody_can_be_welcomed(fake: FakeSlack, store: SqliteStore) -> None:
    fake.fail("conversations.open", "user_disabled")
    async with many(fake, store) as slack:
        assert await install(fake, "T2") == 200
        await as_person(fake.wait_for, lambda: any(name == "conversations.open" for name, _ in fake.calls))
        assert await install(fake, "T3") == 200
        await as_person(fake.wait_for, lambda: fake.messages("DU1"))
        assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "sent"


async def test_a_right_that_is_missing_is_told_to_who_installed_us_and_a_new_installation_brings_it(
    fake: FakeSlack, store: SqliteStore
) -> None:
    await subscribed(store, "T2/C1", "T2/C2")
    fake.names["C1"] = "general"
    async with many(fake, store) as slack:
        await install(fake, "T2", user="U9")
        await store.pause(Address("slack", "T2/C1"), "missing_scope", wall_clock())
        fake.fail("chat.postMessage", "missing_scope")
        outcome = await slack.send(Address("slack", "T2/C1"), HELLO)
        assert (outcome.state, outcome.cause) == ("failed", "unwelcome")
        (notice,) = await store.records(Address("slack", "T2/DU9"), 1)
        assert "#general (missing_scope)" in notice.message.blocks[0].text
        assert notice.message.blocks[-1] == Link("Install again", "https://bot.example/slack/install")
        assert await enqueued(store, "T2/C1", "before") == "dead"
        await install(fake, "T2", user="U9")
        assert await enqueued(store, "T2/C1", "after") == "pending"


async def test_an_installation_that_somebody_else_began_is_refused(fake: FakeSlack, store: SqliteStore) -> None:
    async with many(fake, store):
        _, location, cookie = await fetch(fake, "/slack/install")
        query = fake.oauth.approve(location, "T2")
        statuses = [
            (await fetch(fake, f"/slack/oauth_redirect?{query}"))[0],
            (await fetch(fake, f"/slack/oauth_redirect?{query}", "slack-app-oauth-state=guess"))[0],
            (await fetch(fake, "/slack/oauth_redirect?code=x&state=guess", "slack-app-oauth-state=guess"))[0],
            (await fetch(fake, "/slack/oauth_redirect?error=access_denied"))[0],
        ]
        assert await store.installs("slack") == []
        assert (await fetch(fake, f"/slack/oauth_redirect?{query}", cookie))[0] == 200
        replayed = (await fetch(fake, f"/slack/oauth_redirect?{query}", cookie))[0]
        wrong_code = await fetch(fake, "/slack/install")
        state = wrong_code[2].partition("=")[2]
        refused = (await fetch(fake, f"/slack/oauth_redirect?code=wrong&state={state}", wrong_code[2]))[0]
    assert statuses == [400, 400, 401, 200]
    assert (replayed, refused) == (401, 401)
    assert [one.workspace for one in await store.installs("slack")] == ["T2"]


async def test_an_installation_takes_ten_minutes_at_most(fake: FakeSlack, store: SqliteStore) -> None:
    now = [wall_clock()]
    async with many(fake, store, now=lambda: now[0]):
        _, location, cookie = await fetch(fake, "/slack/install")
        query = fake.oauth.approve(location, "T2")
        now[0] += timedelta(minutes=10, seconds=1)
        assert (await fetch(fake, f"/slack/oauth_redirect?{query}", cookie))[0] == 401


async def test_a_whole_organisation_is_one_installation(fake: FakeSlack, store: SqliteStore) -> None:
    menu = Menu()
    async with many(fake, store, menu=menu) as slack:
        assert await install(fake, "T5", enterprise="E1") == 200
        for team in ("T5", "T6", None):
            await as_person(
                fake.command, "/rates", team_id=team or "", enterprise_id="E1", is_enterprise_install="true"
            )
        assert (await slack.send(Address("slack", "E1/C1"), HELLO)).state == "sent"
    assert [asked.address.chat for asked in menu.asked if asked.text == "/rates"] == ["E1/C1"] * 3
    assert tokens_used(fake, "chat.postMessage") == {"E1"}


async def test_the_workspace_of_the_settings_needs_no_installation(fake: FakeSlack, store: SqliteStore) -> None:
    async with many(fake, store, token=BOT) as slack:
        assert (await slack.send(Address("slack", "T1/C1"), HELLO)).state == "sent"
        assert (await slack.send(Address("slack", "T2/C9"), HELLO)).detail == UNINSTALLED
    assert tokens_used(fake, "chat.postMessage") == {"T1"}


@pytest.mark.parametrize("road", ROADS)
async def test_three_workspaces_at_once_never_meet(fake: FakeSlack, store: SqliteStore, road: str) -> None:
    teams = ("T1", "T2", "T3")
    fake.homes = {f"C{team}": team for team in teams}
    fake.people |= {f"U{team}": {"tz": "Asia/Tashkent"} for team in teams}
    menu = Menu()
    async with many(fake, store, road, menu=menu) as slack:
        for team in teams:
            await install(fake, team)
        order = random.Random(7).sample(teams * 100, 300)

        async def once(team: str, n: int) -> str:
            reply = await as_person(fake.command, "/rates", str(n), channel=f"C{team}", user=f"U{team}", team_id=team)
            await slack.send(Address("slack", f"{team}/C{team}", ""), Message((Paragraph(f"{team} {n}"),)))
            return str(reply.text)

        texts = []
        for start in range(0, 300, 30):
            texts += await asyncio.gather(*(once(team, start + n) for n, team in enumerate(order[start : start + 30])))
    assert texts == [f"heard /rates {n}" for n in range(300)]
    heard = [asked for asked in menu.asked if asked.text != "/start"]
    assert {(asked.address.chat, asked.user) for asked in heard} == {(f"{t}/C{t}", f"{t}/U{t}") for t in teams}
    assert len(heard) == 300
    for team in teams:
        assert {seen.text.split()[0] for seen in fake.messages(f"C{team}")} == {team}
        assert len(fake.messages(f"C{team}")) == 100
    assert fake.rejected == []
    assert sum(name == "auth.test" for name, _ in fake.calls) == 3  # at their installation


# --- tokens ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", KEY])
async def test_tokens_are_sealed_where_there_is_a_key(
    fake: FakeSlack, store: SqliteStore, tmp_path: Path, key: str
) -> None:
    async with many(fake, store, app=credentials(secret_key=key)):
        await install(fake, "T2")
    files = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert any(b"xoxb-canary-T2" in content for content in files) == (not key)
    slack = Slack("", "xapp-1", fake.api_url, store, wall_clock, admins=(), app=credentials(secret_key=key))
    assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "sent"
    await slack.close()


async def test_what_lay_open_is_sealed_once_there_is_a_key_and_another_key_opens_nothing(
    fake: FakeSlack, store: SqliteStore
) -> None:
    async with many(fake, store):
        await install(fake, "T2")
    async with many(fake, store, app=credentials(secret_key=KEY)) as slack:
        while "xoxb" in (await store.installs("slack"))[0].secret:
            await asyncio.sleep(0.01)
        assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "sent"
    for other in ("", "another-key-of-at-least-32-characters"):
        with structlog.testing.capture_logs() as lines:
            async with many(fake, store, app=credentials(secret_key=other)) as slack:
                assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "dead"
        assert any("SECRET_KEY" in line["event"] for line in lines)
    assert await store.installs("slack")  # nothing was thrown away


@pytest.mark.parametrize("road", ROADS)
async def test_a_token_about_to_end_is_renewed_though_nobody_speaks(
    fake: FakeSlack, store: SqliteStore, road: str
) -> None:
    fake.oauth.lives = 12 * 3600
    now = [wall_clock()]
    async with many(fake, store, road, now=lambda: now[0]):
        await install(fake, "T2")
        await install(fake, "T3")
    before = [one.secret for one in await store.installs("slack")]
    now[0] += timedelta(hours=11)
    async with many(fake, store, road, now=lambda: now[0]) as slack:
        while [one.secret for one in await store.installs("slack")][1] == before[1]:
            await asyncio.sleep(0.01)
        fake.oauth.teams = {token: team for token, team in fake.oauth.teams.items() if int(token.split("-")[-1]) > 4}
        assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "sent"
    assert fake.oauth.asked.count("refresh_token") == 2
    assert all(one.expires_at and one.expires_at > now[0] + AHEAD for one in await store.installs("slack"))


async def test_an_expired_token_is_renewed_once_and_the_message_goes(fake: FakeSlack, store: SqliteStore) -> None:
    fake.oauth.lives = 12 * 3600
    async with many(fake, store) as slack:
        await install(fake, "T2")
        fake.fail("chat.postMessage", *["token_expired"] * 5)
        chats = [Address("slack", f"T2/C{n}") for n in range(5)]
        outcomes = await asyncio.gather(*(slack.send(chat, HELLO) for chat in chats))
    assert [outcome.state for outcome in outcomes] == ["sent"] * 5
    assert fake.oauth.asked.count("refresh_token") == 1
    assert [len(fake.messages(f"C{n}")) for n in range(5)] == [1] * 5


async def test_a_token_that_cannot_be_renewed_is_no_reason_to_forget_anything(
    fake: FakeSlack, store: SqliteStore
) -> None:
    async with many(fake, store) as slack:
        await install(fake, "T2")
        fake.fail("chat.postMessage", "token_expired")
        outcome = await slack.send(Address("slack", "T2/C1"), HELLO)
        assert (outcome.state, outcome.cause) == ("pending", "fault")
        assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "sent"


# --- several processes -------------------------------------------------------------------------------


async def test_what_began_in_one_process_ends_in_another(fake: FakeSlack, store: SqliteStore) -> None:
    async with many(fake, store):
        _, location, cookie = await fetch(fake, "/slack/install")
        query = fake.oauth.approve(location, "T2")
    async with many(fake, store):
        assert (await fetch(fake, f"/slack/oauth_redirect?{query}", cookie))[0] == 200
        forged = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
        state = forged.partition("=")[2]
        assert (await fetch(fake, f"/slack/oauth_redirect?code=x&state={state}", forged))[0] == 401
    assert [one.workspace for one in await store.installs("slack")] == ["T2"]


async def test_a_token_that_another_process_was_given_is_none_that_is_refused(
    fake: FakeSlack, store: SqliteStore
) -> None:
    async with many(fake, store) as one, many(fake, store) as other:
        await install(fake, "T2")
        assert (await one.send(Address("slack", "T2/C1"), HELLO)).state == "sent"
        fake.oauth.teams.clear()
        await install(fake, "T2")  # the one that serves the pages is the other
        outcome = await one.send(Address("slack", "T2/C1"), HELLO)
        assert (outcome.state, outcome.cause) == ("pending", "fault")
        for slack in (one, other):
            assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "sent"


async def test_of_two_processes_that_renew_a_token_one_does(fake: FakeSlack, store: SqliteStore) -> None:
    fake.oauth.lives = 12 * 3600
    async with many(fake, store) as one, many(fake, store) as other:
        await install(fake, "T2")
        for slack in (one, other):
            assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "sent"
        fake.fail("chat.postMessage", *["token_expired"] * 2)
        both = await asyncio.gather(*(slack.send(Address("slack", "T2/C1"), HELLO) for slack in (one, other)))
    assert [outcome.state for outcome in both] == ["sent"] * 2


# --- removed, and back -----------------------------------------------------------------------------


async def subscribed(store: SqliteStore, *chats: str) -> None:
    for chat in chats:
        address = Address("slack", chat)
        await store.keep_chat(ChatSettings(address, "Asia/Almaty", "en"), [])
        await store.subscribe(
            Subscription(0, address, Schedule("daily"), Content(), created_at=wall_clock(), next_due=wall_clock())
        )


async def enqueued(store: SqliteStore, chat: str, event: str) -> str:
    """The state of a message put in for this chat."""
    now = wall_clock()
    out = Outgoing(event, Address("slack", chat), "article", HELLO, now, now + timedelta(hours=6))
    await store.enqueue([out], now)
    return (await store.records(Address("slack", chat), 1, event=event))[0].state


@pytest.mark.parametrize(
    "event",
    [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": ["UBOT"]}}],
    ids=lambda event: event["type"],
)
@pytest.mark.parametrize("road", ROADS)
async def test_a_workspace_that_removes_us_is_silent_at_once_and_back_as_it_was(
    fake: FakeSlack, store: SqliteStore, tmp_path: Path, road: str, event: dict[str, Any]
) -> None:
    await subscribed(store, "T2/C1", "T2/C2", "T3/C3", "T20/C4")
    async with many(fake, store, road) as slack:
        for team in ("T2", "T3", "T20"):
            await install(fake, team)
        assert await enqueued(store, "T2/C1", "before") == "pending"
        await store.pause(Address("slack", "T2/C2"), "is_archived", wall_clock())
        await as_person(fake.happen, event, team_id="T2")
        async with asyncio.timeout(10):
            while await store.install("slack", "T2") is not None:
                await asyncio.sleep(0.01)
        with closing(sqlite3.connect(tmp_path / "yamchi.db")) as db:
            while db.execute("SELECT count(*) FROM inbox WHERE state <> 'done'").fetchone() != (0,):
                await asyncio.sleep(0.01)  # whoever installed us is welcomed
            assert db.execute("SELECT secret FROM installs WHERE workspace = 'T2'").fetchall() == [("",)]
        said = len(fake.called_with)
        assert (await slack.send(Address("slack", "T2/C1"), HELLO)).cause == "workspace"
        await slack.check()
        assert len(fake.called_with) - said == (1 if road == "socket" else 0)  # of the app's own token
        assert (await store.records(Address("slack", "T2/C1"), 1, event="before"))[0].state == "dead"
        assert await enqueued(store, "T2/C1", "while") == "dead"
        assert await enqueued(store, "T3/C3", "while") == await enqueued(store, "T20/C4", "while") == "pending"
        assert (await slack.send(Address("slack", "T3/C3"), HELLO)).state == "sent"

        await install(fake, "T2")
        assert await enqueued(store, "T2/C1", "after") == "pending"
        assert await enqueued(store, "T2/C2", "after") == "dead"  # archived is archived
        assert len(await store.subscriptions(Address("slack", "T2/C1"))) == 1
        assert (await slack.send(Address("slack", "T2/C1"), HELLO)).state == "sent"


async def test_a_persons_revoked_token_is_none_of_ours(fake: FakeSlack, store: SqliteStore) -> None:
    async with many(fake, store):
        await install(fake, "T2")
        await as_person(fake.happen, {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}, team_id="T2")
        await as_person(fake.command, "/rates", team_id="T2")
        assert await store.install("slack", "T2")


async def test_a_refused_token_is_believed_when_asked_again(fake: FakeSlack, store: SqliteStore) -> None:
    await subscribed(store, "T2/C1")
    async with many(fake, store) as slack:
        await install(fake, "T2")
        fake.fail("chat.postMessage", "invalid_auth")
        outcome = await slack.send(Address("slack", "T2/C1"), HELLO)
        assert (outcome.state, outcome.cause) == ("pending", "fault")
        fake.oauth.teams.clear()  # revoked, and no event came
        outcomes = await asyncio.gather(*(slack.send(Address("slack", f"T2/C{n}"), HELLO) for n in range(5)))
        assert {(outcome.state, outcome.cause) for outcome in outcomes} == {("dead", "workspace")}
        assert await store.install("slack", "T2") is None
    assert await enqueued(store, "T2/C1", "after") == "dead"


async def test_a_platform_that_failed_us_brings_no_uninstalled_workspace_back(store: SqliteStore) -> None:
    from bot.models import Install

    now = wall_clock()
    await subscribed(store, "T2/C1", "T3/C1")
    await store.keep_install(Install("slack", "T2", "x"), now)
    assert await store.drop_install("slack", "T2", now)
    assert not await store.drop_install("slack", "T2", now)
    await store.pause(Address("slack", "T3/C1"), "no_permission", now)
    assert await store.reprieve("slack", now - timedelta(minutes=1), now) == 1
    assert await enqueued(store, "T2/C1", "e") == "dead"
    assert await enqueued(store, "T3/C1", "e") == "pending"
    assert not await store.renew_install(Install("slack", "T2", "late"))


@pytest.mark.parametrize(("days", "left"), [(29, 1), (31, 0)])
async def test_a_month_later_nothing_is_kept_of_it(store: SqliteStore, days: int, left: int) -> None:
    from bot.models import Install

    now = wall_clock()
    await subscribed(store, "T2/C1", "T20/C1")
    await store.keep_install(Install("slack", "T2", "x"), now)
    await store.drop_install("slack", "T2", now)
    await store.prune(now + timedelta(days=days))
    assert len(await store.subscriptions(Address("slack", "T2/C1"))) == left
    assert (await store.chat(Address("slack", "T2/C1")) is not None) == bool(left)
    assert len(await store.subscriptions(Address("slack", "T20/C1"))) == 1


async def test_an_older_database_learns_of_workspaces(tmp_path: Path) -> None:
    db = Database(tmp_path / "old.db")
    migrations.apply(db, stop_before="m017_installs")
    assert "installs" not in db.table_names()
    migrations.apply(db)
    assert db.table("installs").count == 0
    db.close()
