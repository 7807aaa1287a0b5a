"""DeLong and LeDell against pROC's published numbers, brute force and each other."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from melanoscope.errors import EvidenceError
from melanoscope.evidence.delong import delong_interval, delong_test
from melanoscope.evidence.ledell import ledell_interval
from melanoscope.evidence.metrics import auroc
from melanoscope.evidence.predictions import Predictions


@pytest.fixture(scope="module")
def asah() -> dict[str, np.ndarray]:
    """113 patients with a subarachnoid haemorrhage: outcome, and ranks of two markers.

    Turck et al. (2010), doi 10.1007/s00134-009-1641-y, the example data of pROC. The markers' ranks
    are all that an AUROC sees; brought to 0..1 here.
    """
    with (Path(__file__).parent / "asah.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {
        "outcome": np.array([int(r["poor_outcome"]) for r in rows]),
        **{m: np.array([int(r[m]) / 144 for r in rows]) for m in ("s100b", "wfns")},
    }


def test_asah_is_as_published(asah: dict[str, np.ndarray]) -> None:
    found = delong_interval(asah["outcome"], asah["s100b"])
    assert found.estimate == pytest.approx(0.7313686, abs=1e-7)
    assert (found.low, found.high) == pytest.approx((0.6301182, 0.8326189), abs=1e-7)
    assert found.n == 113
    test = delong_test(asah["outcome"], asah["wfns"], asah["s100b"])
    assert auroc(asah["outcome"], asah["wfns"]) == pytest.approx(0.8236789, abs=1e-7)
    assert test.statistic == pytest.approx(2.209, abs=5e-4)
    assert 2 * test.p_value == pytest.approx(0.02718, abs=5e-6)


def _brute(target: np.ndarray, score: np.ndarray) -> float:
    """DeLong's variance from all pairs."""
    x, y = score[target == 1], score[target == 0]
    psi = (x[:, None] > y).astype(float) + (x[:, None] == y) / 2
    v, w = psi.mean(axis=1), psi.mean(axis=0)
    return v.var(ddof=1) / x.size + w.var(ddof=1) / y.size


@pytest.mark.parametrize("decimals", [1, 12])
def test_variance_is_that_of_all_pairs(decimals: int) -> None:
    rng = np.random.default_rng(decimals)
    target = (rng.random(80) < 0.3).astype(int)
    score = np.round(rng.random(80), decimals)
    found = delong_interval(target, score)
    assert found.standard_error**2 == pytest.approx(_brute(target, score), abs=1e-12)


def test_groups(make: Callable[..., Predictions]) -> None:
    one = make(n=400, patients=400, parts=1, decimals=2)
    alone = delong_interval(one.target, one.probability)
    own = delong_interval(one.target, one.probability, np.arange(400))
    assert own.standard_error == pytest.approx(alone.standard_error, abs=1e-12)
    # Everything three times in its group: the same information as once, up to the small-sample
    # factors that see the number of groups.
    tiled = [np.tile(v, 3) for v in (one.target, one.probability, np.arange(400))]
    thrice = delong_interval(*tiled)
    assert thrice.standard_error == pytest.approx(alone.standard_error, rel=1e-9)
    naive = delong_interval(*tiled[:2])
    assert naive.standard_error == pytest.approx(alone.standard_error / np.sqrt(3), rel=0.01)


def test_same_network_twice_and_order() -> None:
    rng = np.random.default_rng(1)
    target, a, b = rng.integers(0, 2, 60), rng.random(60), rng.random(60)
    assert delong_test(target, a, a).p_value == 0.5
    forth, back = delong_test(target, a, b), delong_test(target, b, a)
    assert forth.p_value + back.p_value == pytest.approx(1)
    assert forth.difference.estimate == pytest.approx(-back.difference.estimate)


def test_refusals() -> None:
    with pytest.raises(EvidenceError, match="at least 2 photographs of each class"):
        delong_interval([1, 0, 0], [0.5, 0.2, 0.1])
    with pytest.raises(EvidenceError, match="at least 2 groups with melanomas"):
        delong_interval([1, 1, 0, 0], [0.5, 0.2, 0.1, 0.3], [1, 1, 2, 3])


def test_ledell_with_one_part_is_delong_up_to_its_small_sample_factor(
    make: Callable[..., Predictions],
) -> None:
    """Both sum squared effects; DeLong divides by n - 1 and m - 1, LeDell by n and m."""
    one = make(n=500, patients=500, parts=1)
    alone = Predictions(
        one.target, one.probability, one.threshold, one.part, np.arange(500), one.photograph
    )
    found = ledell_interval(alone)
    x, y = (one.probability[one.target == k] for k in (1, 0))
    psi = (x[:, None] > y) + (x[:, None] == y) / 2
    v, w = psi.mean(axis=1), psi.mean(axis=0)
    exact = (v.var() / x.size + w.var() / y.size) * 500 / 499
    assert found.standard_error**2 == pytest.approx(exact, abs=1e-14)
    delong = delong_interval(one.target, one.probability)
    assert found.estimate == pytest.approx(delong.estimate, abs=1e-12)
    assert found.standard_error == pytest.approx(delong.standard_error, rel=0.01)


def test_ledell_honours_groups_and_repeats(make: Callable[..., Predictions]) -> None:
    once, twice = make(repeats=1), make(repeats=2)
    # The second repeat divides anew but holds the same patients: hardly more information.
    assert ledell_interval(twice).standard_error == pytest.approx(
        ledell_interval(once).standard_error, rel=0.1
    )
    thrice = Predictions(
        *(np.tile(getattr(once, k), 3) for k in ("target", "probability", "threshold", "part")),
        group=np.tile(once.group, 3),
        photograph=np.arange(3 * once.target.size),
    )
    # Each photograph three times in its patient is no more information than once.
    assert ledell_interval(thrice).standard_error == pytest.approx(
        ledell_interval(once).standard_error, rel=1e-9
    )
    areas = [
        auroc(once.target[once.part == p], once.probability[once.part == p]) for p in once.parts
    ]
    assert ledell_interval(once).estimate == pytest.approx(np.mean(areas), abs=1e-12)
