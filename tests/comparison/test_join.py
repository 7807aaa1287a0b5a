"""Rows meet by id, and everything that does not fit is refused by name."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from melanoscope.comparison.class_names import is_positive, read_class_table
from melanoscope.comparison.join import join_predictions
from melanoscope.comparison.model_predictions import ModelPredictions
from melanoscope.comparison.read_predictions import read_predictions
from melanoscope.comparison.truth import read_truth
from melanoscope.errors import DataError

from .written_forms import softmax, write_csv

REAL = os.environ.get("MELANOSCOPE_REAL")
IDS = [f"i{number}" for number in range(12)]
WORDS = ["mel", "nv", "bcc"] * 4
P = softmax(np.random.default_rng(2), 12, 3)


def model(name="one", ids=IDS, classes=("MEL", "NV", "BCC"), p=P, label=WORDS, fold=None, **more):
    return ModelPredictions(
        name=name,
        form="",
        image_id=np.array(ids, object),
        classes=classes,
        probability=np.asarray(p, float).reshape(len(ids), len(classes)),
        label=None if label is None else np.array(label, object),
        fold=None if fold is None else np.array(fold),
        **more,
    )


def single(name="single", label=None, **more):
    return model(name, classes=("positive",), p=P[:, 0], label=label, **more)


def truth_of(tmp_path, **columns):
    columns = {"image_id": IDS, **columns}
    return read_truth(write_csv(tmp_path / "truth.csv", columns))


@given(st.permutations(range(12)), st.permutations(range(3)))
def test_rows_and_classes_in_any_order(rows, columns):
    other = model(
        "two",
        ids=[IDS[i] for i in rows],
        classes=[("melanoma", "Nevus", "basal-cell carcinoma")[j] for j in columns],
        p=P[np.ix_(rows, columns)],
        label=[WORDS[i].upper() for i in rows],
        fold=[i % 2 for i in rows],
    )
    one = model(fold=[7 - 3 * (i % 2) for i in range(12)])
    joined = join_predictions([one, replace(other, classes=tuple(other.classes))])
    assert joined.classes == ("melanoma", "nevus", "basal cell carcinoma")
    assert not joined.is_binary
    np.testing.assert_array_equal(joined.probability["one"], P)
    np.testing.assert_array_equal(joined.probability["two"], P)
    np.testing.assert_array_equal(joined.target, [0, 1, 2] * 4)
    assert joined.image_id.tolist() == IDS
    np.testing.assert_array_equal(joined.fold, [1, 0] * 6)
    assert joined.group_unit == "photographs"
    assert len(set(joined.group.tolist())) == 12


def test_one_class_or_several_against_the_others():
    joined = join_predictions([model()], positive=["melanoma"])
    assert joined.classes == ("others", "melanoma")
    np.testing.assert_array_equal(joined.probability["one"], P[:, 0])
    np.testing.assert_array_equal(joined.target, [1, 0, 0] * 4)
    both = join_predictions([model()], positive=["BCC", "Melanoma"])
    assert both.classes == ("others", "basal cell carcinoma or melanoma")
    np.testing.assert_allclose(both.probability["one"], P[:, 0] + P[:, 2])
    np.testing.assert_array_equal(both.target, [1, 0, 1] * 4)
    assert both.notes == ("the probabilities of MEL and BCC are added up in 'one'",)
    malignant = join_predictions([model()], positive=["malignant"])
    np.testing.assert_array_equal(malignant.target, both.target)
    np.testing.assert_allclose(malignant.probability["one"], both.probability["one"])


def test_one_vs_rest_scores_are_not_added_up():
    scores = model(p=np.full((12, 3), 0.7) * np.linspace(0.9, 1, 12)[:, None])
    with pytest.raises(DataError, match=r"12 photographs whose sum exceeds 1 .i0, i1"):
        join_predictions([scores], positive=["mel", "bcc"])
    assert join_predictions([scores], positive=["mel"]).is_binary


def test_two_columns_of_one_diagnosis_are_added_up():
    one = model(classes=("SEK", "NV", "BKL"), label=["bkl", "nv", "sek"] * 4)
    joined = join_predictions([one])
    assert joined.classes == ("benign keratosis", "nevus")
    np.testing.assert_allclose(joined.probability["one"], np.c_[P[:, 0] + P[:, 2], P[:, 1]])
    assert "SEK and BKL are both benign keratosis" in joined.notes[0]


def test_one_probability_beside_several_classes():
    joined = join_predictions([single(), model()], positive=["MEL"])
    np.testing.assert_array_equal(joined.probability["single"], joined.probability["one"])
    with pytest.raises(DataError, match="say with --positive which class it is"):
        join_predictions([single(), model()])


def test_classes_0_and_1_are_a_binary_question():
    two = model("two", classes=("0", "1"), p=P[:, :2], label=["1", "0"] * 6)
    joined = join_predictions([two, single(label=["1", "0"] * 6)])
    np.testing.assert_array_equal(joined.probability["two"], P[:, 1])
    np.testing.assert_array_equal(joined.target, [1, 0] * 6)


def test_labels_of_the_truth(tmp_path):
    truth = truth_of(
        tmp_path, dx=WORDS, patient_id=["P", "P", "Q"] * 4, sex=["female"] * 12, center=WORDS
    )
    shuffled = model(ids=IDS[::-1], p=P[::-1], label=None)
    joined = join_predictions([shuffled], truth, positive=["mel"])
    assert joined.image_id.tolist() == IDS[::-1]
    np.testing.assert_array_equal(joined.target, [0, 0, 1] * 4)
    assert (joined.group_unit, len(set(joined.group))) == ("patients", 2)
    assert joined.subgroups["sex"].tolist() == ["female"] * 12
    assert joined.center.tolist() == WORDS[::-1]
    # A table without labels gives the groups alone.
    groups = truth_of(tmp_path, patient_id=["P", "P", "Q"] * 4)
    assert join_predictions([model()], groups).target.tolist() == [0, 1, 2] * 4


def test_targets_of_the_truth(tmp_path):
    joined = join_predictions([single()], truth_of(tmp_path, target=[1, 0] * 6))
    assert joined.classes == ("others", "positive")
    np.testing.assert_array_equal(joined.target, [1, 0] * 6)
    # Of an archive whose negatives have no diagnosis: benign is no melanoma.
    truth = truth_of(
        tmp_path,
        diagnosis=["melanoma", "unknown"] * 6,
        benign_malignant=["malignant", "benign"] * 6,
    )
    np.testing.assert_array_equal(
        join_predictions([single()], truth, positive=["mel"]).target, [1, 0] * 6
    )
    # Diagnoses do not say what the probability is of.
    with pytest.raises(DataError, match=r"'melanoma'.*say with --positive"):
        join_predictions([single()], truth)


def test_a_row_for_each_repeat_of_a_run():
    fold = [*[i % 2 for i in range(12)], *[2 + i // 6 for i in range(12)]]
    twice = {"ids": IDS * 2, "label": ["1", "0"] * 12, "fold": fold, "classes": ("positive",)}
    p = np.random.default_rng(0).random(24)
    one, two = model("one", p=p, **twice), model("two", p=p, **twice)
    back = np.arange(24)[::-1]
    two = replace(
        two,
        image_id=two.image_id[back],
        probability=two.probability[back],
        label=two.label[back],
        fold=two.fold[back],
    )
    joined = join_predictions([one, two])
    np.testing.assert_array_equal(joined.probability["one"], p)
    np.testing.assert_array_equal(joined.probability["two"], p)
    np.testing.assert_array_equal(joined.fold, fold)
    np.testing.assert_array_equal(joined.group[:12], joined.group[12:])
    with pytest.raises(DataError, match="other repeats, folds or seeds"):
        join_predictions([one, replace(two, name="x", fold=two.fold + 1)])


def test_folds_that_one_file_does_not_tell():
    joined = join_predictions([model(fold=[0, 1] * 6), model("two")])
    assert joined.fold is None
    assert joined.notes == ("only 'one' of 2 models tell folds: they are passed over",)


CASES = [
    ([], "at least one model"),
    ([model(), model()], "several called 'one'"),
    ([model(ids=[*IDS[:11], "i0"])], r"1 several times .i0"),
    ([model(), model("two", ids=[*IDS[:11], "x"])], r"'two' lacks 1 .i11. and 'one' lacks 1 .x"),
    ([model(), model("two", ids=IDS[:9], p=P[:9], label=WORDS[:9])], r"lacks 3 .i10, i11, i9"),
    ([model(), model("two", ids=[one.upper() for one in IDS])], "upper and lower case"),
    ([model(), model("two", label=["nv", *WORDS[1:]])], r"1 that differ .i0.*melanoma and nevus"),
    ([model(), model("two", classes=("MEL", "NV", "SCC"))], "squamous cell carcinoma; write all"),
    ([model(), model("two", classes=("0", "1", "2"), label=None)], "--classes TABLE"),
    ([model(fold=[0, 1] * 6), model("two", fold=[0, 0, 1, 1] * 3)], "the same folds"),
    ([model(fold=[0, 1] * 6), model("two", fold=[0] * 12)], "the same folds"),
    ([model(label=None)], "none of any photograph"),
    ([model(label=[None, *WORDS[1:]])], r"none of 1 photographs .i0"),
    ([model(label=["scc", *WORDS[1:]])], "1 photographs of others: 'squamous cell carcinoma'"),
    ([model(label=["0", *WORDS[1:]])], "--classes TABLE"),
    ([single(label=["maybe", *WORDS[1:]])], "labels 0 and 1"),
]


@pytest.mark.parametrize(("models", "said"), CASES)
def test_what_does_not_fit(models, said):
    with pytest.raises(DataError, match=said) as caught:
        join_predictions(models)
    assert str(caught.value).isprintable()


POSITIVE_CASES = [
    ([model()], ["melanom"], "nearest: melanoma"),
    ([model()], ["dermatofibroma"], "--positive of a class that 'one' has"),
    ([single(label=WORDS)], ["dermatofibroma"], "of which none is"),
    ([single(label=["mel", "nevu"] * 6)], ["mel"], "'nevu'; correct them"),
    ([single(label=["3", "4"] * 6)], ["mel"], "'3', '4'"),
    ([model(classes=("0", "1", "2"), label=WORDS)], ["2"], "'basal cell carcinoma', 'melanoma'"),
    ([single(label=["malignant", "benign"] * 6)], ["mel"], r"6 photographs .i0, i2"),
    ([model(p=[[1, 0, 0]] * 6 + [[0, 0.5, 0.5]] * 6)], ["mel"], "only 0 and 1"),
]


@pytest.mark.parametrize(("models", "positive", "said"), POSITIVE_CASES)
def test_what_does_not_fit_the_class_that_is_asked_for(models, positive, said):
    with pytest.raises(DataError, match=said):
        join_predictions(models, positive=positive)


def test_what_the_truth_lacks_or_contradicts(tmp_path):
    other = read_truth(write_csv(tmp_path / "a.csv", {"image_id": IDS[2:], "dx": WORDS[2:]}))
    with pytest.raises(DataError, match=r"2 that it lacks .i0, i1"):
        join_predictions([model()], other)
    wrong = truth_of(tmp_path, dx=["nv", "mel", *WORDS[2:]])
    with pytest.raises(DataError, match=r"the truth and 'one'; found 2 that differ .i0, i1"):
        join_predictions([model()], wrong)
    # One question may have the same answer where another has not.
    assert (
        join_predictions(
            [model()], truth_of(tmp_path, dx=["mel", "bkl", *WORDS[2:]]), positive=["mel"]
        ).target.sum()
        == 4
    )


def test_names_of_strangers_stay_on_their_line():
    evil = "\x1b[2J=1+1\n\u202e"
    one = model(evil, ids=[f"{evil}{i}" for i in range(12)], classes=(evil, "b", "c"))
    for models in ([one], [one, one], [one, model()]):
        with pytest.raises(DataError) as caught:
            join_predictions(models)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("name", "positives", "said"),
    [
        ("melanoma", {"malignant"}, True),
        ("nevus", {"malignant"}, False),
        ("actinic keratosis", {"malignant"}, None),
        ("benign", {"nevus"}, None),
        ("unknown", {"melanoma"}, None),
    ],
)
def test_whether_a_class_is_asked_for(name, positives, said):
    assert is_positive(name, positives) is said


def real_models(archive):
    folder = Path(str(REAL)) / "predictions" / archive
    if not folder.is_dir():
        pytest.skip(f"no folder '{folder}'")
    names = read_class_table(folder / "classes.csv")
    files = sorted(file for file in folder.glob("*.csv") if file.name != "classes.csv")
    return [one for file in files for one in read_predictions(file, class_names=names)]


@pytest.mark.real
@pytest.mark.skipif(REAL is None, reason="no MELANOSCOPE_REAL")
@pytest.mark.parametrize(
    ("archive", "table", "unit", "n", "positives", "groups", "auroc"),
    [
        (
            *("ham10000", "HAM10000_metadata.csv", "lesions", 1503, 168, 1437),
            {"DermFM-Zero": 0.9660, "PanDerm": 0.9483},
        ),
        (
            *("pad-ufes-20", "metadata.csv", "patients and lesions", 461, 8, 404),
            {"DermFM-Zero": 0.9997, "PanDerm": 0.9942},
        ),
    ],
)
def test_published_predictions(archive, table, unit, n, positives, groups, auroc):
    truth = read_truth(Path(str(REAL)) / "lesions" / archive / table)
    models = real_models(archive)
    joined = join_predictions(models, truth, positive=["melanoma"])
    assert (len(joined), int(joined.target.sum()), len(set(joined.group))) == (n, positives, groups)
    assert joined.group_unit == unit
    assert len(joined.probability) == 8
    found = {name: roc_auc_score(joined.target, joined.probability[name]) for name in auroc}
    assert found == pytest.approx(auroc, abs=5e-5)
    several = join_predictions(models, truth)
    assert len(several.classes) == (7 if archive == "ham10000" else 6)
