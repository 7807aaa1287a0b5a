"""What a photograph takes is given back, whatever the answer. Real processes."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.imaging.test_decoder_limits import scans

from .conftest import eventually, is_problem, photograph, process

HEAVY = "melanoscope_running_requests 0.0"


def megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no memory of a process")


def large(side: int = 5000) -> bytes:
    """100 megabytes of pixels in some hundred kilobytes."""
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 4), 128, np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
@pytest.mark.parametrize("kind", ["whole", "truncated", "nonsense"])
def test_memory_is_given_back(tmp_path, kind):
    whole = large()
    content = {
        "whole": whole,
        "truncated": whole[: len(whole) - 200],
        "nonsense": b"\xff\xd8\xff" + bytes(20_000_000),
    }[kind]
    with process(tmp_path) as (one, url), httpx.Client(base_url=url, timeout=60) as client:
        eventually(lambda: client.get("/readyz").is_success)

        def ask(photo: bytes) -> httpx.Response:
            return client.post("/v1/diagnoses", files={"photograph": photo}, data={"force": "true"})

        ask(content)
        ask(photograph())
        before = megabytes(one.pid)
        for _ in range(6):
            response = ask(content)
            if kind == "whole":
                assert response.status_code == 200
            else:
                is_problem(response, 422, "unreadable-photograph")
        ask(photograph())
        assert megabytes(one.pid) < before + 60


def test_what_would_keep_a_decoder_busy_keeps_nobody_waiting(serve):
    """Minutes of scans in a megabyte: no decoder can be told to stop."""
    service = serve(workers=1)
    is_problem(service.diagnose(scans(20_000)), 422, "unreadable-photograph")
    # The worker counts itself free a moment after the client has its answer.
    eventually(lambda: service.client.get("/metrics").text.count(HEAVY) == 1, seconds=2)
    assert service.diagnose(photograph()).status_code == 200
