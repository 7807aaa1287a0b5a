"""What waiting threads cost: training steps and ONNX answers, quiet and beside busy processes.

Each setting runs in a process of its own; every round runs each setting once, in an order drawn
anew, beside 0, 1 and 3 processes that do nothing but compute. Medians over rounds; a ratio is to
the libraries' own default in the same round.

    python benchmarks/waiting_threads.py [--rounds 5] [--seconds 6] [--out FILE]
                                         [--only-answers] [--answer-size 224]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TRAINING: dict[str, dict[str, str]] = {
    "default": {},
    "GOMP_SPINCOUNT=3000": {"GOMP_SPINCOUNT": "3000"},
    "GOMP_SPINCOUNT=10000": {"GOMP_SPINCOUNT": "10000"},
    "passive": {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"},
}
"""Environments that OpenMP reads when PyTorch is imported."""

ANSWERING: dict[str, dict[str, str]] = {
    "default": {"ALLOW_SPINNING": "1"},
    "no spinning": {"ALLOW_SPINNING": "0"},
    "one thread": {"ALLOW_SPINNING": "1", "INTRA_OP_THREADS": "1"},
}
"""ONNX Runtime's session options, handed to the child by name."""

BUSY = (0, 1, 3)

# Computes until the pipe at its standard input closes: however this program ends, even by a signal
# that it cannot handle, no busy process outlives it.
_BUSY_CODE = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    pass
"""

# A default that somebody has changed is none.
_OPENMP = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")

_BATCH, _PX = 32, 128


def train(seconds: float) -> float:
    """Train MobileNetV2 for so long; return photographs per second."""
    import torch
    import torchvision

    torch.manual_seed(0)
    network = torchvision.models.mobilenet_v2(num_classes=1).to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(network.parameters(), 5e-4)
    images = torch.rand(_BATCH, 3, _PX, _PX).to(memory_format=torch.channels_last)
    targets = torch.rand(_BATCH, 1).round()

    def step() -> None:
        adam.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(images), targets)
        loss.backward()
        adam.step()

    return _BATCH * _per_second(step, seconds)


def answer(seconds: float, path: str, size: int) -> float:
    """Run a graph on one photograph after the other; return answers per second."""
    import numpy as np
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("INTRA_OP_THREADS", "0"))
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", os.environ["ALLOW_SPINNING"]
    )
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(0).random((1, 3, size, size), dtype=np.float32)
    return _per_second(lambda: session.run(None, {"images": image}), seconds)


def _per_second(step: Any, seconds: float) -> float:
    for _ in range(2):
        step()
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        step()
        done += 1
    return done / (time.perf_counter() - started)


def export(path: Path, size: int) -> None:
    """Write MobileNetV2 as ONNX, in a process of its own."""
    code = (
        "import torch, torchvision, sys\n"
        "size = int(sys.argv[2])\n"
        "net = torchvision.models.mobilenet_v2(num_classes=1).eval()\n"
        "torch.onnx.export(net, (torch.rand(1, 3, size, size),), sys.argv[1], dynamo=True,"
        " input_names=['images'], external_data=False, verbose=False)\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, path, str(size)], check=True, stdout=subprocess.DEVNULL
    )


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Keep so many processes busy."""
    command = [sys.executable, "-c", _BUSY_CODE]
    others = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(count)]
    try:
        yield others
    finally:
        for other in others:
            other.kill()
            other.communicate()


def run_child(mode: list[str], settings: dict[str, str], busy: int) -> float:
    """Run one setting beside so many busy processes."""
    inherited = {name: value for name, value in os.environ.items() if name not in _OPENMP}
    with busy_processes(busy):
        done = subprocess.run(
            [sys.executable, __file__, *mode],
            env=inherited | settings,
            check=True,
            capture_output=True,
            text=True,
        )
    return float(done.stdout)


def measure(
    mode: list[str], settings: dict[str, dict[str, str]], rounds: int
) -> list[dict[str, Any]]:
    """Measure each setting beside each number of busy processes; one row for each pair."""
    found: dict[tuple[str, int], list[float]] = {}
    order = random.Random(0)
    for _ in range(rounds):
        turns = [(name, busy) for name in settings for busy in BUSY]
        order.shuffle(turns)
        for name, busy in turns:
            found.setdefault((name, busy), []).append(run_child(mode, settings[name], busy))
    return [
        {
            "setting": name,
            "busy_processes": busy,
            "per_second": round(statistics.median(values), 1),
            "ratio_to_default": round(
                statistics.median(
                    a / b for a, b in zip(values, found["default", busy], strict=True)
                ),
                2,
            ),
        }
        for (name, busy), values in sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    ]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--out", type=Path, default=Path("runs/waiting_threads.json"))
    parser.add_argument("--train", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--answer", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--answer-size", type=int, default=224)
    parser.add_argument("--only-answers", action="store_true")
    asked = parser.parse_args()
    if asked.train:
        print(train(asked.train))
    elif asked.answer:
        print(answer(float(asked.answer[0]), asked.answer[1], int(asked.answer[2])))
    else:
        with tempfile.TemporaryDirectory() as folder:
            graph = Path(folder) / "model.onnx"
            export(graph, asked.answer_size)
            result = {
                "training_photographs_per_second": []
                if asked.only_answers
                else measure(["--train", str(asked.seconds)], TRAINING, asked.rounds),
                "answers_per_second": measure(
                    ["--answer", str(asked.seconds), str(graph), str(asked.answer_size)],
                    ANSWERING,
                    asked.rounds,
                ),
                "answer_size": asked.answer_size,
                "batch": _BATCH,
                "size": _PX,
                "cores": len(os.sched_getaffinity(0)),
                "load_before": os.getloadavg()[0],
                "rounds": asked.rounds,
                "seconds": asked.seconds,
            }
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
