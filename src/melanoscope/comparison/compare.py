"""From tables of predictions to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from melanoscope.comparison.class_names import read_class_table
from melanoscope.comparison.column_names import ColumnPairs, parse_columns
from melanoscope.comparison.join import join_predictions
from melanoscope.comparison.model_predictions import ModelPredictions
from melanoscope.comparison.read_predictions import read_predictions
from melanoscope.comparison.results import ComparisonResults
from melanoscope.comparison.settings import ComparisonSettings
from melanoscope.comparison.truth import Truth, read_truth, truth_of
from melanoscope.data.archive import ReadOptions
from melanoscope.data.cache_folder import cache_folder
from melanoscope.data.sources import ARCHIVES, parse_spec, read_sources
from melanoscope.errors import DataError


def compare_files(
    predictions: Sequence[Path],
    *,
    truth: Path | str | None = None,
    positive: Sequence[str] = (),
    classes: Path | None = None,
    columns: str | None = None,
    subgroups: Sequence[str] = (),
    settings: ComparisonSettings | None = None,
) -> ComparisonResults:
    """Read, join and compare models by their predictions.

    Args:
        predictions: Tables of predictions, CSV or Parquet, one for each model.
        truth: Table of the photographs: labels, patients, lesions, age, sex, site, center; or
            "KIND=PATH" for an archive whose labels lie in several tables, as for ``--data``.
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
    known = None if truth is None else _read_truth(truth, pairs, subgroups)
    return ComparisonResults(
        joined=join_predictions(models, known, positive=positive),
        settings=settings or ComparisonSettings(),
        forms={model.name: model.form for model in models},
    )


def _read_truth(truth: Path | str, columns: ColumnPairs, subgroups: Sequence[str]) -> Truth:
    kind, equals, _ = str(truth).partition("=")
    if not equals or kind not in ARCHIVES or Path(truth).exists():
        return read_truth(truth, columns, subgroups)
    if subgroups:
        raise DataError(
            "--subgroups beside a table",
            f"the archive {kind}, of which sex, age, site and center are read",
            "leave --subgroups out, or name a table with --truth",
        )
    (table,) = read_sources([parse_spec(str(truth))], ReadOptions(cache_folder()))
    return truth_of(table.rows, name=kind, pairs=table.duplicate_pairs, notes=table.notes)
