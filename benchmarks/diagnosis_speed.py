"""What one answer costs: from a cold start, warm, against PyTorch, in memory and in imports.

    python benchmarks/diagnosis_speed.py BUNDLE PHOTO [--no-torch] [--json FILE]

Budgets on two cores: `melanoscope predict` from start to answer within 1 s; warm, at most 1.2 times
decoding and the bare call of ONNX Runtime; for MobileNetV2 at least twice as fast as PyTorch eager;
and nothing imported that the base install lacks.

What is compared takes turns, in an order drawn anew each round, so that a machine that does other
things is unfair to nobody. Cold starts are also told in processor seconds, which waiting for others
does not add to, and beside the least that any program can do which imports NumPy, Pillow and ONNX
Runtime.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from diagnosis_speed_parts.text import as_markdown
from melanoscope import patient
from melanoscope.export.latency import spread, take_turns
from melanoscope.inference.predictor import Predictor, load

# An answer without --explain imports none of these; the base install has only jinja2 of them.
FOREIGN = frozenset(
    {
        *("torch", "torchvision", "lightning_fabric", "captum", "timm", "onnx", "onnxscript"),
        *("scipy", "sklearn", "skimage", "polars", "pandas", "matplotlib", "jinja2"),
        *("safetensors", "statsmodels", "imagehash"),
    }
)
FLOOR = "import numpy, PIL.Image, onnxruntime"
Task = Callable[[], object]


@dataclass(frozen=True)
class Child:
    """What a process took: seconds on the clock and of processors, and memory at its most."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def run_child(command: list[str]) -> Child:
    """Run a process to its end and measure all of it."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None  # noqa: S101 - it was asked for
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}\n{said}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, KiB elsewhere
    return Child(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def program() -> list[str]:
    """Return how the command line is started, as a user does."""
    script = Path(sys.executable).with_name("melanoscope")
    return [str(script)] if script.exists() else [sys.executable, "-m", "melanoscope.cli"]


def cold_start(bundle: Path, photograph: Path, runs: int) -> dict[str, Any]:
    """Start, load, decode, answer, print, end; beside the floor, in turn."""
    children: dict[str, list[Child]] = {"predict": [], "floor": []}
    commands = {
        "predict": [*program(), "predict", str(bundle), str(photograph)],
        "floor": [sys.executable, "-c", FLOOR],
    }
    take_turns(
        {
            name: lambda name=name: children[name].append(run_child(commands[name]))
            for name in commands
        },
        repeats=runs,
        warm_up=1,
    )
    return {
        name: {
            key: spread([asdict(one)[key] for one in seen[1:]])
            for key in ("wall_s", "cpu_s", "peak_mib")
        }
        for name, seen in children.items()
    }


BURST = 10
"""Calls in a row that one turn times together: the threads of a session spin on after a run, and
what a session does to itself must not fall on the one whose turn is next."""


def warm(predictor: Predictor, photograph: Path, threads: int, repeats: int) -> dict[str, Any]:
    """Answer one photograph, beside decoding and the bare call of a session as it comes."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(
        str(predictor.bundle.graph("model")), options, providers=["CPUExecutionProvider"]
    )
    row = patient.encode([None], ["unknown"], ["unknown"])[None]

    def bare() -> None:
        session.run(None, {"pixels": predictor.decode(photograph).pixels[None], "static": row})

    def burst(task: Task) -> Task:
        return lambda: [task() for _ in range(BURST)]

    tasks: dict[str, Task] = {
        "diagnose": burst(lambda: predictor.diagnose(photograph, force=True)),
        "decoding and bare call": burst(bare),
        "decoding": burst(lambda: predictor.decode(photograph)),
    }
    seconds = take_turns(tasks, repeats=repeats // BURST)
    ours, plain = (np.array(seconds[name]) for name in ("diagnose", "decoding and bare call"))
    return {
        **{name: spread([1000 * t / BURST for t in taken]) for name, taken in seconds.items()},
        "ratio_of_medians": float(np.median(ours) / np.median(plain)),
        "median_of_ratios": float(np.median(ours / plain)),
    }


def networks(predictor: Predictor, photograph: Path, threads: int, repeats: int) -> dict[str, Any]:
    """Run the network alone, from pixels to logit, in ONNX Runtime and in PyTorch."""
    import torch

    from melanoscope.models.lesion_net import from_checkpoint, to_images

    torch.set_num_threads(threads)
    pixels = predictor.decode(photograph).pixels[None].copy()  # PyTorch wants to own it
    row = patient.encode([None], ["unknown"], ["unknown"])[None]
    bundle = predictor.bundle
    plain, last = (
        from_checkpoint(bundle.manifest.network.backbone, bundle.folder / "weights.safetensors").to(
            memory_format=layout
        )
        for layout in (torch.contiguous_format, torch.channels_last)
    )

    def eager(network: Any, layout: torch.memory_format) -> Task:
        known, own = torch.from_numpy(row[0]), torch.from_numpy(pixels.copy())

        def run() -> Any:
            with torch.inference_mode():
                images = to_images(own).contiguous(memory_format=layout)
                return network(images, known)

        return run

    tasks: dict[str, Task] = {
        "ONNX Runtime": lambda: predictor._model(pixels=pixels, static=row),
        "PyTorch eager": eager(plain, torch.contiguous_format),
        "PyTorch eager, channels last": eager(last, torch.channels_last),
    }
    if bundle.manifest.graphs.int8.file:
        small = load(bundle.folder, variant="int8", threads=threads)._model
        tasks["ONNX Runtime, int8"] = lambda: small(pixels=pixels, static=row)
    seconds = take_turns(tasks, repeats=repeats)
    found: dict[str, Any] = {n: spread([1000 * one for one in t]) for n, t in seconds.items()}
    fastest = min(found[name]["median"] for name in tasks if name.startswith("PyTorch"))
    found["times_as_fast"] = fastest / found["ONNX Runtime"]["median"]
    return found


def imports(bundle: Path, photograph: Path) -> dict[str, Any]:
    """List what an answer imports: the dearest, and what the base install lacks."""
    command = [*program(), "predict", str(bundle), str(photograph)]
    if command[0] != sys.executable:
        command.insert(0, sys.executable)
    command[1:1] = ["-X", "importtime"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = re.findall(r"import time: +(\d+) \| +(\d+) \| ( *)(\S+)", done.stderr)
    # Imports at the top level of the tree, two spaces a level below.
    top = {name: int(whole) / 1000 for _, whole, depth, name in rows if not depth}
    names = {name.partition(".")[0] for *_, name in rows}
    dearest = sorted(top.items(), key=lambda item: -item[1])[:8]
    return {
        "modules": len(rows),
        "all_ms": sum(int(own) for own, *_ in rows) / 1000,
        "dearest_ms": dict(dearest),
        "foreign": sorted(names & FOREIGN),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--runs", type=int, default=9, help="cold starts, at least 9")
    parser.add_argument("--repeats", type=int, default=400, help="warm runs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-torch", action="store_true", help="leave PyTorch out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.runs < 9:
        parser.error("a median of fewer than 9 cold starts says little")

    before = os.getloadavg()[0]
    predictor = load(options.bundle, threads=options.threads)
    network = predictor.bundle.manifest.network
    result: dict[str, Any] = {
        "network": predictor.bundle.manifest.name,
        "backbone": network.backbone,
        "px": predictor.bundle.image_size,
        "bundle": predictor.bundle.fingerprint,
        "runs": options.runs,
        "repeats": options.repeats,
        "threads": options.threads,
        "cold_start": cold_start(options.bundle, options.photograph, options.runs),
        "imports": imports(options.bundle, options.photograph),
        "warm": warm(predictor, options.photograph, options.threads, options.repeats),
    }
    if not options.no_torch:
        result["networks"] = networks(
            predictor, options.photograph, options.threads, options.repeats
        )
    result["load"] = [before, os.getloadavg()[0]]
    result["machine"] = _machine()
    print(as_markdown(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")


def _machine() -> dict[str, Any]:
    try:
        from melanoscope.export.latency import machine

        return machine()
    except ModuleNotFoundError:  # the base install
        import platform

        import onnxruntime

        return {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "onnxruntime": onnxruntime.__version__,
        }


if __name__ == "__main__":
    main()
