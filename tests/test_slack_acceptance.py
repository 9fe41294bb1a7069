"""Slack's sixteen acceptance checks, by both roads: the real program and its settings, Slack at the wire.

 1 the same answer by both roads, forgeries     here, and test_slack_http.py
 2 the acknowledgement while we are slow        here, and bench/slack_ack.py
 3 an event four times, by both roads           here, and test_slack_surface.py
 4 a bad token                                  here
 5 faults of the socket                         here (of the chat alone: a ping every half second is no setting)
 6 taken, and the answer lost                   here
 7 a channel that floods; 8 the pace            here, and test_pace.py
 9 the table of refusals                        one of them here; all in test_slack_refusals.py
10 removed, and back                            here, and test_slack_installs.py
11 random digests against the limits            test_slack_digests.py (no road: what is sent)
12 three workspaces, rotation                   test_slack_installs.py
13 the manifests of both roads follow the menu  test_slack.py
14 kill -9 before and after a post              here
15 nine o'clock where clocks change             here
16 the same figures in every chat               test_three_chats.py
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from zoneinfo import ZoneInfo

import pytest

from bot.message import Message, Paragraph
from bot.models import Address, DeliveryKind, Outgoing
from storage.sqlite import open_store
from tests.chats import Chats, open_chats, until
from tests.counts import full
from tests.fakes.faults import slow
from tests.fakes.slack import APP
from tests.fakes.slack_courier import forgeries
from tests.fakes.slack_oauth import CLIENT_ID, CLIENT_SECRET
from tests.process import run
from tests.slack_chat import ROADS, install
from tests.tally import Tell
from tests.world import BEFORE_NINE, FIGURES, day

roads = pytest.mark.parametrize("road", ROADS)
LATER = timedelta(hours=1)
"""After nine: no digest comes between."""


@pytest.fixture
def road() -> str:
    return "http"


@pytest.fixture
def chats(tmp_path: Path, road: str) -> Iterator[Chats]:
    with open_chats(tmp_path, road) as opened:
        yield opened


def put_in(chats: Chats, wanted: dict[str, int], kind: DeliveryKind = "digest") -> None:
    """So many messages for each channel into the database of a program that runs."""

    async def enqueue() -> None:
        now, store = chats.now(), await open_store(chats.database)
        outgoing = [
            Outgoing(f"{now}:{n}", Address("slack", f"T1/{channel}"), kind, text(channel, n), now, now + 6 * LATER)
            for channel, count in wanted.items()
            for n in range(count)
        ]
        await store.enqueue(outgoing, now)
        await store.close()

    def text(channel: str, n: int) -> Message:
        return Message((Paragraph(f"{channel} {n}"),))

    asyncio.run(enqueue())


def outbox(chats: Chats, what: str, where: str) -> list[object]:
    joined = "outbox JOIN lanes ON lanes.id = lane JOIN bodies ON bodies.id = body"
    return [
        value for (value,) in chats.rows(f"SELECT {what} FROM {joined} WHERE outbox.platform = 'slack' AND {where}")
    ]


def test_1_both_roads_give_the_same_answer_and_forgeries_run_nothing(chats: Chats) -> None:
    courier, chats.slack.courier = chats.slack.courier, None
    with chats.run(LATER, SLACK_APP_TOKEN=APP) as service:
        service.wait_for_log("serving")
        until(lambda: {bank for (bank,) in chats.rows("SELECT source FROM fixings")} >= set(FIGURES), 30, "banks read")
        by_socket = chats.slack.command("/rates").text
        assert service.stop() == 0
    chats.slack.courier = courier
    assert courier
    with chats.run(LATER):
        assert chats.slack.command("/rates").text == by_socket
        kept = chats.rows("SELECT count(*) FROM inbox")
        forged = forgeries(int(chats.now().timestamp()), late=310)  # the other process has a clock of its own
        assert {name: courier.post(*made)[0] for name, made in forged.items()} == dict.fromkeys(forged, 401)
        assert chats.rows("SELECT count(*) FROM inbox") == kept
    assert "475.09" in by_socket


@roads
@pytest.mark.parametrize("commands", full(60, 200))
def test_2_all_are_acknowledged_while_we_are_slow(chats: Chats, commands: int, tell: Tell, road: str) -> None:
    with chats.run(LATER) as service, ThreadPoolExecutor(4) as people:
        service.wait_for_log("serving")
        chats.slack.web.fault("/api/users.info", slow(2))
        replies = people.map(
            lambda n: chats.slack.command("/rates", "KZT", user=f"U{n}", answers=0), range(100, 100 + commands)
        )
        took = sorted(reply.acked_after for reply in replies)
    p95 = quantiles(took, n=100)[94]
    tell(f"{commands} commands by {road}: p95 {p95 * 1000:.0f} ms, max {took[-1] * 1000:.0f} ms")
    assert len(took) == commands
    assert p95 < 1 and took[-1] < 3
    assert sum(name == "auth.test" for name, _ in chats.slack.calls) <= 1


@pytest.mark.parametrize("events", full(60, 1000))
def test_3_an_event_that_comes_four_times_by_both_roads_acts_once(chats: Chats, events: int) -> None:
    def all_come(times: int) -> None:
        for n in range(events):
            opened = {"type": "app_home_opened", "user": f"U{n}", "channel": f"D{n}", "tab": "home"}
            chats.slack.happen(opened, times=times, event_id=f"Ev-{n}")

    courier, chats.slack.courier = chats.slack.courier, None
    with chats.run(LATER, SLACK_APP_TOKEN=APP) as service:
        all_come(2)
        until(lambda: chats.slack.views.published == events, 60, "App Home published")
        assert service.stop() == 0
    chats.slack.courier = courier
    with chats.run(LATER) as service:
        all_come(2)
        chats.slack.command("/rates")
        assert service.stop() == 0
    assert chats.slack.views.published == events
    assert chats.rows("SELECT count(*) FROM inbox WHERE key LIKE 'Ev-%' AND state <> 'done'") == [(0,)]


@pytest.mark.parametrize(
    ("road", "setting", "token"),
    [("socket", "SLACK_BOT_TOKEN", "xoxb-wrong"), ("socket", "SLACK_APP_TOKEN", "xapp-wrong"),
     ("http", "SLACK_BOT_TOKEN", "xoxb-wrong")],
)  # fmt: skip
def test_4_a_bad_token_ends_the_start_with_one_line_or_leaves_the_other_chat(
    chats: Chats, setting: str, token: str
) -> None:
    alone = run(chats.world.folder, "run", env={**chats.env, "TELEGRAM_BOT_TOKEN": "", setting: token})
    assert alone.returncode == 2
    assert alone.stderr.splitlines()[-1].startswith(f"yamchi: Slack refuses {setting} (invalid_auth)")
    assert token not in alone.stdout + alone.stderr
    with chats.run(LATER, **{setting: token}) as service:
        service.wait_for_log(f"refuses {setting}")
        chats.telegram.say(7, "/rates KZT")
        assert "475.09" in chats.telegram.wait_for(7)[0].text
        assert service.process.poll() is None


@roads
def test_4_a_token_that_is_refused_later_stops_slack_alone(chats: Chats) -> None:
    with chats.run(LATER) as service:
        service.wait_for_log("serving")
        chats.slack.command("/rates")
        chats.slack.tokens.clear()
        put_in(chats, {"C1": 1})
        service.wait_for_log("sending stopped")
        chats.telegram.say(7, "/rates KZT")
        assert "475.09" in chats.telegram.wait_for(7)[0].text
        assert service.process.poll() is None
    assert outbox(chats, "state", "true") == ["pending"]


@roads
def test_6_a_push_that_was_taken_and_not_answered_comes_once(chats: Chats) -> None:
    with chats.run(LATER) as service:
        service.wait_for_log("serving")
        until(lambda: chats.rows("SELECT 1 FROM fixings WHERE source = 'nbk'"), 30, "a figure to watch")
        chats.slack.command("/ca", "alert KZT > 476")
        chats.slack.lose_answer("chat.postMessage")
        chats.world.banks.set("nbk", day("2026-11-24"), {"USD": ("480.00", 1), "EUR": ("501.00", 1)})
        until(lambda: outbox(chats, "state", "kind = 'alert'") == ["unknown"], 30, "the answer lost")
        put_in(chats, {"C1": 1})
        until(lambda: chats.heard("C1", "C1 0"), 30, "the next message")
    assert chats.heard("C1", "480.00") == 1
    assert len(chats.slack.messages("C1")) == 2


@roads
@pytest.mark.parametrize(
    ("one", "others", "each"),
    [(4, 24, 1), pytest.param(1, 50, 1, marks=pytest.mark.chaos), pytest.param(100, 25, 16, marks=pytest.mark.chaos)],
)
def test_7_and_8_a_flood_holds_up_its_channel_alone_and_the_pace_is_kept(
    chats: Chats, one: int, others: int, each: int, tell: Tell, road: str
) -> None:
    slack, channels = chats.slack, [f"C{n}" for n in range(100, 100 + others)]
    slack.paced = True
    with chats.run(LATER) as service:
        service.wait_for_log("serving")
        time.sleep((one + others) / 5 + 1)  # who begins does not begin with a burst
        slack.flood("CA", 3)
        put_in(chats, {"CA": 2, "C1": one, **dict.fromkeys(channels, each)})
        slack.wait_for(lambda: len(slack.posted) == 2 + one + others * each, 300)
    tried: dict[str, list[float]] = {channel: [] for channel, _ in slack.tried}
    for channel, at in slack.tried:
        tried[channel].append(at)
    silence = tried["CA"][1] - tried["CA"][0]
    apart = min((b - a for times in tried.values() for a, b in pairwise(times)), default=9.0)
    first = [min(tried[channel]) for channel in channels]
    waited = max(b - a for a, b in pairwise(sorted(at for channel, at in slack.tried if channel != "CA")))
    tell(
        f"by {road}: {len(slack.posted)} messages, 0 lost; after a 429 silent for {silence:.1f} s, the others waited"
        f" {waited:.2f} s; {others} channels in {max(first) - min(first):.1f} s, in one never sooner than {apart:.2f} s"
    )
    assert silence >= 3
    assert apart >= 0.95
    assert waited < 12 and max(first) - min(first) < 50
    assert Counter(seen.channel for seen in slack.posted) == {"CA": 2, "C1": one, **dict.fromkeys(channels, each)}
    assert slack.rejected == [("chat.postMessage", "ratelimited")]


@roads
def test_9_a_channel_without_us_is_paused_told_of_once_and_goes_on_when_we_are_invited(chats: Chats) -> None:
    with chats.run(LATER) as service:
        service.wait_for_log("serving")
        chats.slack.command("/subscribe", "daily 09:00")
        chats.slack.fail("chat.postMessage", "not_in_channel")
        for _ in range(2):
            put_in(chats, {"C1": 1})
            until(lambda: set(outbox(chats, "state", "kind = 'digest'")) == {"dead"}, 30, "the channel paused")
        until(lambda: chats.heard("DU1", "#C1 (not_in_channel)"), 30, "a notice")
        chats.slack.happen({"type": "member_joined_channel", "user": "UBOT", "channel": "C1"})
        until(lambda: chats.rows("SELECT 1 FROM lanes WHERE dead <> ''") == [], 30, "the channel open again")
        put_in(chats, {"C1": 1})
        until(lambda: chats.heard("C1", "C1 0"), 30, "a message")
    assert len(chats.slack.messages("DU1")) == 1
    assert chats.heard("C1", "C1 0") == 1


@roads
def test_10_a_workspace_that_removes_us_hears_nothing_and_is_back_as_it_was(chats: Chats) -> None:
    slack, app = chats.slack, {"SLACK_CLIENT_ID": CLIENT_ID, "SLACK_CLIENT_SECRET": CLIENT_SECRET}
    slack.homes = {"C2": "T2", "C3": "T3"}
    with chats.run(LATER, SLACK_BOT_TOKEN="", **app) as service:
        service.wait_for_log("serving")
        for team in ("T2", "T3"):
            assert asyncio.run(install(slack, team)) == 200
            channel = f"C{team[1]}"
            assert "Subscribed" in slack.command("/subscribe", "daily 09:00", channel=channel, team_id=team).text
            assert slack.messages(channel)
        slack.happen({"type": "app_uninstalled"}, team_id="T2")
        until(lambda: chats.rows("SELECT workspace FROM installs WHERE secret <> ''") == [("T3",)], 10, "T2 gone")
        said = len(slack.called_with)
        assert "475.09" in slack.command("/rates", "KZT", channel="C3", team_id="T3").text
        assert {slack.team_of(token) for _, token in slack.called_with[said:]} <= {"T3"}
        assert asyncio.run(install(slack, "T2")) == 200
        listed = slack.command("/ca", "list", channel="C2", team_id="T2").text
        assert service.stop() == 0
    assert "Daily at 09:00" in listed


KILLS = ("claimed:1", "handed:2", "sent:2")


@roads
@pytest.mark.parametrize("rounds", full(3, 25))  # by two roads
def test_14_killed_between_the_outbox_and_the_post_no_digest_is_lost(
    chats: Chats, rounds: int, tell: Tell, road: str
) -> None:
    channels = [f"D{n}" for n in range(5)]
    with chats.run(LATER) as service:
        service.wait_for_log("serving")
        for channel in channels:
            chats.slack.command("/subscribe", "daily 09:00", channel=channel)
        assert service.stop() == 0
    lost = twice = 0
    for n in range(1, rounds + 1):
        before = {channel: len(chats.slack.messages(channel)) for channel in channels}

        def got(channel: str, before: dict[str, int] = before) -> int:
            return len(chats.slack.messages(channel)) - before[channel]

        with chats.run(timedelta(days=n, seconds=8), YAMCHI_TEST_CRASH=KILLS[n % 3]) as service:
            assert service.process.wait(60) == 9
        with chats.run(timedelta(days=n, minutes=1)) as service:
            chats.slack.wait_for(lambda got=got: all(map(got, channels)), 100)
            until(lambda: outbox(chats, "count(*)", "settled_at IS NULL") == [0], 30, "all settled")
            assert service.stop() == 0
        lost += sum(not got(channel) for channel in channels)
        twice += sum(max(0, got(channel) - 1) for channel in channels)
    (unknown,) = outbox(chats, "count(*)", "(deaths > 0 OR lost > 0)")
    tell(f"{rounds} kills, by {road}: {rounds * 5} digests, lost {lost}, twice {twice}, unknown meanwhile {unknown}")
    assert lost == 0
    assert twice <= int(str(unknown))


ZONES = {"D1": "Asia/Almaty", "D2": "Asia/Tashkent", "D3": "America/New_York"}
CLOCKS_CHANGE = datetime.fromisoformat("2026-11-01T00:00+00:00")


@roads
def test_15_nine_o_clock_is_nine_o_clock_the_day_clocks_change(chats: Chats) -> None:
    chats.slack.people = {f"U{channel}": {"tz": zone} for channel, zone in ZONES.items()}
    begin = CLOCKS_CHANGE - timedelta(days=1, hours=1)
    chats.shift(timedelta(0))
    expected: Counter[str] = Counter()

    def came() -> Counter[str]:
        return Counter(seen.channel for seen in chats.slack.posted if "Digest for" in seen.text)

    with chats.run(begin - BEFORE_NINE) as service:
        service.wait_for_log("serving")
        for channel, zone in ZONES.items():
            order = chats.slack.command("/subscribe", "daily 09:00", channel=channel, user=f"U{channel}")
            assert zone in order.text
        nines: dict[datetime, set[str]] = {}
        for channel, zone in ZONES.items():
            for n in range(3):
                local = (CLOCKS_CHANGE + timedelta(days=n - 1)).replace(hour=9, tzinfo=ZoneInfo(zone))
                nines.setdefault(local.astimezone(BEFORE_NINE.tzinfo), set()).add(channel)
        assert [f"{at:%d %H}" for at in sorted(nines)] == ["31 04", "31 13", "01 04", "01 14", "02 04", "02 14"]
        for at, due in sorted(nines.items()):
            chats.shift(at - begin - timedelta(seconds=20))
            time.sleep(1)
            assert came() == expected, at
            expected.update(due)
            chats.shift(at - begin + timedelta(seconds=1))
            until(lambda: came() == expected, 30, f"nine o'clock: {at}")
    assert came() == dict.fromkeys(ZONES, 3)
