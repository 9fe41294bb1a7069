"""A story as several outlets tell it, and how to cite a piece of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

import regex

from bot.compose.moments import bibliographic_day, dated, full_day, moment
from bot.compose.news import SEPARATOR, byline, story_button
from bot.echo import shown
from bot.locales import Tongue
from bot.message import Block, Button, Heading, Link, Message, Paragraph, Span
from bot.models import Article
from bot.stories import Story

PIECES_SHOWN: Final = 12
CITED: Final = 6
"""Pieces with a button of their own: the newest of each outlet."""
LABEL: Final = 30

_MARKDOWN: Final = regex.compile(r"([\\`*_\[\]<>])")
_BRACKETS: Final = str.maketrans({"(": "%28", ")": "%29", " ": "%20"})


def story(
    story: Story, later: Collection[int], tongue: Tongue, zone: str, outlets: Mapping[str, str], *, today: date
) -> Message:
    """All pieces of a story, newest first. later: ids of the follow-ups; outlets: titles by feed id."""
    lead = story.lead
    if len(story.articles) == 1:
        return _alone(lead, tongue, zone, outlets, today)
    names = ", ".join(outlets.get(source, source) for source in story.outlets)
    blocks: list[Block] = [Heading(lead.title), Paragraph(tongue.say("Told by: {outlets}", outlets=names), small=True)]
    if lead.lead:
        blocks.append(Paragraph(lead.lead, lead.spans))
    for piece in story.articles[:PIECES_SHOWN]:
        mark = [tongue.say("Follow-up")] if piece.id in later else []
        line = byline(piece, outlets.get(piece.source, piece.source), tongue, zone, *mark, today=today)
        blocks += [Link(piece.title, piece.url), line]
    if (more := len(story.articles) - PIECES_SHOWN) > 0:
        blocks.append(Paragraph(tongue.count("And {n} earlier one", "And {n} earlier ones", more), small=True))
    return Message(tuple(blocks), _cite_buttons(story, tongue, outlets))


def recent(stories: Sequence[Story], tongue: Tongue, zone: str, outlets: Mapping[str, str], *, today: date) -> Message:
    """What more than one outlet told of late, the most told first."""
    blocks: list[Block] = [Heading(tongue.say("Stories of the last two days"))]
    for one in stories:
        names = ", ".join(outlets.get(source, source) for source in one.outlets)
        when = moment(one.newest, zone, tongue, today=today)
        line = dated(Paragraph(SEPARATOR.join([names, when]), small=True), when)
        blocks += [Link(one.lead.title, one.lead.url), line]
    if not stories:
        blocks += [
            Paragraph(tongue.say("No two outlets told the same story.")),
            Paragraph(tongue.say("/story summit shows the newest article with that word."), small=True),
        ]
    buttons = [story_button(one.lead, tongue) for one in stories]
    return Message(tuple(blocks), (*buttons, Button(tongue.say("Latest news"), "/latest")))


def citation(article: Article, outlet: str, tongue: Tongue, zone: str, *, unasked: bool) -> Message:
    """An article in forms to paste. unasked: it is only the newest one there is."""
    local = article.published.astimezone(ZoneInfo(zone)).date()
    when = full_day(local, tongue)
    title = tongue.say("{title} (opinion)", title=article.title) if article.opinion else article.title
    said: dict[str, str] = {"title": title, "outlet": outlet, "date": when, "url": article.url}
    marked = said | {"title": _escaped(title), "outlet": _escaped(outlet), "url": article.url.translate(_BRACKETS)}
    blocks: list[Block] = [
        Heading(tongue.say("Citation")),
        _paste(tongue.say("“{title}”, {outlet}, {date}, {url}", **said)),
        Heading("APA"),
        _paste(f"{title}. ({bibliographic_day(local, tongue)}). {outlet}. {article.url}"),
        Heading("Markdown"),
        _paste(f"[{marked['title']}]({marked['url']}), {marked['outlet']}, {when}"),
    ]
    if unasked:
        hint = tongue.say("That is the newest article. /cite summit cites the newest one with that word.")
        blocks.append(Paragraph(hint, small=True))
    return Message(tuple(blocks), (Button(tongue.say("Story"), f"/story {article.id}"),))


def nothing_to_cite(tongue: Tongue) -> Message:
    """There is no article at all, or none with such words."""
    return Message(
        (
            Paragraph(tongue.say("Nothing found.")),
            Paragraph(tongue.say("Say some words of the headline, its number or its address."), small=True),
        ),
        (Button(tongue.say("Latest news"), "/latest"),),
    )


def _alone(article: Article, tongue: Tongue, zone: str, outlets: Mapping[str, str], today: date) -> Message:
    outlet = outlets.get(article.source, article.source)
    blocks: list[Block] = [
        Link(article.title, article.url),
        byline(article, outlet, tongue, zone, today=today),
        *((Paragraph(article.lead, article.spans),) if article.lead else ()),
        Paragraph(tongue.say("No other outlet has told it so far."), small=True),
    ]
    return Message(tuple(blocks), (Button(tongue.say("Cite"), f"/cite {article.id}"),))


def _cite_buttons(story: Story, tongue: Tongue, outlets: Mapping[str, str]) -> tuple[Button, ...]:
    newest = {piece.source: piece for piece in reversed(story.articles)}
    pieces = [piece for piece in story.articles if newest[piece.source] is piece][:CITED]
    names = (shown(outlets.get(piece.source, piece.source), LABEL) for piece in pieces)
    return tuple(
        Button(tongue.say("Cite: {outlet}", outlet=name), f"/cite {piece.id}")
        for name, piece in zip(names, pieces, strict=True)
    )


def _paste(text: str) -> Paragraph:
    return Paragraph(text, (Span(0, len(text), "code"),))


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
