"""Which roads to a bank's figures are worth asking: the first ones always, others when those fail."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bot.models import PollState, RateRoad
from bot.sources import banks


def needed(
    road: RateRoad,
    roads: Sequence[RateRoad],
    states: Mapping[str, PollState],
    overdue: Collection[str],
    held: Collection[str],
) -> bool:
    """Whether to ask a road now. overdue, held: ids of roads that missed a table or print one that is held.

    A road that stands in is needed while one of priority 0 for the same currency is in trouble and
    every one between the two fails as well; beside a held figure it is a witness, so it need not wait
    for those between, but for its own parser's first address.
    """
    if not road.priority:
        return True
    between = [other for other in roads if 0 < other.priority < road.priority]
    for first in roads:
        if first.priority or not first.url or not _stands_in(road, first):
            continue
        failing = first.id in overdue or _fails(first, states)
        beside = [other for other in between if _stands_in(other, first)]
        if first.id in held:
            beside = [other for other in beside if other.parser == road.parser]
        if (failing or first.id in held) and all(_fails(other, states) for other in beside):
            return True
    return False


def _stands_in(road: RateRoad, first: RateRoad) -> bool:
    bank, theirs = banks()[road.parser], banks()[first.parser]
    if theirs.peg or first.days > 1:
        return False
    return theirs.issues == (road.currency or bank.issues or theirs.issues)


def _fails(road: RateRoad, states: Mapping[str, PollState]) -> bool:
    state = states.get(road.id)
    return state is not None and state.failures > 0
