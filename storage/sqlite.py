"""The store in one SQLite file. Each method is one transaction; its SQL is in the file of its noun."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlite_utils import Database

from bot.models import (
    AddedFeed,
    Address,
    Alert,
    Article,
    Bundle,
    ChatSettings,
    Edition,
    Feed,
    Headline,
    Hold,
    Mailing,
    NewsPage,
    NewsQuery,
    Outgoing,
    Plan,
    PollState,
    RateTable,
    Sight,
    StoredFixing,
    Subscription,
    Update,
)
from bot.store import Store
from storage import alerts as alerts_
from storage import bundles, chats, due, inbox, index, installs, ledger, news, privacy, rates, search, sources
from storage.index import Index
from storage.opening import fold, open_reader, open_writer
from storage.sqlite_installs import SqliteInstalls
from storage.sqlite_outbox import SqliteOutbox
from storage.threads import Crew
from storage.together import Together

READERS: Final = 3


async def open_store(path: Path, *, retention_days: int = 90) -> SqliteStore:
    """The store in the file at `path`, made with its folder if it is missing.

    retention_days: how long articles are kept
    Raises DatabaseError for a file that is damaged, foreign, newer than this version or cannot
    be written; it is then left untouched.
    """
    store = SqliteStore(path, retention_days=retention_days)
    try:
        await store.open()
    except BaseException:
        await store.close()
        raise
    return store


class SqlStore(SqliteOutbox, SqliteInstalls, Store):
    """bot.store.Store in SQL: one thread that writes, a few that read beside it. Search is each engine's own."""

    _index: Index

    def __init__(self, writer: Crew, readers: Crew, *, retention_days: int) -> None:
        super().__init__(writer, readers)
        self._retention = timedelta(days=retention_days)
        self._kept = Together(self._keep_polls)
        self._hand = inbox.Hand(secrets.randbits(31))

    # sources
    async def poll_states(self) -> dict[str, PollState]:
        return await self._readers.run(sources.poll_states)

    async def keep_poll(self, state: PollState) -> None:
        """Polls that end while another commit is under way share the next one."""
        await self._kept(state)

    async def _keep_polls(self, states: Sequence[PollState]) -> list[None]:
        await self._writer.run(sources.keep_polls, states)
        return [None] * len(states)

    async def added_feeds(self) -> list[AddedFeed]:
        return await self._readers.run(sources.added_feeds)

    async def add_feed(self, feed: Feed, address: Address, user: str, now: datetime) -> None:
        await self._writer.run(sources.add_feed, feed, address, user, now)

    async def remove_feed(self, feed: str, address: Address) -> bool:
        return await self._writer.run(sources.remove_feed, feed, address)

    async def feeds_added_by(self, platform: str, user: str, since: datetime) -> int:
        return await self._readers.run(sources.feeds_added_by, platform, user, since)

    # news
    async def known_articles(self, keys: Collection[str]) -> dict[str, int]:
        return await self._readers.run(news.known_articles, keys)

    async def keep_news(
        self,
        state: PollState,
        new: Sequence[tuple[Article, Sequence[str]]],
        edited: Mapping[int, tuple[Article, Sequence[str]]],
        outgoing: Sequence[Outgoing],
        now: datetime,
    ) -> int:
        changed = await self._readers.run(news.changed, edited) if edited else {}
        if new or changed or outgoing:
            articles = [article for article, _ in (*new, *changed.values())]
            readings = await self._readers.run(index.read_all, articles)
            return await self._put_in(news.keep_news, state, new, changed, outgoing, now, readings, self._index)
        await self.keep_poll(state)
        return 0

    async def rewritten(
        self, edited: Mapping[int, tuple[Article, Sequence[str]]]
    ) -> dict[int, tuple[Article, Article]]:
        return await self._readers.run(news.rewritten, edited)

    async def article(self, number: int) -> Article | None:
        return await self._readers.run(news.article_of, number)

    async def stories(self, numbers: Collection[int]) -> list[Article]:
        return await self._readers.run(news.stories, numbers) if numbers else []

    async def headlines(self, since: datetime, limit: int) -> list[Headline]:
        return await self._readers.run(news.headlines, since, limit)

    # rates
    async def tables(self, source: str, until: date, limit: int) -> list[RateTable]:
        return await self._readers.run(rates.tables, source, until, limit)

    async def newest_table(self, source: str) -> date | None:
        return await self._readers.run(rates.newest_table, source)

    async def series(
        self, source: str, base: str, quote: str, until: date, limit: int, since: date = date.min
    ) -> list[StoredFixing]:
        return await self._readers.run(rates.series, source, base, quote, until, limit, since)

    async def keep_tables(
        self,
        state: PollState | None,
        tables: Sequence[RateTable],
        outgoing: Sequence[Outgoing],
        now: datetime,
        alerts: Sequence[Alert] = (),
    ) -> int:
        return await self._put_in(rates.keep_tables, state, tables, outgoing, now, alerts)

    async def holds(self) -> list[Hold]:
        return await self._readers.run(rates.holds)

    async def release(
        self, hold: int, outgoing: Sequence[Outgoing], now: datetime, alerts: Sequence[Alert] = ()
    ) -> bool:
        return await self._put_in(rates.release, hold, outgoing, now, alerts)

    # chats
    async def chat(self, address: Address) -> ChatSettings | None:
        return await self._readers.run(chats.chat, address)

    async def keep_chat(self, settings: ChatSettings, replanned: Sequence[Subscription]) -> None:
        await self._writer.run(chats.keep_chat, settings, replanned)

    # subscriptions
    async def subscriptions(self, address: Address, *, threads: bool = False) -> list[Subscription]:
        return await self._readers.run(chats.subscriptions, address, threads=threads)

    async def subscriptions_by(self, platform: str, user: str) -> list[Subscription]:
        return await self._readers.run(chats.subscriptions_by, platform, user)

    async def instant_subscriptions(self) -> list[tuple[Subscription, ChatSettings | None]]:
        return await self._readers.run(chats.instant_subscriptions)

    async def audience(self) -> list[Address]:
        return await self._readers.run(chats.audience)

    async def due_editions(self, now: datetime, limit: int) -> list[Edition]:
        return await self._readers.run(due.due_editions, now, limit)

    async def keep_mailings(self, mailings: Sequence[Mailing], now: datetime) -> int:
        return await self._put_in(due.keep_mailings, mailings, now)

    async def plans(self, now: datetime) -> list[Plan]:
        return await self._readers.run(due.plans, now)

    async def correct_plans(self, corrected: Sequence[tuple[Plan, datetime]]) -> int:
        return await self._writer.run(due.correct_plans, corrected)

    async def change_subscriptions(self, changed: Sequence[Subscription], alerts: Sequence[Alert] = ()) -> None:
        await self._writer.run(alerts_.change_subscriptions, changed, alerts)

    async def subscribe(self, subscription: Subscription) -> Subscription:
        return await self._writer.run(chats.subscribe, subscription)

    async def unsubscribe(self, address: Address, ids: Collection[int], update: str = "") -> int:
        return await self._writer.run(chats.unsubscribe, address, ids, update)

    # alerts
    async def alerts(self, address: Address) -> list[Alert]:
        return await self._readers.run(alerts_.alerts, address)

    async def set_alert(self, alert: Alert) -> Alert:
        return await self._writer.run(alerts_.set_alert, alert)

    async def watched_pairs(self, now: datetime) -> list[tuple[str, str]]:
        return await self._readers.run(alerts_.watched_pairs, now)

    async def alerts_to_judge(
        self, sight: Sight, corrected: Collection[date]
    ) -> list[tuple[Alert, ChatSettings | None]]:
        return await self._readers.run(alerts_.alerts_to_judge, sight, corrected)

    # bundles
    async def pushed_since(self, since: datetime) -> dict[Address, list[datetime]]:
        return await self._readers.run(bundles.pushed_since, since)

    async def due_bundles(self, now: datetime) -> list[Bundle]:
        return await self._readers.run(bundles.due_bundles, now)

    async def keep_bundles(self, bundled: Sequence[tuple[Bundle, Outgoing]], now: datetime) -> int:
        return await self._put_in(bundles.keep_bundles, bundled, now)

    # inbox
    async def keep_updates(self, updates: Sequence[Update], now: datetime, answered: Collection[str] = ()) -> int:
        return await self._writer.run(inbox.keep_updates, updates, now, answered)

    async def waiting_updates(self, platform: str, limit: int, held: Collection[int] = ()) -> list[Update]:
        return await self._writer.run(inbox.waiting_updates, platform, limit, self._hand, held)

    async def suspect_update(self, platform: str, held: Collection[int] = ()) -> Update | None:
        return await self._writer.run(inbox.suspect_update, platform, self._hand, held)

    async def acted_updates(self, platform: str, held: Collection[int] = ()) -> list[Update]:
        return await self._writer.run(inbox.acted_updates, platform, self._hand, held)

    async def settle_update(self, platform: str, key: str, state: str) -> str:
        return await self._writer.run(inbox.settle_update, platform, key, state)

    # buttons
    async def keep_token(self, token: str, address: Address, command: str, now: datetime) -> None:
        await self._writer.run(inbox.keep_token, token, address, command, now)

    async def token_command(self, token: str, address: Address) -> str | None:
        return await self._readers.run(inbox.token_command, token, address)

    # privacy
    async def all_kept(self, address: Address, user: str, *, updates: bool) -> dict[str, list[dict[str, Any]]]:
        return await self._readers.run(privacy.all_kept, address, user, updates=updates)

    async def forget(self, address: Address, user: str, update: str = "") -> None:
        await self._writer.run(privacy.forget, address, user, update)

    # upkeep
    async def ping(self) -> None:
        await self._writer.run(_beat)

    async def prune(self, now: datetime) -> None:
        """In several short transactions, so that sending goes on between them."""
        await self._writer.run(inbox.forget_settled, now)
        await self._writer.run(alerts_.forget_ended, now)
        await self._writer.run(installs.forget_installs, now)
        while await self._writer.run(privacy.forget_gone, now):
            pass
        await self._writer.run(chats.forget_editions)
        while await self._writer.run(ledger.forget_settled, now):
            pass
        await self._writer.run(ledger.forget_unused, now)
        while await self._writer.run(news.forget_articles, now - self._retention):
            pass

    async def close(self) -> None:
        """The last connection to close folds the log back into the file."""
        await self._readers.close()
        await self._writer.close()


class SqliteStore(SqlStore):
    """bot.store.Store in one file."""

    _index = index

    def __init__(self, path: Path, *, retention_days: int) -> None:
        super().__init__(
            Crew(1, partial(open_writer, path), "BEGIN IMMEDIATE"),
            Crew(READERS, partial(open_reader, path), "BEGIN"),
            retention_days=retention_days,
        )

    async def open(self) -> None:
        """Open the file now, rather than at the first call."""
        await self._writer.connect()

    async def find_news(self, query: NewsQuery, limit: int) -> NewsPage:
        return await self._readers.run(search.find_news, query, limit)

    async def news_seen(self, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
        return await self._readers.run(search.news_seen, after, until, query, limit)

    async def forget(self, address: Address, user: str, update: str = "") -> None:
        await super().forget(address, user, update)
        await self._writer.alone(fold)

    async def prune(self, now: datetime) -> None:
        await super().prune(now)
        await self._writer.run(search.set_reach)
        await self._writer.alone(fold)


def _beat(db: Database) -> None:
    db.conn.execute("UPDATE pulse SET beats = beats + 1")
