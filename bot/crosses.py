"""Crosses: A/B = (B per dollar) / (A per dollar), both legs in force on the same day.

A leg is what a currency costs: its own issuer's row for the dollar, a peg as declared, and for the
euro, the yuan and all that has no bank of ours two rows of one table, the Bank of Russia's first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.board import BASE, NO_FIGURE, month_before, read_quote
from bot.models import Announced, Quote, RateKind, RateRoad, StoredFixing
from bot.money import EXACT, change, per_unit
from bot.periods import GAP
from bot.sources import banks, issuer_of
from bot.store import Figures

AHEAD: Final = timedelta(days=4)
GOOD_DIGITS: Final = 4
HUB: Final = "cbr"
LONGEST: Final = 4000
"""Rows of a series: eleven years of days."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Leg:
    """A currency against the dollar.

    days: (date, units per dollar, is a fixing), newest first, announced ones included
    steady: the figure of a currency that does not float, in force on every day; then `days` is empty
    source, issuer: the road's id and the bank's, "" for the dollar itself; market: no official figure
    """

    code: str
    source: str
    issuer: str
    days: tuple[tuple[date, Decimal, bool], ...] = ()
    steady: Decimal | None = None
    stale: bool = False
    market: bool = False

    def row(self, day: date) -> tuple[date, Decimal, bool] | None:
        """What was in force on a day, however old."""
        at = bisect_left(self.days, -day.toordinal(), key=lambda row: -row[0].toordinal())
        return self.days[at] if at < len(self.days) else None

    def known(self, day: date) -> Decimal | None:
        """The figure in force on a day; None where too old a one is stored, or none."""
        if self.steady is not None:
            return self.steady
        row = self.row(day)
        return row[1] if row and day - row[0] <= GAP else None

    def prints(self, day: date) -> bool:
        return self.steady is not None or any(on == day for on, _, _ in self.days)


DOLLAR: Final = Leg(BASE, "", "", steady=Decimal(1))


async def read_leg(
    store: Figures, roads: Sequence[RateRoad], now: datetime, code: str, since: date, until: date
) -> Leg | str:
    """The leg of a currency from `since` to `until`, or why there is none."""
    if code == BASE:
        return DOLLAR
    own = await read_quote(store, roads, now, BASE, code)
    issuer = issuer_of(code)
    if own.rate is not None and own.kind == "peg":
        declared = not own.effective_date or own.effective_date <= now.date()
        return Leg(code, own.source, issuer.id if issuer else "", steady=own.rate) if declared else NO_FIGURE
    if own.kind == "market" or own.rate is None:
        hub = await _through_a_table(store, roads, now, code, since, until)
        if hub or own.rate is None:
            return hub or own.reason
    series = await store.series(own.source, BASE, code, until, LONGEST, since)
    days = tuple((row.effective_date, per_unit(row.printed), not row.carried) for row in series)
    market = own.kind == "market"
    return Leg(code, own.source, issuer.id if issuer and not market else "", days, stale=own.stale, market=market)


async def _through_a_table(
    store: Figures, roads: Sequence[RateRoad], now: datetime, code: str, since: date, until: date
) -> Leg | None:
    """(X per dollar) / (X per unit) from one bank's rows of the same dates."""
    for road in sorted(roads, key=lambda road: (road.parser != HUB, road.priority)):
        bank = banks()[road.parser]
        if not bank.issues or road.priority:
            continue
        theirs = await store.series(road.id, code, bank.issues, until, LONGEST, since)
        if not theirs or digits(theirs) < GOOD_DIGITS:
            continue
        dollars = await store.series(road.id, BASE, bank.issues, until, LONGEST, since)
        days = tuple(_triangulated(theirs, dollars))
        if days:
            shown = await read_quote(store, [road], now, code, bank.issues)
            return Leg(code, road.id, bank.id, days, stale=shown.stale)
    return None


def _triangulated(
    theirs: Sequence[StoredFixing], dollars: Sequence[StoredFixing]
) -> Iterator[tuple[date, Decimal, bool]]:
    by_date = {row.effective_date: row for row in dollars}
    for row in theirs:
        if dollar := by_date.get(row.effective_date):
            rate = EXACT.divide(per_unit(dollar.printed), per_unit(row.printed))
            yield row.effective_date, rate, not (row.carried and dollar.carried)


def digits(rows: Sequence[StoredFixing]) -> int:
    """Significant digits of the newest row, at the places its neighbours are printed with: a bank may drop zeros."""
    figures = [per_unit(row.printed) for row in rows[:10]]
    places = max(-_exponent(figure) for figure in figures)
    return len(str(int(figures[0].scaleb(places))))


def _exponent(figure: Decimal) -> int:
    exponent = figure.as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def rate_on(base: Leg, quote: Leg, day: date) -> Decimal | None:
    """Quote units per 1 base unit on a day, None where a leg is not known to be in force."""
    over, under = quote.known(day), base.known(day)
    return EXACT.divide(over, under) if over is not None and under is not None else None


def crossed(base: Leg, quote: Leg, today: date) -> Quote:
    """The cross as of today, or, where a leg has gone stale, as of the last day both are known.

    The date shown is the older of the two; the changes are those of the cross, both ends from these legs.
    """
    legs = [leg for leg in (base, quote) if leg.steady is None]
    source = "+".join(dict.fromkeys(leg.source for leg in (base, quote) if leg.source))
    kind: RateKind = "market" if any(leg.market for leg in legs) else "cross"
    empty = Quote(base.code, quote.code, source, kind, reason=NO_FIGURE)
    in_force = [row for leg in legs if (row := leg.row(today))]
    if len(in_force) < len(legs):
        return empty
    day = min([today, *(row[0] for leg, row in zip(legs, in_force, strict=True) if leg.stale)])
    rows = [row for leg in legs if (row := leg.row(day))]
    if not rows or len(rows) < len(legs):
        return empty
    rate = EXACT.divide(_last(quote, day), _last(base, day))
    newest = max(row[0] for row in rows)
    return Quote(
        base.code,
        quote.code,
        source,
        kind,
        rate,
        min(row[0] for row in rows),
        announced=_announced(base, quote, today),
        stale=any(leg.stale for leg in legs),
        day=_change(rate, rate_on(base, quote, before)) if (before := _day_before_fixing(legs, day)) else None,
        week=_change(rate, rate_on(base, quote, newest - timedelta(days=7))),
        month=_change(rate, rate_on(base, quote, month_before(newest))),
        issuers=tuple(dict.fromkeys(leg.issuer for leg in (base, quote) if leg.issuer and kind == "cross")),
    )


def _last(leg: Leg, day: date) -> Decimal:
    row = leg.row(day)
    figure = leg.steady if row is None else row[1]
    assert figure is not None
    return figure


def _change(new: Decimal, old: Decimal | None) -> Decimal | None:
    return None if old is None else change(new, old)


def _day_before_fixing(legs: Sequence[Leg], day: date) -> date | None:
    """The day before the newest fixing of either leg."""
    fixings = [on for leg in legs for on, _, fixing in leg.days if fixing and on <= day]
    return max(fixings) - _DAY if fixings else None


def _announced(base: Leg, quote: Leg, today: date) -> Announced | None:
    """The next day on which a leg has a new fixing and both are printed already."""
    coming = sorted(on for leg in (base, quote) for on, _, fixing in leg.days if fixing and on > today)
    day = next((on for on in coming if base.prints(on) and quote.prints(on)), None)
    rate = rate_on(base, quote, day) if day else None
    return Announced(rate, day) if rate is not None and day else None


def history(base: Leg, quote: Leg, since: date, until: date) -> Iterator[tuple[date, Decimal]]:
    """The cross on every date of a leg on which both are known, oldest first."""
    dates = sorted({on for leg in (base, quote) for on, _, _ in leg.days if since <= on <= until})
    for day in dates:
        rate = rate_on(base, quote, day)
        if rate is not None:
            yield day, rate
