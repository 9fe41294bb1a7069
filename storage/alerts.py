"""Alerts. Of a pair's alerts, however many, only those are read that its newest figure may concern."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlite_utils import Database

from bot.models import Address, Alert, ChatSettings, Sight, Subscription
from bot.money import change
from storage.chats import chat, subscribe
from storage.values import Row, instant, instant_or_none, micros, micros_or_none, one, packed, rows

ENDED_KEPT: Final = timedelta(days=30)
CORRECTED_WITHIN: Final = timedelta(days=7)
"""Later than that no bank corrects a figure."""
SLACK: Final = 1e-9
"""Sizes are compared as floats to find alerts; whether one fires is reckoned exactly."""

SET: Final = """
    INSERT INTO alerts (id, platform, chat, thread, pair, way, level, size, days, standing, created_at,
        created_by, expires_at, snoozed_until, paused_at, paused_until, state, armed, told_on, told_rate, told_source,
        fired_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET standing = excluded.standing, expires_at = excluded.expires_at,
        snoozed_until = excluded.snoozed_until, paused_at = excluded.paused_at,
        paused_until = excluded.paused_until, state = excluded.state, armed = excluded.armed,
        told_on = excluded.told_on, told_rate = excluded.told_rate, told_source = excluded.told_source,
        fired_at = excluded.fired_at
    WHERE (alerts.platform, alerts.chat, alerts.thread) = (excluded.platform, excluded.chat, excluded.thread)
    RETURNING id"""
JUDGED: Final = """
    UPDATE alerts SET state = ?, armed = ?, told_on = ?, told_rate = ?, told_source = ?, fired_at = ?
    WHERE id = ? AND state <> 'ended'"""
"""What the person chose meanwhile stands."""
WATCHED: Final = """
    WITH RECURSIVE following (pair) AS (
        SELECT min(pair) FROM alerts WHERE state = 'active'
        UNION ALL SELECT (SELECT min(pair) FROM alerts WHERE state = 'active' AND pair > following.pair)
        FROM following WHERE pair IS NOT NULL
    )
    SELECT pair FROM following WHERE pair IS NOT NULL UNION SELECT pair FROM alerts WHERE fired_at > ?
    ORDER BY pair"""
"""From pair to pair along the index, however many alerts each has."""
OF_PAIR: Final = "SELECT id FROM alerts WHERE state = 'active' AND pair = :pair AND"
TO_JUDGE: Final = f"""
    SELECT * FROM alerts WHERE id IN (
        {OF_PAIR} way = 'above' AND days = 0 AND armed = 1 AND size <= :rate * (1 + {SLACK})
        UNION {OF_PAIR} way = 'above' AND days = 0 AND armed = 0 AND size >= min(:rate, :before) * (1 - {SLACK})
        UNION {OF_PAIR} way = 'below' AND days = 0 AND armed = 1 AND size >= :rate * (1 - {SLACK})
        UNION {OF_PAIR} way = 'below' AND days = 0 AND armed = 0 AND size <= max(:rate, :before) * (1 + {SLACK})
        UNION {OF_PAIR} way = 'move' AND days = 1 AND armed = 1 AND size <= :day * (1 + {SLACK})
        UNION {OF_PAIR} way = 'move' AND days = 7 AND armed = 1 AND size <= :week * (1 + {SLACK})
        UNION SELECT id FROM alerts WHERE pair = :pair AND fired_at IS NOT NULL
            AND told_on IN (SELECT value FROM json_each(:corrected))
    ) AND NOT EXISTS (
        SELECT 1 FROM lanes WHERE lanes.platform = alerts.platform AND lanes.chat = alerts.chat
            AND lanes.thread IN ('', alerts.thread) AND dead_at IS NOT NULL
    ) ORDER BY id"""
"""Those of chats that are paused as dead are not judged, so that they still watch when the chat comes back."""
FORGET: Final = """
    DELETE FROM alerts WHERE coalesce(fired_at, created_at) < ?1
        AND (state <> 'active' OR expires_at < ?1)"""


def alerts(db: Database, address: Address) -> list[Alert]:
    where = "WHERE platform = ? AND chat = ? AND thread = ? ORDER BY id"
    found = rows(db, f"SELECT * FROM alerts {where}", address.platform, address.chat, address.thread)
    return [_alert(row) for row in found]


def set_alert(db: Database, alert: Alert) -> Alert:
    address = alert.address
    kept = one(
        db,
        SET,
        alert.id or None,
        address.platform,
        address.chat,
        address.thread,
        f"{alert.base}/{alert.quote}",
        alert.way,
        f"{alert.level:f}",
        float(alert.level),
        alert.days,
        alert.standing,
        micros(alert.created_at),
        alert.created_by,
        micros_or_none(alert.expires_at),
        micros_or_none(alert.snoozed_until),
        micros_or_none(alert.paused_at),
        micros_or_none(alert.paused_until),
        *_judged(alert),
    )
    return alert if alert.id else replace(alert, id=kept)


def change_subscriptions(db: Database, changed: Sequence[Subscription], with_them: Sequence[Alert]) -> None:
    for subscription in changed:
        subscribe(db, subscription)
    for alert in with_them:
        set_alert(db, alert)


def watched_pairs(db: Database, now: datetime) -> list[tuple[str, str]]:
    return [_pair(row) for row in rows(db, WATCHED, micros(now - CORRECTED_WITHIN))]


def alerts_to_judge(db: Database, sight: Sight, corrected: Collection[date]) -> list[tuple[Alert, ChatSettings | None]]:
    day, week = (sight.before(sight.on - timedelta(days=days)) for days in (1, 7))
    values = {
        "pair": f"{sight.quote.base}/{sight.quote.quote}",
        "rate": float(sight.rate),
        "before": float(day[1] if day else sight.rate),
        "day": _size(sight.rate, day),
        "week": _size(sight.rate, week),
        "corrected": packed([day.isoformat() for day in corrected]),
    }
    found = [_alert(row) for row in db.query(TO_JUDGE, values)]
    chosen = {address: chat(db, address) for address in {alert.address for alert in found}}
    return [(alert, chosen[alert.address]) for alert in found]


def keep_judged(db: Database, judged: Sequence[Alert]) -> None:
    db.conn.executemany(JUDGED, [(*_judged(alert), alert.id) for alert in judged])


def forget_ended(db: Database, now: datetime) -> None:
    db.conn.execute(FORGET, (micros(now - ENDED_KEPT),))


def _size(rate: Decimal, before: tuple[date, Decimal] | None) -> float:
    return float(abs(change(rate, before[1]))) if before else 0.0


def _judged(alert: Alert) -> tuple[object, ...]:
    return (
        alert.state,
        alert.armed,
        alert.told_on.isoformat() if alert.told_on else None,
        None if alert.told_rate is None else f"{alert.told_rate:f}",
        alert.told_source,
        micros_or_none(alert.fired_at),
    )


def _pair(row: Row) -> tuple[str, str]:
    base, _, quote = row["pair"].partition("/")
    return base, quote


def _alert(row: Row) -> Alert:
    base, quote = _pair(row)
    return Alert(
        id=row["id"],
        address=Address(row["platform"], row["chat"], row["thread"]),
        base=base,
        quote=quote,
        way=row["way"],
        level=Decimal(row["level"]),
        created_at=instant(row["created_at"]),
        days=row["days"],
        standing=bool(row["standing"]),
        created_by=row["created_by"],
        expires_at=instant_or_none(row["expires_at"]),
        snoozed_until=instant_or_none(row["snoozed_until"]),
        state=row["state"],
        armed=bool(row["armed"]),
        told_on=date.fromisoformat(row["told_on"]) if row["told_on"] else None,
        told_rate=Decimal(row["told_rate"]) if row["told_rate"] else None,
        told_source=row["told_source"],
        fired_at=instant_or_none(row["fired_at"]),
        paused_at=instant_or_none(row["paused_at"]),
        paused_until=instant_or_none(row["paused_until"]),
    )
