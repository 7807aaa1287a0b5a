"""timm's inference tables: the likeliest classes, all of them or too few."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melanoscope.comparison.column_names import parse_columns
from melanoscope.comparison.read_predictions import read_predictions
from melanoscope.errors import DataError

from .written_forms import (
    IDS,
    LABEL,
    ONE,
    RNG,
    WORDS,
    P,
    read_one,
    softmax,
    timm_columns,
    write_csv,
)


@pytest.mark.parametrize("separate", [True, False])
def test_timm_with_all_classes(tmp_path, separate):
    names = ("melanoma", "nevus, junctional", "Bowen's disease")
    file = write_csv(tmp_path / "a.csv", timm_columns(IDS, names, P, 3, separate=separate))
    model = read_one(file)
    assert model.form.startswith("timm")
    assert model.classes == tuple(sorted(names))
    order = [names.index(one) for one in model.classes]
    np.testing.assert_allclose(model.probability, P[:, order], atol=1e-6)


def test_timm_by_index_alone_in_parquet(tmp_path):
    order = np.argsort(-P, axis=1)
    ranked = np.take_along_axis(P, order, axis=1)
    file = tmp_path / "a.parquet"
    pl.DataFrame({"filename": IDS, "index": order.tolist(), "prob": ranked.tolist()}).write_parquet(
        file
    )
    model = read_one(file, class_names=dict(zip("012", WORDS, strict=True)))
    assert model.classes == tuple(sorted(WORDS))
    np.testing.assert_array_equal(model.probability[:, model.classes.index("MEL")], P[:, 0])


@pytest.mark.parametrize("separate", [True, False])
def test_timm_with_too_few_classes(tmp_path, separate):
    file = write_csv(tmp_path / "a.csv", timm_columns(IDS, WORDS, P, 2, separate=separate))
    with pytest.raises(DataError, match=r"likeliest 2 of at least 3 classes.*--topk"):
        read_predictions(file)
    with pytest.raises(DataError, match=r"probability of melanoma.*rows lack one"):
        read_predictions(file, positive=["melanoma"])
    # Where the class that is asked for is always among them, the file is enough.
    sure = P * [1.0, 0.1, 0.1]
    sure /= sure.sum(axis=1, keepdims=True)
    has_it = np.sort(sure, axis=1)[:, 1] <= sure[:, 0]
    ids = [one for one, has in zip(IDS, has_it, strict=True) if has]
    columns = timm_columns(ids, WORDS, sure[has_it], 2, separate=separate)
    model = read_one(write_csv(tmp_path / "b.csv", columns), positive=["mel"])
    assert model.classes == ("positive",)
    np.testing.assert_allclose(model.probability[:, 0], sure[has_it, 0], atol=1e-6)


def test_timms_likeliest_of_two_classes_is_no_truth(tmp_path):
    """A model would be compared with its own answers; the likelier of two has one half or more."""
    rows = {"filename": ["a.jpg", "b.jpg"], "label": [1, 0], "prob": [0.7, 0.6]}
    file = write_csv(tmp_path / "a.csv", rows)
    with pytest.raises(DataError, match="label=label"):
        read_predictions(file)
    known = read_one(file, columns=parse_columns("label=label"))
    assert known.label.tolist() == ["1", "0"]
    file = write_csv(tmp_path / "b.csv", rows | {"prob": [0.7, 0.3]})
    assert read_one(file).label.tolist() == ["1", "0"]


def test_a_class_that_is_never_among_timms_likeliest_lacks(tmp_path):
    columns = timm_columns(IDS[:4], ["0", "1"], softmax(RNG, 4, 2), 2, separate=True)
    file = write_csv(tmp_path / "a.csv", columns)
    assert read_one(file, class_names={"0": "mel", "1": "nv"}).classes == ("mel", "nv")
    with pytest.raises(DataError, match="likeliest 2 of at least"):
        read_predictions(file, class_names={"0": "mel", "1": "nv", "2": "bcc"})


def test_timm_with_the_likeliest_class_alone(tmp_path):
    file = write_csv(tmp_path / "a.csv", timm_columns(IDS, WORDS, P, 1, separate=False))
    for positive in ((), ("MEL",)):
        with pytest.raises(DataError, match="only the likeliest 1"):
            read_predictions(file, positive=positive)
    # The same columns with true labels, as people write them.
    truth = write_csv(tmp_path / "b.csv", {"filename": IDS, "label": LABEL % 2, "prob": ONE})
    assert read_one(truth).label.tolist() == [str(one % 2) for one in LABEL]
    words = [WORDS[one] for one in LABEL]
    truth = write_csv(tmp_path / "c.csv", {"filename": IDS, "label": words, "prob": ONE})
    said = read_one(truth, columns=parse_columns("label=label"))
    assert (said.label.tolist(), said.classes) == (words, ("positive",))


def test_ranks_without_labels_are_no_classes(tmp_path):
    ranked = -np.sort(-P, axis=1)
    columns = {"filename": IDS, **{f"prob_{k}": ranked[:, k] for k in range(3)}}
    with pytest.raises(DataError, match="ranks, no classes"):
        read_predictions(write_csv(tmp_path / "a.csv", columns))


@given(
    words=st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=5, unique=True),
    seed=st.integers(0, 99),
    separate=st.booleans(),
)
def test_any_names_of_classes_in_timms_arrays(tmp_path_factory, words, seed, separate):
    p = softmax(np.random.default_rng(seed), 4, len(words))
    file = tmp_path_factory.mktemp("timm") / "a.parquet"
    columns = timm_columns(IDS[:4], words, p, len(words), separate=separate)
    if any(not word.strip() or word.startswith("[") for word in words) and separate:
        return
    pl.DataFrame(columns).write_parquet(file)
    model = read_one(file)
    assert set(model.classes) == set(words)
    order = [words.index(one) for one in model.classes]
    np.testing.assert_allclose(model.probability, p[:, order], atol=1e-6)
