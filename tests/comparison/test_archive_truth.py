"""An archive as the truth: labels in several tables, and duplicates that it lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from melanoscope.comparison.compare import compare_files
from melanoscope.comparison.settings import ComparisonSettings
from melanoscope.errors import DataError

SETTINGS = ComparisonSettings(replicates=100)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """ISIC 2020 with its table of duplicates; no photograph is there."""
    folder = tmp_path / "isic2020"
    folder.mkdir()
    rows = [
        f"ISIC_{k:07d},IP_{k // 2:07d},male,{30 + k},torso,{'melanoma' if k % 3 == 0 else 'nevus'},"
        f"{'malignant' if k % 3 == 0 else 'benign'},{int(k % 3 == 0)}"
        for k in range(90)
    ]
    head = "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,"
    (folder / "train.csv").write_text("\n".join([head + "benign_malignant,target", *rows]))
    (folder / "ISIC_2020_Training_Duplicates.csv").write_text(
        "image_name_1,image_name_2\nISIC_0000000,ISIC_0000050\n"
    )
    return folder


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [f"ISIC_{k:07d},{0.4 * (k % 3 == 0) + 0.6 * rng.random():.5f}" for k in range(90)]
    (tmp_path / "one.csv").write_text("\n".join(["image_id,probability", *rows]))
    return tmp_path / "one.csv"


def test_labels_patients_and_duplicates_are_the_archives(archive: Path, predictions: Path):
    results = compare_files(
        [predictions], truth=f"isic2020={archive}", positive=["melanoma"], settings=SETTINGS
    )
    joined = results.joined
    assert joined.target.sum() == 30
    assert joined.group_unit == "patients"
    # 45 patients, of whom two share a photograph.
    assert np.unique(joined.group).size == 44
    assert joined.group[0] == joined.group[50] == joined.group[51]
    assert {"sex", "age", "site"} <= set(joined.subgroups)


def test_further_columns_need_a_table(archive: Path, predictions: Path):
    with pytest.raises(DataError, match="--subgroups"):
        compare_files([predictions], truth=f"isic2020={archive}", subgroups=["device"])


def test_a_file_whose_name_looks_like_an_archive_is_a_file(
    predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    rows = [f"ISIC_{k:07d},{'mel' if k % 3 == 0 else 'nv'}" for k in range(90)]
    Path("table=truth.csv").write_text("\n".join(["image_id,dx", *rows]))
    results = compare_files(
        [predictions], truth="table=truth.csv", positive=["melanoma"], settings=SETTINGS
    )
    assert results.joined.target.sum() == 30


@pytest.mark.real
def test_labels_of_a_real_archive_in_several_tables(real_folder: Path, tmp_path: Path):
    """MILK10k: patients and diagnoses lie in two tables."""
    from melanoscope.data.archive import ReadOptions
    from melanoscope.data.sources import parse_spec, read_sources

    spec = f"milk10k={real_folder / 'tables' / 'milk10k'}"
    (table,) = read_sources([parse_spec(spec)], ReadOptions(tmp_path))
    ids = table.rows["image_id"].to_list()
    rng = np.random.default_rng(0)
    rows = [f"{name},{rng.random():.5f}" for name in ids]
    (tmp_path / "one.csv").write_text("\n".join(["image_id,probability", *rows]))
    results = compare_files(
        [tmp_path / "one.csv"], truth=spec, positive=["melanoma"], settings=SETTINGS
    )
    melanomas = (table.rows["diagnosis"] == "melanoma").sum()
    assert results.joined.target.sum() == melanomas > 100
    assert results.joined.group_unit == "lesions"
