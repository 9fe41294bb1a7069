"""The door to the outbox: what is to be sent, who has it in hand, what became of it and what that says of its chat."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from bot.models import Address, Delivery, Lease, LedgerCounts, OutboxReport, Outcome, Outgoing, Record


class Outbox(Protocol):
    """A part of the Store (bot/store.py): one method is one transaction here, too.

    outbox         enqueue, enqueued, lease_tokens, hold, claim, settle, lapsed, expire
    chats' fate    pause, revive, reprieve, move_chat
    ledger         ledger, outbox_report, last_settled, records
    """

    # outbox
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

    async def last_settled(self, address: Address) -> tuple[datetime, str, str] | None:
        """(instant, kind, state) of the newest row of this address that is no longer pending."""

    async def records(self, address: Address, limit: int, *, number: int = 0, event: str = "") -> list[Record]:
        """The newest rows of this address; only the one of this number, or those whose event begins so."""
