"""What follows up a story answers its first message, where a chat chose so: a thread in Slack, a reply elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.message import Message, Paragraph
from bot.models import Address
from handlers.slack import Slack
from handlers.slack.refusals import UNANSWERABLE
from handlers.telegram import Telegram
from storage.sqlite import SqliteStore
from tests.chats import Chats, open_chats, until
from tests.fakes.slack import APP, BOT, FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.slack_chat import clock

FIRST, LATER, ELSE = "Kazakhstan opens a new railway to China", "Kazakhstan opens new railway to China", "Rain in Osh"
TEXT = Message((Paragraph("salem"),))


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Chats]:
    with open_chats(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("chosen", ["answer", "apart"])
def test_a_follow_up_by_another_outlet_answers_the_first_message_in_both_chats(chats: Chats, chosen: str) -> None:
    one, other = chats.world.outlet("timesca"), chats.world.outlet("akchabar")
    chats.world.publish(one, "Old news")
    with chats.run(timedelta(hours=1)) as service:
        service.wait_for_log("feed read")
        chats.telegram.say(7, f"/settings followups {chosen}")
        chats.telegram.wait_for(7, lambda said: "Follow-ups: " in said.text)
        chats.slack.command("/ca", f"settings followups {chosen}")
        chats.telegram.say(7, "/follow news")
        chats.telegram.wait_for(7, lambda said: "As it happens" in said.text)
        chats.slack.command("/ca", "follow news")
        for feed, title in ((one, FIRST), (other, LATER), (one, ELSE)):
            chats.world.publish(feed, title, minutes=0)
            until(lambda title=title: chats.heard(7, title, digest=None) and chats.heard("C1", title), 30, title)
    said = {title: next(one for one in chats.telegram.messages(7) if title in one.text) for title in (FIRST, LATER)}
    seen = {t: next(one for one in chats.slack.messages("C1") if t in one.text) for t in (FIRST, LATER, ELSE)}
    answers = chosen == "answer"
    assert said[LATER].answers == (said[FIRST].id if answers else None)
    assert seen[LATER].raw.get("thread_ts") == (seen[FIRST].ts if answers else None)
    assert "thread_ts" not in seen[FIRST].raw and "thread_ts" not in seen[ELSE].raw
    assert chats.telegram.rejected == [] and chats.slack.rejected == []


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
async def slack(fake: FakeSlack, store: SqliteStore) -> AsyncIterator[Slack]:
    slack = Slack(BOT, APP, fake.api_url, store, clock, admins=())
    yield slack
    await slack.close()


@pytest.mark.parametrize("error", sorted(UNANSWERABLE))
async def test_where_slack_takes_no_answer_it_stands_beside(fake: FakeSlack, slack: Slack, error: str) -> None:
    fake.fail("chat.postMessage", error)
    assert (await slack.send(Address("slack", "T1/C1"), TEXT, answers="1699.1")).state == "sent"
    assert "thread_ts" not in fake.messages("C1")[0].raw


async def test_a_subscription_of_a_thread_stays_in_its_thread(fake: FakeSlack, slack: Slack) -> None:
    assert (await slack.send(Address("slack", "T1/C1", "1698.1"), TEXT, answers="1699.1")).state == "sent"
    assert fake.messages("C1")[0].raw["thread_ts"] == "1698.1"


async def test_an_answer_to_what_is_gone_from_telegram_comes_all_the_same(store: SqliteStore) -> None:
    with FakeTelegram() as fake:
        fake.open(7)
        telegram = Telegram(fake.token, fake.url, store, clock)
        first = await telegram.send(Address("telegram", "7"), TEXT)
        for answers in (first.message_id, "999"):
            assert (await telegram.send(Address("telegram", "7"), TEXT, answers=answers)).state == "sent"
        await telegram.close()
        assert [said.answers for said in fake.messages(7)] == [None, int(first.message_id), None]
