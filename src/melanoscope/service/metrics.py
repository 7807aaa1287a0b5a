"""What Prometheus is told: how many, how long, how it ended. Nothing about anybody."""

from __future__ import annotations

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
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters of one service.

    Attributes:
        requests: By route, method and status.
        seconds: Of a request by route, from its head to the end of the response.
        outcomes: Photographs by what became of them: accepted, doubtful, refused, explained, a
            problem's kind, or gone where the client hung up.
        steps: Seconds that workers spent, by step.
        batches: Photographs per run of the network.
        received: Bytes of photographs' files.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "melanoscope_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "melanoscope_request_seconds",
            "From a request's head to the end of its response.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.outcomes = Counter(
            "melanoscope_photographs",
            "What became of photographs.",
            ["outcome"],
            registry=registry,
        )
        self.steps = Histogram(
            "melanoscope_work_seconds",
            "What a step took a worker.",
            ["step"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.batches = Histogram(
            "melanoscope_batch_photographs",
            "Photographs answered by one run of the network.",
            buckets=(1, 2, 3, 4, 6, 8, 12, 16, 32),
            registry=registry,
        )
        self.received = Counter(
            "melanoscope_received_bytes", "Bytes of photographs' files.", registry=registry
        )
        self._bundle = Info("melanoscope_bundle", "The bundle that answers.", registry=registry)

    def tell_bundle(self, fingerprint: str, network: str) -> None:
        """Name the bundle that answers."""
        self._bundle.info({"fingerprint": fingerprint, "network": network})

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Ask for a value whenever the metrics are read."""
        Gauge(f"melanoscope_{name}", text, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """Return all of them, in Prometheus' format."""
        return generate_latest(self.registry)
