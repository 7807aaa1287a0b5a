"""From tables of predictions to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from melanoscope.comparison.class_names import read_class_table
from melanoscope.comparison.column_names import parse_columns
from melanoscope.comparison.join import join_predictions
from melanoscope.comparison.model_predictions import ModelPredictions
from melanoscope.comparison.read_predictions import read_predictions
from melanoscope.comparison.results import ComparisonResults
from melanoscope.comparison.settings import ComparisonSettings
from melanoscope.comparison.truth import read_truth


def compare_files(
    predictions: Sequence[Path],
    *,
    truth: Path | None = None,
    positive: Sequence[str] = (),
    classes: Path | None = None,
    columns: str | None = None,
    subgroups: Sequence[str] = (),
    settings: ComparisonSettings | None = None,
) -> ComparisonResults:
    """Read, join and compare models by their predictions.

    Args:
        predictions: Tables of predictions, CSV or Parquet, one for each model.
        truth: Table of the photographs: labels, patients, lesions, age, sex, site, center.
        positive: Classes that count as positive; none to tell all classes apart.
        classes: Table that names the numbers of classes.
        columns: "ours=theirs,ours=theirs", for columns that are not recognised.
        subgroups: Further columns of the truth to compare subgroups by.
        settings: What to compute.

    Returns:
        The comparison; nothing of it is computed yet.

    Raises:
        DataError: Files that cannot be read or joined; says which, and where.
    """
    pairs = parse_columns(columns)
    names = read_class_table(classes) if classes is not None else {}
    models: list[ModelPredictions] = []
    several = len({path.stem for path in predictions}) < len(predictions)
    for path in predictions:
        models += read_predictions(
            path,
            name=f"{path.resolve().parent.name}/{path.stem}" if several else None,
            columns=pairs,
            class_names=names,
            positive=positive,
        )
    known = read_truth(truth, pairs, subgroups) if truth is not None else None
    return ComparisonResults(
        joined=join_predictions(models, known, positive=positive),
        settings=settings or ComparisonSettings(),
        forms={model.name: model.form for model in models},
    )
