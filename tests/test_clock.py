"""Digests and a clock that jumps, or a service that was down: never two for a local date, none forgotten."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.chats import Chats, open_chats, until
from tests.process import Running
from tests.tally import Tally, Tell

PATIENCE = 100
TWO_TICKS = 1.5
SUBSCRIBER, LISTENER = 7, 8
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AT_NINE = timedelta(seconds=20)
"""After the instant at which the tests' world begins."""

DOWN_ONE_HOUR_THEN_JUMPS = [
    (HOUR, ["23 November"]),
    (DAY + AT_NINE, ["23 November", "24 November"]),
    (DAY - HOUR, ["23 November", "24 November"]),
    (AT_NINE, ["23 November", "24 November"]),
    (2 * DAY + AT_NINE, ["23 November", "24 November", "25 November"]),
]
"""Where the clock stands, and which dates have had their digest then."""
DOWN_SEVEN_HOURS = [
    (3 * DAY + 7 * HOUR, ["23 November", "24 November", "25 November"]),
    (4 * DAY + AT_NINE, ["23 November", "24 November", "25 November", "27 November"]),
]


@pytest.fixture
def chats(tmp_path: Path) -> Iterator[Chats]:
    with open_chats(tmp_path) as opened:
        opened.world.outlet()
        yield opened


def dates(chats: Chats) -> Counter[str]:
    """How many digests came by themselves for each local date."""
    texts = [said.text for said in chats.telegram.messages(SUBSCRIBER)]
    return Counter(found.group(1) for text in texts if (found := re.match(r"Digest for \w+, (\d+ \w+)", text)))


def subscribed(chats: Chats) -> None:
    """A daily reader at nine, and one who gets each article at once: that shows that the ticks go round."""
    chats.shift(-HOUR)
    with chats.run() as service:
        service.wait_for_log("serving")
        for chat, order in ((SUBSCRIBER, "daily 09:00"), (LISTENER, "instant")):
            chats.telegram.say(chat, f"/subscribe {order}")
            chats.telegram.wait_for(chat)
        assert service.stop() == 0


def went_round(chats: Chats, service: Running) -> None:
    """Wait until whatever is due by now is out: news published now comes, and two ticks more."""
    title = f"Article {len(chats.world.feeds.feeds['timesca'].items)}"
    chats.world.publish(chats.world.feeds.feeds["timesca"], title)
    until(lambda: chats.heard(LISTENER, title), PATIENCE, f"{title}\n{''.join(service.err)}")
    time.sleep(TWO_TICKS)


def test_no_date_has_two_digests_whatever_the_clock_does(chats: Chats, tell: Tell):
    tally = Tally("down 1 h, clock +1 d, -1 h, -1 d, +2 d, down 7 h")
    subscribed(chats)
    for jumps in (DOWN_ONE_HOUR_THEN_JUMPS, DOWN_SEVEN_HOURS):
        chats.shift(jumps[0][0])
        with chats.run() as service:
            for by, expected in jumps:
                chats.shift(by)
                went_round(chats, service)
                assert dates(chats) == dict.fromkeys(expected, 1), by
            assert service.stop() == 0
    missed = chats.rows(
        "SELECT event, state, settled_at > due_at FROM outbox WHERE kind = 'digest' AND state <> 'sent'"
    )
    assert missed == [("digest:1:2026-11-26", "expired", 1)]
    assert chats.rows("SELECT count(*) FROM outbox WHERE state <> 'sent'") == [(1,)]
    for on in DOWN_SEVEN_HOURS[-1][1]:
        tally.saw("digest", dates(chats)[on])
    tally.print(tell, "the one 7 h late was not sent, with a note")
