"""Artefacts drawn on some photographs of an archive, and a bundle's answers to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.evaluation.corruptions import CORRUPTIONS, STRENGTHS, Pixels, corrupt
from melanoscope.evaluation.lesion_box import find_lesion_box, only_background, only_lesion_box
from melanoscope.evaluation.robustness import (
    Control,
    Robustness,
    TriedPhotographs,
    corruption_drops,
)
from melanoscope.evaluation.sample import EvaluationSample
from melanoscope.patient import PatientInfo, parse_patient
from melanoscope.stats.arrays import Booleans, Floats
from melanoscope.threads import thread_pool

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor

PHOTOGRAPHS = 400
"""So many photographs are tried by default: a drop of AUROC is then known to 0.01 or so."""

BACKGROUND, BOX = "only the background", "only the lesion's box"
_BATCH = 32
_FEWEST = 10  # groups of either class


def measure_robustness(
    sample: EvaluationSample,
    predictor: Predictor,
    photographs: int,
    seed: int,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Robustness:
    """Draw each artefact at each strength on some photographs, and ask the network again.

    Args:
        sample: Photographs that can be read.
        predictor: Predictor of the bundle.
        photographs: Number of photographs, about: whole groups are drawn, of both classes.
        seed: Seed of the drawing.
        on_progress: Called with the answers done and their total.

    Returns:
        What artefacts and controls do.

    Raises:
        StatisticsError: Fewer than ten groups of a class among those drawn.
    """
    frame = draw_photographs(sample.readable, photographs, seed)
    member = frame["group_id"].rank("dense").to_numpy().astype(np.int64) - 1
    target = frame["target"].to_numpy().astype(np.int64)
    fewest = min(np.unique(member[target == outcome]).size for outcome in (0, 1))
    if fewest < _FEWEST:
        raise StatisticsError(
            f"{_FEWEST} groups of either class to draw artefacts on",
            str(fewest),
            "name more photographs with --corruption-photographs",
        )
    with thread_pool() as pool:
        images = list(pool.map(lambda path: predictor.decode(path).pixels, frame["path"]))
    patients = [parse_patient(*row) for row in _patients(frame)]
    ids = frame["image_id"].to_list()
    total, done = len(ids) * (len(CORRUPTIONS) * len(STRENGTHS) + 3), 0

    def answer(pixels: Iterator[Pixels], whose: Sequence[PatientInfo]) -> Floats:
        nonlocal done
        logits: list[float] = []
        whole = list(pixels)
        for start in range(0, len(whole), _BATCH):
            some = slice(start, start + _BATCH)
            logits += [one.logit for one in predictor.forward(np.stack(whole[some]), whose[some])]
            done += len(whole[some])
            on_progress(min(done, total), total)
        return np.array(logits)

    tried = TriedPhotographs(
        target=target,
        member=member,
        logit=answer(iter(images), patients),
        threshold=sample.manifest.thresholds[0].logit,
    )
    logits = {
        name: [
            answer((corrupt(one, name, s, i) for one, i in zip(images, ids, strict=True)), patients)
            for s in STRENGTHS
        ]
        for name in CORRUPTIONS
    }
    described = {name: (one.words, one.levels) for name, one in CORRUPTIONS.items()}
    return Robustness(
        photographs=len(ids),
        positives=int(target.sum()),
        groups=int(member.max()) + 1,
        clean=tried.influence(tried.logit)[0],
        corruptions=corruption_drops(tried, logits, described),
        controls=tuple(_controls(tried, images, patients, answer)),
    )


def draw_photographs(frame: pl.DataFrame, photographs: int, seed: int) -> pl.DataFrame:
    """Draw whole groups at random, those with positives and the others in their proportions.

    Args:
        frame: Columns group_id and target.
        photographs: Number of photographs, about.
        seed: Seed of the drawing.

    Returns:
        The photographs of the groups that were drawn, in the order of `frame`.
    """
    share = min(photographs / frame.height, 1.0)
    rng = np.random.default_rng(seed)
    groups = frame.group_by("group_id", maintain_order=True).agg(pl.col("target").max())
    chosen: list[str] = []
    for outcome in (1, 0):
        names = groups.filter(target=outcome)["group_id"].to_list()
        count = min(max(round(share * len(names)), _FEWEST), len(names))
        chosen += [names[i] for i in rng.permutation(len(names))[:count]]
    return frame.filter(pl.col("group_id").is_in(chosen))


def _patients(frame: pl.DataFrame) -> Iterator[tuple[float | None, str | None, str | None]]:
    return frame.select("age", "sex", "site").iter_rows()


def _controls(
    tried: TriedPhotographs,
    images: Sequence[Pixels],
    patients: Sequence[PatientInfo],
    answer: Callable[[Iterator[Pixels], Sequence[PatientInfo]], Floats],
) -> Iterator[Control]:
    boxes = [find_lesion_box(one) for one in images]
    found: Booleans = np.array([box is not None for box in boxes])
    target, group = tried.target[found], tried.member[found]
    fewest = min(np.unique(group[target == outcome]).size for outcome in (0, 1))
    if fewest < _FEWEST:
        return
    inside = TriedPhotographs(
        target=target,
        member=np.unique(group, return_inverse=True)[1].astype(np.int64),
        logit=tried.logit[found],
        threshold=tried.threshold,
    )
    whose = [one for one, box in zip(patients, boxes, strict=True) if box is not None]
    for name, hide in ((BACKGROUND, only_background), (BOX, only_lesion_box)):
        hidden = (hide(p, b) for p, b in zip(images, boxes, strict=True) if b is not None)
        yield Control(
            name=name,
            photographs=int(found.sum()),
            clean=inside.influence(inside.logit)[0],
            result=inside.drop(answer(hidden, whose)),
        )
