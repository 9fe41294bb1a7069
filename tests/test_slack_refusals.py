"""The whole table of what Slack refuses: what becomes of the message, of the channel, who is told, and the way back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.deliver import Deliverer
from bot.message import Message, Paragraph
from bot.models import Address, Content, DeliveryKind, Outgoing, Schedule, Subscription
from handlers.slack import Slack
from handlers.slack.refusals import outcome_of
from handlers.slack.wire import Refused
from storage.sqlite import SqliteStore
from tests.fakes.faults import html_page, status
from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.web import Fault

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HERE = Address("slack", "T1/C1")
OTHER = Address("slack", "T1/C2")

# error: (state, cause, whether the channel is paused at once, how many are told)
TABLE: dict[str, tuple[str, str, bool, int]] = {
    # the target is gone
    "is_archived": ("dead", "", True, 1),
    "user_not_found": ("dead", "", True, 1),
    "user_disabled": ("dead", "", True, 1),
    "messages_tab_disabled": ("dead", "", True, 1),
    "channel_not_found": ("failed", "unwelcome", False, 1),
    # not allowed here
    "not_in_channel": ("dead", "", True, 1),
    "no_permission": ("dead", "", True, 1),
    "restricted_action": ("dead", "", True, 1),
    "restricted_action_read_only_channel": ("dead", "", True, 1),
    "restricted_action_thread_only_channel": ("dead", "", True, 1),
    "restricted_action_non_threadable_channel": ("dead", "", True, 1),
    "restricted_action_thread_locked": ("dead", "", True, 1),
    "ekm_access_denied": ("dead", "", True, 1),
    "app_access_restricted": ("dead", "", True, 1),
    "cannot_reply_to_message": ("dead", "", True, 1),
    # the installation is dead; with a token of the settings that stops all of us, and pauses nobody
    "account_inactive": ("pending", "token", False, 0),
    "token_revoked": ("pending", "token", False, 0),
    "invalid_auth": ("pending", "token", False, 0),
    "not_authed": ("pending", "token", False, 0),
    "app_uninstalled": ("pending", "token", False, 0),
    "tokens_revoked": ("pending", "token", False, 0),
    "team_access_revoked": ("pending", "token", False, 0),
    "token_expired": ("pending", "token", False, 0),
    # a right is missing
    "missing_scope": ("failed", "unwelcome", False, 1),
    # slow down
    "ratelimited": ("pending", "flood", False, 0),
    "message_limit_exceeded": ("pending", "", False, 0),
    # trouble of Slack's
    "service_unavailable": ("pending", "fault", False, 0),
    "request_timeout": ("pending", "fault", False, 0),
    "team_added_to_org": ("pending", "fault", False, 0),
    "org_login_required": ("pending", "fault", False, 0),
    # nobody knows whether it arrived
    "fatal_error": ("unknown", "", False, 0),
    "internal_error": ("unknown", "", False, 0),
    # our fault
    "invalid_blocks": ("failed", "body", False, 0),
    "invalid_blocks_format": ("failed", "body", False, 0),
    "msg_blocks_too_long": ("failed", "body", False, 0),
    "msg_too_long": ("failed", "body", False, 0),
    "no_text": ("failed", "body", False, 0),
    "invalid_arguments": ("failed", "body", False, 0),
    "invalid_arg_name": ("failed", "body", False, 0),
    "invalid_array_arg": ("failed", "body", False, 0),
    "too_many_attachments": ("failed", "body", False, 0),
    "metadata_too_large": ("failed", "body", False, 0),
    # a word we do not know
    "something_new": ("failed", "", False, 0),
}


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


class Clock:
    """Runs on from NOW; `skipped` puts it ahead."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.skipped = timedelta(0)

    def __call__(self) -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - self.began) + self.skipped


@asynccontextmanager
async def delivering(fake: FakeSlack, store: SqliteStore, clock: Clock) -> AsyncIterator[Deliverer]:
    slack = Slack(BOT, APP, fake.api_url, store, clock, admins=())
    deliverer = Deliverer(
        store=store, chats={"slack": slack}, clock=clock, owner="me", crash=lambda _: None, luck=lambda: 0.0
    )
    task = asyncio.create_task(deliverer.run())
    try:
        yield deliverer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await slack.close()


async def subscribe(store: SqliteStore, address: Address = HERE) -> None:
    await store.subscribe(Subscription(0, address, Schedule("daily"), Content(), created_at=NOW, created_by="T1/U1"))


async def put_in(store: SqliteStore, clock: Clock, event: str, address: Address = HERE,
                 kind: DeliveryKind = "digest") -> None:  # fmt: skip
    text, now = Message((Paragraph(event),)), clock()
    await store.enqueue([Outgoing(event, address, kind, text, now, now + timedelta(hours=6))], now)


async def state(store: SqliteStore, event: str, address: Address = HERE) -> str:
    return (await store.records(address, 1, event=event))[0].state


async def until(store: SqliteStore, event: str, *states: str, address: Address = HERE) -> None:
    async with asyncio.timeout(20):
        while await state(store, event, address) not in states:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("error", TABLE)
def test_what_a_refusal_means(error: str) -> None:
    outcome = outcome_of(Refused(429 if error == "ratelimited" else 200, error), NOW)
    assert (outcome.state, outcome.cause) == TABLE[error][:2]


@pytest.mark.parametrize("error", [error for error, row in TABLE.items() if row[2]])
async def test_a_channel_that_refuses_us_is_paused_told_of_once_and_comes_back(
    fake: FakeSlack, store: SqliteStore, error: str
) -> None:
    clock = Clock()
    await subscribe(store)
    fake.fail("chat.postMessage", error)
    async with delivering(fake, store, clock):
        await put_in(store, clock, "first")
        await until(store, "first", "dead")
        await until(store, "paused:", "sent", address=Address("slack", "T1/DU1"))
        for event in ("second", "third"):  # nothing is asked of Slack any more
            await put_in(store, clock, event)
            assert await state(store, event) == "dead"
        notices = fake.messages("DU1")
        assert len(notices) == 1
        assert f"#C1 ({error})" in notices[0].text
        assert len(await store.subscriptions(HERE)) == 1
        assert await store.revive(HERE)  # somebody speaks there, or lets us in
        await put_in(store, clock, "fourth")
        await until(store, "fourth", "sent")
    assert [seen.text for seen in fake.messages("C1")] == ["fourth"]


@pytest.mark.parametrize("error", [error for error, row in TABLE.items() if not row[2] and row[1] != "token"])
async def test_what_is_not_the_channels_doing_never_pauses_it(fake: FakeSlack, store: SqliteStore, error: str) -> None:
    clock = Clock()
    await subscribe(store)
    fake.fail("chat.postMessage", error)
    async with delivering(fake, store, clock):
        await put_in(store, clock, "first", kind="alert")
        await until(store, "first", "sent", "failed", "unknown", "pending", "expired")
        while not any(name == "chat.postMessage" for name, _ in fake.calls):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        clock.skipped += timedelta(minutes=5)  # what waits may go now, and flooding has passed
        if error == "message_limit_exceeded":
            assert await state(store, "first") in ("pending", "expired")
        else:
            await put_in(store, clock, "second", OTHER, kind="alert")
            await until(store, "second", "sent", address=OTHER)
    assert await store.revive(HERE) == (TABLE[error][1] == "unwelcome")  # a strike, no more
    direct = [seen for seen in fake.posted if seen.channel == "DU1"]
    assert len(direct) == TABLE[error][3]
    assert len(await store.subscriptions(HERE)) == 1


async def test_a_channel_that_hides_is_given_three_tries_in_more_than_a_day(
    fake: FakeSlack, store: SqliteStore
) -> None:
    clock = Clock()
    await subscribe(store)
    async with delivering(fake, store, clock):
        for day in range(3):
            fake.fail("chat.postMessage", "channel_not_found")
            await put_in(store, clock, f"day {day}")
            await until(store, f"day {day}", "failed")
            await until(store, "paused:", "sent", address=Address("slack", "T1/DU1"))
            clock.skipped += timedelta(hours=13)
        await put_in(store, clock, "day 3")
        assert await state(store, "day 3") == "dead"
    assert len(fake.messages("DU1")) == 1


async def test_blocks_that_are_refused_go_once_as_bare_words(fake: FakeSlack, store: SqliteStore) -> None:
    clock = Clock()
    fake.fail("chat.postMessage", "msg_blocks_too_long")
    async with delivering(fake, store, clock):
        await put_in(store, clock, "first")
        await until(store, "first", "sent")
    (seen,) = fake.messages("C1")
    assert "blocks" not in seen.raw


@pytest.mark.parametrize("page", [html_page(), status(502, "<html>Bad gateway</html>")], ids=["200", "502"])
async def test_a_proxys_page_of_trouble_is_trouble(fake: FakeSlack, store: SqliteStore, page: Fault) -> None:
    slack = Slack(BOT, APP, fake.api_url, store, Clock(), admins=())
    fake.web.fault("/api/chat.postMessage", page, 1)
    outcome = await slack.send(HERE, Message((Paragraph("x"),)))
    await slack.close()
    assert outcome.state in ("pending", "unknown")
    assert outcome.cause in ("fault", "")
    assert not await store.revive(HERE)


async def test_a_dead_token_stops_all_and_pauses_nobody(fake: FakeSlack, store: SqliteStore) -> None:
    clock = Clock()
    await subscribe(store)
    fake.tokens.discard(BOT)
    async with delivering(fake, store, clock) as deliverer:
        await put_in(store, clock, "first")
        while not deliverer.health():
            await asyncio.sleep(0.02)
        assert "refuses our token" in deliverer.health()["sending on slack"].detail
    assert await state(store, "first") == "pending"
    assert not await store.revive(HERE)
