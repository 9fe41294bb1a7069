from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import SourceError
from bot.models import Article, Feed
from bot.sources.document import Entry, ParsedFeed, parse
from bot.sources.feeds import articles, canonical, keys

FILES = Path(__file__).parent / "sources"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FEED = Feed("courier", "The Steppe Courier", "https://courier.example/feed/", "en", ("UZ",))


def read(
    name: str, content_type: str = "application/rss+xml", url: str = "https://courier.example/feed/"
) -> ParsedFeed:
    return parse((FILES / name).read_bytes(), {"content-type": content_type}, url)


def rss(items: str, head: str = '<?xml version="1.0"?>') -> str:
    return f'{head}<rss version="2.0"><channel><title>T</title>{items}</channel></rss>'


def item(n: int | str, title: str = "Title", **more: str) -> str:
    extra = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return f"<item><title>{title} {n}</title><link>https://courier.example/{n}</link>{extra}</item>"


def refusal(body: bytes, content_type: str = "text/html") -> str:
    with pytest.raises(SourceError) as caught:
        parse(body, {"content-type": content_type}, "https://courier.example/feed/")
    return str(caught.value)


def test_wordpress_gives_the_full_text_without_its_furniture():
    parsed = read("feed-wordpress.xml", "application/rss+xml; charset=UTF-8")
    first = parsed.entries[0]
    assert (parsed.title, parsed.complete, len(parsed.entries)) == ("The Steppe Courier", True, 3)
    assert first.title == "Samarkand Hosts Water Summit: What’s Next for the Amu Darya & Beyond"
    assert first.guid == "https://courier.example/?p=4711"
    assert first.link == "https://courier.example/2026/11/water-summit/"
    assert first.published == datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
    assert first.categories == ("Uzbekistan", "Water")
    assert first.text == (
        "Ministers of five states met in Samarkand on Monday to talk about water. They signed a plan for shared"
        " reservoirs — the first [sic] since 1992.\n\nWork begins in spring."
    )


def test_wordpress_entries_become_articles():
    summit, rails, tariffs = articles(FEED, read("feed-wordpress.xml"), NOW)
    assert (summit.source, summit.language, summit.countries, summit.opinion) == ("courier", "en", ("UZ",), False)
    assert summit.lead.startswith(
        "Ministers of five states met in Samarkand on Monday to talk about water. They signed"
    )
    assert (rails.title, rails.opinion) == ("Rails Need Patience", True)
    assert rails.lead == "A railway is not built in a day. Nor in a term."
    assert rails.url == "https://courier.example/2026/11/rails/?utm_source=rss&utm_medium=rss"
    assert (tariffs.title, tariffs.opinion) == ("Why Tariffs Bite", True)


def test_entities_in_cdata_are_decoded_and_links_joined_to_the_document():
    rate, summit = read("feed-cdata-entities.xml", url="https://gazeta.example/ru/rss/").entries
    assert rate.title == "Курс доллара «замер» перед выходными"
    assert rate.summary == "Центральный банк сообщил, что курс «не изменился» — впервые за месяц."
    assert rate.published == datetime(2026, 11, 23, 8, 5, tzinfo=UTC)
    assert summit.summary == "Встреча «пятёрки» назначена на декабрь."
    assert (summit.guid, summit.link) == ("gz-2", "https://gazeta.example/ru/2026/11/23/summit/")


def test_invalid_xml_gives_every_item():
    parsed = read("feed-invalid.xml")
    assert [(entry.title, entry.text) for entry in parsed.entries] == [
        ("Oil & Gas: new pipeline", "The line is 300 km long. It opens in May."),
        ("Bread is cheaper", "Bakers say so"),
        ("Third", "Plain words."),
    ]
    assert parsed.entries[0].link == "https://kunlik.example/news/1?a=1&b=2"
    assert parsed.entries[2].published is None


def test_atom_of_every_content_type():
    first, second = read("feed-atom.xml", "application/atom+xml", "https://atom.example/feed").entries
    assert (first.title, first.link) == ("Breaking: pass reopens", "https://atom.example/news/1")
    assert first.text == "Lorries cross again.\n\nSnow is expected."
    assert first.published == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert (second.text, second.published) == ("Nothing more.", datetime(2026, 11, 22, tzinfo=UTC))
    assert [article.opinion for article in articles(FEED, ParsedFeed((first, second), True, ""), NOW)] == [True, False]


def test_rdf():
    (entry,) = read("feed-rdf.xml", "text/xml").entries
    assert (entry.title, entry.text) == ("Harvest is in", "Cotton, mostly.")
    assert entry.published == datetime(2026, 11, 20, 4, tzinfo=UTC)


def test_json_feed():
    parsed = read("feed-json.json", "application/feed+json")
    first, second = parsed.entries
    assert (parsed.title, parsed.complete) == ("JSON of the Steppe", True)
    assert (first.title, first.text) == ("Five < six & more", "Counted twice.")
    assert first.published == datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert (second.guid, second.link, second.text) == ("2", "https://json.example/2", "a < b, they say")


def test_hostile_entries_become_plain_text_or_nothing():
    made = articles(FEED, read("feed-injection.xml"), NOW)
    assert [(article.title, article.text, article.url) for article in made] == [
        ("Hello <@U123> dlrow", "Calm text here.", "https://hostile.example/1")
    ]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1251", "koi8-r"]
)
def test_a_charset_that_is_declared_is_read(encoding: str):
    text = rss(item(1, "Саммит в Ташкенте"), f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>')
    parsed = parse(text.encode(encoding), {"content-type": "text/xml"}, "https://courier.example/feed/")
    assert parsed.entries[0].title == "Саммит в Ташкенте 1"


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        ("", "text/xml"),
        ('<?xml version="1.0" encoding="UTF-8"?>', "application/rss+xml; charset=utf-8"),
        ('<?xml version="1.0"?>', "text/xml; charset=windows-1251"),
        ('<?xml version="1.0" encoding="no-such-charset"?>', ""),
        ('<?xml version="1.0" encoding="zlib"?>', "text/xml; charset=base64"),
    ],
)
def test_windows_1251_is_known_whatever_is_declared(head: str, content_type: str):
    body = rss(item(1, "Нацбанк повысил ставку"), head).encode("cp1251")
    parsed = parse(body, {"content-type": content_type}, "https://courier.example/feed/")
    assert parsed.entries[0].title == "Нацбанк повысил ставку 1"


def test_utf_8_is_known_whatever_is_declared_and_survives_a_broken_character():
    body = rss(
        item(1, "Ставка выросла") + item(2, "Ставка упала"), '<?xml version="1.0" encoding="windows-1251"?>'
    ).encode()
    broken = body.replace("упала".encode(), "упала".encode()[:-1])
    titles = [entry.title for entry in parse(broken, {"content-type": "text/xml; charset=iso-8859-1"}, "").entries]
    assert titles[0] == "Ставка выросла 1"
    assert titles[1].startswith("Ставка упал")


def test_a_document_that_is_cut_gives_its_whole_entries_and_says_so():
    whole = rss("".join(item(n, description="Words.") for n in range(4)))
    cut = whole[: whole.index("Title 3") + 3].encode()
    parsed = parse(cut, {"content-type": "text/xml"}, "https://courier.example/feed/")
    assert ([entry.title for entry in parsed.entries], parsed.complete) == (["Title 0", "Title 1", "Title 2"], False)


def test_no_more_than_a_thousand_entries_are_kept():
    parsed = parse(rss("".join(map(item, range(10_000)))).encode(), {}, "https://courier.example/feed/")
    assert (len(parsed.entries), parsed.entries[0].title, parsed.complete) == (1000, "Title 0", False)
    many = {"version": "https://jsonfeed.org/version/1", "items": [{"id": str(n)} for n in range(1001)]}
    parsed = parse(json.dumps(many).encode(), {}, "https://courier.example/feed/")
    assert (len(parsed.entries), parsed.complete) == (1000, False)


def test_a_feed_may_be_empty_or_stand_behind_a_servers_complaint():
    assert parse(rss("").encode(), {}, "").entries == ()
    noisy = "\n<br /><b>Warning</b>: something in line 3\n" + rss(item(1))
    assert [entry.title for entry in parse(noisy.encode(), {}, "").entries] == ["Title 1"]


def test_control_characters_cost_no_items():
    assert parse(rss(item("\x00\x0b\x1f1") + item(2)).encode(), {}, "").entries[1].title == "Title 2"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<!DOCTYPE html><html><body><h1>News</h1></body></html>", "an HTML page instead of a feed"),
        (b"\n<!-- c --><HTML lang='ru'><head></head></HTML>", "an HTML page instead of a feed"),
        (b" \n", "an empty document"),
        (b"[1, 2]", "not a feed"),
        (b'{"code": "rest_forbidden", "message": "Sorry.", "data": {"status": 401}}', "refused: rest_forbidden"),
        (b"No feed here", "not a feed"),
        (b'{"items": []}', "not a feed"),
        (b'{"version": "https://jsonfeed.org/version/1", "items"', "not a feed"),
        (b'{"a":' * 100_000, "not a feed"),
        (b'<?xml version="1.0"?><opml><body/></opml>', "not a feed"),
        (b"https://courier.example/feed/", "not a feed"),
        (b"\xff\xfe\x00", "not a feed"),
    ],
)
def test_what_is_no_feed_has_a_name(body: bytes, told: str):
    assert refusal(body) == told


def test_a_challenge_page_is_called_so():
    assert refusal((FILES / "feed-challenge.html").read_bytes()) == "a challenge page: blocked"


def test_a_body_that_names_a_local_file_opens_nothing(tmp_path: Path):
    secret = tmp_path / "secret.xml"
    secret.write_text(rss(item(1, "Secret")))
    assert refusal(str(secret).encode()) == "not a feed"
    named = f"<rss>{secret}</rss>".encode()
    assert parse(named, {}, "").entries == ()


def test_entities_from_outside_are_left_alone(tmp_path: Path):
    (tmp_path / "secret.txt").write_text("the secret")
    head = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
    (entry,) = parse(rss(item("&x;"), head).encode(), {}, "").entries
    assert "secret" not in entry.title


def entry(**changes: object) -> Entry:
    plain = {
        "guid": "g1",
        "link": "https://courier.example/1",
        "title": "Title",
        "summary": "Words.",
        "text": "Words.",
        "published": NOW,
    }
    return Entry(**(plain | changes))  # type: ignore[arg-type]


def made(*entries: Entry, feed: Feed = FEED) -> list[Article]:
    return articles(feed, ParsedFeed(entries, True, ""), NOW)


def test_no_date_and_a_future_date_are_now():
    dates = [article.published for article in made(entry(published=None), entry(published=NOW.replace(year=2030)))]
    assert dates == [NOW, NOW]


def test_a_guid_of_several_links_and_no_guid_are_the_link():
    shared = made(entry(guid="same"), entry(guid="same", link="https://courier.example/2"), entry(guid=""))
    assert [article.guid for article in shared] == [article.url for article in shared]
    assert made(entry(guid="same"), entry(guid="same"))[0].guid == "same"


def test_the_country_is_the_feeds_if_it_has_only_one():
    region = Feed("region", "Region", "https://region.example/", "en", ("KZ", "UZ"))
    assert (made(entry())[0].countries, made(entry(), feed=region)[0].countries) == (("UZ",), ())


@pytest.mark.parametrize(
    ("title", "left"),
    [
        ("Opinion: Rails", "Rails"),
        ("OPINION | Rails", "Rails"),
        ("Opinion – Rails", "Rails"),
        ("Мнение: рельсы", "рельсы"),
        ("Opinions differ on rails", None),
        ("Opinion poll opens", None),
    ],
)
def test_an_opinion_is_known_by_its_prefix(title: str, left: str | None):
    (article,) = made(entry(title=title))
    assert (article.title, article.opinion) == (left or title, left is not None)


def test_long_titles_are_clipped_and_long_links_refused():
    assert len(made(entry(title="word " * 1000))[0].title) <= 300
    assert made(entry(link="https://courier.example/" + "a" * 3000)) == []


def test_a_lead_is_taken_from_the_text_if_the_summary_is_cut():
    (article,) = made(entry(summary="It began well and…", text="It began well and ended well. So it goes. Third."))
    assert article.lead == "It began well and ended well. So it goes."


@pytest.mark.parametrize(
    "spelling",
    [
        "https://news.example/2026/summit",
        "http://news.example/2026/summit",
        "https://www.news.example/2026/summit/",
        "https://amp.news.example/2026/summit",
        "https://m.news.example/2026/summit",
        "HTTPS://NEWS.Example:443/2026/summit",
        "https://news.example//2026//summit#comments",
        "https://news.example/2026/summit/amp/",
        "https://news.example/2026/summit?utm_source=rss&utm_medium=feed&fbclid=x",
    ],
)
def test_spellings_of_one_address_are_one(spelling: str):
    assert canonical(spelling) == "https://news.example/2026/summit"


def test_different_addresses_stay_different():
    assert canonical("https://news.example/?id=1") != canonical("https://news.example/?id=2")
    assert canonical("https://news.example/?b=2&a=1") == canonical("https://news.example/?a=1&b=2")
    assert canonical("https://news.example:8443/a") == "https://news.example:8443/a"
    assert canonical("https://m.kz/a") == "https://m.kz/a"
    assert canonical("http://[::1]:8000/a/") == "https://[::1]:8000/a"
    assert [canonical(bad) for bad in ("", "mailto:a@b", "javascript:1", "http://[", "/a")] == [""] * 5


def test_an_article_is_known_by_guid_then_address_then_title_and_day():
    (article,) = made(
        entry(title="Ёлки: «Саммит» — 2026!", guid="?p=1", link="http://www.courier.example/1/?utm_source=x")
    )
    assert keys(article) == (
        "g:courier ?p=1",
        "u:https://courier.example/1",
        "t:courier 2026-11-23 елки саммит 2026",
    )


def test_a_front_page_and_a_wordless_title_make_no_key():
    (article,) = made(entry(title="!!!", link="https://courier.example/"))
    assert keys(article) == ("g:courier g1",)


def test_wordpress_lists_its_posts_under_the_guids_of_its_feed():
    post = {
        "date_gmt": "2026-11-23T05:00:00",
        "guid": {"rendered": "https://steppe.example/?p=7&#038;x=1"},
        "link": "https://steppe.example/road/",
        "title": {"rendered": "Road &amp; rail"},
        "excerpt": {"rendered": "<p>It opens.</p>"},
        "content": {"rendered": "<p>It opens.</p><p>At last.</p>"},
    }
    parsed = parse(json.dumps([post, "odd"]).encode(), {}, "https://steppe.example/wp-json/wp/v2/posts")
    (entry,) = parsed.entries
    assert (entry.guid, entry.link) == ("https://steppe.example/?p=7&x=1", "https://steppe.example/road/")
    assert (entry.title, entry.summary, entry.text) == ("Road & rail", "It opens.", "It opens.\n\nAt last.")
    assert entry.published == datetime(2026, 11, 23, 5, tzinfo=UTC)


def test_a_feed_tells_its_language_and_how_long_to_leave_it_alone():
    body = b"<rss version='2.0'><channel><title>T</title><language>ru-RU</language><ttl>90</ttl></channel></rss>"
    parsed = parse(body, {}, "https://steppe.example/")
    assert (parsed.language, parsed.ttl) == ("ru", 5400)
    for nonsense in (b"-5", b"soon", "٩".encode(), b"9" * 400):
        assert parse(body.replace(b"90", nonsense), {}, "https://steppe.example/").ttl in (0, 86400)
