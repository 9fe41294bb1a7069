"""A feed's document in the shapes that outlets really use.

wordpress  full text in content:encoded, an excerpt that breaks off, numeric entities in titles,
           guid ?p=ID; `[caption]` and other markup go out as the test wrote them
teaser     the lead only, HTML escaped in the description, the link as guid
cp1251     windows-1251, entities inside CDATA, a typeless enclosure, no charset in the header
atom       Atom 1.0 with summary and content, tag: ids
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from html.entities import codepoint2name
from typing import Literal

Shape = Literal["wordpress", "teaser", "cp1251", "atom"]


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as the outlet has it: plain title, HTML lead and body."""

    title: str
    lead: str
    body: str
    published: datetime
    guid: str
    link: str
    opinion: bool = False


def _wordpress(title: str, root: str, listed: list[Item]) -> str:
    entries = "".join(
        f"<item>\n\t\t<title>{_numeric(item.title)}</title>\n{_element('link', item.link)}"
        f"\t\t<dc:creator><![CDATA[desk]]></dc:creator>\n\t\t<pubDate>{_rfc822(item.published)}</pubDate>\n"
        + ("\t\t<category><![CDATA[Opinion]]></category>\n" if item.opinion else "")
        + (f'\t\t<guid isPermaLink="false">{escape(item.guid)}</guid>\n' if item.guid else "")
        + f"\t\t<description><![CDATA[<p>{item.lead} [&#8230;]</p>\n]]></description>\n"
        f"\t\t<content:encoded><![CDATA[{item.body}]]></content:encoded>\n\t</item>\n\t"
        for item in listed
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"\n'
        '\txmlns:content="http://purl.org/rss/1.0/modules/content/"\n'
        '\txmlns:dc="http://purl.org/dc/elements/1.1/"\n\t>\n\n<channel>\n'
        f"\t<title>{_numeric(title)}</title>\n\t<link>{root}</link>\n\t{entries}</channel>\n</rss>\n"
    )


def _teaser(title: str, root: str, listed: list[Item]) -> str:
    entries = "".join(
        f"<item>\n<title>{escape(item.title)}</title>\n{_element('link', item.link)}{_element('guid', item.guid)}"
        f"<pubDate>{_rfc822(item.published)}</pubDate>\n"
        f"<description>{escape(f'<p>{item.lead}</p>')}</description>\n</item>\n"
        for item in listed
    )
    head = f"<title>{escape(title)}</title>\n<link>{root}</link>\n"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>\n{head}{entries}</channel></rss>\n'


def _cp1251(title: str, root: str, listed: list[Item]) -> str:
    entries = "".join(
        f"<item>\n<title><![CDATA[{_named(escape(item.title))}]]></title>\n{_element('link', item.link)}"
        f"{_element('guid', item.guid)}<description><![CDATA[{_named(item.lead)}]]></description>\n"
        f'<enclosure url="{root}/picture.jpg"/>\n<pubDate>{_rfc822(item.published)}</pubDate>\n</item>\n'
        for item in listed
    )
    head = f"<title>{escape(title)}</title>\n<link>{root}</link>\n"
    return f'<?xml version="1.0" encoding="windows-1251"?>\n<rss version="2.0"><channel>{head}{entries}</channel></rss>'


def _atom(title: str, root: str, listed: list[Item]) -> str:
    entries = "".join(
        f'<entry>\n<title type="html">{escape(escape(item.title))}</title>\n'
        + (f'<link rel="alternate" href="{escape(item.link)}"/>\n' if item.link else "")
        + _element("id", item.guid)
        + f"<published>{item.published.astimezone(UTC).isoformat()}</published>\n"
        + f"<updated>{item.published.astimezone(UTC).isoformat()}</updated>\n"
        + f'<summary type="html">{escape(item.lead)}</summary>\n<content type="html">{escape(item.body)}</content>\n'
        + ('<category term="Opinion"/>\n' if item.opinion else "")
        + "</entry>\n"
        for item in listed
    )
    head = f"<title>{escape(title)}</title>\n<id>{root}/</id>\n"
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n{head}{entries}</feed>\n'
    )


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>\n" if text else ""


def _numeric(text: str) -> str:
    return "".join(c if c.isascii() and c not in "&<>" else f"&#{ord(c)};" for c in text)


def _named(text: str) -> str:
    """HTML's names for dashes, quotes, no-break spaces and the like."""
    return "".join(f"&{codepoint2name[ord(c)]};" if ord(c) > 127 and ord(c) in codepoint2name else c for c in text)


def _rfc822(instant: datetime) -> str:
    return format_datetime(instant.astimezone(UTC))


SHAPES: dict[Shape, tuple[Callable[[str, str, list[Item]], str], str]] = {
    "wordpress": (_wordpress, "utf-8"),
    "teaser": (_teaser, "utf-8"),
    "cp1251": (_cp1251, "windows-1251"),
    "atom": (_atom, "utf-8"),
}
CONTENT_TYPES: dict[Shape, str] = {
    "wordpress": "application/rss+xml; charset=UTF-8",
    "teaser": "text/xml; charset=utf-8",
    "cp1251": "application/rss+xml",
    "atom": "application/atom+xml; charset=utf-8",
}
