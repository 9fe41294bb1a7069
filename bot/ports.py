"""The doors of the core: what it asks of a store and of a chat.

Writing a Store method: one method is one transaction, named for what happens.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from aiohttp import web

from bot.locales import Tongue
from bot.message import Message
from bot.models import (
    AddedFeed,
    Address,
    Answer,
    Article,
    ChatSettings,
    Delivery,
    Feed,
    Health,
    Hold,
    Lease,
    LedgerCounts,
    NewsPage,
    NewsQuery,
    Noted,
    OutboxReport,
    Outcome,
    Outgoing,
    PollState,
    RateTable,
    Request,
    StoredFixing,
    Subscription,
    Update,
)
from bot.pace import Pace

Clock = Callable[[], datetime]
"""Says what time it is: an aware UTC datetime."""

Ask = Callable[[Request], Awaitable[Answer]]
"""The menu, as a chat sees it: never raises for anything a person said."""

Tell = Callable[[str, Callable[[Tongue], Message]], Awaitable[None]]
"""Tells the operators, once per cause in six hours: the cause's name, and the words. Raises DatabaseError."""

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers on our HTTP server, whatever the method. A body longer than 1 MiB is refused when it is read."""

CrashHook = Callable[[str], None]
"""Called at named points ("fetched", "kept", "claimed", "handed", "sent"); tests die there."""


class Chat(Protocol):
    """A chat platform: one file or one folder in handlers/.

    pace: how fast it may be spoken to. The first call of a push has its turn already; whatever else is
        said takes one itself, and what the platform says of being too fast is told to it.
    """

    platform: str
    pace: Pace

    async def check(self) -> None:
        """Say hello at start. Raises ChatRejected if the platform refuses our token; a network
        that fails is no answer and raises nothing."""

    async def listen(self, ask: Ask) -> None:
        """Answer whoever speaks, until cancelled. Survives every fault of the platform."""

    async def send(self, address: Address, message: Message, *, plain: bool = False) -> Outcome:
        """Push one message, with `plain` as bare words. Never raises for what the platform does: the Outcome
        says it, and its cause."""

    def pages(self) -> Mapping[str, Page]:
        """What this chat serves on HTTP_LISTEN, by path; good to ask before and while it listens."""

    def health(self) -> Health:
        """Whether this chat can be spoken to just now."""

    async def close(self) -> None:
        """Let go of connections. listen() has been cancelled before."""


class Store(Protocol):
    """What is remembered.

    sources        poll_states, keep_poll, added_feeds, add_feed, remove_feed, feeds_added_by
    news           known_articles, keep_news, find_news, news_seen
    rates          tables, newest_table, series, keep_tables, holds, release
    chats          chat, keep_chat
    subscriptions  subscriptions, instant_subscriptions, due_subscriptions,
                   subscribe, unsubscribe
    outbox         keep_digests, enqueue, enqueued, lease_tokens, hold, claim, settle, lapsed, expire
    chats' fate    pause, revive, reprieve, move_chat
    ledger         ledger, outbox_report, history, totals, last_settled
    inbox          keep_updates, waiting_updates, suspect_update, acted_updates,
                   settle_update
    buttons        keep_token, token_command
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

        An article any of whose keys is taken is skipped, and its other keys are learnt for the
        one that is there. An edit that changes nothing costs nothing. Returns how many were new.
        """

    async def find_news(self, query: NewsQuery, limit: int) -> NewsPage:
        """Newest first. total counts all hits up to 1000 (then `capped`), `before` set aside."""

    async def news_seen(self, after: datetime, until: datetime, query: NewsQuery, limit: int) -> list[Article]:
        """First seen in (after, until] and matching, newest first."""

    # rates
    async def tables(self, source: str, until: date, limit: int) -> list[RateTable]:
        """What is in force on each date up to `until`, newest date first; held rows are left out."""

    async def newest_table(self, source: str) -> date | None:
        """The date of a road's newest fixing, announced ones included; days carried forward are none."""

    async def series(
        self, source: str, base: str, quote: str, until: date, limit: int, since: date = date.min
    ) -> list[StoredFixing]:
        """A pair's figures on a road, newest date first: one a date, those held left out."""

    async def keep_tables(
        self, state: PollState | None, tables: Sequence[RateTable], outgoing: Sequence[Outgoing], now: datetime
    ) -> int:
        """Tables as printed, what is to be sent, and the poll, if it was one.

        A row known with the same figure is left alone; with another one it becomes the next
        revision and takes the old one's place, unless it is held. Returns how many tables
        brought anything.
        """

    async def holds(self) -> list[Hold]:
        """Figures held and not released, the oldest first."""

    async def release(self, hold: int, outgoing: Sequence[Outgoing], now: datetime) -> bool:
        """Put a held figure in force, with what is to be sent. False if it is held no more."""

    # chats
    async def chat(self, address: Address) -> ChatSettings | None:
        """The settings of a chat (its threads share them), None if it never chose any."""

    async def keep_chat(self, settings: ChatSettings, replanned: Sequence[Subscription]) -> None:
        """New settings, and the chat's subscriptions with the due instants that follow."""

    # subscriptions
    async def subscriptions(self, address: Address) -> list[Subscription]:
        """Those of this address, oldest first."""

    async def instant_subscriptions(self) -> list[Subscription]:
        """All `instant` ones."""

    async def due_subscriptions(self, now: datetime, limit: int) -> list[Subscription]:
        """Those with next_due <= now, the longest due first."""

    async def subscribe(self, subscription: Subscription) -> Subscription:
        """Insert (id 0) or change (id > 0). Returns it with its id."""

    async def unsubscribe(self, address: Address, ids: Collection[int], update: str = "") -> int:
        """Drop these of this address. Returns how many there were. update: the key of the one that asks for
        it (Request.update); it is settled as "acted" in the same step, so that it cannot act twice."""

    # outbox
    async def keep_digests(self, outgoing: Sequence[Outgoing], replanned: Sequence[Subscription], now: datetime) -> int:
        """Digests that came due, and the next due instants, in one step.

        Returns how many were new; an identity that exists is left alone.
        """

    async def enqueue(self, outgoing: Sequence[Outgoing], now: datetime) -> int:
        """Messages that follow from nothing else that is kept. Returns how many were new.

        What is for a chat that is paused as dead is noted as dead, here as wherever rows are put in.
        """

    async def enqueued(self, seconds: float) -> None:
        """Wait until rows have been put in since the last call, or for so long."""

    async def lease_tokens(self, owner: str, platform: str, now: datetime, until: datetime) -> Lease:
        """What this sender may use of a platform's rate until then; to be asked for again before."""

    async def hold(self, platform: str, until: datetime, reason: str) -> None:
        """Nobody sends anything on this platform before then; an earlier word that says later stands."""

    async def claim(
        self, owner: str, platforms: Collection[str], now: datetime, lease_until: datetime, limit: int
    ) -> list[Delivery]:
        """Take up to `limit` rows that may go, the most urgent and then the oldest first: of each address
        the oldest that waits, if none is in flight and it is not held back. A message passes its urgency
        on to those before it in its chat. Rows past their shelf life become expired."""

    async def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
        """Write down what became of a claim, and what that says of its chat: one durable commit.

        "pending" puts it back, not before outcome.retry_at; "dead" pauses the chat (cause "topic": the thread)
        and what waits for it; "unwelcome" does so the third time over a day or more; moved_to moves the chat.
        With cause "body" its text goes as bare words from now on, or if it fails, to nobody on this platform.
        False if the claim was no longer this owner's and this try's.
        """

    async def lapsed(self, now: datetime, platforms: Collection[str] | None = None) -> list[Delivery]:
        """Claims whose lease has ended; with `platforms`, every claim of theirs, ended or not
        (only for whoever holds the lock)."""

    async def expire(self, now: datetime) -> None:
        """Rows past their shelf life become expired, also those that nobody could claim."""

    # chats' fate
    async def pause(self, address: Address, reason: str, now: datetime) -> None:
        """The platform says that this chat is gone. Its settings and subscriptions stay; what waits is dead."""

    async def revive(self, address: Address) -> bool:
        """Somebody speaks there, or let us in again: it may be sent to. Cheap if it always could."""

    async def reprieve(self, platform: str, since: datetime, now: datetime) -> int:
        """The chats that died since then did not: the platform failed us as a whole. What died with them
        waits again. Returns how many chats there were."""

    async def move_chat(self, address: Address, chat: str) -> None:
        """A chat has this new id. All that is kept of it follows, in one step."""

    # ledger
    async def ledger(self) -> LedgerCounts:
        """Outbox rows by state."""

    async def outbox_report(self, now: datetime) -> OutboxReport:
        """How sending fares, for the operator."""

    async def history(self, address: Address, limit: int) -> list[Noted]:
        """What was sent to this address, held back or failed, the newest first."""

    async def totals(self, address: Address) -> dict[str, int]:
        """Rows of this address by state."""

    async def last_settled(self, address: Address) -> tuple[datetime, str, str] | None:
        """(instant, kind, state) of the newest row of this address that is no longer pending."""

    # inbox
    async def keep_updates(self, updates: Sequence[Update], now: datetime) -> int:
        """Raw updates, each once. Returns how many were new."""

    async def waiting_updates(self, platform: str, limit: int, after: int = 0) -> list[Update]:
        """Those not settled yet, in the order they came, numbered above `after`. Each hand-out counts: `tries`
        says how many there were before. Those handed out rules.SUSPECT_AFTER times are left out."""

    async def suspect_update(self, platform: str) -> Update | None:
        """The first of those left out: it was never settled, so it may be what kills us. This counts too."""

    async def settle_update(self, platform: str, key: str, state: str) -> None:
        """state: "acted" (what must not be done twice was done), "taken" (an answer is on its way: not to be
        repeated), "done" or "poison". None of them is handed out again."""

    async def acted_updates(self, platform: str) -> list[Update]:
        """Those that acted and were not answered, in the order they came."""

    # buttons
    async def keep_token(self, token: str, address: Address, command: str, now: datetime) -> None:
        """A command too long for a button, under a short token bound to its chat."""

    async def token_command(self, token: str, address: Address) -> str | None:
        """The command behind a token, if it belongs to this chat."""

    # upkeep
    async def ping(self) -> None:
        """Raises DatabaseError if the store can no longer be written."""

    async def prune(self, now: datetime) -> None:
        """Forget what is past its retention: inbox and tokens after 7 days, the rest by settings."""

    async def close(self) -> None:
        """Finish what is under way and let go of the files."""
