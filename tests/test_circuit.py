from __future__ import annotations

from datetime import UTC, datetime

from bot.circuit import PAUSES, PROBES, TRUST, Circuit
from bot.models import Outcome

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SENT, GONE, TOKEN = Outcome("sent"), Outcome("dead", "blocked"), Outcome("pending", "Unauthorized", cause="token")
UNWELCOME, FLOOD = Outcome("failed", cause="unwelcome"), Outcome("pending", cause="flood")


def noted(circuit: Circuit, *outcomes: Outcome, at: float = 1000.0) -> list[bool]:
    return [circuit.note(outcome, at) for outcome in outcomes]


def test_a_few_chats_that_are_gone_are_just_that():
    circuit = Circuit()
    assert not any(noted(circuit, *[SENT] * 16, *[GONE] * 3, *[FLOOD] * 50))
    assert circuit.closed
    assert circuit.room(1000.0, 0, 32) == 32


def test_a_fifth_of_a_minutes_sends_refused_means_the_bot():
    circuit = Circuit()
    opened = noted(circuit, *[SENT] * 16, *[GONE] * 2, *[UNWELCOME] * 3)
    assert opened == [False] * 20 + [True]
    assert circuit.room(1000.0, 0, 32) == 0
    assert circuit.spare(GONE, NOW, 30.0).state == "pending"
    assert circuit.spare(SENT, NOW, 30.0) == SENT


def test_nothing_but_refusals_means_the_bot_however_few():
    assert noted(Circuit(), *[GONE] * 5) == [False] * 4 + [True]


def test_refusals_spread_over_hours_are_the_chats_own():
    circuit = Circuit()
    for minute in range(60):
        assert not any(noted(circuit, SENT, GONE, GONE, at=minute * 120.0))


def test_a_token_refused_once_is_the_platforms_hiccup():
    circuit = Circuit()
    assert not any(noted(circuit, TOKEN, SENT, TOKEN, SENT))
    assert circuit.spare(TOKEN, NOW, 0.0) == TOKEN
    assert circuit.closed


def test_a_token_refused_twice_running_opens_and_one_message_that_arrives_closes():
    circuit = Circuit()
    assert noted(circuit, TOKEN, TOKEN) == [False, True]
    assert circuit.room(1000.0 + PAUSES[0] - 1, 0, 32) == 0
    assert circuit.room(1000.0 + PAUSES[0], 0, 32) == PROBES
    assert circuit.room(1000.0 + PAUSES[0], PROBES, 32) == 0
    assert noted(circuit, TOKEN, at=1000.0 + PAUSES[0]) == [True]
    assert circuit.left(1000.0 + PAUSES[0]) == PAUSES[1]
    noted(circuit, SENT, at=1200.0)
    assert circuit.closed


def test_what_was_in_flight_when_it_opened_opens_it_no_second_time():
    assert noted(Circuit(), *[TOKEN] * 4) == [False, True, False, False]


def test_after_a_probe_that_arrived_refusals_are_believed():
    circuit = Circuit()
    noted(circuit, *[GONE] * 5)
    noted(circuit, SENT, at=1100.0)
    assert not any(noted(circuit, *[GONE] * 30, at=1101.0))
    assert any(noted(circuit, *[GONE] * 30, at=1101.0 + TRUST))
