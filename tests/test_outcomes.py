from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.message import Message
from bot.models import Address, Delivery, Outcome
from bot.outcomes import MOST_DEATHS, decided, lapsed

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LIFE = timedelta(minutes=15)


def delivery(kind: str = "digest", **more: object) -> Delivery:
    return Delivery(1, "e", Address("telegram", "1"), kind, Message(()), NOW, NOW + LIFE, "me", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "lost", "state"),
    [
        ("digest", 0, "pending"),
        ("digest", 1, "unknown"),
        ("article", 0, "pending"),
        ("alert", 0, "unknown"),
        ("reply", 0, "unknown"),
    ],
)
def test_only_articles_and_digests_are_sent_once_more(kind: str, lost: int, state: str):
    assert decided(delivery(kind, lost=lost), Outcome("unknown"), NOW, 0.5).state == state


def test_a_claim_whose_sender_died_is_taken_up_again_but_not_for_ever():
    assert lapsed(delivery(tries=99, lost=1, deaths=MOST_DEATHS - 2), NOW).state == "pending"
    assert lapsed(delivery(deaths=MOST_DEATHS - 1), NOW).state == "unknown"
    assert lapsed(delivery("alert"), NOW).state == "unknown"


def test_faults_are_tried_again_after_a_pause_that_grows_and_is_drawn():
    fault = Outcome("pending", "502", cause="fault")
    pauses = [decided(delivery(faults=n), fault, NOW, 1.0).retry_at for n in range(9)]
    assert [(at - NOW).total_seconds() for at in pauses if at] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert decided(delivery(faults=6), fault, NOW, 0.25).retry_at == NOW + timedelta(seconds=15)


def test_what_could_only_go_after_its_shelf_life_expires_and_says_why():
    flood = Outcome("pending", "too many", retry_at=NOW + timedelta(hours=1), cause="flood")
    outcome = decided(delivery("alert"), flood, NOW, 0.5)
    assert (outcome.state, outcome.detail) == ("expired", "past its shelf life; too many")


def test_a_refused_text_goes_once_more_as_bare_words():
    refused = Outcome("failed", "can't parse entities", cause="body")
    assert decided(delivery(), refused, NOW, 0.5).state == "pending"
    assert decided(delivery(plain=True), refused, NOW, 0.5).state == "failed"


def test_the_rest_stays_as_it_is():
    for outcome in (Outcome("sent", message_id="7"), Outcome("dead", "blocked"), Outcome("failed", "no such method")):
        assert decided(delivery(), outcome, NOW, 0.5) == outcome
