"""What the tests of this folder share."""

from __future__ import annotations

import numpy as np
import pytest

from melanoscope.export.evaluation import Holdout

from .holdouts import holdout_of


@pytest.fixture(scope="module")
def holdout() -> Holdout:
    rng = np.random.default_rng(0)
    target = np.repeat(rng.integers(0, 2, 200), 2)
    logit = 1.5 * target + rng.normal(0, 1.5, 400)
    sex = np.where(rng.random(400) < 0.5, "female", "male").tolist()
    return holdout_of(logit, target, sex=sex)
