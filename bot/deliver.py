"""Delivers the outbox: claims what is due, hands it to its chat, writes down what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot import rules
from bot.errors import YamchiError
from bot.models import Delivery, Outcome
from bot.ports import Chat, Clock, CrashHook, Store

IN_FLIGHT: Final = 32
IN_FLIGHT_PAID: Final = 320
LEASE: Final = timedelta(seconds=120)
"""Longer than any transport waits for its answer, so that a lapsed claim has no live sender."""
IDLE_SECONDS: Final = 0.5
DRAIN_SECONDS: Final = 8
SETTLE_TRIES: Final = 60
"""A second apart: what has been sent and is not written down would be sent again."""
SETTLE_SECONDS: Final = 1.0

log = structlog.get_logger()


class Deliverer:
    """One sender. At most one message of an address is in flight, at most `in_flight` in all.

    owner: names this sender in its claims
    chats: by platform; only these platforms' rows are claimed, and the mapping may change
    """

    def __init__(
        self,
        *,
        store: Store,
        chats: Mapping[str, Chat],
        clock: Clock,
        owner: str,
        crash: CrashHook,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        self._store = store
        self._chats = chats
        self._clock = clock
        self._owner = owner
        self._crash = crash
        self._cap = in_flight
        self._flying: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver until cancelled; then let what is in flight come down, for a few seconds."""
        try:
            while True:
                claimed = await self._claim()
                if not claimed:
                    await self.settle_lapsed()
                    await self._pause()
        finally:
            if self._flying:
                await asyncio.wait(self._flying, timeout=DRAIN_SECONDS)

    async def _pause(self) -> None:
        """Until something comes down, or it is time to look again."""
        if self._flying:
            await asyncio.wait(self._flying, timeout=IDLE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(IDLE_SECONDS)

    async def settle_lapsed(self, *, alone: bool = False) -> None:
        """Decide on claims whose sender is gone. alone: no other sender lives, so all of them are."""
        now = self._clock()
        for delivery in await self._store.lapsed(now, set(self._chats) if alone else None):
            await self._store.settle(delivery, rules.answer_lost(delivery, now), now)

    async def _claim(self) -> int:
        free = self._cap - len(self._flying)
        if free <= 0 or not self._chats:
            return 0
        now = self._clock()
        claimed = await self._store.claim(self._owner, set(self._chats), now, now + LEASE, free)
        if claimed:
            self._crash("claimed")
        for delivery in claimed:
            task = asyncio.create_task(self._hand_over(delivery))
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)
        return len(claimed)

    async def _hand_over(self, delivery: Delivery) -> None:
        """One delivery: the only place where its errors are caught."""
        self._crash("handed")
        try:
            outcome = await self._chats[delivery.address.platform].send(delivery.address, delivery.message)
        except YamchiError as error:  # the store failed the chat, which asks it before it sends anything
            outcome = Outcome("pending", str(error), retry_at=self._clock() + rules.REPEAT_AFTER)
        except Exception as error:
            log.exception("send failed", delivery=delivery.id)
            outcome = Outcome("failed", type(error).__name__)
        self._crash("sent")
        now = self._clock()
        if outcome.state == "unknown":
            outcome = rules.answer_lost(delivery, now + rules.REPEAT_AFTER)
        await self._settle(delivery, outcome, now)

    async def _settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
        """Write it down, and again while the store fails."""
        for _ in range(SETTLE_TRIES):
            try:
                await self._store.settle(delivery, outcome, now)
            except YamchiError as error:
                log.warning("the store fails", reason=str(error), delivery=delivery.id)
                await asyncio.sleep(SETTLE_SECONDS)
            else:
                log.info("delivered", kind=delivery.kind, state=outcome.state, detail=outcome.detail)
                return
        log.error("not written down", kind=delivery.kind, state=outcome.state, delivery=delivery.id)
