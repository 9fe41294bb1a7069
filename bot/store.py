"""The door to what is remembered. The doors to chats and to the clock are in bot/ports.py.

Writing a Store method: one method is one transaction, named for what happens.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from bot.installs import Installs
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
from bot.outbox import Outbox


class Lock(Protocol):
    """The lock of the one process that listens and looks after what is due, on a database. None of these awaits."""

    def acquire(self) -> bool:
        """Take it, or say False if another process holds it. Raises DatabaseError."""

    def kept(self) -> bool:
        """Whether it is still ours."""

    def held_elsewhere(self) -> bool:
        """Whether another process holds it just now. Raises DatabaseError."""

    def release(self) -> None:
        """Let go of it, if it is held."""


class Figures(Protocol):
    """The stored fixings, as quotes are made of them."""

    async def series(
        self, source: str, base: str, quote: str, until: date, limit: int, since: date = date.min
    ) -> list[StoredFixing]:
        """A pair's figures on a road, newest date first: one a date, those held left out."""

    async def holds(self) -> list[Hold]:
        """Figures held and not released, the oldest first."""


class Store(Figures, Outbox, Installs, Protocol):
    """What is remembered.

    sources        poll_states, keep_poll, added_feeds, add_feed, remove_feed, feeds_added_by
    news           known_articles, rewritten, keep_news, find_news, news_seen
    rates          tables, newest_table, series, keep_tables, holds, release
    chats          chat, keep_chat
    subscriptions  subscriptions, subscriptions_by, instant_subscriptions, audience, due_editions, keep_mailings,
                   plans, correct_plans, subscribe, change_subscriptions, unsubscribe
    bundles        pushed_since, due_bundles, keep_bundles
    alerts         alerts, set_alert, watched_pairs, alerts_to_judge
    outbox, ledger and chats' fate  in bot/outbox.py
    inbox          keep_updates, waiting_updates, suspect_update, acted_updates, settle_update
    buttons        keep_token, token_command
    workspaces     in bot/installs.py
    privacy        all_kept, forget
    upkeep         ping, prune, close
    """

    # sources
    async def poll_states(self) -> dict[str, PollState]:
        """All that is known of the sources, by id."""

    async def keep_poll(self, state: PollState) -> None:
        """A poll that brought nothing new, or failed."""

    async def added_feeds(self) -> list[AddedFeed]:
        """The feeds that chats added for themselves, by id."""

    async def add_feed(self, feed: Feed, address: Address, user: str, now: datetime) -> None:
        """A chat (its threads share it) reads this feed from now on; one of that id stays as it is."""

    async def remove_feed(self, feed: str, address: Address) -> bool:
        """A chat reads it no more. A feed that nobody reads is forgotten, its articles too.
        False if this chat did not read it."""

    async def feeds_added_by(self, platform: str, user: str, since: datetime) -> int:
        """How many feeds this person added since then, in whatever chat."""

    # news
    async def known_articles(self, keys: Collection[str]) -> dict[str, int]:
        """Which of these identity keys are taken, and by which article id (0: known, no longer kept)."""

    async def keep_news(
        self,
        state: PollState,
        new: Sequence[tuple[Article, Sequence[str]]],
        edited: Mapping[int, tuple[Article, Sequence[str]]],
        outgoing: Sequence[Outgoing],
        now: datetime,
    ) -> int:
        """New articles with their identity keys, edits by id with the keys to learn, what is to be sent, and the poll.

        A new article's story takes in the article it is named after.
        An article any of whose keys is taken is skipped, and its other keys are learnt for the
        one that is there. An edit that changes nothing costs nothing. Returns how many were new.
        """

    async def rewritten(
        self, edited: Mapping[int, tuple[Article, Sequence[str]]]
    ) -> dict[int, tuple[Article, Article]]:
        """Of these later versions by id those that their own source words otherwise: what is stored, and the later."""

    async def find_news(self, query: NewsQuery, limit: int) -> NewsPage:
        """Newest first. total counts all hits up to 1000 (then `capped`), `before` set aside.

        Of several words together it may look at the newest 100,000 articles only, once it has found a hundred there.
        """

    async def news_seen(self, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
        """First seen in (after, until] and matching, newest first."""

    async def article(self, number: int) -> Article | None:
        """The article of this id."""

    async def stories(self, numbers: Collection[int]) -> list[Article]:
        """The articles of these stories (Article.story), newest first, the newest 200."""

    async def headlines(self, since: datetime, limit: int) -> list[Headline]:
        """Of articles published since then, newest first; what chats added for themselves is left out."""

    # rates
    async def tables(self, source: str, until: date, limit: int) -> list[RateTable]:
        """What is in force on each date up to `until`, newest date first; held rows are left out."""

    async def newest_table(self, source: str) -> date | None:
        """The date of a road's newest fixing, announced ones included; days carried forward are none."""

    async def keep_tables(
        self,
        state: PollState | None,
        tables: Sequence[RateTable],
        outgoing: Sequence[Outgoing],
        now: datetime,
        alerts: Sequence[Alert] = (),
    ) -> int:
        """Tables as printed, what is to be sent, the alerts that were judged, and the poll, if it was one.

        A row known with the same figure is left alone; with another one it becomes the next
        revision and takes the old one's place, unless it is held. Returns how many tables
        brought anything.
        """

    async def release(
        self, hold: int, outgoing: Sequence[Outgoing], now: datetime, alerts: Sequence[Alert] = ()
    ) -> bool:
        """Put a held figure in force, with what is to be sent and the alerts judged. False if it is held no more."""

    # chats
    async def chat(self, address: Address) -> ChatSettings | None:
        """The settings of a chat (its threads share them), None if it never chose any."""

    async def keep_chat(self, settings: ChatSettings, replanned: Sequence[Subscription]) -> None:
        """New settings, and the chat's subscriptions with the due instants that follow."""

    # subscriptions
    async def subscriptions(self, address: Address, *, threads: bool = False) -> list[Subscription]:
        """Those of this address, oldest first; with `threads` those of the whole chat."""

    async def subscriptions_by(self, platform: str, user: str) -> list[Subscription]:
        """Those that this person set, in whatever chat, oldest first."""

    async def instant_subscriptions(self) -> list[tuple[Subscription, ChatSettings | None]]:
        """All `instant` ones, with what their chats chose."""

    async def audience(self) -> list[Address]:
        """Every chat that subscribes to anything or watches a pair: of each one address."""

    async def due_editions(self, now: datetime, limit: int) -> list[Edition]:
        """Subscriptions with next_due <= now, the longest due first, those that get the same digest
        together. limit: subscriptions in all."""

    async def keep_mailings(self, mailings: Sequence[Mailing], now: datetime) -> int:
        """Editions that came due: their digests, and when their subscriptions speak next, in one step.

        A subscription that was changed since the edition was read is left for the next look, an
        identity (subscription, local date) that exists is left alone. Returns how many were new.
        """

    async def plans(self, now: datetime) -> list[Plan]:
        """All that is planned after `now`, but for what is paused."""

    async def correct_plans(self, corrected: Sequence[tuple[Plan, datetime]]) -> int:
        """Plans that speak at another instant from now on. Returns how many subscriptions that were."""

    async def subscribe(self, subscription: Subscription) -> Subscription:
        """Insert (id 0) or change (id > 0). Returns it with its id."""

    async def change_subscriptions(self, changed: Sequence[Subscription], alerts: Sequence[Alert] = ()) -> None:
        """Change several at once, alerts with them; those that are gone stay gone."""

    async def unsubscribe(self, address: Address, ids: Collection[int], update: str = "") -> int:
        """Drop these of this address. Returns how many there were. update: the key of the one that asks for
        it (Request.update); it is settled as "acted" in the same step, so that it cannot act twice."""

    # alerts
    async def alerts(self, address: Address) -> list[Alert]:
        """Those of this address, oldest first; ended ones for a month."""

    async def set_alert(self, alert: Alert) -> Alert:
        """Insert (id 0) or change (id > 0). Returns it with its id."""

    async def watched_pairs(self, now: datetime) -> list[tuple[str, str]]:
        """(base, quote) of every alert that is active, or fired lately."""

    async def alerts_to_judge(
        self, sight: Sight, corrected: Collection[date]
    ) -> list[tuple[Alert, ChatSettings | None]]:
        """The alerts of a pair that its newest figure may concern, and those that told of these dates, with what
        their chats chose."""

    # bundles
    async def pushed_since(self, since: datetime) -> dict[Address, list[datetime]]:
        """When articles went or will go to each address singly or in a bundle, after `since`, oldest first."""

    async def due_bundles(self, now: datetime) -> list[Bundle]:
        """Articles withheld for the reason "bundle" whose time has come, by address."""

    async def keep_bundles(self, bundled: Sequence[tuple[Bundle, Outgoing]], now: datetime) -> int:
        """What the bundles became, and the note which one holds an article. Returns how many were new."""

    # inbox
    async def keep_updates(self, updates: Sequence[Update], now: datetime, answered: Collection[str] = ()) -> int:
        """Raw updates, each once. Returns how many were new. answered: keys of those that need not be handed out"""

    async def waiting_updates(self, platform: str, limit: int, held: Collection[int] = ()) -> list[Update]:
        """Those not settled yet, in the order they came, and from now on in our hand: until they are settled or
        we are no more, no other process is given them, nor any of their lanes. Each hand-out counts: `tries` says
        how many there were before. Those handed out rules.SUSPECT_AFTER times are left out.

        held: the numbers of those in our hand already. What we had in an earlier life is handed out again
        """

    async def suspect_update(self, platform: str, held: Collection[int] = ()) -> Update | None:
        """The first of those left out: it was never settled, so it may be what kills us. This counts too."""

    async def settle_update(self, platform: str, key: str, state: str) -> str:
        """state: "acted" (what must not be done twice was done), "taken" (an answer is on its way: not to be
        repeated), "done" or "poison": none of them is handed out again. Or what it was before it was taken, when
        its answer surely did not go out. Returns the state before."""

    async def acted_updates(self, platform: str, held: Collection[int] = ()) -> list[Update]:
        """Those that acted and were not answered, in the order they came; they are in our hand now."""

    # buttons
    async def keep_token(self, token: str, address: Address, command: str, now: datetime) -> None:
        """A command too long for a button, under a short token bound to its chat."""

    async def token_command(self, token: str, address: Address) -> str | None:
        """The command behind a token, if it belongs to this chat."""

    # privacy
    async def all_kept(self, address: Address, user: str, *, updates: bool) -> dict[str, list[dict[str, Any]]]:
        """All that is kept of a chat, by table, as JSON data; of people only whoever asks.
        updates: with what was said there, raw, of the last week"""

    async def forget(self, address: Address, user: str, update: str = "") -> None:
        """Leave nothing of a chat, its threads included, nor of this person in what he set elsewhere.
        update: the key of the one that asks for it; it is settled as "taken" in the same step."""

    # upkeep
    async def ping(self) -> None:
        """Raises DatabaseError if the store can no longer be written."""

    async def prune(self, now: datetime) -> None:
        """Forget what is past its retention: inbox and tokens after 7 days, the rest by settings."""

    async def close(self) -> None:
        """Finish what is under way and let go of the files."""
