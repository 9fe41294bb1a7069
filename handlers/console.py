"""The chat that needs no token: a terminal, or lines through a pipe."""

from __future__ import annotations

import asyncio
import codecs
import io
import os
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final, TextIO

import rich.console
from rich.table import Table as Grid
from rich.text import Text

from bot.echo import visible
from bot.message import Block, Button, File, Heading, Link, Message, Paragraph, Picture, Table
from bot.models import Address, Health, Outcome, Request
from bot.pace import Limits, Pace
from bot.ports import Ask, Page

HERE: Final = Address("console", "local")
PROMPT: Final = "› "
WIDTH: Final = 80
"""Columns where nobody tells how wide the paper is."""
LONGEST_LINE: Final = 65536
FAREWELLS: Final = frozenset({"exit", "quit", "/exit", "/quit"})
SAMPLE_MARK: Final = "SAMPLE"
_ERASE_LINE: Final = "\r\x1b[K"


class Console:
    """A person at a terminal, or whatever is piped in; pushed messages are printed in between.

    stdin: needs a file descriptor; None where the process was given none
    when_silent: what is asked if nothing at all was piped in
    """

    platform = "console"
    pace = Pace(Limits())

    def __init__(self, stdin: TextIO | None, stdout: TextIO, *, when_silent: str = "") -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._terminal = stdin is not None and stdin.isatty() and stdout.isatty()
        self._when_silent = when_silent
        self._prompting = False

    async def check(self) -> None:
        """There is nobody to refuse us."""

    async def listen(self, ask: Ask) -> None:
        """Answer line by line, in order, until the input ends or says exit."""
        try:
            await self._converse(ask)
        except BrokenPipeError:
            # whoever read us has left; nor may the interpreter trip over it at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stdout.fileno())
        finally:
            if self._prompting:
                self._prompting = False
                self._write("\n")

    async def send(self, address: Address, message: Message, *, plain: bool = False, answers: str = "") -> Outcome:
        """Print a message that nobody asked for; a prompt is put back behind it."""
        try:
            self._show(message)
        except (OSError, ValueError) as error:
            return Outcome("failed", str(error))
        return Outcome("sent")

    async def edit(self, address: Address, message_id: str, message: Message, *, plain: bool = False) -> Outcome:
        return Outcome("failed", "what stands in a terminal stays as it is")

    def health(self) -> Health:
        return Health(ok=True, detail="terminal" if self._terminal else "pipe")

    def pages(self) -> dict[str, Page]:
        return {}

    async def close(self) -> None:
        """The streams are not ours to close."""

    async def _converse(self, ask: Ask) -> None:
        heard = self._terminal
        if self._terminal:
            await self._answer(ask, "/start")
            self._prompt()
        async for line in self._lines():
            self._prompting = False
            heard = heard or bool(line)
            if line.casefold() in FAREWELLS:
                return
            if line:
                await self._answer(ask, line)
            self._prompt()
        if not heard and self._when_silent:
            await self._answer(ask, self._when_silent)

    async def _answer(self, ask: Ask, line: str) -> None:
        answer = await ask(Request(HERE, line))
        self._show(answer.message)

    async def _lines(self) -> AsyncIterator[str]:
        if self._stdin is None:
            return
        decode = codecs.getincrementaldecoder(self._stdin.encoding)("replace").decode
        rest = ""
        while data := await _read(self._stdin.fileno()):
            *lines, rest = (rest + decode(data)).split("\n")
            for line in lines:
                yield line.strip()
            if len(rest) > LONGEST_LINE:
                yield rest
                rest = ""
        if rest.strip():
            yield rest.strip()

    def _show(self, message: Message) -> None:
        prompting = self._prompting
        if prompting:
            self._write(_ERASE_LINE)
        self._write(_worded(message, self._stdout, colours=self._terminal) + "\n")
        if prompting:
            self._prompt()

    def _prompt(self) -> None:
        if self._terminal:
            self._prompting = True
            self._write(PROMPT)

    def _write(self, text: str) -> None:
        _write(self._stdout, text)


def print_message(message: Message, stream: TextIO) -> None:
    """Print one message: coloured on a terminal, plain elsewhere."""
    _write(stream, _worded(message, stream, colours=stream.isatty()))


def render(message: Message, width: int = WIDTH, *, dots: bool = True) -> str:
    """The message as plain text: nothing of it is cut, links stand whole on a line of their own; of a file
    there is its content alone. dots: whether the reader has characters to draw a chart with.
    """
    page = io.StringIO()
    _lay_out(message, _paper(page, width, colours=False), dots=dots)
    return "".join(f"{line.rstrip()}\n" for line in page.getvalue().splitlines())


def _worded(message: Message, stream: TextIO, *, colours: bool) -> str:
    dots = (stream.encoding or "utf-8").casefold().startswith("utf")
    if not colours:
        return render(message, dots=dots)
    page = io.StringIO()
    _lay_out(message, _paper(page, rich.console.Console(file=stream).width, colours=True), dots=dots)
    return page.getvalue()


def _paper(page: TextIO, width: int, *, colours: bool) -> rich.console.Console:
    """Paper that takes text as it is: no markup, no emoji names, no highlighting."""
    return rich.console.Console(
        file=page,
        width=width,
        force_terminal=colours,
        color_system="standard" if colours else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def _lay_out(message: Message, paper: rich.console.Console, *, dots: bool) -> None:
    if message.sample:
        paper.print(Text(SAMPLE_MARK, style="reverse"))
    before: Block = Heading("")
    for block in message.blocks:
        if isinstance(block, Heading | Link | Table) and not isinstance(before, Heading):
            paper.print()
        if dots and isinstance(block, Picture):
            _draw(block, paper)
        _print_block(block, paper)
        before = block
    if message.buttons:
        paper.print()
        _print_buttons(message.buttons, paper)


def _print_block(block: Block, paper: rich.console.Console) -> None:
    match block:
        case Heading():
            paper.print(Text(_plain(block.text), style="bold"))
        case Paragraph():
            text = Text(_plain(block.text), style="dim" if block.small else "")
            for span in block.spans:
                text.stylize("cyan" if span.style == "code" else span.style, span.start, span.end)
            paper.print(text)
        case Link():
            paper.print(Text(_plain(block.text), style="bold"))
            paper.print(Text(_plain(block.url).replace("\n", ""), style="blue"), soft_wrap=True)
        case Table():
            paper.print(_grid(block))
        case Picture():
            paper.print(Text(_plain(block.text)))
        case File():
            if paper.is_terminal:
                paper.print(Text(_plain(block.text), style="dim"))
            paper.print(Text(_plain(block.content)), soft_wrap=True, end="")


def _draw(picture: Picture, paper: rich.console.Console) -> None:
    from bot.chart.text import characters  # noqa: PLC0415 - its library is loaded with the first chart

    lines = characters(picture, paper.width)
    for line in lines:
        paper.print(Text(_plain(line)), soft_wrap=True)
    if lines:
        paper.print()


def _grid(table: Table) -> Grid:
    grid = Grid.grid(padding=(0, 2), pad_edge=False)
    for number in range(max((len(row) for row in table.rows), default=0)):
        grid.add_column(justify="right" if number else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(_plain(cell)) for cell in row))
    return grid


def _print_buttons(buttons: tuple[Button, ...], paper: rich.console.Console) -> None:
    wide = max(len(button.command) for button in buttons)
    for button in buttons:
        line = f"  → {_plain(button.command):{wide}}"
        paper.print(
            Text(line if button.label == button.command else f"{line}   {_plain(button.label)}"), soft_wrap=True
        )


def _plain(text: str) -> str:
    """What a terminal would obey is shown as a mark of its own, so that spans stay where they were."""
    return visible(text, "\ufffd")


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


async def _read(descriptor: int) -> bytes:
    """The next bytes, b"" at the end. A thread waits for them that holds up neither the loop nor the exit."""
    loop = asyncio.get_running_loop()
    coming: asyncio.Future[bytes] = loop.create_future()

    def arrived(data: bytes) -> None:
        if not coming.done():
            coming.set_result(data)

    def read() -> None:
        try:
            data = os.read(descriptor, LONGEST_LINE)
        except OSError:
            data = b""
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(arrived, data)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    return await coming
