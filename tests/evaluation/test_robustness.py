"""Drops of AUROC against scikit-learn, their intervals, and the controls that hide the lesion."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from melanoscope.errors import StatisticsError
from melanoscope.evaluation.lesion_box import find_lesion_box, only_background, only_lesion_box
from melanoscope.evaluation.robustness import TriedPhotographs, corruption_drops
from melanoscope.evaluation.robustness_run import draw_photographs, measure_robustness
from melanoscope.inference.postprocess import ModelOutput
from melanoscope.stats.intervals.delong_test import delong_test

from .samples import drawn, sample_of
from .test_corruptions import skin


def tried_of(n: int = 400, seed: int = 0) -> TriedPhotographs:
    logit, target = drawn(n, seed=seed)
    return TriedPhotographs(target=target, member=np.arange(n) // 2, logit=logit, threshold=0.5)


def test_a_drop_is_the_difference_of_two_aurocs():
    tried = tried_of()
    noisy = tried.logit + np.random.default_rng(1).normal(0, 3, 400)
    found = tried.drop(noisy)
    clean, with_it = (roc_auc_score(tried.target, x) for x in (tried.logit, noisy))
    assert (found.auroc, found.drop.estimate) == pytest.approx((with_it, clean - with_it))
    p, q = (1 / (1 + np.exp(-x)) for x in (tried.logit, noisy))
    theirs = delong_test(tried.target, p, q, tried.member).difference
    assert found.drop.standard_error == pytest.approx(theirs.standard_error, rel=0.02)
    called, before = noisy >= 0.5, tried.logit >= 0.5
    assert found.flipped == pytest.approx((called != before).mean())
    assert found.sensitivity == pytest.approx(called[tried.target == 1].mean())
    assert found.specificity == pytest.approx(1 - called[tried.target == 0].mean())


def test_what_changes_nothing_drops_nothing():
    tried = tried_of()
    found = tried.drop(tried.logit)
    assert (found.drop.estimate, found.drop.low, found.drop.high, found.flipped) == (0, 0, 0, 0)


def test_the_mean_drop_is_the_mean_and_its_test_is_one_of_a_family():
    tried = tried_of()
    rng = np.random.default_rng(2)
    logits = {
        "harmless": [tried.logit + rng.normal(0, 0.1, 400) for _ in range(3)],
        "harmful": [tried.logit * 0 + rng.normal(0, 1, 400) for _ in range(3)],
    }
    described = dict.fromkeys(logits, ("levels", (1.0, 2.0, 3.0)))
    worst, least = corruption_drops(tried, logits, described)
    assert (worst.name, least.name) == ("harmful", "harmless")
    assert worst.mean.estimate == pytest.approx(np.mean([d.drop.estimate for d in worst.drops]))
    assert worst.p_holm < 0.001 < 0.05 < least.p_holm
    alone = corruption_drops(tried, {"harmless": logits["harmless"]}, described)[0].p_holm
    assert worst.p_holm < alone <= least.p_holm  # Holm: the larger p stays, or grows


def test_the_interval_holds_the_true_drop():
    """Of 200 samples of two photographs a patient, about 95 % hold the expected drop."""
    rng = np.random.default_rng(3)
    found = []
    for seed in range(200):
        tried = tried_of(200, seed)
        found.append(tried.drop(tried.logit + rng.normal(0, 2, 200)).drop)
    truth = np.mean([one.estimate for one in found])
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.91 <= held <= 0.99


def test_a_box_holds_the_lesion_and_hides_it():
    picture = skin(96)
    box = find_lesion_box(picture)
    assert box is not None
    lesion = picture.astype(int).sum(axis=2) < 380
    inside = np.zeros((96, 96), bool)
    inside[box.top : box.bottom, box.left : box.right] = True
    assert lesion[inside].sum() == lesion.sum() > 300
    assert only_background(picture, box)[lesion].min() > 120  # skin, where the lesion was
    left = only_lesion_box(picture, box)
    assert np.array_equal(left[inside], picture[inside])
    assert np.ptp(left[~inside], axis=0).max() == 0


def test_no_lesion_no_box():
    rng = np.random.default_rng(0)
    plain = np.full((96, 96, 3), 180) + rng.normal(0, 2, (96, 96, 3))
    assert find_lesion_box(plain.astype(np.uint8)) is None
    assert find_lesion_box(np.zeros((96, 96, 3), np.uint8)) is None
    shaded = plain.copy()
    shaded[:, :20] -= 90  # shade at the edge
    assert find_lesion_box(np.clip(shaded, 0, 255).astype(np.uint8)) is None


def test_whole_groups_are_drawn_of_both_classes():
    frame = pl.DataFrame(
        {
            "group_id": [f"g{k // 3}" for k in range(900)],
            "target": [int(k // 3 % 10 == 0) for k in range(900)],
        }
    )
    some = draw_photographs(frame, 300, 0)
    assert some.height == 300
    assert some.group_by("group_id").len()["len"].to_list() == [3] * 100
    assert some["target"].sum() == 30
    assert draw_photographs(frame, 10_000, 0).height == 900
    assert not draw_photographs(frame, 300, 1).equals(some)


class Darkness:
    """Answers by how dark the middle is, as a network that looks at the lesion would."""

    def __init__(self) -> None:
        self.n = 0

    def decode(self, path):
        class Decoded:
            pixels = skin(64) if int(path) % 2 else np.full((64, 64, 3), 190, np.uint8)

        # Some texture of its own, so that photographs differ.
        rng = np.random.default_rng(int(path))
        noise = rng.normal(0, 6, (64, 64, 3)) + rng.normal(0, 4)
        Decoded.pixels = np.clip(Decoded.pixels + noise, 0, 255).astype(np.uint8)
        return Decoded

    def forward(self, pixels, patients):
        assert len(pixels) == len(patients)
        self.n += len(pixels)
        middle = pixels[:, 24:40, 24:40].mean(axis=(1, 2, 3))
        empty = np.zeros((1, 1)), np.zeros(8)
        return [ModelOutput(*empty, logit=float(-m), distance=0.0) for m in middle]


def test_every_artefact_at_every_strength_is_asked():
    target = np.arange(60) % 2
    sample = sample_of(np.zeros(60), target, path=[str(k) for k in range(60)])
    network, told = Darkness(), []
    found = measure_robustness(sample, network, 60, 0, lambda *news: told.append(news))
    assert found.photographs == 60
    assert found.clean > 0.95
    assert {len(one.drops) for one in found.corruptions} == {5}
    assert len(found.corruptions) == 10
    assert network.n <= 60 * 53 == told[-1][1]
    # It knows the lesion alone; in the plain photographs there is no box, so that no control is.
    assert found.controls == ()


def test_too_few_patients_are_refused():
    sample = sample_of(np.zeros(16), np.arange(16) % 2, path=[str(k) for k in range(16)])
    with pytest.raises(StatisticsError, match="10 groups"):
        measure_robustness(sample, Darkness(), 16, 0)
