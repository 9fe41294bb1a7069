from __future__ import annotations

import unicodedata
from time import process_time

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.prose import LONGEST_INPUT, clean, clip, lead, title


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One &amp; <b>two</b>.</p>\n<p>Three</p>", "One & two.\n\nThree"),
        ("<h2>Head</h2>Body<ul><li>a</li><li>b</li></ul>", "Head\n\nBody\n\na\n\nb"),
        ("one<br>two<br /> <br/>three", "one two\n\nthree"),
        ("<table><tr><td>USD</td><td>519</td></tr></table>", "USD 519"),
        ("plain  text\n with   spaces", "plain text with spaces"),
        ("<!-- wp:paragraph --><p>Kept</p><!-- /wp:paragraph -->", "Kept"),
        ("a<![CDATA[ b ]]> c", "a b c"),
        ("2 < 3 and 5 > 4", "2 < 3 and 5 > 4"),
        ('<img alt="a > b" src="x">seen', "seen"),
        ("<p title=Bob's>it isn't lost</p>", "it isn't lost"),
        ('cut short <a href="https://a.exam', "cut short"),
        ("", ""),
    ],
)
def test_html_becomes_paragraphs_of_plain_text(markup: str, text: str):
    assert clean(markup) == text


@pytest.mark.parametrize(
    "markup",
    [
        "<script>if (a < b) { alert('<p>1</p>') }</script>",
        "<style>p > a { color: red }</style>",
        "<figure><img src='a.jpg'><figcaption>Photo: the <i>Ministry</i></figcaption></figure>",
        "<svg><text>drawn</text></svg>",
        "<iframe src='https://video.example'>no frames</iframe>",
        "<form><input value='x'>Subscribe<button>Go</button></form>",
    ],
)
def test_what_is_no_part_of_the_text_goes_with_its_content(markup: str):
    assert clean(f"<p>Before</p>{markup}<p>After</p>") == "Before\n\nAfter"


def test_an_element_that_never_ends_hides_nothing():
    assert clean("<form><p>Kept all the same") == "Kept all the same"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ('[caption id="attachment_7" align="left"]<img src="a.jpg"/> A dam[/caption]The dam holds.', "The dam holds."),
        ("[caption]The text after a caption that never ends", "The text after a caption that never ends"),
        ('Seen [gallery ids="1,2"] here', "Seen here"),
        ("[embed]https://video.example/1[/embed]Seen", "Seen"),
        ('[vc_row][vc_column width="1/2"]Kept[/vc_column][/vc_row]', "Kept"),
        ("He wrote “teh” [sic] in [2025]", "He wrote “teh” [sic] in [2025]"),
        ("Type [[gallery]] to show pictures", "Type [gallery] to show pictures"),
        ("&#91;caption id=1&#93;A dam&#x5b;/caption&#x5D;The dam holds.", "The dam holds."),
        ("[videographer] and [ads-free]", "[videographer] and [ads-free]"),
    ],
)
def test_shortcodes_go_by_name_and_other_brackets_stay(markup: str, text: str):
    assert clean(markup) == text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("Xi&#8217;s five &amp; points", "Xi’s five & points"),
        ("Xi&amp;#8217;s five &amp;amp; points", "Xi’s five & points"),
        ("<b>Breaking</b>: rates", "Breaking: rates"),
        ("&lt;b&gt;Breaking&lt;/b&gt;: rates", "Breaking: rates"),
        ("&laquo;Узбекистан&raquo;&nbsp;&mdash; это", "«Узбекистан» — это"),
        ("two\nlines<br>here", "two lines here"),
        ("AT&T and R&D", "AT&T and R&D"),
    ],
)
def test_a_title_is_one_line_with_its_entities_decoded(markup: str, text: str):
    assert title(markup) == text


def test_text_that_was_escaped_twice_keeps_its_paragraphs():
    assert clean("&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;") == "One\n\nTwo"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Text.</p><p>The post <a href='/'>Text</a> appeared first on <a href='/'>The Times</a>.</p>", "Text."),
        ("<p>Текст.</p><p>Сообщение Текст появились сначала на Вестник.</p>", "Текст."),
        ("Text goes on. <a href='/'>Read more</a> &raquo;", "Text goes on."),
        ("<p>Text.</p><p>Читать далее</p><p>&nbsp;</p>", "Text."),
        ("Text goes [&hellip;]", "Text goes…"),
        ("Text goes on [...]", "Text goes on…"),
        ("Запись разговора появилась в сети.", "Запись разговора появилась в сети."),
        ("People read more", "People read more"),
    ],
)
def test_tails_that_only_lead_away_are_gone(markup: str, text: str):
    assert clean(markup) == text


def test_what_cannot_be_seen_or_turns_the_line_is_gone():
    assert clean("a\u202eb\u2066c\u200bd\ufeffe\u00adf\x00g\x1bh\x9bi\u061cj\ud800k") == "abcdefghijk"
    assert clean("&#8238;a&#x200b;b&shy;c") == "abc"


def test_emoji_that_are_made_of_several_stay_whole():
    family = "👨\u200d👩\u200d👧"
    assert clean(f"{family} z\u200dz") == f"{family} zz"


def test_letters_are_composed():
    assert clean("Кыргызстан — и\u0306огурт e\u0301") == "Кыргызстан — йогурт é"


@pytest.mark.parametrize(
    ("text", "first_two"),
    [
        ("One is here. Two is there! Three is gone.", "One is here. Two is there!"),
        (
            "U.S. officials met Mr. Lee on Oct. 5. They agreed. More.",
            "U.S. officials met Mr. Lee on Oct. 5. They agreed.",
        ),
        (
            "В 2025 г. Казахстан продал 5 млн. тонн. Это рекорд. Ещё.",
            "В 2025 г. Казахстан продал 5 млн. тонн. Это рекорд.",
        ),
        ("Growth was 5.5 percent. Is it enough? Nobody knows.", "Growth was 5.5 percent. Is it enough?"),
        ("He said “stop.” Then he left. And that was it.", "He said “stop.” Then he left."),
        ("First paragraph ends.\n\nSecond one. Third.", "First paragraph ends. Second one."),
        ("No end in sight", "No end in sight"),
        ("", ""),
    ],
)
def test_a_lead_is_at_most_two_sentences(text: str, first_two: str):
    assert lead(text) == first_two


def test_a_lead_that_is_too_long_ends_at_a_word():
    long = "The ministers agreed on water, " * 30
    cut = lead(long, 100)
    assert len(cut) <= 100
    assert cut == "The ministers agreed on water, The ministers agreed on water, The ministers agreed on water, The…"


@pytest.mark.parametrize(
    ("text", "limit", "clipped"),
    [
        ("short", 5, "short"),
        ("The quick brown fox", 12, "The quick…"),
        ("абвгдежзийклмн", 6, "абвгд…"),
        ("👨\u200d👩\u200d👧" * 3, 12, "👨\u200d👩\u200d👧" * 2 + "…"),
        ("🇰🇿🇺🇿🇹🇯", 4, "🇰🇿…"),
        ("e\u0301" * 5, 6, "e\u0301" * 2 + "…"),
    ],
)
def test_clipping_never_cuts_what_is_seen_as_one(text: str, limit: int, clipped: str):
    assert clip(text, limit) == clipped


PIECES = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<a", "href='", '"', "'", ">", "<", "=", "<!--", "-->", "<script>", "</script>", "<br>"),
            *("<![CDATA[", "]]>", "&amp;", "&#x41;", "&lt;", "[caption]", "[/caption]", "[[", "]]", "[sic]", "&#91;"),
            *("\u202e", "\u200d", "👨", "e", "\u0301", "Слово", "word.", " ", "\n"),
        ]
    ),
    max_size=60,
)


@given(PIECES)
@settings(max_examples=300, derandomize=True)
def test_whatever_comes_the_text_is_tidy(pieces: list[str]):
    text = clean("".join(pieces))
    assert unicodedata.is_normalized("NFC", text)
    assert not regex.search(r"[\p{Cc}\p{Cs}\u202e\u200b]", text.replace("\n\n", ""))
    assert all(paragraph == " ".join(paragraph.split()) != "" for paragraph in text.split("\n\n") if text)
    assert "[caption]" not in text or "[[" in pieces
    assert len(lead(text, 40)) <= 40


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<",
            "<a ",
            '<a x=">" ',
            "<a x='",
            "<!--",
            "<!",
            "<![CDATA[",
            "<div>",
            "<form>",
            "<script>",
            "<br> ",
            "<b> </b>",
        ),
        *(
            "&",
            "&amp;",
            "[",
            "[[",
            "[caption ",
            "[caption]",
            "\u200d",
            "a\u0301\u0316",
            "a. ",
            "A.",
            "The post ",
            " \n",
        ),
    ],
)
def test_no_document_takes_more_time_than_its_length_deserves(piece: str):
    document = piece * (2 * LONGEST_INPUT // len(piece))
    started = process_time()
    lead(clean(document))
    assert process_time() - started < 10
