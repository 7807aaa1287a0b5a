"""From a bundle and an archive to an evaluation: photographs read, copies left out, answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.content_hash import content_hashes
from melanoscope.data.groups import group_unit
from melanoscope.data.sources import DataSpec, read_sources
from melanoscope.data.sources.image_files import refuse_without_files
from melanoscope.errors import DataError
from melanoscope.evaluation.development_copies import near_duplicates_of_development
from melanoscope.evaluation.overlap import find_overlap
from melanoscope.evaluation.predict_catalog import predict_catalog, read_answers
from melanoscope.evaluation.results import EvaluationResults, EvaluationSettings
from melanoscope.evaluation.robustness_run import measure_robustness
from melanoscope.evaluation.sample import EvaluationSample

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor
    from melanoscope.progress import RunProgress


def evaluate_bundle(
    predictor: Predictor,
    data: Sequence[DataSpec],
    options: ReadOptions,
    progress: RunProgress,
    *,
    development: Sequence[DataSpec] = (),
    settings: EvaluationSettings | None = None,
) -> EvaluationResults:
    """Test a bundle's network on archives that it was not developed on.

    Args:
        predictor: Predictor of the bundle.
        data: Archives to test on.
        options: How archives are read, and the cache.
        progress: Shows the photographs that are done.
        development: The archives that the network was developed on, to look for near-duplicates;
            files and ids are compared without, by the bundle's own list.
        settings: What to compute.

    Returns:
        The results; nothing of them is computed yet.

    Raises:
        DataError: No photograph, one class only, or archives that cannot be read.
    """
    bundle = predictor.bundle
    tables = read_sources(data, options)
    refuse_without_files(tables)
    catalog = build_catalog(tables, bundle.manifest.target)
    present = catalog.with_files
    paths = present.frame["path"].to_list()
    hashes = content_hashes(paths)
    ids = present.frame["image_id"].to_list()
    contents = {name: found for name, found in zip(ids, hashes, strict=True) if found is not None}
    near = None
    if development:
        near = near_duplicates_of_development(
            present, data, development, options, bundle, progress.decoding
        )
    overlap = find_overlap(present, contents, bundle, near)
    answers = predict_catalog(predictor, present.frame, contents, options.cache, progress.decoding)
    frame = read_answers(answers, present.frame)
    frame = frame.filter(~pl.col("image_id").is_in(overlap.left_out))
    if frame.is_empty():
        raise DataError(
            "photographs that the network was not developed on",
            f"none: all {len(present):,} belong to patients, lesions or files of its development",
            "name another archive with --data",
        )
    chosen = settings or EvaluationSettings()
    sample = EvaluationSample(frame=frame, manifest=bundle.manifest)
    robustness = None
    if chosen.corrupted:
        robustness = measure_robustness(
            sample, predictor, chosen.corrupted, chosen.seed, progress.decoding
        )
    return EvaluationResults(
        sample=sample,
        bundle=bundle,
        variant=predictor.variant,
        overlap=overlap.overlap,
        catalog=catalog,
        group_unit=group_unit(frame),
        answers=answers,
        settings=chosen,
        robustness=robustness,
    )
