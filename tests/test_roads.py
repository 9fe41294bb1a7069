from __future__ import annotations

from collections.abc import Collection

import pytest

from bot.models import PollState, RateRoad
from bot.roads import needed

NBK, NBKR = RateRoad("nbk", "nbk", "https://nbk.example/"), RateRoad("nbkr", "nbkr", "https://nbkr.example/")
PEG = RateRoad("cbt_xml", "cbt", "https://cbt.example/")
SECOND = RateRoad("nbk_all", "nbk", "https://nbk.example/all", priority=5)
TENGE = RateRoad("frankfurter_nbk", "frankfurter", "https://frankfurter.example/KZT", 10, "KZT")
SOM = RateRoad("frankfurter_nbkr", "frankfurter", "https://frankfurter.example/KGS", 10, "KGS")
MARKET = RateRoad("currency_api", "currency_api", "https://market.example/", 20)
FALLBACK = RateRoad("currency_api_pages", "currency_api", "https://fallback.example/", 21)
ROADS = (NBK, NBKR, PEG, SECOND, TENGE, SOM, MARKET, FALLBACK)


def asked(*, down: Collection[RateRoad] = (), overdue: Collection[str] = (), held: Collection[str] = ()) -> list[str]:
    """The ids of the roads that stand in for others just now."""
    states = {road.id: PollState(road.id, failures=1) for road in down}
    return [road.id for road in ROADS if road.priority and needed(road, ROADS, states, overdue, held)]


def test_while_the_banks_answer_only_their_first_roads_are_asked():
    assert asked() == []
    assert all(needed(road, ROADS, {}, (), ()) for road in (NBK, NBKR, PEG))


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        ([NBK], ["nbk_all"]),
        ([NBK, SECOND], ["nbk_all", "frankfurter_nbk"]),
        ([NBK, SECOND, TENGE], ["nbk_all", "frankfurter_nbk", "currency_api"]),
        (
            [NBK, SECOND, TENGE, MARKET],
            ["nbk_all", "frankfurter_nbk", "currency_api", "currency_api_pages"],
        ),
        ([NBKR], ["frankfurter_nbkr"]),
    ],
)
def test_each_road_waits_for_those_before_it_to_fail(down: list[RateRoad], expected: list[str]):
    assert asked(down=down) == expected


def test_a_missed_table_is_trouble_as_well():
    assert asked(overdue=["nbk"]) == ["nbk_all"]


def test_beside_a_held_figure_every_witness_is_asked():
    assert asked(held=["nbk"]) == ["nbk_all", "frankfurter_nbk", "currency_api"]


def test_a_peg_needs_nobody_to_stand_in():
    assert asked(down=[PEG]) == []
