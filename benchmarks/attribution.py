"""Integrated Gradients without PyTorch: completeness, agreement with captum, speed and sizes.

    python benchmarks/attribution.py --run RUN [--backbones mobilenet_v2,squeezenet1_1]
        [--photographs 40] [--captum 8] [--speed shufflenet_v2_x1_0] [--json FILE]

The networks are those of a benchmark run, fine-tuned on its first fold; the photographs are of that
fold, which they have not seen, half of them melanomas. `--speed` names further backbones, of which
only the size and speed of a freshly made graph are measured.
"""

from __future__ import annotations

import argparse
import copy
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from attribution_parts.speed import BATCH, rounded, speed
from melanoscope.export.onnx_model import split_head
from melanoscope.imaging.decode import read_image
from melanoscope.inference.explain.integrated_gradients import (
    BASELINES,
    TOLERANCE,
    Attribution,
    Baseline,
    baseline_image,
    integrated_gradients,
)
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.models.lesion_net import LesionNet, fresh, from_checkpoint

STEPS = 64

Pixels = NDArray[np.uint8]
Run = Callable[[NDArray[np.float32]], tuple[NDArray[Any], NDArray[Any]]]


@dataclass(frozen=True)
class TimedAttribution:
    """One photograph's attribution, as first taken and as refined."""

    first: Attribution
    refined: Attribution
    total_variation: float
    first_seconds: float
    seconds: float


def sample_images(frame: pl.DataFrame, count: int, px: int) -> list[Pixels]:
    """Read photographs of the first fold, half of them melanomas."""
    held_out = frame.filter(pl.col("fold_r0") == 0)
    halves = [
        held_out.filter(pl.col("target") == target).sample(size, seed=0)
        for target, size in ((1, count // 2), (0, count - count // 2))
    ]
    return [read_image(Path(path), px) for half in halves for path in half["path"]]


def value_and_gradient_of(graph: OnnxModel) -> Run:
    """Return the function and gradient of a graph."""

    def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        out = graph(images=images)
        return out["photograph_evidence"], out["gradient"]

    return run


def time_attribution(run: Run, photograph: Pixels, baseline: Baseline) -> TimedAttribution:
    """Attribute one photograph with so many steps, and with as many as it takes."""
    seen: list[float] = []

    def watched(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        values, gradients = run(images)
        seen.extend(values.tolist())
        return values, gradients

    started = time.perf_counter()
    first = integrated_gradients(
        watched, photograph, baseline=baseline, steps=STEPS, batch_size=BATCH, max_steps=STEPS
    )
    between = time.perf_counter()
    refined = integrated_gradients(
        run, photograph, baseline=baseline, steps=STEPS, batch_size=BATCH
    )
    ended = time.perf_counter()
    path = np.concatenate([seen[-2:-1], seen[:-2], seen[-1:]])
    total_variation = float(np.abs(np.diff(path)).sum())
    return TimedAttribution(first, refined, total_variation, between - started, ended - between)


def captum_attribution(
    network: LesionNet, photograph: Pixels, baseline: Baseline
) -> NDArray[np.float64]:
    """Return captum's attribution of the same evidence, in the network's precision."""
    from captum.attr import IntegratedGradients

    seen, _ = split_head(network)
    method = IntegratedGradients(lambda images: network.features(images).mean(dim=(2, 3)) @ seen)
    nothing = torch.tensor(baseline_image(photograph, baseline)[None]).to(seen.dtype)
    found = method.attribute(
        torch.tensor(photograph).permute(2, 0, 1)[None].to(seen.dtype) / 255,
        baselines=nothing,
        n_steps=STEPS,
        internal_batch_size=BATCH,
    )
    return found[0].detach().double().sum(dim=0).numpy()


def completeness(attributions: list[TimedAttribution]) -> dict[str, Any]:
    """Summarise errors, steps and seconds."""
    first = np.array([one.first.completeness_error for one in attributions])
    refined = np.array([one.refined.completeness_error for one in attributions])
    missed = np.array(
        [abs(float(one.first.pixels.sum()) - one.first.difference) for one in attributions]
    )
    total_variation = missed / np.array([one.total_variation for one in attributions])
    return {
        "photographs": len(attributions),
        "median_difference": rounded(
            float(np.median([abs(one.first.difference) for one in attributions]))
        ),
        f"at_{STEPS}_steps": _errors(first),
        "relative_to_all_that_rises_and_falls": _errors(total_variation),
        "refined": _errors(refined),
        "steps": dict(sorted(Counter(one.refined.steps for one in attributions).items())),
        f"seconds_at_{STEPS}_steps": rounded(
            float(np.median([one.first_seconds for one in attributions]))
        ),
        "seconds_refined": {
            "median": rounded(float(np.median([one.seconds for one in attributions]))),
            "mean": rounded(float(np.mean([one.seconds for one in attributions]))),
            "most": rounded(float(np.max([one.seconds for one in attributions]))),
        },
    }


def agreement(
    network: LesionNet,
    images: list[Pixels],
    attributions: list[TimedAttribution],
    baseline: Baseline,
) -> dict[str, Any]:
    """Largest distance from captum's attribution, relative to captum's largest.

    Captum's own in double precision says how much of it is rounding, which carries units over the
    kinks of their ReLUs.
    """
    double = copy.deepcopy(network).double()
    ours, own = [], []
    for photograph, one in zip(images, attributions, strict=False):
        expected = captum_attribution(network, photograph, baseline)
        largest = np.abs(expected).max()
        ours.append(np.abs(one.first.pixels - expected).max() / largest)
        exact = captum_attribution(double, photograph, baseline)
        own.append(np.abs(exact - expected).max() / largest)
    return {
        "photographs": len(ours),
        "ours": {"median": rounded(float(np.median(ours))), "most": rounded(max(ours))},
        "captum_in_double": {"median": rounded(float(np.median(own))), "most": rounded(max(own))},
    }


def _errors(values: NDArray[np.float64]) -> dict[str, float]:
    return {
        "median": rounded(float(np.median(values))),
        "percentile_95": rounded(float(np.quantile(values, 0.95))),
        "most": rounded(float(values.max())),
        f"share_below_{TOLERANCE}": rounded(float((values < TOLERANCE).mean())),
    }


def table(result: dict[str, Any]) -> str:
    """Lay the result out as Markdown."""
    share = f"share_below_{TOLERANCE}"
    errors = [
        ("network", "baseline", "n", f"error at {STEPS} steps: median, 95 %", "below 2 %"),
        ("of the whole way: median, 95 %", "refined, below 2 %", "steps: photographs"),
        (f"seconds at {STEPS}, refined", "from captum: median, most", "captum in double"),
    ]
    lines = _head([name for group in errors for name in group])
    for name, network in result["networks"].items():
        for baseline, found in network["baselines"].items():
            first, way = found[f"at_{STEPS}_steps"], found["relative_to_all_that_rises_and_falls"]
            ours, own = found["captum"]["ours"], found["captum"]["captum_in_double"]
            cells = [
                *(name, baseline, found["photographs"]),
                *(f"{first['median']:.2%}, {first['percentile_95']:.2%}", f"{first[share]:.0%}"),
                f"{way['median']:.2%}, {way['percentile_95']:.2%}",
                f"{found['refined'][share]:.0%}",
                ", ".join(f"{steps}: {count}" for steps, count in found["steps"].items()),
                f"{found[f'seconds_at_{STEPS}_steps']}, {found['seconds_refined']['mean']}",
                f"{ours['median']:.1e}, {ours['most']:.1e}",
                f"{own['median']:.1e}, {own['most']:.1e}",
            ]
            lines.append(_row(cells))
    milliseconds = f"milliseconds_for_{BATCH}"
    lines += ["", *_head(["network", "MB", "load, ms", f"{BATCH}, ms", "PyTorch, ms", "export, s"])]
    for name, network in result["networks"].items():
        one = network["speed"]
        times = (one["load_milliseconds"], one[milliseconds], one[f"pytorch_{milliseconds}"])
        size = f"{one['bytes'] / 1e6:.1f}"
        lines.append(_row([name, size, *times, one["export_processor_seconds"]]))
    return "\n".join(lines)


def _head(names: list[str]) -> list[str]:
    return [_row(names), _row(["---"] * len(names))]


def _row(cells: list[Any]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--backbones", default="mobilenet_v2,squeezenet1_1")
    parser.add_argument("--photographs", type=int, default=40)
    parser.add_argument("--captum", type=int, default=8)
    parser.add_argument("--speed", default="shufflenet_v2_x1_0")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    px = json.loads((options.run / "run.json").read_text())["configuration"]["size"]
    frame = pl.read_parquet(options.run / "catalog.parquet")
    photographs = sample_images(frame, options.photographs, px)
    networks: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gradient.onnx"
        for name in filter(None, options.backbones.split(",")):
            cell = options.run / "cells" / f"{name}-finetune-r0-f0"
            network = from_checkpoint(name, cell / "model.safetensors")
            graph, took = speed(network, px, path)
            networks[name] = {"speed": took, "baselines": {}}
            for baseline in BASELINES:
                taken = [
                    time_attribution(value_and_gradient_of(graph), one, baseline)
                    for one in photographs
                ]
                networks[name]["baselines"][baseline] = {
                    **completeness(taken),
                    "captum": agreement(network, photographs[: options.captum], taken, baseline),
                }
        for name in filter(None, options.speed.split(",")):
            networks[name] = {"speed": speed(fresh(name).eval(), px, path)[1], "baselines": {}}
    result = {"px": px, "batch": BATCH, "threads": 1, "networks": networks}
    print(table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
