"""Search finds all that is right and little else, whatever is typed, and its pages stay put."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot import rules
from bot.errors import Refusal
from bot.models import Article, Content, NewsQuery, PollState
from bot.query import news_query
from bot.wanted import reading
from storage.sqlite import SqliteStore
from tests.library import DOCUMENTS, ENGLISH, RUSSIAN, hostile
from tests.tally import Tell

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def made(number: int, title: str, text: str, language: str = "en", **changes: object) -> Article:
    published = NOW - timedelta(minutes=number)
    story = Article("bench", f"g{number}", f"https://news.example/{number}", title, text, text, published, language)
    return replace(story, **changes)


async def keep(store: SqliteStore, *articles: Article) -> None:
    await store.keep_news(PollState("bench"), [(a, [a.guid]) for a in articles], {}, [], NOW)


async def found(store: SqliteStore, text: str) -> list[str]:
    return [a.guid for a in (await store.find_news(news_query(text, NOW), 100)).articles]


LIBRARY = {n: made(n, title, text, language) for n, (language, title, text) in DOCUMENTS.items()}


@pytest.mark.parametrize("queries", [ENGLISH, RUSSIAN], ids=["english", "russian"])
async def test_all_that_is_right_is_found_and_next_to_nothing_else(store: SqliteStore, queries: dict[str, set[int]]):
    await keep(store, *LIBRARY.values())
    hits = wrong = missed = 0
    told = []
    for text, right in queries.items():
        got = {int(guid[1:]) for guid in await found(store, text)}
        hits, wrong, missed = hits + len(got & right), wrong + len(got - right), missed + len(right - got)
        told += [f"{text}: {sorted(got)} is not {sorted(right)}"] * (got != right)
    assert missed == 0, told
    assert hits / (hits + wrong) >= 0.97, told


async def test_a_subscription_sends_what_a_search_finds(store: SqliteStore):
    assert len(ENGLISH) + len(RUSSIAN) >= 40
    await keep(store, *LIBRARY.values())
    readings = {article.guid: reading(article) for article in LIBRARY.values()}
    for text in (*ENGLISH, *RUSSIAN):
        query = news_query(text, NOW)
        content = Content(query.words, excluded=query.excluded)
        wanted = [a.guid for a in LIBRARY.values() if rules.wants(content, a, readings[a.guid])]
        assert wanted == await found(store, text), text
        seen = await store.news_seen(NOW - timedelta(1), NOW, query, 100)
        assert [a.guid for a in seen] == wanted, text


REGION = [
    made(1, "Қазақстандағы мемлекеттік тіл", "Теңгенің бағамы өсті, мектептер ашылды", "kk"),
    made(2, "O'zbekistonda paxta terimi", "Prezidentning qarori, so'mga talab oshdi", "uz"),
    made(3, "Кыргызстанда өкмөттүн чечими", "Жапаровдун айтымында", "ky"),
    made(4, "Маҷлиси Тоҷикистон", "Қонунҳои нав қабул шуданд", "tg"),
    made(5, "Schools of Kazakhstan", "The word мектеп means school", "en"),
]


@pytest.mark.parametrize(
    ("text", "guids"),
    [
        ("мемлекет", "g1"),
        ("мектеп", "g1 g5"),
        ("Қазақстан", "g1 g5"),
        ("kazakhstan", "g1 g5"),
        ("теңге", "g1"),
        ("tenge", "g1"),
        ("oʻzbekiston", "g2"),
        ("prezident", "g2"),
        ("soum", "g2"),
        ("өкмөт", "g3"),
        ("жапаров", "g3"),
        ("қонун", "g4"),
        ("тоҷикистон -қонун", ""),
        ('"паxта терими"', ""),
        ('"paxta teri"', "g2"),
        ("қо", ""),
        ("schools", "g5"),
    ],
)
async def test_languages_without_a_stemmer_are_found_by_the_beginnings_of_their_words(
    store: SqliteStore, text: str, guids: str
):
    await keep(store, *REGION)
    assert await found(store, text) == guids.split()
    content = Content(news_query(text, NOW).words, excluded=news_query(text, NOW).excluded)
    assert [a.guid for a in REGION if rules.wants(content, a, reading(a))] == guids.split()


@pytest.mark.parametrize("queries", [2_000, pytest.param(10_000, marks=pytest.mark.chaos)])
async def test_thousands_of_hostile_queries_are_only_queries(store: SqliteStore, queries: int, tell: Tell):
    """None raises anything but a Refusal; what is not refused is looked for, and filters read it the same."""
    await keep(store, *REGION, *LIBRARY.values())
    chance = random.Random(1)
    text = reading(LIBRARY[1])
    asked = 0
    for _ in range(queries):
        typed = hostile(chance)
        try:
            query = news_query(typed, NOW)
        except Refusal:
            query = NewsQuery((typed,), (typed[:9],), (typed,), excluded=(typed[::-1],), best=chance.random() < 0.5)
        else:
            asked += 1
        page = await store.find_news(query, 6)
        assert page.total <= 35
        rules.wants(Content(query.words, excluded=query.excluded), LIBRARY[1], text)
    assert asked > queries / 5
    tell(f"hostile searches: {queries:,}, {asked:,} of them understood, 0 exceptions")


async def test_pages_stay_put_while_a_hundred_articles_arrive_between_two(store: SqliteStore):
    chance = random.Random(3)
    old = [made(n, "A summit", "of leaders", published=NOW - timedelta(minutes=n // 3)) for n in range(40)]
    await keep(store, *old)
    seen: list[str] = []
    arrived = 0
    query = NewsQuery(("summit",))
    while (page := await store.find_news(query, 6)).articles:
        shown = [a.guid for a in page.articles if a.guid.startswith("g")]
        assert page.total == 40 + arrived
        newer = await store.find_news(replace(query, before=None), 1000)
        place = [a.guid for a in newer.articles].index(page.articles[0].guid)
        assert page.skipped == place  # "107-112 of 146" is the truth
        seen += shown
        query = replace(query, before=page.articles[-1].id)
        # as they come: most are new, some were published before what has been shown
        late = [chance.choice([0, 0, 0, 5, 60]) for _ in range(100)]
        fresh = [
            made(0, "Another summit", "", guid=f"n{arrived + n}", url=f"https://new.example/{arrived + n}",
                 published=NOW + timedelta(minutes=1) - timedelta(minutes=minutes))
            for n, minutes in enumerate(late)
        ]  # fmt: skip
        if arrived < 300:
            await keep(store, *fresh)
            arrived += 100
    assert sorted(seen) == sorted(a.guid for a in old)
    assert len(seen) == len(set(seen)) == 40


async def test_the_best_match_is_looked_for_among_the_newest_thousand(store: SqliteStore):
    await keep(store, *[made(n, "News", "The summit was told of") for n in range(10, 1020)])
    await keep(store, made(500, "Summit of summits", "A summit", guid="best"))
    await keep(store, made(2000, "Summit, summit, summit", "Summit", guid="too old"))
    page = await store.find_news(NewsQuery(("summit",), best=True), 6)
    assert page.articles[0].guid == "best"
    assert "too old" not in [a.guid for a in page.articles]
    assert [a.guid for a in page.articles[1:]] == [f"g{n}" for n in range(10, 15)]
    assert (page.total, page.capped) == (1000, True)


async def test_a_large_total_of_several_words_reaches_back_only_so_far(store: SqliteStore, store_kind: str):
    """Single words, small totals and pages are exact all the same."""
    leaders = [made(n, "A summit", "of city leaders" if n % 2 else "of farmers") for n in range(600)]
    await keep(store, *leaders, made(700, "A summit of miners", ""), made(701, "A drought", ""))
    assert await totals(store) == EXACT
    if store_kind != "sqlite":
        return  # it counts as quickly without
    newest = await store.find_news(NewsQuery(), 500)
    assert newest.articles[-1].guid == "g499"
    await store._writer.run(
        lambda db: db.conn.execute("UPDATE search_reach SET oldest = ?", (newest.articles[-1].id,)).rowcount
    )
    assert await totals(store) == EXACT | {
        "summit leader": (200, True),  # 250 of the newest 500
        '"city leaders"': (200, True),
        "summit -farmer": (200, True),
    }
    query = NewsQuery(("summit", "leader"))
    guids: list[str] = []
    while (page := await store.find_news(query, 6)).articles:
        assert page.skipped == len(guids)
        guids += [a.guid for a in page.articles]
        assert (page.total, page.capped) == (max(200, len(guids)), True)
        query = replace(query, before=page.articles[-1].id)
    assert guids == [f"g{n}" for n in range(1, 600, 2)]
    await store.prune(NOW)
    assert await totals(store) == EXACT  # there are not that many articles


EXACT = {
    "summit": (601, False),
    "leader": (300, False),
    "summit leader": (300, False),
    '"city leaders"': (300, False),
    "summit -farmer": (301, False),
    "summit miner": (1, False),
    "leader farmer": (0, False),
    "-summit": (1, False),
}


async def totals(store: SqliteStore) -> dict[str, tuple[int, bool]]:
    pages = {text: await store.find_news(news_query(text, NOW), 6) for text in EXACT}
    return {text: (page.total, page.capped) for text, page in pages.items()}


async def test_a_time_ends_where_it_is_told_to(store: SqliteStore):
    await keep(store, *[made(n, "Summit", "") for n in range(6)])
    query = NewsQuery(("summit",), since=NOW - timedelta(minutes=4), until=NOW - timedelta(minutes=1))
    assert [a.guid for a in (await store.find_news(query, 6)).articles] == ["g2", "g3", "g4"]


async def test_without_words_to_begin_with_articles_are_only_left_out(store: SqliteStore):
    await keep(store, *REGION)
    assert await found(store, "-school") == ["g1", "g2", "g3", "g4"]
    assert await found(store, "-мемлекет -paxta") == ["g3", "g4", "g5"]


async def test_what_was_edited_is_found_by_its_new_words_and_in_its_new_language(store: SqliteStore, store_kind: str):
    await keep(store, REGION[0])
    number = (await store.known_articles(["g1"]))["g1"]
    edited = replace(REGION[0], title="Schools opened", lead="", text="In Kazakhstan", language="en")
    await store.keep_news(PollState("bench"), [], {number: (edited, [])}, [], NOW)
    assert await found(store, "school") == ["g1"]
    assert await found(store, "мемлекет") == []
    await store.prune(NOW + timedelta(days=100))
    for table in ("article_terms", "article_beginnings") if store_kind == "sqlite" else ("article_words",):
        count = await store._readers.run(
            lambda db, table=table: db.conn.execute(f"SELECT count(*) FROM {table}").fetchone()
        )
        assert count == (0,)


async def test_a_beginning_stands_for_all_the_words_it_has(store: SqliteStore):
    """Few are looked for one by one, many through the index's own merged list: the answers are the same."""
    words = [f"uran{first}{second}" for first in "bcdfgkmpqv" for second in "bdfgkmpqvwxz"]  # no endings
    await keep(store, *[made(n, word, "") for n, word in enumerate(words)], made(500, "Urals", ""))
    assert len(await found(store, "uran*")) == 100
    assert (await store.find_news(news_query("uran*", NOW), 6)).total == 120
    assert len(await found(store, "uranc*")) == 12
    assert await found(store, "ural*") == ["g500"]
