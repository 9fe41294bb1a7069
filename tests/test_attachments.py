"""Pictures and files on their way: Telegram's uploads, Slack's three steps, the console's plain text."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.message import Message, Paragraph, Picture
from bot.models import Address, Answer, Request
from handlers.console import print_message, render
from handlers.slack import Slack
from handlers.telegram import Telegram
from handlers.telegram.render import CAPTION_UNITS, units
from storage.sqlite import SqliteStore
from tests.fakes.faults import reset_after, status
from tests.fakes.slack import APP, BOT, FakeSlack, Reply
from tests.fakes.telegram import FakeTelegram, refusal
from tests.fakes.telegram_server import TOKEN, Said
from tests.kinds import kinds

CHART, EXPORT = kinds()["chart"], kinds()["export"]
PRIVATE = Address("telegram", "7")
PNG = b"\x89PNG"
FIGURES = "1 USD = 471.12 KZT"


# --- Telegram ----------------------------------------------------------------


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    with FakeTelegram() as fake:
        fake.open(7)
        yield fake


@pytest.fixture
async def chat(telegram: FakeTelegram, store: SqliteStore) -> AsyncIterator[Telegram]:
    chat = Telegram(TOKEN, telegram.url, store, lambda: datetime.now(UTC))
    yield chat
    await chat.close()


async def pushed(telegram: FakeTelegram, chat: Telegram, message: Message) -> list[Said]:
    assert (await chat.send(PRIVATE, message)).state == "sent"
    return telegram.messages(7)


async def test_a_chart_is_a_photo_with_its_figures_below_and_its_buttons(telegram: FakeTelegram, chat: Telegram):
    (said,) = await pushed(telegram, chat, CHART)
    assert said.photo and said.file and said.file[1].startswith(PNG)
    assert said.text.startswith(FIGURES)
    assert said.buttons["90 days"] == "/chart USD/KZT 90d"
    assert telegram.rejected == []


async def test_a_chart_goes_up_once_and_by_its_name_from_then_on(telegram: FakeTelegram, chat: Telegram):
    def uploads() -> int:
        return sum(b"chart.png" in seen.body for seen in telegram.asked(f"/bot{TOKEN}/sendPhoto"))

    for number in (1, 2, 3):
        said = (await pushed(telegram, chat, CHART))[-1]
        assert said.photo and said.buttons and said.text.startswith(FIGURES)
        assert (telegram.calls["sendPhoto"], uploads()) == (number, 1)
    telegram._files.clear()
    assert (await pushed(telegram, chat, CHART))[-1].photo
    assert (telegram.calls["sendPhoto"], uploads()) == (5, 2)
    assert telegram.rejected == ["sendPhoto: Bad Request: wrong file identifier/HTTP URL specified"]


async def test_a_file_is_a_document(telegram: FakeTelegram, chat: Telegram):
    (said,) = await pushed(telegram, chat, EXPORT)
    assert said.file and not said.photo
    assert said.file[0] == "USD-KGS_2026-11-22_2026-11-23.csv"
    assert said.file[1].decode().splitlines()[0] == "date,base,quote,rate,kind,source"
    assert said.text.startswith("USD/KGS")


async def test_a_topic_and_the_sample_mark_go_with_a_photo(telegram: FakeTelegram, chat: Telegram):
    telegram.open(-1005, "supergroup", {9})
    await chat.send(Address("telegram", "-1005", "9"), replace(CHART, sample=True))
    (said,) = telegram.messages(-1005)
    assert said.photo and said.thread == 9 and said.text.startswith("SAMPLE\n")


async def test_what_no_caption_holds_follows_in_a_message_of_its_own(telegram: FakeTelegram, chat: Telegram):
    long = Paragraph("and so on & on " * 60)
    photo, rest = await pushed(telegram, chat, replace(CHART, blocks=(*CHART.blocks, long)))
    assert photo.photo and units(photo.text) <= CAPTION_UNITS and photo.buttons == {}
    assert rest.text == long.text.strip() and "CSV" in rest.buttons


async def test_a_caption_that_is_too_long_is_cut(telegram: FakeTelegram, chat: Telegram):
    block = CHART.blocks[0]
    assert isinstance(block, Picture)
    (said,) = await pushed(telegram, chat, Message((replace(block, text="& 𝕏" * 600),)))
    assert said.photo and units(said.text) <= CAPTION_UNITS and said.text.endswith("…")


@pytest.mark.parametrize(
    "fault",
    [
        refusal(400, "Bad Request: IMAGE_PROCESS_FAILED"),
        refusal(400, "Bad Request: not enough rights to send photos to the chat"),
        status(413, "<html>Request Entity Too Large</html>"),
        reset_after,
    ],
)
async def test_a_photo_that_does_not_arrive_leaves_its_figures(telegram: FakeTelegram, chat: Telegram, fault):
    telegram.fails("sendPhoto", fault)
    said = (await pushed(telegram, chat, CHART))[-1]
    assert not said.photo and said.text.startswith(FIGURES) and "CSV" in said.buttons


async def test_a_file_that_does_not_arrive_leaves_its_lines(telegram: FakeTelegram, chat: Telegram):
    telegram.fails("sendDocument", refusal(400, "Bad Request: not enough rights to send documents to the chat"))
    (said,) = await pushed(telegram, chat, EXPORT)
    assert "2026-11-23,USD,KGS,87.4600,official,nbkr" in said.text


async def test_a_flood_asks_for_patience_not_for_text(telegram: FakeTelegram, chat: Telegram):
    telegram.fails("sendPhoto", refusal(429, "Too Many Requests", retry_after=3))
    assert (await chat.send(PRIVATE, CHART)).state == "pending"
    assert telegram.messages(7) == []


# --- Slack -------------------------------------------------------------------


@pytest.fixture
def fake() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


@pytest.fixture
async def slack(fake: FakeSlack, store: SqliteStore) -> AsyncIterator[Slack]:
    slack = Slack(BOT, APP, fake.api_url, store, lambda: datetime.now(UTC), admins=(), ping_interval=0.5)
    yield slack
    await slack.close()


@asynccontextmanager
async def answering(slack: Slack, message: Message) -> AsyncIterator[None]:
    async def ask(_: Request) -> Answer:
        return Answer(message)

    task = asyncio.create_task(slack.listen(ask))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def asked(fake: FakeSlack, slack: Slack, message: Message, channel: str = "C1") -> Reply:
    async with answering(slack, message):
        reply: Reply = await asyncio.to_thread(fake.command, "/ca", "chart", channel=channel)
        return reply


async def test_a_chart_is_shared_where_the_app_is_a_member_and_told_in_words(fake: FakeSlack, slack: Slack):
    reply = await asked(fake, slack, CHART)
    (shared,) = fake.shared
    assert shared.channel == "C1" and shared.content.startswith(PNG)
    assert shared.title == "1 USD in KZT, 26 Oct – 23 Nov 2026 · +1.06%"
    assert shared.alternative.startswith(FIGURES)
    assert reply.text.startswith(FIGURES) and len(reply.answers) == 1
    assert fake.rejected == []


@pytest.mark.parametrize("channel", ["C9", "D9"])
async def test_where_the_app_is_no_member_the_person_has_it_in_private(fake: FakeSlack, slack: Slack, channel: str):
    reply = await asked(fake, slack, EXPORT, channel)
    (shared,) = fake.shared
    assert (shared.channel, shared.name) == ("DU1", "USD-KGS_2026-11-22_2026-11-23.csv")
    assert "in your direct messages with me" in reply.text


@pytest.mark.parametrize("scope", ["files:write", "im:write"])
async def test_without_the_scope_the_figures_are_told_all_the_same(fake: FakeSlack, slack: Slack, scope: str):
    fake.missing_scopes.add(scope)
    reply = await asked(fake, slack, CHART, "C9")
    assert fake.shared == []
    assert FIGURES in reply.text and "could not be sent" in reply.text
    assert reply.seen.screen.links == [("https://api.slack.com/apps", "Install again")]


async def test_a_file_that_cannot_be_uploaded_is_answered_with_its_lines(fake: FakeSlack, slack: Slack):
    fake.web.fault("/upload/", status(500, "no"))
    reply = await asked(fake, slack, EXPORT)
    assert fake.shared == []
    assert "2026-11-23,USD,KGS,87.4600,official,nbkr" in reply.text


async def test_a_pushed_chart_follows_its_text_into_the_thread(fake: FakeSlack, slack: Slack):
    assert (await slack.send(Address("slack", "T1/C1", "17.1"), CHART)).state == "sent"
    assert fake.posted[0].text.startswith(FIGURES)
    assert (fake.shared[0].channel, fake.shared[0].thread) == ("C1", "17.1")


async def test_a_pushed_file_that_is_refused_is_told_in_words(fake: FakeSlack, slack: Slack):
    fake.fail("files.completeUploadExternal", "fatal_error")
    assert (await slack.send(Address("slack", "T1/C1"), EXPORT)).state == "sent"
    await asyncio.to_thread(fake.wait_for, lambda: len(fake.posted) == 2)
    assert "87.4600" in fake.posted[1].text


# --- the console -------------------------------------------------------------


def test_an_export_through_a_pipe_is_the_file_and_nothing_else():
    file = EXPORT.blocks[0]
    assert render(EXPORT) == getattr(file, "content", "")


def test_where_characters_are_few_a_chart_is_its_figures():
    paper = io.TextIOWrapper(io.BytesIO(), "ascii")
    print_message(CHART, paper)
    paper.seek(0)
    text = paper.read()
    assert text.startswith(FIGURES) and "???" not in text
    assert "┤" in render(CHART)


def test_on_narrow_paper_a_chart_is_its_figures():
    assert render(CHART, 30).startswith("1 USD = 471.12 KZT on 23 Nov")
