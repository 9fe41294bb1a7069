"""News as a reader meets it: a title that leads to the outlet, where and when, a short lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from bot.compose.moments import dated, moment, number
from bot.compose.pages import span
from bot.echo import shown
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Link, Message, Paragraph
from bot.models import Article, NewsPage
from bot.query import without

SEPARATOR = " · "
LABEL: Final = 30
"""Characters of a headline on a button."""
OUTLETS_SHOWN: Final = 4
AlsoIn = Mapping[int, Sequence[str]]


def page(
    page: NewsPage,
    query_text: str,
    tongue: Tongue,
    zone: str,
    outlets: Mapping[str, str],
    *,
    today: date,
    extracts: Mapping[int, Article] | None = None,
    best: bool | None = None,
    also_in: AlsoIn | None = None,
) -> Message:
    """A page of what was found. query_text: the query without before:, as Next repeats it.

    outlets: titles by feed id; today: on the reader's clocks
    extracts: by id, articles whose lead is to show what was looked for, as bot.extracts gives them
    best: whether these match best, rather than being the newest; None where there are no words to match
    also_in: by article id, the sources that tell its story, too
    """
    heading = Heading(tongue.say("News: {query}", query=shown(query_text)) if query_text else tongue.say("Latest news"))
    if not page.articles:
        return _none(heading, page, query_text, tongue)
    total = number(page.total, tongue) + "+" * page.capped
    blocks: list[Block] = [heading, Paragraph(span(page.skipped, len(page.articles), total, tongue), small=True)]
    for found in page.articles:
        article = (extracts or {}).get(found.id, found)
        blocks += _article(article, outlets.get(article.source, article.source), tongue, zone, today)
        if others := (also_in or {}).get(article.id):
            blocks.append(Paragraph(_also_in(others, outlets, tongue), small=True))
    if best:
        return Message(tuple(blocks), (Button(tongue.say("Newest first"), f"/latest {without(query_text, 'sort')}"),))
    buttons = _turning(page, query_text, tongue)
    if buttons and not page.skipped and best is not None:
        buttons += (Button(tongue.say("Best match"), f"/latest {without(query_text, 'sort')} sort:best"),)
    return Message(tuple(blocks), (*buttons, *_stories(page, also_in or {}, tongue)))


def headlines(
    articles: Sequence[Article], tongue: Tongue, zone: str, outlets: Mapping[str, str], *, today: date
) -> list[Block]:
    """Titles with where and when, without a word of what they say."""
    told = [(one, outlets.get(one.source, one.source)) for one in articles]
    lines = [(Link(one.title, one.url), byline(one, outlet, tongue, zone, today=today)) for one, outlet in told]
    return [block for line in lines for block in line]


def page_data(page: NewsPage, query_text: str, also_in: AlsoIn | None = None) -> dict[str, object]:
    """The page for scripts: {"query", "total", "capped", "first", "last", "articles"}, instants in ISO 8601."""
    return {
        "query": query_text,
        "total": page.total,
        "capped": page.capped,
        "first": page.skipped + 1 if page.articles else 0,
        "last": page.skipped + len(page.articles) if page.articles else 0,
        "articles": [_article_data(article, (also_in or {}).get(article.id, ())) for article in page.articles],
    }


def article(article: Article, outlet: str, tongue: Tongue, zone: str) -> Message:
    """One article, pushed as it appears; one that follows up a story says so."""
    blocks = _article(article, outlet, tongue, zone, None)
    if not article.follows:
        return Message(tuple(blocks))
    blocks.append(Paragraph(tongue.say("More on: {title}", title=article.follows), small=True))
    return Message(tuple(blocks), (Button(tongue.say("Story"), f"/story {article.story}"),))


def story_button(article: Article, tongue: Tongue) -> Button:
    """Leads to the story that this article is part of."""
    return Button(tongue.say("Story: {title}", title=shown(article.title, LABEL)), f"/story {article.id}")


def byline(
    article: Article, outlet: str, tongue: Tongue, zone: str, *more: str, today: date | None = None
) -> Paragraph:
    """ "Outlet · 23 Nov, 09:40 · Opinion", and what is more to say of it."""
    when = moment(article.published, zone, tongue, today=today)
    parts = [outlet, when, *([tongue.say("Opinion")] if article.opinion else []), *more]
    return dated(Paragraph(SEPARATOR.join(parts), small=True), when)


def _article(article: Article, outlet: str, tongue: Tongue, zone: str, today: date | None) -> list[Block]:
    blocks: list[Block] = [
        Link(article.title, article.url),
        byline(article, outlet, tongue, zone, today=today),
    ]
    return [*blocks, Paragraph(article.lead, article.spans, quoted=True)] if article.lead else blocks


def _also_in(sources: Sequence[str], outlets: Mapping[str, str], tongue: Tongue) -> str:
    names = ", ".join(outlets.get(source, source) for source in sources[:OUTLETS_SHOWN])
    more = len(sources) - OUTLETS_SHOWN
    if more <= 0:
        return tongue.say("Also in: {outlets}", outlets=names)
    return tongue.count("Also in: {outlets} and {n} more", "Also in: {outlets} and {n} more", more, outlets=names)


def _stories(page: NewsPage, also_in: AlsoIn, tongue: Tongue) -> list[Button]:
    """One for each story of the page."""
    first = {article.story: article for article in reversed(page.articles) if also_in.get(article.id)}
    return [story_button(article, tongue) for article in reversed(first.values())]


def _turning(page: NewsPage, query_text: str, tongue: Tongue) -> tuple[Button, ...]:
    """To the next page, and from any but the first back to that one."""

    def to(label: str, before: int) -> Button:
        return Button(label, " ".join(filter(None, ("/latest", query_text, f"before:{before}"))))

    first = (to(tongue.say("First page"), 0),) if page.skipped else ()
    if not page.capped and page.skipped + len(page.articles) >= page.total:
        return first
    return (to(tongue.say("Next"), page.articles[-1].id), *first)


def _none(heading: Heading, page: NewsPage, query_text: str, tongue: Tongue) -> Message:
    if page.total:
        text, hint = tongue.say("That was the last of them."), ""
    elif query_text:
        text = tongue.say("Nothing found.")
        hint = tongue.say("Try fewer words, another spelling or a longer time.")
    else:
        text = tongue.say("There are no articles yet.")
        hint = tongue.say("/sources tells which outlets answer.")
    buttons = (Button(tongue.say("Latest news"), "/latest"),) if query_text else ()
    blocks = (heading, Paragraph(text), *((Paragraph(hint, small=True),) if hint else ()))
    return Message(blocks, (*buttons, Button(tongue.say("Sources"), "/sources")))


def _article_data(article: Article, also_in: Sequence[str]) -> dict[str, object]:
    return {
        "id": article.id,
        "title": article.title,
        "url": article.url,
        "source": article.source,
        "published": article.published.isoformat(),
        "opinion": article.opinion,
        "lead": article.lead,
        "countries": list(article.countries),
        "also_in": list(also_in),
    }
