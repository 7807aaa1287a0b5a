"""From the records of all repetitions of a setting to coverage and rates of claims."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from null_study_parts.product import BEST, NEXT
from null_study_parts.rates import wilson
from null_study_parts.record import Record, behind_best
from null_study_parts.simulate import Floats, Setting

# Their truth belongs to the networks of one study alone.
_OF_NETWORKS = (
    "flexible calibration curve",
    "guaranteed sensitivity of a threshold",
    "calibration error",
)
IN_SET = "best: the best network is in the set"
WITHIN = "best: said to be within the margin, but is not"


def product_rates(setting: Setting, records: list[Record]) -> dict[str, object]:
    """Summarise one setting.

    Returns:
        "intervals": name -> "training" and "networks" (coverage of the expectation over training
        sets, and of what is true of these very networks), "half_width" and "given" (share that was
        given at all); "claims": name -> how often it was made.
    """
    intervals: dict[str, dict[str, object]] = {}
    names = dict.fromkeys(name for one in records for name in one.bounds)
    for name in names:
        intervals[name] = _coverage(name, _stack(records, name))
    claims = {
        name: wilson(np.stack([one.said[name] for one in records]))
        for name in records[0].said
        if all(one.said[name].shape == records[0].said[name].shape for one in records)
    }
    chosen = [one for one in records if one.chosen.size]
    if chosen:
        intervals[BEST] = _joint(np.stack([one.joint[BEST] for one in chosen]), len(records))
        claims |= _best(chosen)
    primary = _stack(records, "auroc")
    return {
        "setting": asdict(setting),
        "null": setting.null,
        "repetitions": len(records),
        "expected_auroc": [float(primary[:, 3, arm::2].mean()) for arm in (0, 1)],
        "intervals": intervals,
        "claims": claims,
    }


def _stack(records: list[Record], name: str) -> Floats:
    """Bounds of one interval, shape (repetitions, 4, m); NaN where a repetition has none."""
    width = max(one.bounds[name].shape[1] for one in records if name in one.bounds)
    stacked = np.full((len(records), 4, width), np.nan)
    for place, one in zip(stacked, records, strict=True):
        found = one.bounds.get(name)
        if found is not None:
            place[:, : found.shape[1]] = found
    return stacked


def _coverage(name: str, stacked: Floats) -> dict[str, object]:
    low, high, estimate, truth = stacked.swapaxes(0, 1)
    given = ~np.isnan(low)
    if name == NEXT:
        # The next study is the next repetition: other patients, networks trained on them.
        truth = np.roll(estimate, -1, axis=0)
        given &= ~np.isnan(truth)
    found: dict[str, object] = {"networks": wilson((low <= truth) & (truth <= high), given)}
    if name not in (NEXT, *_OF_NETWORKS):
        expected = np.nanmean(truth, axis=0)
        found["training"] = wilson((low <= expected) & (expected <= high), given)
    half = (high - low)[given & np.isfinite(high)] / 2
    found["half_width"] = float(half.mean()) if half.size else None
    found["given"] = float(given.mean())
    return found


def _joint(stacked: Floats, repetitions: int) -> dict[str, object]:
    low, high, _, level = stacked.swapaxes(0, 1)
    found: dict[str, object] = {}
    expected = np.broadcast_to(level.mean(axis=0), level.shape)
    for target, of in (("training", expected), ("networks", level)):
        true = behind_best(of)
        found[target] = wilson(((low <= true) & (true <= high)).all(axis=1, keepdims=True))
    found["half_width"] = float((high - low).mean() / 2)
    found["given"] = len(stacked) / repetitions
    return found


def _best(chosen: list[Record]) -> dict[str, dict[str, float]]:
    may, within, level = np.stack([one.chosen for one in chosen]).swapaxes(0, 1)
    best = np.take_along_axis(may, level.argmax(axis=1)[:, None], axis=1)
    behind = behind_best(np.broadcast_to(level.mean(axis=0), level.shape))
    wrong = within * (behind <= -chosen[0].margin + _AT_MARGIN)
    return {
        IN_SET: wilson(best),
        # Of equally good networks any one may stand for the best: the first, of arm A.
        f"{IN_SET} (expectation)": wilson(may[:, :1]),
        WITHIN: wilson(wrong.max(axis=1, keepdims=True)),
    }


# Simulated expectations meet the margin to about this.
_AT_MARGIN = 0.001
