"""What an article is about: named in its title or lead, or again and again."""

from __future__ import annotations

import pytest

from bot import topics
from bot.errors import Refusal
from bot.locales import languages
from bot.models import Feed
from bot.sources.entries import Entry, ParsedFeed
from bot.sources.feeds import articles
from bot.topics import read
from tests.kinds import NOW


@pytest.mark.parametrize(
    ("title", "countries", "about"),
    [
        ("Tokayev Visits Tashkent for Talks on Water", ("KZ", "UZ"), ("water",)),
        ("Kazakhs go to the polls in a referendum", ("KZ",), ("elections",)),
        ("Uzbeks' remittances from Russia grow", ("UZ", "RU"), ("migration",)),
        ("Kyrgyzstan’s coal, Tajikistan's electricity", ("KG", "TJ"), ("energy",)),
        ("U.S. and the C5+1: rare earths first", ("US",), ("minerals", "c5+1")),
        ("Nothing for us here, and nothing for them", (), ()),
        ("Training of trainers: a rating of waiters", (), ()),
        ("Токаева встретили в Ташкенте", ("KZ", "UZ"), ()),
        ("О Среднем коридоре говорили в Баку", ("AZ",), ("middle-corridor",)),
        ("Казахстанцы голосуют на референдуме о строительстве АЭС", ("KZ",), ("nuclear", "elections")),
        ("Жапарову рассказали о водохранилищах Кыргызстана", ("KG",), ("water",)),
        ("Мирзиёева ждут в Душанбе", ("TJ", "UZ"), ()),
        ("Таджикских мигрантов депортируют", ("TJ",), ("migration",)),
        ("Пять лет в селе: ошибки и уроки", (), ()),
        ("США ввели санкции", ("US",), ("trade",)),
    ],
)
def test_a_title_tells_what_it_is_about_in_whatever_form(title, countries, about):
    tags = topics.tag(title, "", "")
    assert (set(tags.countries), set(tags.topics)) == (set(countries), set(about))


def test_what_is_named_in_passing_is_not_what_it_is_about():
    passing = "The rector spoke for an hour.\n\nGuests had come from Uzbekistan, too, and drank water."
    assert topics.tag("A school for bakers", "It opened.", passing) == topics.Tags((), ())
    often = passing + " Uzbek bread is round. In Tashkent it is stamped."
    assert topics.tag("A school for bakers", "It opened.", often).countries == ("UZ",)
    assert topics.tag("A school for bakers", "It opened in Samarkand.", "").countries == ("UZ",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Kazakhstan", "KZ"),
        ("Казахстан", "KZ"),
        ("Казахстана", "KZ"),
        ("kyrgyz", "KG"),
        ("Киргизия", "KG"),
        ("the middle corridor", None),
        ("middle corridor", "middle-corridor"),
        ("Среднего коридора", "middle-corridor"),
        ("middle-corridor", "middle-corridor"),
        ("C5+1", "c5+1"),
        ("вода", "water"),
        ("uranium", "minerals"),
        ("Almaty", None),
        ("Tokayev", None),
        ("oil", None),
        ("water summit", None),
        ("", None),
        ("?!", None),
        ("\ud800", None),
    ],
)
def test_a_name_is_resolved_to_what_it_names_and_other_words_are_not(text, found):
    assert topics.resolve(text) == found


@pytest.mark.parametrize("code", [*read("themes"), *read("countries")])
def test_everything_has_a_title_in_every_language_and_a_theme_answers_to_it(code):
    for language in languages():
        assert topics.title(code, language) not in ("", code.lower())
    if code in read("themes"):
        assert all(topics.resolve(name) == code for name in read("themes")[code]["names"])


def test_titles_are_in_the_readers_language():
    assert (topics.title("KZ", "ru"), topics.title("water", "ru"), topics.title("water", "de")) == (
        "Казахстан",
        "Вода",
        "Water",
    )


def test_an_unknown_topic_is_refused_with_those_there_are():
    assert topics.topic("Middle_Corridor") == topics.topic("средний коридор") == "middle-corridor"
    with pytest.raises(Refusal) as caught:
        topics.topic("unicorns")
    assert "middle-corridor" in str(caught.value.fields["names"])


def made(feed: Feed, count: int, text: str) -> ParsedFeed:
    entries = (
        Entry(f"{n}", f"https://n.example/{n}", f"Title {n}", "", text.replace("#", f"{n}"), NOW) for n in range(count)
    )
    return ParsedFeed(tuple(entries), complete=True, title="")


def test_an_article_has_its_feeds_country_and_those_it_is_about():
    parsed = made(Feed("f", "F", "", "en"), 1, "Water came to Namangan. It was cold.")
    (local,) = articles(Feed("f", "F", "", "en", ("KG",)), parsed, NOW)
    (regional,) = articles(Feed("f", "F", "", "en", ("KG", "UZ")), parsed, NOW)
    assert (local.countries, regional.countries) == (("KG", "UZ"), ("UZ",))
    assert local.topics == ("water",)
