from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.catalogue import read_catalogue
from bot.errors import SettingsError
from bot.models import Catalogue, Feed, RateRoad
from bot.sources import banks


def read(folder: Path, text: str) -> Catalogue:
    path = folder / "sources.toml"
    path.write_text(text, "utf-8")
    return read_catalogue(path)


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    return str(caught.value)


MIRROR = """
replace = true

[[feeds]]
id = "timesca"
title = "The Times of Central Asia"
url = "http://127.0.0.1:8000/timesca.xml"
language = "en"
countries = ["KZ", "KG"]

[[rates]]
id = "nbk"
url = "http://127.0.0.1:8000/nbk?fdate={date:%d.%m.%Y}"

[[rates]]
id = "second"
parser = "nbk"
url = "http://127.0.0.1:8001/nbk"
priority = 1
"""


def test_the_built_in_catalogue_covers_the_region_in_two_languages():
    catalogue = read_catalogue(None)
    feeds = {feed.id: feed for feed in catalogue.feeds}
    assert feeds["timesca"].url == "https://timesca.com/feed/"
    assert len(feeds) >= 12
    assert {feed.language for feed in catalogue.feeds} == {"en", "ru"}
    assert {"KZ", "KG", "TJ", "UZ", "TM"} == {country for feed in catalogue.feeds for country in feed.countries}
    assert {road.parser for road in catalogue.roads} == set(banks())
    assert set(catalogue.roads) == {road for bank in banks().values() for road in bank.roads}


def test_a_replacing_file_leaves_nothing_but_its_own_sources_and_the_peg(tmp_path: Path):
    catalogue = read(tmp_path, MIRROR)
    assert catalogue.feeds == (
        Feed("timesca", "The Times of Central Asia", "http://127.0.0.1:8000/timesca.xml", "en", countries=("KZ", "KG")),
    )
    reached = [road for road in catalogue.roads if road.url]
    assert reached == [
        RateRoad("nbk", "nbk", "http://127.0.0.1:8000/nbk?fdate={date:%d.%m.%Y}"),
        RateRoad("second", "nbk", "http://127.0.0.1:8001/nbk", priority=1),
    ]
    assert [road.id for road in catalogue.roads if not road.url] == [bank.id for bank in banks().values() if bank.peg]


def test_an_extending_file_changes_rows_by_id_and_adds_others(tmp_path: Path):
    own = MIRROR.replace("replace = true", "") + '\n[[feeds]]\nid = "village"\nurl = "https://village.example/feed"\n'
    catalogue, built_in = read(tmp_path, own), read_catalogue(None)
    feeds = {feed.id: feed for feed in catalogue.feeds}
    assert feeds["timesca"].url == "http://127.0.0.1:8000/timesca.xml"
    assert feeds["village"] == Feed("village", "village", "https://village.example/feed", "en")
    assert set(feeds) == {feed.id for feed in built_in.feeds} | {"village"}
    assert {road.id for road in catalogue.roads} == {road.id for road in built_in.roads} | {"second"}


def test_an_empty_file_extends_by_nothing(tmp_path: Path):
    assert read(tmp_path, "") == read_catalogue(None)


@pytest.mark.parametrize(
    ("line", "wrong", "told"),
    [
        ('language = "en"', 'langauge = "en"', "line 8: unknown key 'langauge'; did you mean 'language'?"),
        ('language = "en"', 'zzz = "en"', "line 8: unknown key 'zzz'; expected one of id, url, title"),
        ("replace = true", "replaces = true", "line 2: unknown key 'replaces'; did you mean 'replace'?"),
        ("replace = true", 'replace = "yes"', "line 2: replace: expected true or false"),
        ("priority = 1", "priority = true", "line 19: priority: expected a whole number"),
        ('parser = "nbk"', 'parser = "nbkk"', "line 17: unknown parser 'nbkk'; did you mean 'nbk'?"),
        ('id = "nbk"', 'id = "unknown"', "line 12: unknown parser 'unknown'; expected one of"),
        ('id = "second"', 'id = "nbk"', "line 16: duplicate id 'nbk'"),
        ('id = "second"', 'id = "timesca"', "line 16: duplicate id 'timesca'"),
        ('id = "timesca"', 'id = "Times CA"', "line 5: id: expected a short name"),
        ('url = "http://127.0.0.1:8001/nbk"', "", "line 15: url is missing; expected an http or https address"),
        ('"http://127.0.0.1:8001/nbk"', '"ftp://bank/"', "line 18: url: expected an http or https address"),
        ('"http://127.0.0.1:8001/nbk"', '"http://b/{day}"', "line 18: url: expected an http or https address"),
        ('["KZ", "KG"]', '"KZ"', "line 9: countries: expected a list of codes"),
        ('["KZ", "KG"]', '["kz"]', "line 9: countries: expected a list of codes"),
        ('title = "The Times of Central Asia"', "title = The Times", "line 6: "),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_expected(tmp_path: Path, line: str, wrong: str, told: str):
    assert line in MIRROR
    assert complaint(tmp_path, MIRROR.replace(line, wrong)).startswith(f"sources.toml {told}")


def test_a_table_that_is_no_list_of_tables_is_told(tmp_path: Path):
    assert complaint(tmp_path, '\n[feeds]\nid = "a"\n') == "sources.toml line 2: feeds: expected [[feeds]] tables"


def test_a_file_that_ends_too_early_is_told(tmp_path: Path):
    assert complaint(tmp_path, 'replace = true\n[[feeds]]\ncountries = ["KZ",\n').startswith("sources.toml line ")


def test_a_file_of_ours_may_not_take_a_banks_id_for_a_feed(tmp_path: Path):
    assert "duplicate id 'nbk'" in complaint(tmp_path, '[[feeds]]\nid = "nbk"\nurl = "https://a.example/"\n')


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"SOURCES_FILE: cannot read absent\.toml: No such file"):
        read_catalogue(tmp_path / "absent.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(SettingsError, match=r"binary\.toml: not UTF-8"):
        read_catalogue(tmp_path / "binary.toml")


def test_every_document_of_ours_can_be_read_from_another_address(tmp_path: Path):
    built_in = {road.id: road for road in read_catalogue(None).roads if road.url}
    rows = "".join(f'[[rates]]\nid = "{name}"\nurl = "http://mirror.example/{name}"\n' for name in built_in)
    found = {road.id: road for road in read(tmp_path, f"replace = true\n{rows}").roads if road.url}
    assert found == {name: replace(road, url=f"http://mirror.example/{name}") for name, road in built_in.items()}


@pytest.mark.parametrize("parser", sorted(bank.id for bank in banks().values()))
def test_a_road_of_ones_own_may_use_every_parser(tmp_path: Path, parser: str):
    url = "https://m.example/{date.year}.{date.month}.{date.day}/{date:%d%m%Y}"
    row = f'[[rates]]\nid = "own"\nparser = "{parser}"\nurl = "{url}"\n'
    assert read(tmp_path, row).roads[-1] == RateRoad("own", parser, url)


def test_a_namesake_may_have_its_own_priority_or_parser(tmp_path: Path):
    row = '[[rates]]\nid = "nbk_all"\nurl = "https://m.example/"\n'
    for said, expected in {
        "priority = 0\n": RateRoad("nbk_all", "nbk", "https://m.example/", 0),
        'parser = "cbr"\n': RateRoad("nbk_all", "cbr", "https://m.example/", 0),
        "": RateRoad("nbk_all", "nbk", "https://m.example/", 5),
    }.items():
        assert [road for road in read(tmp_path, row + said).roads if road.id == "nbk_all"] == [expected]


def test_a_replacing_file_contacts_nothing_unlisted(tmp_path: Path):
    for text in ("replace = true\n", MIRROR):
        told = {line.split('"')[1] for line in text.splitlines() if line.startswith("url")}
        catalogue = read(tmp_path, text)
        assert {source.url for source in (*catalogue.feeds, *catalogue.roads) if source.url} == told


@pytest.mark.parametrize("url", ["https://m.example/{day}", "https://m.example/{date.hour}", "https://m.example/{}"])
def test_an_address_that_asks_for_what_no_day_has_is_told(tmp_path: Path, url: str):
    text = f'[[rates]]\nid = "nbk"\nurl = "{url}"\n'
    assert complaint(tmp_path, text).startswith("sources.toml line 3: url: expected an http or https address")
