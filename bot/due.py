"""When a subscription speaks, on the clocks of its zone. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.models import Edition, Plan, Schedule, Subscription

FIRST_WINDOW: Final = timedelta(hours=24)
WEEK: Final = timedelta(days=7)
DAY: Final = timedelta(days=1)
OVER_MIDNIGHT: Final = 3
"""Hours: longer than any gap, so that a time which one carried over midnight comes before it."""
MOMENT: Final = timedelta(microseconds=1)


def next_due(schedule: Schedule, zone: str, after: datetime) -> datetime | None:
    """The first instant after `after` at which the schedule's wall-clock time comes round, UTC.

    A time that a DST gap swallows comes as much later; one that an overlap repeats comes once,
    the first time. None for `instant`.
    """
    if schedule.kind == "instant":
        return None
    place = ZoneInfo(zone)
    local = after.astimezone(place)
    day = local.date() - (DAY if local.hour < OVER_MIDNIGHT else timedelta(0))
    while not _speaks_on(schedule, day) or (due := instant_of(day, schedule.at, place)) <= after:
        day += DAY
    return due


def day_of(schedule: Schedule, zone: str, due: datetime) -> date:
    """The local date that the digest due at this instant is of: a gap may carry it over midnight."""
    place = ZoneInfo(zone)
    local = due.astimezone(place)
    before = local.date() - DAY
    if local.hour < OVER_MIDNIGHT and instant_of(before, schedule.at, place) == due and _speaks_on(schedule, before):
        return before
    return local.date()


def instant_of(day: date, at: time, place: ZoneInfo) -> datetime:
    """When a wall-clock time comes on a date: the first time, or as much later as a gap is long."""
    return datetime.combine(day, at, tzinfo=place).astimezone(UTC)


def _speaks_on(schedule: Schedule, day: date) -> bool:
    if schedule.kind == "weekdays":
        return day.weekday() < 5
    return schedule.kind == "daily" or day.weekday() == schedule.weekday


def latest_due(schedule: Schedule, zone: str, due: datetime, now: datetime) -> datetime:
    """The newest instant up to `now` at which a schedule that was due at `due` should have spoken."""
    while (following := next_due(schedule, zone, due)) and following <= now:
        due = following
    return due


def window_start(edition: Edition, due: datetime) -> datetime:
    """From when on a digest due at `due` holds what was first seen.

    A previous digest that lies ahead was made by a clock since put back: it says nothing of what this one owes.
    """
    if edition.previous_due is None:
        return due - FIRST_WINDOW
    if edition.previous_due >= due:
        return due - (WEEK if edition.schedule.kind == "weekly" else DAY)
    return edition.previous_due


def replan(subscription: Subscription, zone: str, was: str, now: datetime) -> Subscription:
    """The subscription with its next digest on the clocks of `zone`, after its pause.

    A local date that had its digest, told on the clocks of `was`, gets no second one.
    """
    if subscription.paused_at and not subscription.paused_until:
        return replace(subscription, next_due=None)
    after = max(now, subscription.paused_until or now)
    due = next_due(subscription.schedule, zone, after)
    return replace(subscription, next_due=_beyond(subscription.schedule, zone, subscription.previous_due, was, due))


def checked(plan: Plan, now: datetime, catch_up: timedelta) -> datetime | None:
    """When subscriptions of this plan should speak next, as the zone data and the clock say today.

    A digest made ahead of the clock does not count: it has been put back, and those dates are still to come, or
    went by lately. One that they had all the same they do not get again: its date is its identity.
    """
    ahead = plan.previous_due is not None and plan.previous_due > now
    if not ahead and next_due(plan.schedule, plan.zone, plan.next_due - MOMENT) == plan.next_due:
        return plan.next_due
    due = next_due(plan.schedule, plan.zone, now - catch_up if ahead else now)
    return due if ahead else _beyond(plan.schedule, plan.zone, plan.previous_due, plan.zone, due)


def _beyond(
    schedule: Schedule, zone: str, previous: datetime | None, was: str, due: datetime | None
) -> datetime | None:
    """`due`, or a later one if the local date had its digest, told on the clocks of `was`."""
    if due and previous:
        had = previous.astimezone(ZoneInfo(was)).date()
        while due and due.astimezone(ZoneInfo(zone)).date() <= had:
            due = next_due(schedule, zone, due)
    return due
