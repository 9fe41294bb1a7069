"""The console: every kind of message as paper shows it, and a conversation through real pipes and a terminal."""

import asyncio
import os
import pty
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.message import Button, Heading, Link, Message, Paragraph, Span, Table
from bot.models import Address, Answer, Request
from handlers.console import Console, print_message, render
from tests.golden import golden
from tests.kinds import kinds

HERE = Address("console", "local")


async def echo(ask: Request) -> Answer:
    return Answer(Message((Paragraph(f"heard {ask.text}"),)))


@asynccontextmanager
async def piped(tmp_path, **options):
    """A console on pipes: (console, write end, what it printed so far)."""
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as stdin, (tmp_path / "out").open("w", encoding="utf-8") as stdout:
        yield Console(stdin, stdout, **options), writing, lambda: (tmp_path / "out").read_text("utf-8")


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_of_message_looks_as_it_did(kind):
    golden(f"console/{kind}.txt", render(kinds()[kind]))


@pytest.mark.parametrize("kind", kinds())
def test_links_are_whole_lines(kind):
    message = kinds()[kind]
    lines = render(message).splitlines()
    assert all(block.url in lines for block in message.blocks if isinstance(block, Link))


def test_the_sample_edition_says_so():
    assert render(replace(kinds()["board"], sample=True)).splitlines()[0] == "SAMPLE"


def test_no_terminal_escape_and_no_markup_passes():
    wicked = "a\x1b[31mb\x07c\x9bd\u202ee [bold]f[/bold] :smile:"
    message = Message(
        (
            Heading(wicked),
            Paragraph(wicked, (Span(0, 3, "bold"),)),
            Link(wicked, "https://x.example/\x1b]8;;evil\n"),
            Table(wicked, (("a", wicked),)),
        ),
        (Button(wicked, f"/latest {wicked}"),),
    )
    text = render(message)
    assert not any(sign in text for sign in "\x1b\x07\x9b\u202e")
    assert text.count("[bold]f[/bold] :smile:") == 6


def test_a_long_message_loses_no_text():
    words = [f"word{number}" for number in range(5000)]
    message = Message(
        (Paragraph(" ".join(words)), Table("", tuple((f"{'label' * 20}{n}", "1" * 90) for n in range(3))))
    )
    text = render(message)
    assert text.split()[: len(words)] == words
    assert text.count("1") >= 270
    assert text.count("b") == 60


def test_a_stream_that_knows_no_arrows_gets_a_question_mark(tmp_path):
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        print_message(kinds()["latest"], stream)
    assert "? /latest summit before:102" in (tmp_path / "out").read_text("ascii")


async def test_piped_lines_are_answered_in_order_without_prompt_or_colour(tmp_path):
    async with piped(tmp_path, when_silent="/digest") as (console, writing, printed):
        os.write(writing, "/rates\n\n  /latest саммит  \n/help".encode())
        os.close(writing)
        await asyncio.wait_for(console.listen(echo), 10)
        assert printed() == "heard /rates\n\nheard /latest саммит\n\nheard /help\n\n"


async def test_nothing_piped_asks_what_it_was_told_to(tmp_path):
    async with piped(tmp_path, when_silent="/digest") as (console, writing, printed):
        os.close(writing)
        await asyncio.wait_for(console.listen(echo), 10)
        assert printed() == "heard /digest\n\n"


async def test_a_service_whose_input_is_empty_stays_silent(tmp_path):
    async with piped(tmp_path) as (console, writing, printed):
        os.close(writing)
        await asyncio.wait_for(console.listen(echo), 10)
        assert printed() == ""


@pytest.mark.parametrize("farewell", ["exit", "quit", "/QUIT"])
async def test_a_farewell_ends_it(tmp_path, farewell):
    async with piped(tmp_path) as (console, writing, printed):
        os.write(writing, f"/one\n{farewell}\n/two\n".encode())
        await asyncio.wait_for(console.listen(echo), 10)
        os.close(writing)
        assert printed() == "heard /one\n\n"


async def test_bytes_that_are_no_text_and_endless_lines_do_no_harm(tmp_path):
    async with piped(tmp_path) as (console, writing, printed):
        listening = asyncio.create_task(console.listen(echo))
        await asyncio.to_thread(os.write, writing, b"\xff\xfe/rates\n" + b"x" * 200_000)
        os.close(writing)
        await asyncio.wait_for(listening, 10)
        assert printed().startswith("heard \ufffd\ufffd/rates\n")
        assert printed().count("x") == 200_000


async def test_a_waiting_console_can_be_cancelled(tmp_path):
    async with piped(tmp_path) as (console, writing, _):
        listening = asyncio.create_task(console.listen(echo))
        await asyncio.sleep(0.05)
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(listening, 10)
        os.close(writing)


async def test_a_reader_who_left_ends_it(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    source = tmp_path / "in"
    source.write_text("/rates\n" * 3, "utf-8")
    with source.open(encoding="utf-8") as stdin, os.fdopen(writing, "w", encoding="utf-8") as stdout:
        await asyncio.wait_for(Console(stdin, stdout).listen(echo), 10)


async def test_a_pushed_message_is_sent(tmp_path):
    async with piped(tmp_path) as (console, writing, printed):
        outcome = await console.send(HERE, Message((Paragraph("news"),)))
        assert (outcome.state, printed()) == ("sent", "news\n\n")
        os.close(writing)


@asynccontextmanager
async def terminal():
    """A console on a pseudo-terminal: (console, what a person types into, what the screen got)."""
    person, program = pty.openpty()
    screen = bytearray()
    loop = asyncio.get_running_loop()
    loop.add_reader(person, lambda: screen.extend(os.read(person, 65536)))
    with (
        os.fdopen(program, "r+b", buffering=0) as raw,
        os.fdopen(os.dup(raw.fileno()), encoding="utf-8") as stdin,
        os.fdopen(os.dup(raw.fileno()), "w", encoding="utf-8") as stdout,
    ):
        yield Console(stdin, stdout, when_silent="/digest"), person, lambda: screen.decode("utf-8", "replace")
    loop.remove_reader(person)
    os.close(person)


async def until(screen, text: str) -> None:
    async with asyncio.timeout(10):
        while text not in screen():
            await asyncio.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
async def test_a_terminal_gets_a_welcome_a_prompt_and_its_prompt_back():
    async with terminal() as (console, person, screen):
        listening = asyncio.create_task(console.listen(echo))
        await until(screen, "heard /start\r\n\r\n› ")
        await console.send(HERE, Message((Heading("pushed"),)))
        await until(screen, "\r\x1b[K\x1b[1mpushed\x1b[0m\r\n\r\n› ")
        os.write(person, b"/rates\n")
        await until(screen, "heard /rates\r\n\r\n› ")
        os.write(person, b"\x04")
        await asyncio.wait_for(listening, 10)
        await until(screen, "› \r\n")
        assert "/digest" not in screen()


async def test_a_stream_that_is_gone_fails_the_push(tmp_path):
    async with piped(tmp_path) as (console, writing, _):
        os.close(writing)
    assert (await console.send(HERE, Message((Paragraph("news"),)))).state == "failed"


async def test_a_process_without_input_listens_to_nobody(tmp_path):
    with (tmp_path / "out").open("w", encoding="utf-8") as stdout:
        console = Console(None, stdout)
        await asyncio.wait_for(console.listen(echo), 10)
        assert console.health().ok
    assert (tmp_path / "out").read_text("utf-8") == ""
