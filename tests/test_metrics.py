from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import make_mocked_request
from prometheus_client.parser import text_string_to_metric_families

from bot.health import http_server
from bot.message import Message, Paragraph
from bot.metrics import Metrics
from bot.models import Address, Health, Outcome, Outgoing, PollState
from storage.sqlite import SqliteStore
from tests.chats import open_chats
from tests.fixings import NOON
from tests.ports import held_port
from tests.stores import new_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await new_store(tmp_path / "yamchi.db")
    yield store
    await store.close()


def figures(text: str) -> dict[tuple[str, str], float]:
    """(name, label) to value."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_figures_are_those_of_the_store(store: SqliteStore):
    late = NOON - timedelta(seconds=40)
    message, soon = Message((Paragraph("x"),)), NOON + timedelta(hours=1)
    rows = [Outgoing(f"e{n}", Address("telegram", str(n)), "digest", message, late, soon) for n in (1, 2)]
    await store.enqueue(rows, late)
    (first,) = await store.claim("me", {"telegram"}, NOON, NOON + timedelta(minutes=1), 1)
    await store.settle(first, Outcome("sent"), NOON)
    await store.keep_poll(PollState("timesca", last_ok_at=NOON - timedelta(minutes=5), failures=2))
    await store.keep_poll(PollState("somebodys-own", last_ok_at=NOON))
    health = {"telegram": Health(ok=True), "store": Health(ok=False, detail="the disk is full")}
    metrics = Metrics(store, lambda: health, {"deliver": 3}, {"timesca"}, lambda: NOON, "1.2", {"web", "send"})
    with held_port() as port:
        async with (
            http_server(("127.0.0.1", port), (), dict, dict, {"/metrics": metrics.page}),
            ClientSession() as session,
        ):
            async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert answer.status == 200
                assert answer.headers["Content-Type"].startswith("text/plain")
                found = figures(await answer.text())
            for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
                async with session.get(f"http://127.0.0.1:{port}/metrics", headers={header: "1.2.3.4"}) as answer:
                    assert answer.status == 403
    assert found["yamchi_info", "1.2"] == 1
    assert {role for name, role in found if name == "yamchi_role"} == {"web", "send"}
    assert (found["yamchi_check_ok", "telegram"], found["yamchi_check_ok", "store"]) == (1, 0)
    assert found["yamchi_task_restarts_total", "deliver"] == 3
    assert (found["yamchi_outbox_messages", "sent"], found["yamchi_outbox_messages", "pending"]) == (1, 1)
    assert found["yamchi_outbox_oldest_seconds", ""] == 40
    assert found["yamchi_delivery_late_seconds", "0.95"] == 40
    assert (found["yamchi_source_age_seconds", "timesca"], found["yamchi_source_failures", "timesca"]) == (300, 2)
    assert ("yamchi_source_age_seconds", "somebodys-own") not in found
    assert found["process_resident_memory_bytes", ""] > 0


@pytest.mark.parametrize("peer", ["192.0.2.1", "::ffff:192.0.2.1", "10.0.0.1", "", "unix"])
async def test_strangers_are_told_nothing(store: SqliteStore, peer: str):
    metrics = Metrics(store, dict, {}, (), lambda: NOON, "1", ())
    request = make_mocked_request("GET", "/metrics").clone(remote=peer)
    with pytest.raises(web.HTTPForbidden):
        await metrics.page(request)


def test_a_running_service_tells_them(tmp_path: Path):
    with open_chats(tmp_path) as chats, chats.run() as service:
        service.wait_for_log("serving", 100)
        with urllib.request.urlopen(f"http://{chats.env['HTTP_LISTEN']}/metrics", timeout=10) as answer:
            found = figures(answer.read().decode())
        assert {"telegram", "slack", "store", "deliver"} <= {
            label for name, label in found if name == "yamchi_check_ok"
        }
        assert service.stop() == 0
