"""/story and /cite: by number, words, address or nothing; and how /latest leads there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.message import Button, Link
from bot.models import Address, Article, Feed, PollState
from bot.sources import feeds
from tests.kinds import NOW, article
from tests.test_menu import Office, commands_of, office, said

__all__ = ["office"]
HERE_TOO = Address("slack", "C9")


async def tell(office: Office, *articles: Article) -> list[int]:
    """Keep them one by one. Returns their ids."""
    ids = []
    for number, one in enumerate(articles):
        new = replace(one, id=0, guid=f"{one.source} {one.title} {number}")
        keys = feeds.keys(new)
        await office.store.keep_news(PollState(one.source), [(new, keys)], {}, [], NOW)
        ids.append((await office.store.known_articles(keys))[keys[0]])
    return ids


async def a_story(office: Office) -> list[int]:
    """Told by one outlet, then the other with an opinion, then a follow-up of the first; and an article alone."""
    hours = [NOW - timedelta(hours=n) for n in range(9)]
    first_two = article(1, published=hours[8]), article(2, title="Summit agrees", published=hours[7])
    alone, first = await tell(office, *first_two)
    later = [
        article(3, title="Was it wise to agree?", published=hours[6], story=first),
        article(5, title="Summit agrees again", source="akchabar", published=hours[5], story=first),
    ]
    return [alone, first, *(await tell(office, *later))]


def labels(answer) -> list[str]:
    return [button.label for button in answer.message.buttons]


async def test_latest_says_who_else_tells_it_and_leads_to_the_story(office):
    _, first, *_ = await a_story(office)
    answer = await office.say("/latest")
    assert [row["also_in"] for row in answer.data["articles"]] == [["timesca"], ["akchabar"], ["timesca"], []]
    assert said(answer).count("Also in: ") == 3
    assert answer.message.buttons == (
        Button("Story: Summit agrees again", f"/story {answer.data['articles'][0]['id']}"),
    )
    assert first in [row["id"] for row in answer.data["articles"]]


async def test_a_story_is_the_same_by_any_of_its_numbers_and_by_words(office):
    alone, *pieces = await a_story(office)
    answers = [await office.say(f"/story {number}") for number in pieces] + [await office.say("/story agrees again")]
    assert len({said(answer) for answer in answers}) == 1
    titles = [block.text for block in answers[0].message.blocks if isinstance(block, Link)]
    assert titles == ["Summit agrees again", "Was it wise to agree?", "Summit agrees"]
    text = said(answers[0])
    assert "Told by: Акчабар, The Times of Central Asia" in text
    assert text.count("Follow-up") == text.count("· Opinion") == 1
    assert labels(answers[0]) == ["Cite: Акчабар", "Cite: The Times of Central Asia"]
    assert commands_of(answers[0]) == [f"/cite {pieces[2]}", f"/cite {pieces[1]}"]
    lone = await office.say(f"/story {alone}")
    assert "No other outlet has told it so far." in said(lone)
    assert commands_of(lone) == [f"/cite {alone}"]


async def test_without_a_number_come_the_stories_of_two_days_most_told_first(office):
    await a_story(office)
    answer = await office.say("/story")
    assert "Stories of the last two days" in said(answer)
    assert len(commands_of(answer)) == 2
    office.clock.now += timedelta(days=9)
    assert "No two outlets told the same story." in said(await office.say("/story"))


async def test_a_citation_has_outlet_title_local_date_and_address(office):
    (number,) = await tell(office, article(4, title="A [night] train", published=NOW - timedelta(hours=10)))
    text, url = said(await office.say(f"/cite {number}")), article(4).url
    assert text.splitlines() == [
        "Citation",
        f"“A [night] train”, The Times of Central Asia, 22 November 2026, {url}",
        "APA",
        f"A [night] train. (2026, November 22). The Times of Central Asia. {url}",
        "Markdown",
        rf"[A \[night\] train]({url}), The Times of Central Asia, 22 November 2026",
    ]
    russian = said(await office.say(f"/cite {number}", language="ru"))
    assert "«A [night] train», The Times of Central Asia, 22 ноября 2026, " in russian


async def test_dates_are_on_the_readers_clocks(office):
    (number,) = await tell(office, article(1, published=NOW.replace(hour=19, minute=30)))
    assert ", 24 November 2026, " in said(await office.say(f"/cite {number}"))
    await office.say("/timezone London")
    assert ", 23 November 2026, " in said(await office.say(f"/cite {number}"))
    assert "(2026, November 23)" in said(await office.say(f"/cite {number}"))


async def test_an_article_is_cited_by_words_address_or_as_the_newest(office):
    alone, *_ = await a_story(office)
    url = article(1).url
    by_words, by_address = await office.say("/cite winter"), await office.say(f"/cite {url}?utm_source=x#top")
    assert said(by_words) == said(by_address) == said(await office.say(f"/cite {alone}"))
    newest = await office.say("/cite")
    assert "Summit agrees again" in said(newest)
    assert "That is the newest article." in said(newest)
    assert "Nothing found." in said(await office.say("/cite unicorn"))
    assert "Nothing found." in said(await office.say("/story unicorn"))


async def test_a_number_or_an_address_that_is_none_of_ours_is_refused(office):
    for text in ("/story 12", "/cite 12", "/cite https://elsewhere.example/1", "/cite 999999999999999999"):
        answer = await office.say(text)
        assert answer.error == {
            "message": "I have no article with that number or address.",
            "hint": "/latest lists those I have, the newest first.",
        }


async def test_what_another_chat_added_is_neither_shown_nor_cited(office):
    feed = Feed("secret", "Secret", "https://secret.example/feed", "en", added=True)
    await office.store.add_feed(feed, HERE_TOO, "8", NOW)
    (hidden,) = await tell(office, article(1, source="secret", title="Hidden", story=0))
    for text in (f"/story {hidden}", f"/cite {hidden}"):
        assert (await office.say(text)).error
        assert (await office.say(text, address=HERE_TOO)).error is None
    assert "Hidden" not in said(await office.say("/cite hidden"))
