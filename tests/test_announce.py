"""Who is told of a new fixing, and of which."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bot.announce import Announcer
from bot.compose.operators import telegram_conflict
from bot.models import Address, Article, Catalogue, Content, Fixing, RateRoad, RateTable, Schedule, Subscription
from storage.sqlite import SqliteStore

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
NBK = RateRoad("nbk", "nbk", "https://bank.example/{date:%d.%m.%Y}")
DOLLAR = Fixing("USD", "475.09")


def table(day: int, *fixings: Fixing) -> RateTable:
    return RateTable("nbk", "KZT", date(2026, 11, day), fixings)


async def told(store: SqliteStore, content: Content, new: RateTable) -> list[str]:
    """What somebody with this instant subscription is told, after a fixing of the 23rd."""
    await store.subscribe(Subscription(0, Address("telegram", "1"), Schedule("instant"), content, NOW))
    announcer = Announcer(store, Catalogue((), (NBK,)), "Asia/Almaty", "en", timedelta(hours=6))
    outgoing = await announcer.fixing(NBK, [table(23, DOLLAR, Fixing("EUR", "500"))], [new], NOW)
    return [out.message.blocks[0].text for out in outgoing]


async def test_a_fixing_is_told_to_whoever_asked_for_rates_whatever_news_they_want(store: SqliteStore):
    new = table(24, Fixing("USD", "478.77"))
    assert await told(store, Content(("summit",), rates=True), new) == ["1 USD = 478.77 KZT from 24 Nov, +0.77%"]


async def test_a_fixing_is_not_told_to_whoever_wants_news_only(store: SqliteStore):
    assert await told(store, Content(rates=False), table(24, Fixing("USD", "478.77"))) == []


async def test_a_table_without_the_dollar_tells_nothing_and_breaks_nothing(store: SqliteStore):
    assert await told(store, Content(), table(24, Fixing("EUR", "501"))) == []


async def test_a_pushed_article_notes_which_subscription_wanted_it_and_what_of_it_matched(store: SqliteStore):
    content = Content(("water", "gas"), ("KZ", "KG"))
    order = await store.subscribe(Subscription(0, Address("telegram", "1"), Schedule("instant"), content, NOW))
    announcer = Announcer(store, Catalogue((), (NBK,)), "Asia/Almaty", "en", timedelta(hours=6))
    story = Article("timesca", "g", "https://n.example/1", "Waters and gas", "", "", NOW, countries=("KZ",))
    (out,) = await announcer.articles([(story, ["g"])], NOW)
    assert dict(out.why) == {"subscription": str(order.id), "words": "water, gas", "countries": "KZ"}


async def test_operators_are_told_once_of_a_cause(store: SqliteStore):
    operators = (Address("telegram", "900"), Address("slack", "T1/U2"))
    announcer = Announcer(store, Catalogue((), ()), "Asia/Almaty", "ru", timedelta(hours=6), operators=operators)
    for minutes, cause in ((0, "conflict"), (30, "conflict"), (31, "refused")):
        await announcer.tell(lambda: NOW + timedelta(minutes=minutes), cause, telegram_conflict)  # noqa: B023
    assert (await store.ledger()).states == {"pending": 4}
