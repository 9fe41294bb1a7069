"""Alerts, decided: when one fires, when it is withheld and why, what a correction undoes. Pure.

A line is told of once it is passed by the newest fixing, from a figure that was not past it, by more than
one step of the source; and again only after the figure has come back by a margin. A move is reckoned from
the fixing in force a day or seven days before, or from the one told since. A figure that stands still
tells nothing: neither a day carried forward nor a fixing that repeats the last.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final, Literal

from bot.locales import N_
from bot.models import Alert, RateTable, Sight
from bot.money import EXACT, change, moved
from bot.periods import GAP

MARGIN: Final = Decimal("0.005")
"""So much of the line's own figure, and at least two steps of the source, a figure has to come back."""
ONE_STEP: Final = Decimal("1.5")
"""A move is a whole number of steps: what is less than this many is one of them."""
COOLDOWN: Final = timedelta(hours=20)

Reason = Literal["step", "not_back", "paused", "snoozed", "often", "told"]
REASONS: Final[dict[Reason, str]] = {
    "step": N_("It is one step of the last printed digit."),
    "not_back": N_("The figure had not come back far enough since it was past the line."),
    "paused": N_("This chat was paused."),
    "snoozed": N_("The alert was snoozed."),
    "often": N_("An alert comes once in 20 hours at most."),
    "told": N_("I had told of this move already."),
}


@dataclass(frozen=True, slots=True)
class Step:
    """From which figure to which: the newest fixing and what it is measured against."""

    rate: Decimal
    on: date
    before: Decimal
    before_on: date

    @property
    def change(self) -> Decimal:
        """In percent, not rounded."""
        return change(self.rate, self.before)


@dataclass(frozen=True, slots=True)
class Fire:
    """Tell it. alert: as it is from now on."""

    alert: Alert
    step: Step


@dataclass(frozen=True, slots=True)
class Withhold:
    """It would have fired but for `reason`; the alert stays as it is."""

    alert: Alert
    step: Step
    reason: Reason


@dataclass(frozen=True, slots=True)
class Correction:
    """The bank replaced the figure that was told, `was`. holds: the alert would have fired all the same."""

    alert: Alert
    step: Step
    was: Decimal
    holds: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """Nothing to tell; the alert is armed now, or no more."""

    alert: Alert


Verdict = Fire | Withhold | Correction | Turn


def evaluate(alert: Alert, sight: Sight, now: datetime, corrected: Collection[date] = ()) -> Verdict | None:
    """What the newest figure of its pair means to an alert. corrected: dates whose figures the bank just replaced."""
    if alert.fired_at and alert.told_on in corrected and (verdict := _corrected(alert, sight)):
        return verdict
    if not alert.watches(now):
        return None
    return _move(alert, sight, now) if alert.way == "move" else _line(alert, sight, now)


def holds(alert: Alert, sight: Sight) -> bool:
    """Whether what the alert is about is so already."""
    if alert.way != "move":
        return _past(alert, sight.rate)
    step = _step(sight, alert.days)
    return step is not None and _far(alert, step)


def since_set(alert: Alert, sight: Sight) -> Alert:
    """A new alert beside the figure it begins with: what is so already is not told."""
    already = holds(alert, sight)
    return replace(
        alert,
        armed=not already or alert.way == "move",
        told_on=sight.on if already else None,
        told_rate=sight.rate if already else None,
        fired_at=None,
    )


def back_at(alert: Alert, tick: Decimal) -> Decimal:
    """How far the figure has to come back before this line is told of again."""
    margin = max(EXACT.multiply(alert.level, MARGIN), EXACT.multiply(tick, Decimal(2)))
    return EXACT.subtract(alert.level, margin) if alert.way == "above" else EXACT.add(alert.level, margin)


def smallest_move(sight: Sight) -> Decimal:
    """The least percentage that is more than one step of the source."""
    return EXACT.divide(EXACT.multiply(sight.tick, Decimal(200)), sight.rate)


def last_step(alert: Alert, sight: Sight) -> Step | None:
    """What an alert looks at: the newest figure, and the one it measures it against."""
    return _step(sight, alert.days or 1)


def corrected_dates(known: Sequence[RateTable], new: Sequence[RateTable]) -> frozenset[date]:
    """Dates on which a figure takes the place of another one.

    A date that only carried the one before it had no figure of its own yet.
    """
    ordered = sorted(known, key=lambda table: table.effective_date)
    stood = {table.effective_date: table for table in ordered}
    carried = {after.effective_date for before, after in pairwise(ordered) if not moved(after, before)}
    changed = (table.effective_date for table in new if (was := stood.get(table.effective_date)) and moved(table, was))
    return frozenset(changed) - carried


def _line(alert: Alert, sight: Sight, now: datetime) -> Verdict | None:
    past, step = _past(alert, sight.rate), _step(sight, 1)
    if not alert.armed:
        if _is_back(alert, sight):
            return Turn(replace(alert, armed=True))
        crossed = past and alert.told_on != sight.on and step and not _past(alert, step.before)
        return Withhold(alert, step, "not_back") if crossed and step else None
    if not past:
        return None
    near = next((rate for day, rate in reversed(sight.days) if day < sight.on and not _past(alert, rate)), None)
    if near is None or step is None:  # it was past the line before anybody looked
        return Turn(replace(alert, armed=False))
    if step.rate == step.before:
        return None
    return Withhold(alert, step, "step") if _one_step(sight, near) else _unless_quiet(alert, step, sight, now)


def _move(alert: Alert, sight: Sight, now: datetime) -> Verdict | None:
    step, day = _step(sight, alert.days), _step(sight, 1)
    if step is None or day is None or day.rate == day.before or not _far(alert, step):
        return None
    if _one_step(sight, step.before):
        return Withhold(alert, step, "step")
    if alert.told_on == sight.on:
        return None
    if alert.told_on and alert.told_rate and alert.told_on > sight.on - timedelta(days=alert.days):
        since = replace(step, before=alert.told_rate, before_on=alert.told_on)
        if not _far(alert, since):
            return Withhold(alert, step, "told")
    return _unless_quiet(alert, step, sight, now)


def _unless_quiet(alert: Alert, step: Step, sight: Sight, now: datetime) -> Verdict | None:
    if alert.is_paused(now):
        return Withhold(alert, step, "paused")
    if alert.snoozed_until and alert.snoozed_until > now:
        return Withhold(alert, step, "snoozed")
    if alert.told_on and alert.told_on >= sight.on:
        return None
    if alert.fired_at and now - alert.fired_at < COOLDOWN:
        return Withhold(alert, step, "often")
    fired = replace(
        alert,
        state="active" if alert.standing else "fired",
        armed=alert.way == "move",
        told_on=sight.on,
        told_rate=sight.rate,
        told_source=sight.quote.source,
        fired_at=now,
    )
    return Fire(fired, step)


def _corrected(alert: Alert, sight: Sight) -> Correction | None:
    assert alert.told_on and alert.told_rate is not None
    told = sight.before(alert.told_on)
    before = sight.before(alert.told_on - timedelta(days=alert.days or 1))
    if sight.quote.source != alert.told_source or not told or not before:
        return None
    if told[0] != alert.told_on or told[1] == alert.told_rate:
        return None
    step = Step(told[1], told[0], before[1], before[0])
    still = _far(alert, step) if alert.way == "move" else _past(alert, step.rate)
    after = replace(alert, told_rate=step.rate)
    if not still and alert.state != "ended":
        after = replace(after, state="active", armed=True)
    return Correction(after, step, alert.told_rate, still)


def _step(sight: Sight, days: int) -> Step | None:
    """From the figure in force so many days before; None where that one is not stored."""
    then = sight.on - timedelta(days=days)
    before = sight.before(then)
    if before is None or (days > 1 and then - before[0] > GAP):
        return None
    return Step(sight.rate, sight.on, before[1], before[0])


def _past(alert: Alert, rate: Decimal) -> bool:
    return rate > alert.level if alert.way == "above" else rate < alert.level


def _is_back(alert: Alert, sight: Sight) -> bool:
    line = back_at(alert, sight.tick)
    return sight.rate <= line if alert.way == "above" else sight.rate >= line


def _far(alert: Alert, step: Step) -> bool:
    return abs(step.change) >= alert.level


def _one_step(sight: Sight, before: Decimal) -> bool:
    return abs(EXACT.subtract(sight.rate, before)) < EXACT.multiply(sight.tick, ONE_STEP)
