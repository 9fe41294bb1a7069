from __future__ import annotations

import pytest

from bot.errors import Refusal
from bot.whereabouts import point_of, zone_at


@pytest.mark.parametrize(
    ("latitude", "longitude", "zone"),
    [
        (43.238, 76.889, "Asia/Almaty"),
        (42.32, 69.59, "Asia/Almaty"),
        (51.23, 51.37, "Asia/Oral"),
        (42.87, 74.59, "Asia/Bishkek"),
        (40.51, 72.80, "Asia/Bishkek"),  # Osh: Tashkent is as near as Bishkek
        (41.31, 69.24, "Asia/Tashkent"),
        (39.65, 66.96, "Asia/Samarkand"),
        (40.28, 69.62, "Asia/Dushanbe"),  # Khujand: Tashkent is nearer
        (37.95, 58.38, "Asia/Ashgabat"),
        (-33.87, 151.21, "Australia/Sydney"),
        (0, -30, "Etc/GMT+2"),
    ],
)
async def test_the_zone_of_a_place(latitude: float, longitude: float, zone: str):
    assert await zone_at(latitude, longitude) == zone


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("41.31, 69.24", (41.31, 69.24)),
        ("41,69", (41, 69)),
        ("-33.868,+151.209", (-33.868, 151.209)),
        ("91, 10", None),
        ("10, 181", None),
        ("41.31", None),
        ("Asia/Almaty", None),
        ("nan, inf", None),
    ],
)
def test_what_is_read_as_a_place(text: str, point: tuple[float, float] | None):
    assert point_of(text) == point


async def test_a_place_that_cannot_be_looked_up_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(Refusal):
        await zone_at(41, 69)
