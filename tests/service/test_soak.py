"""Twice as much as the service can do, and workers that die meanwhile; see tests/torture too."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest

from .conftest import ROOT, eventually, flat_png, photograph, process

sys.path.insert(0, str(ROOT / "benchmarks"))

from service_load_parts.clients import mixed_requests
from service_load_parts.process import size_of
from service_load_parts.soak import Soak, soak

WORKERS, BATCH, QUEUE = 2, 2, 16
PLACES = QUEUE + WORKERS * BATCH
LIMITS = {"workers": WORKERS, "batch": BATCH, "queue": QUEUE, "heavy_pixels": 500_000}


def flooded(folder: Path, *, seconds: float, measured: float, dies_every: int) -> Soak:
    """Flood a process of its own, check that nothing of it is left over, and return the rest."""
    requests = mixed_requests(
        [photograph(seed=seed) for seed in range(8)], flat_png(1200, 1200), 500
    )
    how = {"delay": 0.03, "dies_every": dies_every, "settings": LIMITS}
    with process(folder, **how) as (one, url):
        log = threading.Thread(target=lambda: [None for _ in one.stdout])  # or its pipe is full
        log.start()
        with httpx.Client(base_url=url) as client:
            eventually(lambda: client.get("/readyz").is_success)
        found = soak(
            one.pid,
            int(url.rpartition(":")[2]),
            requests,
            clients=WORKERS * BATCH * 2,
            seconds=seconds,
            measured=measured,
        )
        eventually(lambda: size_of(one.pid).files <= found.idle.files)
        eventually(lambda: size_of(one.pid).threads <= found.idle.threads)
        text = httpx.get(f"{url}/metrics").text
        assert "melanoscope_queue_requests 0.0" in text
        assert "melanoscope_held_bytes 0.0" in text
        assert "melanoscope_dead_workers_total 0.0" not in text
        one.terminate()
        assert one.wait(20) == 0
        log.join()
    return found


def check(found: Soak) -> None:
    statuses = found.statuses
    assert not [one for one in found.outcomes if one.error]
    assert set(statuses) == {200, 422, 500, 503}, statuses
    assert statuses[503] > 0.25 * sum(statuses.values())  # half of it is too much
    assert statuses[500] <= 0.1 * sum(statuses.values())  # those whose worker died
    shed = [one for one in found.outcomes if one.status == 503]
    assert all(1 <= int(one.retry_after) <= 60 for one in shed)
    # Who is let in waits for a full queue at most; the rest is for a machine that does more.
    wait = found.longest_wait(PLACES)
    for slow_lane in (False, True):
        longest = (2 if slow_lane else 1.5) * wait + 0.5
        assert np.quantile(found.accepted(slow_lane=slow_lane), 0.99, method="higher") < longest
    for asked in (found.health, found.ready):
        assert np.quantile(asked, 0.99, method="higher") < 0.5
    assert np.median(found.after) < 2 * np.median(found.before) + 0.1


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_twice_as_much_as_it_can(tmp_path):
    found = flooded(tmp_path, seconds=1.5, measured=0.4, dies_every=40)
    check(found)
    assert found.late < 1.1 * found.warm + 10
