"""Delivers the outbox: claims what may go, hands it to its chat, writes down what became of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bot.circuit import SPAN, Circuit
from bot.errors import YamchiError
from bot.models import Delivery, Health, Outcome
from bot.outcomes import REPEAT_AFTER, decided, lapsed
from bot.ports import Chat, Clock, CrashHook
from bot.store import Store

LEASE: Final = timedelta(seconds=120)
"""Longer than any transport waits for its answer, so that a lapsed claim has no live sender."""
SHARE_LEASE: Final = timedelta(seconds=30)
SHARE_SECONDS: Final = 10.0
IDLE_SECONDS: Final = 0.5
HANDFUL_SECONDS: Final = 0.01
"""What comes down within it is claimed for together: a claim is a commit as well."""
TOKEN_SECONDS: Final = 0.1
UPKEEP_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 8
SETTLE_TRIES: Final = 60
"""A second apart: what has been sent and is not written down would be sent again."""
SETTLE_SECONDS: Final = 1.0
REST_WORTH_NOTING: Final = 0.05

Notify = Callable[[str, str], Awaitable[None]]
"""Tells the operators: a cause, at most once in six hours each, and a sentence."""

log = structlog.get_logger()


async def _nobody(_: str, __: str) -> None:
    """There are no operators to tell."""


@dataclass
class Road:
    """What goes on with one platform. waiting: claimed, and not yet in the hands of its transport."""

    circuit: Circuit = field(default_factory=Circuit)
    flying: set[asyncio.Task[None]] = field(default_factory=set)
    waiting: set[asyncio.Task[None]] = field(default_factory=set)
    held_until: datetime | None = None


class Deliverer:
    """One sender. At most one message of an address is in flight.

    owner: names this sender in its claims
    chats: by platform; only these platforms' rows are claimed, and the mapping may change
    luck: in [0, 1); notify: tells the operators
    """

    def __init__(
        self,
        *,
        store: Store,
        chats: Mapping[str, Chat],
        clock: Clock,
        owner: str,
        crash: CrashHook,
        luck: Callable[[], float] = random.random,
        notify: Notify = _nobody,
    ) -> None:
        self._store = store
        self._chats = chats
        self._clock = clock
        self._owner = owner
        self._crash = crash
        self._luck = luck
        self._notify = notify
        self._roads: dict[str, Road] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Deliver until cancelled; then let what is in flight come down, for a few seconds."""
        await self._lease_all()  # a platform may want silence, and others may have its tokens
        beside = [asyncio.create_task(work()) for work in (self._listen_to_store, self._keep_up)]
        try:
            while True:
                self._wake.clear()
                if not await self._claim_all():
                    await self._pause()
                for task in beside:
                    if task.done():
                        task.result()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._come_down()

    def health(self) -> dict[str, Health]:
        """By platform, those only that nothing is sent on."""
        circuits = {name: road.circuit for name, road in self._roads.items()}
        return {
            f"sending on {name}": Health(ok=False, detail=circuit.reason)
            for name, circuit in circuits.items()
            if not circuit.closed
        }

    async def settle_lapsed(self, *, alone: bool = False) -> None:
        """Decide on claims whose sender is gone. alone: no other sender lives, so all of them are."""
        now = self._clock()
        for delivery in await self._store.lapsed(now, set(self._chats) if alone else None):
            await self._store.settle(delivery, lapsed(delivery, now), now)

    # --- taking up

    async def _claim_all(self) -> int:
        claimed = 0
        for platform in list(self._chats):
            claimed += await self._claim(platform)
        return claimed

    async def _claim(self, platform: str) -> int:
        road, pace = self._road(platform), self._chats[platform].pace
        free = min(pace.limits.in_flight - len(road.flying), pace.room() - len(road.waiting))
        free = road.circuit.room(_seconds(), len(road.flying), free)
        if free <= 0:
            return 0
        now = self._clock()
        claiming = asyncio.ensure_future(self._store.claim(self._owner, {platform}, now, now + LEASE, free))
        try:
            claimed = await asyncio.shield(claiming)
        except asyncio.CancelledError:  # we are stopping; what is being claimed all the same is carried, or given back
            self._take_up(road, await claiming)
            raise
        self._take_up(road, claimed)
        return len(claimed)

    def _take_up(self, road: Road, claimed: Sequence[Delivery]) -> None:
        if claimed:
            self._crash("claimed")
        for delivery in claimed:
            task = asyncio.create_task(self._carry(road, delivery))
            road.flying.add(task)
            road.waiting.add(task)
            task.add_done_callback(lambda done: self._landed(road, done))

    def _landed(self, road: Road, task: asyncio.Task[None]) -> None:
        road.flying.discard(task)
        road.waiting.discard(task)
        self._wake.set()

    async def _pause(self) -> None:
        """Until something comes down or comes in, or it is time to look again: soon where tokens are short."""
        short = any(chat.pace.limits.shared and self._road(name).flying for name, chat in self._chats.items())
        with suppress(TimeoutError):
            async with asyncio.timeout(TOKEN_SECONDS if short else IDLE_SECONDS):
                await self._wake.wait()  # wait_for would lose a cancellation that comes with the event
        if any(road.flying for road in self._roads.values()):
            await asyncio.sleep(HANDFUL_SECONDS)

    async def _listen_to_store(self) -> None:
        while True:
            await self._store.enqueued(IDLE_SECONDS)
            self._wake.set()

    async def _keep_up(self) -> None:
        """What must be looked after while messages go out."""
        leased = _seconds()
        while True:
            if _seconds() - leased >= SHARE_SECONDS:
                leased = _seconds()
                await self._lease_all()
            now = self._clock()
            await self._store.expire(now)
            await self.settle_lapsed()
            for platform in list(self._chats):
                await self._persist_hold(platform)
            await asyncio.sleep(UPKEEP_SECONDS)

    async def _lease_all(self) -> None:
        for platform in list(self._chats):
            await self._lease(platform)

    async def _lease(self, platform: str) -> None:
        now, pace = self._clock(), self._chats[platform].pace
        lease = await self._store.lease_tokens(self._owner, platform, now, now + SHARE_LEASE)
        pace.share = lease.share
        if lease.held_until:
            self._road(platform).held_until = lease.held_until
            pace.hold((lease.held_until - now).total_seconds())

    async def _persist_hold(self, platform: str) -> None:
        """A platform that wants silence of all of us gets it from whoever starts after us, too."""
        road, held = self._road(platform), self._chats[platform].pace.held
        until = self._clock() + timedelta(seconds=held)
        if held > UPKEEP_SECONDS and (road.held_until is None or until > road.held_until + timedelta(seconds=1)):
            road.held_until = until
            await self._store.hold(platform, until, "too many requests")

    # --- carrying

    async def _carry(self, road: Road, delivery: Delivery) -> None:
        """One delivery: the only place where its errors are caught."""
        outcome = await self._hand_over(road, delivery)
        self._crash("sent")
        now = self._clock()
        if road.circuit.note(outcome, _seconds()):
            await self._stop_platform(road, delivery.address.platform)
        outcome = road.circuit.spare(outcome, now, road.circuit.left(_seconds()))
        outcome = decided(delivery, outcome, now, self._luck())
        await self._settle(delivery, self._paced(delivery, outcome, now), now)

    async def _hand_over(self, road: Road, delivery: Delivery) -> Outcome:
        chat, task = self._chats.get(delivery.address.platform), asyncio.current_task()
        assert task
        if chat is None:
            return Outcome("pending", "its chat has left", retry_at=self._clock() + REPEAT_AFTER)
        if delivery.edits == "":
            road.waiting.discard(task)
            return Outcome("failed", "what it corrects did not arrive")
        try:
            wait = await chat.pace.take(delivery.address.chat)
        except asyncio.CancelledError:  # we are stopping; nothing of it has been said
            return Outcome("pending", "not sent yet", retry_at=self._clock())
        finally:
            road.waiting.discard(task)
        if wait:
            return Outcome("pending", "waits for its turn", retry_at=self._clock() + timedelta(seconds=wait))
        self._crash("handed")
        try:
            if delivery.edits:
                return await chat.edit(delivery.address, delivery.edits, delivery.message, plain=delivery.plain)
            return await chat.send(delivery.address, delivery.message, plain=delivery.plain, answers=delivery.answers)
        except YamchiError as error:  # the store failed the chat, which asks it before it sends anything
            return Outcome("pending", str(error), retry_at=self._clock() + REPEAT_AFTER)
        except Exception as error:
            log.exception("send failed", delivery=delivery.id)
            return Outcome("failed", type(error).__name__)

    def _paced(self, delivery: Delivery, outcome: Outcome, now: datetime) -> Outcome:
        """With the instant from which this chat may be spoken to again, if that is not now."""
        chat = self._chats.get(delivery.address.platform)
        if chat is None or outcome.moved_to:
            return outcome
        if outcome.cause == "flood" and outcome.retry_at:
            return replace(outcome, free_at=outcome.retry_at)
        rest = chat.pace.rest(delivery.address.chat)
        return replace(outcome, free_at=now + timedelta(seconds=rest)) if rest > REST_WORTH_NOTING else outcome

    async def _stop_platform(self, road: Road, platform: str) -> None:
        """It is the bot that is refused, not its chats: those that seemed to die by it did not."""
        circuit, now = road.circuit, self._clock()
        log.error("sending stopped", platform=platform, reason=circuit.reason)
        try:
            opened = now - timedelta(seconds=_seconds() - circuit.since + SPAN)
            spared = await self._store.reprieve(platform, opened, now)
            log.warning("chats spared", platform=platform, count=spared)
            await self._notify(f"sending:{platform}", f"{platform}: {circuit.reason}")
        except YamchiError as error:
            log.warning("the store fails", reason=str(error))

    async def _settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
        """Write it down, and again while the store fails."""
        for _ in range(SETTLE_TRIES):
            try:
                await self._store.settle(delivery, outcome, now)
            except YamchiError as error:
                log.warning("the store fails", reason=str(error), delivery=delivery.id)
                await asyncio.sleep(SETTLE_SECONDS)
            else:
                tell = log.debug if outcome.state == "sent" else log.info  # those come by the thousand
                tell("delivered", kind=delivery.kind, state=outcome.state, detail=outcome.detail)
                return
        log.error("not written down", kind=delivery.kind, state=outcome.state, delivery=delivery.id)

    async def _come_down(self) -> None:
        """Give back what has not been handed over, wait for what has."""
        await asyncio.sleep(0)  # so that each of them has begun, and hears of it
        for road in self._roads.values():
            for task in list(road.waiting):
                task.cancel()
        if flying := [task for road in self._roads.values() for task in road.flying]:
            await asyncio.wait(flying, timeout=DRAIN_SECONDS)

    def _road(self, platform: str) -> Road:
        return self._roads.setdefault(platform, Road())


def _seconds() -> float:
    """Of the loop: they only ever grow."""
    return asyncio.get_running_loop().time()
