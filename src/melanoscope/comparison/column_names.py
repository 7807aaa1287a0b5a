"""Names that tools give to the columns of predictions, and ``--columns`` for those of another."""

from __future__ import annotations

from collections.abc import Mapping

from melanoscope.data.sources import own_csv
from melanoscope.tables.common_names import PATH_NAMES

IMAGE_ID_NAMES = (
    *("image_id", "isic_id", "img_id", *PATH_NAMES),
    *("id", "img_path", "image_ids", "filenames", "sample_id", "sample", "name", "uid", "key"),
)
OUT_OF_FOLD_NAMES = (
    *("oof", "oof_pred", "oof_preds", "oof_prob", "oof_proba", "oof_probability"),
    *("oof_prediction", "oof_predictions"),
)
PROBABILITY_NAMES = (
    *("probability", "prob", "probs", "proba", "probabilities", "probability_1", "prob_1", "p"),
    *("y_prob", "y_proba", "y_score", "score", "scores", "confidence", *OUT_OF_FOLD_NAMES),
    *("prediction", "predictions", "preds", "pred", "y_pred", "y_hat", "yhat", "predicted"),
    *("predicted_probability", "pred_prob", "pred_proba", "sigmoid", "softmax", "output"),
)
LOGIT_NAMES = ("logit", "logits", "raw_logit")
LABEL_NAMES = (
    *("label", "true_label", "true_labels", "y_true", "target", "targets", "labels", "y", "true"),
    *("ground_truth", "groundtruth", "gt", "truth", "diagnosis", "dx", "diagnostic"),
)
FOLD_NAMES = ("fold", "folds", "kfold", "fold_id", "cv_fold")
PREDICTED_NAMES = ("predicted_label", "pred_label", "predicted_class", "pred_class", "y_pred_label")
"""Columns of decisions, which nothing is made of."""

PREDICTION_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "image_id": IMAGE_ID_NAMES,
    "probability": PROBABILITY_NAMES,
    "label": LABEL_NAMES,
    "fold": FOLD_NAMES,
}
"""Our name of a column of predictions -> names under which it is read, the preferred first."""

KNOWN_NAMES: frozenset[str] = frozenset(
    name for names in PREDICTION_COLUMNS.values() for name in names
)
"""All of these names; they help to tell by which character a text separates its cells."""

ColumnPairs = tuple[tuple[str, str], ...]
"""Pairs of our name and the table's, as ``--columns`` gives them."""


def parse_columns(text: str | None) -> ColumnPairs:
    """Parse the option ``--columns`` of a comparison, for its predictions and for its truth.

    Args:
        text: ``ours=theirs,ours=theirs``: image_id, probability, label and fold of predictions, and
            the columns of an own table (target, diagnosis, patient_id, ...) of the truth.

    Returns:
        Pairs of our name and the table's.

    Raises:
        DataError: No "=", an unknown name before it, or a name or a column that stands twice.

    >>> parse_columns("probability=output_3, diagnosis=histology")
    (('probability', 'output_3'), ('diagnosis', 'histology'))
    """
    ours = {name: (name,) for name in PREDICTION_COLUMNS}
    theirs = {name: (name,) for name in own_csv.COLUMNS if name not in ours}
    return own_csv.parse_columns(text, {**ours, **theirs})
