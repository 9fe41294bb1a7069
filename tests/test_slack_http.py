"""HTTP mode: who is let in, and that everything behind the door is the same as behind the socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from bot.message import Button, Message, Paragraph
from storage.sqlite import SqliteStore
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_courier import COMMAND, Courier, forgeries, signature
from tests.slack_chat import NOW, ROADS, Menu, as_person, speaking


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


async def test_twelve_forged_or_replayed_requests_are_twelve_times_401(fake: FakeSlack, store: SqliteStore) -> None:
    menu, forged = Menu(), forgeries(int(NOW.timestamp()))
    async with speaking(fake, store, menu, "http"):
        assert fake.courier
        statuses = {name: (await as_person(fake.courier.post, *made))[0] for name, made in forged.items()}
        assert await store.waiting_updates("slack", 10) == []
        reply = await as_person(fake.command, "/rates")
    assert statuses == dict.fromkeys(forged, 401)
    assert len(statuses) == 12
    assert [asked.text for asked in menu.asked] == ["/rates"]
    assert reply.text == "heard /rates"


async def test_a_request_replayed_within_its_five_minutes_has_one_effect(fake: FakeSlack, store: SqliteStore) -> None:
    menu = Menu()
    async with speaking(fake, store, menu, "http"):
        reply = await as_person(fake.command, "/subscribe", "daily 09:00", times=4)
        await as_person(fake.command, "/rates")
    assert [asked.text for asked in menu.asked] == ["/subscribe daily 09:00", "/rates"]
    assert len(reply.answers) == 1


async def test_what_is_signed_and_cannot_be_read_is_refused_and_blocks_nobody(
    fake: FakeSlack, store: SqliteStore
) -> None:
    stamp = str(int(NOW.timestamp()))
    async with speaking(fake, store, Menu(), "http"):
        courier = fake.courier
        assert courier
        for body, content, expected in (
            (b"{", "application/json", 400),
            (b"[" * 100_000, "application/json", 400),
            (b"payload=%7B", "application/x-www-form-urlencoded", 400),
            (b"[1]", "application/json", 400),
            (b"x" * (1 << 20), "text/plain", 404),
            (b"x" * (1 << 21), "text/plain", 413),
        ):
            signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature(body, stamp)}
            status, _ = await as_person(courier.post, body, {"Content-Type": content, **signed})
            assert status == expected, body[:20]
        assert (await as_person(fake.command, "/rates")).text == "heard /rates"


async def test_slack_learns_that_the_page_is_ours(fake: FakeSlack, store: SqliteStore) -> None:
    async with speaking(fake, store, Menu(), "http"):
        assert fake.courier
        challenge = {"type": "url_verification", "challenge": "c-123", "token": "old"}
        status, body = await as_person(fake.courier.bring, "events_api", challenge)
        forged = Courier(fake.courier.url, fake.courier.now, "another secret")
        refused, _ = await as_person(forged.bring, "events_api", challenge)
    assert (status, json.loads(body)) == (200, {"challenge": "c-123"})
    assert refused == 401


async def test_before_and_after_it_listens_slack_is_told_to_come_again(fake: FakeSlack, store: SqliteStore) -> None:
    async with speaking(fake, store, Menu(), "http") as slack:
        assert fake.courier
        await as_person(fake.wait_for, lambda: slack.health().ok)
        assert slack._door
        slack._door.shut()
        status, _ = await as_person(fake.courier.bring, "slash_commands", COMMAND)
        assert not slack.health().ok
    assert status == 503


@pytest.mark.parametrize("road", ROADS)
async def test_both_roads_lead_to_the_same_answers(fake: FakeSlack, store: SqliteStore, road: str) -> None:
    menu = Menu(Message((Paragraph("1-6 of 7"),), (Button("Next", "/latest summit before:41"),)))
    async with speaking(fake, store, menu, road):
        first = await as_person(fake.command, "/latest", "summit &amp; rail")
        following = await as_person(fake.press, first.seen, "Next")
    assert [asked.text for asked in menu.asked] == ["/latest summit & rail", "/latest summit before:41"]
    assert {(asked.address.chat, asked.user, asked.zone) for asked in menu.asked} == {("T1/C1", "T1/U1", "Asia/Almaty")}
    assert following.seen.raw["replace_original"] is True
    assert first.seen.user == following.seen.user == "U1"
    assert fake.rejected == []


@pytest.mark.parametrize("road", ROADS)
async def test_the_acknowledgement_is_empty_and_waits_for_nobody(
    fake: FakeSlack, store: SqliteStore, road: str
) -> None:
    async with speaking(fake, store, Menu(takes=2), road):
        replies = await asyncio.gather(*(as_person(fake.command, "/rates", user=f"U{n}") for n in range(4)))
    assert all(reply.acked_after < 1 for reply in replies)
    assert [len(reply.answers) for reply in replies] == [1] * 4


async def test_the_door_opens_for_a_bot_token_that_is_good(fake: FakeSlack, store: SqliteStore) -> None:
    async with speaking(fake, store, Menu(), "http") as slack:
        await slack.check()
    assert [name for name, _ in fake.calls] == ["auth.test"]
