"""Messages as Telegram shows them, read back by Telegram's own rules."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.message import Button, File, Heading, Link, Message, Paragraph, Picture, Span, Table
from handlers.telegram.manifest import botfather
from handlers.telegram.render import TEXT_ENTITIES, TEXT_UNITS, Page, callback_data, clip, render, units
from tests.fakes.telegram_html import read_html
from tests.golden import golden
from tests.kinds import kinds

KINDS = {(name, code): message for code in ("en", "ru") for name, message in kinds(code).items()}
ODD = '<b>Bold</b> & <!channel> "quoted" &lt; \u202eright to left\u202c 👩‍👩‍👧 𝕏 </pre> <a href="x">'


def paged(message: Message) -> list[Page]:
    return render(message, {button.command: callback_data(button.command, "7") for button in message.buttons})


def shown(page: Page) -> str:
    rows = (" ".join(f"[{label} -> {data}]" for label, data in row) for row in page.keyboard)
    what = {Picture: "[picture]", File: "[file]"}.get(type(page.attachment), "")
    key = f"[{page.locate} -> where one is]" if page.locate else ""
    return "\n".join([*filter(None, [what]), page.html, *rows, *filter(None, [key])]) + "\n"


@pytest.mark.parametrize("name", sorted(kinds()))
def test_every_kind_of_message_looks_as_it_did(name: str):
    golden(f"telegram/{name}.txt", "=====\n".join(shown(page) for page in paged(kinds()[name])))


@pytest.mark.parametrize(("name", "code"), sorted(KINDS))
def test_every_kind_is_taken_by_telegram_and_says_what_the_message_says(name: str, code: str):
    message = KINDS[name, code]
    text = "\n".join(read_html(page.html)[0] for page in paged(message))
    for block in message.blocks:
        words = block.text if not isinstance(block, Table) else "\n".join(map(" ".join, block.rows))
        assert all(word in text for word in words.split())


@pytest.mark.parametrize(
    "block", [Heading(ODD), Paragraph(ODD), Paragraph(ODD, small=True), Link(ODD, "https://a.example/?a=1&b=2")]
)
def test_markup_in_a_text_arrives_as_plain_text(block: Heading | Paragraph | Link):
    text, entities = read_html(paged(Message((block,)))[0].html)
    assert text == ODD
    assert len(entities) == (0 if isinstance(block, Paragraph) and not block.small else 1)


def test_markup_in_a_table_and_in_a_url_arrives_as_plain_text():
    page = paged(Message((Table("t", (("<b>&", "1"),)), Link("go", 'https://a.example/"><b>&'))))[0]
    text, entities = read_html(page.html)
    assert text == "<b>&  1\n\ngo"
    assert [entity.get("url") for entity in entities] == [None, 'https://a.example/"><b>&']


@pytest.mark.parametrize("url", ["javascript:alert(1)", "tg://user?id=1", "ftp://a.example", ""])
def test_only_web_addresses_become_links(url: str):
    assert read_html(paged(Message((Link("go", url),)))[0].html) == ("go", [])


def test_spans_are_marked_in_characters_not_in_units():
    page = paged(Message((Paragraph("𝕏𝕏 bold & code", (Span(3, 7, "bold"), Span(10, 14, "code"))),)))[0]
    text, entities = read_html(page.html)
    cut = [
        text.encode("utf-16-le")[e["offset"] * 2 : (e["offset"] + e["length"]) * 2].decode("utf-16-le")
        for e in entities
    ]
    assert cut == ["bold", "code"]


def test_somebody_elses_words_are_quiet_and_look_the_same():
    words = (
        "Ask @durov or me@evil.example about #steel at evil.example/x, tg://resolve, 10.0.0.1; /pause. $KZT is $5.25."
    )
    (page,) = paged(Message((Paragraph(words, (Span(4, 10, "bold"),), quoted=True),)))
    assert page.html == (
        "Ask <b>＠durov</b> or me＠evil․example about ＃steel at evil․example/x, tg：//resolve, 10․0.0.1; ／pause. "
        "＄KZT is $5.25."
    )
    assert unicodedata.normalize("NFKC", page.plain) == words
    (own,) = paged(Message((Paragraph("Say /pause; figures of nbt.tj."),)))
    assert own.html == "Say /pause; figures of nbt.tj."


def test_table_columns_line_up_and_a_wide_table_is_stacked():
    text, _ = read_html(
        paged(Message((Table("t", (("KZT", "442.05", "+0.31%"), ("UZS", "11,788.12", "-0.09%"))),)))[0].html
    )
    assert text == "KZT     442.05  +0.31%\nUZS  11,788.12  -0.09%"
    wide, _ = read_html(paged(Message((Table("t", (("a" * 30, "b" * 10, ""),)),)))[0].html)
    assert wide == "a" * 30 + "\n  " + "b" * 10


def test_a_preview_is_shown_of_the_one_article_a_message_is_about():
    one, two = Link("a", "https://a.example/?x=1&y"), Link("b", "https://b.example/")
    told = {
        (one, Paragraph("lead")): "https://a.example/?x=1&y",
        (one, two): "",
        (Heading("head"), one): "",
        (Link("a", "http://a.example/"),): "",
        (Paragraph("nothing"),): "",
    }
    assert {blocks: paged(Message(blocks))[0].preview for blocks in told} == told


def test_every_page_of_the_sample_edition_says_so():
    pages = paged(Message(tuple(Paragraph("x" * 3000) for _ in range(3)), sample=True))
    assert len(pages) == 3
    assert all(read_html(page.html)[0].startswith("SAMPLE\n") for page in pages)


def test_keyboard_stands_under_the_last_page_in_rows_of_three_or_fewer():
    buttons = (
        *tuple(Button(f"Button {n}", f"/rates {n}") for n in range(4)),
        Button("A rather long label of a button", "/x"),
    )
    pages = paged(Message((Paragraph("x" * 4000), Paragraph("y" * 4000)), buttons))
    assert [bool(page.keyboard) for page in pages] == [False, True]
    assert [len(row) for row in pages[1].keyboard] == [3, 1, 1]
    assert pages[1].keyboard[0][0] == ("Button 0", "/rates 0")


def test_a_command_that_fits_is_its_own_callback_data_and_a_long_one_is_a_token_of_its_chat():
    assert callback_data("/latest " + "w" * 56, "7") == "/latest " + "w" * 56
    long = "/latest " + "слово " * 20
    assert callback_data(long, "7").startswith("t:")
    assert len(callback_data(long, "7").encode()) <= 64
    assert callback_data(long, "7") == callback_data(long, "7") != callback_data(long, "8")


def test_an_empty_message_has_no_pages():
    assert paged(Message((Paragraph(" \n"), Heading("")))) == []


def test_more_entities_than_a_message_may_hold_make_pages():
    pages = paged(Message(tuple(Link(str(n), "https://a.example/") for n in range(150))))
    assert [page.html.count("<a ") for page in pages] == [TEXT_ENTITIES, 50]


LETTERS = [*"ab &<>\"'\n", "𝕏", "👩‍👩‍👧", "е\u0301", "\ud83d", "\x00", "中"]
words = st.lists(st.sampled_from(LETTERS), max_size=60).map("".join)
texts = st.builds(lambda word, times: word * times, words, st.integers(1, 400))
blocks = st.one_of(
    st.builds(Heading, words),
    st.builds(
        Paragraph,
        texts,
        st.tuples(st.builds(Span, st.integers(0, 50), st.integers(0, 99), st.sampled_from(["bold", "code"]))),
    ),
    st.builds(Link, words, st.just("https://a.example/?a&b")),
    st.builds(Table, words, st.lists(st.tuples(words, words), max_size=5).map(tuple)),
)


@given(st.lists(blocks, max_size=12), st.booleans())
def test_whatever_the_message_every_page_is_one_that_telegram_takes(some: list[Heading], sample: bool):
    for page in paged(Message(tuple(some), sample=sample)):
        text, entities = read_html(page.html)
        assert 0 < units(text) <= TEXT_UNITS
        assert len(entities) <= TEXT_ENTITIES
        assert units(page.plain) <= TEXT_UNITS
        page.html.encode()


@given(texts, st.integers(1, 50))
def test_clipping_keeps_the_limit_and_whole_characters(text: str, limit: int):
    clipped = clip(text, limit)
    assert units(clipped) <= limit
    assert text.startswith(clipped.removesuffix("…").rstrip())
    assert "\u200d…" not in clipped


def test_the_botfather_text_follows_the_menu():
    assert "\nrates - " in botfather()
    assert "TELEGRAM_BOT_TOKEN" in botfather()
