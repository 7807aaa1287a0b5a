"""Metrics for Prometheus: how many requests, how long, how they ended; nothing about a person."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Metrics of one service.

    Attributes:
        outcomes: Photographs by what became of them: "accepted", "doubtful", "refused",
            "explained", the kind of a problem, or "gone" where the client hung up.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        counter = partial(Counter, registry=registry)
        seconds = partial(Histogram, registry=registry, buckets=_SECONDS)
        self.requests = counter(
            "melanoscope_requests", "Requests answered.", ["route", "method", "status"]
        )
        self.request_seconds = seconds(
            "melanoscope_request_seconds",
            "From a request's head to the end of its response.",
            ["route"],
        )
        self.outcomes = counter(
            "melanoscope_photographs", "What became of photographs.", ["outcome"]
        )
        self.step_seconds = seconds(
            "melanoscope_work_seconds", "What a step took a worker.", ["step"]
        )
        self.batch_sizes = Histogram(
            "melanoscope_batch_photographs",
            "Photographs answered by one run of the network.",
            buckets=(1, 2, 3, 4, 6, 8, 12, 16, 32),
            registry=registry,
        )
        self.dead_workers = counter("melanoscope_dead_workers", "Workers that had to be replaced.")
        self.received_bytes = counter("melanoscope_received_bytes", "Bytes of photographs' files.")
        self._bundle = Info("melanoscope_bundle", "The bundle that answers.", registry=registry)

    def set_bundle(self, fingerprint: str, network: str, target: str) -> None:
        """Name the bundle that answers: `fingerprint`, label of the `network`, name of `target`."""
        self._bundle.info({"fingerprint": fingerprint, "network": network, "target": target})

    def add_gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """Add the metric "melanoscope_" + `name`, for which `value` is called by any thread."""
        Gauge(f"melanoscope_{name}", description, registry=self.registry).set_function(value)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
