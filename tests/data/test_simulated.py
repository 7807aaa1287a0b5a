"""Simulated lesions: the same each time, learnable, and without a way round the lesion."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict

from melanoscope import patient
from melanoscope.data.archive import ROW_SCHEMA, ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import simulated
from melanoscope.data.sources.lesion_painter import Traits, paint
from melanoscope.errors import DataError
from melanoscope.imaging.decode import read_image


@pytest.fixture(scope="module")
def people():
    return simulated.simulate_patients(6000, seed=3)


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> pl.DataFrame:
    return simulated.simulate_images(240, tmp_path_factory.mktemp("drawn"), seed=1)


def target_of(photographs) -> np.ndarray:
    return np.array([one.diagnosis == "melanoma" for one in photographs])


def auroc_of(model, features, target, groups) -> float:
    """AUROC of cross-validated predictions, no patient on both sides."""
    p = cross_val_predict(
        model, features, target, groups=groups, cv=GroupKFold(5), method="predict_proba"
    )
    return roc_auc_score(target, p[:, 1])


def files_of(table: pl.DataFrame) -> dict[str, bytes]:
    return {Path(path).name: Path(path).read_bytes() for path in table["path"]}


def test_same_count_and_seed_give_the_same_bytes_whatever_else_is_drawn(tmp_path):
    some = files_of(simulated.simulate_images(9, tmp_path / "a"))
    more = files_of(simulated.simulate_images(14, tmp_path / "b"))
    assert some == {name: more[name] for name in some}
    assert not set(some.values()) & set(
        files_of(simulated.simulate_images(9, tmp_path / "a", seed=1)).values()
    )


def test_only_what_is_missing_is_drawn_and_a_half_written_file_is_not_trusted(tmp_path):
    first = simulated.simulate_images(8, tmp_path)
    before = files_of(first)
    gone = Path(first["path"][3])
    gone.rename(gone.with_name(f".{gone.name}.partial"))
    gone.with_name(f".{gone.name}.partial").write_bytes(before[gone.name][:500])
    kept = {path: Path(path).stat().st_mtime_ns for path in first["path"] if path != str(gone)}
    assert simulated.simulate_images(8, tmp_path).equals(first)
    assert files_of(first) == before
    assert {path: Path(path).stat().st_mtime_ns for path in kept} == kept
    # Another process's partial file may still be its own to finish; it passes for no photograph.
    assert len(list(gone.parent.glob("[!.]*"))) == 8


def test_the_table_passes_for_an_archive(tmp_path):
    source = simulated.read("60", ReadOptions(tmp_path))
    catalog = build_catalog([source])
    assert len(catalog.with_files) == 60
    assert dict(source.rows.schema) == ROW_SCHEMA
    assert catalog.frame["group_id"].n_unique() == source.rows["patient_id"].n_unique()
    assert all(Path(path).is_absolute() for path in source.rows["path"])
    assert "simulated, says nothing about skin" in simulated.ARCHIVE.title


def test_population_is_as_promised(people):
    lesions = {one.lesion: one for one in people}
    assert 0.22 < target_of(people).mean() < 0.28
    assert {one.diagnosis for one in people} == {"melanoma", "nevus", "benign keratosis"}
    per_patient = Counter(one.patient for one in lesions.values())
    assert set(per_patient.values()) == set(range(1, 7))
    photographed = Counter(one.lesion for one in people)
    assert set(photographed.values()) == {1, 2}
    assert 0.08 < np.mean([n == 2 for n in photographed.values()]) < 0.12
    for missing in (one.sex == "unknown" for one in people), (one.age is None for one in people):
        assert 0.01 < np.mean(list(missing)) < 0.08
    assert {one.site for one in people} == set(patient.SITES)
    for a, b in itertools.pairwise(people):
        if a.lesion == b.lesion:
            assert (a.patient, a.traits, a.diagnosis) == (b.patient, b.traits, b.diagnosis)


def test_static_data_foretells_in_part(people):
    features = patient.encode(
        [one.age for one in people], [one.sex for one in people], [one.site for one in people]
    )
    groups = [one.patient for one in people]
    assert 0.66 < auroc_of(LogisticRegression(), features, target_of(people), groups) < 0.74


def test_traits_overlap(people):
    traits = [one.traits for one in people]
    logits = [np.log(p / (1 - p)) for t in traits for p in (t.asymmetry, t.border, t.color)]
    rest = [(10 * t.diameter, t.keratosis) for t in traits]
    features = np.column_stack([np.reshape(logits, (-1, 3)), rest])
    groups, target = [one.patient for one in people], target_of(people)
    assert 0.93 < auroc_of(LogisticRegression(), features, target, groups) < 0.97
    for column in features[:, :4].T:
        assert 0.65 < roc_auc_score(target, column) < 0.9


def test_pixels_foretell_and_do_not_settle_it(table):
    """A forest on a few summaries of the middle of each photograph: no network, no ABCD."""
    features = []
    for path in table["path"]:
        pixels = read_image(Path(path), 64).astype(float)
        middle = (pixels / np.percentile(pixels, 70, axis=(0, 1)))[8:56, 8:56]  # skin is about 1
        light, hue = middle.mean(axis=2), middle - middle.mean(axis=2, keepdims=True)
        edges = [np.abs(np.diff(light, axis=axis)).mean() for axis in (0, 1)]
        inside = light < 0.8
        spread = hue[inside].std(axis=0) if inside.any() else np.zeros(3)
        tails = np.percentile(hue, [2, 98], axis=(0, 1)).ravel()
        features.append([sum(edges), inside.mean(), light.std(), *spread, *tails])
    forest = RandomForestClassifier(200, min_samples_leaf=3, random_state=0)
    found = auroc_of(forest, features, (table["malignancy"] == "malignant"), table["patient_id"])
    assert 0.75 < found < 0.99


def test_nuisances_say_nothing_of_the_label(people, table):
    assert abs(roc_auc_score(target_of(people), [one.tone for one in people]) - 0.5) < 0.03
    assert abs(roc_auc_score(target_of(people), [one.index for one in people]) - 0.5) < 0.03
    target, paths = (table["malignancy"] == "malignant"), [Path(path) for path in table["path"]]
    sizes = [Image.open(path).size for path in paths]
    rim = [np.asarray(Image.open(path).convert("L"))[:8].mean() for path in paths]
    aspects = [width / height for width, height in sizes]
    assert len(set(aspects)) == 3
    for nuisance in (aspects, rim, [path.stat().st_size for path in paths]):
        # Three standard errors for 240 photographs, a quarter of them melanomas. The file's size
        # is not quite chance (0.56 over 1,200): a busy lesion compresses less well.
        assert abs(roc_auc_score(target, nuisance) - 0.5) < 0.13


@pytest.mark.parametrize("seed", range(8))
def test_the_scene_never_sees_the_lesion(seed):
    """The same photograph of a bland and of a wild lesion has the same rim to the last bit."""
    bland, wild = (
        paint(traits, 0.3, np.random.default_rng(seed), np.random.default_rng([seed, 1]))
        for traits in (Traits(0, 0, 0, 0.3, keratosis=True), Traits(0.5, 0.9, 0.9, 0.35))
    )
    assert bland.shape == wild.shape
    assert bland.dtype == np.uint8
    assert min(bland.shape[:2]) == 160
    rim = np.ones(bland.shape[:2], bool)
    rim[14:-14, 14:-14] = False
    assert (bland[rim] == wild[rim]).all()
    assert (bland[~rim] != wild[~rim]).mean() > 0.05


def test_a_lesion_keeps_its_look_between_photographs():
    """Turned and lit anew, a lesion is nearer to itself than to another of the same traits."""

    def colours(lesion, photograph):
        rng = np.random.default_rng([9, photograph])
        pixels = paint(Traits(0.3, 0.3, 0.5, 0.5), 0.2, np.random.default_rng(lesion), rng)
        cut = (pixels.shape[1] - 50) // 2
        middle = pixels[55:105, cut : cut + 50].reshape(-1, 3)
        middle = middle / np.percentile(pixels, 70, axis=(0, 1))  # of the skin, most of the frame
        return np.percentile(middle, [10, 50, 90], axis=0).ravel()

    looks = np.array(
        [[colours(lesion, 100 * lesion + i) for i in range(2)] for lesion in range(12)]
    )
    far = np.abs(looks[:, None, 0] - looks[None, :, 1]).mean(axis=2)
    same, other = np.diag(far), far[~np.eye(12, dtype=bool)]
    assert np.median(same) < 0.6 * np.median(other)


def test_photographs_of_one_lesion_share_its_random_numbers_and_no_others(tmp_path, monkeypatch):
    seen = {}

    def record(traits, tone, lesion, photograph):
        seen.setdefault(lesion.integers(2**60), []).append(photograph.integers(2**60))
        return np.zeros((4, 4, 3), np.uint8)

    monkeypatch.setattr(simulated, "paint", record)
    table = simulated.simulate_images(200, tmp_path)
    assert len(seen) == table["lesion_id"].n_unique() < 200
    assert len(set(itertools.chain(*seen.values()))) == 200


@pytest.mark.parametrize("count", [0, -1])
def test_bad_counts(count, tmp_path):
    with pytest.raises(DataError, match="at least 1"):
        simulated.simulate_images(count, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", ["0", "-5", "1.5", "ten", "²", ""])
def test_bad_counts_on_the_command_line(count, tmp_path):
    with pytest.raises(DataError):
        simulated.read(count, ReadOptions(tmp_path))
