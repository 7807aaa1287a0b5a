"""Each number of a record is in its model card, and no other."""

from __future__ import annotations

import copy
import re
from collections import Counter

import pytest

from melanoscope.errors import BundleError
from melanoscope.inference.calibration import TemperatureScaling
from melanoscope.inference.quality.gate import LOW
from tests.inference.manifests import record_of

from .cards import card_of


def leaves(value, path=()):
    """Every number of a record with its way there."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list):
        for key, one in enumerate(value):
            yield from leaves(one, (*path, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value


def changed(record, path, value):
    copied = copy.deepcopy(record)
    place = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


# Numbers that a reader of the card has no use for, or that stand there only once of several times.
UNSHOWN = {
    ("schema",),
    ("preprocessing", "size"),
    ("graphs", "int8", "positives"),
    ("graphs", "int8", "threshold"),
    ("graphs", "int8", "logit_difference"),
    ("training", "seconds"),
    ("preprocessing", "decoder_version"),
    ("static", "max_age"),
    ("variants", "int8", "threads"),
    ("variants", "int8", "machine", "cores"),
}


def shown(path):
    return (
        path not in UNSHOWN
        and path[-1] not in ("confidence", "absent")
        and path[0] not in ("files", "seal")
        and path[:2] != ("training", "configuration")
        and not (path[0] == "thresholds" and path[-1] == "prevalence")
        and not (path[0] == "subgroups" and path[-1] == "groups")
        and path[:2] not in {("heldout", "positive_logits"), ("heldout", "other_logits")}
        and not (path[-1] == "n" and (path[:2] == ("gate", "rates") or "selection" in path))
    )


def another(path, value):
    """Another number that may stand at a place of a record, far enough to be seen when rounded."""
    if path[:2] == ("gate", "limits"):  # outwards: the refusing limit lies beyond the other
        return value * 0.7 if (path[2] in LOW) == (path[3] == "doubtful") else value * 1.5
    if path[:2] == ("gate", "distance"):
        return value * (0.7 if path[3] == "doubtful_above" else 1.5)
    if path[-1] in ("positives", "groups"):  # at most as many as photographs
        return value // 2
    if path[-1] == "high":  # not below the lower bound
        return value * 0.7 + 0.3
    return 2 * value + 7 if isinstance(value, int) else value * 0.7 + 0.01


def test_every_number_of_the_record_is_in_the_card():
    record = record_of()
    card = card_of(record)
    paths = [(path, value) for path, value in leaves(record) if shown(path)]
    assert len(paths) > 150
    for path, value in paths:
        copied = changed(record, path, another(path, value))
        copied["preprocessing"]["size"] = copied["network"]["size"]
        assert card_of(copied) != card, path


def test_every_number_of_the_card_comes_from_the_record():
    # With all numbers of the record changed, those of the card change; what stays is counted.
    number = re.compile(r"\d[\d,.]*\d|\d")
    cards = [card_of(record_of(seed)).splitlines() for seed in (0, 1)]
    stay = Counter()
    for before, after in zip(*cards, strict=True):
        both = number.findall(before), number.findall(after)
        assert len(both[0]) == len(both[1]), before
        stay.update(a for a, b in zip(*both, strict=True) if a == b)
    # Literature, the record's own words, the interface, and the ways of writing code.
    words = {
        *("2019", "10.1145", "3287560.3287596", "2002", "2016", "2017"),
        *("0.1.0", "2026", "01", "02", "03", "04", "05", "00", "4.0", "2.14.1", "1.32.0", "64"),
        *("95", "255", "45", "8", "32", "12", "3", "1", "4", "11", "0", "50", "25", "16", "256"),
        *("2", "8", "05"),
    }
    assert set(stay) <= words, set(stay) - words


def test_probabilities_at_thresholds_are_those_of_the_predictor():
    record = record_of()
    record["prevalence"] = 0.0176
    card = card_of(record)
    known = record["calibration"]
    for one in record["thresholds"]:
        expected = TemperatureScaling(known["temperature"], known["prevalence"]).probability(
            one["logit"], 0.0176
        )
        assert f" | {100 * expected:.1f} % | " in card


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
@pytest.mark.parametrize(
    "path",
    [
        ("metrics", "auroc", "estimate"),
        ("thresholds", 1, "logit"),
        ("variants", "int8", "milliseconds", "median"),
        ("gate", "limits", "clutter", "refused"),
        ("data", "positives"),
    ],
)
def test_what_is_no_number_is_never_printed(path, bad):
    with pytest.raises(BundleError, match=r"a whole record|two bounds"):
        card_of(changed(record_of(), path, bad))


def test_a_record_that_lacks_something_is_refused():
    record = record_of()
    del record["gate"]
    with pytest.raises(BundleError, match="gate"):
        card_of(record)
