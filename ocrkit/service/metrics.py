"""What the service measures, as Prometheus reads it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from ocrkit.service.index import Index
from ocrkit.service.queue import Queue
from ocrkit.service.store import Store

_BOUNDS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_TOLD = {
    "put": "Documents handed in.",
    "claimed": "Documents given to a reader.",
    "done": "Documents read.",
    "pages": "Pages read.",
    "retried": "Times that a reader failed on a document that is tried again.",
    "dead": "Documents given up.",
    "expired": "Leases whose holder died.",
}


class Figures(Collector):
    """Read from the store whenever they are asked for, so that they are the same whichever process answers."""

    def __init__(self, store: Store, queue: Queue, index: Index) -> None:
        self._store, self._queue, self._index = store, queue, index

    def collect(self) -> Iterator[Metric]:
        """All figures."""
        states = GaugeMetricFamily("ocrkit_documents", "Documents in each state.", labels=["state"])
        for state, count in self._queue.counts().items():
            states.add_metric([state], count)
        yield states
        for name, count in self._queue.tallies().items():
            yield CounterMetricFamily(f"ocrkit_{name}", _TOLD[name], value=count)
        reading, waiting = self._queue.latencies()
        yield _histogram("ocrkit_reading_seconds", "Reading took, of the last 1,000 documents.", reading)
        yield _histogram("ocrkit_waiting_seconds", "From handed in to done, of the last 1,000 documents.", waiting)
        yield GaugeMetricFamily("ocrkit_indexed_pages", "Pages that can be searched.", value=self._index.pages())
        free = shutil.disk_usage(self._store.folder).free
        yield GaugeMetricFamily("ocrkit_disk_free_bytes", "Room where the store lies.", value=free)


def exposition(store: Store, queue: Queue, index: Index) -> bytes:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(Figures(store, queue, index))
    return generate_latest(registry)


def _histogram(name: str, said: str, seconds: list[float]) -> HistogramMetricFamily:
    buckets = [(str(float(bound)), float(sum(value <= bound for value in seconds))) for bound in _BOUNDS_S]
    return HistogramMetricFamily(name, said, buckets=[*buckets, ("+Inf", float(len(seconds)))], sum_value=sum(seconds))
