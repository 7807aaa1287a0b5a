"""The real tables and photographs, counted against what is written about them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.folds import assign_folds
from melanoscope.data.sources import DataSpec, find_archives, read_sources
from melanoscope.data.summary import find_unreadable
from melanoscope.patient import encode

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def catalog_of(real_folder, tmp_path_factory):
    def read(*kinds: str) -> Catalog:
        specs = [
            DataSpec(kind, str(real_folder / "lesions" / kind.removesuffix("-melanoma")))
            for kind in kinds
        ]
        return build_catalog(read_sources(specs, ReadOptions(tmp_path_factory.mktemp("cache"))))

    return read


def test_archives_are_recognised(real_folder):
    found = find_archives(real_folder / "lesions")
    assert [spec.kind for spec in found] == ["isic2020", "isic2019", "ham10000", "pad-ufes-20"]


def test_isic2020(catalog_of):
    frame = catalog_of("isic2020").frame
    assert frame.height == 33_126
    assert frame["target"].sum() == 584
    assert frame["patient_id"].n_unique() == 2_056
    assert frame["lesion_id"].n_unique() == 32_701
    # Groups are patients, joined here and there by the 425 listed duplicates.
    assert 2_056 - 425 <= frame["group_id"].n_unique() <= 2_056


def test_the_posters_photographs(catalog_of):
    catalog = catalog_of("isic2020", "isic2019-melanoma")
    target = catalog.frame["target"]
    assert len(catalog) == 37_648
    assert target.sum() == 5_106
    assert catalog.listed_twice == ()
    # The archive's name alone foretells the label: why the comparison needs care.
    name = (catalog.frame["dataset"] == "isic2019").cast(int)
    assert roc_auc_score(target, name) == pytest.approx(0.943, abs=0.0005)
    assert average_precision_score(target, name) == pytest.approx(0.901, abs=0.0005)


@pytest.mark.parametrize(
    ("kind", "rows", "melanomas", "files", "melanoma_files", "lesions"),
    [
        ("isic2020", 33_126, 584, 914, 471, None),
        ("isic2019", 25_331, 4_522, 842, 422, None),
        ("ham10000", 10_015, 1_113, 1_621, 450, 1_108),
        ("pad-ufes-20", 2_298, 52, 120, 12, None),
    ],
)
def test_counts(catalog_of, kind, rows, melanomas, files, melanoma_files, lesions):
    catalog = catalog_of(kind)
    assert len(catalog) == rows
    assert catalog.frame["target"].sum() == melanomas
    assert len(catalog.with_files) == files
    assert len(catalog.ids_without_file) == rows - files
    assert catalog.with_files.frame["target"].sum() == melanoma_files
    if lesions:
        assert catalog.with_files.frame["lesion_id"].n_unique() == lesions


def test_all_of_ham10000_is_in_isic2019(catalog_of):
    both = catalog_of("isic2019", "ham10000")
    assert len(both) == 25_331
    assert len(both.listed_twice) == 10_015
    assert set(both.listed_twice) == set(catalog_of("ham10000").frame["image_id"])
    apart = (catalog_of(kind).with_files.frame["image_id"] for kind in ("isic2019", "ham10000"))
    assert len(both.with_files) == len({name for ids in apart for name in ids})


def test_no_photograph_is_unreadable(catalog_of):
    catalog = catalog_of("isic2020", "isic2019", "ham10000", "pad-ufes-20")
    assert find_unreadable(catalog) == {}


def test_listed_duplicates_are_in_one_group(catalog_of, real_folder):
    frame = catalog_of("isic2020").frame
    home = dict(frame.select("image_id", "group_id").iter_rows())
    table = real_folder / "lesions" / "isic2020" / "ISIC_2020_Training_Duplicates.csv"
    pairs = [line.split(",") for line in table.read_text().split()[1:]]
    assert len(pairs) == 425
    assert all(home[a] == home[b] for a, b in pairs)


def test_words_and_folds(catalog_of):
    catalog = catalog_of("isic2020", "isic2019", "ham10000", "pad-ufes-20").with_files
    frame = catalog.frame
    static = encode(frame["age"].to_list(), frame["sex"].to_list(), frame["site"].to_list())
    assert np.isfinite(static).all()
    assert Path(frame["path"][0]).is_file()
    target = frame["target"].to_numpy()
    folds = assign_folds(frame["group_id"].to_list(), target, 5, 0)
    for name in ("patient_id", "lesion_id"):
        homes = frame.with_columns(fold=folds).drop_nulls(name).group_by(name).n_unique()
        assert homes["fold"].max() == 1
    share = [target[folds == fold].mean() for fold in range(5)]
    assert max(share) - min(share) < 0.01
