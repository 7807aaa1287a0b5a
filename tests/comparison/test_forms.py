"""Each form is read from a table as its tool writes it, and gives back what was written."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melanoscope.comparison.class_names import class_name, read_class_table
from melanoscope.comparison.column_names import parse_columns
from melanoscope.comparison.layout import FORMS
from melanoscope.comparison.read_predictions import read_predictions
from melanoscope.data.sources.image_files.names import split_row_name
from melanoscope.errors import DataError
from melanoscope.inference.batch.rows_out import RowDiagnoser

from .written_forms import IDS, LABEL, ONE, RNG, WORDS, N, P, read_one, softmax, write_csv


@pytest.mark.parametrize(
    ("ids", "name"),
    [
        ("image_id", "probability"),
        ("isic_id", "prob"),
        ("image", "score"),
        ("image_name", "target"),
        ("filename", "y_pred"),
        ("id", "p"),
        ("img_id", "y_score"),
        ("image", "melanoma"),
        ("image_id", "preds"),
        ("image_id", "prediction"),
        ("image_id", "pred"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_id_and_probability(tmp_path, ids, name, separator):
    file = write_csv(tmp_path / "my net.v2.csv", {ids: IDS, name: ONE}, separator)
    model = read_one(file)
    assert model.name == "my net.v2"
    assert (model.classes, model.label, model.fold) == (("positive",), None, None)
    assert model.image_id.tolist() == IDS
    np.testing.assert_array_equal(model.probability[:, 0], ONE)


def test_decimal_commas(tmp_path):
    cells = [f"{one:.6f}".replace(".", ",") for one in ONE]
    model = read_one(write_csv(tmp_path / "a.csv", {"image": IDS, "prob": cells}, ";"))
    np.testing.assert_allclose(model.probability[:, 0], ONE, atol=1e-6)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_out_of_fold_predictions(tmp_path, suffix):
    target = (LABEL == 0).astype(int)
    fold = np.array([3, 1, 2, 0, 7] * 8)
    frame = pl.DataFrame({"id": IDS, "target": target, "fold": fold, "oof": ONE})
    file = tmp_path / f"a.{suffix}"
    frame.write_csv(file) if suffix == "csv" else frame.write_parquet(file)
    model = read_one(file)
    assert model.form.startswith("out-of-fold predictions")
    assert model.label.tolist() == [str(one) for one in target]
    assert model.fold.tolist() == [{0: 0, 1: 1, 2: 2, 3: 3, 7: 4}[one] for one in fold]


def test_numbered_classes_of_linear_probes(tmp_path):
    columns = {
        "filename": [f"/home/somebody/x.y/{one}.jpg" for one in IDS],
        "true_label": LABEL,
        "predicted_label": P.argmax(axis=1),
        **{f"probability_class_{k}": P[:, k] for k in range(3)},
    }
    file = write_csv(tmp_path / "probe.csv", columns)
    model = read_one(file)
    assert (model.classes, model.image_id.tolist()) == (("0", "1", "2"), IDS)
    np.testing.assert_array_equal(model.probability, P)
    assert model.notes == ()
    table = write_csv(tmp_path / "classes.csv", {"diag": WORDS, "label": [2, 0, 1]})
    named = read_one(file, class_names=read_class_table(table))
    assert named.classes == ("NV", "BCC", "MEL")
    assert named.label.tolist() == [("NV", "BCC", "MEL")[one] for one in LABEL]


def test_more_than_ten_numbered_classes_in_any_order(tmp_path):
    wide = softmax(RNG, N, 12)
    columns = {f"prob_{k}": wide[:, k] for k in sorted(range(12), key=str)}
    model = read_one(write_csv(tmp_path / "a.csv", {"image": IDS, **columns}))
    np.testing.assert_array_equal(model.probability, wide)


@pytest.mark.parametrize("prefix", ["preds_", "prob_", "probs_", "pred_", "proba_", "y_pred_"])
def test_numbered_classes_of_lightning(tmp_path, prefix):
    columns = {"image_id": IDS, "target": LABEL, **{f"{prefix}{k}": P[:, k] for k in range(3)}}
    model = read_one(write_csv(tmp_path / "a.csv", columns))
    np.testing.assert_array_equal(model.probability, P)
    assert model.label.tolist() == [str(one) for one in LABEL]


@pytest.mark.parametrize("written", ["list", "array", "text", "numpy"])
def test_lists_of_classes(tmp_path, written):
    frame = pl.DataFrame({"image_id": IDS, "preds": P.tolist(), "target": LABEL})
    file = tmp_path / "a.parquet"
    if written == "array":
        frame = frame.with_columns(pl.col("preds").cast(pl.Array(pl.Float64, 3)))
    if written in ("list", "array"):
        frame.write_parquet(file)
    else:
        file = tmp_path / "a.csv"
        with np.printoptions(precision=17):
            cells = [str(row.tolist() if written == "text" else row) for row in P]
        frame.with_columns(preds=pl.Series(cells)).write_csv(file)
    model = read_one(file)
    assert model.classes == ("0", "1", "2")
    np.testing.assert_allclose(model.probability, P, rtol=1e-14)


@pytest.mark.parametrize(
    "classes",
    [
        ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"),
        ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"),
        ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"),
        ("benign", "malignant"),
        ("prob_melanoma", "prob_nevus"),
        ("mel_prob", "nv_prob", "bcc_prob"),
    ],
)
def test_one_column_a_class(tmp_path, classes):
    wide = softmax(RNG, N, len(classes))
    columns = {"image": IDS, **dict(zip(classes, wide.T, strict=True))}
    model = read_one(write_csv(tmp_path / "a.csv", columns))
    bare = tuple(one.removeprefix("prob_").removesuffix("_prob") for one in classes)
    assert model.classes == bare
    np.testing.assert_array_equal(model.probability, wide)


def test_logits_are_refused_by_their_name(tmp_path):
    for columns in ({"logit": ONE}, {"label": ["a"] * N, "logit": ONE}):
        file = write_csv(tmp_path / "a.csv", {"filename": IDS, **columns})
        with pytest.raises(DataError, match="apply softmax"):
            read_predictions(file)


def test_a_run_of_ours(tmp_path, run_folder):
    file = run_folder / "predictions.parquet"
    frame = pl.read_parquet(file)
    models = read_predictions(file)
    networks = frame.select("backbone", "transfer").unique()
    assert len(models) == networks.height > 1
    assert len({model.name for model in models}) == len(models)
    first = frame.filter(
        (pl.col("backbone") == frame["backbone"][0]) & (pl.col("transfer") == frame["transfer"][0])
    )
    assert models[0].image_id.tolist() == first["image_id"].to_list()
    np.testing.assert_array_equal(models[0].probability[:, 0], first["probability"])
    np.testing.assert_array_equal(models[0].fold, first["fold"])
    assert models[0].label.tolist() == first["target"].cast(pl.String).to_list()
    assert read_predictions(file, name="mine")[0].name == f"mine: {models[0].name}"


def test_repeats_and_seeds_of_a_run_count_as_folds(tmp_path):
    cells = [(r, f, s) for r in range(2) for f in range(2) for s in range(3)]
    rows = [
        {"image_id": f"i{i}", "target": i % 2, "fold": f, "repeat": r, "seed_index": s}
        | {"backbone": "a", "transfer": "scratch", "probability": 0.1 * (i + 1), "threshold": 0.5}
        for r, f, s in cells
        for i in range(f, 8, 2)
    ]
    file = tmp_path / "predictions.parquet"
    pl.DataFrame(rows).write_parquet(file)
    model = read_one(file)
    assert model.name == "a, from scratch"
    assert sorted(set(model.fold.tolist())) == list(range(12))
    expected = [cells.index((row["repeat"], row["fold"], row["seed_index"])) for row in rows]
    assert model.fold.tolist() == expected


def answer_rows(n, header):
    """The columns that `predict --table` adds, named as it names them."""
    diagnoser = RowDiagnoser.__new__(RowDiagnoser)
    object.__setattr__(diagnoser, "table", type("T", (), {"header": header})())
    diagnoser.__dict__["_threshold_keys"] = ["sensitivity_95"]
    added = {column: [""] * n for column in diagnoser.columns}
    name = next(column for column in added if column.endswith("probability"))
    return added, name


@pytest.mark.parametrize("header", [["photograph"], ["photograph", "probability", "status"]])
def test_answers_of_predict(tmp_path, header):
    added, name = answer_rows(N, header)
    base = {column: ["accepted" if column == "status" else "0.5"] * N for column in header}
    base |= {"photograph": [f"'=x/{one}.png" for one in IDS]}
    file = write_csv(tmp_path / "answers.csv", {**base, **added, name: ONE})
    model = read_one(file)
    assert model.form.startswith("answers of melanoscope predict")
    assert model.image_id.tolist() == IDS
    np.testing.assert_array_equal(model.probability[:, 0], ONE)
    cells = ["" if i in (3, 7) else f"{one}" for i, one in enumerate(ONE)]
    file = write_csv(tmp_path / "gaps.csv", {**base, **added, name: cells})
    with pytest.raises(DataError, match=f"2 without: refused or not read .{IDS[3]}, {IDS[7]}"):
        read_predictions(file)


def test_columns_that_are_named(tmp_path):
    columns = {"case": IDS, "output_a": ONE, "truth_x": LABEL % 2, "part": LABEL, "other": ONE}
    file = write_csv(tmp_path / "a.csv", columns)
    with pytest.raises(DataError) as caught:
        read_predictions(file)
    assert all(repr(column) in str(caught.value) for column in columns)
    assert all(form in str(caught.value) for form in FORMS)
    said = "image_id=case, probability=output_a, label=truth_x, fold=part"
    model = read_one(file, columns=parse_columns(said))
    np.testing.assert_array_equal(model.probability[:, 0], ONE)
    np.testing.assert_array_equal(model.fold, LABEL)
    assert "not read: 'other'" in model.notes
    for wrong in ("probabilty=x", "probability", "label=a,label=b"):
        with pytest.raises(DataError, match="--columns"):
            parse_columns(wrong)


def test_a_column_that_is_named_and_lacks_is_said(tmp_path):
    file = write_csv(tmp_path / "a.csv", {"image": IDS, "prob": ONE})
    model = read_one(file, columns=parse_columns("label=truht"))
    assert "no such column for --columns label=truht" in model.notes


name_texts = st.text(
    st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp"), exclude_characters="\0./\\\n\r:?%"),
    min_size=3,
    max_size=12,
).map(lambda text: f"i{text}".strip())


@given(
    names=st.lists(name_texts, min_size=2, max_size=6, unique=True),
    data=st.data(),
    separator=st.sampled_from([",", ";", "\t"]),
    parquet=st.booleans(),
)
def test_whatever_the_names_what_was_written_is_read(
    tmp_path_factory, names, data, separator, parquet
):
    """Names with quotes, delimiters, escapes of terminals and other alphabets."""
    ids = [split_row_name(f"{name}.jpg").stem for name in names]
    values = st.floats(0, 1, allow_subnormal=False)
    p = data.draw(st.lists(values, min_size=len(names), max_size=len(names)))
    frame = pl.DataFrame({"image": [f"{name}.jpg" for name in names], "prob": p})
    file = tmp_path_factory.mktemp("any") / ("a.parquet" if parquet else "a.csv")
    frame.write_parquet(file) if parquet else frame.write_csv(file, separator=separator)
    if set(p) <= {0.0, 1.0}:
        with pytest.raises(DataError, match="only 0 and 1"):
            read_predictions(file)
        return
    model = read_one(file)
    assert model.image_id.tolist() == ids
    np.testing.assert_array_equal(model.probability[:, 0], p)


@given(
    names=st.lists(name_texts, min_size=2, max_size=6, unique=True),
    k=st.integers(2, 12),
    seed=st.integers(0, 99),
    form=st.sampled_from(["probability_class_", "preds_", "prob_", "list"]),
)
def test_several_classes_are_read_as_they_were_written(tmp_path_factory, names, k, seed, form):
    p = softmax(np.random.default_rng(seed), len(names), k)
    columns = {"filename": [f"/x/{name}.png" for name in names]}
    if form == "list":
        columns["preds"] = p.tolist()
    else:
        columns |= {f"{form}{number}": p[:, number] for number in range(k)}
    file = tmp_path_factory.mktemp("any") / "a.parquet"
    pl.DataFrame(columns).write_parquet(file)
    model = read_one(file)
    assert model.image_id.tolist() == [split_row_name(f"/x/{name}.png").stem for name in names]
    assert model.classes == tuple(map(str, range(k)))
    np.testing.assert_array_equal(model.probability, p)


@given(st.text(max_size=20))
def test_names_of_classes_are_lines_that_no_terminal_obeys(word):
    assert class_name(word).isprintable()
    assert class_name(class_name(word)) == class_name(word)
