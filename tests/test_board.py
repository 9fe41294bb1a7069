from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from bot.board import FIVE, as_series, make_quote, month_before, read_board, read_quote
from bot.models import Announced, Fixing, PollState, Quote, RateRoad, RateTable
from bot.money import percent_text
from storage.sqlite import SqliteStore

MONDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 7, tzinfo=UTC)
DAY = timedelta(days=1)
NBK = RateRoad("nbk", "nbk", "https://nbk.example/{date:%d.%m.%Y}")


def table(back: int, value: str, change: str = "", source: str = "nbk", **others: str) -> RateTable:
    """A table dated `back` days before Monday."""
    rows = (Fixing("USD", value, 1, change), *(Fixing(base, figure) for base, figure in others.items()))
    return RateTable(source, "KZT", MONDAY - back * DAY, rows)


def quote(*tables: RateTable, today: date = MONDAY) -> Quote:
    return make_quote(NBK, as_series(tables, "USD", "KZT", NOON), datetime.combine(today, time(7), UTC))


def percents(quote: Quote) -> tuple[str | None, ...]:
    return tuple(None if c is None else percent_text(c) for c in (quote.day, quote.week, quote.month))


# --- in force ------------------------------------------------------------------


def test_the_newest_table_of_today_or_before_is_in_force():
    shown = quote(table(1, "478.77"), table(0, "475.09"))
    assert (shown.base, shown.quote, shown.source, shown.kind) == ("USD", "KZT", "nbk", "official")
    assert (shown.rate, shown.effective_date) == (Decimal("475.09"), MONDAY)
    assert percents(shown) == ("-0.77", None, None)
    assert not shown.stale
    assert shown.announced is None


def test_a_nominal_is_divided_away():
    rows = (Fixing("USD", "47509", 100),)
    assert quote(RateTable("nbk", "KZT", MONDAY, rows)).rate == Decimal("475.09")


def test_on_monday_the_change_is_still_that_of_the_last_fixing():
    weekend = [table(back, "475.09", "-3.68") for back in (0, 1, 2)]
    shown = quote(*weekend, table(3, "478.77"), table(4, "470.00"))
    assert percents(shown)[0] == "-0.77"
    assert shown.effective_date == MONDAY


def test_a_carried_day_is_known_by_its_rates_not_by_the_change_printed_on_it():
    shown = quote(table(0, "475.09", "0.00"), table(1, "475.09", "-3.68"), table(2, "478.77"))
    assert percents(shown)[0] == "-0.77"


def test_an_unchanged_dollar_in_a_table_that_moved_is_a_fixing():
    shown = quote(table(0, "87.4500", EUR="101.51"), table(1, "87.4500", EUR="101.02"), table(2, "87.0000", EUR="99"))
    assert percents(shown)[0] == "0.00"


def test_without_the_previous_fixing_the_bank_s_own_change_counts():
    assert percents(quote(table(0, "475.09", "-3.68")))[0] == "-0.77"
    assert percents(quote(table(0, "475.09", "-3.68"), table(9, "400.00")))[0] == "-0.77"
    assert percents(quote(table(0, "475.09"), table(9, "400.00")))[0] is None


def test_the_bank_s_own_change_is_read_on_the_first_day_of_a_fixing():
    assert percents(quote(table(0, "475.09", "0"), table(1, "475.09", "-3.68")))[0] == "-0.77"


def test_a_table_without_the_dollar_is_passed_over():
    weekly = RateTable("nbk", "KZT", MONDAY, (Fixing("JPY", "3.1"),))
    assert quote(weekly, table(1, "475.09")).effective_date == MONDAY - DAY
    assert as_series([weekly], "USD", "KZT", NOON) == []


# --- week and month ------------------------------------------------------------


def test_week_and_month_are_against_what_was_in_force_then():
    shown = quote(table(0, "110"), table(1, "109"), table(8, "100"), table(6, "105"), table(31, "88"), table(30, "99"))
    assert percents(shown) == ("+0.92", "+10.00", "+25.00")


def test_what_was_in_force_too_long_ago_is_not_known():
    assert percents(quote(table(0, "110"), table(12, "100"), table(45, "88"))) == (None, None, None)


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 11, 23), date(2026, 10, 23)),
        (date(2026, 3, 31), date(2026, 2, 28)),
        (date(2024, 3, 30), date(2024, 2, 29)),
        (date(2026, 1, 15), date(2025, 12, 15)),
    ],
)
def test_a_month_before(day: date, before: date):
    assert month_before(day) == before


# --- announced -----------------------------------------------------------------


def test_tomorrow_s_rate_is_announced_and_does_not_replace_today_s():
    shown = quote(table(-1, "440.77"), table(0, "442.05"), table(1, "441.00"))
    assert shown.rate == Decimal("442.05")
    assert shown.announced == Announced(Decimal("440.77"), MONDAY + DAY)
    assert percents(shown)[0] == "+0.24"


def test_at_midnight_the_announced_rate_is_in_force():
    shown = quote(table(-1, "440.77"), table(0, "442.05"), today=MONDAY + DAY)
    assert (shown.rate, shown.announced) == (Decimal("440.77"), None)
    assert percents(shown)[0] == "-0.29"


def test_a_day_carried_forward_announces_nothing():
    assert quote(table(-1, "475.09"), table(0, "475.09")).announced is None


def test_of_several_coming_days_the_next_fixing_is_announced():
    shown = quote(table(-3, "450"), table(-2, "440"), table(-1, "442.05"), table(0, "442.05"))
    assert shown.announced == Announced(Decimal(440), MONDAY + 2 * DAY)


def test_a_bank_that_shows_only_tomorrow_is_shown_with_that_date():
    shown = quote(table(-1, "87.4500", "-0.1000"))
    assert (shown.rate, shown.effective_date) == (Decimal("87.4500"), MONDAY + DAY)
    assert shown.announced == Announced(Decimal("87.4500"), MONDAY + DAY)
    assert percents(shown) == ("-0.11", None, None)


async def test_a_date_far_ahead_never_counts(store: SqliteStore):
    await keep(store, table(-5, "999"), table(0, "475.09"))
    shown = await read_quote(store, [NBK], NOON, "USD", "KZT")
    assert (shown.rate, shown.announced) == (Decimal("475.09"), None)


# --- stale, missing, peg -------------------------------------------------------


@pytest.mark.parametrize(("age", "stale"), [(-1, False), (0, False), (1, False), (3, True), (200, True)])
def test_a_figure_is_stale_once_a_table_is_missed(age: int, stale: bool):
    shown = quote(table(age, "475.09"))
    assert shown.stale is stale
    assert shown.rate == Decimal("475.09")
    assert shown.effective_date == MONDAY - age * DAY


def test_an_announced_rate_is_a_sign_of_life():
    assert not quote(table(6, "475.09"), table(-1, "476")).stale


async def test_no_table_is_no_figure(store: SqliteStore):
    shown = await read_quote(store, [NBK], NOON, "USD", "KZT")
    assert (shown.rate, shown.effective_date, shown.reason) == (None, None, "no figure yet")


async def test_the_peg_has_no_changes_and_is_never_stale(store: SqliteStore):
    shown = await read_quote(store, [RateRoad("cbt", "cbt", "")], NOON, "USD", "TMT")
    assert shown == Quote("USD", "TMT", "cbt", "peg", Decimal("3.5"), date(2015, 1, 1))


# --- from the store ------------------------------------------------------------


async def keep(store: SqliteStore, *tables: RateTable) -> None:
    await store.keep_tables(PollState(tables[0].source), tables, [], NOON)


async def test_a_board_has_the_five_in_order_and_says_what_is_missing(store: SqliteStore):
    await keep(store, table(0, "475.09"))
    nbt = RateRoad("nbt", "nbt", "")
    board = await read_board(store, [NBK, nbt], NOON)
    assert tuple(q.quote for q in board.quotes) == FIVE
    assert [q.reason for q in board.quotes] == [
        "",
        "no source is set for it",
        "no source is set for it",
        "no figure yet",
        "",
    ]
    assert board.as_of == MONDAY
    assert board.quotes[4].rate == Decimal("3.5")
    assert board.quotes[3].source == "nbt"


async def test_only_what_is_asked_for_is_read(store: SqliteStore):
    board = await read_board(store, [], NOON, only={"TMT", "KGS"})
    assert [q.quote for q in board.quotes] == ["KGS", "TMT"]


async def test_the_first_road_that_has_a_figure_wins(store: SqliteStore):
    first, second = RateRoad("first", "nbk", "", priority=1), RateRoad("second", "nbk", "", priority=2)
    await keep(store, table(0, "480.00", source="second"))
    board = await read_board(store, [second, first], NOON, only={"KZT"})
    assert (board.quotes[0].source, board.quotes[0].rate) == ("second", Decimal("480.00"))
    await keep(store, table(0, "475.09", source="first"))
    board = await read_board(store, [second, first], NOON, only={"KZT"})
    assert (board.quotes[0].source, board.quotes[0].rate) == ("first", Decimal("475.09"))


async def test_a_revision_replaces_the_figure_of_its_day(store: SqliteStore):
    await keep(store, table(1, "478.77"), table(0, "475.90"))
    await keep(store, table(0, "475.09"))
    board = await read_board(store, [NBK], NOON, only={"KZT"})
    assert board.quotes[0].rate == Decimal("475.09")
    assert percents(board.quotes[0])[0] == "-0.77"


async def test_today_is_the_issuer_s_own(store: SqliteStore):
    await keep(store, table(0, "442.05"), table(-1, "440.77"))
    evening = datetime(2026, 11, 23, 18, 59, tzinfo=UTC)
    board = await read_board(store, [NBK], evening, only={"KZT"})
    assert board.quotes[0].rate == Decimal("442.05")
    board = await read_board(store, [NBK], evening + timedelta(minutes=1), only={"KZT"})
    assert board.quotes[0].rate == Decimal("440.77")
