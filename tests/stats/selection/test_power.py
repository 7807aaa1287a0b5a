"""What could have been told, against the closed form of one paired difference and its power."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from melanoscope.stats.selection.best import compare_with_best
from melanoscope.stats.selection.paired_differences import PairedDifferences, paired_differences
from melanoscope.stats.selection.power import groups_to_tell, smallest_told

from .conftest import FAR


def test_closed_form_of_one_difference() -> None:
    error = np.array([[0, 0.01], [0.01, 0]])
    one = PairedDifferences(
        difference=np.zeros((2, 2)),
        standard_error=error,
        allowance=norm.ppf(0.95) * error,
        replicated_error=error,
    )
    assert smallest_told(one, 0) == pytest.approx([0.01645], abs=1e-5)
    # (1.645 + 0.842)^2 (0.01 / 0.02)^2 n, as any textbook has it
    assert groups_to_tell(one, 0, 100) == pytest.approx(100 * 6.18 / 4, rel=0.001)


def test_so_many_groups_have_the_power(networks: Callable) -> None:
    """Simulated: with the number of groups that 40 suggest, four in five runs tell the worse."""
    truth = np.array([0.4, 0.0, 0.0])
    named = {"folds": 20, "n_train": FAR, "n_test": 1.0}
    drawn = networks(truth, groups=40, folds=20, correlation=0.5, shared=0.0, seed=2)
    needed = []
    for _ in range(30):
        found = paired_differences(*next(drawn), **named, degrees_of_freedom=39.0)
        needed.append(groups_to_tell(found, 0, 40, difference=0.4))
    groups = 20 * round(float(np.median(needed)) / 20)
    drawn = networks(truth, groups=groups, folds=20, correlation=0.5, shared=0.0, seed=3)
    told = 0
    for _ in range(300):
        found = paired_differences(*next(drawn), **named, degrees_of_freedom=groups - 1.0)
        told += not compare_with_best(found, n=groups)[1].may_be_best
    assert 0.7 < told / 300 < 0.9
