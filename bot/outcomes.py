"""Pure decisions on what became of a send: again, when, or never. No await, no I/O."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bot.models import Delivery, DeliveryKind, Outcome

REPEATED: Final[frozenset[DeliveryKind]] = frozenset({"article", "digest"})
"""Kinds sent once more when the answer to a send was lost; the others never are."""
MOST_DEATHS: Final = 25
"""Senders that died with the same message in hand: by then it may be what kills them."""
REPEAT_AFTER: Final = timedelta(seconds=60)
LONGEST_PAUSE: Final = 60.0


def answer_lost(delivery: Delivery, again: datetime) -> Outcome:
    """What becomes of a send that may or may not have arrived. again: when it may be sent once more.

    To edit a message twice does what to edit it once does.
    """
    if delivery.edits is not None:
        return Outcome("pending", "the answer was lost; edited once more", retry_at=again)
    if delivery.kind in REPEATED and not delivery.lost:
        return Outcome("pending", "the answer was lost; sent once more", retry_at=again, lost=True)
    return Outcome("unknown", "the answer was lost")


def lapsed(delivery: Delivery, again: datetime) -> Outcome:
    """What becomes of a claim whose sender is gone: it may have died before it said anything, so an answer
    lost is not what this counts as. Only what is there at many deaths may be their cause."""
    if (delivery.kind in REPEATED or delivery.edits is not None) and delivery.deaths + 1 < MOST_DEATHS:
        return Outcome("pending", "its sender is gone; sent once more", retry_at=again, died=True)
    return Outcome("unknown", "its sender is gone", died=True)


def decided(delivery: Delivery, outcome: Outcome, now: datetime, luck: float) -> Outcome:
    """What a send's outcome comes to. luck: in [0, 1), spreads what failed together.

    A fault is tried again after a pause drawn from 0 to 1, 2, 4 ... 60 seconds; a text that is refused
    goes once more as bare words; what could only go after its shelf life has expired.
    """
    if outcome.state == "unknown":
        outcome = answer_lost(delivery, now + REPEAT_AFTER)
    elif outcome.cause == "body" and not delivery.plain:
        outcome = replace(outcome, state="pending", retry_at=now)
    elif outcome.cause == "fault":
        pause = luck * min(LONGEST_PAUSE, 2.0 ** min(delivery.faults, 6))
        outcome = replace(outcome, retry_at=now + timedelta(seconds=pause))
    if outcome.state == "pending" and outcome.retry_at and outcome.retry_at > delivery.expires_at:
        return replace(outcome, state="expired", detail=f"past its shelf life; {outcome.detail}")
    return outcome
