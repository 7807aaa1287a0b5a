"""Power by simulation against the exact variance of Mann & Whitney's statistic.

R's pROC is compared with in test_r_oracles.py.
"""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm, t

from melanoscope.errors import StatisticsError
from melanoscope.stats.binormal_scores import StudyDesign, told_differences
from melanoscope.stats.metrics.classification import area_under_roc
from melanoscope.stats.power_auroc import patients_needed, simulated_power

PLAIN = StudyDesign(auroc=(0.8, 0.87), correlation=0.5, prevalence=0.3)
ONE_LESION = StudyDesign(
    auroc=(0.8, 0.87),
    correlation=0.5,
    prevalence=0.3,
    photographs=3,
    intraclass=0.6,
    outcome_of_patient=True,
)
MANY_LESIONS = StudyDesign(
    auroc=(0.8, 0.87), correlation=0.5, prevalence=0.15, photographs=4, intraclass=0.6
)
DESIGNS = {"plain": PLAIN, "one lesion": ONE_LESION, "many lesions": MANY_LESIONS}


def exact_error(design: StudyDesign, patients: int) -> float:
    """Standard error of the difference of AUROCs where no patient has both classes.

    Two right pairs (i, j) and (k, l) are two normal differences above 0, whose correlation is the
    mean of those of the positives i and k and of the others j and l.
    """
    m = design.photographs
    held = design.positive(patients).any(axis=1).sum()
    counts = []
    for n in (held * m, (patients - held) * m):
        counts.append({"same": n, "patient": n * (m - 1), "apart": n * (n - m)})
    alike = {"same": 1.0, "patient": design.intraclass, "apart": 0.0}

    def covariance(p: int, q: int) -> float:
        scale = 1.0 if p == q else design.correlation
        z = norm.ppf([design.auroc[p], design.auroc[q]])
        total = 0.0
        for one, other in product(alike, repeat=2):
            pairs = counts[0][one] * counts[1][other]
            rho = scale * (alike[one] + alike[other]) / 2
            if pairs and rho:
                both = multivariate_normal.cdf(
                    z, cov=[[1, rho], [rho, 1]], allow_singular=True, abseps=1e-9
                )
                total += pairs * (both - design.auroc[p] * design.auroc[q])
        return total / (held * (patients - held) * m * m) ** 2

    return float(np.sqrt(covariance(0, 0) + covariance(1, 1) - 2 * covariance(0, 1)))


def areas(design: StudyDesign, patients: int, simulations: int) -> np.ndarray:
    positive = design.positive(patients).ravel()
    found = []
    for block in design.scores(patients, simulations):
        flat = block.reshape(*block.shape[:2], -1)
        found.append([[area_under_roc(positive, one) for one in model] for model in flat])
    return np.concatenate(found, axis=1)


@pytest.mark.parametrize("name", ["plain", "one lesion"])
def test_power_is_that_of_the_exact_variance(name: str) -> None:
    design = DESIGNS[name]
    for patients in (150, 300):
        found = simulated_power(design, patients, simulations=1500).power.estimate
        rarer = design.positive(patients).any(axis=1).sum()
        statistic = design.difference / exact_error(design, patients)
        expected = t.sf(t.isf(0.025, rarer - 1) - statistic, 1e6)
        assert found == pytest.approx(expected, abs=0.04), patients


@pytest.mark.parametrize("name", ["plain", "one lesion"])
def test_simulated_aurocs_vary_as_they_must(name: str) -> None:
    design = DESIGNS[name]
    found = areas(design, 100, 1500)
    assert found.mean(axis=1) == pytest.approx(design.auroc, abs=0.005)
    spread = (found[1] - found[0]).std(ddof=1)
    assert spread == pytest.approx(exact_error(design, 100), rel=0.06)


def test_scores_have_the_stated_correlations() -> None:
    positive = MANY_LESIONS.positive(200)
    block = np.concatenate(list(MANY_LESIONS.scores(200, 200)), axis=1)
    shift = np.sqrt(2) * norm.ppf(MANY_LESIONS.auroc)
    noise = block - shift[:, None, None, None] * positive
    assert noise.var(axis=(1, 2, 3)) == pytest.approx([1, 1], abs=0.03)
    assert (noise[0] * noise[1]).mean() == pytest.approx(0.5, abs=0.02)
    assert (noise[0, ..., 0] * noise[0, ..., 1]).mean() == pytest.approx(0.6, abs=0.03)
    assert (noise[0, ..., 0] * noise[1, ..., 1]).mean() == pytest.approx(0.3, abs=0.03)
    assert (noise[0, :, 0] * noise[0, :, 1]).mean() == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("name", DESIGNS)
def test_models_that_are_alike_are_rarely_told_apart(name: str) -> None:
    stated = {f: getattr(DESIGNS[name], f) for f in StudyDesign.__dataclass_fields__}
    design = StudyDesign(**stated | {"auroc": (0.85, 0.85)})
    told = told_differences(design, 200, 2000, alpha=0.05)
    assert 0.035 < np.abs(told).mean() < 0.065
    assert abs(told.mean()) < 0.02


def test_photographs_of_a_patient_are_no_further_patients() -> None:
    """Scores that are one and the same for all of its photographs: as many patients, no more."""
    stated = {"auroc": (0.8, 0.87), "correlation": 0.5, "prevalence": 0.3}
    alone = simulated_power(StudyDesign(**stated), 150).power.estimate
    repeated = StudyDesign(**stated, photographs=5, intraclass=1.0, outcome_of_patient=True)
    assert simulated_power(repeated, 150).power.estimate == pytest.approx(alone, abs=0.05)
    unlike = StudyDesign(**stated, photographs=5, intraclass=0.0, outcome_of_patient=True)
    assert simulated_power(unlike, 150).power.estimate > alone + 0.2


def test_number_needed_is_where_the_power_passes() -> None:
    found = patients_needed(PLAIN, power=0.8)
    powers = {point.patients: point.power for point in found.points}
    assert found.needed is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.needed <= found.high
    assert powers[found.needed].estimate >= 0.8
    below = max(n for n in powers if n < found.needed)
    assert powers[below].estimate < 0.8
    assert found.needed <= below * 1.04 + 1, "neighbours on the grid"
    assert list(powers) == sorted(powers)
    z = norm.ppf(0.975) + norm.ppf(0.8)
    closed = 300 * (z * exact_error(PLAIN, 300) / PLAIN.difference) ** 2
    assert found.needed == pytest.approx(closed, rel=0.08)
    assert found.low - 5 <= closed <= found.high + 5
    seen = found.points[-1].power
    assert (seen.n, seen.unit) == (1000, "simulations")
    assert seen.low < seen.estimate < seen.high


def test_direction_of_the_difference_does_not_matter() -> None:
    turned = StudyDesign(auroc=(0.87, 0.8), correlation=0.5, prevalence=0.3)
    one, other = (simulated_power(d, 200).power.estimate for d in (PLAIN, turned))
    assert one == pytest.approx(other, abs=0.05)


def test_more_is_needed_for_less() -> None:
    def needed(**changes: float) -> int:
        stated = {"auroc": (0.8, 0.92), "correlation": 0.5, "prevalence": 0.3} | changes
        power = stated.pop("power", 0.8)
        found = patients_needed(StudyDesign(**stated), power=power, simulations=200).needed
        assert found is not None
        return found

    usual = needed()
    assert needed(auroc=(0.8, 0.89)) > 1.3 * usual
    assert needed(correlation=0.0) > 1.5 * usual
    assert needed(prevalence=0.1) > 1.5 * usual
    assert needed(power=0.95) > 1.3 * usual
    assert needed(photographs=3, intraclass=0.3) < 0.8 * usual


def test_common_random_numbers_keep_the_power_smooth() -> None:
    powers = [simulated_power(PLAIN, n, simulations=500).power.estimate for n in range(200, 240, 4)]
    falls = [max(0.0, a - b) for a, b in pairwise(powers)]
    assert max(falls) < 0.03
    assert simulated_power(PLAIN, 200) == simulated_power(PLAIN, 200)
    assert simulated_power(PLAIN, 200) != simulated_power(PLAIN, 200, seed=1)


def test_what_is_out_of_reach_is_said() -> None:
    found = patients_needed(PLAIN, most=100, simulations=200)
    assert found.needed is None
    assert found.low is None
    assert found.high is None
    assert found.points[-1].patients == 100
    assert found.points[-1].power.estimate < 0.8


@settings(deadline=None, max_examples=40)
@given(
    st.floats(0.02, 0.98), st.integers(1, 6), st.booleans(), st.integers(1, 300), st.integers(1, 60)
)
def test_fewer_patients_are_the_first_of_more(
    prevalence: float, photographs: int, of_patient: bool, patients: int, fewer: int
) -> None:
    design = StudyDesign(
        auroc=(0.7, 0.9),
        correlation=0.3,
        prevalence=prevalence,
        photographs=photographs,
        intraclass=0.4,
        outcome_of_patient=of_patient,
    )
    fewer = min(fewer, patients)
    positive = design.positive(patients)
    assert positive.shape == (patients, photographs)
    assert (design.positive(fewer) == positive[:fewer]).all()
    units = patients if of_patient or photographs == 1 else positive.size
    held = positive.any(axis=1).sum() if units == patients else positive.sum()
    slack = 1 if units == patients else 8
    assert abs(held - prevalence * units) <= slack + 1
    if of_patient:
        assert (positive.all(axis=1) == positive.any(axis=1)).all()
    some, all_ = (
        np.concatenate(list(design.scores(n, 3, seed=5)), axis=1) for n in (fewer, patients)
    )
    assert some == pytest.approx(all_[:, :, :fewer])


def test_positives_of_a_patient_are_independent_where_they_are_scattered() -> None:
    design = StudyDesign(auroc=(0.8, 0.9), correlation=0.5, prevalence=0.5, photographs=2)
    both = design.positive(4000).sum(axis=1)
    # 8 of each 16 places in a row: 8 / 15 in place of a half.
    assert np.bincount(both) / 4000 == pytest.approx([0.233, 0.533, 0.233], abs=0.02)


@pytest.mark.parametrize(
    "wrong",
    [
        {"auroc": (0.8, 1.0)},
        {"auroc": (0.0, 0.8)},
        {"auroc": (0.8, float("nan"))},
        {"auroc": (0.8,)},
        {"correlation": 1.0},
        {"correlation": -0.1},
        {"intraclass": 1.1},
        {"intraclass": float("nan")},
        {"prevalence": 0.0},
        {"photographs": 0},
    ],
)
def test_impossible_studies_are_refused(wrong: dict) -> None:
    with pytest.raises(StatisticsError):
        StudyDesign(**{"auroc": (0.8, 0.9), "correlation": 0.5, "prevalence": 0.3} | wrong)


def test_impossible_questions_are_refused() -> None:
    same = StudyDesign(auroc=(0.8, 0.8), correlation=0.5, prevalence=0.3)
    with pytest.raises(StatisticsError, match="differ"):
        patients_needed(same)
    for power in (0.05, 1.0, float("nan")):
        with pytest.raises(StatisticsError, match="between the level"):
            patients_needed(PLAIN, power=power)
    for wrong in ({"alpha": 0.0}, {"alpha": 1.0}, {"simulations": 10}):
        with pytest.raises(StatisticsError):
            simulated_power(PLAIN, 100, **wrong)
    with pytest.raises(StatisticsError, match="2 patients"):
        simulated_power(PLAIN, 3)
    for most in (0, 30):
        with pytest.raises(StatisticsError, match="10 patients"):
            patients_needed(PLAIN, most=most)
