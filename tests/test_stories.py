"""Which headlines belong to one story: pairs of our own, and the rules around them."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot import stories
from bot.models import Article, Headline
from bot.stories import group, same_story
from tests.tally import Tell

PAIRS = tomllib.loads((Path(__file__).parent / "headlines.toml").read_text("utf-8"))
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUMMIT = "Summit of Five Presidents in Samarkand Agrees on Water"
SUMMIT_TOO = "Five Presidents Agree on Water at Samarkand Summit"


@pytest.mark.parametrize("language", PAIRS)
def test_pairs_of_our_own_none_is_false_and_three_in_four_are_found(language: str, tell: Tell):
    same, other = PAIRS[language]["same"], PAIRS[language]["other"]
    assert len(same) + len(other) >= 80
    false = [pair for pair in other if same_story(*pair) or same_story(*reversed(pair))]
    found = [pair for pair in same if same_story(*pair)]
    figures = f"recall {len(found) / len(same):.2f} of {len(same)}, false {len(false)} of {len(other)}"
    tell(f"stories, {language}: {figures}")
    assert false == []
    assert len(found) >= 0.75 * len(same)


def test_no_headline_of_one_pair_is_taken_for_one_of_another():
    for language, pairs in PAIRS.items():
        firsts = dict(pairs["same"])
        crossed = [(a, b) for a in firsts for b in firsts if a < b and same_story(a, b)]
        assert crossed == [], language


def piece(title: str, source: str = "ledger", hours: float = 0, **changes: object) -> Article:
    published = NOW + hours * HOUR
    return Article(source, title, f"https://n.example/{title}", title, "", "", published, **changes)  # type: ignore[arg-type]


def kept(number: int, title: str, source: str = "courier", hours: float = 0, story: int = 0) -> Headline:
    return Headline(number, source, title, NOW + hours * HOUR, story)


def grouped(*articles: Article, recent: list[Headline]) -> list[tuple[int, str]]:
    return [(article.story, article.follows) for article, _ in group([(one, ()) for one in articles], recent)]


def test_a_second_outlet_makes_it_a_story_named_after_the_first():
    assert grouped(piece(SUMMIT), recent=[kept(7, SUMMIT_TOO)]) == [(7, SUMMIT_TOO)]
    assert grouped(piece(SUMMIT), recent=[kept(9, SUMMIT_TOO, story=7)]) == [(7, SUMMIT_TOO)]


def test_an_outlet_alone_makes_no_story_but_follows_up_one_that_others_tell():
    own = kept(7, SUMMIT_TOO, "ledger")
    assert grouped(piece(SUMMIT), recent=[own]) == [(0, "")]
    assert grouped(piece(SUMMIT), recent=[replace(own, story=5)]) == [(5, SUMMIT_TOO)]
    both = grouped(piece(SUMMIT, hours=1), piece(f"{SUMMIT} Again", hours=2), recent=[kept(7, SUMMIT_TOO)])
    assert [story for story, _ in both] == [7, 7]


def test_two_days_apart_is_another_story():
    assert grouped(piece(SUMMIT, hours=48), recent=[kept(7, SUMMIT_TOO)])[0][0] == 7
    assert grouped(piece(SUMMIT, hours=48.1), recent=[kept(7, SUMMIT_TOO)]) == [(0, "")]
    assert grouped(piece(SUMMIT, hours=-48.1), recent=[kept(7, SUMMIT_TOO)]) == [(0, "")]


def test_a_story_takes_in_nothing_that_one_of_its_pieces_speaks_against():
    recent = [
        kept(7, "Landslide Kills People in Southern Kyrgyzstan", story=7),
        kept(8, "Landslide Kills Four People in Southern Kyrgyzstan", "steppe", story=7),
    ]
    assert grouped(piece("Landslide Kills Nine People in Southern Kyrgyzstan"), recent=recent) == [(0, "")]
    assert grouped(piece("Landslide in Southern Kyrgyzstan Kills Four People"), recent=recent)[0][0] == 7


def test_the_order_of_a_document_stays_and_nothing_is_dropped():
    found = group([(piece("Bread Is Cheaper"), ("a",)), (piece(SUMMIT), ("b",))], [kept(7, SUMMIT_TOO)])
    assert [(article.title, article.story, keys) for article, keys in found] == [
        ("Bread Is Cheaper", 0, ("a",)),
        (SUMMIT, 7, ("b",)),
    ]


def test_a_digest_shows_what_most_tell_then_what_is_newest_and_leads_with_no_opinion():
    told = [
        piece("Alone and new", "a", 5, id=1),
        piece("A view, alone and newest", "a", 6, id=2, opinion=True),
        piece("A view of it", "b", 4, id=3, story=9, opinion=True),
        piece("It happened", "a", 2, id=4, story=9),
        piece("It happened, too", "c", 1, id=5, story=9),
        piece("Two of one outlet", "a", 3, id=6, story=8),
        piece("Two of one outlet, again", "a", 3.5, id=7, story=8),
        piece("Two tell", "a", 0, id=10, story=10),
        piece("Two tell it", "b", 0.5, id=11, story=10),
    ]
    found = stories.stories(told)
    assert [story.lead.id for story in found] == [4, 11, 1, 7, 2]
    assert found[0].outlets == ("c", "a", "b")
    assert [one.id for one in found[0].articles] == [3, 4, 5]
    assert found[0].newest == NOW + 4 * HOUR
    assert stories.stories([]) == []


def test_follow_ups_and_other_outlets():
    told = [
        piece("Now", "a", 3, id=3, story=1),
        piece("Then", "b", 2, id=2, story=1),
        piece("First", "a", 1, id=1, story=1),
    ]
    assert stories.follow_ups(told) == {3}
    alone = piece("Alone", "c", id=4)
    assert stories.also_in([told[0], alone], told, ()) == {3: ("b",)}
    assert stories.also_in([told[1]], told, ("a",)) == {2: ()}
