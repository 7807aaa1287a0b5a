"""How far the skin tone estimate can be trusted: share estimable, spread, repeatability, speed.

    python benchmarks/skin_tone.py --lesions FOLDER/lesions --cache CACHE [--json FILE]

Nobody measured the skin of these patients, so the real photographs can only show how well the angle
repeats on the same patient or lesion. Simulated photographs know the tone they were drawn with.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import spearmanr

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.data.skin_segmentation import segment_skin
from melanoscope.data.skin_tone import (
    REASONS,
    SKIN_TONES,
    ItaEstimates,
    individual_typology_angle,
    skin_tone_band,
)
from melanoscope.data.sources import find_archives, read_sources, simulated
from melanoscope.data.sources.simulated_scene import render_skin
from melanoscope.imaging.decode import read_image

IMAGE_SIZE = 128
REPLICATES = 2000
Angles = NDArray[np.float64]


def intraclass(angle: Angles, group: NDArray[np.int64]) -> float:
    """ICC(1): one-way random effects, groups of unequal size (Donner 1986, doi:10.2307/1403259).

    Args:
        angle: Shape (n,).
        group: Codes from 0, each with two members or more; shape (n,).
    """
    size = np.bincount(group).astype(float)
    mean = np.bincount(group, angle) / size
    n, k = angle.size, size.size
    between = (size * (mean - angle.mean()) ** 2).sum() / (k - 1)
    within = ((angle - mean[group]) ** 2).sum() / (n - k)
    usual = (n - (size**2).sum() / n) / (k - 1)
    return float((between - within) / (between + (usual - 1) * within))


def repeatability(frame: pl.DataFrame, by: str, rng: np.random.Generator) -> dict[str, Any]:
    """Compare photographs of one patient or lesion with photographs of two, at random."""
    known = frame.filter(pl.col("ita").is_not_null() & pl.col(by).is_not_null())
    known = known.filter(pl.len().over(by) > 1)
    group = known[by].rank("dense").to_numpy().astype(np.int64) - 1
    angle = known["ita"].to_numpy()
    members = [np.flatnonzero(group == g) for g in range(group.max() + 1)]
    # All pairs of each group, which together weigh as much as those of any other group.
    within = [np.array(list(combinations(rows, 2))) for rows in members]
    weight = np.concatenate([np.full(len(pairs), 1 / len(pairs)) for pairs in within])
    draws = rng.integers(0, angle.size, (20_000, 2))
    apart = draws[group[draws[:, 0]] != group[draws[:, 1]]]
    bands = np.array([skin_tone_band(one) for one in angle])
    return {
        "photographs": int(angle.size),
        "groups": len(members),
        "icc": round(intraclass(angle, group), 3),
        "icc_95": _interval(angle, members, rng),
        "same": _differences(angle, bands, np.concatenate(within), weight),
        "random": _differences(angle, bands, apart, np.ones(len(apart))),
    }


def _interval(
    angle: Angles, members: list[NDArray[np.int64]], rng: np.random.Generator
) -> list[float]:
    found = []
    for _ in range(REPLICATES):
        drawn = [members[g] for g in rng.integers(0, len(members), len(members))]
        codes = np.repeat(np.arange(len(drawn)), [len(rows) for rows in drawn])
        found.append(intraclass(angle[np.concatenate(drawn)], codes))
    return [round(float(q), 3) for q in np.percentile(found, [2.5, 97.5])]


def _differences(
    angle: Angles, bands: NDArray[np.str_], pairs: NDArray[np.int64], weight: Angles
) -> dict[str, Any]:
    away = np.abs(angle[pairs[:, 0]] - angle[pairs[:, 1]])
    same = bands[pairs[:, 0]] == bands[pairs[:, 1]]
    quantiles = np.quantile(away, (0.5, 0.9), weights=weight, method="inverted_cdf")
    return {
        "pairs": len(pairs),
        "median_difference": round(float(quantiles[0]), 1),
        "ninth_decile": round(float(quantiles[1]), 1),
        "one_band": round(float(np.average(same, weights=weight)), 3),
    }


def by_archive(frame: pl.DataFrame) -> dict[str, Any]:
    """Count reasons and bands, and give the quartiles of the angle."""
    found = {}
    for (name,), rows in frame.group_by("dataset", maintain_order=True):
        reasons, bands = Counter(rows["reason"]), Counter(rows["band"])
        angle = rows["ita"].drop_nulls()
        found[str(name)] = {
            "photographs": rows.height,
            "estimable": len(angle),
            "share_estimable": round(len(angle) / rows.height, 3),
            "reasons": {word: reasons[word] for word in REASONS if reasons[word]},
            "bands": {word: bands[word] for word in SKIN_TONES if bands[word]},
            "quartiles": [round(float(np.quantile(angle, q)), 1) for q in (0.25, 0.5, 0.75)],
        }
    return found


def on_simulated(count: int, cache: Path) -> dict[str, Any]:
    """Rank correlation with the tone drawn, and the error against the bare skin's own angle."""
    images = simulated.simulate_patients(count)
    paths = simulated.simulate_images(count, cache)["path"]
    found = individual_typology_angle(np.stack([read_image(Path(p), IMAGE_SIZE) for p in paths]))
    bare = [
        render_skin((IMAGE_SIZE, IMAGE_SIZE), image.tone, np.random.default_rng(image.index))
        for image in images
    ]
    truth = individual_typology_angle(np.clip(np.stack(bare), 0, 255).astype(np.uint8)).angle
    known = np.isfinite(found.angle) & np.isfinite(truth)
    tone = np.array([image.tone for image in images])
    away = np.abs(found.angle - truth)[known]
    return {
        "photographs": count,
        "estimable": int(np.isfinite(found.angle).sum()),
        "reasons": dict(Counter(found.reason.tolist())),
        "rank_correlation_with_minus_tone": round(
            float(spearmanr(found.angle[known], -tone[known]).statistic), 4
        ),
        "median_error": round(float(np.median(away)), 1),
        "ninth_decile_of_error": round(float(np.quantile(away, 0.9)), 1),
    }


def on_real(lesions: Path, cache: Path) -> tuple[pl.DataFrame, NDArray[np.uint8], float]:
    """Estimate all real photographs; return table, pixels and the seconds of processor time."""
    catalog = build_catalog(read_sources(find_archives(lesions), ReadOptions(cache)))
    store = open_pixel_store(catalog, IMAGE_SIZE, cache, workers=1)
    frame = catalog.with_files.without(store.unreadable).frame
    pixels = store.images(frame["image_id"].to_list())
    started = time.process_time()
    found = individual_typology_angle(pixels)
    seconds = time.process_time() - started
    return _with_angles(frame, found), pixels, seconds


def _with_angles(frame: pl.DataFrame, found: ItaEstimates) -> pl.DataFrame:
    return frame.with_columns(
        ita=pl.Series(found.angle).fill_nan(None),
        reason=pl.Series(found.reason.tolist(), dtype=pl.String),
        band=pl.Series([skin_tone_band(one) for one in found.angle]),
    )


def under_other_limits(frame: pl.DataFrame, colours: Angles) -> list[dict[str, Any]]:
    """Repeatability where colours are refused by other limits of b* and hue than the package's.

    Args:
        frame: Photographs with columns dataset, patient_id, lesion_id.
        colours: L*, a*, b* of the skin, NaN where there is too little; shape (n, 3).
    """
    light, red, yellow = colours.T
    hue, angle = np.degrees(np.arctan2(yellow, red)), np.degrees(np.arctan2(light - 50, yellow))
    found = []
    for least_yellow, least_hue in ((0, 0), (2, 0), (5, 0), (5, 10), (5, 20), (5, 30), (7, 10)):
        good = (yellow > least_yellow) & (hue >= least_hue) & (hue <= 95)
        rows = frame.with_columns(ita=pl.Series(np.where(good, angle, np.nan)).fill_nan(None))
        one: dict[str, Any] = {"b*": least_yellow, "hue": least_hue}
        for kind, by in (("isic2020", "patient_id"), ("ham10000", "lesion_id")):
            part = rows.filter(pl.col("dataset") == kind)
            repeated = repeatability(part, by, np.random.default_rng(0))
            one[kind] = {"share": round(1 - part["ita"].null_count() / part.height, 3)}
            one[kind] |= {key: repeated[key] for key in ("groups", "icc", "icc_95")}
        found.append(one)
    return found


def skin_colours(pixels: NDArray[np.uint8]) -> Angles:
    """Median L*, a*, b* over the skin of each photograph, NaN below 10 % skin; shape (n, 3)."""
    found = np.full((len(pixels), 3), np.nan)
    for row, region in enumerate(segment_skin(pixels)):
        if region.mask.mean() >= 0.1:
            found[row] = np.median(region.lab[region.mask], axis=0)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lesions", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--simulated", type=int, default=600)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    frame, pixels, seconds = on_real(options.lesions, options.cache)
    colours = skin_colours(pixels)
    result = {
        "photographs": frame.height,
        "processor_seconds": round(seconds, 1),
        "processor_seconds_for_3400": round(seconds * 3400 / frame.height, 1),
        "archives": by_archive(frame),
        "same_patient_isic2020": repeatability(
            frame.filter(pl.col("dataset") == "isic2020"), "patient_id", rng
        ),
        "same_lesion_ham10000": repeatability(
            frame.filter(pl.col("dataset") == "ham10000"), "lesion_id", rng
        ),
        "median_light_and_yellow": {
            kind: np.nanmedian(colours[frame["dataset"] == kind][:, [0, 2]], axis=0)
            .round(1)
            .tolist()
            for kind in frame["dataset"].unique(maintain_order=True)
        },
        "under_other_limits": under_other_limits(frame, colours),
        "simulated": on_simulated(options.simulated, options.cache),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
