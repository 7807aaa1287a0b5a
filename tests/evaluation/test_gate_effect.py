"""Refused, doubtful and unreadable photographs, counted in every way."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from melanoscope.evaluation.gate_effect import (
    ACCEPTED,
    ANSWERED,
    NOT_REFUSED,
    SENT_HOME,
    SENT_ON,
    gate_effect,
)

from .samples import THRESHOLD, drawn, sample_of


@pytest.fixture(scope="module")
def counted():
    logit, target = drawn(400)
    rng = np.random.default_rng(1)
    refused, doubtful, torn = rng.permutation(400).reshape(4, 100)[:3, :40]
    status = np.full(400, "accepted", object)
    status[[*refused, *doubtful]] = "doubtful"
    status[torn] = "failed"
    forced = np.isin(np.arange(400), refused)
    logits = [None if k in set(torn) else x for k, x in enumerate(logit)]
    concerns = np.where(forced, "blurred; too dark", "")
    concerns[doubtful] = "too dark"
    sample = sample_of(
        logits, target, status=status.tolist(), forced=forced, concerns=concerns.tolist()
    )
    return gate_effect(sample, "float32", 200), logit, target, forced, status


def ways(effect):
    return {way.way: way for way in effect.ways}


def test_each_way_is_a_plain_count(counted):
    effect, logit, target, refused, status = counted
    torn = status == "failed"
    called = (logit >= THRESHOLD) & ~torn
    unanswered = refused | torn
    wanted = {
        ANSWERED: (called, ~torn),
        NOT_REFUSED: (called, ~unanswered),
        ACCEPTED: (called, status == "accepted"),
        SENT_ON: (called | unanswered, np.ones(400, bool)),
        SENT_HOME: (called & ~unanswered, np.ones(400, bool)),
    }
    assert list(ways(effect)) == list(wanted)
    for name, (positive, inside) in wanted.items():
        way = ways(effect)[name]
        assert (way.photographs, way.positives) == (inside.sum(), target[inside].sum())
        assert way.sensitivity.estimate == pytest.approx(positive[inside & (target == 1)].mean())
        assert way.specificity.estimate == pytest.approx(
            1 - positive[inside & (target == 0)].mean()
        )


def test_auroc_is_of_those_with_a_number(counted):
    effect, logit, target, _, status = counted
    for name, inside in ((ANSWERED, status != "failed"), (ACCEPTED, status == "accepted")):
        wanted = roc_auc_score(target[inside], logit[inside])
        assert ways(effect)[name].auroc.estimate == pytest.approx(wanted)
    assert ways(effect)[SENT_ON].auroc is None


def test_outcomes_and_concerns_add_up(counted):
    effect = counted[0]
    assert {one.status: one.photographs for one in effect.shares} == {
        "accepted": 280,
        "doubtful": 40,
        "refused": 40,
        "unreadable": 40,
    }
    assert sum(one.positives.estimate for one in effect.shares) == pytest.approx(1)
    assert effect.concerns == {"blurred": 40, "too dark": 80}


def test_a_class_that_is_refused_as_a_whole_has_no_share():
    target = np.arange(60) % 2
    sample = sample_of(np.zeros(60), target, forced=target == 1)
    found = ways(gate_effect(sample, "float32", 100))[NOT_REFUSED]
    assert (found.sensitivity, found.auroc, found.positives) == (None, None, 0)
