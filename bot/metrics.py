"""/metrics: how the service fares, in figures, for Prometheus on the same machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from bot.models import Health, OutboxReport, PollState
from bot.ports import Clock
from bot.store import Store

PROXIED = frozenset({"Forwarded", "X-Forwarded-For", "X-Real-IP"})
"""Headers that show a request to come from further off than it looks."""


@dataclass(frozen=True)
class Metrics:
    """sources: those of the catalogue, by id; what chats added for themselves is nobody else's business."""

    store: Store
    ready: Callable[[], Mapping[str, Health]]
    restarts: Mapping[str, int]
    sources: Collection[str]
    clock: Clock
    version: str
    roles: Collection[str]

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The figures of this instant, for peers on this machine only."""
        if not _is_near(request):
            raise web.HTTPForbidden(text="/metrics is for this machine only\n")
        now = self.clock()
        snapshot = _Snapshot(self, now, await self.store.outbox_report(now), await self.store.poll_states())
        registry = CollectorRegistry()
        registry.register(snapshot)
        ProcessCollector(registry=registry)
        encode, kind = exposition.choose_encoder(request.headers.get("Accept", ""))
        return web.Response(status=HTTPStatus.OK, body=encode(registry), headers={"Content-Type": kind})


@dataclass(frozen=True, eq=False)
class _Snapshot:
    """What prometheus_client calls a collector."""

    of: Metrics
    now: datetime
    outbox: OutboxReport
    polls: Mapping[str, PollState]

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("yamchi", "The build.", {"version": self.of.version})
        yield _gauge("yamchi_role", "What this process is for.", "role", dict.fromkeys(self.of.roles, 1.0))
        checks = {name: float(check.ok) for name, check in self.of.ready().items()}
        yield _gauge("yamchi_check_ok", "Each check of /readyz: 1 well, 0 not.", "check", checks)
        restarts = CounterMetricFamily("yamchi_task_restarts", "Tasks that died and began again.", labels=["task"])
        for task, count in self.of.restarts.items():
            restarts.add_metric([task], count)
        yield restarts
        yield from self._deliveries()
        yield from self._sources()

    def _deliveries(self) -> Iterator[Metric]:
        states = {state: float(count) for state, count in self.outbox.states.items()}
        yield _gauge("yamchi_outbox_messages", "Messages of two weeks, by what became of them.", "state", states)
        oldest = self.outbox.oldest_pending
        age = _age(oldest, self.now) if oldest else 0.0
        yield GaugeMetricFamily("yamchi_outbox_oldest_seconds", "How long the oldest due message waits.", max(0.0, age))
        late = dict(zip(("0.5", "0.95"), (_seconds(one) for one in self.outbox.late or ()), strict=False))
        yield _gauge("yamchi_delivery_late_seconds", "How late messages of the last day went out.", "quantile", late)
        yield GaugeMetricFamily("yamchi_chats_gone", "Chats that shut us out.", sum(self.outbox.dead.values()))

    def _sources(self) -> Iterator[Metric]:
        known = {name: state for name, state in self.polls.items() if name in self.of.sources}
        ages = {name: _age(state.last_ok_at, self.now) for name, state in known.items() if state.last_ok_at}
        failures = {name: float(state.failures) for name, state in known.items()}
        yield _gauge("yamchi_source_age_seconds", "Since a source was last read well.", "source", ages)
        yield _gauge("yamchi_source_failures", "Polls of a source that failed in a row.", "source", failures)


def _gauge(name: str, about: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, about, labels=[label])
    for of, value in sorted(values.items()):
        gauge.add_metric([of], value)
    return gauge


def _age(then: datetime, now: datetime) -> float:
    return _seconds(now - then)


def _seconds(span: timedelta) -> float:
    return span.total_seconds()


def _is_near(request: web.Request) -> bool:
    """A loopback peer that speaks for itself: a proxy on this machine brings strangers."""
    try:
        near = ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
    return near and not PROXIED & set(request.headers)
